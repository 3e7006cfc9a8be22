"""Which checks are asked of what, at each boundary, and where their results are kept.

Three boundaries: what has landed since the last release, the patient index, and the marts about to be published. The rules
themselves are in `expectations`; this module turns contracts and zones into its plain inputs, and keeps the findings as Parquet,
one file a run and boundary, in `raw/operations/quality_result`. Findings hold counts only, never a value of a row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl

from expectations import (
    Finding,
    Rule,
    Subject,
    activity_volume,
    check,
    contract_suite,
    event_dates,
    linkage_equity,
    marts,
    nhs_number,
    patient_index,
)
from expectations.contract_suite import ColumnFacts
from linkage.spec import default_spec
from linkage.sql import literal
from orchestration.governance import closed_purposes, sharing_fingerprint
from orchestration.landing.contract import Source, Table
from orchestration.landing.ledger import Ledger
from orchestration.landing.operations import OPERATIONS
from orchestration.publishing.release import PURPOSES, current_release
from orchestration.settings import Settings

Findings = dict[str, list[Finding]]

_MART_RULES = ("person", "person_segment", "linkage_equity")

_GP_SOURCES = ("gp_emis", "gp_systmone")

#: GP records of a source, with whether the person's latest Type 1 statement is a dissent: the supplier should leave those out.
_EXTRACTED_IN_SPITE = """
    select permission.has_type_1_dissent
    from core.person_record as record
    inner join core.person_permission as permission on record.person_id = permission.person_id
    where record.source = '{source}'
"""

#: Loads since a moment that still stand: a delta always does, a full load until another has replaced each of its windows.
#: `has_previous`: it replaces a window of an earlier full load, whose size its own can be judged by.
_STANDING_LOADS = """
    select
        load_seq,
        table_name,
        exists (
            select 1
            from load_window as mine
            inner join load_window as theirs on theirs.window = mine.window and theirs.load_seq < mine.load_seq
            inner join load as earlier on theirs.load_seq = earlier.load_seq
            where mine.load_seq = load.load_seq and mine.mode = 'full' and theirs.mode = 'full'
                and earlier.source = load.source and earlier.table_name = load.table_name
        ) as has_previous
    from load
    where source = '{source}' and status = 'landed' and landed_at > '{since}'
        and (
            mode <> 'full'
            or exists (
                select 1
                from load_window as mine
                where mine.load_seq = load.load_seq
                    and not exists (
                        select 1
                        from load_window as theirs
                        inner join load as later on theirs.load_seq = later.load_seq
                        where later.source = load.source and later.table_name = load.table_name
                            and later.status = 'landed' and theirs.mode = 'full'
                            and theirs.window = mine.window and theirs.load_seq > mine.load_seq
                    )
            )
        )
    order by load_seq
"""


def check_landed(settings: Settings, source: Source, run_id: str, as_of: date) -> Findings:
    """Check what has landed from a source since the release being served, and keep the findings, by table name.

    What an earlier run landed but never published is checked again, so a failure blocks until a better delivery replaces it.
    """
    loads = _new_loads(settings, source)
    findings = check(_landed_subjects(settings, source, loads), memory_limit=settings.memory_limit)
    _keep(findings, settings, run_id, as_of, f"landed.{source.name}")
    by_table: Findings = {}
    for subject, found in findings.items():
        by_table.setdefault(subject.split(".")[1], []).extend(found)
    return by_table


def check_index(settings: Settings, run_id: str, as_of: date) -> Findings:
    """Check the patient index and keep the findings: one person per record, no crowd in a person, no record left out."""
    findings = check(_index_subjects(settings), memory_limit=settings.memory_limit)
    _keep(findings, settings, run_id, as_of, "index")
    return findings


def check_marts(settings: Settings, run_id: str, as_of: date) -> Findings:
    """Check the marts in the build database and keep the findings, by `<schema>.<purpose>__<table>`."""
    subjects = _mart_subjects(settings)
    findings = check(
        subjects,
        database=str(settings.build_database),
        memory_limit=settings.memory_limit,
        search_path=str(settings.data_dir),
    )
    _keep(findings, settings, run_id, as_of, "marts")
    return findings


def has_mart_rules(schema: str, model: str) -> bool:
    """True for the marts that `check_marts` has rules for."""
    purpose, _, table = model.partition("__")
    return schema == f"marts_{purpose}" and table in _MART_RULES


@dataclass
class _NewLoads:
    """Loads of one table to check."""

    numbers: list[int] = field(default_factory=list)
    have_previous: bool = False


def _new_loads(settings: Settings, source: Source) -> dict[str, _NewLoads]:
    """The loads to check, by table."""
    served = current_release(settings.releases_dir)
    since = served.built_at if served else ""
    found: dict[str, _NewLoads] = defaultdict(_NewLoads)
    with Ledger(settings.ledger_path) as ledger:
        for load_seq, table, has_previous in ledger.rows(_STANDING_LOADS.format(source=source.name, since=since)):
            loads = found[str(table)]
            loads.numbers.append(int(str(load_seq)))
            loads.have_previous |= bool(has_previous)
    return found


def _landed_subjects(settings: Settings, source: Source, new: Mapping[str, _NewLoads]) -> list[Subject]:
    subjects = []
    for table_name, loads in new.items():
        table = source.table(table_name)
        files = literal(settings.raw_dir / source.name / table_name / "*.parquet")
        query = f"""
            select * from read_parquet({files}, union_by_name = true)
            where _load_seq in ({", ".join(map(str, loads.numbers))})
        """
        subjects.append(Subject(f"{source.name}.{table_name}", query, _contract_rules(source, table)))
        if loads.have_previous:
            volume = _volume_query(settings.operations_dir, source.name, table_name, loads.numbers)
            subjects.append(Subject(f"{source.name}.{table_name}.volume", volume, activity_volume.volume_rules()))
    return subjects


def _contract_rules(source: Source, table: Table) -> tuple[Rule, ...]:
    columns = [
        ColumnFacts(c.name, values=tuple(c.terms.values), minimum=c.terms.minimum, maximum=c.terms.maximum)
        for c in table.content_columns
    ]
    optional = [c.name for c in table.content_columns if c.terms.nullable] if len(table.raw_key) > 1 else []
    rules = contract_suite.contract_rules(table.raw_key, "_load_seq", columns, optional)
    happened = [column.name for column in table.content_columns if column.terms.event_date]
    rules += event_dates.future_date_rules(happened, "_delivery_date")
    if source.terms.missing_nhs_number_share is not None and table.with_role("nhs_number"):
        rules += nhs_number.valid_share_rules(source.terms.missing_nhs_number_share)
    return rules


def _volume_query(operations_dir: Path, source: str, table: str, numbers: Sequence[int]) -> str:
    """Rows of the new full loads beside those of the full load that held the same window before."""
    return f"""
        select n_rows, n_previous
        from (
            select
                w.load_seq,
                d.rows_landed as n_rows,
                lag(d.rows_landed) over (partition by w."window" order by w.load_seq) as n_previous
            from read_parquet({literal(str(operations_dir / "delivery_window/*.parquet"))}) as w
            inner join read_parquet({literal(str(operations_dir / "delivery/*.parquet"))}) as d on w.load_seq = d.load_seq
            where w.source = {literal(source)} and w.table_name = {literal(table)} and w.mode = 'full'
        ) as full_load
        where load_seq in ({", ".join(map(str, numbers))})
    """


def _index_subjects(settings: Settings) -> list[Subject]:
    links = f"select * from read_parquet({literal(str(settings.raw_dir / 'linkage/person_record/*.parquet'))})"
    sizes = f"select person_id, count(*) as n_records from ({links}) as links group by person_id"
    files = literal(str(settings.identifiable_dir / "identity/*/*/*.parquet"))
    # A record that its supplier has withdrawn belongs to nobody any more. Where one table of a source is its register, that table
    # says so: an address may still come for a patient who was taken off the list.
    registers = default_spec().register_tables
    is_register = " or ".join(f"(source = {literal(s)} and table_name = {literal(t)})" for s, t in registers.items()) or "false"
    newest = "arg_max(coalesce(is_deleted, false), load_seq)"
    unlinked = f"""
        select identity.record_token
        from (
            select record_token
            from read_parquet({files}, union_by_name = true)
            where record_token is not null
            group by record_token
            having not coalesce({newest} filter ({is_register}), {newest})
        ) as identity
        anti join ({links}) as links on identity.record_token = links.record_token
    """
    return [
        Subject("linkage.person_record", links, patient_index.person_record_rules()),
        Subject("linkage.person", sizes, patient_index.person_size_rules()),
        Subject("linkage.unlinked_record", unlinked, patient_index.unlinked_rules()),
    ]


def _mart_subjects(settings: Settings) -> list[Subject]:
    served = current_release(settings.releases_dir)
    # an agreement that begins or ends brings or takes people: then the population is not compared
    is_comparable = served is not None and served.sharing == sharing_fingerprint(settings)
    closed = closed_purposes(settings)
    gaps = _equity_gaps(settings)
    subjects = [
        Subject("core.condition_event", "select code from core.condition_event", marts.event_code_rules()),
        *(Subject(f"{gp}.opt_out", _EXTRACTED_IN_SPITE.format(source=gp), marts.type_1_rules()) for gp in _GP_SOURCES),
    ]
    for purpose in PURPOSES.keys() - closed.keys():
        n_previous = served.tables.get(purpose, {}).get("person") if served and is_comparable else None
        schema = f"marts_{purpose}"
        subjects += [
            Subject(f"{schema}.{purpose}__person", f"select * from {schema}.person", marts.person_rules(n_previous)),
            Subject(f"{schema}.{purpose}__person_segment", f"select * from {schema}.person_segment", marts.segment_rules()),
            Subject(
                f"{schema}.{purpose}__linkage_equity",
                f"select * from {schema}.linkage_equity",
                linkage_equity.equity_rules(gaps),
            ),
        ]
    return subjects


def _equity_gaps(settings: Settings) -> list[linkage_equity.Gap]:
    """The gaps in linkage that are beyond their limit, to be named in the findings; they are about groups, not people."""
    with duckdb.connect(str(settings.build_database), read_only=True) as connection:
        return connection.execute(
            "select characteristic, group_name, measure from core.linkage_equity where is_breach order by all"
        ).fetchall()


def _keep(findings: Findings, settings: Settings, run_id: str, as_of: date, stage: str) -> None:
    """Write the findings of one boundary of one run; a repeated call for the same run and boundary replaces them."""
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = []
    for subject, found in findings.items():
        source, table, *_ = subject.split(".")
        boundary = stage.partition(".")[0]
        rows += [
            (run_id, boundary, as_of, now, source, table, f.rule, f.severity, f.status, f.n_rows, f.n_failed, f.detail or None)
            for f in found
        ]
    folder = settings.operations_dir / "quality_result"
    folder.mkdir(parents=True, exist_ok=True)
    beside = folder / f".{run_id}.{stage}.writing"
    pl.DataFrame(rows, schema=_RESULT_SCHEMA, orient="row").write_parquet(beside)
    beside.replace(folder / f"{run_id}.{stage}.parquet")


_POLARS = {"varchar": pl.String, "date": pl.Date, "timestamp": pl.Datetime("us"), "bigint": pl.Int64}
_RESULT_SCHEMA = {name: _POLARS[kind] for name, kind in OPERATIONS["quality_result"].items()}
