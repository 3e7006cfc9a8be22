"""Findings are counts with the right status, whatever is wrong with the table, and never a value of a row."""

from __future__ import annotations

import duckdb
import pytest

from expectations import Between, InSet, NoRows, NotNull, RowCount, Subject, Unique, check


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    """One run of every kind of rule over 1,000 rows, five of which lack a name and one of which repeats an id."""
    parquet = tmp_path_factory.mktemp("checks") / "people.parquet"
    duckdb.connect().execute(
        f"""
        copy (
            select
                case when range = 999 then 0 else range end as id,
                case when range < 5 then null else 'Secretname' || range end as name,
                case when range = 7 then 'Q' else 'M' end as sex,
                date '2026-04-01' + (range % 2)::integer as seen_on,
                date '2026-04-01' as delivered_on
            from range(1000)
        ) to '{parquet}'
        """
    )
    rules = (
        NotNull(column="id"),
        NotNull(column="name", tolerance=0.01),
        NotNull(column="name", tolerance=0.001),
        Unique(columns=("id",)),
        Unique(columns=("id", "sex")),
        InSet(severity="warning", column="sex", values=("M", "F")),
        Between(column="id", minimum=0, maximum=499),
        RowCount(minimum=1000),
        RowCount(maximum=999),
        NoRows(title="not_in_future", condition="seen_on > delivered_on"),
        NotNull(column="absent"),
        NoRows(title="broken", condition="no_such_column > 1"),
    )
    subjects = [
        Subject("people", f"select * from read_parquet('{parquet}')", rules),
        Subject("nowhere", "select * from no_such_table", (NotNull(column="id"),)),
    ]
    return check(subjects)


@pytest.mark.parametrize(
    ("position", "status", "n_failed"),
    [
        (0, "pass", 0),
        (1, "pass_with_rows", 5),
        (2, "fail", 5),
        (3, "fail", 2),
        (4, "fail", 2),
        (5, "fail", 1),
        (6, "fail", 499),
        (7, "pass", 0),
        (8, "fail", 1000),
        (9, "fail", 500),
        (10, "not_evaluated", 0),
        (11, "not_evaluated", 0),
    ],
)
def test_each_rule_counts_the_rows_that_break_it(findings, position, status, n_failed):
    finding = findings["people"][position]
    assert (finding.status, finding.n_failed) == (status, n_failed), finding
    assert finding.n_rows == (0 if status == "not_evaluated" else 1000)


def test_a_table_that_cannot_be_read_blocks_and_does_not_pass(findings):
    (finding,) = findings["nowhere"]
    assert finding.status == "not_evaluated"
    assert finding.is_blocking


def test_only_critical_failures_block(findings):
    blocking = {finding.rule for finding in findings["people"] if finding.is_blocking}
    assert "in_set:sex" not in blocking
    assert {"unique:id", "not_in_future", "not_null:absent"} <= blocking


def test_no_value_of_a_row_comes_back(findings):
    assert "Secretname" not in repr(findings)


def test_the_database_file_is_left_unlocked(tmp_path):
    database = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("create table person as select 1 as person_id")
    check([Subject("person", "select * from person", (NotNull(column="person_id"),))], database=str(database))
    with duckdb.connect(str(database)) as connection:  # a writer is refused while anybody holds the file
        connection.execute("insert into person values (2)")
