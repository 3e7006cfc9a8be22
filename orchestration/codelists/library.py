"""The codelists of a place: those that are shipped, and those that the place loaded, which go first.

What a place loads is licensed (SNOMED CT, dm+d), so it lives below the data directory and never in the repository:
`raw/codelist_library/entry/<number>.parquet`, a file a list and version, read by dbt like any other source.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from linkage.whole_file import written_whole
from orchestration.codelists.codes import SYSTEMS
from orchestration.codelists.reading import CodelistError, Entry

SHIPPED = "shipped"

_SOURCE, _TABLE = "codelist_library", "entry"
_SCHEMA = pa.schema(
    [
        ("load_seq", pa.int32()),
        ("codelist_id", pa.string()),
        ("code_system", pa.string()),
        ("code", pa.string()),
        ("term", pa.string()),
        ("category", pa.string()),
        ("version", pa.string()),
        ("source", pa.string()),
        ("content_hash", pa.string()),
        ("loaded_at", pa.timestamp("us")),
    ]
)


@dataclass(frozen=True)
class Codelist:
    """One version of a codelist. `load_seq` is its number in the library; 0 for a shipped one."""

    codelist_id: str
    version: str
    entries: Sequence[Entry]
    source: str
    load_seq: int = 0
    loaded_at: datetime | None = field(default=None, compare=False)

    @property
    def code_system(self) -> str:
        """A list's name begins with its system."""
        return self.codelist_id.partition("_")[0]

    @property
    def is_shipped(self) -> bool:
        return self.load_seq == 0

    @property
    def name(self) -> str:
        return f"{self.codelist_id}@{SHIPPED if self.is_shipped else self.version}"

    @property
    def content_hash(self) -> str:
        """SHA-256 of codes, terms and categories: the same content has the same hash, whatever file it came in."""
        text = "\n".join(sorted(f"{e.code}\t{e.category}\t{e.term}" for e in self.entries))
        return hashlib.sha256(text.encode()).hexdigest()


def system_of(codelist_id: str) -> str:
    """The code system of a list, by its name. Raises `CodelistError` when the name does not begin with one."""
    system, _, rest = codelist_id.partition("_")
    if system not in SYSTEMS or not rest or not codelist_id.isidentifier() or codelist_id != codelist_id.lower():
        raise CodelistError(
            f"{codelist_id!r} cannot name a codelist: begin with {', '.join(f'{s}_' for s in SYSTEMS)} and go on in small "
            "letters, such as snomed_asthma."
        )
    return system


class Library:
    """The lists below `raw_dir`, beside those shipped in `seeds_dir` (the codelist seeds of the dbt project)."""

    def __init__(self, raw_dir: Path, seeds_dir: Path) -> None:
        self._folder = raw_dir / _SOURCE / _TABLE
        self._seeds_dir = seeds_dir

    def ensure(self) -> None:
        """Write the file without rows that lets dbt read a library in which nothing was loaded."""
        empty = self._path(0)
        if not empty.exists():
            self._write(_SCHEMA.empty_table(), empty)

    def shipped(self) -> list[Codelist]:
        """Every shipped list."""
        rows: dict[tuple[str, str, str], list[Entry]] = {}
        for path in sorted(self._seeds_dir.glob("codelist__*.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    key = (row["codelist_id"], row["version"], path.stem)
                    rows.setdefault(key, []).append(Entry(row["code"].replace(".", "").upper(), row["term"], row["category"]))
        return [Codelist(name, version, entries, source) for (name, version, source), entries in rows.items()]

    def loaded(self) -> list[Codelist]:
        """Every version that was loaded and is still held, oldest first."""
        return [self._read(path) for path in sorted(self._folder.glob("*.parquet")) if path != self._path(0)]

    def in_use(self) -> dict[str, Codelist]:
        """The list of each name that counts: the one loaded last, else the shipped one."""
        return {found.codelist_id: found for found in [*self.shipped(), *self.loaded()]}

    def find(self, name: str) -> Codelist:
        """The list that `LIST`, `LIST@VERSION` or `LIST@shipped` names. Raises `CodelistError` when there is none."""
        codelist_id, _, version = name.partition("@")
        if not version:
            candidates = [found for found in [self.in_use().get(codelist_id)] if found]
        else:
            candidates = [
                found
                for found in [*self.shipped(), *self.loaded()]
                if found.codelist_id == codelist_id and version in (found.version, found.name.partition("@")[2])
            ]
        if not candidates:
            known = ", ".join(f.name for f in [*self.shipped(), *self.loaded()] if f.codelist_id == codelist_id)
            hint = f"there are {known}" if known else "`phm codelist list` shows those there are"
            raise CodelistError(f"There is no codelist {name!r}; {hint}.")
        return candidates[-1]

    def keep(self, codelist: Codelist, loaded_at: datetime) -> Codelist | None:
        """Keep a version, which is in use from the next run on. None when the very same was loaded last.

        Raises `CodelistError` when the version is held with other content: a version never changes its meaning.
        """
        held = [found for found in self.loaded() if found.codelist_id == codelist.codelist_id]
        same = next((found for found in held if found.version == codelist.version), None)
        if same and same.content_hash != codelist.content_hash:
            raise CodelistError(
                f"{codelist.codelist_id} was loaded as version {codelist.version} with other codes. Give it another --version."
            )
        if same and same is held[-1]:
            return None
        number = max((int(path.stem) for path in self._folder.glob("*.parquet")), default=0) + 1
        self._write(_as_table(codelist, number, loaded_at), self._path(number))
        return self._read(self._path(number))

    def remove(self, codelist: Codelist) -> None:
        """Take a loaded version out. Raises `CodelistError` for a shipped one."""
        if codelist.is_shipped:
            raise CodelistError(f"{codelist.name} is shipped: load a list of that name to replace it.")
        self._path(codelist.load_seq).unlink()

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08d}.parquet"

    def _read(self, path: Path) -> Codelist:
        rows = pq.read_table(path).to_pylist()
        first = rows[0]
        entries = [Entry(row["code"], row["term"], row["category"]) for row in rows]
        return Codelist(first["codelist_id"], first["version"], entries, first["source"], first["load_seq"], first["loaded_at"])

    def _write(self, table: pa.Table, path: Path) -> None:
        try:
            with written_whole(path) as beside:
                pq.write_table(table, beside, compression="zstd")
        except OSError as error:
            raise CodelistError(f"{path.parent} cannot be written: {error.strerror}.") from error


def _as_table(codelist: Codelist, number: int, loaded_at: datetime) -> pa.Table:
    content_hash = codelist.content_hash
    rows = [
        {
            "load_seq": number,
            "codelist_id": codelist.codelist_id,
            "code_system": codelist.code_system,
            "code": entry.code,
            "term": entry.term,
            "category": entry.category,
            "version": codelist.version,
            "source": codelist.source,
            "content_hash": content_hash,
            "loaded_at": loaded_at,
        }
        for entry in codelist.entries
    ]
    return pa.Table.from_pylist(rows, schema=_SCHEMA)
