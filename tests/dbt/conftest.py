"""One parse of the dbt project, shared by every test of this folder: dbt takes seconds to start."""

from __future__ import annotations

import pytest
from dbt_warehouse import Warehouse


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory) -> Warehouse:
    """The project, parsed once, and no raw table yet."""
    found = Warehouse(tmp_path_factory.mktemp("warehouse"))
    found.manifest = found.invoke("parse", "--no-partial-parse")
    found.parse_warnings = tuple(found.messages)
    (found.data_dir / "warehouse").mkdir()
    return found
