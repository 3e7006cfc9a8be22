"""Open data of a place so small that nearly every count is."""

from __future__ import annotations

import re

import duckdb
import pytest
from small_place import DELTA

from orchestration.publishing.open_data import OPEN_DEFINITIONS, OPEN_TABLES

COUNTS = [(table.name, measure.name, measure.hidden_flag) for table in OPEN_TABLES for measure in table.measures]


@pytest.fixture(scope="module")
def open_dir(loaded):
    return loaded.data_dir / "releases" / loaded.current / "open"


def rows(source, *columns):
    return duckdb.sql(f"select {', '.join(columns)} from {source}").fetchall()


def test_no_small_count_leaves(loaded, open_dir):
    for table, measure, flag in COUNTS:
        parquet = f"'{open_dir}/parquet/{table}.parquet'"
        for figure, is_hidden in [
            *loaded.query(f"select {measure}, {flag} from marts.{table}", "open"),
            *rows(parquet, measure, flag),
        ]:
            assert is_hidden == (figure is None)
            assert figure is None or figure == 0 or (figure >= 10 and figure % 5 == 0), (table, measure, figure)


def test_much_is_hidden_and_something_is_shown(loaded):
    for table, _, flag in COUNTS:
        ((n_shown,),) = loaded.query(f"select count(*) filter (where not {flag}) from marts.{table}", "open")
        assert n_shown > 0, table
    ((n_hidden,),) = loaded.query("select count(*) from marts.agg_condition where is_n_patients_hidden", "open")
    assert n_hidden > 0


def test_there_is_no_table_of_people(loaded):
    tables = {name for (name,) in loaded.query("select distinct table_name from duckdb_columns() where not internal", "open")}
    of_itself = {"dictionary_table", "dictionary_column"}
    assert tables == {table.name for table in OPEN_TABLES} | set(OPEN_DEFINITIONS) | of_itself


def test_the_page_shows_no_small_count(open_dir):
    page = (open_dir / "site" / "index.html").read_text()
    cells = re.findall(r"<td class=number>([\d,]+)</td>", page)
    assert cells
    assert {int(cell.replace(",", "")) for cell in cells} & set(range(1, 8)) == set()


def test_the_second_night_says_of_the_month_what_the_first_said(loaded):
    first, second = sorted(path.name for path in (loaded.data_dir / "releases").glob("2026-*"))
    assert second.startswith(DELTA)
    for table, measure, _ in COUNTS:
        sql = f"select month_end, area_type, area_code, {measure} from marts.{table} order by all"
        assert loaded.query(sql, "open", release=first) == loaded.query(sql, "open", release=second)


def test_open_data_count_those_who_may_be_counted(loaded):
    """The whole, before rounding, is the registered people of the secondary use release at the month end."""
    ((shown,),) = loaded.query(
        "select n_people from marts.agg_segment where area_type = 'all' and segment_code = 'all' "
        "and month_end = (select max(month_end) from marts.agg_segment)",
        "open",
    )
    ((true,),) = loaded.query(
        "select count(*) from marts.person_segment where month_end = (select max(month_end) from marts.person_segment) "
        "and scheme = 'bridges_to_health_style'",
        "secondary_use",
    )
    assert abs(shown - true) <= 2
