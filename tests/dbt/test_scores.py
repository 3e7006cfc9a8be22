"""The hospital scores against a second implementation in plain Python, over thousands of random diagnosis histories."""

from __future__ import annotations

import csv
import random
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import duckdb
import pytest
from dbt_warehouse import AS_OF
from raw_zone import PROJECT

PEOPLE = 3_000
SET_OF = {
    "hospital_frailty_risk": "hospital_frailty",
    "charlson_1987": "charlson",
    "charlson_1987_hierarchy": "charlson",
    "charlson_2011": "charlson",
    "charlson_2011_hierarchy": "charlson",
    "elixhauser_van_walraven": "elixhauser",
    "elixhauser_van_walraven_hierarchy": "elixhauser",
}
#: First day that counts: two years for frailty, five for comorbidity, the run's date included.
FIRST_DAY = {"hospital_frailty": date(2023, 4, 11), "charlson": date(2020, 4, 11), "elixhauser": date(2020, 4, 11)}


def _seed(path: str) -> list[dict[str, str]]:
    with (PROJECT / "seeds" / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def prefixes() -> dict[tuple[str, str], tuple[str, ...]]:
    """Set and component -> ICD-10 prefixes."""
    listed = defaultdict(list)
    for row in _seed("codelists/codelist__icd10_scores.csv"):
        listed[row["codelist_id"]].append(row["code"])
    return {
        (row["component_set"], row["component_code"]): tuple(listed[row["codelist_id"]])
        for row in _seed("rules/score_component.csv")
        if row["component_set"] in FIRST_DAY
    }


@pytest.fixture(scope="module")
def histories(prefixes) -> dict[UUID, list[tuple[str, date]]]:
    """Person -> admissions' codes and days: listed codes with more digits, their neighbours, and codes that no score knows."""
    chance = random.Random(20250410)
    known = [code for codes in prefixes.values() for code in codes]
    last = date.fromisoformat(AS_OF)
    days = [last, last + timedelta(1), *(day + timedelta(n) for day in FIRST_DAY.values() for n in (-1, 0))]

    def code() -> str:
        if chance.random() < 0.2:
            return chance.choice("ABCDEFGHIJKLMNOPQRSTUVXYZ") + f"{chance.randrange(1000):03d}"
        return (chance.choice(known) + chance.choice(["", "", str(chance.randrange(10))]))[:4]

    def day() -> date:
        return chance.choice(days) if chance.random() < 0.3 else last - timedelta(chance.randrange(2_500))

    return {UUID(int=n + 1): [(code(), day()) for _ in range(int(chance.expovariate(0.15)))] for n in range(PEOPLE)}


@pytest.fixture(scope="module")
def scored(warehouse, states, histories, tmp_path_factory) -> dict[str, dict[UUID, float]]:
    """Score -> person -> value, by the models, over the histories in place of the tiny place's events."""
    copy = warehouse.copy(tmp_path_factory.mktemp("scores"))
    events = [
        (f"{person}|{n}", "acute_sus", person, day, "YMD", "icd10", code, "secondary", "inpatient", 1, False)
        for person, codes in histories.items()
        for n, (code, day) in enumerate(codes)
    ]
    with duckdb.connect(str(copy.data_dir / "warehouse" / "build.duckdb")) as connection:
        columns = (
            "event_key, source, record_token, event_date, date_precision, code_system, code, position, setting, "
            "_changed_seq, is_deleted"
        )
        connection.execute("delete from core.condition_event; delete from core.person_record; delete from core.person")
        connection.execute(
            f"insert into core.condition_event ({columns}) select " + ", ".join(f"unnest(${i + 1})" for i in range(11)),
            [list(column) for column in zip(*events, strict=True)],
        )
        people = list(histories)
        connection.execute(
            "insert into core.person_record (record_token, person_id, source) select unnest($1), unnest($1), 'acute_sus'",
            [people],
        )
        connection.execute(
            "insert into core.person (person_id, age_years, is_alive, is_registered) select unnest($1), 80, true, true", [people]
        )
    copy.invoke("run", "--select", "score_component_met", "person_score")
    values: dict[str, dict[UUID, float]] = defaultdict(dict)
    for score, person, value in copy.query("select score_code, person_id, value from scores.person_score"):
        values[score][person] = value
    return values


@pytest.mark.parametrize("score", SET_OF)
def test_a_hospital_score_is_the_sum_of_the_weights_of_the_groups_found(scored, histories, prefixes, score):
    component_set = SET_OF[score]
    weight = {
        row["component_code"]: Decimal(row["weight"]) for row in _seed("rules/score_weight.csv") if row["score_code"] == score
    }
    severer = {
        row["component_code"]: row["superseded_by"]
        for row in _seed("rules/score_component.csv")
        if row["component_set"] == component_set and score.endswith("_hierarchy")
    }
    expected = {}
    for person, history in histories.items():
        codes = {code for code, day in history if FIRST_DAY[component_set] <= day <= date.fromisoformat(AS_OF)}
        found = {
            component
            for (its_set, component), starts in prefixes.items()
            if its_set == component_set and any(code.startswith(starts) for code in codes)
        }
        expected[person] = float(sum(weight[c] for c in found if severer.get(c) not in found))
    assert scored[score] == pytest.approx(expected, abs=1e-9)
    assert len(set(expected.values())) > 10


def test_the_published_tables_are_whole():
    """109 codes and 173.2 points of frailty; 33 and 28 points of comorbidity; 20 conditions of 16.33 points; 36 deficits."""
    total = defaultdict(Decimal)
    count = defaultdict(int)
    for row in _seed("rules/score_weight.csv"):
        total[row["score_code"]] += Decimal(row["weight"])
        count[row["score_code"]] += 1
    assert (count["hospital_frailty_risk"], total["hospital_frailty_risk"]) == (109, Decimal("173.2"))
    assert (count["charlson_1987"], total["charlson_1987"], total["charlson_2011"]) == (17, 33, 28)
    assert (count["cambridge_general"], total["cambridge_general"]) == (20, Decimal("16.33"))
    assert count["electronic_frailty_index"] == 36
    assert count["elixhauser_van_walraven"] == 31
