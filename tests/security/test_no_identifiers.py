"""Below the door, nothing identifies a person: every file and every table of a loaded place is read, and searched for what the
suppliers were told.
"""

from __future__ import annotations

import stat

import duckdb
import pytest

#: A birth is also an admission, and a first address begins on it; a column of birth dates would match nearly always.
_BIRTHS_THAT_ARE_EVENTS = 0.25
#: A surname may also be a word of a code ("White"); a column that holds this many different ones holds names.
_NAMES_THAT_ARE_CHANCE = 4


@pytest.fixture(scope="module")
def warehouse(loaded):
    """A connection with everything identifying that suppliers sent, and a list of every table outside the identifiable zone."""
    connection = duckdb.connect()
    for view, folder in (("identity", "identity"), ("local_id", "local_ids")):
        files = f"{loaded.data_dir}/identifiable/{folder}/*/*/*.parquet"
        connection.execute(f"create view {view} as select * from read_parquet('{files}', union_by_name = true)")
    connection.execute(
        """
        create table identifier as
        select distinct upper(replace(trim(value), ' ', '')) as value, kind
        from (
            select nhs_number as value, 'NHS number' as kind from identity
            union all select superseded_nhs_number, 'NHS number' from identity
            union all select postcode, 'postcode' from identity
            union all select email, 'e-mail' from identity
            union all select unnest(phones), 'phone' from identity
            union all select uprn, 'UPRN' from identity
            union all select address_lines, 'address' from identity
            -- the parts before the last are organisation codes
            union all select string_split(local_id, '|')[-1], 'local id' from local_id
        )
        -- shorter values coincide with ordinary codes and counts
        where length(replace(trim(value), ' ', '')) >= 7
        """
    )
    connection.execute(
        """
        create table name as
        select distinct upper(trim(value)) as value
        from (select given_name as value from identity union all select family_name from identity)
        where length(value) > 3
        """
    )
    assert connection.execute("select count(distinct kind) from identifier").fetchone()[0] >= 6
    for number, database in enumerate(sorted(loaded.data_dir.glob("releases/*/*/*.duckdb"))):
        connection.execute(f"attach '{database}' as release_{number} (read_only)")
    connection.execute(f"attach '{loaded.data_dir}/warehouse/build.duckdb' as build (read_only)")
    tables = [
        f'"{database}"."{schema}"."{table}"'
        for database, schema, table in connection.execute(
            """
            select database_name, schema_name, table_name
            from duckdb_tables()
            where database_name not in ('memory', 'system', 'temp')
            """
        ).fetchall()
    ]
    tables += [f"read_parquet('{folder}/*.parquet', union_by_name = true)" for folder in loaded.data_dir.glob("raw/*/*")]
    tables += [f"read_parquet('{file}')" for file in loaded.data_dir.glob("releases/*/*/parquet/*.parquet")]
    assert len(tables) > 150
    yield connection, tables
    connection.close()


def _text_columns(connection, table):
    described = connection.execute(f"describe select * from {table}").fetchall()
    return [name for name, kind, *_ in described if kind == "VARCHAR"]


def test_no_table_holds_an_identifier(warehouse):
    connection, tables = warehouse
    found = []
    for table in tables:
        for column in _text_columns(connection, table):
            hits = connection.execute(
                f"""
                select kind, count(*)
                from (select distinct upper(replace(trim("{column}"), ' ', '')) as value from {table}) as held
                inner join identifier using (value)
                group by kind
                """
            ).fetchall()
            found += [(table, column, *hit) for hit in hits]
    assert not found


def test_no_column_holds_names(warehouse):
    connection, tables = warehouse
    found = []
    for table in tables:
        for column in _text_columns(connection, table):
            (n_names,) = connection.execute(
                f"""
                select count(*)
                from (select distinct upper(trim("{column}")) as value from {table}) as held
                inner join name using (value)
                """
            ).fetchone()
            if n_names > _NAMES_THAT_ARE_CHANCE:
                found.append((table, column, n_names))
    assert not found


def test_no_column_holds_full_birth_dates(warehouse):
    connection, tables = warehouse
    connection.execute(
        """
        create table born as
        select record_token, max(birth_date) as birth_date
        from identity
        where birth_date is not null and day(birth_date) <> 1
        group by record_token
        """
    )
    found = []
    for table in tables:
        described = connection.execute(f"describe select * from {table}").fetchall()
        names = {name for name, *_ in described}
        dates = [name for name, kind, *_ in described if kind in ("DATE", "TIMESTAMP")]
        if "record_token" not in names:
            continue
        for column in dates:
            n_rows, n_births = connection.execute(
                f"""
                select count(*), count(*) filter (where cast(t."{column}" as date) = born.birth_date)
                from {table} as t inner join born using (record_token)
                """
            ).fetchone()
            if n_births > max(3, _BIRTHS_THAT_ARE_EVENTS * n_rows):
                found.append((table, column, n_births, n_rows))
    assert not found


def test_what_identifies_is_for_the_load_alone(loaded):
    identifiable = loaded.data_dir / "identifiable"
    assert stat.S_IMODE(identifiable.stat().st_mode) == 0o700
    (key,) = (identifiable / "keys").glob("*.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_no_log_or_run_record_holds_an_identifier(warehouse, loaded):
    connection, _ = warehouse
    numbers = [value for (value,) in connection.execute("select value from identifier where kind = 'NHS number'").fetchall()]
    said = b"".join(path.read_bytes() for path in (loaded.data_dir / "warehouse").rglob("*") if _is_record(path))
    assert said
    assert not [number for number in numbers if number.encode() in said]


def _is_record(path):
    return path.is_file() and path.suffix in {".log", ".json", ".db", ".sqlite", ".msgpack", ".out", ".err"}


def test_a_person_has_another_id_in_each_purpose(loaded):
    direct_care, secondary_use = (
        {person_id for (person_id,) in loaded.query("select person_id from marts.person", purpose)}
        for purpose in ("direct_care", "secondary_use")
    )
    assert direct_care
    assert secondary_use
    assert not direct_care & secondary_use
