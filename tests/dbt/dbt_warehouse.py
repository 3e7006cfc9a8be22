"""dbt over a data directory of its own, in this process."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from raw_zone import PROJECT

AS_OF = "2025-04-10"

#: Loads that a row remembers: how it came about, which a rebuild cannot know.
LOADS = {"_changed_seq", "_load_seq"}


@dataclass
class Warehouse:
    """The project on a data directory of its own."""

    data_dir: Path
    as_of: str = AS_OF
    manifest: Manifest | None = None
    messages: list[str] = field(default_factory=list)
    parse_warnings: tuple[str, ...] = ()

    def copy(self, data_dir: Path) -> Warehouse:
        """The same warehouse in another directory, for models to be run on other rows; raw tables are those of the first."""
        shutil.copytree(self.data_dir / "warehouse", data_dir / "warehouse")
        (data_dir / "raw").symlink_to(self.data_dir / "raw")
        return Warehouse(data_dir, manifest=self.manifest)

    def invoke(self, *arguments: str) -> object:
        """Run a dbt command; the test fails with dbt's own words when it does not succeed."""
        runner = dbtRunner(manifest=self.manifest, callbacks=[self._keep])
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PHM_DATA_DIR", str(self.data_dir))
            result = runner.invoke(
                [
                    "--quiet", *arguments,
                    "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT),
                    "--target-path", str(self.data_dir / "target"), "--log-level-file", "none",
                    "--vars", f"{{as_of: {self.as_of}}}",
                ]
            )  # fmt: skip
        # dbt keeps the database open with its own limits, beside which nobody else in the process may open it
        DuckDBConnectionManager.close_all_connections()
        assert result.success, "\n".join(self.messages[-20:]) or result.exception
        return result.result

    def query(self, sql: str) -> list[tuple]:
        """Ask the warehouse; its views name raw files from the data directory on."""
        config = {"file_search_path": str(self.data_dir)}
        with duckdb.connect(str(self.data_dir / "warehouse" / "build.duckdb"), config=config) as connection:
            return connection.execute(sql).fetchall()

    def rows(self) -> dict[str, list]:
        """Every row that stands of every table, by `schema.table`, without what only tells how it came about."""
        found = {}
        for node in self.manifest.nodes.values():
            if node.resource_type != "model" or (node.config.materialized == "view" and node.fqn[1] != "marts"):
                continue
            table = f"{node.schema}.{node.alias}"
            names = {row[0] for row in self.query(f"select column_name from (describe {table})")}
            kept = ", ".join(sorted(names - LOADS))
            standing = "where not is_deleted" if "is_deleted" in names else ""
            found[table] = self.query(f"select {kept} from {table} {standing} order by all")
        return found

    def _keep(self, event: object) -> None:
        if event.info.level in ("warn", "error"):
            self.messages.append(f"{event.info.level}: {event.info.msg}")
