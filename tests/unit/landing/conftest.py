"""Fixtures of the landing tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from landing_place import Ledger, Limits, Place, Zones, people, write_contract


@pytest.fixture
def make_place(tmp_path: Path) -> Callable[..., Place]:
    """Make a source with these tables; options are terms of the source."""

    def make(*tables: dict[str, Any], **terms: Any) -> Place:
        root = tmp_path / f"place{len(list(tmp_path.iterdir()))}"
        root.mkdir()
        source = write_contract(root / "_clinic__sources.yml", list(tables) or [people()], **terms)
        zones = Zones.below(root / "data")
        limits = Limits("512MB", 2, "1GB", root / "scratch")
        return Place(root, source, Ledger(root / "ledger.sqlite"), zones, limits)

    return make


@pytest.fixture
def place(make_place: Callable[..., Place]) -> Place:
    """A source with one table of people."""
    return make_place()
