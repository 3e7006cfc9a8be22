"""A group that linkage leaves behind stops the release, by name."""

from __future__ import annotations

import duckdb
import pytest

from expectations import Subject, check
from expectations.linkage_equity import equity_rules


@pytest.fixture
def marts(tmp_path):
    def marts(black: bool):
        path = tmp_path / "marts.parquet"
        duckdb.sql(
            f"""
            select * from (values
                ('ethnic_group', 'Black', 'missed_share', {black}),
                ('ethnic_group', 'White', 'missed_share', false)
            ) as t(characteristic, group_name, measure, is_breach)"""
        ).write_parquet(str(path))
        gaps = [("ethnic_group", "Black", "missed_share")] if black else []
        return check([Subject("linkage_equity", f"select * from read_parquet('{path}')", equity_rules(gaps))])["linkage_equity"]

    return marts


def test_a_gap_beyond_its_limit_is_blocking_and_named(marts):
    broken = [finding for finding in marts(True) if finding.is_blocking]
    assert len(broken) == 2
    assert any("ethnic group 'Black'" in f.rule and "missed share" in f.rule and f.n_failed == 1 for f in broken)


def test_no_gap_blocks_nothing(marts):
    assert not any(finding.is_blocking for finding in marts(False))
