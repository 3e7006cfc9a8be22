"""The measures against a truth, and the estimate without one."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import linkage_people as people
import polars as pl
import pytest
from linkage_index import Index

from linkage.errors import LinkageError
from linkage.evaluate import evaluate, evaluate_by, truth_by_token, withhold_numbers
from linkage.score import log2_odds
from linkage.withhold import OUTCOMES

NUMBERS = people.nhs_numbers(40)
A, B, C, D, E = (people.token(i) for i in range(10_001, 10_006))

ANNA = {"given_name": "Anna", "family_name": "Okonkwo", "birth_date": date(1980, 3, 12), "sex": "F", "postcode": "AB12 3CD"}


def record(token: str, source: str, number: str | None = None, **fields: object) -> dict[str, object]:
    table = {"gp_emis": "admin_patient", "demographics_pds": "pds_person", "voluntary_sector": "referral"}.get(source, "apc")
    traced = {"nhs_number_status": "01"} if number else {}
    return {"record_token": token, "source": source, "table_name": table, "nhs_number": number, **traced, **ANNA, **fields}


# --- against a truth


def _by_hand(records: list[tuple[str, int, int, str]], group: str) -> tuple[float, ...]:
    """Precision, recall, B-cubed and mixed share of a group from their definitions; records are (token, person, truth, group)."""
    pairs = [(a, b) for a, b in itertools.combinations(records, 2) if group in (a[3], b[3])]
    linked = [a[2] == b[2] for a, b in pairs if a[1] == b[1]]
    true = [a[1] == b[1] for a, b in pairs if a[2] == b[2]]
    mine = [r for r in records if r[3] == group]

    def mean(values: list[float]) -> float:
        return sum(values) / len(values) if values else 1.0

    def share(r: tuple, over: int) -> float:
        companions = [other for other in records if other[over] == r[over]]
        return mean([other[1] == r[1] and other[2] == r[2] for other in companions])

    mixed = [any(other[1] == r[1] and other[2] != r[2] for other in records) for r in mine]
    return mean(linked), mean(true), mean([share(r, 1) for r in mine]), mean([share(r, 2) for r in mine]), mean(mixed)


@pytest.mark.parametrize("seed", range(3))
def test_measures_of_a_group_are_those_of_their_definitions(tmp_path: Path, seed: int) -> None:
    luck = random.Random(seed)
    records = [(people.token(i), luck.randrange(8), luck.randrange(8), luck.choice("xyz")) for i in range(30)]
    frame = pl.DataFrame(records, schema=["record_token", "person_id", "person_no", "kin"], orient="row")
    frame.with_columns(source=pl.col("kin")).write_parquet(tmp_path / "index.parquet")
    frame.drop("person_id").write_parquet(tmp_path / "truth.parquet")
    judged = [evaluate_by(tmp_path / "index.parquet", tmp_path / "truth.parquet", name) for name in ("kin", "source")]
    for group, quality in [*judged[0].items(), *judged[1].items()]:
        assert quality.n_records == sum(r[3] == group for r in records)
        found = (
            quality.pair_precision,
            quality.pair_recall,
            quality.bcubed_precision,
            quality.bcubed_recall,
            quality.mixed_record_share,
        )
        assert found == pytest.approx(_by_hand(records, group))
    whole = evaluate(tmp_path / "index.parquet", tmp_path / "truth.parquet")
    assert whole.pair_precision == pytest.approx(_by_hand([(*r[:3], "all") for r in records], "all")[0])


def test_a_truth_tells_of_twins_and_namesakes(tmp_path: Path) -> None:
    born = date(1980, 4, 2)
    rows = [
        # person_no, given, birth date, twin, household
        (1, "Ann", born, 2, 1),
        (2, "Eve", born, 1, 1),
        (3, "Tom", date(1950, 4, 1), None, 2),
        (4, "Tom", date(2010, 4, 1), None, 2),
        (5, "Tom", None, None, 3),
    ]
    pl.DataFrame(rows, schema=["person_no", "given_name", "birth_date", "twin_of", "household_no"], orient="row").with_columns(
        family_name=pl.lit("Hill"), sex=pl.lit("F"), ethnic_category_code=pl.lit("J"), imd_decile=pl.lit(3)
    ).write_parquet(tmp_path / "people.parquet")
    tokens = [people.token(i) for i in range(5)]
    ids = pl.DataFrame({"source": ["gp_emis"] * 5, "local_id": list("12345")})
    ids.with_columns(record_token=pl.Series(tokens)).write_parquet(tmp_path / "ids.parquet")
    ids.with_columns(person_no=pl.Series([1, 2, 3, 4, 5])).write_parquet(tmp_path / "records.parquet")
    truth_by_token(
        tmp_path / "records.parquet",
        [tmp_path / "ids.parquet"],
        tmp_path / "out.parquet",
        people=tmp_path / "people.parquet",
        as_of=date(2026, 4, 1),
    )
    found = pl.read_parquet(tmp_path / "out.parquet").sort("person_no")
    assert found["kin"].to_list() == ["twin", "twin", "namesake", "namesake", "neither"]
    assert found["age_band"].to_list() == ["45-64", "45-64", "65-79", "00-17", "Not known"]
    assert set(found["ethnic_group"]) == {"Asian"}
    assert set(found["deprivation_fifth"]) == {"2"}
    with pytest.raises(LinkageError, match=r"records\.parquet"):
        truth_by_token(tmp_path / "nothing.parquet", [tmp_path / "ids.parquet"], tmp_path / "out.parquet")


def test_numbers_are_withheld_from_whole_records_and_never_from_a_register(tmp_path: Path, index: Index) -> None:
    rows = people.make_place(300, seed=3).rows
    people.write(rows, tmp_path / "identity")
    withhold_numbers(tmp_path / "identity", tmp_path / "less", share=0.6, spec=index.spec)
    left = pl.concat([pl.read_parquet(path) for path in sorted((tmp_path / "less").glob("*/*/*.parquet"))])
    is_register = pl.col("source") == "demographics_pds"
    assert left.drop("nhs_number").sort("record_token").equals(rows.drop("nhs_number").sort("record_token"))
    assert left.filter(is_register)["nhs_number"].null_count() == rows.filter(is_register)["nhs_number"].null_count()
    before, after = (frame.filter(~is_register)["nhs_number"].count() for frame in (rows, left))
    assert 0.3 < after / before < 0.5


# --- without a truth


def outcomes(index: Index) -> dict[str, str]:
    return {token: outcome for token, outcome in index.column("withheld_outcome").items() if outcome}


def test_what_becomes_of_a_record_without_its_number_is_foretold(index: Index, tmp_path: Path) -> None:
    """The numbers of the sampled records are really taken away, and a whole run does with them what the trial said."""
    place = people.make_place(1_200, seed=21)
    index.run(place.rows)
    told = outcomes(index)
    assert set(told.values()) <= set(OUTCOMES)
    assert {"right", "review"} <= set(told.values())
    persons = index.persons()
    assert len({persons[token] for token in told}) > 0.95 * len(told) > 50
    others = {token: next(t for t, p in persons.items() if p == persons[token] and t != token) for token in told}

    really = Index(tmp_path / "really", index.spec, index.parameters)
    without = pl.col("record_token").is_in(list(told))
    really.run(place.rows.with_columns(nhs_number=pl.when(~without).then(pl.col("nhs_number"))))
    found = really.persons()
    differing = [token for token, outcome in told.items() if (found[token] == found[others[token]]) != (outcome == "right")]
    # they meet one another now, and a group of two sampled records of one person cannot be told apart
    assert len(differing) <= 0.02 * len(told)


def test_the_trial_changes_nothing_and_is_the_same_every_night(index: Index, tmp_path: Path, spec, parameters) -> None:
    place = people.make_place(300, seed=22)
    index.run(place.rows)
    other = Index(tmp_path / "other", replace(spec, link_weight=spec.link_weight), parameters)
    other.run(place.rows.sample(fraction=1, shuffle=True, seed=1))
    assert outcomes(index) == outcomes(other)
    assert index.partition() == other.partition()


def test_a_description_of_somebody_else_is_a_wrong_link(index: Index) -> None:
    eve = {"given_name": "Anne", "family_name": "Jones", "postcode": "ZX9 9ZZ"}
    rows = [
        record(A, "demographics_pds", NUMBERS[0]),
        record(B, "gp_emis", NUMBERS[0]),
        record(C, "acute_sus", NUMBERS[0], **eve),  # the number says Anna, everything else says Anne
        record(D, "demographics_pds", NUMBERS[1], **eve),
        record(E, "gp_emis", NUMBERS[2], given_name="Tom", birth_date=date(1990, 1, 5)),
    ]
    filler = people.make_place(60, seed=9).rows.filter(pl.col("source") == "demographics_pds").with_columns(nhs_number=None)
    index.run(pl.concat([people.frame(rows), filler]), runner_up_gap=0.0)
    told = outcomes(index)
    assert told.keys() <= {B, C}  # registers are what others are linked to; E shares its number with nobody
    assert told.get(C, "wrong") == "wrong"
    assert told.get(B, "right") == "right"
    assert told


def test_a_record_that_says_too_little_is_unlinkable(index: Index) -> None:
    bare = dict.fromkeys(ANNA)
    index.run(people.frame([record(A, "voluntary_sector"), record(B, "voluntary_sector", **{**bare, "sex": "F"})]))
    assert index.column("is_unlinkable") == {A: "false", B: "true"}


def test_the_weight_of_a_record_against_itself_is_that_of_the_model(index: Index) -> None:
    rows = people.frame([record(t, "voluntary_sector", phones=["07700900123"], uprn="77") for t in (A, B)])
    index.run(rows)
    ((evidence,),) = index.ask("select evidence from edge")
    weight = evidence + log2_odds(index.parameters.prior(2))
    index.run(link_weight=weight - 0.001)
    assert set(index.column("is_unlinkable").values()) == {"false"}
    index.run(link_weight=weight + 0.001)
    assert set(index.column("is_unlinkable").values()) == {"true"}


@pytest.mark.parametrize(
    ("given", "family", "structure"),
    [
        ("Anna", "Hill", "two_words"),
        ("Anna Maria", "Hill", "three_or_more_words"),
        ("Anna", None, "one_word"),
        ("Anna", "Hill-Smith", "hyphenated"),
        ("Zoë", "Hill-Smith", "accented"),
        ("محمد", "Hill", "non_latin"),
        (None, " ", "no_name"),
    ],
)
def test_how_a_name_is_built(given: str | None, family: str | None, structure: str, spec) -> None:
    from linkage.standardise import create_macros

    with duckdb.connect() as connection:
        create_macros(connection, spec)
        assert connection.execute("select name_structure($1::varchar, $2::varchar)", [given, family]).fetchone() == (structure,)


def test_the_warehouse_is_told_how_records_are_described_and_where_they_stand(index: Index) -> None:
    rows = [
        record(A, "gp_emis", NUMBERS[0]),
        record(B, "gp_emis", NUMBERS[1]),  # everything but the number: a question
        record(C, "voluntary_sector", birth_date=date(1900, 1, 1), postcode="ZZ99 3VZ", given_name="Tom"),
    ]
    index.run(people.frame(rows))
    assert index.column("is_in_review") == {A: "true", B: "true", C: "false"}
    assert index.column("has_number") == {A: "true", B: "true", C: "false"}
    assert index.column("birth_date_state") == {A: "valid", B: "valid", C: "sentinel"}
    assert index.column("postcode_state")[C] == "no_fixed_abode"
    index.run(people.frame([{**rows[1], "nhs_number": NUMBERS[0], "load_seq": 2}]))
    changed = index.column("is_person_changed")
    assert sorted(changed.values()) == ["false", "false", "true"]
    index.run()
    assert set(index.column("is_person_changed").values()) == {"false"}
