"""Shapes that two packages state each for itself, because neither may import the other."""

from __future__ import annotations

from linkage.standardise import IDENTITY_COLUMNS as READ
from orchestration.landing.door import IDENTITY_COLUMNS as WRITTEN


def test_linkage_reads_the_identity_rows_that_landing_writes():
    assert list(READ.items()) == list(WRITTEN.items())
