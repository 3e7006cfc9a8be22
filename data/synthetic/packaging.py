"""How finished files leave a supplier: encoding, line ends, byte order mark, gzip and zip, with the same bytes every time."""

from __future__ import annotations

import codecs
import gzip
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np

from synthetic.world_schema import Packaging

_BLOCK = 1 << 22


def record_ends(body: bytes) -> np.ndarray:
    """Positions of the line ends that end a CSV record (those within quotes do not)."""
    content = np.frombuffer(body, dtype=np.uint8)
    ends = content == 10
    if b'"' in body:
        # Wrapping at 256 keeps the parity of the number of quotes so far.
        ends &= (np.cumsum(content == 34, dtype=np.uint8) & 1) == 0
    return np.flatnonzero(ends)


def count_records(file: str, body: bytes) -> int:
    """Records in a body: CSV records, lines of anything else."""
    return body.count(b"\n") if file.lower().endswith(".xml") or b'"' not in body else record_ends(body).size


def package_delivery(folder: Path, packaging: tuple[Packaging, ...], delivery_date: date) -> None:
    """Apply a supplier's `PACKAGING` to the plain UTF-8 files of one delivery folder, in place.

    The first packaging whose pattern is found in a file's name applies; files that none fits stay as they are. `zip_into` may be
    the same for many files: they become members of one archive, in the order of their names.
    """
    archives: dict[str, list[tuple[Path, Packaging]]] = defaultdict(list)
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        how = next((p for p in packaging if re.search(p.pattern, path.name)), None)
        if how is None:
            continue
        if how.zip_into:
            archives[how.zip_into.format(date=delivery_date)].append((path, how))
        elif how.gzip:
            _gzip(path, how)
        elif how.encoding != "utf-8" or how.bom or how.crlf:
            plain = path.with_name(path.name + ".plain")
            path.rename(plain)
            with path.open("wb") as out:
                for block in _encoded(plain, how):
                    out.write(block)
            plain.unlink()
    for name, members in archives.items():
        _zip(folder / name, members)


def _encoded(path: Path, how: Packaging) -> Iterator[bytes]:
    """The file's bytes as the supplier writes them; letters its encoding lacks become question marks."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    if how.bom:
        yield codecs.BOM_UTF8
    with path.open("rb") as source:
        while block := source.read(_BLOCK):
            if how.crlf:
                block = block.replace(b"\n", b"\r\n")
            yield block if how.encoding == "utf-8" else decoder.decode(block).encode(how.encoding, errors="replace")


def _gzip(path: Path, how: Packaging) -> None:
    with path.with_name(path.name + ".gz").open("wb") as raw, gzip.GzipFile("", "wb", 1, raw, mtime=0) as out:
        for block in _encoded(path, how):
            out.write(block)
    path.unlink()


def _zip(archive: Path, members: list[tuple[Path, Packaging]]) -> None:
    """One archive of all members. A member opened by name gets the fixed time 1980-01-01: the same bytes every time."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for path, how in members:
            with out.open(path.name, "w", force_zip64=True) as member:
                for block in _encoded(path, how):
                    member.write(block)
            path.unlink()
