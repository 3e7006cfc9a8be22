"""Properties of reading: every row is accounted for, both ways of reading agree, and lines are the physical ones."""

from __future__ import annotations

import csv
import io
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from landing_place import KEY, Ledger, Limits, Place, Zones, column, table, write_contract

from orchestration.landing.contract import Table
from orchestration.landing.files import Item
from orchestration.landing.intake import take_in
from orchestration.landing.layout import read_layout
from orchestration.landing.reader import FastRows, TextRows, read_carefully
from orchestration.landing.table import StagedRows, Untrusted, stage_rows

COLUMNS = ["id", "name", "note"]
HEADER = b"id,name,note\n"
DAY = date(2026, 3, 1)

#: Text of a field that either way of reading may keep as it is. A quote inside is doubled by the writer.
TEXT = st.text(st.sampled_from('ab,"\n;é '), max_size=6).filter(lambda text: text == text.strip())


@contextmanager
def temporary_place(**terms: object) -> Iterator[Place]:
    root = Path(tempfile.mkdtemp())
    try:
        columns = [column("id", required=False), column("name", required=False), column("note", required=False)]
        source = write_contract(root / "c.yml", [table("people", columns, **terms)], max_bad_row_share=1.0)
        with Ledger(root / "ledger.sqlite") as ledger:
            yield Place(root, source, ledger, Zones.below(root / "data"), Limits("512MB", 2, "1GB", root / "scratch"))
    finally:
        shutil.rmtree(root)


def written(records: list[list[str]], line_end: str, *, quote_all: bool) -> bytes:
    out = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    csv.writer(out, lineterminator=line_end, quoting=quoting).writerows(records)
    return out.getvalue().encode()


def both_ways(
    tmp: Path, people: Table, content: bytes
) -> tuple[StagedRows | None, StagedRows, list[tuple[duckdb.DuckDBPyConnection, TextRows]]]:
    (tmp / "people.csv").write_bytes(content)
    intake = take_in(Item("people.csv", tmp / "people.csv"), "utf-8", tmp / "copy")
    layout = read_layout(people, intake, "people.csv")
    ways: list[TextRows] = [
        FastRows(intake, people.terms.format, layout),
        read_carefully(people, intake, layout, tmp / "rows.parquet"),
    ]
    staged: list[StagedRows | None] = []
    used = []
    for rows in ways:
        con = duckdb.connect(config={"threads": 2})
        KEY.install(con)
        used.append((con, rows))
        try:
            staged.append(stage_rows(con, people, rows, delivery_date=DAY, groups={}, has_nul=intake.has_nul))
        except (Untrusted, duckdb.Error):
            staged.append(None)
    assert staged[1] is not None
    return staged[0], staged[1], used


def rows_with_lines(con: duckdb.DuckDBPyConnection, rows: TextRows) -> list[tuple[object, ...]]:
    line, join = rows.line_sql("landing_staged")
    return con.execute(f"select {line}, id, name, note from landing_staged {join} order by 1").fetchall()


@pytest.fixture(scope="module")
def people_table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    path = tmp_path_factory.mktemp("contract") / "c.yml"
    return write_contract(path, [table("people", [column(name) for name in COLUMNS])]).table("people")


@settings(max_examples=25, deadline=None)
@given(
    body=st.one_of(
        st.binary(max_size=200),
        st.text(st.sampled_from('1,"\n\r\0ab;é'), max_size=80).map(str.encode),
        st.lists(st.sampled_from([b"1,a,b\n", b'2,"x\ny",c\r\n', b"\n", b"3,d\n", b'4,"e,f\n', b"\xff,g,h\n"]), max_size=12).map(
            b"".join
        ),
    )
)
@example(b'"')
@example(b"1,a,b\n\r2,c,d\r\n")
def test_every_row_is_accounted_for_whatever_the_bytes(body: bytes) -> None:
    with temporary_place() as place:
        report = place.deliver_and_land("2026-03-01", {"people.csv": HEADER + body})
        assert report.status in ("ok", "refused")
        landed, quarantined = place.raw("people"), place.quarantine("people")
        assert report.rows_in == len(landed) + len(quarantined)
        assert (report.rows_landed, report.rows_quarantined) == (len(landed), len(quarantined))
        lines = {row["_line"] for row in landed} | {row["line"] for row in quarantined}
        assert len(lines) == report.rows_in


@settings(max_examples=40, deadline=None)
@given(
    records=st.lists(st.lists(TEXT, min_size=3, max_size=3), min_size=1, max_size=12),
    line_end=st.sampled_from(["\n", "\r\n"]),
    quote_all=st.booleans(),
)
def test_both_ways_of_reading_agree_on_a_well_formed_file(
    people_table: Table, records: list[list[str]], line_end: str, quote_all: bool
) -> None:
    """And both agree with where Python's csv module says each record begins."""
    content = written([COLUMNS, *records], line_end, quote_all=quote_all)
    with tempfile.TemporaryDirectory() as tmp:
        fast, _, used = both_ways(Path(tmp), people_table, content)
        careful_rows = rows_with_lines(*used[1])
        if fast is not None:
            assert rows_with_lines(*used[0]) == careful_rows
        reader = csv.reader(io.StringIO(content.decode(), newline=""))
        expected, begins = [], 1
        for record in reader:
            if record and begins > 1:
                expected.append((begins, *(field or None for field in record)))
            begins = reader.line_num + 1
        assert careful_rows == expected


@settings(max_examples=25, deadline=None)
@given(
    kinds=st.lists(st.sampled_from(["good", "spanning", "short", "long", "bytes"]), min_size=1, max_size=30),
    repeat=st.sampled_from([1, 150]),
)
def test_lines_are_the_physical_ones_however_rows_are_mixed(people_table: Table, kinds: list[str], repeat: int) -> None:
    """Fields carry the line they begin on, so that a wrong line number shows."""
    out, line, good, bad = [HEADER], 2, [], []
    for kind in itertools.chain.from_iterable(itertools.repeat(kinds, repeat)):
        text = {
            "good": f"{line},a,b\n",
            "spanning": f'{line},"a\n\nb",c\n',
            "short": f"{line},a\n",
            "long": f"{line},a,b,c\n",
            "bytes": f"{line},\udcff,b\n",
        }[kind].encode("utf-8", "surrogateescape")
        (good if kind in ("good", "spanning") else bad).append(line)
        out.append(text)
        line += text.count(b"\n")
    with tempfile.TemporaryDirectory() as tmp:
        fast, _, used = both_ways(Path(tmp), people_table, b"".join(out))
        assert fast is not None
        for con, rows in used:
            assert [(row[0], row[1]) for row in rows_with_lines(con, rows)] == [(n, str(n)) for n in good]
            assert [malformed.line for malformed in rows.malformed] == bad


def test_a_large_file_keeps_its_order_and_lines_when_read_in_parallel(people_table: Table, tmp_path: Path) -> None:
    n = 300_000
    body = "".join(f'{i},"{"x" * (i % 50)}",{"y" if i % 1000 else "z,w"}\n' for i in range(n))
    fast, careful, used = both_ways(tmp_path, people_table, HEADER + body.encode())
    assert fast is not None
    assert fast.n_records == careful.n_records == n - n // 1000
    con, rows = used[0]
    line, join = rows.line_sql("landing_staged")
    assert con.execute(f"select count(*) from landing_staged {join} where {line} <> id::bigint + 2").fetchone() == (0,)


def test_lines_of_a_large_file_are_the_physical_ones_whatever_its_types(make_place: Callable[..., Place]) -> None:
    n = 300_000
    born = column("born", "date", identity="birth_date")
    columns = [column("id", "integer"), column("is_seen", "boolean"), born, column("note")]
    place = make_place(table("people", columns))
    body = "".join(f"{i},{'yn'[i % 2]},1980-01-01,{'x' * 80}\n" for i in range(n))
    report = place.deliver_and_land("2026-03-01", {"people.csv": "id,is_seen,born,note\n" + body})
    assert report.rows_landed == n
    raw = place.zones.raw / "clinic" / "people"
    with duckdb.connect() as con:
        assert con.execute(f"select count(*) from read_parquet('{raw}/*.parquet') where _line <> id + 2").fetchone() == (0,)


def test_a_clean_file_is_not_read_row_by_row(people_table: Table, tmp_path: Path) -> None:
    fast, _, _ = both_ways(tmp_path, people_table, HEADER + b'1,"a,b",c\n2,,\n')
    assert fast is not None
