"""Registers and case finding of the small place against what is true of its people."""

from __future__ import annotations

import datetime as dt

import pytest
from small_place import DELTA

from orchestration.register_evaluation import evaluate_registers
from orchestration.settings import Settings


@pytest.fixture(scope="module")
def judged(loaded):
    settings = Settings(data_dir=loaded.data_dir)
    found = evaluate_registers(settings, settings.truth_dir, dt.date.fromisoformat(DELTA))
    return {line.condition: line for line in found}


def together(agreements):
    """Recall and precision over several conditions: each alone has few people in a small place."""
    agreements = list(agreements)
    sought, named = sum(a.n_sought for a in agreements), sum(a.n_found for a in agreements)
    return sum(a.n_sought_found for a in agreements) / sought, sum(a.n_found_affected for a in agreements) / named


def test_registers_hold_the_people_whom_a_practice_has_coded(judged):
    recall, precision = together(
        judged[name].register
        for name in ("hypertension", "diabetes", "chronic_kidney_disease", "atrial_fibrillation", "heart_failure", "stroke_tia")
    )
    assert recall >= 0.95
    assert precision >= 0.98


def test_case_finding_names_the_undiagnosed_and_hardly_anybody_else(judged):
    planted = [judged[name] for name in ("hypertension", "diabetes", "chronic_kidney_disease", "atrial_fibrillation")]
    assert sum(line.case_finding.n_sought for line in planted) >= 15
    recall, precision = together(line.case_finding for line in planted)
    assert recall >= 0.85
    assert precision >= 0.85


def test_a_condition_that_no_rule_looks_for_has_no_case_finding(judged):
    assert judged["osteoarthritis"].case_finding is None


def test_every_gap_says_why_and_since_when(loaded):
    ((n_gaps, n_explained, n_future),) = loaded.query(f"""
        select count(*), count(*) filter (json_array_length(evidence) > 0), count(*) filter (since_date > date '{DELTA}')
        from marts.person_care_gap""")
    assert n_gaps == n_explained > 100
    assert n_future == 0


def test_practices_are_expected_to_have_what_the_place_has(loaded):
    """Indirect standardisation hands the place's cases out to its practices: together they are expected to have them all."""
    rows = loaded.query("""
        select condition_code, sum(n_on_register), sum(n_expected), sum(n_on_register + n_probable), sum(n_expected_with_probable)
        from marts.practice_prevalence
        group by condition_code having sum(n_on_register) > 0""")
    assert len(rows) > 10
    for _, seen, expected, affected, affected_expected in rows:
        assert expected == pytest.approx(seen, abs=1e-6)
        assert affected_expected == (None if affected is None else pytest.approx(affected, abs=1e-6))


def test_the_command_prints_a_line_a_condition_and_refuses_half_a_truth(loaded, tmp_path):
    told = loaded.phm("registers", "evaluate", "--truth", str(loaded.data_dir / "truth"))
    assert told.returncode == 0, told.stderr
    assert "atrial_fibrillation" in told.stdout
    refused = loaded.phm("registers", "evaluate", "--truth", str(tmp_path))
    assert refused.returncode == 2
    assert "conditions.parquet" in refused.stderr
