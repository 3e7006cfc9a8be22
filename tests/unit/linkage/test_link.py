"""Nights of linkage, from identity files to the index."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from uuid import UUID

import linkage_people as people
import polars as pl
import pytest
from linkage_index import Index

import linkage
from linkage.errors import ConstraintError, LinkageError, ParametersError, RegistryError
from linkage.evaluate import evaluate, truth_by_token
from linkage.model import Parameters, read_parameters, write_parameters
from linkage.output import OUTPUT_COLUMNS, ensure_empty_outputs
from linkage.registry import decide, previous_copy

NUMBERS = people.nhs_numbers(40)
A, B, C, D, E, F = (people.token(i) for i in range(1, 7))

JO = {
    "given_name": "Josephine",
    "family_name": "Okonkwo-Bright",
    "birth_date": date(1980, 3, 12),
    "sex": "F",
    "postcode": "AB12 3CD",
}


def gp(token: str, number: str | None, **fields: object) -> dict[str, object]:
    return {"record_token": token, "source": "gp_emis", "table_name": "admin_patient", "nhs_number": number, **JO, **fields}


def vcs(token: str, **fields: object) -> dict[str, object]:
    return {"record_token": token, "source": "voluntary_sector", "table_name": "referral", **JO, **fields}


def method(index: Index, token: str) -> str:
    return index.column("match_method")[token]


# --- what links and what does not


def test_planted_truth_is_found(index: Index) -> None:
    place = people.make_place(6_000, seed=5)
    report = index.run(place.rows)
    truth = index.root / "truth.parquet"
    place.truth.write_parquet(truth)
    quality = evaluate(index.person_record, truth)
    assert quality.n_records == len(place.rows) == report.n_records
    assert quality.pair_precision >= 0.9995
    assert quality.pair_recall >= 0.993
    assert evaluate(index.person_record, truth, source="voluntary_sector").pair_recall >= 0.95


def test_planted_truth_is_found_when_most_numbers_are_withheld(index: Index) -> None:
    place = people.make_place(4_000, seed=6, withheld=0.6)
    index.run(place.rows)
    place.truth.write_parquet(index.root / "truth.parquet")
    quality = evaluate(index.person_record, index.root / "truth.parquet")
    assert quality.pair_precision >= 0.994
    assert quality.pair_recall >= 0.95


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"birth_date": date(1980, 12, 3)},
        {"birth_date": date(1980, 3, 13)},
        {"given_name": "Josephyne"},
        {"given_name": "Okonkwo-Bright", "family_name": "Josephine"},
        {"family_name": "Bright"},
        {"postcode": "AB12 3CE"},
        {"nhs_number": NUMBERS[0][:4] + str((int(NUMBERS[0][4]) + 1) % 10) + NUMBERS[0][5:]},
    ],
    ids=["nothing", "day and month", "day", "letter", "swapped names", "half a name", "postcode", "number"],
)
def test_one_mistake_is_tolerated(index: Index, change: dict[str, object]) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), vcs(B, **change)]))
    assert index.together(A, B)
    assert method(index, B) == "probabilistic"


def test_a_shared_number_links_without_weighing(index: Index) -> None:
    report = index.run(
        people.frame(
            [
                gp(A, NUMBERS[0]),
                {"record_token": B, "source": "social_care_cld", "nhs_number": NUMBERS[0], "birth_date": JO["birth_date"]},
                {"record_token": C, "source": "reference", "table_name": "national_data_opt_out", "nhs_number": NUMBERS[0]},
            ]
        )
    )
    assert index.together(A, B, C)
    assert [method(index, t) for t in (A, B, C)] == ["nhs_number"] * 3
    assert report.n_pairs_scored == 0


def test_a_number_alone_does_not_link_a_record_that_is_somebody_else(index: Index) -> None:
    stranger = vcs(B, nhs_number=NUMBERS[0], given_name="Mihai", family_name="Popescu", birth_date=date(1951, 7, 30), sex="M")
    baby = vcs(C, nhs_number=NUMBERS[0], given_name="Adaeze", birth_date=date(2025, 12, 1))
    index.run(people.frame([gp(A, NUMBERS[0]), stranger, baby]))
    assert len(index.partition()) == 3


def test_a_number_sent_for_a_new_baby_is_the_mothers_and_not_used(index: Index) -> None:
    baby = {"birth_date": date(2025, 12, 20), "postcode": JO["postcode"], "sex": "F"}
    born = {
        "record_token": C,
        "source": "acute_sus",
        "table_name": "apc",
        "nhs_number": NUMBERS[0],
        "nhs_number_status": "08",
        **baby,
    }
    index.run(people.frame([gp(A, NUMBERS[0]), gp(B, NUMBERS[1], given_name="Adaeze", **baby), born]))
    assert index.together(B, C)
    assert not index.together(A, C)


def test_the_first_of_january_says_the_year_only(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), vcs(B, birth_date=date(1980, 1, 1)), vcs(C, birth_date=date(1981, 1, 1))]))
    assert index.together(A, B)
    assert not index.together(A, C)


def test_placeholders_never_link_two_people(index: Index) -> None:
    nobody = {
        "source": "voluntary_sector",
        "table_name": "referral",
        "nhs_number": "9999999999",
        "given_name": "Test",
        "family_name": "Patient",
        "birth_date": date(1900, 1, 1),
        "postcode": "ZZ99 3VZ",
        "phones": ["00000000000"],
        "email": "info@daycentre.example",
    }
    index.run(people.frame([{**nobody, "record_token": people.token(i)} for i in range(300)]))
    assert len(index.partition()) == 300
    assert method(index, people.token(0)) == "no_identity"


def test_a_date_that_a_source_always_writes_is_not_evidence(index: Index) -> None:
    names = [("Amina", "Yusuf"), ("Amina", "Yusuf"), ("Omar", "Said"), ("Dawit", "Tesfaye")]
    rows = [
        vcs(people.token(i), given_name=names[i % 4][0], family_name=names[i % 4][1], birth_date=date(1990, 1, 1), postcode=None)
        for i in range(40)
    ]
    index.run(people.frame(rows))
    assert len(index.partition()) == 40


def test_a_hostel_of_strangers_stays_a_hostel_of_strangers(index: Index) -> None:
    place = people.make_place(500, seed=3).rows.unique("nhs_number", maintain_order=True).head(400)
    crowd = place.with_columns(postcode=pl.lit("AB12 3CD"), nhs_number=pl.lit(None, dtype=pl.String), source=pl.lit("housing"))
    crowd = crowd.filter(pl.col("family_name").is_not_null()).unique(["given_name", "family_name", "birth_date"])
    index.run(crowd.with_columns(phones=pl.lit(["01632960001"]), email=pl.lit("desk@hostel.example")))
    assert len(index.partition()) >= len(crowd) - 2


def test_twins_are_kept_apart(index: Index) -> None:
    twin = {"given_name": "Chidera", "sex": "F"}
    index.run(
        people.frame(
            [gp(A, NUMBERS[0]), gp(B, NUMBERS[1], **twin), vcs(C), vcs(D, **twin), vcs(E, given_name=None, family_name=None)]
        )
    )
    assert index.together(A, C)
    assert index.together(B, D)
    assert not index.together(A, B)
    # a record without a name could be either, so it is neither
    assert frozenset([E]) in index.partition()
    assert ("ambiguous",) in index.ask("select distinct reason from review")


def test_namesakes_at_one_address_are_kept_apart(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), vcs(B, birth_date=date(2005, 11, 27)), vcs(C)]))
    assert index.together(A, C)
    assert not index.together(A, B)
    assert ("namesake",) in index.ask("select distinct reason from review")


def test_two_verified_numbers_on_one_description_go_to_review(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), gp(B, NUMBERS[1])]))
    assert not index.together(A, B)
    assert index.ask("select reason, status from review") == [("two_numbers", "open")]


def test_superseded_numbers_lead_to_the_last_and_cycles_are_left_and_reported(index: Index) -> None:
    def merger(i: int, old: str, new: str) -> dict[str, object]:
        return {
            "record_token": people.token(100 + i),
            "source": "demographics_pds",
            "table_name": "pds_person_merger",
            "nhs_number": new,
            "superseded_nhs_number": old,
        }

    index.run(
        people.frame(
            [
                gp(A, NUMBERS[0]),
                gp(B, NUMBERS[2], postcode="AB19 9ZZ", given_name="Jo", family_name="Bright"),
                merger(1, NUMBERS[0], NUMBERS[1]),
                merger(2, NUMBERS[1], NUMBERS[2]),
                merger(3, NUMBERS[5], NUMBERS[6]),
                merger(4, NUMBERS[6], NUMBERS[5]),
            ]
        )
    )
    assert index.together(A, B)
    cycles = index.ask("select value from metric where metric = 'not_used_nhs_number_superseded_cycle'")
    assert cycles == [(2.0,)]


# --- one result, whatever the order and the batches


def test_the_order_of_rows_changes_nothing(index: Index, tmp_path: Path) -> None:
    rows = people.make_place(1_500, seed=9).rows
    index.run(rows)
    other = replace(index, root=tmp_path / "other", night=0)
    other.run(rows.sample(fraction=1.0, shuffle=True, seed=1))
    assert index.partition() == other.partition()


def test_two_batches_give_what_one_gives_and_score_only_what_changed(index: Index, tmp_path: Path) -> None:
    rows = people.make_place(2_400, seed=10).rows
    late = pl.col("record_token").hash(seed=2) % 20 == 0
    index.run(rows.filter(~late))
    second = index.run(rows.filter(late).with_columns(load_seq=pl.lit(2, dtype=pl.Int32)))
    other = replace(index, root=tmp_path / "other", night=0)
    whole = other.run(rows)
    assert index.partition() == other.partition()
    edges = "select left_token, right_token, evidence from edge order by all"
    assert index.ask(edges) == other.ask(edges)
    assert second.n_pairs_scored < whole.n_pairs_scored / 2


def test_an_unchanged_night_changes_no_id_and_computes_nothing(index: Index) -> None:
    index.run(people.make_place(1_000, seed=12).rows)
    before = index.persons()
    report = index.run()
    assert report.is_unchanged
    assert report.n_pairs_scored == 0
    assert index.persons() == before
    # the same content in a new load is read again, and still no id moves
    extra = pl.read_parquet(next(index.identity.glob("gp_emis/*/*.parquet")))
    report = index.run(extra.with_columns(load_seq=pl.lit(2, dtype=pl.Int32)))
    assert not report.is_unchanged
    assert report.events == {}
    assert report.n_pairs_scored == 0
    assert index.persons() == before


def test_outputs_lost_after_the_registry_was_written_come_back(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), vcs(B)]))
    before = index.persons()
    index.person_record.unlink()
    index.run()
    assert index.persons() == before


# --- stable ids


def test_a_merge_leaves_an_alias_for_ever(index: Index) -> None:
    index.run(
        people.frame([gp(A, NUMBERS[0]), gp(B, None, postcode="AB19 9ZZ", birth_date=date(1980, 12, 13)), gp(C, NUMBERS[0])])
    )
    before = index.persons()
    assert not index.together(A, B)
    report = index.run(people.frame([gp(B, NUMBERS[0], load_seq=2)]))
    assert index.together(A, B, C)
    assert index.persons()[A] == before[A]
    assert report.events == {"merge": 1}
    assert index.ask("select old_person_id, person_id from alias") == [(UUID(before[B]), UUID(before[A]))]


def test_a_split_mints_and_the_larger_part_keeps_the_id(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), gp(B, NUMBERS[0]), vcs(C)]))
    before = index.persons()
    assert index.together(A, B, C)
    report = index.run(
        people.frame([vcs(C, load_seq=2, given_name="Mihai", family_name="Popescu", birth_date=date(1951, 7, 30))])
    )
    after = index.persons()
    assert after[A] == after[B] == before[A]
    assert after[C] not in before.values()
    assert report.events == {"split": 1}
    history = index.ask(f"select person_id, valid_to from membership where record_token = '{C}' order by valid_from, valid_to")
    assert [str(p) for p, _ in history] == [before[C], after[C]]
    assert history[1][1] is None


def test_ten_nights_change_ids_only_by_merges_splits_and_reassignments(index: Index) -> None:
    rows = people.make_place(800, seed=13).rows.with_columns(batch=pl.col("record_token").hash(seed=5) % 10)
    persons: dict[str, str] = {}
    for night in range(5):
        part = rows.filter(pl.col("batch") // 2 == night).drop("batch").with_columns(load_seq=pl.lit(night + 1, dtype=pl.Int32))
        report = index.run(part)
        now = index.persons()
        moved = {persons[t] for t in persons if now[t] != persons[t]}
        resolved = dict(index.ask("select cast(old_person_id as varchar), cast(person_id as varchar) from alias"))
        assert len(moved) <= sum(report.events.get(e, 0) for e in ("merge", "split", "reassign"))
        assert moved - set(now.values()) <= resolved.keys()
        assert set(resolved.values()) <= set(now.values())
        persons = now


def test_ids_come_from_the_given_source(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0])]), new_ids=lambda n: [UUID(int=i) for i in range(1, n + 1)])
    assert index.persons() == {A: str(UUID(int=1))}


def test_a_withdrawn_record_leaves_the_index_and_its_history_stays(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), gp(B, NUMBERS[1], given_name="Chidera", postcode="AB19 9ZZ")]))
    withdrawn = {"record_token": B, "source": "gp_emis", "table_name": "admin_patient", "load_seq": 2, "is_deleted": True}
    report = index.run(people.frame([withdrawn]))
    assert B not in index.persons()
    assert report.events == {"tombstone": 1}
    assert index.ask(f"select valid_to is not null from membership where record_token = '{B}'") == [(True,)]


def test_parts_of_one_record_come_from_several_tables(index: Index) -> None:
    def part(table: str, **fields: object) -> dict[str, object]:
        return {"record_token": A, "source": "gp_systmone", "table_name": table, **fields}

    index.run(
        people.frame(
            [
                part(
                    "sr_patient",
                    nhs_number=NUMBERS[0],
                    given_name="Josephine",
                    family_name="Bright",
                    birth_date=date(1980, 3, 12),
                ),
                part("sr_patient_address_history", postcode="AB19 9ZZ", identity_valid_from=date(2001, 1, 1)),
                part("sr_patient_address_history", postcode="AB12 3CD", identity_valid_from=date(2020, 1, 1), load_seq=2),
                part("sr_patient_contact_details", phones=["07700 900123"]),
                vcs(B, family_name="Adeyemi", phones=["+447700900123"], postcode="AB19 9ZZ"),
            ]
        )
    )
    assert index.together(A, B)


# --- reviewers


def test_decisions_hold_every_night_until_a_record_changes(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), vcs(B), gp(C, NUMBERS[1], given_name="Chidera", birth_date=date(1999, 9, 9))]))
    decided = {"reason": "spoke to both", "decided_by": "reviewer 1", "decided_on": date(2026, 1, 1)}
    decide(index.registry, UUID(A), UUID(B), "cannot_link", **decided)
    index.run()
    assert not index.together(A, B)
    decide(index.registry, UUID(B), UUID(C), "must_link", **decided)
    index.run()
    assert index.together(B, C)
    assert method(index, B) == "manual"
    with pytest.raises(ConstraintError, match="contradicts"):
        decide(index.registry, UUID(C), UUID(A), "must_link", **decided)
    index.run(people.frame([vcs(B, load_seq=2, postcode="AB12 3CX")]))
    assert index.together(A, B)
    assert index.ask('select count(*) from "constraint" where expired_on is null') == [(0,)]


def test_a_cannot_link_parts_records_that_share_a_number(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0]), gp(B, NUMBERS[0])]))
    assert index.together(A, B)
    decide(index.registry, UUID(B), UUID(A), "cannot_link", reason="two people", decided_by="r", decided_on=date(2026, 1, 1))
    index.run()
    assert not index.together(A, B)


def test_a_decision_about_an_unknown_record_is_refused(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0])]))
    with pytest.raises(ConstraintError, match="not in the registry"):
        decide(index.registry, UUID(A), UUID(F), "must_link", reason="", decided_by="r", decided_on=date(2026, 1, 1))


# --- bad input


@pytest.mark.parametrize("n", [0, 1])
def test_few_records(index: Index, n: int) -> None:
    report = index.run(people.frame([gp(A, NUMBERS[0])][:n]) if n else None)
    assert (report.n_records, report.n_people) == (n, n)
    assert len(index.persons()) == n


def test_names_in_other_scripts_match(index: Index) -> None:
    name = {"given_name": "محمد", "family_name": "الشامي"}
    index.run(people.frame([gp(A, NUMBERS[0], **name), vcs(B, **name), vcs(C, given_name="Оксана", family_name="Шевченко")]))
    assert index.together(A, B)
    assert not index.together(A, C)


def test_ten_thousand_records_of_one_description_end_within_the_pair_budget(index: Index) -> None:
    rows = people.frame([vcs(A)])
    crowd = pl.concat([rows] * 10_000).with_columns(record_token=pl.Series([people.token(i) for i in range(10_000)]))
    report = index.run(crowd)
    assert report.n_records == 10_000
    assert sum(rule.n_crowded_keys for rule in report.rules) > 0


def test_a_blocking_rule_over_its_budget_stops_the_run_and_changes_nothing(index: Index) -> None:
    with pytest.raises(LinkageError, match="blocking rule"):
        index.run(people.make_place(400, seed=4).rows, most_pairs_a_record=0.001)
    assert index.ask("select count(*) from record") == [(0,)]
    assert not index.person_record.exists()


def test_a_registry_cut_short_is_refused_and_the_last_good_one_named(index: Index) -> None:
    index.run(people.frame([gp(A, NUMBERS[0])]))
    index.run(people.frame([vcs(B)]))
    os.truncate(index.registry, index.registry.stat().st_size // 3)
    with pytest.raises(RegistryError, match=previous_copy(index.registry).name):
        index.run()


def test_a_changed_key_is_refused(index: Index) -> None:
    rows = people.make_place(100, seed=2).rows
    index.run(rows)
    for path in index.identity.glob("*/*/*.parquet"):
        path.unlink()
    renamed = rows.with_columns(record_token=pl.Series([people.token(10_000 + i) for i in range(len(rows))]))
    with pytest.raises(RegistryError, match="key"):
        index.run(renamed)


def test_identity_files_of_another_shape_are_refused(index: Index) -> None:
    path = index.identity / "gp_emis" / "admin_patient" / "00000001.parquet"
    path.parent.mkdir(parents=True)
    pl.DataFrame({"record_token": [A], "surname": ["x"]}).write_parquet(path)
    with pytest.raises(LinkageError, match="fixed shape"):
        index.run()


# --- artefacts and boundaries


def test_an_untrained_level_is_an_error(parameters: Parameters, tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    weights = {**parameters.weights, "sex": {"same": (0.99, 0.5)}}
    with pytest.raises(ParametersError, match="untrained"):
        replace(parameters, weights=weights)
    write_parameters(parameters, path)
    assert read_parameters(path) == parameters
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ParametersError, match="not a trained linkage model"):
        read_parameters(path)


def test_the_committed_model_is_complete_and_has_its_card() -> None:
    model = Path(linkage.__file__).parent / "models" / "parameters.json"
    card = model.with_suffix(".md").read_text(encoding="utf-8")
    parameters = read_parameters(model)
    assert parameters.version in card
    assert all(parameters.weights[c]["exact"][0] > parameters.weights[c]["exact"][1] for c in ("nhs_number", "given_name"))


def test_a_prior_of_nought_is_an_error(parameters: Parameters) -> None:
    with pytest.raises(ParametersError, match="prior"):
        replace(parameters, matches_per_record=0.0)


def test_empty_outputs_can_be_read_before_the_first_link(tmp_path: Path) -> None:
    ensure_empty_outputs(tmp_path)
    for table, columns in OUTPUT_COLUMNS.items():
        frame = pl.read_parquet(tmp_path / table / "00000000.parquet")
        assert frame.is_empty()
        assert frame.columns == list(columns)


def test_truth_is_joined_to_tokens(tmp_path: Path) -> None:
    pl.DataFrame({"source": ["gp_emis"], "local_id": ["1|2"], "person_no": [7]}).write_parquet(tmp_path / "truth.parquet")
    ids = {"record_token": [A, B], "source": ["gp_emis", "housing"], "local_id": ["1|2", "1|2"]}
    pl.DataFrame(ids).write_parquet(tmp_path / "ids.parquet")
    truth_by_token(tmp_path / "truth.parquet", [tmp_path / "ids.parquet"], tmp_path / "out.parquet")
    assert pl.read_parquet(tmp_path / "out.parquet").rows() == [(A, 7)]


def test_linkage_stands_alone() -> None:
    code = (
        "import sys, linkage.link, linkage.train, linkage.evaluate, linkage.verify;"
        "bad = [m for m in ('dagster', 'orchestration', 'expectations', 'pandas') if m in sys.modules];"
        "sys.exit(', '.join(bad) or None)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
