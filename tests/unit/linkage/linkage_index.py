"""A warehouse's linkage over several nights, for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import linkage_people as people
import polars as pl

from linkage.duck import Limits
from linkage.link import LinkageReport, link
from linkage.model import Parameters
from linkage.persons import random_ids
from linkage.spec import LinkageSpec

AS_OF = date(2026, 1, 1)


@dataclass
class Index:
    """One warehouse's linkage: write identity rows, run nights, look at the result."""

    root: Path
    spec: LinkageSpec
    parameters: Parameters
    night: int = 0

    @property
    def identity(self) -> Path:
        return self.root / "identity"

    @property
    def registry(self) -> Path:
        return self.root / "registry.duckdb"

    @property
    def person_record(self) -> Path:
        return self.root / "out" / "person_record" / "00000001.parquet"

    def run(
        self, rows: pl.DataFrame | None = None, *, new_ids: Callable[[int], list] = random_ids, **spec: object
    ) -> LinkageReport:
        if rows is not None:
            people.write(rows, self.identity)
        self.night += 1
        return link(
            self.identity,
            self.registry,
            self.root / "out",
            spec=replace(self.spec, **spec),
            parameters=self.parameters,
            run_id=f"night-{self.night}",
            as_of=AS_OF.replace(day=self.night),
            limits=Limits("1GB", 2, "10GB", self.root / "tmp"),
            new_ids=new_ids,
        )

    def persons(self) -> dict[str, str]:
        """record token -> person id, as the warehouse reads it."""
        return self.column("person_id")

    def column(self, name: str) -> dict[str, str]:
        query = f"select cast(record_token as varchar), cast({name} as varchar) from read_parquet('{self.person_record}')"
        return dict(duckdb.sql(query).fetchall())

    def together(self, *tokens: str) -> bool:
        persons = self.persons()
        return len({persons[t] for t in tokens}) == 1

    def partition(self) -> set[frozenset[str]]:
        groups: dict[str, set[str]] = {}
        for record, person in self.persons().items():
            groups.setdefault(person, set()).add(record)
        return {frozenset(g) for g in groups.values()}

    def ask(self, query: str) -> list[tuple]:
        with duckdb.connect(str(self.registry), read_only=True) as connection:
            return connection.execute(query).fetchall()
