"""Dagster's event log: the run store of `dagster.yaml` keeps what Dagster's own storage would read."""

from pathlib import Path

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage

from orchestration.dagster_home import write_dagster_home
from orchestration.settings import Settings


@dg.asset
def counted() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"rows": 7})


def test_what_a_run_says_is_read_by_dagsters_own_storage_while_the_run_store_is_open(tmp_path: Path) -> None:
    home = write_dagster_home(Settings(data_dir=tmp_path))
    with dg.DagsterInstance.from_config(str(home)) as instance:
        run_id = dg.materialize([counted], instance=instance).run_id
        told = [entry.dagster_event_type for entry in instance.all_logs(run_id)]

        other = SqliteEventLogStorage(str(home / "history" / "runs"))
        read = [entry.dagster_event_type for entry in other.get_logs_for_run(run_id)]
        made = other.get_latest_materialization_events([dg.AssetKey("counted")])[dg.AssetKey("counted")]

    assert read == told
    assert dg.DagsterEventType.RUN_SUCCESS in read
    assert made is not None
    assert made.asset_materialization.metadata["rows"].value == 7


def test_a_run_store_is_opened_again_after_it_was_closed(tmp_path: Path) -> None:
    home = write_dagster_home(Settings(data_dir=tmp_path))
    runs = []
    for _ in range(2):
        with dg.DagsterInstance.from_config(str(home)) as instance:
            runs.append(dg.materialize([counted], instance=instance).run_id)

    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert {record.dagster_run.run_id for record in instance.get_run_records()} == set(runs)
        assert instance.get_latest_materialization_event(dg.AssetKey("counted")).run_id == runs[-1]
