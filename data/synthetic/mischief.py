"""What goes wrong with whole files on their way: chosen by the seed, and told to the truth files.

`mild` is always done: every load must take it in its stride. `serious` holds up a source and is done on request only.
Sources whose files only count as a complete batch (the GP systems) are spared where a single file would break the batch.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np

from synthetic.packaging import record_ends
from synthetic.world_schema import Delivery, Fault

#: Where a column is added (files read by header name), and files that can be sent twice, late or cut short, by preference.
_WIDENED = ("voluntary_sector", "social_care_cld", "gp_emis")
_REPEATED = ("social_care_cld", "community_csds", "mental_health_mhsds", "acute_sus")
_LATE = ("voluntary_sector", "community_csds", "mental_health_mhsds")
_TRUNCATED = ("social_care_cld", "acute_sus", "community_csds")


def mild(making: Path, deliveries: tuple[Delivery, ...], seed: int) -> list[Fault]:
    """A supplier adds a column at the end on the first night, and another sends a file of the bulk again."""
    rng = np.random.default_rng([seed, 11])
    if len(deliveries) < 2:
        return []
    faults = []
    path = _a_file(making, deliveries[1], _WIDENED, rng, suffix=".csv")
    if path:
        _add_column(path)
        faults.append(_told(deliveries[1], path, "a column was added", "accepted"))
    again = _not_resent(making, deliveries[0], deliveries[1], rng)
    if again:
        target = again.parent.parent / deliveries[1].date.isoformat() / again.name
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(again, target)
        faults.append(_told(deliveries[1], target, "a file of an earlier delivery was sent again", "accepted"))
    return faults


def serious(making: Path, deliveries: tuple[Delivery, ...], seed: int) -> list[Fault]:
    """With two nights or more: a file of the first night comes with the second; a file of the last night is cut short."""
    rng = np.random.default_rng([seed, 12])
    if len(deliveries) < 3:
        return []
    faults = []
    path = _a_file(making, deliveries[1], _LATE, rng)
    if path:
        target = path.parent.parent / deliveries[2].date.isoformat() / path.name
        if not target.exists():
            target.parent.mkdir(exist_ok=True)
            path.rename(target)
            faults.append(_told(deliveries[2], target, "a file of the delivery before came late", "accepted"))
    path = _a_file(making, deliveries[-1], _TRUNCATED, rng)
    if path:
        os.truncate(path, path.stat().st_size * 3 // 5)
        faults.append(_told(deliveries[-1], path, "the file was cut short", "refused"))
    return faults


def _told(delivery: Delivery, path: Path, what: str, expected: str) -> Fault:
    return Fault(delivery.index, path.parent.parent.name, path.name, "", what, expected)


def _files(making: Path, delivery: Delivery, source: str) -> list[Path]:
    folder = making / "landing" / source / delivery.date.isoformat()
    return sorted(p for p in folder.glob("*") if p.is_file() and p.stat().st_size > 200) if folder.is_dir() else []


def _a_file(
    making: Path, delivery: Delivery, sources: tuple[str, ...], rng: np.random.Generator, suffix: str = ""
) -> Path | None:
    """A file of the first of the sources that has one in the delivery."""
    for source in sources:
        files = [p for p in _files(making, delivery, source) if p.name.lower().endswith(suffix)]
        if files:
            return files[rng.integers(len(files))]
    return None


def _not_resent(making: Path, first: Delivery, second: Delivery, rng: np.random.Generator) -> Path | None:
    """A file of the first delivery whose name the second does not use."""
    for source in _REPEATED:
        taken = {p.name for p in _files(making, second, source)}
        files = [p for p in _files(making, first, source) if p.name not in taken]
        if files:
            return files[rng.integers(len(files))]
    return None


def _add_column(path: Path) -> None:
    """Put `SupplierNote` at the end of the header and a value at the end of every record."""
    body = path.read_bytes()
    end = b"\r\n" if b"\r\n" in body[:10_000] else b"\n"
    starts = np.append(0, record_ends(body) + 1)
    records = [body[a:b].removesuffix(end) for a, b in zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)]
    records = [record + (b",SupplierNote" if i == 0 else b",x") for i, record in enumerate(records)]
    path.write_bytes(end.join(records) + end)
