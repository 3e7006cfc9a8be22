"""Open data over time and across tables: an attacker who reads every release recovers nothing; without the ledger, something."""

from __future__ import annotations

import datetime as dt
import shutil

import polars as pl
import pytest
from attacker import Attacker, recovered

from orchestration.publishing.disclosure import DisclosureError, Policy
from orchestration.publishing.disclosure_ledger import DisclosureLedger
from orchestration.publishing.open_data import Measure, OpenTable, Ratio, control

HES = Policy("hes_style", hidden_from=1, hidden_to=7, round_base=5, has_secondary=True, protected_values=5, min_denominator=20)
MARCH, APRIL = dt.date(2026, 3, 31), dt.date(2026, 4, 30)

BY_PLACE = OpenTable("agg_people", (), (Measure("n_people", "registered"),))
BY_SEX = OpenTable("agg_sex", ("sex",), (Measure("n_people", "registered", over=("sex",)),))
REGISTER = OpenTable(
    "agg_register",
    ("condition",),
    (Measure("n_patients", "on_register", over=("condition",), part_of="n_registered"), Measure("n_registered", "registered")),
    (Ratio("percent", "n_patients", "n_registered", per=100),),
)


def by_place(month, **places):
    """True counts of people by place, with the total."""
    rows = [(month, "all", "all", None, sum(places.values()))]
    rows += [(month, "place", place, "all", n) for place, n in places.items()]
    return frame(rows, ["n_people"])


def by_sex(month, **places):
    """The same by sex: each place is a pair, female and male."""
    pairs = {"all": tuple(map(sum, zip(*places.values(), strict=True))), **places}
    rows = []
    for place, (f, m) in pairs.items():
        area = ("all", "all", None) if place == "all" else ("place", place, "all")
        rows += [(month, *area, sex, n) for sex, n in (("F", f), ("M", m), ("all", f + m))]
    return frame(rows, ["n_people"], "sex")


def frame(rows, measures, *dimensions):
    table = pl.DataFrame(
        rows, schema=["month_end", "area_type", "area_code", "parent_area_code", *dimensions, *measures], orient="row",
        schema_overrides={"parent_area_code": pl.String},
    )  # fmt: skip
    return table.with_columns(pl.lit(None, dtype=pl.Boolean).alias(f"is_{name}_hidden") for name in measures)


@pytest.fixture
def publish(tmp_path):
    """Publish a release of some tables; `has_ledger=False` forgets what was published before."""

    def publish(release_id, tables, specifications=(BY_PLACE,), *, has_ledger=True):
        if not has_ledger:
            shutil.rmtree(tmp_path / "ledger", ignore_errors=True)
        ledger = DisclosureLedger(tmp_path / "ledger")
        made = control(tables, HES, ledger, release_id, specifications)
        ledger.keep(release_id)
        return made

    publish.folder = tmp_path / "ledger"
    return publish


def figures(table, month=None, **where):
    """Figures by area; None is hidden."""
    rows = table.filter(*[pl.col(name) == value for name, value in where.items()])
    rows = rows.filter(pl.col("month_end") == month) if month else rows
    return dict(rows.select("area_code", "n_people").iter_rows())


def read_releases(*releases, unchanged=()):
    """An attacker over several releases of one table by place, who knows which counts did not change."""
    attacker = Attacker()
    for number, shown in enumerate(releases):
        names = {area: area if area in unchanged else (number, area) for area in shown}
        for area, figure in shown.items():
            attacker.read(names[area], figure)
        attacker.add_up(names["all"], [name for area, name in names.items() if area != "all"])
    return attacker


def test_one_person_leaving_between_two_releases_gives_nothing_away(publish):
    """A loses a person, from 6 to 5, and B, shown in the second release alone, would give the 6 away."""
    first = publish("one", {"agg_people": by_place(MARCH, A=6, B=12)})["agg_people"]
    second = publish("two", {"agg_people": by_place(MARCH, A=5, B=12)})["agg_people"]
    attacker = read_releases(figures(first), figures(second), unchanged=["B"])
    assert recovered(attacker, {(0, "A"): 6, (1, "A"): 5}, [(0, "A"), (1, "A")], needed=5) == []


def test_without_the_ledger_it_does(publish):
    first = publish("one", {"agg_people": by_place(MARCH, A=6, B=12)})["agg_people"]
    second = publish("two", {"agg_people": by_place(MARCH, A=5, B=12)}, has_ledger=False)["agg_people"]
    attacker = read_releases(figures(first), figures(second), unchanged=["B"])
    assert recovered(attacker, {(0, "A"): 6, (1, "A"): 5}, [(0, "A"), (1, "A")], needed=5) == [(0, "A")]
    assert list(set(attacker.values((0, "A"))) & set(range(1, 8))) == [6, 7]


@pytest.mark.parametrize(
    "april", [{"A": 5, "B": 12}, {"A": 6, "B": 12}, {"A": 6, "B": 12, "C": 30}, {"A": 3, "B": 12}, {"A": 7, "B": 13}]
)
def test_what_stands_still_from_month_to_month_gives_nothing_away(publish, april):
    march = {"A": 6, "B": 12} | ({"C": 25} if "C" in april else {})
    first = publish("one", {"agg_people": by_place(MARCH, **march)})["agg_people"]
    both = pl.concat([by_place(MARCH, **march), by_place(APRIL, **april)])
    second = publish("two", {"agg_people": both})["agg_people"]
    assert figures(second, MARCH) == figures(first)
    unchanged = [area for area in march if march[area] == april[area]]
    attacker = read_releases(figures(first), figures(second, APRIL), unchanged=unchanged)
    truth = {}
    for number, counts in enumerate((march, april)):
        truth |= {area if area in unchanged else (number, area): n for area, n in counts.items()}
    assert recovered(attacker, truth, [name for name in truth if "A" in name], needed=5) == []


def test_a_month_is_published_once(publish):
    tables = {"agg_people": by_place(MARCH, A=6, B=12, C=40)}
    first = publish("one", tables)
    files = sorted(publish.folder.rglob("*.parquet"))
    again = publish("two", {"agg_people": by_place(MARCH, A=19, B=2, C=44, D=9)})
    assert again["agg_people"].equals(first["agg_people"])
    assert sorted(publish.folder.rglob("*.parquet")) == files


def test_a_month_stays_after_its_release_and_the_build_have_forgotten_it(publish):
    publish("one", {"agg_people": by_place(MARCH, A=6, B=12, C=40)})
    later = publish("two", {"agg_people": by_place(APRIL, A=20, B=31, C=40)})["agg_people"]
    assert set(later["month_end"]) == {MARCH, APRIL}


def test_tables_that_count_the_same_people_are_one_system(publish):
    """Two places, of which the table by sex would tell the smaller: its total is hidden there because it is hidden here."""
    true = {"agg_people": by_place(MARCH, A=7, B=12), "agg_sex": by_sex(MARCH, A=(3, 4), B=(12, 0))}
    made = publish("one", true, (BY_PLACE, BY_SEX))
    assert figures(made["agg_people"]) == figures(made["agg_sex"], sex="all")
    attacker = Attacker()
    for area, sex, figure in made["agg_sex"].select("area_code", "sex", "n_people").iter_rows():
        attacker.read((area, sex), figure)
    for area in ("all", "A", "B"):
        attacker.add_up((area, "all"), [(area, "F"), (area, "M")])
    for sex in ("F", "M", "all"):
        attacker.add_up(("all", sex), [("A", sex), ("B", sex)])
    truth = {(a, s): n for a, s, n in true["agg_sex"].select("area_code", "sex", "n_people").iter_rows()}
    hidden = [(a, s) for a, s, n in made["agg_sex"].select("area_code", "sex", "n_people").iter_rows() if n is None]
    assert recovered(attacker, truth, hidden, needed=5) == []


def test_a_total_that_two_tables_count_differently_is_refused(publish):
    with pytest.raises(DisclosureError, match="differ from table to table"):
        publish(
            "one",
            {"agg_people": by_place(MARCH, A=30, B=12), "agg_sex": by_sex(MARCH, A=(15, 16), B=(12, 0))},
            (BY_PLACE, BY_SEX),
        )


def test_the_few_whom_a_part_leaves_over_are_protected_too(publish):
    """All but two of the list have the condition: the difference of two shown figures would say so."""
    rows = [
        (MARCH, "all", "all", None, "x", 63, 100), (MARCH, "place", "A", "all", "x", 53, 55),
        (MARCH, "place", "B", "all", "x", 10, 45),
    ]  # fmt: skip
    table = frame(rows, ["n_patients", "n_registered"], "condition")
    made = publish("one", {"agg_register": table}, (REGISTER,))["agg_register"].filter(area_code="A")
    attacker = Attacker()
    attacker.read("patients", made["n_patients"][0])
    attacker.read("list", made["n_registered"][0])
    attacker.read("rest", None)
    attacker.add_up("list", ["patients", "rest"])
    assert recovered(attacker, {"rest": 2}, ["rest"], needed=5) == []


def test_rates_come_from_figures_as_shown_and_never_from_few_people(publish):
    rows = [
        (MARCH, "all", "all", None, "x", 126, 373), (MARCH, "place", "A", "all", "x", 12, 18),
        (MARCH, "place", "B", "all", "x", 4, 42),
        (MARCH, "place", "C", "all", "x", 110, 313),
    ]  # fmt: skip
    table = frame(rows, ["n_patients", "n_registered"], "condition").with_columns(percent=0.0, is_percent_hidden=None)
    made = publish("one", {"agg_register": table}, (REGISTER,))["agg_register"]
    for patients, registered, percent, is_hidden in made.select(
        "n_patients", "n_registered", "percent", "is_percent_hidden"
    ).rows():
        assert is_hidden == (patients is None or registered is None or registered < HES.min_denominator)
        assert percent == (None if is_hidden else round(100 * patients / registered, 1))
    assert made["is_percent_hidden"].sum() >= 1


def test_hidden_is_null_and_flagged_and_nobody_is_zero(publish):
    made = publish("one", {"agg_people": by_place(MARCH, A=6, B=12, C=40, D=0)})["agg_people"]
    assert made.filter(pl.col("is_n_people_hidden") != pl.col("n_people").is_null()).is_empty()
    assert figures(made)["D"] == 0
    assert figures(made)["A"] is None


def test_a_value_that_nobody_has_in_an_area_is_a_row_of_its_own(publish):
    table = by_sex(MARCH, A=(30, 40), B=(25, 0)).filter(pl.col("n_people") > 0)
    made = publish("one", {"agg_sex": table}, (BY_SEX,))["agg_sex"]
    assert figures(made, sex="M") == {"all": 40, "A": 40, "B": 0}


def test_what_a_killed_run_wrote_is_forgotten_unless_its_release_stands(tmp_path):
    ledger = DisclosureLedger(tmp_path / "ledger")
    releases = tmp_path / "releases"
    for release_id in ("stands", "killed"):
        control({"agg_people": by_place(MARCH, A=20, B=12)}, HES, ledger, release_id, (BY_PLACE,))
    assert ledger.published("agg_people") is None
    (releases / "stands").mkdir(parents=True)
    ledger.recover(releases)
    assert set(ledger.published("agg_people")["release_id"]) == {"stands"}
    assert [path.name for path in (tmp_path / "ledger").rglob("*.parquet")] == ["stands.parquet"]


def test_the_ledger_holds_only_what_was_public(publish, tmp_path):
    made = publish("one", {"agg_people": by_place(MARCH, A=6, B=12, C=41)})["agg_people"]
    kept = DisclosureLedger(publish.folder).published("agg_people")
    assert kept.sort("area_type", "area_code").select(made.columns).equals(made.sort("area_type", "area_code"))
