"""Every fault of every supplier, one row each, in the supplier's own row identities.

All functions work on one DuckDB connection that has the night's build database attached as `build`, and fill its table `fault`:
who sent the row (source, organisation), where it stands (table, file, line, the supplier's key and record id), what is wrong
(kind, column, words), and `record_token`, by which effects are worked out and which leaves the connection never.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import duckdb

from linkage.sql import ident, literal, literals
from orchestration.feedback.kinds import KINDS
from orchestration.landing import door
from orchestration.landing.contract import Column, Source
from orchestration.landing.quarantine import QUARANTINE_COLUMNS

_FAULT = {
    "source": "varchar",
    "organisation_code": "varchar",
    "table_name": "varchar",
    "kind": "varchar",
    "column_name": "varchar",
    "what": "varchar",
    "delivery_date": "date",
    "file": "varchar",
    "line": "bigint",
    "row_identity": "varchar",
    "local_id": "varchar",
    "record_token": "uuid",
}

#: Sources whose records should say somebody's ethnic category: general practice is where it is asked.
_ASKS_ETHNICITY = ("gp_emis", "gp_systmone")


def collect(
    con: duckdb.DuckDBPyConnection, sources: Sequence[Source], raw_dir: Path, identifiable_dir: Path, as_of: date
) -> None:
    """Fill `fault`; on the way make `said`, what records say of who somebody is, and `received`, the rows of each delivery."""
    con.execute(f"create temp table fault ({', '.join(f'{name} {kind}' for name, kind in _FAULT.items())})")
    _describe_tables(con, sources)
    _read_deliveries(con, raw_dir, as_of)
    _read_organisations(con, sources, raw_dir)
    _read_local_ids(con, identifiable_dir)
    _quarantined(con, sources, raw_dir, identifiable_dir)
    _count_received(con, sources)
    _identity(con, sources, identifiable_dir)
    _not_mapped(con)
    _checked(con, sources, raw_dir)


def _describe_tables(con: duckdb.DuckDBPyConnection, sources: Iterable[Source]) -> None:
    """`contract_table`: one row a table, with the namespace of its record ids and whether a row of it tells who somebody is."""
    con.execute("create temp table contract_table (source varchar, table_name varchar, namespace varchar, is_register boolean)")
    tables = [table for source in sources for table in source.tables]
    con.executemany(
        "insert into contract_table values (?, ?, ?, ?)",
        [(t.source, t.name, t.record_namespace, bool(t.with_role("nhs_number") or t.with_role("birth_date"))) for t in tables],
    )


def _read_deliveries(con: duckdb.DuckDBPyConnection, raw_dir: Path, as_of: date) -> None:
    """`newest_full`: the last full load of each window; `delivery_standing`: loads of which it has not replaced every window."""
    con.execute(f"""
        create temp table delivery as
        select load_seq, source, table_name, delivery_date, file, mode, rows_in, rows_landed, status
        from read_parquet({_files(raw_dir / "operations" / "delivery")})
        where delivery_date <= {literal(as_of.isoformat())}""")
    con.execute(f"""
        create temp table window_load as
        select load_seq, source, table_name, "window", mode
        from read_parquet({_files(raw_dir / "operations" / "delivery_window")})""")
    con.execute("""
        create temp table newest_full as
        select source, table_name, "window", max(load_seq) as load_seq
        from window_load
        where mode = 'full'
        group by all""")
    con.execute("""
        create temp table delivery_standing as
        with replaced as (
            select load.load_seq
            from window_load as load
            left join newest_full as newest
                on load.source = newest.source and load.table_name = newest.table_name and load."window" = newest."window"
            group by load.load_seq
            having bool_and(newest.load_seq is not null and newest.load_seq > load.load_seq)
        )
        select * from delivery where status = 'landed' and load_seq not in (select load_seq from replaced)""")


def _read_organisations(con: duckdb.DuckDBPyConnection, sources: Iterable[Source], raw_dir: Path) -> None:
    """`organisation_name`: the code behind each of a supplier's own ids of organisations."""
    con.execute("create temp table organisation_name (source varchar, supplied varchar, organisation_code varchar)")
    for source in sources:
        if names := source.terms.organisation_names:
            con.execute(
                f"insert into organisation_name "
                f"select {literal(source.name)}, {ident(names.id)}, arg_max({ident(names.code)}, _load_seq) "
                f"from read_parquet({_files(raw_dir / source.name / names.table)}, union_by_name = true) "
                f"where {ident(names.code)} is not null group by {ident(names.id)}"
            )


def _read_local_ids(con: duckdb.DuckDBPyConnection, identifiable_dir: Path) -> None:
    files = [str(path) for path in sorted((identifiable_dir / "local_ids").glob("*/*/*.parquet"))]
    con.execute("create temp table local_id (source varchar, namespace varchar, local_id varchar, record_token uuid)")
    if files:
        con.execute(
            "insert into local_id select source, namespace, any_value(local_id), record_token "
            f"from read_parquet([{literals(files)}], union_by_name = true) group by source, namespace, record_token"
        )


def _quarantined(con: duckdb.DuckDBPyConnection, sources: Sequence[Source], raw_dir: Path, identifiable_dir: Path) -> None:
    files = [str(path) for path in sorted((identifiable_dir / "quarantine").glob("*/*/*.parquet"))]
    kept_out = ", ".join(f"cast(null as {kind}) as {ident(name)}" for name, kind in QUARANTINE_COLUMNS.items())
    by_organisation = literals([s.name for s in sources if s.terms.organisation]) or "''"
    rows = f"union all by name select * from read_parquet([{literals(files)}], union_by_name = true)" if files else ""
    con.execute(f"""
        create temp table quarantined as
        select
            row.*,
            load.delivery_date,
            load.mode,
            load.load_seq in (select load_seq from delivery_standing)
            and coalesce(newest.load_seq <= load.load_seq, true) as is_standing,
            case
                when row.source in ({by_organisation})
                then coalesce(name.organisation_code, nullif(split_part(row."window", '|', 1), ''))
            end as organisation_code
        from (
            select {kept_out} where false
            {rows}
        ) as row
        inner join delivery as load on row.load_seq = load.load_seq
        left join newest_full as newest
            on row.source = newest.source and row.table_name = newest.table_name and row."window" = newest."window"
        left join organisation_name as name on row.source = name.source and split_part(row."window", '|', 1) = name.supplied
        where row.reason_code in ({literals(KINDS)})""")
    _take_out_the_mended(con, sources, raw_dir)
    con.execute("""
        insert into fault by name
        select
            row.source,
            row.organisation_code,
            row.table_name,
            row.reason_code as kind,
            row.column_name,
            row.reason as what,
            row.delivery_date,
            row.file,
            row.line,
            row.row_identity,
            row.local_id,
            known.record_token
        from quarantined as row
        inner join contract_table as contract on row.source = contract.source and row.table_name = contract.table_name
        left join local_id as known
            on row.source = known.source and contract.namespace = known.namespace and row.local_id = known.local_id
        where row.is_standing""")


def _count_received(con: duckdb.DuckDBPyConnection, sources: Sequence[Source]) -> None:
    """`received`: rows by source, organisation and delivery, and how many of them were kept out; rows of a file of many
    organisations are counted for the source as a whole only.
    """
    by_file = literals([s.name for s in sources if (s.terms.organisation or "").startswith("file:")]) or "''"
    con.execute(f"""
        create temp table received as
        with sender as (
            select load_seq, min(split_part("window", '|', 1)) as organisation_code
            from window_load
            where source in ({by_file})
            group by load_seq
        ),
        file_of as (
            select delivery.source, nullif(sender.organisation_code, '') as organisation_code, delivery.delivery_date,
                delivery.rows_in
            from delivery
            left join sender on delivery.load_seq = sender.load_seq
            where delivery.status = 'landed'
        ),
        counted as (
            select source, organisation_code, delivery_date, sum(rows_in) as n_rows, 0 as n_faulty
            from file_of where organisation_code is not null group by all
            union all
            select source, null, delivery_date, sum(rows_in), 0 from file_of group by all
            union all
            select source, organisation_code, delivery_date, null, count(*)
            from quarantined where organisation_code is not null group by all
            union all
            select source, null, delivery_date, null, count(*) from quarantined group by all
        )
        select source, organisation_code, delivery_date, sum(n_rows) as n_rows, sum(n_faulty) as n_faulty
        from counted
        group by all""")


def _take_out_the_mended(con: duckdb.DuckDBPyConnection, sources: Sequence[Source], raw_dir: Path) -> None:
    """A row that came again, well, in a later delivery stands no more. Keys that raw holds as they are sent can be compared."""
    tables = {(source.name, table.name): table for source in sources for table in source.tables}
    found = con.execute("select distinct source, table_name from quarantined where is_standing and mode <> 'full'").fetchall()
    for source, name in found:
        table = tables[source, name]
        if any(table.column(part).is_identity_only for part in table.terms.key):
            continue
        parts = [f"{literal(part + '=')} || coalesce(cast({ident(part)} as varchar), '')" for part in table.terms.key]
        con.execute(f"""
            update quarantined set is_standing = false
            where source = {literal(source)} and table_name = {literal(name)} and exists (
                select 1
                from read_parquet({_files(raw_dir / source / name)}, union_by_name = true) as landed
                where landed._load_seq > quarantined.load_seq and {" || '|' || ".join(parts)} = quarantined.row_identity
            )""")


def _identity(con: duckdb.DuckDBPyConnection, sources: Sequence[Source], identifiable_dir: Path) -> None:
    """Faults of who somebody is, in what every record that counts tonight says last."""
    tables = [table for source in sources for table in source.tables if table.has_records]
    con.execute("create temp table role_table (source varchar, namespace varchar, role varchar, table_name varchar)")
    roles = [
        (table.source, table.record_namespace, role, table.name)
        for table in tables
        for role in ("nhs_number", "birth_date", "sex", "postcode")
        if table.with_role(role)
    ]
    if roles:
        con.executemany("insert into role_table values (?, ?, ?, ?)", roles)
    files = [
        str(path)
        for table in tables
        if table.with_role("nhs_number")
        for path in sorted((identifiable_dir / "identity" / table.source / table.name).glob("*.parquet"))
    ]
    _describe_records(con, files)
    con.execute(
        f"insert into fault by name {' union all by name '.join(_identity_fault(*rule) for rule in _IDENTITY_RULES)}",
    )


def _describe_records(con: duckdb.DuckDBPyConnection, files: Sequence[str]) -> None:
    """`said`: one row a record, with what it says of who somebody is and how it is linked."""
    shape = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in door.IDENTITY_COLUMNS.items())
    rows = f"union all by name select * from read_parquet([{literals(files)}], union_by_name = true)" if files else ""
    con.execute(f"""
        create temp table said as
        with newest as (
            select
                record_token,
                max(load_seq) as load_seq,
                arg_max(struct_pack(number := nhs_number, birth := birth_date_text), load_seq) as last
            from (select {shape} where false {rows}) as identity
            where record_token is not null and not coalesce(is_deleted, false)
            group by record_token
        ),
        numbered as (
            select *, {door.nhs_number_state_sql("last.number")} as number_state from newest
        )
        select
            record.source,
            record.organisation_code,
            record.record_token,
            record.person_id,
            local_id.namespace,
            local_id.local_id,
            numbered.load_seq,
            numbered.number_state,
            numbered.last.birth as birth_date_text,
            record.birth_month,
            record.sex,
            record.postcode_state,
            record.ethnic_category_code,
            record.is_in_review,
            count(*) over (partition by record.person_id) as n_records,
            case
                when numbered.number_state = 'valid'
                then min(record.person_id) over same_number <> max(record.person_id) over same_number
            end as is_shared_number
        from build.core.record as record
        inner join numbered on record.record_token = numbered.record_token
        inner join local_id on record.record_token = local_id.record_token
        where not coalesce(record.is_test_record, false)
        window same_number as (partition by record.source, record.organisation_code, numbered.last.number)""")


#: (kind, role of the column that says it, condition over `said`)
_IDENTITY_RULES = (
    ("nhs_number_missing", "nhs_number", "said.number_state = 'missing'"),
    ("nhs_number_invalid", "nhs_number", "said.number_state = 'invalid'"),
    ("nhs_number_placeholder", "nhs_number", "said.number_state = 'placeholder'"),
    ("nhs_number_shared", "nhs_number", "said.is_shared_number"),
    ("record_in_dispute", "nhs_number", "said.is_in_review"),
    ("birth_date_missing", "birth_date", "said.birth_month is null and said.birth_date_text is null"),
    ("birth_date_placeholder", "birth_date", "said.birth_month is null and said.birth_date_text is not null"),
    ("sex_missing", "sex", "said.sex is null"),
    ("postcode_missing", "postcode", "said.postcode_state = 'missing'"),
    ("postcode_unknown", "postcode", "said.postcode_state = 'unknown'"),
    ("postcode_invalid", "postcode", "said.postcode_state = 'invalid'"),
    ("ethnicity_missing", "nhs_number", "said.ethnic_category_code is null"),
)


def _identity_fault(kind: str, role: str, condition: str) -> str:
    only = f"and said.source in ({literals(_ASKS_ETHNICITY)})" if kind == "ethnicity_missing" else ""
    return f"""
        select
            said.source,
            said.organisation_code,
            place.table_name,
            {literal(kind)} as kind,
            {literal(KINDS[kind].what)} as what,
            load.delivery_date,
            load.file,
            said.local_id,
            said.record_token
        from said
        inner join (
            select source, namespace, min(table_name) as table_name from role_table where role = {literal(role)} group by all
        ) as place on said.source = place.source and said.namespace = place.namespace
        left join delivery as load on said.load_seq = load.load_seq
        where {condition} {only}"""


def _not_mapped(con: duckdb.DuckDBPyConnection) -> None:
    """Coded statements of general practice whose code no dictionary or map translates."""
    for view in ("int_coded_statement__gp_emis", "int_coded_statement__gp_systmone"):
        con.execute(f"""
            insert into fault by name
            select
                record.source,
                coalesce(record.organisation_code, statement.organisation_code) as organisation_code,
                split_part(statement.event_key, '|', 1) as table_name,
                'code_not_mapped' as kind,
                'code ' || coalesce(statement.supplied_code, '(blank)') || ' cannot be translated into SNOMED CT' as what,
                substr(statement.event_key, length(split_part(statement.event_key, '|', 1)) + 2) as row_identity,
                local_id.local_id,
                statement.record_token
            from build.intermediate.{view} as statement
            inner join build.core.record as record on statement.record_token = record.record_token
            left join local_id on statement.record_token = local_id.record_token
            where statement.code is null and not statement.is_deleted""")


def _checked(con: duckdb.DuckDBPyConnection, sources: Sequence[Source], raw_dir: Path) -> None:
    """Rows that landed and break a rule on values; looked for where the checks have counted any."""
    failed = con.execute(
        "select distinct source, table_name, rule from build.core.data_quality_result where stage = 'landed' and n_failed > 0"
    ).fetchall()
    tables = {(source.name, table.name): table for source in sources for table in source.tables}
    by_organisation = {source.name for source in sources if source.terms.organisation}
    for source, name, rule in failed:
        kind, _, column = rule.partition(":")
        table = tables.get((source, name))
        # a check of a contract that has changed since asks for nothing today
        found = next((c for c in table.content_columns if c.name == column), None) if table else None
        breaks = _breaks(kind, found) if found else ""
        if table is None or found is None or not breaks:
            continue
        key = [part for part in table.terms.key if not table.column(part).is_identity_only]
        identity = " || '|' || ".join(f"{literal(k + '=')} || coalesce(cast(landed.{ident(k)} as varchar), '')" for k in key)
        sender = "coalesce(name.organisation_code, nullif(split_part(landed._window, '|', 1), ''))"
        token = "landed.record_token" if table.has_records else "cast(null as uuid)"
        con.execute(f"""
            insert into fault by name
            select
                {literal(source)} as source,
                {sender if source in by_organisation else "null"} as organisation_code,
                {literal(name)} as table_name,
                {literal(kind)} as kind,
                {literal(column)} as column_name,
                {literal(f"{found.header}: {KINDS[kind].what}")} as what,
                load.delivery_date,
                load.file,
                landed._line as line,
                {identity or "null"} as row_identity,
                local_id.local_id,
                {token} as record_token
            from read_parquet({_files(raw_dir / source / name)}, union_by_name = true) as landed
            inner join delivery_standing as load on landed._load_seq = load.load_seq
            left join newest_full as newest
                on newest.source = {literal(source)} and newest.table_name = {literal(name)} and landed._window = newest."window"
            left join organisation_name as name
                on name.source = {literal(source)} and split_part(landed._window, '|', 1) = name.supplied
            left join local_id on local_id.record_token = {token} and local_id.namespace = {literal(table.record_namespace)}
            where ({breaks}) and coalesce(newest.load_seq <= landed._load_seq, true)""")


def _breaks(kind: str, column: Column) -> str:
    """The condition of a landed row that breaks a rule of `expectations`; '' when the contract has no such rule."""
    value, terms = f"landed.{ident(column.name)}", column.terms
    if kind == "in_set" and terms.values:
        return f"{value} not in ({literals(terms.values)})"
    if kind == "not_in_future" and terms.event_date:
        return f"cast({value} as date) > landed._delivery_date"
    if kind == "between":
        limits = [(terms.minimum, "<"), (terms.maximum, ">")]
        return " or ".join(f"{value} {sign} {literal(limit)}" for limit, sign in limits if limit is not None)
    return ""


def _files(folder: Path) -> str:
    return literal(folder / "*.parquet")
