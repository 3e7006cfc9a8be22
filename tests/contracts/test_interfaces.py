"""Shapes that are stated in two places, because neither may read the other."""

from __future__ import annotations

import yaml
from small_place import REPOSITORY

from linkage.standardise import IDENTITY_COLUMNS as READ
from orchestration.landing.door import IDENTITY_COLUMNS as WRITTEN
from orchestration.stratification.tables import TABLES


def test_linkage_reads_the_identity_rows_that_landing_writes():
    assert list(READ.items()) == list(WRITTEN.items())


def test_the_tables_of_risk_models_have_the_columns_of_their_contract():
    contract = REPOSITORY / "dbt_project" / "models" / "staging" / "stratification" / "_stratification__sources.yml"
    (source,) = yaml.safe_load(contract.read_text(encoding="utf-8"))["sources"]
    assert {table["name"]: {c["name"]: c["data_type"] for c in table["columns"]} for table in source["tables"]} == TABLES
