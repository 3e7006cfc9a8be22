"""`phm query` and `phm open`: the release at a glance, and out of it into files."""

from __future__ import annotations

import csv
import io
import webbrowser

import polars as pl
import pytest

from orchestration.publishing.release import ReleaseError
from orchestration.served_release import answer, front_page, show_page
from orchestration.settings import Settings

PEOPLE = "select person_id, birth_month, sex from marts.person order by person_id"


@pytest.fixture
def ask(loaded):
    """Ask the release: the screen is 100 characters wide."""

    def ask(sql, form=None, output=None, purpose="direct_care"):
        answer(Settings(data_dir=loaded.data_dir), sql, purpose, form, output, 100)

    return ask


@pytest.fixture(scope="module")
def people(loaded):
    return [(str(person_id), month, sex) for person_id, month, sex in loaded.query(PEOPLE)]


def test_a_query_is_drawn_on_the_screen(ask, people, capsys):
    ask("select count(*) as n_people from marts.person")
    drawn = capsys.readouterr().out
    assert "n_people" in drawn
    assert str(len(people)) in drawn


def test_a_query_goes_to_csv_on_standard_output(ask, people, capsysbinary):
    ask(PEOPLE, "csv")
    rows = csv.DictReader(io.StringIO(capsysbinary.readouterr().out.decode("utf-8")))
    expected = [(person_id, month.isoformat(), sex or "") for person_id, month, sex in people]
    assert [(row["person_id"], row["birth_month"], row["sex"]) for row in rows] == expected


def test_the_ending_of_a_file_says_its_form(ask, people, tmp_path):
    ask(PEOPLE, output=tmp_path / "people.parquet")
    ask(PEOPLE, output=tmp_path / "people.csv")
    assert pl.read_parquet(tmp_path / "people.parquet").rows() == people
    assert pl.read_csv(tmp_path / "people.csv", try_parse_dates=True).rows() == people


def test_a_text_that_a_spreadsheet_would_run_is_made_harmless_in_csv_only(ask, capsysbinary, tmp_path):
    sql = "select '=1+1' as formula, ['-2'] as list, -3 as number, null as nothing"
    ask(sql, "csv")
    assert capsysbinary.readouterr().out.splitlines()[1] == b'"\'=1+1","[-2]",-3,'
    ask(sql, output=tmp_path / "out.parquet")
    assert pl.read_parquet(tmp_path / "out.parquet")["formula"].to_list() == ["=1+1"]


@pytest.mark.parametrize(
    ("sql", "because"),
    [
        ("drop table marts.person", "read-only"),
        ("select * from read_text('/etc/hostname')", "disabled by configuration"),
        ("copy marts.person to '{}/out.csv'", "disabled by configuration"),
        ("attach '{}/other.duckdb'", "disabled by configuration"),
        ("set enable_external_access = true", "locked"),
        ("selec", "syntax error"),
    ],
)
def test_a_query_reads_the_release_and_nothing_else(ask, tmp_path, sql, because):
    with pytest.raises(ReleaseError, match=because):
        ask(sql.format(tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_form_or_a_purpose_that_there_is_not_is_refused_by_name(ask, tmp_path):
    with pytest.raises(ReleaseError, match="table, csv, parquet"):
        ask(PEOPLE, output=tmp_path / "people.xlsx")
    with pytest.raises(ReleaseError, match="for the screen"):
        ask(PEOPLE, "table", tmp_path / "people.csv")
    with pytest.raises(ReleaseError, match="direct_care, secondary_use, open"):
        ask(PEOPLE, purpose="research")


def test_a_query_that_fails_half_way_leaves_the_file_that_was_there(ask, tmp_path):
    file = tmp_path / "people.csv"
    file.write_text("of yesterday")
    with pytest.raises(ReleaseError):
        ask("select case when row_number() over () > 300 then error('broken') else 'x' end as a from marts.person", output=file)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["of yesterday"]


def test_the_front_page_opens_in_a_browser_with_a_window_only(loaded, monkeypatch):
    page = front_page(Settings(data_dir=loaded.data_dir), "open")
    assert page == (loaded.data_dir / "releases" / "current" / "open" / "site" / "index.html").resolve()

    class Window(webbrowser.BaseBrowser):
        def open(self, url, *arguments):
            self.opened = url
            return True

    window = Window()
    monkeypatch.setattr(webbrowser, "get", lambda: window)
    assert show_page(page)
    assert window.opened == page.as_uri()
    monkeypatch.setattr(webbrowser, "get", lambda: webbrowser.GenericBrowser("lynx"))
    assert not show_page(page)
