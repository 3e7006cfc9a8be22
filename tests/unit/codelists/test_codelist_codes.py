"""A wrong code never becomes a code: one that finds nobody looks like a list that finds nobody."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.codelists.codes import normal_code, passes_verhoeff
from orchestration.settings import PROJECT_DIR

SHIPPED = sorted((PROJECT_DIR / "dbt_project" / "seeds" / "codelists").glob("codelist__*.csv"))


def shipped(system: str) -> list[str]:
    rows = [row for path in SHIPPED for row in csv.DictReader(path.open(encoding="utf-8"))]
    return [row["code"] for row in rows if row["system"] == system]


def concept(item: str) -> str:
    """The concept id of an item identifier: a partition, and the one digit that checks it."""
    return next(f"{item}00{n}" for n in range(10) if passes_verhoeff(f"{item}00{n}"))


concepts = st.integers(1_000, 10**14).map(lambda n: concept(str(n)))


@pytest.mark.parametrize("system", ["snomed", "icd10"])
def test_every_shipped_code_is_one(system):
    codes = shipped(system)
    assert len(codes) > 100
    assert [normal_code(system, code) for code in codes] == codes


@given(concepts, st.data())
def test_one_wrong_digit_is_always_found(code, data):
    place = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from(sorted(set("0123456789") - {code[place]})))
    with pytest.raises(ValueError, match=r"SNOMED CT|concept|spreadsheet"):
        normal_code("snomed", code[:place] + other + code[place + 1 :])


@given(concepts, st.data())
def test_two_neighbours_exchanged_are_always_found(code, data):
    place = data.draw(st.integers(0, len(code) - 2))
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    if swapped != code:
        with pytest.raises(ValueError, match=r"SNOMED CT|concept|spreadsheet"):
            normal_code("snomed", swapped)


@pytest.mark.parametrize(
    ("system", "text", "told"),
    [
        ("snomed", "1.23E+15", "lost its digits to a spreadsheet"),
        ("snomed", "8.4693E14", "lost its digits to a spreadsheet"),
        ("snomed", "44054006.0", "made a number by a spreadsheet"),
        ("snomed", "1011481000000100", "was rounded by a spreadsheet"),
        ("snomed", "44054007", "check digit"),
        ("snomed", "73211010", "check digit"),
        ("snomed", "C10E.", "no SNOMED CT code"),
        ("snomed", "", "no SNOMED CT code"),
        ("snomed", "٤٤٠٥٤٠٠٦", "no SNOMED CT code"),
        ("dmd", "0403021", r"no dm\+d code"),
        ("icd10", "I20-I25", "is a range"),
        ("icd10", "E1", "no ICD-10 code"),
        ("icd10", "44054006", "no ICD-10 code"),
    ],
)
def test_what_is_wrong_is_said(system, text, told):
    with pytest.raises(ValueError, match=told):
        normal_code(system, text)


def test_the_id_of_a_description_is_told_from_a_concept():
    description = next(f"12345601{n}" for n in range(10) if passes_verhoeff(f"12345601{n}"))
    with pytest.raises(ValueError, match="id of a description"):
        normal_code("snomed", description)


@pytest.mark.parametrize(
    ("text", "code"),
    [("E11.9", "E119"), ("e119", "E119"), (" I10 ", "I10"), ("I10X", "I10"), ("I10.X", "I10"), ("E11.2D", "E112"),
     ("G59.0*", "G590"), ("M45.X0", "M45X0"), ("M06.90", "M0690")],
)  # fmt: skip
def test_icd10_is_written_as_events_are(text, code):
    assert normal_code("icd10", text) == code
