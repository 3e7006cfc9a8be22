"""`phm review` as reviewers use it: from a terminal, from a script, and by a spreadsheet."""

from __future__ import annotations

import csv
import fcntl
import io
import os
import stat
from datetime import date
from pathlib import Path
from uuid import UUID

import duckdb
import pytest
from rich.console import Console
from typer.testing import CliRunner

from linkage.standardise import IDENTITY_COLUMNS
from orchestration.cli import EXIT_CANNOT_START, EXIT_LOCKED, app
from orchestration.patient_index import link_records
from orchestration.review_desk import Desk, ask
from orchestration.settings import Settings, load_settings

ONE, OTHER, THIRD, FOURTH = (str(UUID(int=i)) for i in range(1, 5))
#: Never-issued numbers with right check digits.
NUMBERS = ("5000000005", "5000000013", "5000000021", "5000000048")
JO = {"given_name": "=Josephine", "family_name": "Okonkwo-Bright", "birth_date": "1980-03-12", "sex": "F", "postcode": "AB12 3CD"}
MO = {"given_name": "Mihai", "family_name": "Popescu", "birth_date": "1951-07-30", "sex": "M", "postcode": "AB19 9ZZ"}


@pytest.fixture
def settings(monkeypatch, tmp_path) -> Settings:
    """A data directory with four linked records: two persons that may be one, twice."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("PHM_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PHM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PHM_ENVIRONMENT", "demo")
    monkeypatch.setenv("PHM_AS_OF", "2026-01-05")
    load_settings.cache_clear()
    settings = load_settings()
    people = zip((ONE, OTHER, THIRD, FOURTH), NUMBERS, (JO, JO, MO, MO), strict=True)
    write_identity(settings, [{"record_token": token, "nhs_number": number, **who} for token, number, who in people], 1)
    link_records(settings, "night-1", date(2026, 1, 1))
    yield settings
    load_settings.cache_clear()
    for name in set(os.environ) - set(before):
        del os.environ[name]


def write_identity(settings: Settings, rows: list[dict[str, str]], load: int) -> None:
    path = settings.identifiable_dir / "identity" / "gp_emis" / "admin_patient" / f"{load:08d}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    known = {"source": "gp_emis", "table_name": "admin_patient", "load_seq": str(load), "is_deleted": "false"}
    values = [
        "("
        + ", ".join(f"'{v}'::{t}" if (v := {**known, **row}.get(c)) else f"null::{t}" for c, t in IDENTITY_COLUMNS.items())
        + ")"
        for row in rows
    ]
    duckdb.sql(
        f"copy (select * from (values {', '.join(values)}) as t ({', '.join(IDENTITY_COLUMNS)})) to '{path}' (format parquet)"
    )


def phm(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["review", *arguments])
    return result.exit_code, result.output


def sheet(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))


def fill(path: Path, rows: list[dict[str, str]], **verdicts: str) -> None:
    """Write the verdicts of these row numbers, as a spreadsheet saves them."""
    for number, verdict in verdicts.items():
        rows[int(number[1:])]["verdict"] = verdict
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def test_a_sheet_goes_out_and_comes_back_and_a_decision_is_undone(settings, tmp_path):
    paths = {}
    for reviewer in ("r1", "r2"):
        assert phm("export", "--reviewer", reviewer)[0] == 0
        paths[reviewer] = settings.identifiable_dir / "review" / f"questions-{reviewer}.csv"
        rows = sheet(paths[reviewer])
        assert len(rows) == 2
        fill(paths[reviewer], rows, r0="same", r1="same" if reviewer == "r1" else "different")
        code, said = phm("import", str(paths[reviewer]))
        assert code == 0, said
    assert "1 decisions made" in said
    assert "Cohen's kappa" in phm("status")[1]
    # the one who decides learns that there was disagreement, and nothing else
    assert phm("export", "--reviewer", "r3")[0] == 0
    (last,) = sheet(settings.identifiable_dir / "review" / "questions-r3.csv")
    assert last["last_word"] == "yes"
    assert not {"r1", "r2"} & set(last.values())
    assert phm("next", "--reviewer", "r3", "--question", last["question_id"], "--verdict", "different")[0] == 0
    listed = phm("list", "--decided")[1].splitlines()
    assert len(listed) == 2
    code, said = phm("undo", listed[0].split()[0], "--reviewer", "r1")
    assert code == 0, said
    assert len(phm("list", "--decided")[1].splitlines()) == 1


def test_a_sheet_is_private_and_runs_nothing(settings, tmp_path):
    target = tmp_path / "elsewhere" / "mine.csv"
    assert phm("export", str(target), "--reviewer", "r1")[0] == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    names = {row["one_given_name"] for row in sheet(target)}
    assert names == {"'=Josephine", "Mihai"}
    assert phm("export", str(tmp_path / "mine.xlsx"), "--reviewer", "r1")[0] == EXIT_CANNOT_START
    assert not (tmp_path / "mine.xlsx").exists()


def test_one_bad_line_and_nothing_is_taken(settings, tmp_path):
    path = tmp_path / "sheet.csv"
    phm("export", str(path), "--reviewer", "r1")
    rows = sheet(path)
    # a cell of two lines moves the lines below it
    rows[0]["comment"] = "both\nseen"
    fill(path, [*rows, {**rows[0], "question_id": "nonsense"}], r0="same", r1="perhaps", r2="")
    code, said = phm("import", str(path))
    assert code == EXIT_CANNOT_START
    assert "line 4" in said
    assert "perhaps" in said
    fill(path, rows, r0="same", r1="same")
    write_identity(
        settings,
        [
            {"record_token": t, "nhs_number": n, **w, "postcode": "AB1 1AA"}
            for t, n, w in zip((ONE, THIRD), NUMBERS[::2], (JO, MO), strict=True)
        ],
        2,
    )
    link_records(settings, "night-2", date(2026, 1, 2))
    code, said = phm("import", str(path))
    assert code == EXIT_CANNOT_START
    assert said.count("a record has changed") == 2
    assert "r1" not in phm("status")[1]


def test_files_that_are_no_sheet_are_refused_with_what_to_do(settings, tmp_path):
    path = tmp_path / "sheet.csv"
    for content, told in ((b"a;b\n1;2\n", "no column question_id"), ("naïve".encode("latin-1"), "CSV UTF-8")):
        path.write_bytes(content)
        code, said = phm("import", str(path))
        assert code == EXIT_CANNOT_START
        assert told in said


def test_questions_are_put_one_by_one(settings):
    console = Console(file=io.StringIO(), width=160)
    keys = iter(["x", "s", "the same address", "k"])
    assert ask(Desk(settings), "r1", console, lambda _: next(keys)) == 1
    shown = console.file.getvalue()
    assert "verified NHS number of its own" in shown
    assert "Okonkwo-Bright" in shown
    assert "NHS number" in shown
    assert "strongly for one person" in shown
    assert len(Desk(settings).questions("r1")) == 1
    assert len(Desk(settings).questions("r2")) == 2


def test_lists_and_status_name_nobody(settings):
    for command in (("list",), ("status",)):
        code, said = phm(*command)
        assert code == 0
        assert "two_numbers" in said
        assert not any(value in said for value in (*JO.values(), *MO.values(), *NUMBERS) if len(value) > 1)


def test_a_waterfall_is_a_private_page_that_fetches_nothing(settings, tmp_path):
    out = tmp_path / "pair.html"
    code, said = phm("waterfall", ONE, OTHER, "--out", str(out))
    assert code == 0, said
    page = out.read_text(encoding="utf-8")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "<svg" in page
    assert "<script" not in page
    assert "src=" not in page
    assert "okonkwo" in page


def test_what_cannot_be_done_says_so(settings):
    assert phm("undo", "nonsense", "--reviewer", "r1")[0] == EXIT_CANNOT_START
    assert phm("next", "--reviewer", "Jane Smith")[0] == EXIT_CANNOT_START
    with settings.lock_path.open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert phm("list")[0] == EXIT_LOCKED
    settings.registry_path.unlink()
    code, said = phm("list")
    assert code == EXIT_CANNOT_START
    assert "nothing has been linked" in said
