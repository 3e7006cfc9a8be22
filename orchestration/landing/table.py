"""One file of one table: text rows in, typed and pseudonymised Parquet out, every row accounted for.

`stage_rows` types and judges all rows in one pass into a temporary table, where the message of a token stands in the token's
place, and makes a token of every distinct message; `StagedRows` then finds what must be set aside (duplicates, superseded
windows) and writes the four files of a load: raw, identity, local ids, quarantine.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from linkage.sql import ident, literal
from orchestration.landing import door, typing_sql
from orchestration.landing.contract import Table
from orchestration.landing.keys import token_sql
from orchestration.landing.quarantine import HARMLESS, NOT_KEPT, QUARANTINE_COLUMNS, REASONS
from orchestration.landing.reader import TextRows
from orchestration.landing.sieve import Malformed
from orchestration.landing.typing_sql import Fault, text_name, value_name
from orchestration.landing.zones import Zones

_STAGED = "landing_staged"
_TOKENS = "landing_tokens"
_SET_ASIDE = "landing_set_aside"
_FAULTS = "landing_faults"
_BAD_ROWS = "landing_bad_rows"
_SEPARATOR = "|"

_DUPLICATE = Fault("", "duplicate", "the same row stands earlier in the file", "")
_OVERTAKEN = Fault("", "overtaken", "a later row of the file has the same key", "")
SUPERSEDED = Fault("", "superseded", REASONS["superseded"], "")
NO_AGREEMENT = Fault("", "no_agreement", REASONS["no_agreement"], "")
LANDED_BEFORE = Fault("", "landed_before", REASONS["landed_before"], "")


class Untrusted(Exception):
    """The rows that were read do not account for the lines of the file: read it the careful way."""


@dataclass(frozen=True)
class Written:
    """What became of the rows of a file."""

    rows_landed: int
    rows_quarantined: int
    quarantined: Counter[tuple[str, str, str]]


class StagedRows:
    """The rows of one file, typed and judged, in a temporary table of `con`; ends with `close`."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        table: Table,
        rows: TextRows,
        delivery_date: date,
        n_records: int,
        faults: list[Fault],
    ) -> None:
        self._con, self._table, self._rows = con, table, rows
        self._delivery_date, self.n_records, self._faults = delivery_date, n_records, faults
        con.execute(f"create or replace temp table {_SET_ASIDE} (ordinal bigint, problem smallint)")
        self._set_aside_repeats()

    @property
    def rows_in(self) -> int:
        return self.n_records + len(self._rows.malformed)

    def windows(self) -> list[str]:
        """Windows that rows of the file belong to, in order."""
        return [
            window
            for (window,) in self._con.execute(
                f"select distinct _window from {_STAGED} where _problem is null order by _window"
            ).fetchall()
        ]

    def bad_rows(self) -> Counter[tuple[str, str, str]]:
        """How many rows have something wrong with them, by (column, reason code, reason)."""
        counts = Counter(("", m.reason_code, _malformed_reason(m)) for m in self._rows.malformed)
        for problem, n_rows in self._con.execute(
            f"select _problem, count(*) from {_STAGED} where _problem is not null group by _problem"
        ).fetchall():
            fault = self._faults[problem]
            counts[(fault.column, fault.code, fault.reason)] += n_rows
        return counts

    def bad_lines(self, limit: int = 5) -> list[int]:
        """Physical lines of the first rows that have something wrong with them."""
        line, join = self._rows.line_sql(_STAGED)
        typed = self._con.execute(
            f"select {line} from {_STAGED} {join} where {_STAGED}._problem is not null order by {_STAGED}.rowid limit {limit}"
        ).fetchall()
        return sorted([m.line for m in self._rows.malformed[:limit]] + [line for (line,) in typed])[:limit]

    def invalid_numbers(self) -> int:
        """How many rows, good in themselves, hold no valid NHS number."""
        return self._con.execute(
            f"select count(*) from {_STAGED} where _problem is null and nhs_number_state <> 'valid'"
        ).fetchall()[0][0]

    def set_aside_windows(self, windows: Iterable[str], fault: Fault) -> None:
        """Keep the rows of these windows out, for one of `SUPERSEDED`, `NO_AGREEMENT` and `LANDED_BEFORE`."""
        windows = list(windows)
        if windows:
            self._con.execute(
                f"insert into {_SET_ASIDE} select rowid, {self._fault_number(fault)} from {_STAGED} "
                f"where _problem is null and list_contains($1::varchar[], _window) "
                f"and rowid not in (select ordinal from {_SET_ASIDE})",
                [windows],
            )

    def _fault_number(self, fault: Fault) -> int:
        return self._faults.index(fault)

    def _set_aside_repeats(self) -> None:
        """Of rows that say the same of one key the first stays; of rows that differ, the last."""
        con, table = self._con, self._table
        version = [name for name in (*table.raw_key, *table.terms.order_by) if name in table.raw_columns]
        key = ", ".join(ident(name) for name in dict.fromkeys(version))
        contested = con.execute(
            f"select count(*) from (select hash({key}) from {_STAGED} where _problem is null group by 1 having count(*) > 1)"
        ).fetchone()
        if not contested or not contested[0]:
            return
        con.execute(
            f"""
            insert into {_SET_ASIDE}
            with contested as (
                select hash({key}) as key_hash
                from {_STAGED}
                where _problem is null
                group by 1
                having count(*) > 1
            ),
            rivals as (
                select rowid as ordinal, {key}, hash({", ".join(self._said())}) as said
                from {_STAGED}
                where _problem is null and hash({key}) in (select key_hash from contested)
            ),
            judged as (
                select
                    ordinal
                    , said
                    , last_value(said) over whole as last_said
                    , min(said) over whole = max(said) over whole as is_unanimous
                    , ordinal = first_value(ordinal) over whole as is_first
                    , ordinal = last_value(ordinal) over whole as is_last
                from rivals
                window whole as (
                    partition by {key} order by ordinal rows between unbounded preceding and unbounded following
                )
            )
            select
                ordinal
                , case when said = last_said then {self._fault_number(_DUPLICATE)} else {self._fault_number(_OVERTAKEN)} end
            from judged
            where not (case when is_unanimous then is_first else is_last end)
            """
        )

    def _said(self) -> list[str]:
        """Everything a row says, for comparing two rows."""
        names = [*_content(self._table), "_deleted", *(f"i_{role}" for role in _identity(self._table))]
        return [ident(name) for name in names]

    def write(self, zones: Zones, load_seq: int, file: str, renames: list[tuple[Path, Path]]) -> Written:
        """Write the files of the load under temporary names, noted in `renames` with the names they get when the delivery lands.

        Raises `ValueError` when a row is not accounted for.
        """
        source, table = self._table.source, self._table.name

        def target(final: Path) -> Path:
            final.parent.mkdir(parents=True, exist_ok=True)
            temporary = final.with_name(final.name + ".tmp")
            renames.append((temporary, final))
            return temporary

        landed = self._copy_raw(target(zones.raw_file(source, table, load_seq)), load_seq)
        if self._table.carries_identity:
            self._copy_identity(target(zones.identifiable_file("identity", source, table, load_seq)), load_seq)
            if self._table.has_records:
                self._copy_local_ids(target(zones.identifiable_file("local_ids", source, table, load_seq)), load_seq)
        counts = self._collect_bad_rows(load_seq, file)
        quarantined = sum(counts.values())
        if quarantined:
            self._copy(
                f"select {', '.join(map(ident, QUARANTINE_COLUMNS))} from {_BAD_ROWS} order by line",
                target(zones.identifiable_file("quarantine", source, table, load_seq)),
            )
        if self.rows_in != landed + quarantined:
            raise ValueError(
                f"{file}: {self.rows_in} rows in, but {landed} landed and {quarantined} quarantined; nothing of it is kept"
            )
        return Written(landed, quarantined, counts)

    def _good(self, columns: str, extra: str = "") -> str:
        """A query on the rows that land, tokens in place of their messages; `_record` is the message of the record token."""
        line, join = self._rows.line_sql(_STAGED)
        of = {name: ident(f"of_{name}") for name in door.message_sql(self._table)}
        tokens = ", ".join(f"{of[name]}.token as {ident(name)}" for name in of)
        replaced = f"replace ({tokens})" if tokens else ""
        found = " ".join(f"left join {_TOKENS} as {of[name]} on {of[name]}.message = {_STAGED}.{ident(name)}" for name in of)
        record = f", {_STAGED}.record_token as _record" if self._table.has_records else ""
        return f"""
            select {columns}
            from (
                select {_STAGED}.* {replaced}, {_STAGED}.rowid as ordinal, {line} as line {record} from {_STAGED} {join} {found}
            ) as good
            where good._problem is null and good.ordinal not in (select ordinal from {_SET_ASIDE})
            {extra}
            """

    def _copy_raw(self, path: Path, load_seq: int) -> int:
        content = ", ".join(ident(name) for name in _content(self._table))
        technical = (
            f"{load_seq}::integer as _load_seq, {literal(self._delivery_date.isoformat())}::date as _delivery_date, "
            f"_window, line::bigint as _line, hash({content}) as _row_hash, _deleted as _is_deleted"
        )
        order = "order by record_token" if self._table.has_records else ""
        return self._copy(self._good(f"{content}, {technical}", order), path)

    def _copy_identity(self, path: Path, load_seq: int) -> None:
        filled = _identity(self._table)
        per_load = {
            "record_token": "record_token" if self._table.has_records else "null",
            "source": literal(self._table.source),
            "table_name": literal(self._table.name),
            "load_seq": str(load_seq),
            "is_deleted": "_deleted",
        }
        columns = ", ".join(
            f"cast({per_load.get(name) or (ident(f'i_{name}') if name in filled else 'null')} as {kind}) as {name}"
            for name, kind in door.IDENTITY_COLUMNS.items()
        )
        self._copy(self._good(columns), path)

    def _copy_local_ids(self, path: Path, load_seq: int) -> None:
        columns = (
            f"record_token, {literal(self._table.source)} as source, {literal(self._table.record_namespace)} as namespace, "
            f"{door.local_id_sql(self._table, 'any_value(_record)')} as local_id, {load_seq}::integer as load_seq"
        )
        self._copy(self._good(columns, "and record_token is not null group by record_token"), path)

    def _collect_bad_rows(self, load_seq: int, file: str) -> Counter[tuple[str, str, str]]:
        """Put every row that does not land into `_BAD_ROWS`; how many, by (column, reason code, reason)."""
        con, table = self._con, self._table
        line, join = self._rows.line_sql(_STAGED)
        shape = ", ".join(f"{ident(name)} {kind}" for name, kind in QUARANTINE_COLUMNS.items())
        con.execute(f"create or replace temp table {_BAD_ROWS} ({shape})")
        load = f"{literal(table.source)}, {literal(table.name)}, {load_seq}, {literal(file)}"
        local_id = door.local_id_sql(table, f"{_STAGED}.record_token") if table.has_records else "null"
        if malformed := self._rows.malformed:
            columns = [
                [m.line for m in malformed],
                [m.reason_code for m in malformed],
                [_malformed_reason(m) for m in malformed],
                # a malformed row cannot be split into columns, so its text may hold what must never leave landing
                [None if _drops_text(table) else m.text for m in malformed],
            ]
            con.execute(
                f"insert into {_BAD_ROWS} select {load}, unnest($1::bigint[]), null, null, null, null, unnest($2::varchar[]), "
                "unnest($3::varchar[]), unnest($4::varchar[])",
                columns,
            )
        _create_faults(con, self._faults)
        con.execute(
            f"insert into {_BAD_ROWS} select {load}, {line}, _row_identity, _window, {local_id}, nullif(fault.column_name, ''), "
            f"fault.reason_code, fault.reason, _row_text from {_STAGED} {join} "
            f"inner join {_FAULTS} as fault on fault.problem = {_STAGED}._problem"
        )
        set_aside = con.execute(f"select count(*) from {_SET_ASIDE}").fetchone()
        if set_aside and set_aside[0]:
            # their text was not kept when they were staged, because they looked well: read them again
            again = (
                f"(select * from (select row_number() over () - 1 as ordinal, * from {self._again()}) as source_row "
                f"where ordinal in (select ordinal from {_SET_ASIDE})) as set_aside_row"
            )
            con.execute(
                f"""
                create or replace temp table landing_reread as
                select
                    ordinal
                    , {_row_identity(table, self._rows.present)} as row_identity
                    , {_row_text(table, self._rows.present)} as row_text
                from ({_text_layer(table, self._rows.present, again, "ordinal")}) as text_layer
                """
            )
            not_kept = ", ".join(map(literal, sorted(NOT_KEPT)))
            kept = [
                f"case when fault.reason_code not in ({not_kept}) then {value} end"
                for value in ("row_identity", f"{_STAGED}._window", local_id, "row_text")
            ]
            con.execute(
                f"insert into {_BAD_ROWS} select {load}, {line}, {', '.join(kept[:3])}, null, fault.reason_code, "
                f"fault.reason, {kept[3]} from {_SET_ASIDE} "
                f"inner join {_STAGED} on {_STAGED}.rowid = {_SET_ASIDE}.ordinal {join} "
                f"inner join {_FAULTS} as fault on fault.problem = {_SET_ASIDE}.problem "
                f"inner join landing_reread on landing_reread.ordinal = {_SET_ASIDE}.ordinal"
            )
        return Counter(
            {
                (column, code, reason): n
                for column, code, reason, n in con.execute(
                    f"select coalesce(column_name, ''), reason_code, reason, count(*) from {_BAD_ROWS} group by all"
                ).fetchall()
            }
        )

    def _again(self) -> str:
        self._rows.begin(self._con)
        return self._rows.relation

    def _copy(self, query: str, path: Path) -> int:
        (n_rows,) = self._con.execute(
            f"copy ({query}) to {literal(path)} (format parquet, compression zstd, compression_level 1, row_group_size 122880)"
        ).fetchone() or (0,)
        sync(path)
        return int(n_rows)

    def close(self) -> None:
        for name in (_STAGED, _TOKENS, _SET_ASIDE, _BAD_ROWS, "landing_reread"):
            self._con.execute(f"drop table if exists {name}")


def bad_share(counts: Counter[tuple[str, str, str]], rows_in: int) -> float:
    """The share of rows that are bad in themselves."""
    bad = sum(n for (_, code, _), n in counts.items() if code not in HARMLESS)
    return bad / rows_in if rows_in else 0.0


def stage_rows(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    rows: TextRows,
    *,
    delivery_date: date,
    groups: dict[str, str],
    has_nul: bool,
) -> StagedRows:
    """Type, judge and tokenise every row of a file. The connection must have the key installed.

    `groups` are the named groups of the file pattern. Raises `Untrusted` when the reading does not account for every line, and
    `duckdb.Error` when DuckDB cannot read the file.
    """
    faults = _faults(table, rows.present, delivery_date, has_nul=has_nul)
    rows.begin(con)
    con.execute(f"create or replace temp table {_STAGED} as {_staging_sql(table, rows, faults, groups)}")
    (n_records,) = con.execute(f"select count(*) from {_STAGED}").fetchone() or (0,)
    if not rows.settle(con, _STAGED, n_records):
        raise Untrusted
    _create_tokens(con, table)
    return StagedRows(con, table, rows, delivery_date, n_records, faults)


def sync(path: Path) -> None:
    """Make sure that the file's bytes are on disk before anything speaks of it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _faults(table: Table, present: frozenset[str], delivery_date: date, *, has_nul: bool) -> list[Fault]:
    faults: list[Fault] = []
    columns = [c for c in table.columns if c.name in present]
    if has_nul:
        texts = ", ".join(text_name(c) for c in columns)
        faults.append(Fault("", "nul_byte", "the row holds a NUL byte", f"contains(concat({texts}), chr(0))"))
    for column in table.columns:
        if not column.terms.drop:
            faults += typing_sql.column_faults(column, table, delivery_date)
    key = [text_name(table.column(name)) for name in table.terms.key]
    faults.append(
        Fault(
            "",
            "missing_key",
            f"every column of the key ({', '.join(table.terms.key)}) is blank",
            f"coalesce({', '.join(key)}) is null",
        )
    )
    return [*faults, _DUPLICATE, _OVERTAKEN, SUPERSEDED, NO_AGREEMENT, LANDED_BEFORE]


def _staging_sql(table: Table, rows: TextRows, faults: list[Fault], groups: dict[str, str]) -> str:
    columns = table.columns
    tests = " ".join(f"when {fault.condition} then {number}" for number, fault in enumerate(faults) if fault.condition)
    parsed = typing_sql.parsed_columns(columns)
    values = ", ".join(f"{typing_sql.value_sql(c)} as {value_name(c)}" for c in columns if not c.terms.drop)
    final = [f"{value_name(c)} as {ident(c.name)}" for c in table.content_columns]
    final += [f"{sql} as {ident(name)}" for name, sql in (door.message_sql(table) | door.state_sql(table)).items()]
    if table.carries_identity:
        final += [f"{sql} as {ident(f'i_{role}')}" for role, sql in door.identity_sql(table).items()]
    return f"""
        with text_layer as (
            {_text_layer(table, rows.present, rows.relation, *rows.carried)}
        ),
        parsed_layer as (
            select *{"".join(f", {sql}" for sql in parsed)} from text_layer
        ),
        value_layer as (
            select *, {values}, {typing_sql.deleted_sql(table)} as _deleted from parsed_layer
        ),
        judged as (
            select *, cast(case {tests} end as smallint) as _problem from value_layer
        )
        select
            {", ".join([*rows.carried, "_problem"])}
            , _deleted
            , {_window_sql(table, groups)} as _window
            , case when _problem is not null then {_row_identity(table, rows.present)} end as _row_identity
            , case when _problem is not null then {_row_text(table, rows.present)} end as _row_text
            , {", ".join(final)}
        from judged
        """


def window_of_file(table: Table, groups: dict[str, str]) -> str | None:
    """The window a file covers whatever its rows say; None when its rows decide."""
    if any(not part.startswith("file:") for part in table.terms.window):
        return None
    return _SEPARATOR.join(groups[part.removeprefix("file:")] for part in table.terms.window)


def _window_sql(table: Table, groups: dict[str, str]) -> str:
    parts = [
        literal(groups[part.removeprefix("file:")])
        if part.startswith("file:")
        else f"coalesce(cast({value_name(table.column(part))} as varchar), '')"
        for part in table.terms.window
    ]
    return f" || '{_SEPARATOR}' || ".join(parts) or "''"


def _text_layer(table: Table, present: frozenset[str], relation: str, *carried: str) -> str:
    return typing_sql.text_layer_sql(tuple(c for c in table.columns if not c.terms.drop), present, relation, *carried)


def _row_identity(table: Table, present: frozenset[str]) -> str:
    """The supplier's own key values as text, `name=value|name=value`."""
    parts = [
        f"{literal(name + '=')} || coalesce({text_name(table.column(name))}, '')" for name in table.terms.key if name in present
    ]
    return f" || '{_SEPARATOR}' || ".join(parts) or "null"


def _row_text(table: Table, present: frozenset[str]) -> str:
    """The fields of the row that may leave landing, in contract order."""
    fields = ", ".join(f"coalesce({text_name(c)}, '')" for c in table.columns if c.name in present and not c.terms.drop)
    return f"array_to_string([{fields}], {literal(table.terms.format.delimiter)})"


def _content(table: Table) -> list[str]:
    """Door and content columns of `raw`, in order."""
    return [*table.door_columns, *(c.name for c in table.content_columns)]


def _identity(table: Table) -> list[str]:
    return list(door.identity_sql(table)) if table.carries_identity else []


def _drops_text(table: Table) -> bool:
    return any(column.terms.drop for column in table.columns)


def _malformed_reason(malformed: Malformed) -> str:
    return REASONS[malformed.reason_code]


def _create_tokens(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Make the token of every distinct message: many rows speak of one person, and the two hashes of a token cost more than
    finding it again.
    """
    messages = [f"select {ident(name)} from {_STAGED}" for name in door.message_sql(table)]
    if not messages:
        return
    con.execute(
        f"create or replace temp table {_TOKENS} as select message, {token_sql('message')} as token "
        f"from (select distinct message from ({' union all '.join(messages)}) as spoken (message) where message is not null)"
    )


def _create_faults(con: duckdb.DuckDBPyConnection, faults: list[Fault]) -> None:
    rows = ", ".join(
        f"({number}, {literal(fault.column)}, {literal(fault.code)}, {literal(fault.reason)})"
        for number, fault in enumerate(faults)
    )
    con.execute(
        f"create or replace temp table {_FAULTS} as "
        f"select * from (values {rows}) as t (problem, column_name, reason_code, reason)"
    )
