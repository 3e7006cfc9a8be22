"""A new pseudonymisation key for all that was made with the old one, with every person id kept.

A token is a keyed message (`landing.keys`), and the messages are in the identifiable zone: local ids, postcodes, properties. So
every token of `raw`, of the identity files and of the registry is replaced by the one that its message has under the new key, in
copies beside the zones. A mark says that the copies are whole: a rotation that is killed before is forgotten, one killed after is
finished. The build database is made anew from `raw` by the next run.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from linkage import registry
from linkage.duck import connect
from linkage.sql import ident, literal, literals
from linkage.standardise import identity_files
from orchestration.duck import write_parquet
from orchestration.landing.door import digits_sql, postcode_key_sql, postcode_state_sql
from orchestration.landing.errors import LandingError
from orchestration.landing.keys import PseudonymisationKey, token_sql
from orchestration.settings import Settings, SettingsError
from orchestration.zones import PRIVATE, check_key_is_the_same, key_id_path

_WHOLE = "whole"
_NEW_KEY = "new.key"


@dataclass(frozen=True)
class Rotated:
    """What a rotation did. `n_unknown` tokens stood for ids that no record has: they go on meeting nobody."""

    key_id: str
    n_tokens: int
    n_unknown: int
    n_files: int


def rotate(settings: Settings, new_key_file: Path | None, say: Callable[[str], None]) -> Rotated:
    """Replace the key: by that of `new_key_file`, else by a random one at its usual place. The run lock must be held.

    Raises `SettingsError` when a key cannot be used, when the old one is not that of this data directory, or when the environment
    names it and no file is given.
    """
    settle(settings)
    old = settings.require_key()
    check_key_is_the_same(settings, old)
    if settings.names_a_key and new_key_file is None:
        raise SettingsError(
            "The key is named by the environment: give the new one with --new-key-file, and name it there afterwards."
        )
    beside = _beside(settings)
    beside.mkdir(mode=PRIVATE)
    try:
        new = _new_key(beside / _NEW_KEY, new_key_file)
        if new.key_id == old.key_id:
            raise SettingsError("The new key is the old one.")
        with connect(settings.limits) as connection:
            n_tokens = _translate(connection, settings, old, new)
            say(f"{n_tokens:,} tokens have a new form")
            n_files, n_unknown = _copy_zones(connection, settings, beside)
            say(f"{n_files:,} files written again")
            _copy_registry(connection, settings, beside)
            say("the registry has the new tokens")
        (beside / "key_id").write_text(new.key_id + "\n", encoding="ascii")
        os.sync()
        (beside / _WHOLE).touch()
    except BaseException:
        shutil.rmtree(beside)
        raise
    settle(settings)
    return Rotated(new.key_id, n_tokens, n_unknown, n_files)


def settle(settings: Settings) -> None:
    """Finish a rotation whose copies are whole; forget one whose are not."""
    beside = _beside(settings)
    if not (beside / _WHOLE).exists():
        shutil.rmtree(beside, ignore_errors=True)
        return
    settings.build_database.unlink(missing_ok=True)
    registry.previous_copy(settings.registry_path).unlink(missing_ok=True)
    targets = {
        "raw": settings.raw_dir,
        "identity": settings.identity_dir,
        "local_ids": settings.local_ids_dir,
        "registry": settings.registry_path,
        "key_id": key_id_path(settings),
    }
    if not settings.names_a_key:
        targets[_NEW_KEY] = settings.key_path
    for name, target in targets.items():
        if (beside / name).exists():  # a killed call has taken the others to their places
            if target.is_dir():
                shutil.rmtree(target)
            (beside / name).replace(target)
    shutil.rmtree(beside)


def _beside(settings: Settings) -> Path:
    return settings.identifiable_dir / ".rotation"


def _new_key(target: Path, given: Path | None) -> PseudonymisationKey:
    try:
        return PseudonymisationKey.from_file(given) if given else PseudonymisationKey.create_file(target)
    except LandingError as error:
        raise SettingsError(f"{error}.") from error


def _translate(
    connection: duckdb.DuckDBPyConnection, settings: Settings, old: PseudonymisationKey, new: PseudonymisationKey
) -> int:
    """`rekeyed` (old_token, new_token) of every message that the identifiable zone knows. Leaves the new key installed."""
    files = settings.local_ids_files()
    local_ids = f"read_parquet([{literals(files)}], union_by_name = true)"
    identity = f"read_parquet([{literals(identity_files(settings.identity_dir))}], union_by_name = true)"
    messages = f"""
        select 'record|' || namespace || '|' || local_id as message from {local_ids}
        union
        select 'record|' || source || '|' || {digits_sql("superseded_nhs_number")} from {identity}
        where superseded_nhs_number is not null
        union
        select 'postcode|' || {postcode_key_sql("postcode")} from {identity}
        where {postcode_state_sql("postcode")} = 'valid'
        union
        select 'uprn|' || ltrim(uprn, '0') from {identity} where uprn is not null"""
    old.install(connection)
    connection.execute(f"create temp table known as select message, {token_sql('message')} as old_token from ({messages})")
    new.install(connection)
    connection.execute(f"create temp table rekeyed as select old_token, {token_sql('message')} as new_token from known")
    return connection.execute("select count(*) from rekeyed").fetchall()[0][0]


def _copy_zones(connection: duckdb.DuckDBPyConnection, settings: Settings, beside: Path) -> tuple[int, int]:
    """Every file of the zones with its tokens replaced. Gives the files written, and the tokens that nothing explains."""
    connection.execute("create temp table unknown (old_token uuid)")
    n_files = 0
    for name, zone in (("raw", settings.raw_dir), ("identity", settings.identity_dir), ("local_ids", settings.local_ids_dir)):
        for path in sorted(path for path in zone.rglob("*") if path.is_file()):
            target = beside / name / path.relative_to(zone)
            target.parent.mkdir(parents=True, exist_ok=True)
            columns = _columns(connection, path) if path.suffix == ".parquet" else {}
            tokens = [column for column, kind in columns.items() if kind == "UUID" and column.endswith("_token")]
            if tokens:
                _copy_file(connection, path, target, list(columns), tokens)
                n_files += 1
            else:
                os.link(path, target)
    n_unknown = connection.execute("select count(distinct old_token) from unknown").fetchall()[0][0]
    return n_files, n_unknown


def _copy_file(connection: duckdb.DuckDBPyConnection, path: Path, target: Path, columns: list[str], tokens: list[str]) -> None:
    rows = f"read_parquet({literal(path)})"
    joins, replaced = [], []
    for number, token in enumerate(map(ident, tokens)):
        map_name = f"rekeyed_{number}"
        connection.execute(
            f"insert into unknown select {token} from {rows} anti join rekeyed on {token} = old_token where {token} is not null"
        )
        joins.append(f"left join rekeyed as {map_name} on row.{token} = {map_name}.old_token")
        # null stays null: the token of null is null
        replaced.append(f"coalesce({map_name}.new_token, {token_sql(f'cast(row.{token} as varchar)')}) as {token}")
    query = f"select row.* replace ({', '.join(replaced)}) from {rows} as row {' '.join(joins)}"
    if "_row_hash" in columns:  # what a row says, as landing has it
        content = ", ".join(ident(column) for column in columns[: columns.index("_load_seq")])
        query = f"select * replace (hash({content}) as _row_hash) from ({query})"
    order = next((column for column in ("record_token", "_line") if column in columns), None)
    write_parquet(connection, f"{query} order by {order}" if order else query, target)
    target.chmod(path.stat().st_mode & 0o777)


def _columns(connection: duckdb.DuckDBPyConnection, path: Path) -> dict[str, str]:
    return {
        name: kind for name, kind, *_ in connection.execute(f"describe select * from read_parquet({literal(path)})").fetchall()
    }


def _copy_registry(connection: duckdb.DuckDBPyConnection, settings: Settings, beside: Path) -> None:
    if settings.registry_path.exists():
        copy = beside / "registry"
        shutil.copy2(settings.registry_path, copy)
        with registry.attached(connection, copy):
            registry.rekey(connection)
