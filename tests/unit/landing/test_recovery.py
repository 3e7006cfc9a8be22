"""Our own trouble: a killed run, a full disk, a folder that cannot be written; and compaction, which must change nothing."""

from __future__ import annotations

import errno
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from landing_place import HEADER, KEY, Place, column, people, table

from orchestration.landing import compact as compaction
from orchestration.landing import land as landing
from orchestration.landing.compact import compact_table
from orchestration.landing.errors import LandingError
from orchestration.landing.ledger import Ledger, Load
from orchestration.landing.operations import OPERATIONS, ensure_empty_tables, export_operations, recover

MakePlace = Callable[..., Place]
GOOD = b"1,Smith,1980-02-01,2026-01-01,3\n"


class Killed(BaseException):
    """Stands for a kill: nothing after it runs."""


def parquet(place: Place) -> list[str]:
    return sorted(p.relative_to(place.root).as_posix() for p in (place.root / "data").glob("[ir]*/**/*") if p.is_file())


@pytest.mark.parametrize("moment", ["before the ledger", "between two renames", "while writing"])
def test_a_killed_run_is_finished_by_the_next(place: Place, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    place.deliver("2026-03-01", {"people.csv": HEADER + GOOD + b"2,bad\n"})
    with monkeypatch.context() as patch:

        def killed(*_: object, **__: object) -> None:
            raise Killed

        if moment == "before the ledger":
            patch.setattr(Ledger, "record", killed)
        elif moment == "between two renames":
            rename, calls = Path.replace, []

            def rename_once(self: Path, target: Path) -> Path:
                calls.append(self)
                return rename(self, target) if len(calls) < 2 else killed()  # type: ignore[return-value]

            patch.setattr(Path, "replace", rename_once)
        else:
            patch.setattr(landing._BatchWork, "discard", killed)
            patch.setattr(landing._BatchWork, "_warn", killed)
        with pytest.raises(Killed):
            place.land()
    assert parquet(place)
    assert place.statuses() == []
    assert recover(place.zones, place.ledger)
    assert parquet(place) == []
    assert place.land().status == "ok"
    assert len(place.raw("people")) == len(place.identity("people")) == len(place.quarantine("people")) == 1
    assert recover(place.zones, place.ledger) == []


def test_a_full_disk_is_told_and_nothing_of_the_delivery_is_kept(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.deliver("2026-03-01", {"people.csv": HEADER + GOOD})

    def full(_: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("orchestration.landing.table.sync", full)
        with pytest.raises(LandingError, match=r"No space left.*free space"):
            place.land()
    assert parquet(place) == []
    assert place.statuses() == []
    assert place.land().status == "ok"


def test_a_folder_that_cannot_be_written_is_named(place: Place) -> None:
    place.deliver("2026-03-01", {"people.csv": HEADER + GOOD})
    place.zones.raw.parent.mkdir(parents=True, exist_ok=True)
    place.zones.raw.write_text("a file where a folder belongs")
    with pytest.raises(LandingError, match=str(place.zones.raw)):
        place.land()
    with pytest.raises(LandingError, match="permissions"):
        ensure_empty_tables([place.source], place.zones.raw)


def test_a_ledger_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").write_text("this is no database, and it is long enough to be looked at as one")
    with pytest.raises(LandingError, match=r"ledger\.sqlite"):
        Ledger(tmp_path / "ledger.sqlite")


def test_the_ledger_refuses_rows_that_are_not_accounted_for(place: Place) -> None:
    load = Load("clinic", "people", date(2026, 3, 1), "people.csv", "landed", rows_in=3, rows_landed=1, rows_quarantined=1)
    with pytest.raises(LandingError, match="cannot be written"):
        place.ledger.record([load], "run")
    assert place.statuses() == []


def test_numbers_of_loads_are_never_used_twice(place: Place) -> None:
    place.deliver_and_land("2026-03-01", {"people.csv": b""})
    assert place.ledger.next_load_seq() == 2
    place.deliver_and_land("2026-03-01", {"people.csv": HEADER + GOOD})
    assert place.raw("people")[0]["_load_seq"] == 2


def test_every_table_can_be_read_before_anything_landed(place: Place) -> None:
    ensure_empty_tables([place.source], place.zones.raw)
    with duckdb.connect() as con:
        described = con.execute(f"describe select * from '{place.zones.raw}/clinic/people/*.parquet'").fetchall()
    assert {name: kind.lower() for name, kind, *_ in described} == place.source.table("people").raw_columns
    place.deliver_and_land("2026-03-01", {"people.csv": HEADER + GOOD})
    ensure_empty_tables([place.source], place.zones.raw)
    assert len(place.raw("people")) == 1


def test_the_ledger_is_exported_as_tables(place: Place) -> None:
    place.deliver_and_land("2026-03-01", {"people.csv": HEADER + GOOD + b"2,bad\n", "odd.bin": b"x"})
    ensure_empty_tables([place.source], place.zones.raw)
    for _ in range(2):
        export_operations(place.ledger, place.zones.raw)
    found: dict[str, list[tuple[Any, ...]]] = {}
    with duckdb.connect() as con:
        for name, columns in OPERATIONS.items():
            relation = f"'{place.zones.raw}/operations/{name}/*.parquet'"
            described = con.execute(f"describe select * from {relation}").fetchall()
            assert {column_name: kind.lower() for column_name, kind, *_ in described} == columns
            found[name] = con.execute(f"select * from {relation}").fetchall()
    assert [(row[0], row[5], row[7:10]) for row in found["delivery"]] == [(1, "unknown", (0, 0, 0)), (2, "landed", (2, 1, 1))]
    assert found["delivery_window"] == [(2, "clinic", "people", "", "full")]
    assert [row[5:9] for row in found["quarantine_summary"]] == [
        (None, "ragged_row", "the row does not have as many fields as the file has columns", 1)
    ]


CURRENT = """
    with full_load as (select "window", max(load_seq) as seq from w where mode = 'full' group by 1),
    version as (
        select r.*, coalesce(r._load_seq >= f.seq, true) as standing from r left join full_load f on f."window" = r._window
    ),
    ranked as (
        select *, bool_or(not _is_deleted) over (partition by record_token) as was_live,
            row_number() over (
                partition by record_token order by standing desc, changed_on desc nulls last, _load_seq desc, _line desc
            ) as n
        from version
    )
    select record_token, value, _load_seq, standing and not _is_deleted as is_live
    from ranked
    where n = 1 and was_live
    order by all
"""


def current(place: Place) -> list[tuple[Any, ...]]:
    """Replay as the macro `current_rows` does it."""
    with duckdb.connect() as con:
        con.execute(f"create view r as select * from '{place.zones.raw}/clinic/state/*.parquet'")
        con.execute('create table w (load_seq integer, "window" varchar, mode varchar)')
        con.executemany("insert into w values (?, ?, ?)", place.windows())
        return con.execute(CURRENT).fetchall()


def history(make_place: MakePlace, **terms: Any) -> Place:
    columns = [
        column("id", identity="record_id"), column("org"), column("changed_on", "date"), column("value"), column("gone"),
    ]  # fmt: skip
    terms = {
        "mode": "bulk_then_delta",
        "window": ["org"],
        "order_by": ["changed_on"],
        "deleted": {"column": "gone", "values": ["Y"]},
        **terms,
    }
    place = make_place(table("state", columns, **terms))
    header = "id,org,changed_on,value,gone\n"
    nights = [
        "1,A,2026-01-01,a,\n2,A,2026-01-01,b,\n3,B,2026-01-01,c,\n4,A,2026-01-09,d,\n",
        "1,A,2026-01-02,a2,\n2,A,2026-01-02,,Y\n4,A,2026-01-02,old,\n5,B,2026-01-02,e,\n",
        "1,A,2026-01-03,a3,\n2,A,2026-01-03,,Y\n6,A,2026-01-03,,Y\n",
        "3,B,2026-01-04,c2,\n",
    ]
    for number, rows in enumerate(nights, 1):
        place.deliver_and_land(f"2026-03-{number:02d}", {"state.csv": header + rows})
    return place


@pytest.mark.parametrize("mode", ["bulk_then_delta", "full"])
def test_compaction_merges_files_and_changes_no_current_row(make_place: MakePlace, mode: str) -> None:
    place = history(make_place, mode=mode)
    before = current(place)
    result = compact_table(
        place.source.table("state"), raw_dir=place.zones.raw, ledger=place.ledger, below=4, limits=place.limits
    )
    assert result is not None
    assert current(place) == before
    assert result.rows_after < result.rows_before
    assert [p.name for p in sorted((place.zones.raw / "clinic/state").iterdir())] == [
        "00000001-00000003.parquet",
        "00000004.parquet",
    ]
    assert recover(place.zones, place.ledger) == []


def test_compaction_keeps_history_where_the_contract_asks_for_it(make_place: MakePlace) -> None:
    place = history(make_place, keep_history=True)
    result = compact_table(
        place.source.table("state"), raw_dir=place.zones.raw, ledger=place.ledger, below=9, limits=place.limits
    )
    assert result is not None
    assert result.rows_after == result.rows_before == 12


def test_compaction_killed_after_its_rename_is_tidied(make_place: MakePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    place = history(make_place)
    before = current(place)
    calls: list[Path] = []

    def killed_at_the_folder(path: Path) -> None:
        calls.append(path)
        if len(calls) == 2:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(compaction, "sync", killed_at_the_folder)
        with pytest.raises(Killed):
            compact_table(place.source.table("state"), raw_dir=place.zones.raw, ledger=place.ledger, below=9, limits=place.limits)
    assert len(recover(place.zones, place.ledger)) == 4
    assert current(place) == before


def test_there_is_nothing_to_compact_in_one_file(place: Place) -> None:
    place.deliver_and_land("2026-03-01", {"people.csv": HEADER + GOOD})
    options = {"raw_dir": place.zones.raw, "ledger": place.ledger, "below": 9, "limits": place.limits}
    assert compact_table(place.source.table("people"), **options) is None


def test_no_log_message_or_error_holds_the_key_or_a_patient_value(make_place: MakePlace) -> None:
    place = make_place(people(), max_bad_row_share=0.0)
    rows = b"".join(b"%d,Quillfeather,1980-02-01,not-a-day,3\n" % i for i in range(40))
    heard: list[str] = []
    report = place.deliver_and_land("2026-03-01", {"people.csv": HEADER + rows}, progress=heard.append)
    text = "\n".join([*report.messages, *heard, repr(report), repr(place.ledger.rows("select * from load"))])
    assert report.status == "refused"
    assert not [value for value in ("Quillfeather", "not-a-day", bytes(range(32)).hex(), repr(KEY._key)) if value in text]
