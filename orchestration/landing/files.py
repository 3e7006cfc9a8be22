"""What lies in the landing zone: deliveries, the files in them, archives, and which table a file belongs to.

Nothing here changes a supplier's file. Archives are never unpacked by name: members are streamed, so a path that climbs out
of the archive can do no harm, and such an archive is refused as a sign of tampering.
"""

from __future__ import annotations

import errno
import gzip
import io
import re
import stat
import struct
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, BinaryIO

from orchestration.landing.contract import Source, Table
from orchestration.landing.errors import Refusal

_TEMPORARY = re.compile(r"^[.~]|\.(?:part|partial|tmp|filepart|crdownload)$", re.IGNORECASE)


@dataclass(frozen=True)
class Item:
    """One readable file of a delivery: a file on disk, or a member of a zip archive."""

    #: Path below the delivery folder; a member reads `archive.zip/member`.
    name: str
    path: Path
    member: str | None = None

    @property
    def base_name(self) -> str:
        return PurePosixPath(self.name).name

    @property
    def bundle(self) -> str:
        """What travels together: the archive of a member, or the folder of a loose file."""
        return self.path.name if self.member is not None else ""

    @property
    def is_plain(self) -> bool:
        """True when the bytes on disk are the content."""
        return self.member is None and not self.base_name.lower().endswith(".gz")

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The content, decompressed as it is read."""
        with ExitStack() as stack:
            if self.member is None:
                stream: BinaryIO = stack.enter_context(self.path.open("rb"))
            else:
                archive = stack.enter_context(zipfile.ZipFile(self.path))
                stream = stack.enter_context(self._opened_member(archive))  # type: ignore[assignment]
            if self.base_name.lower().endswith(".gz"):
                stream = stack.enter_context(gzip.GzipFile(fileobj=io.BufferedReader(stream)))  # type: ignore[arg-type]
            yield stream

    def _opened_member(self, archive: zipfile.ZipFile) -> IO[bytes]:
        with _refused_when_damaged(self.name):
            return archive.open(str(self.member))


@dataclass(frozen=True)
class Delivery:
    """Everything a source sent under one date."""

    source: str
    date: date
    folder: Path

    def paths(self) -> list[Path]:
        """Files on disk, in order of name, without those still being transferred (`.part`, `.tmp`, hidden)."""
        return sorted(
            path
            for path in self.folder.rglob("*")
            if path.is_file() and not any(_TEMPORARY.search(part) for part in path.relative_to(self.folder).parts)
        )

    def fingerprint(self) -> str:
        """Name, size and time of change of every file: while this stays, nothing in the delivery needs to be read again."""
        facts = []
        for path in self.paths():
            status = path.stat()
            facts.append(f"{path.relative_to(self.folder)}:{status.st_size}:{status.st_mtime_ns}")
        return "\n".join(facts)

    def items(self) -> list[Item]:
        """Every readable file, archives opened. Raises `Refusal` for an archive that is broken or unsafe."""
        items: list[Item] = []
        for path in self.paths():
            name = path.relative_to(self.folder).as_posix()
            if path.suffix.lower() == ".zip":
                items += [Item(f"{name}/{member}", path, member) for member in _members(path, name)]
            else:
                items.append(Item(name, path))
        return items


def find_deliveries(landing: Path, source: str) -> tuple[list[Delivery], list[str]]:
    """Deliveries of a source in order of date, and a message for every entry of its folder that is not a delivery."""
    folder = landing / source
    deliveries: list[Delivery] = []
    strange: list[str] = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.name.startswith("."):
            continue
        day = _delivery_date(path.name)
        if day is not None and path.is_dir():
            deliveries.append(Delivery(source, day, path))
        else:
            strange.append(
                f"{source}/{path.name} is not a delivery: a delivery is a folder named by its date, YYYY-MM-DD; "
                "nothing in it was read, rename or remove it"
            )
    return sorted(deliveries, key=lambda delivery: delivery.date), strange


def match_tables(source: Source, item: Item) -> list[tuple[Table, dict[str, str]]]:
    """Tables whose file pattern fits the base name (with or without .gz), each with the named groups of its pattern."""
    names = [item.base_name]
    if item.base_name.lower().endswith(".gz"):
        names.append(item.base_name[:-3])
    matches = []
    for table in source.tables:
        found = next((match for name in names if (match := table.terms.pattern.fullmatch(name))), None)
        if found:
            matches.append((table, {group: value or "" for group, value in found.groupdict().items()}))
    return matches


def _delivery_date(name: str) -> date | None:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", name):
        return None
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None


def is_damage(error: OSError) -> bool:
    """True when reading failed because of what the bytes say, not because of the disk: a decompressor raises an error without a
    number, and a false offset in a zip archive asks for a place before its beginning."""
    return error.errno in (None, errno.EINVAL)


@contextmanager
def _refused_when_damaged(name: str) -> Iterator[None]:
    """What zipfile raises over the directory of an archive, whose bytes it believes, becomes a `Refusal`."""
    try:
        yield
    except RuntimeError as error:  # a version or a compression that it does not know
        raise Refusal(f"{name}: compressed in a way that cannot be read here ({error}); use deflate") from error
    except (zipfile.BadZipFile, UnicodeDecodeError, IndexError, struct.error, OSError) as error:
        if isinstance(error, OSError) and not is_damage(error):
            raise
        raise Refusal(f"{name}: not a readable zip archive ({error}); it was probably cut short, ask for it again") from error


def _members(path: Path, name: str) -> list[str]:
    with _refused_when_damaged(name), zipfile.ZipFile(path) as archive:
        infos = [info for info in archive.infolist() if not info.is_dir()]
    for info in infos:
        if _is_unsafe(info):
            raise Refusal(
                f"{name}: member {info.filename!r} points outside the archive or is a link; the whole delivery is refused, "
                "ask the supplier how the archive was made"
            )
        if info.flag_bits & 0x1:
            raise Refusal(f"{name}: member {info.filename!r} is encrypted; decrypt it before it reaches the landing zone")
    return sorted(info.filename for info in infos if not _TEMPORARY.search(PurePosixPath(info.filename).name))


def _is_unsafe(info: zipfile.ZipInfo) -> bool:
    # orig_filename is what the archive says; zipfile has already cleaned filename of NUL and foreign separators
    raw = info.orig_filename
    posix, windows = PurePosixPath(raw), PureWindowsPath(raw)
    return (
        posix.is_absolute()
        or bool(windows.drive or windows.root)
        or ".." in posix.parts
        or ".." in windows.parts
        or stat.S_ISLNK(info.external_attr >> 16)
    )
