"""The last step: publish."""

from collections.abc import Sequence

import dagster as dg

from orchestration.defs.resources import DAILY, Night, explained
from orchestration.landing_step import join_small_files
from orchestration.release_step import publish_release
from orchestration.settings import load_settings

RELEASE = dg.AssetKey(["releases", "current"])


def release_asset(marts: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """What people read, made of every mart; switched in only when every blocking check before it has passed."""

    @dg.asset(
        key=RELEASE,
        deps=marts,
        group_name="releases",
        kinds={"duckdb", "parquet"},
        freshness_policy=DAILY,
        description="The release being served: one DuckDB file, Parquet and a site for each lawful purpose.",
    )
    def release(context: dg.AssetExecutionContext, night: Night) -> dg.MaterializeResult:
        with explained():
            made = publish_release(load_settings(), context.run.run_id, night.day)
            n_joined = join_small_files(load_settings())
        rows = {f"rows/{purpose}": sum(tables.values()) for purpose, tables in made.tables.items()}
        return dg.MaterializeResult(
            metadata={
                "release_id": made.release_id,
                "people": made.n_people,
                "path": dg.MetadataValue.path(made.path),
                "tables_compacted": n_joined,
                **rows,
            }
        )

    return release
