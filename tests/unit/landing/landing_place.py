"""A small supplier for the landing tests: a contract in a few lines, deliveries as bytes, and what came of them."""

from __future__ import annotations

import gzip
import io
import zipfile
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import yaml

from linkage.duck import Limits
from orchestration.landing.agreements import Cover, everything_of
from orchestration.landing.contract import Source, read_contract
from orchestration.landing.keys import PseudonymisationKey
from orchestration.landing.land import SourceReport, land_source
from orchestration.landing.ledger import Ledger
from orchestration.landing.zones import Zones

KEY = PseudonymisationKey(bytes(range(32)))
AS_OF = date(2026, 3, 31)

Row = dict[str, Any]


def column(name: str, data_type: str = "varchar", **terms: Any) -> dict[str, Any]:
    """One column of a contract."""
    if data_type in ("date", "timestamp"):
        terms.setdefault("format", ["%Y-%m-%d"])
    return {"name": name, "description": name, "data_type": data_type, "config": {"meta": {"contract": terms}}}


def table(name: str, columns: list[dict[str, Any]], **terms: Any) -> dict[str, Any]:
    """One table of a contract: by default a CSV file `<name>.csv`, replaced whole, with the first column as key."""
    terms = {"file": rf"{name}(_\w+)?\.csv", "key": [columns[0]["name"]], "mode": "full", **terms}
    return {"name": name, "description": name, "config": {"meta": {"contract": terms}}, "columns": columns}


def people(**terms: Any) -> dict[str, Any]:
    """A table of people with a local id, a name, a birth date and a number."""
    return table(
        "people",
        [
            column("local_id", header="LocalId", nullable=False, identity="record_id"),
            column("surname", header="Surname", identity="family_name"),
            column("born", "date", header="Born", identity="birth_date"),
            column("seen", "date", header="Seen"),
            column("visits", "integer", header="Visits"),
        ],
        **terms,
    )


HEADER = b"LocalId,Surname,Born,Seen,Visits\n"


@dataclass
class Place:
    """One source with its zones and ledger."""

    root: Path
    source: Source
    ledger: Ledger
    zones: Zones
    limits: Limits
    reports: list[SourceReport] = field(default_factory=list)

    def deliver(self, day: str, files: dict[str, bytes | str]) -> Path:
        """Put files into a delivery folder."""
        folder = self.zones.landing / self.source.name / day
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return folder

    def land(self, **options: Any) -> SourceReport:
        """One run of landing."""
        arguments: dict[str, Any] = {
            "zones": self.zones, "ledger": self.ledger, "key": KEY, "as_of": AS_OF, "run_id": "run-1", "limits": self.limits,
            "cover": Cover(everything_of(self.source.name, AS_OF)),
        }  # fmt: skip
        report = land_source(self.source, **(arguments | options))
        self.reports.append(report)
        return report

    def deliver_and_land(self, day: str, files: dict[str, bytes | str], **options: Any) -> SourceReport:
        self.deliver(day, files)
        return self.land(**options)

    def _read(self, folder: Path, order: str) -> list[Row]:
        if not list(folder.glob("*.parquet")):
            return []
        with duckdb.connect() as con:
            cursor = con.execute(f"select * from read_parquet('{folder}/*.parquet') order by {order}")
            names = [d[0] for d in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def raw(self, table_name: str) -> list[Row]:
        return self._read(self.zones.raw / self.source.name / table_name, "_load_seq, _line")

    def identity(self, table_name: str) -> list[Row]:
        return self._read(self.zones.identifiable / "identity" / self.source.name / table_name, "load_seq, record_token")

    def local_ids(self, table_name: str) -> list[Row]:
        return self._read(self.zones.identifiable / "local_ids" / self.source.name / table_name, "load_seq, local_id")

    def quarantine(self, table_name: str) -> list[Row]:
        return self._read(self.zones.identifiable / "quarantine" / self.source.name / table_name, "load_seq, line")

    def statuses(self) -> list[str]:
        return [status for (status,) in self.ledger.rows("select status from load order by load_seq")]

    def windows(self) -> list[tuple[Any, ...]]:
        return self.ledger.rows("select load_seq, window, mode from load_window order by load_seq, window")


def write_contract(path: Path, tables: list[dict[str, Any]], name: str = "clinic", **terms: Any) -> Source:
    """Write and read a contract."""
    terms = {
        "supplier": "Clinic", "steward": "Clinic", "legal_basis": "direct_care", "cadence": "daily", "stale_after_days": 3,
        "max_bad_row_share": 0.5, **terms,
    }  # fmt: skip
    document = {"version": 2, "sources": [{"name": name, "config": {"meta": {"contract": terms}}, "tables": tables}]}
    path.write_text(yaml.safe_dump(document))
    return read_contract(path)


def zipped(members: dict[str, bytes | str]) -> bytes:
    """A zip archive; member names are taken as they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def gzipped(content: bytes) -> bytes:
    return gzip.compress(content)
