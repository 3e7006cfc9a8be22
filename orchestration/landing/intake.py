"""One pass over the bytes of a file: content hash, physical lines, oddities, and a UTF-8 copy where one is needed.

DuckDB reads UTF-8 from disk. A plain file whose bytes already are that is read where it lies; a compressed or Windows-1252 one is
streamed into the scratch folder. Memory use does not depend on the size of the file.
"""

from __future__ import annotations

import codecs
import hashlib
import lzma
import shutil
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from orchestration.landing.errors import Refusal
from orchestration.landing.files import Item, is_damage

#: Blocks of this size, and what is computed from them, stay in the processor's cache.
_BLOCK_BYTES = 1 << 18
_LF, _CR = ord("\n"), ord("\r")


@dataclass(frozen=True)
class Intake:
    """A file as UTF-8 on disk, and what one pass over its bytes told."""

    path: Path
    #: Of the decompressed content as sent, so that re-packing does not make a file new.
    sha256: str
    size_bytes: int
    #: Physical lines, ended by LF or CRLF; the last may lack its end.
    n_lines: int
    ends_with_newline: bool
    has_bom: bool
    has_nul: bool
    has_blank_line: bool
    #: A CR without LF: DuckDB would take it for a line end.
    has_lone_cr: bool


class _Observer:
    """Counts over consecutive blocks; what straddles two blocks is seen by keeping the last bytes of the previous one."""

    def __init__(self) -> None:
        self.hash = hashlib.sha256()
        self.size = self.lf = self.cr = self.crlf = 0
        self.nul = self.blank = False
        self.tail = b"\n"  # a file that begins with a line end begins with a blank line
        self.head = b""

    def see(self, block: bytes) -> None:
        if not self.size:
            self.head = block[:4]
        self.hash.update(block)
        self.size += len(block)
        self.nul = self.nul or b"\0" in block
        seam = self.tail + block[:2]
        content = np.frombuffer(block, np.uint8)
        lf = content == _LF
        self.lf += np.count_nonzero(lf)
        self.blank = self.blank or b"\n\n" in seam or bool(np.any(lf[:-1] & lf[1:]))
        if b"\r" in block or self.tail.endswith(b"\r"):
            cr = content == _CR
            crlf = cr[:-1] & lf[1:]
            self.cr += np.count_nonzero(cr)
            self.crlf += np.count_nonzero(crlf) + seam.startswith(b"\r\n", len(self.tail) - 1)
            self.blank = self.blank or b"\n\r\n" in seam or bool(np.any(lf[:-2] & crlf[1:]))
        self.tail = (self.tail + block)[-2:] if len(block) < 2 else block[-2:]


def take_in(item: Item, encoding: str, scratch: Path) -> Intake:
    """Read `item` once. `scratch` is the file to write when a UTF-8 copy is needed.

    Bytes that are not characters of the encoding stay as they are, which is never valid UTF-8, so that reading rejects exactly
    the records that hold them. Raises `Refusal` when the file is empty, cut short or in another encoding altogether.
    """
    observer = _Observer()
    with opened(item) as stream:
        path = _copy(item, stream, encoding, scratch, observer)
    if observer.size == 0:
        raise Refusal(f"{item.name}: the file is empty (0 bytes), not even a header; ask for it again")
    if observer.head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Refusal(f"{item.name}: the file is UTF-16, the contract says {encoding}; ask for it in {encoding}")
    ends = observer.tail.endswith(b"\n")
    return Intake(
        path=path,
        sha256=observer.hash.hexdigest(),
        size_bytes=observer.size,
        n_lines=observer.lf + (not ends),
        ends_with_newline=ends,
        has_bom=observer.head.startswith(codecs.BOM_UTF8),
        has_nul=observer.nul,
        has_blank_line=observer.blank,
        has_lone_cr=observer.cr != observer.crlf,
    )


def content_hash(item: Item) -> str:
    """SHA-256 of the decompressed content. Raises `Refusal` when it cannot be read to its end."""
    digest = hashlib.sha256()
    with opened(item) as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def opened(item: Item) -> Iterator[BinaryIO]:
    """The content of an item; a compressed file that is cut short or damaged becomes a `Refusal`."""
    try:
        with item.open() as stream:
            yield stream
    except (EOFError, zlib.error, zipfile.BadZipFile, lzma.LZMAError, OSError) as error:
        if isinstance(error, OSError) and not is_damage(error):
            raise
        raise Refusal(f"{item.name}: the compressed file is cut short or damaged ({error}); ask for it again") from error


def _copy(item: Item, stream: BinaryIO, encoding: str, scratch: Path, observer: _Observer) -> Path:
    """Stream the content past the observer, into `scratch` from the moment it differs from what lies on disk."""
    transcode = encoding != "utf-8"
    out: BinaryIO | None = None if item.is_plain else scratch.open("wb")
    try:
        while block := stream.read(_BLOCK_BYTES):
            before = observer.size
            observer.see(block)
            if before == 0 and block.startswith(codecs.BOM_UTF8):
                transcode = False  # a UTF-8 byte order mark says more about the bytes than the contract does
            if transcode and not block.isascii():
                if out is None:
                    out = scratch.open("wb")
                    with item.path.open("rb") as same:
                        shutil.copyfileobj(_Limited(same, before), out, _BLOCK_BYTES)
                block = block.decode(encoding, "surrogateescape").encode("utf-8", "surrogateescape")
            if out is not None:
                out.write(block)
    finally:
        if out is not None:
            out.close()
    return item.path if out is None else scratch


class _Limited:
    """The first `size` bytes of a stream."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self.stream, self.left = stream, size

    def read(self, size: int) -> bytes:
        block = self.stream.read(min(size, self.left))
        self.left -= len(block)
        return block
