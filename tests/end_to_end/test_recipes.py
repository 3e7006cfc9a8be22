"""What docs/analysts.md tells analysts to type works on a release, and the star that it draws for BI holds."""

from __future__ import annotations

import re

import duckdb
import pytest
from small_place import REPOSITORY

PAGE = (REPOSITORY / "docs" / "analysts.md").read_text(encoding="utf-8")
PURPOSE = "secondary_use"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def relations() -> list[tuple[str, str, str, str]]:
    star = PAGE[PAGE.index("## A star for BI") : PAGE.index("## From your tools")]
    return re.findall(r"^\| `(\w+)` \| `(\w+)` \| `([\w, ]+)` \| `([\w, ]+)` \|$", star, re.MULTILINE)


@pytest.fixture(scope="module")
def release(loaded):
    database = loaded.data_dir / "releases" / "current" / PURPOSE / f"{PURPOSE}.duckdb"
    with duckdb.connect(str(database), read_only=True) as connection:
        yield connection


@pytest.mark.parametrize("code", blocks("python"))
def test_python_reads_everybody(loaded, release, monkeypatch, code):
    monkeypatch.chdir(loaded.data_dir)
    told: dict = {}
    exec(code, told)
    assert len(told["people"]) == release.sql("select count(*) from marts.person").fetchall()[0][0] > 0


@pytest.mark.parametrize("query", blocks("sql"))
def test_a_query_of_the_page_gives_rows(release, query):
    assert release.sql(query).fetchall()


def test_the_queries_of_the_commands_are_answered(release):
    queries = re.findall(r'^phm query "(.*?)"', "".join(blocks("bash")), re.MULTILINE)
    assert queries
    assert all(release.sql(query).fetchall() for query in queries)


def test_the_page_has_recipes_and_a_star():
    assert len(blocks("python")) == 2
    assert blocks("sql")
    assert len(relations()) > 10


@pytest.mark.parametrize(("fact", "dimension", "key", "of"), relations())
def test_a_relation_of_the_star_joins_one_to_many_without_orphans(release, fact, dimension, key, of):
    facts, keys = (", ".join(f"{table}.{name.strip()}" for name in names.split(",")) for table, names in (("f", key), ("d", of)))
    n_keys, n_distinct = release.sql(f"select count(*), count(distinct ({keys})) from marts.{dimension} as d").fetchall()[0]
    assert n_keys == n_distinct
    orphans = f"select count(*) from marts.{fact} as f where ({facts}) not in (select ({keys}) from marts.{dimension} as d)"
    assert release.sql(orphans).fetchall() == [(0,)]
