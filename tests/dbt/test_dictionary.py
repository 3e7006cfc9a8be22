"""The dictionary in docs/ is the one that the models and contracts give."""

from __future__ import annotations

import json

import pytest
from raw_zone import PROJECT

from orchestration.landing.contract import read_contracts
from orchestration.publishing.dictionary import render_dictionary

DICTIONARY = PROJECT.parent / "docs" / "dictionary.md"


@pytest.fixture(scope="module")
def rendered(warehouse) -> str:
    manifest = json.loads((warehouse.data_dir / "target" / "manifest.json").read_text(encoding="utf-8"))
    return render_dictionary(manifest, read_contracts(PROJECT / "models" / "staging"))


def test_the_dictionary_has_not_drifted(rendered):
    assert DICTIONARY.read_text(encoding="utf-8") == rendered, "run `make dictionary` and commit docs/dictionary.md"


def test_every_published_column_is_described(rendered):
    empty = [line for line in rendered.splitlines() if line.startswith("| `") and line.rstrip().endswith("|  |")]
    assert empty == []


def test_identity_is_marked_where_suppliers_send_it(rendered):
    line = next(line for line in rendered.splitlines() if line.startswith("| `nhs_number` | NhsNumber |"))
    assert "| identity |" in line
