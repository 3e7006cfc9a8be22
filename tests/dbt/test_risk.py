"""The risk model in SQL: what a later day may not change, the probability, and the reasons in words."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from uuid import UUID

import duckdb
import numpy as np
import pytest
from dbt_warehouse import AS_OF, Warehouse
from raw_zone import PROJECT

from orchestration.stratification.model import (
    CalibrationRow,
    Figures,
    Interval,
    Population,
    RiskModel,
    Weight,
    read_model,
    write_model,
)
from orchestration.stratification.tables import write_tables

DAY = date.fromisoformat(AS_OF)
LATER = DAY + timedelta(days=1)
LONG_AGO = date(2024, 6, 1)
HYPERTENSION, DIABETES, RESOLVED_DIABETES = "59621000", "44054006", "315051004"
A_MEDICINE = "4"

#: Alike up to the day; the second has a later history as well, and the third has that history on the day itself.
BEFORE, WITH_LATER, WITH_TODAY = UUID(int=1), UUID(int=2), UUID(int=3)
NOBODY = UUID(int=4)


def _statement(person: UUID, n: int, code: str, day: date, recorded_on: date | None = None) -> tuple:
    return (f"{person}|{n}", "gp_emis", person, day, "YMD", "snomed", code, None, "gp", recorded_on, 1, False)


def _contact(person: UUID, n: int, setting: str, kind: str, day: date, is_emergency: bool) -> tuple:
    at = datetime.combine(day, datetime.min.time())
    return (f"{person}|{n}", "acute_sus", person, setting, kind, at, is_emergency, True, 1, False)


def _issue(person: UUID, n: int, code: str, day: date, recorded_on: date | None = None) -> tuple:
    return (f"{person}|{n}", "gp_emis", person, day, "dmd", code, recorded_on, 1, False)


def _history(person: UUID) -> dict[str, list[tuple]]:
    """What everybody has: diabetes, two emergency admissions in the last year, one medicine."""
    return {
        "condition_event": [_statement(person, 1, DIABETES, LONG_AGO)],
        "encounter": [
            _contact(person, 1, "inpatient", "emergency", date(2024, 9, 1), True),
            _contact(person, 2, "inpatient", "emergency", date(2025, 1, 5), True),
            _contact(person, 3, "inpatient", "emergency", date(2025, 1, 5), True),
            _contact(person, 4, "emergency_department", "major", date(2023, 12, 1), True),
        ],
        "medication": [_issue(person, 1, A_MEDICINE, date(2025, 2, 1))],
        "housing_status": [],
    }


def _more(person: UUID, day: date) -> dict[str, list[tuple]]:
    """More of everything on `day`, and what was recorded on `day` of a time long before it."""
    return {
        "condition_event": [
            _statement(person, 11, HYPERTENSION, day),
            _statement(person, 12, "195967001", LONG_AGO, recorded_on=day),
            _statement(person, 13, RESOLVED_DIABETES, date(2024, 12, 1), recorded_on=day),
        ],
        "encounter": [
            _contact(person, 11, "inpatient", "emergency", day, True),
            _contact(person, 12, "emergency_department", "major", day, True),
            _contact(person, 13, "outpatient", "first", day, False),
        ],
        "medication": [_issue(person, 11, "5", day), _issue(person, 12, "6", date(2025, 3, 1), recorded_on=day)],
        "housing_status": [(f"{person}|11", "housing", person, "homelessness_main", day, None, True, 1, False)],
    }


COLUMNS = {
    "condition_event": "event_key, source, record_token, event_date, date_precision, code_system, code, position, setting, "
    "recorded_on, _changed_seq, is_deleted",
    "encounter": "event_key, source, record_token, setting, encounter_type, started_at, is_emergency, is_attended, _changed_seq, "
    "is_deleted",
    "medication": "event_key, source, record_token, issued_on, code_system, code, recorded_on, _changed_seq, is_deleted",
    "housing_status": "event_key, source, record_token, status, started_on, ended_on, is_homeless, _changed_seq, is_deleted",
}


def _model() -> RiskModel:
    """A model with coefficients as training leaves them, over all terms of the seed."""
    chance = np.random.default_rng(11)
    with duckdb.connect() as connection:
        terms = connection.execute(f"select * from read_csv('{PROJECT}/seeds/rules/risk_term.csv') order by term_code").fetchall()
    coefficients = dict(zip((t[0] for t in terms), np.round(chance.normal(scale=0.4, size=len(terms)), 9), strict=True))
    coefficients |= {"n_emergency_admissions_12m_0_to_1": 0.7, "n_emergency_admissions_12m_1_to_4": 1.2, "has_diabetes": 0.35}
    weights = tuple(Weight(*term, float(coefficients[term[0]]), 0.1, (0.9, 0.1)) for term in terms)
    some = Interval(0.7, 0.6, 0.8)
    return RiskModel(
        score_code="local_emergency_admission_12m",
        version="2025.1",
        trained_on="nobody",
        intercept=-2.123456789,
        weights=weights,
        population=Population("2024-04-10", "2025-04-10", 1000, 200, 10, None, 700, 300, 60),
        figures=Figures(some, some, some, 0.1, 0.2, 0.2, 0.2),
        calibration=(CalibrationRow("all", "All", None, 300, 60, 0.2, 0.2, 0.16, 0.25),),
        score_distribution=(1.0,),
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> RiskModel:
    path = tmp_path_factory.mktemp("model") / "2025.1.json"
    write_model(_model(), path)
    return read_model(path)


@pytest.fixture(scope="module")
def scored(warehouse, states, model, tmp_path_factory) -> Warehouse:
    """The tiny place's events replaced by those of three people who were alike, and one without any; a model in use."""
    copy = warehouse.copy(tmp_path_factory.mktemp("risk"))
    # the parsed project knows where the first warehouse's raw tables are
    raw_dir = warehouse.data_dir / "raw" / "stratification"
    write_tables([model], model.version, raw_dir)
    histories = [_history(BEFORE), _history(WITH_LATER), _history(WITH_TODAY), _more(WITH_LATER, LATER), _more(WITH_TODAY, DAY)]
    with duckdb.connect(str(copy.data_dir / "warehouse" / "build.duckdb")) as connection:
        for table, columns in COLUMNS.items():
            connection.execute(f"delete from core.{table}")
            rows = [row for history in histories for row in history[table]]
            places = ", ".join("?" * len(rows[0]))
            connection.executemany(f"insert into core.{table} ({columns}) values ({places})", rows)
        for table in ("person_record", "person", "care_package", "person_address"):
            connection.execute(f"delete from core.{table}")
        for person in (BEFORE, WITH_LATER, WITH_TODAY, NOBODY):
            connection.execute("insert into core.person_record (record_token, person_id, source) values ($1, $1, 'x')", [person])
            connection.execute(
                "insert into core.person (person_id, birth_month, age_years, sex, imd_decile, is_no_fixed_abode, "
                "is_minority_ethnic, is_alive, is_registered) values ($1, '1940-01-01', 85, 'F', 3, false, false, true, $2)",
                [person, person != NOBODY],
            )
    try:
        copy.invoke(
            "run", "--select", "condition_evidence", "condition_period", "person_condition", "medicine_count", "risk_feature",
            "risk_term_value", "risk_score", "score",
        )  # fmt: skip
        yield copy
    finally:
        for path in raw_dir.glob("*/00000001.parquet"):
            path.unlink()


def _features(scored: Warehouse, person: UUID) -> dict[str, object]:
    with duckdb.connect(str(scored.data_dir / "warehouse" / "build.duckdb")) as connection:
        rows = connection.execute("select * exclude (person_id) from scores.risk_feature where person_id = $1", [person])
        names = [column[0] for column in rows.description]
        return dict(zip(names, rows.fetchone(), strict=True))


def test_what_happens_or_is_recorded_later_changes_no_feature(scored):
    before, today = _features(scored, BEFORE), _features(scored, WITH_TODAY)
    assert _features(scored, WITH_LATER) == before
    assert before["has_diabetes"]
    assert before["n_emergency_admissions_12m"] == 2, "two spells that begin on one day are one admission"
    changed = {name for name in before if today[name] != before[name]}
    assert changed == {
        "has_diabetes",
        "has_hypertension",
        "n_emergency_admissions_12m",
        "n_emergency_attendances_12m",
        "n_outpatient_attendances_12m",
        "n_medicines",
        "is_homeless",
    }


def test_the_probability_is_the_one_of_the_trained_model(scored, model):
    rows = scored.query("select person_id, term_code, value from scores.risk_term_value")
    places = {weight.code: n for n, weight in enumerate(model.weights)}
    people = sorted({row[0] for row in rows})
    values = np.zeros((len(people), len(places)))
    for person, term, value in rows:
        values[people.index(person), places[term]] = value
    expected = dict(zip(people, model.probability(values), strict=True))
    found = dict(scored.query("select person_id, value from scores.risk_score where value is not null"))
    assert found == pytest.approx(expected, abs=1e-12)
    assert len(set(found.values())) == 2


def test_reasons_are_words_and_the_leading_ones(scored):
    ((text,),) = scored.query(f"select components from scores.risk_score where person_id = '{BEFORE}'")
    reasons = json.loads(text)
    words = [reason["name"] for reason in reasons]
    assert "two emergency admissions in the last year" in words
    points = [reason["points"] for reason in reasons]
    assert points == sorted(points, reverse=True)
    assert min(points) >= 0.05
    assert len(reasons) <= 5
    by_component = {reason["component"]: reason["points"] for reason in reasons}
    # 0.7 and a third of 1.2, less what the average has: 0.1 of either
    assert by_component["n_emergency_admissions_12m"] == pytest.approx(0.7 + 1.2 / 3 - 0.07 - 0.12, abs=1e-3)


def test_who_is_not_registered_has_no_probability(scored):
    rows = scored.query(f"select value, components, is_within_limits from scores.risk_score where person_id = '{NOBODY}'")
    assert rows == [(None, None, False)]


def test_without_a_model_there_is_no_score_and_the_definition_says_so(states, scored):
    nightly, _ = states
    assert nightly["scores.risk_score"] == []
    assert not any("local_emergency_admission_12m" in row for row in nightly["scores.person_score"])
    (definition,) = [row for row in nightly["scores.score"] if "local_emergency_admission_12m" in row]
    assert any(str(value).startswith("Not computed: no trained model is in use here") for value in definition)
    ((version, limits),) = scored.query("select version, limits from scores.score where code = 'local_emergency_admission_12m'")
    assert version == "2025.1"
    assert limits.startswith("Holds for people alive and registered")
