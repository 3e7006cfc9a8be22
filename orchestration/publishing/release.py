"""Releases: what people read. Built beside, made read-only, switched in by one atomic rename, and kept for a while.

A release is a folder `releases/<release id>` with, per lawful purpose, one DuckDB file (schema `marts`), the same tables as
Parquet, and a site; `manifest.json` says what is in it. `releases/current` is a symbolic link to the one being served. A reader
never meets a file that is being written, because no file of a release is written after the folder has its name.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from linkage.duck import Limits, connect
from linkage.sql import ident, literal
from orchestration.duck import attach_warehouse, write_parquet
from orchestration.landing.keys import PseudonymisationKey, token_sql
from orchestration.publishing.changes import CHANGES, Change, Earlier, headline, render, write_changes
from orchestration.publishing.described_table import describe
from orchestration.publishing.dictionary_tables import write_dictionary
from orchestration.publishing.disclosure import DisclosureError
from orchestration.publishing.disclosure_ledger import DisclosureLedger
from orchestration.publishing.lineage import LineageByTable
from orchestration.publishing.open_data import OPEN_DEFINITIONS, control, read_policy, read_true_counts
from orchestration.publishing.pages import SiteFacts
from orchestration.publishing.pending import keep_pending, pending_file, settle_pending

#: Lawful purpose of tables with people -> schema of the build database that holds what it may see.
PURPOSES: dict[str, str] = {"direct_care": "marts_direct_care", "secondary_use": "marts_secondary_use"}

#: Open data is for everybody and has no people: true counts go in from this schema, disclosure-controlled tables come out.
OPEN = "open"
OPEN_SCHEMA = "marts_open"
#: Every part of a release, and its schema in the build database.
_SCHEMAS = PURPOSES | {OPEN: OPEN_SCHEMA}
_POLICIES = "seeds.disclosure_policy"
#: Schema of the build database with the members of every cohort.
_COHORTS = "cohorts"
#: The first file of every raw table, which belongs to no release.
_NO_ROWS = "00000000.parquet"

#: The oldest DuckDB file format, which every BI tool's reader opens.
STORAGE_VERSION = "v1.0.0"

#: The change notes of a part.
CHANGE_NOTES = "changes.md"

_CURRENT = "current"
_MANIFEST = "manifest.json"
_BUILDING = ".building-"
_REMOVING = ".removing-"


class ReleaseError(Exception):
    """A release cannot be made or served; the message says why and what to do."""


@dataclass(frozen=True)
class ReleaseFacts:
    """What is known of a release before it is built. `sources` says how fresh each is; `is_synthetic` marks a demonstration."""

    release_id: str
    as_of: date
    built_at: datetime
    git_commit: str | None
    model_version: str | None
    sources: Sequence[Mapping[str, Any]] = ()
    is_synthetic: bool = False
    #: Purposes for which nothing may be published, with the reason.
    withheld: Mapping[str, str] = field(default_factory=dict)
    #: Sources and organisations whose agreement does not let their data in, in words.
    not_shared: Sequence[str] = ()
    #: Changes with what the agreements cover.
    sharing: str = ""
    #: The key behind the ids of people.
    key_id: str = ""

    @property
    def code(self) -> dict[str, str | None]:
        """Which code made it."""
        return {"git commit": self.git_commit, "linkage model": self.model_version}


@dataclass(frozen=True)
class Release:
    """A release on disk. `tables` maps purpose -> table -> rows; `withheld` holds purposes that have nothing, with the reason."""

    release_id: str
    path: Path
    as_of: str
    built_at: str
    tables: Mapping[str, Mapping[str, int]]
    withheld: Mapping[str, str] = field(default_factory=dict)
    not_shared: Sequence[str] = ()
    sharing: str = ""
    key_id: str = ""
    code: Mapping[str, str | None] = field(default_factory=dict)
    #: In what it differs from the release before, in a few words, and where it breaks the public interface.
    changed: str = ""
    breaks: Sequence[str] = ()

    @property
    def notices(self) -> list[str]:
        """What is missing from the release by law or agreement, in words."""
        return [f"nothing for {purpose}: {reason}" for purpose, reason in self.withheld.items()] + list(self.not_shared)

    @property
    def n_people(self) -> int:
        return self.tables.get("direct_care", {}).get("person", 0)

    def part(self, purpose: str) -> Path:
        """The folder of one purpose. Raises `ReleaseError` when there is no such purpose, or nothing for it."""
        if purpose not in _SCHEMAS:
            raise ReleaseError(f"There is no purpose {purpose!r}; the purposes are {', '.join(_SCHEMAS)}.")
        if purpose not in self.tables:
            reason = self.withheld.get(purpose, "it has no such part")
            raise ReleaseError(f"Release {self.release_id} has nothing for {purpose}: {reason}.")
        return self.path / purpose


SiteBuilder = Callable[[Path, Path, Path, SiteFacts], Sequence[Path]]


def publish(
    *,
    facts: ReleaseFacts,
    build_database: Path,
    releases_dir: Path,
    release_rows_dir: Path,
    members_dir: Path,
    pages_dir: Path,
    key: PseudonymisationKey,
    limits: Limits,
    keep: int,
    build_site: SiteBuilder,
    disclosure_policy: str,
    ledger: DisclosureLedger,
    lineage: LineageByTable,
    groups: Mapping[str, str | None],
) -> Release:
    """Build the release that `facts` names from the marts of `build_database`, and make it the current one.

    Publishing the same release id again switches to what is there and builds nothing. `release_rows_dir` gets the row of the
    `release` table, before the marts are copied, so that a release lists itself; a row whose release was never finished is
    taken back. `members_dir` gets who is in which cohort, for the next release to be compared with, for as long as the release is
    kept. At most `keep` releases stay. Only the group of the system that `groups` names by purpose, else this account's own,
    gets into a part with people. The release's dictionary says the `lineage` of its tables. Open data follows
    `disclosure_policy` and the `ledger` of what was published before.

    Raises `ReleaseError` when the build database, the mart `person` of a purpose or a table of open data is missing, or when open
    data cannot be made safe.
    """
    recover(releases_dir, [release_rows_dir, members_dir], ledger)
    final = releases_dir / facts.release_id
    if not final.exists():
        building = releases_dir / f"{_BUILDING}{facts.release_id}"
        building.mkdir(parents=True)
        rows = [
            _write_release_row(facts, build_database, release_rows_dir),
            _write_members(facts, build_database, members_dir),
        ]
        of_purposes = _tables_of_purposes(build_database)
        tables: dict[str, dict[str, int]] = {}
        changes: list[Change] = []
        for purpose, schema in _SCHEMAS.items():
            if purpose in facts.withheld:
                continue
            (building / purpose / "parquet").mkdir(parents=True)
            database = building / purpose / f"{purpose}.duckdb"
            if purpose == OPEN:
                counts = _copy_open(facts, build_database, database, limits, disclosure_policy, ledger)
            else:
                counts = _copy_marts(build_database, schema, database, purpose, key, limits)
            earlier = _earlier_part(releases_dir, purpose, facts.key_id)
            tables[purpose], changes_here = _describe(facts, database, purpose, counts, lineage, earlier, limits)
            changes += changes_here
            _export_parquet(database, building / purpose / "parquet", list(tables[purpose]), limits)
            build_site(database, pages_dir, building / purpose / "site", _site_facts(facts, purpose, of_purposes))
        _write_manifest(building, facts, tables, changes)
        _give_to_readers(building, groups)
        _make_durable(building)
        building.rename(final)
        _sync_folder(releases_dir)
        for row in rows:
            keep_pending(row)
        ledger.keep(facts.release_id)
    switch(releases_dir, facts.release_id)
    prune(releases_dir, keep)
    _forget_members(members_dir, releases_dir)
    return read_release(final)


def recover(releases_dir: Path, rows_dirs: Iterable[Path], ledger: DisclosureLedger) -> None:
    """Remove what a killed run left: half-built and half-removed releases, and what was written of releases that never were.

    `rows_dirs` are the folders with one file a release.
    """
    for folder in [*releases_dir.glob(f"{_BUILDING}*"), *releases_dir.glob(f"{_REMOVING}*")]:
        shutil.rmtree(folder)
    for folder in rows_dirs:
        settle_pending(folder.glob("*.parquet"), releases_dir)
    ledger.recover(releases_dir)


def switch(releases_dir: Path, release_id: str) -> None:
    """Make a release the current one, in one rename.

    Raises `ReleaseError` when it is not there whole.
    """
    if not (releases_dir / release_id / _MANIFEST).exists():
        known = ", ".join(r.release_id for r in list_releases(releases_dir)) or "none"
        raise ReleaseError(f"There is no release {release_id!r} in {releases_dir}; the releases are: {known}.")
    link = releases_dir / f".{_CURRENT}-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(release_id, target_is_directory=True)
    link.replace(releases_dir / _CURRENT)
    _sync_folder(releases_dir)


def current_release(releases_dir: Path) -> Release | None:
    """The release being served; None before the first."""
    link = releases_dir / _CURRENT
    return read_release(link.resolve()) if link.exists() else None


def find_release(releases_dir: Path, release_id: str | None = None) -> Release:
    """The release of that id, or the one being served. Raises `ReleaseError` when there is none."""
    if release_id is None:
        release = current_release(releases_dir)
        if release is None:
            raise ReleaseError("There is no release yet: run `phm demo` or `phm run` first.")
        return release
    known = {release.release_id: release for release in list_releases(releases_dir)}
    if release_id not in known:
        raise ReleaseError(f"There is no release {release_id!r}; the releases are: {', '.join(known) or 'none'}.")
    return known[release_id]


def read_release(path: Path) -> Release:
    """Read a release's manifest."""
    manifest = json.loads((path / _MANIFEST).read_text(encoding="utf-8"))
    tables = {purpose: {t["table"]: t["n_rows"] for t in entries} for purpose, entries in manifest["tables"].items()}
    return Release(
        manifest["release_id"], path, manifest["as_of"], manifest["built_at"], tables,
        manifest.get("withheld", {}), manifest.get("not_shared", ()), manifest.get("sharing", ""),
        manifest.get("key_id", ""), manifest.get("code", {}), manifest.get("changed", ""), manifest.get("breaks", ()),
    )  # fmt: skip


def list_releases(releases_dir: Path) -> list[Release]:
    """Every whole release, newest first."""
    found = [read_release(m.parent) for m in releases_dir.glob(f"[!.]*/{_MANIFEST}") if not m.parent.is_symlink()]
    return sorted(found, key=lambda release: release.built_at, reverse=True)


def prune(releases_dir: Path, keep: int) -> list[str]:
    """Remove all but the newest `keep` releases, never the current one. Returns the ids removed."""
    serving = (releases_dir / _CURRENT).resolve()
    removed = []
    for release in list_releases(releases_dir)[keep:]:
        if release.path.resolve() == serving:
            continue
        leaving = releases_dir / f"{_REMOVING}{release.release_id}"
        release.path.rename(leaving)
        shutil.rmtree(leaving)
        removed.append(release.release_id)
    return removed


def withdraw(
    releases_dir: Path,
    purpose: str,
    *,
    people: str,
    databases: Mapping[str, Path],
    key: PseudonymisationKey,
    limits: Limits,
    is_closed: bool,
) -> list[str]:
    """Take one purpose's part out of every retained release, but the current one, that holds people who may no longer be seen.

    `people` is SQL of their ids, column `person_id`, over `databases`, attached under their names. When the purpose `is_closed`
    nobody may be seen, and of a release whose ids were made with another key nobody knows who is in it. The manifest of such a
    release says what became of the part. Returns the ids of the releases.
    """
    serving = (releases_dir / _CURRENT).resolve()
    retained = [r for r in list_releases(releases_dir) if r.path.resolve() != serving and (r.path / purpose).exists()]
    if not retained:
        return []
    withdrawn = []
    with connect(limits) as connection:
        for name, path in databases.items():
            connection.execute(f"attach {literal(path)} as {ident(name)} (read_only)")
        key.install(connection)
        connection.execute(f"create temp table gone as select {purpose_id_sql(purpose)} as person_id from ({people}) as person")
        for release in retained:
            rows = f"read_parquet({literal(release.path / purpose / 'parquet' / 'person.parquet')})"
            query = f"select count(*) from {rows} where person_id in (select person_id from gone)"
            if is_closed or release.key_id != key.key_id or connection.execute(query).fetchall()[0][0]:
                _take_out(releases_dir, release, purpose)
                withdrawn.append(release.release_id)
    return withdrawn


def _take_out(releases_dir: Path, release: Release, purpose: str) -> None:
    """Remove a purpose's part of a release, the manifest first: a kill in between leaves a folder that the next call removes."""
    path = release.path / _MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["tables"].pop(purpose, None)
    manifest["files"] = [file for file in manifest["files"] if not file["path"].startswith(f"{purpose}/")]
    reason = "withdrawn, because it held people who may no longer be seen"
    manifest["withheld"] = {**manifest.get("withheld", {}), purpose: reason}
    beside = path.with_suffix(".writing")
    beside.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    beside.chmod(0o444)
    beside.replace(path)
    leaving = releases_dir / f"{_REMOVING}{release.release_id}-{purpose}"
    (release.path / purpose).rename(leaving)
    shutil.rmtree(leaving)


def purpose_id_sql(purpose: str) -> str:
    """The keyed id of `person.person_id` that one purpose sees."""
    return token_sql(f"{literal(f'person|{purpose}|')} || cast(person.person_id as varchar)")


def _tables_of_purposes(build_database: Path) -> dict[str, list[str]]:
    """Every purpose's marts, so that a page that asks for another's can be told whose they are."""
    with duckdb.connect(str(build_database), read_only=True) as connection:
        rows = connection.execute(
            "select schema_name, list(distinct table_name) from duckdb_columns() where not internal group by schema_name"
        ).fetchall()
    by_schema = dict(rows)
    return {purpose: by_schema.get(schema, []) for purpose, schema in _SCHEMAS.items()}


def _site_facts(facts: ReleaseFacts, purpose: str, tables: Mapping[str, Sequence[str]]) -> SiteFacts:
    return SiteFacts(purpose, facts.release_id, facts.as_of, facts.is_synthetic, facts.sources, tables)


def site_facts(release: Release, purpose: str) -> SiteFacts:
    """What a site of a release that stands is about, from its manifest."""
    manifest = json.loads((release.path / _MANIFEST).read_text(encoding="utf-8"))
    tables = {of: list(rows) for of, rows in release.tables.items()}
    as_of = date.fromisoformat(release.as_of)
    return SiteFacts(purpose, release.release_id, as_of, manifest["is_synthetic"], manifest["sources"], tables)


def _copy_open(
    facts: ReleaseFacts,
    build_database: Path,
    database: Path,
    limits: Limits,
    disclosure_policy: str,
    ledger: DisclosureLedger,
) -> dict[str, int]:
    """Write the tables of open data, controlled, into a new file. Returns rows by table."""
    with connect(limits) as connection:
        source = _attach(connection, build_database, database)
        try:
            policy = read_policy(connection, f"{source}.{_POLICIES}", disclosure_policy)
            tables = control(read_true_counts(connection, f"{source}.{OPEN_SCHEMA}"), policy, ledger, facts.release_id)
        except DisclosureError as error:
            raise ReleaseError(f"Open data: {error}") from error
        marts = _marts(connection, source, OPEN_SCHEMA)
        for table, rows in tables.items():
            connection.register("controlled", rows)
            target = f"release.marts.{ident(table)}"
            connection.execute(f"create table {target} as select * from {source}.{OPEN_SCHEMA}.{ident(table)} limit 0")
            connection.execute(f"insert into {target} by name select * from controlled")
            describe(connection, target, marts[table].description, marts[table].columns)
        counts = {table: rows.height for table, rows in tables.items()}
        for table in OPEN_DEFINITIONS:
            if table not in marts:
                raise ReleaseError(
                    f"{build_database} has no table `{table}` in schema {OPEN_SCHEMA}: the dbt build did not finish."
                )
            counts[table] = _copy_table(connection, source, marts[table])
        connection.execute("detach release")
    return counts


def _earlier_part(releases_dir: Path, purpose: str, key_id: str) -> Earlier | None:
    """One purpose's part of the release being served, or else of the newest that has it."""
    serving = current_release(releases_dir)
    for release in [*([serving] if serving else []), *list_releases(releases_dir)]:
        if purpose in release.tables:
            database = release.path / purpose / f"{purpose}.duckdb"
            return Earlier(release.release_id, database, release.code, has_same_ids=release.key_id == key_id)
    return None


def _describe(
    facts: ReleaseFacts,
    database: Path,
    purpose: str,
    n_rows: Mapping[str, int],
    lineage: LineageByTable,
    earlier: Earlier | None,
    limits: Limits,
) -> tuple[dict[str, int], list[Change]]:
    """Add what a part says of itself: change notes and dictionary. Returns rows by table, these included, and the changes."""
    schema = _SCHEMAS[purpose]
    of_tables = {table: origin for (made_in, table), origin in lineage.items() if made_in == schema}
    with connect(limits) as connection:
        connection.execute(f"attach {literal(database)} as release")
        changes = write_changes(connection, "release", facts.code, earlier)
        counts = write_dictionary(connection, "release", purpose, {**n_rows, CHANGES.name: len(changes)}, of_tables)
        connection.execute("detach release")
    notes = render(changes, facts.release_id, earlier)
    (database.parent / CHANGE_NOTES).write_text(notes, encoding="utf-8")
    return counts, changes


def _attach(connection: duckdb.DuckDBPyConnection, build_database: Path, target: Path) -> str:
    """Attach the build database, whose name is returned, and a new file with an empty schema `marts` as `release`."""
    # Views of the build database name it by its file's name, so it is attached under that name.
    source = build_database.stem
    attach_warehouse(connection, build_database, source)
    connection.execute(f"attach {literal(target)} as release (storage_version {literal(STORAGE_VERSION)})")
    connection.execute("create schema release.marts")
    return source


def _copy_marts(
    build_database: Path, schema: str, target: Path, purpose: str, key: PseudonymisationKey, limits: Limits
) -> dict[str, int]:
    """Copy one purpose's marts into a new file, persons re-keyed. Returns rows by table."""
    if not build_database.exists():
        raise ReleaseError(f"There is no build database at {build_database}: run `phm run` first.")
    with connect(limits) as connection:
        source = _attach(connection, build_database, target)
        marts = _marts(connection, source, schema)
        if "person" not in marts:
            raise ReleaseError(f"{build_database} has no mart `person` in schema {schema}: the dbt build did not finish.")
        key.install(connection)
        _make_person_ids(connection, source, schema, purpose)
        counts = {name: _copy_table(connection, source, mart) for name, mart in marts.items()}
        connection.execute("detach release")
    return counts


@dataclass(frozen=True)
class _Mart:
    """A table to publish, from one schema of the build database: its description, and its columns with theirs, in order."""

    schema: str
    name: str
    description: str | None
    columns: Mapping[str, str | None]


def _marts(connection: duckdb.DuckDBPyConnection, source: str, schema: str) -> dict[str, _Mart]:
    """The marts of a schema by name."""
    rows = connection.execute(
        """
        with relation as (
            select database_name, schema_name, table_name, comment from duckdb_tables()
            union all
            select database_name, schema_name, view_name, comment from duckdb_views()
        )

        select relation.table_name, any_value(relation.comment),
            list(held.column_name order by held.column_index), list(held.comment order by held.column_index)
        from duckdb_columns() as held
        inner join relation using (database_name, schema_name, table_name)
        where held.database_name = $1 and held.schema_name = $2
        group by relation.table_name
        order by relation.table_name
        """,
        [source, schema],
    ).fetchall()
    return {
        name: _Mart(schema, name, description, dict(zip(columns, comments, strict=True)))
        for name, description, columns, comments in rows
    }


def _make_person_ids(connection: duckdb.DuckDBPyConnection, source: str, schema: str, purpose: str) -> None:
    """One row per person: the id of the index, and a keyed id of this purpose, so that two purposes' outputs cannot be joined."""
    connection.execute(
        f"create temp table purpose_person as select person.person_id, {purpose_id_sql(purpose)} as purpose_id "
        f"from {source}.{schema}.person as person"
    )


def _copy_table(connection: duckdb.DuckDBPyConnection, source: str, mart: _Mart) -> int:
    """Copy a mart, persons re-keyed. Returns its rows."""
    has_people = "person_id" in mart.columns
    listed = ", ".join(
        "purpose_person.purpose_id as person_id" if name == "person_id" else f"mart.{ident(name)}" for name in mart.columns
    )
    join = "left join purpose_person on mart.person_id = purpose_person.person_id" if has_people else ""
    target = f"release.marts.{ident(mart.name)}"
    connection.execute(f"create table {target} as select {listed} from {source}.{mart.schema}.{ident(mart.name)} as mart {join}")
    describe(connection, target, mart.description, mart.columns)
    n_strangers = "count(*) - count(person_id)" if has_people else "0"
    ((n_rows, n_unknown),) = connection.execute(f"select count(*), {n_strangers} from {target}").fetchall()
    if n_unknown:
        raise ReleaseError(
            f"{mart.schema}.{mart.name} has {n_unknown} rows about people whom {mart.schema}.person does not have."
        )
    return n_rows


def _export_parquet(database: Path, folder: Path, tables: Sequence[str], limits: Limits) -> None:
    with connect(limits) as connection:
        connection.execute(f"attach {literal(database)} as release (read_only)")
        for table in tables:
            write_parquet(connection, f"select * from release.marts.{ident(table)}", folder / f"{table}.parquet")


def _when(facts: ReleaseFacts) -> str:
    """Columns of a query that say which release it is for."""
    return (
        f"{literal(facts.release_id)} as release_id, "
        f"cast({literal(facts.as_of.isoformat())} as date) as as_of, "
        f"cast({literal(facts.built_at.isoformat(sep=' ', timespec='seconds'))} as timestamp) as built_at"
    )


def _write_release_row(facts: ReleaseFacts, build_database: Path, folder: Path) -> Path:
    """Write the release's own row, marked pending until the release stands."""
    path = pending_file(folder, facts.release_id)
    with duckdb.connect(str(build_database), read_only=True) as connection:
        query = f"""
            select
                {_when(facts)}
                , {literal(facts.git_commit)} as git_commit
                , {literal(facts.model_version)} as model_version
                , (select count(*) from {PURPOSES["direct_care"]}.person) as n_people
        """
        write_parquet(connection, query, path)
    return path


def _write_members(facts: ReleaseFacts, build_database: Path, folder: Path) -> Path:
    """Write who is in which cohort, marked pending until the release stands."""
    path = pending_file(folder, facts.release_id)
    with duckdb.connect(str(build_database), read_only=True) as connection:
        query = f"""
            select
                {_when(facts)}
                , member.person_id
                , member.cohort_code
                , definition.version
                , member.entered_on
                , member.evidence
            from {_COHORTS}.person_cohort as member
            inner join {_COHORTS}.cohort as definition on member.cohort_code = definition.code
            where member.exited_on is null
        """
        write_parquet(connection, query, path)
    return path


def _forget_members(folder: Path, releases_dir: Path) -> None:
    """Remove the members of releases that are no longer kept."""
    kept = {release.release_id for release in list_releases(releases_dir)}
    for path in folder.glob("*.parquet"):
        if path.stem not in kept and path.name != _NO_ROWS:
            path.unlink()


def _write_manifest(
    folder: Path, facts: ReleaseFacts, tables: Mapping[str, Mapping[str, int]], changes: Sequence[Change]
) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = {
        **asdict(replace(facts, sources=list(facts.sources), withheld=dict(facts.withheld), not_shared=list(facts.not_shared))),
        "as_of": facts.as_of.isoformat(),
        "built_at": facts.built_at.isoformat(timespec="seconds"),
        "code": facts.code,
        "changed": headline(changes),
        "breaks": sorted({change.in_words() for change in changes if change.is_interface_break}),
        "tables": {
            purpose: [{"table": table, "n_rows": n_rows} for table, n_rows in rows.items()] for purpose, rows in tables.items()
        },
        "files": [
            {"path": path.relative_to(folder).as_posix(), "bytes": path.stat().st_size, "sha256": _sha256(path)} for path in files
        ],
    }
    (folder / _MANIFEST).write_text(json.dumps(manifest, indent=2, default=str) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _give_to_readers(folder: Path, groups: Mapping[str, str | None]) -> None:
    """Let one group into each part with people, so that who works for one purpose does not see the other's."""
    for purpose in PURPOSES:
        part = folder / purpose
        if not part.exists():
            continue
        part.chmod(0o750)
        if group := groups.get(purpose):
            try:
                for path in [part, *part.rglob("*")]:
                    shutil.chown(path, group=group)
            except (LookupError, PermissionError) as error:
                raise ReleaseError(
                    f"The part for {purpose} cannot be given to the group {group!r} ({error}); make the group, with the account "
                    f"that runs the load in it, or change PHM_{purpose.upper()}_GROUP."
                ) from error


def _make_durable(folder: Path) -> None:
    """Make every file read-only and force all of it to the disk, before the folder gets its name."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
            path.chmod(0o444)
    for path in [*folder.rglob("*/"), folder]:
        _sync_folder(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
