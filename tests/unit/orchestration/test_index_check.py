"""The check that no record is left out of the patient index."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import polars as pl
import pytest

from orchestration.quality import check_index
from orchestration.settings import Settings

#: Said of one record of a SystmOne practice: table, load, whether the row is a deletion.
REGISTERED = [("sr_patient", 1, False), ("sr_patient_address_history", 1, False)]


@pytest.fixture
def unlinked(tmp_path):
    """Gives how many records the check finds left out, when a record has these rows and only another one is in the index."""
    settings = Settings(data_dir=tmp_path)
    settings.operations_dir.mkdir(parents=True)
    links = settings.raw_dir / "linkage" / "person_record"
    links.mkdir(parents=True)
    other = {"record_token": [str(UUID(int=1))], "source": ["gp_emis"], "person_id": [str(UUID(int=9))]}
    methods = {"match_method": ["singleton"], "match_weight": [None]}
    pl.DataFrame(other | methods).write_parquet(links / "00000001.parquet")

    def count(rows):
        for number, (table, load, is_deleted) in enumerate(rows):
            folder = settings.identity_dir / "gp_systmone" / table
            folder.mkdir(parents=True, exist_ok=True)
            row = {"record_token": str(UUID(int=2)), "source": "gp_systmone", "table_name": table, "load_seq": load}
            pl.DataFrame([row | {"is_deleted": is_deleted}]).write_parquet(folder / f"{number:08d}.parquet")
        (found,) = check_index(settings, "run", date(2026, 4, 1))["linkage.unlinked_record"]
        return found.n_failed

    return count


def test_a_record_that_its_supplier_holds_and_the_index_does_not_is_found(unlinked):
    assert unlinked(REGISTERED) == 1


def test_a_record_taken_off_the_register_belongs_to_nobody_though_an_address_still_comes(unlinked):
    assert unlinked([*REGISTERED, ("sr_patient", 2, True), ("sr_patient_address_history", 3, False)]) == 0


def test_a_record_that_came_back_to_the_register_is_wanted_again(unlinked):
    assert unlinked([*REGISTERED, ("sr_patient", 2, True), ("sr_patient", 3, False)]) == 1


def test_a_withdrawn_address_takes_nobody_off_the_register(unlinked):
    assert unlinked([*REGISTERED, ("sr_patient_address_history", 2, True)]) == 1
