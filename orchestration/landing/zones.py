"""Where landing reads and writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Zones:
    """The three folders landing knows: `landing` is read only, `identifiable` is 0700, `raw` is pseudonymised."""

    landing: Path
    identifiable: Path
    raw: Path

    @classmethod
    def below(cls, data_dir: Path) -> Zones:
        """The zones in their usual places below one folder."""
        return cls(data_dir / "landing", data_dir / "identifiable", data_dir / "raw")

    def raw_file(self, source: str, table: str, load_seq: int) -> Path:
        return self.raw / source / table / f"{load_seq:08d}.parquet"

    def identifiable_file(self, kind: str, source: str, table: str, load_seq: int) -> Path:
        """`kind` is identity, local_ids or quarantine."""
        return self.identifiable / kind / source / table / f"{load_seq:08d}.parquet"
