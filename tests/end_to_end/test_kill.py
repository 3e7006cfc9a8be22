"""A run may be killed at any moment, or find the disk full.

The last release goes on serving, and the next run ends as if nothing had happened.
"""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from killing_driver import MOMENTS
from small_place import DELTA

DRIVER = str(Path(__file__).with_name("killing_driver.py"))

MEBIBYTE = 1024**2

#: Tables that say when and by which run they were made.
ABOUT_THE_RUN = {"release", "data_quality_result", "linkage_quality"}
#: Tables that count the rows of every table, those included, and the column that names it.
OF_EVERY_TABLE = {"dictionary_table": "table_name", "release_change": "name"}


def content(place, purpose):
    """Every row of every mart without the person's id, which is random, and the number of rows of every person."""
    tables = place.query("select table_name from information_schema.tables where table_schema = 'marts'", purpose)
    return {table: rows(place, purpose, table) for (table,) in tables if table not in ABOUT_THE_RUN}


def rows(place, purpose, table):
    columns = {name for name, *_ in place.query(f"describe marts.{table}", purpose)}
    if table in OF_EVERY_TABLE:
        names = ", ".join(f"'{name}'" for name in sorted(ABOUT_THE_RUN | OF_EVERY_TABLE.keys()))
        return place.query(f"select * from marts.{table} where {OF_EVERY_TABLE[table]} not in ({names}) order by all", purpose)
    if "person_id" not in columns:
        return place.query(f"select * from marts.{table} order by all", purpose)
    facts = place.query(f"select * exclude (person_id) from marts.{table} order by all", purpose)
    return facts, place.query(f"select count(*) as n from marts.{table} group by person_id order by n", purpose)


@pytest.fixture(scope="module")
def survivor(after_bulk, tmp_path_factory):
    """A place whose second night was killed at every moment, one after another, and then run to its end."""
    place = after_bulk.copy(tmp_path_factory.mktemp("killed") / "data")
    served = place.current
    for moment in MOMENTS:
        ran = place.phm(moment.__name__, "run", "--as-of", DELTA, driver=(DRIVER,))
        assert ran.returncode == -signal.SIGKILL, f"{moment.__name__}: {ran.stdout}{ran.stderr}"
        assert place.current == served, moment.__name__
        assert place.query("select count(*) > 0 from marts.person") == [(True,)]
    full = place.phm("run", "--as-of", DELTA, largest_file=MEBIBYTE * 8)
    assert full.returncode == 1, full.stdout + full.stderr
    (place.data_dir / "said-when-full").write_text(full.stdout)
    assert place.current == served
    ran = place.phm("run", "--as-of", DELTA)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return place


def test_a_full_disk_is_told_in_words(survivor):
    said = (survivor.data_dir / "said-when-full").read_text()
    assert "the disk is full" in said
    assert "goes on serving" in said


@pytest.mark.parametrize("purpose", ["direct_care", "secondary_use", "open"])
def test_the_release_is_that_of_an_undisturbed_run(survivor, loaded, purpose):
    disturbed, undisturbed = content(survivor, purpose), content(loaded, purpose)
    assert disturbed.keys() == undisturbed.keys()
    assert [table for table in undisturbed if disturbed[table] != undisturbed[table]] == []


def test_releases_that_were_killed_half_way_are_neither_kept_nor_listed(survivor):
    folders = {path.name for path in (survivor.data_dir / "releases").iterdir()}
    listed = {release_id for (release_id,) in survivor.query("select release_id from marts.release")}
    assert not [name for name in folders if name.startswith(".")]
    assert listed == folders - {"current"}


def test_nothing_that_was_half_written_is_left(survivor):
    leftovers = [
        path
        for zone in ("raw", "identifiable", "warehouse/spill")
        for path in (survivor.data_dir / zone).rglob("*")
        if path.suffix in (".tmp", ".writing")
    ]
    assert leftovers == []


def test_every_row_is_still_accounted_for(survivor, loaded):
    sql = """
        select source, table_name, sum(rows_in), sum(rows_landed), sum(rows_quarantined)
        from read_parquet('{}/raw/operations/delivery/*.parquet', union_by_name = true)
        where status = 'landed'
        group by all
        order by all
    """
    assert survivor.query(sql.format(survivor.data_dir)) == loaded.query(sql.format(loaded.data_dir))
