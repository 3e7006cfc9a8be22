"""Whatever comes in place of a supplier's file, landing goes on, loses no row, and tells nobody what a row says.

Real files of a synthetic place are damaged at random. With `FUZZ_EXAMPLES=5000` in the environment it looks for longer.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from landing_place import KEY, Ledger, Limits, Zones
from small_place import BULK, REPOSITORY

from orchestration.landing.agreements import Cover, everything_of
from orchestration.landing.contract import Source, Table, read_contracts
from orchestration.landing.files import Item, match_tables
from orchestration.landing.land import SourceReport, land_source

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))
DAY = date.fromisoformat(BULK)
#: Lines kept of each file, so that an example is quick.
MOST_LINES = 40
#: A shorter value is also a code or a count.
SHORTEST_TELLTALE = 7

#: Source, file in its delivery, member of an archive.
FILES = [
    ("voluntary_sector", "VCS_VS003_referrals_*.csv", None),
    ("demographics_pds", "PDS_Person_2*.csv", None),
    ("social_care_cld", "CLD_999_*.csv", None),
    ("housing", "HCLIC_E09000098_2025Q1.xml", None),
    ("housing", "CORE_lettings_2023_E09000099.csv", None),
    ("acute_sus", "APC_RZA_202504-202602_*.csv.gz", None),
    ("mental_health_mhsds", "*_MHS001MPI.csv", None),
    ("reference", "X26HC036-310326-0001.dat", None),
    ("gp_systmone", "*.zip", "SRPatient.csv"),
]
NASTY = [
    b'"', b'""', b"'", b",", b"|", b"\t", b"\0", b"\n", b"\r", b"\r\n", b"\xff", b"\xc3", b"\xef\xbb\xbf", b"\xff\xfe", b"<",
    b"&x;", b"]]>", b"=1+1", b"\xe2\x80\xa8", b"9" * 400, b"'; drop table x; --", b"2026-13-45", b"\n" * 5, b'"' + b"x" * 2000,
]  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """A file as its supplier sent it, cut to its first lines."""

    source: Source
    name: str
    content: bytes
    #: Other members of its archive; None for a file on its own.
    beside: dict[str, bytes] | None
    telltale: frozenset[bytes]


def cut(content: bytes) -> bytes:
    return b"".join(content.splitlines(keepends=True)[:MOST_LINES])


def identifying_values(table: Table, content: bytes) -> frozenset[bytes]:
    """What the file says that identifies people, by the contract."""
    if table.terms.format.kind == "xml":
        return frozenset()
    rows = list(csv.reader(io.StringIO(content.decode("cp1252")), delimiter=table.terms.format.delimiter))
    header = {name.strip().casefold(): place for place, name in enumerate(rows[0])} if table.terms.format.header else {}
    values = set()
    for column in table.columns:
        if not column.is_identity_only:
            continue
        place = column.terms.position
        if place is None:
            place = next((header[h.casefold()] for h in column.headers if h.casefold() in header), None)
        if place is not None:
            values |= {row[place].strip() for row in rows[bool(header) :] if place < len(row)}
    return frozenset(value.encode() for value in values if len(value) >= SHORTEST_TELLTALE)


@pytest.fixture(scope="module")
def sent(delivered) -> list[Sent]:
    contracts = read_contracts(REPOSITORY / "dbt_project" / "models" / "staging")
    found = []
    for source_name, pattern, member in FILES:
        source = contracts[source_name]
        path = sorted((delivered.data_dir / "landing" / source_name / BULK).glob(pattern))[0]
        content, beside, name = path.read_bytes(), None, path.name
        if member:
            with zipfile.ZipFile(path) as archive:
                beside = {m: cut(archive.read(m)) for m in archive.namelist() if m == "SRManifest.csv"}
                content = archive.read(member)
        elif name.endswith(".gz"):
            content = gzip.decompress(content)
        tables = [table for table, _ in match_tables(source, Item(member or name, path))]
        content = content if path.suffix == ".xml" else cut(content)
        telltale = frozenset().union(*(identifying_values(table, content) for table in tables))
        found.append(Sent(source, f"{name}/{member}" if member else name, content, beside, telltale))
    return found


# Damage: each takes the content and a source of random choices.


def flip(content: bytes, draw: Callable) -> bytes:
    place = draw(st.integers(0, max(0, len(content) - 1)))
    return content[:place] + bytes([draw(st.integers(0, 255))]) + content[place + 1 :]


def truncate(content: bytes, draw: Callable) -> bytes:
    return content[: draw(st.integers(0, len(content)))]


def insert(content: bytes, draw: Callable) -> bytes:
    place = draw(st.integers(0, len(content)))
    return content[:place] + draw(st.sampled_from(NASTY)) + content[place:]


def of_lines(change: Callable[[list[bytes], Callable], object]) -> Callable[[bytes, Callable], bytes]:
    def damage(content: bytes, draw: Callable) -> bytes:
        lines = content.splitlines(keepends=True)
        if lines:
            change(lines, draw)
        return b"".join(lines)

    return damage


def line(lines: list[bytes], draw: Callable) -> int:
    return draw(st.integers(0, len(lines) - 1))


def repeat_line(lines, draw):
    lines.insert(line(lines, draw), lines[line(lines, draw)])


def lose_line(lines, draw):
    del lines[line(lines, draw)]


def move_line(lines, draw):
    lines.insert(line(lines, draw), lines.pop(line(lines, draw)))


def join_lines(lines, draw):
    place = line(lines, draw)
    lines[place] = lines[place].rstrip(b"\r\n") + draw(st.sampled_from([b"", b",", b'"']))


def swap_columns(lines, draw):
    which = [draw(st.integers(0, 30)), draw(st.integers(0, 30))]
    for place in range(1 if draw(st.booleans()) else len(lines)):
        fields = lines[place].rstrip(b"\r\n").split(b",")
        a, b = (i % len(fields) for i in which)
        fields[a], fields[b] = fields[b], fields[a]
        lines[place] = b",".join(fields) + b"\n"


def other_delimiter(lines, draw):
    new = draw(st.sampled_from([b"|", b";", b"\t", b",,"]))
    for place in range(line(lines, draw), len(lines)):
        lines[place] = lines[place].replace(b",", new)


def other_line_ends(content: bytes, draw: Callable) -> bytes:
    return content.replace(b"\r\n", b"\n").replace(b"\n", draw(st.sampled_from([b"\r\n", b"\r", b"\n\n", b"\n\r"])))


def other_encoding(content: bytes, draw: Callable) -> bytes:
    encoding = draw(st.sampled_from(["utf-16", "utf-16-le", "utf-8-sig", "utf-32"]))
    return content.decode("latin-1").encode(encoding)


DAMAGE = [
    flip, truncate, insert, other_line_ends, other_encoding,
    *map(of_lines, (repeat_line, lose_line, move_line, join_lines, swap_columns, other_delimiter)),
]  # fmt: skip


def damaged(content: bytes, draw: Callable) -> bytes:
    for _ in range(draw(st.integers(1, 3))):
        content = draw(st.sampled_from(DAMAGE))(content, draw)
    return content


def packed(file: Sent, content: bytes, draw: Callable) -> bytes:
    """The bytes on disk, which may be damaged too."""
    if file.beside is not None:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in {**file.beside, file.name.partition("/")[2]: content}.items():
                archive.writestr(name, text)
        content = out.getvalue()
    elif file.name.endswith(".gz"):
        content = gzip.compress(content, mtime=0)
    else:
        return content
    return flip(content, draw) if draw(st.integers(0, 3)) == 0 else content


def check(file: Sent, root: Path, on_disk: bytes) -> SourceReport:
    """Land one damaged file in a place of its own."""
    shutil.rmtree(root, ignore_errors=True)
    folder = root / "landing" / file.source.name / BULK
    folder.mkdir(parents=True)
    (folder / file.name.partition("/")[0]).write_bytes(on_disk)
    zones = Zones.below(root)
    with Ledger(root / "ledger.sqlite") as ledger:
        report = land_source(
            file.source, zones=zones, ledger=ledger, key=KEY, cover=Cover(everything_of(file.source.name, DAY)), as_of=DAY,
            run_id="run", limits=Limits("512MB", 1, "1GB", root / "scratch"),
        )  # fmt: skip
    check_rows(file, report, zones)
    kept = (root / "ledger.sqlite").read_bytes()
    for value in file.telltale:
        assert not any(value in message.encode() for message in report.messages), report.messages
        assert value not in kept
    return report


def check_rows(file: Sent, report: SourceReport, zones: Zones) -> None:
    """Each row of a file that landed lies in raw or in quarantine, once; of a file that did not, none does."""

    def kept(zone: Path) -> dict[int, int]:
        files = [str(path) for path in (zone / file.source.name).glob("*/*.parquet")]
        if not files:
            return {}
        name = "_load_seq" if zone == zones.raw else "load_seq"
        return dict(
            duckdb.execute(
                f"select {name}, count(*) from read_parquet($1, union_by_name = true) group by all", [files]
            ).fetchall()
        )

    landed = {load.load_seq: load for load in report.files if load.status == "landed"}
    assert {seq: load.rows_landed for seq, load in landed.items() if load.rows_landed} == kept(zones.raw)
    assert {seq: n for seq, load in landed.items() if (n := load.rows_quarantined)} == kept(zones.identifiable / "quarantine")
    assert report.files, "a file was passed over in silence"
    for load in report.files:
        assert load.status == "landed" or load.reason


@given(data=st.data())
@settings(
    max_examples=EXAMPLES, deadline=None, database=None, derandomize="FUZZ_EXAMPLES" not in os.environ,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_a_damaged_file_is_landed_or_refused_and_nothing_is_lost_or_told(sent, tmp_path_factory, data):
    file = sent[data.draw(st.integers(0, len(sent) - 1), label="file")]
    content = damaged(file.content, data.draw)
    check(file, tmp_path_factory.getbasetemp() / "fuzz", packed(file, content, data.draw))
