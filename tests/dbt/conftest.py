"""One parse of the dbt project, shared by every test of this folder: dbt takes seconds to start."""

from __future__ import annotations

import pytest
from dbt_warehouse import Warehouse
from raw_zone import reverse_rows, write_empty, write_index, write_load


@pytest.fixture(scope="session")
def warehouse(tmp_path_factory) -> Warehouse:
    """The project, parsed once, and no raw table yet."""
    found = Warehouse(tmp_path_factory.mktemp("warehouse"))
    found.manifest = found.invoke("parse", "--no-partial-parse")
    found.parse_warnings = tuple(found.messages)
    (found.data_dir / "warehouse").mkdir()
    return found


@pytest.fixture(scope="session")
def states(warehouse) -> tuple[dict[str, list], dict[str, list]]:
    """Rows of every table after two loads, built one after the other, and rebuilt from the same rows in another order."""
    raw_dir = warehouse.data_dir / "raw"
    write_empty(raw_dir)
    write_index(raw_dir)
    write_load(raw_dir, 1)
    warehouse.invoke("seed")
    warehouse.invoke("run")
    write_load(raw_dir, 2)
    warehouse.invoke("run")
    nightly = warehouse.rows()
    reverse_rows(raw_dir)
    warehouse.invoke("run", "--full-refresh")
    return nightly, warehouse.rows()
