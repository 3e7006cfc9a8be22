"""Dirt: as much as the profile says, where it says, and nothing else."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from synthetic import dirt
from synthetic.nhs_numbers import is_valid, nhs_numbers
from synthetic.world_schema import Delivery

N = 20_000
CLEAN = pl.DataFrame(
    {
        "person_no": np.arange(N),
        "nhs_number": nhs_numbers(np.arange(N), 1),
        "title": ["Mr"] * N,
        "given_name": ["William", "Mohammed"] * (N // 2),
        "middle_names": ["Ann"] * N,
        "family_name": ["Thompson"] * N,
        "previous_family_name": ["Okafor"] * N,
        "birth_date": [date(1980, 3, 7)] * N,
        "sex": ["M"] * N,
        "postcode": ["ZX1 1AA"] * N,
    }
)


def dirty(**rates):
    return dirt.identity(CLEAN, dirt.Profile(**rates), np.random.default_rng(3))


def test_a_clean_profile_changes_nothing():
    assert dirty().equals(CLEAN)


@pytest.mark.parametrize(
    ("kind", "column", "expected"),
    [
        ("missing_nhs_number", "nhs_number", None),
        ("placeholder_nhs_number", "nhs_number", "0000000000"),
        ("zz99_postcode", "postcode", "ZZ99 3WZ"),
        ("unspaced_postcode", "postcode", "ZX11AA"),
        ("missing_postcode", "postcode", None),
        ("swap_day_month", "birth_date", date(1980, 7, 3)),
        ("truncated_birth_date", "birth_date", date(1980, 1, 1)),
        ("sentinel_birth_date", "birth_date", date(1900, 1, 1)),
        ("missing_birth_date", "birth_date", None),
        ("previous_name", "family_name", "Okafor"),
        ("double_barrelled", "family_name", "Okafor-Thompson"),
        ("swap_names", "given_name", "Thompson"),
        ("drop_middle", "middle_names", None),
        ("missing_sex", "sex", None),
        ("transliteration", "family_name", "Thomson"),
        ("upper_case", "family_name", "THOMPSON"),
        ("missing_given", "given_name", None),
    ],
)
def test_each_kind_happens_at_its_rate_and_does_what_it_says(kind, column, expected):
    after = dirty(**{kind: 0.1})
    hit = after.filter(pl.col(column).eq_missing(pl.lit(expected)))
    assert 0.085 < hit.height / N < 0.115
    others = [c for c in CLEAN.columns if c not in {column, "given_name", "family_name"}]
    assert after.select(others).equals(CLEAN.select(others))


@pytest.mark.parametrize(
    ("kind", "column"), [("typo_given", "given_name"), ("typo_family", "family_name"), ("typo_postcode", "postcode")]
)
def test_typing_errors_change_one_letter_or_two(kind, column):
    changed = dirty(**{kind: 0.2}).filter(pl.col(column) != CLEAN[column])
    assert changed.height > N * 0.13
    before = CLEAN[column].gather(changed["person_no"])
    lengths = changed[column].str.len_chars().cast(pl.Int64) - before.str.len_chars().cast(pl.Int64)
    assert set(lengths) <= {-1, 0, 1}
    assert (changed[column].str.slice(0, 1) == before.str.slice(0, 1)).all()


def test_nicknames_are_nicknames():
    assert set(dirty(nickname=1.0)["given_name"]) <= {"Bill", "Will", "Billy", "Mo"}


def test_wrong_numbers_mostly_fail_the_check_and_shared_ones_are_another_persons():
    wrong = dirty(wrong_nhs_number=1.0)
    assert (wrong["nhs_number"] != CLEAN["nhs_number"]).all()
    assert wrong["nhs_number"].str.len_chars().unique().to_list() == [10]
    assert not wrong.select(is_valid(pl.col("nhs_number")).any()).item()
    shared = dirty(shared_nhs_number=0.01).filter(pl.col("nhs_number").is_duplicated())
    assert 250 < shared.height < 600


def test_bad_rows_are_spoilt_and_reported():
    frame = pl.DataFrame({"id": [str(i) for i in range(5000)], "on": ["2025-01-01"] * 5000, "size": ["3"] * 5000})
    delivery = Delivery(0, date(2026, 3, 31), None)
    kinds = {"on": "31 February", "size": "letters in a number", "id": "blank"}
    spoilt, faults = dirt.bad_rows(
        frame, 0.02, np.random.default_rng(1), kinds, delivery=delivery, source="s", file="f.csv", identity="id"
    )
    assert 60 < len(faults) < 140
    changed = (spoilt["on"] != frame["on"]) | (spoilt["size"] != frame["size"]) | (spoilt["id"] != frame["id"])
    assert set(frame.filter(changed)["id"]) == {f.row_identity for f in faults}
    assert set(spoilt["on"]) == {"2025-01-01", "2025-02-31"}
    assert "" in set(spoilt["id"])
