"""Change notes say in what two releases differ, and which differences people must know of."""

from __future__ import annotations

import duckdb
import pytest

from orchestration.publishing.changes import Earlier, headline, render, write_changes

CODE = {"git commit": "abc", "linkage model": "1"}
BEFORE = """
    create schema marts;
    create table marts.person as select i as person_id, 'F' as sex, 3 as imd_decile from range(50) as t(i);
    create table marts.old as select 1 as a;
    create table marts.person_condition as select 1 as person_id, 'dm' as condition_code, 1 as is_active, 'x' as note;
    create table marts.definition
        (kind varchar, code varchar, version varchar, name varchar, description varchar, limits varchar);
    insert into marts.definition values
        ('condition', 'dm', '1', 'Diabetes', 'A code.', null)
        , ('score', 'hfrs', '1', 'Frailty', 'Points.', null)
        , ('cohort', 'gone', '3', 'Gone', 'Gone.', null);
    create table marts.definition_rule as
        select 'score' as kind, 'hfrs' as code, 1 as line_number, 'Dementia' as rule, 7.1::double as points;
    create table marts.codelist_version as select 'snomed_dm' as codelist_id, '2025' as version, 10 as n_codes;
"""


@pytest.fixture
def compare(tmp_path):
    """Changes that SQL on a copy of `BEFORE` makes; `marts` is the schema."""

    def compare(sql="", code=CODE, has_same_ids=True):
        with duckdb.connect(str(tmp_path / "before.duckdb")) as connection:
            connection.execute("drop schema if exists marts cascade;" + BEFORE)
        earlier = Earlier("one", tmp_path / "before.duckdb", CODE, has_same_ids)
        with duckdb.connect() as connection:
            connection.execute("attach ':memory:' as release; use release;" + BEFORE + sql)
            found = write_changes(connection, "release", code, earlier)
            kept = connection.execute("select * from release.marts.release_change").fetchall()
        assert kept == [tuple(vars(change).values()) for change in found]
        return found, earlier

    return compare


def told(changes, *subjects):
    return {(c.change, c.name, c.aspect, c.value_before, c.value_after) for c in changes if not subjects or c.subject in subjects}


def test_the_same_twice_is_no_change(compare):
    assert compare()[0] == []


def test_a_night_that_brings_rows_and_people_only_is_not_worth_a_word(compare):
    changes, _ = compare("delete from marts.person where person_id < 5; insert into marts.person values (100, 'M', 1);")
    assert told(changes) == {
        ("added", "people", "people", None, "1"),
        ("removed", "people", "people", "5", None),
        ("changed", "person", "rows", "50", "46"),
    }
    assert headline(changes) == ""


def test_tables_and_columns_that_come_go_or_change_are_named_and_a_broken_promise_is_loud(compare):
    changes, earlier = compare(
        """
        alter table marts.person_condition alter column is_active type boolean;
        alter table marts.person_condition drop column note;
        alter table marts.person_condition add column onset_date date;
        alter table marts.person rename column imd_decile to deprivation_decile;
        drop table marts.old;
        create table marts.new as select 1 as a;
        """
    )
    assert told(changes) == {
        ("removed", "old", "table", "table", None),
        ("added", "new", "table", None, "table"),
        ("removed", "person.imd_decile", "type", "INTEGER", None),
        ("added", "person.deprivation_decile", "type", None, "INTEGER"),
        ("removed", "person_condition.note", "type", "VARCHAR", None),
        ("added", "person_condition.onset_date", "type", None, "DATE"),
        ("changed", "person_condition.is_active", "type", "INTEGER", "BOOLEAN"),
    }
    assert {change.name for change in changes if change.is_interface_break} == {"person.imd_decile", "person_condition.is_active"}
    assert headline(changes) == "tables and columns 7"
    notes = render(changes, "two", earlier)
    broken = notes[notes.index("public interface is broken") : notes.index("## Tables and columns")]
    assert "`person.imd_decile` removed (INTEGER)" in broken
    assert "note" not in broken


def test_what_definitions_say_is_compared_version_words_rule_and_codes(compare):
    changes, earlier = compare(
        """
        update marts.definition set version = '2', description = 'Two codes.' where code = 'dm';
        update marts.definition set code = 'new' where code = 'gone';
        update marts.definition_rule set points = 8;
        update marts.codelist_version set n_codes = 12;
        """
    )
    assert told(changes) == {
        ("changed", "condition dm", "version", "1", "2"),
        ("changed", "condition dm", "words", "Diabetes. A code.", "Diabetes. Two codes."),
        ("changed", "score hfrs", "rule", "Dementia 7.1 points", "Dementia 8.0 points"),
        ("changed", "codelist snomed_dm", "codes", "10", "12"),
        ("added", "cohort new", "version", None, "3"),
        ("removed", "cohort gone", "version", "3", None),
    }
    assert headline(changes) == "definitions 5"
    assert "condition dm: version changed from 1 to 2" in render(changes, "two", earlier)


def test_another_code_is_told_and_after_another_key_nobody_is_compared(compare):
    changes, earlier = compare("delete from marts.person where person_id < 5;", {**CODE, "git commit": "def"}, has_same_ids=False)
    assert told(changes, "code", "people") == {("changed", "git commit", "version", "abc", "def")}
    assert headline(changes) == "code 1"
    assert "people were not compared" in render(changes, "two", earlier)
