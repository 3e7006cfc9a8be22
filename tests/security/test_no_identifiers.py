"""Below the door, nothing identifies a person: every file and every table of a loaded place is read, and searched for what the
suppliers were told. Whatever stands in an identifying column of any source is a canary.
"""

from __future__ import annotations

import stat

import duckdb
import pytest
from small_place import REPOSITORY

from orchestration.landing.contract import read_contracts

#: A shorter value coincides with ordinary codes and counts; in the bytes of compressed data longer ones still may, and names.
_SHORTEST, _SHORTEST_IN_BYTES, _SHORTEST_NAME_IN_BYTES = 7, 8, 6
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
        where length(replace(trim(value), ' ', '')) >= $1
        """,
        [_SHORTEST],
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


#: Zones that may say who somebody is, and the truth of the synthetic place, which is no part of it.
_MAY_IDENTIFY = {"identifiable", "landing", "truth"}
#: Bytes of what is searched for; every other byte parts two words. Letters are compared in lower case.
_OF_WORDS = b"0123456789abcdefghijklmnopqrstuvwxyz@._-"
_WORDS = bytes(low if (low := bytes([byte]).lower()[0]) in _OF_WORDS or byte >= 128 else 32 for byte in range(256))


def _words(content: bytes) -> set[bytes]:
    return set(content.translate(_WORDS).split())


@pytest.fixture(scope="module")
def canaries(warehouse, loaded) -> dict[bytes, str]:
    """Word -> what kind of thing it says of somebody; words of the project itself, and of organisations' names, are none."""
    connection, _ = warehouse
    told = connection.execute(
        """
        select value, kind from identifier where kind <> 'address'
        union
        select unnest(string_split(value, ' ')), 'name' from name
        """
    ).fetchall()
    project = [path for folder in ("dbt_project", "pages") for path in (REPOSITORY / folder).rglob("*")]
    known = set().union(*(_words(path.read_bytes()) for path in project if path.suffix in {".csv", ".sql", ".yml", ".md"}))
    known |= _words(" ".join(name or "" for (name,) in loaded.query("select name from marts.organisation")).encode())
    words = {value.lower().encode(): kind for value, kind in told}
    shortest = {"name": _SHORTEST_NAME_IN_BYTES}
    return {w: kind for w, kind in words.items() if w not in known and len(w) >= shortest.get(kind, _SHORTEST_IN_BYTES)}


def test_no_byte_outside_the_identifiable_zone_says_who_somebody_is(canaries, loaded):
    """Logs, Dagster's storage, results of checks, manifests, pages, what dbt compiled, temporary files, bytes of databases."""
    assert {"NHS number", "e-mail", "phone", "UPRN", "local id", "name"} <= set(canaries.values())
    files = [path for path in loaded.data_dir.rglob("*") if path.is_file() and not path.is_symlink()]
    searched = [path for path in files if path.relative_to(loaded.data_dir).parts[0] not in _MAY_IDENTIFY]
    assert {".log", ".db", ".sqlite", ".json", ".html", ".parquet", ".duckdb", ".md"} <= {path.suffix for path in searched}
    found = {path: {canaries[word] for word in _words(path.read_bytes()) & canaries.keys()} for path in searched}
    # a street may be called as somebody is: whether a column of a table holds names is asked above, column by column
    by_chance = {path: {"name"} if path.suffix in {".duckdb", ".parquet"} else set() for path in searched}
    assert not {path: kinds - by_chance[path] for path, kinds in found.items() if kinds - by_chance[path]}


def test_every_identifying_column_of_every_source_is_a_canary(loaded):
    """What a contract calls identifying is in the identifiable zone, where the search takes its words from."""
    contracts = read_contracts(REPOSITORY / "dbt_project" / "models" / "staging")
    with duckdb.connect() as connection:
        filled = {
            (source, table): {name for name, n in zip(names, counts, strict=True) if n}
            for source, table, names, counts in connection.execute(
                f"""
                select source, table_name, list(column_name order by column_name), list(n order by column_name)
                from (
                    select source, table_name, column_name, count(value) as n
                    from (
                        select source, table_name, columns(* exclude (source, table_name))::varchar
                        from read_parquet('{loaded.data_dir}/identifiable/identity/*/*/*.parquet', union_by_name = true)
                    )
                    unpivot include nulls (value for column_name in (* exclude (source, table_name)))
                    group by all
                )
                group by all
                """
            ).fetchall()
        }
    asked = {
        (source.name, table.name)
        for source in contracts.values()
        for table in source.tables
        if any(column.is_identity_only and column.roles - {"record_id", "related_record_id"} for column in table.columns)
    }
    assert {source for source, _ in asked} == {source for source, _ in filled if filled}
    assert not [table for table in asked & filled.keys() if not filled[table] - {"record_token", "load_seq", "is_deleted"}]


def test_a_person_has_another_id_in_each_purpose(loaded):
    direct_care, secondary_use = (
        {person_id for (person_id,) in loaded.query("select person_id from marts.person", purpose)}
        for purpose in ("direct_care", "secondary_use")
    )
    assert direct_care
    assert secondary_use
    assert not direct_care & secondary_use
