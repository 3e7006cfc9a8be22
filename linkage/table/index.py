"""A table linked to the people of the patient index: the nightly rules, the trained model and the nightly thresholds.

The table's records join the index's for this one computation and leave nothing behind: the registry is opened read-only. A record
finds a person by a number that its name and birth date bear out, or by weight, with the same guards and the same gap to the
runner-up as any source; nothing is inferred from one record of the table about another.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from linkage import registry
from linkage.block import block, pair
from linkage.collapse import collapse
from linkage.duck import Limits, connect
from linkage.errors import LinkageError
from linkage.link import count_groups
from linkage.model import Parameters
from linkage.score import judge, score
from linkage.spec import LinkageSpec
from linkage.standardise import IDENTITY_COLUMNS, identity_files, read_identity, standardise
from linkage.table.columns import Columns, recognise
from linkage.table.link import write_private
from linkage.table.read import Table, header, read
from linkage.wording import edge_in_words

#: What the table's records are called among the sources; the spec does not know it, so it is believed least.
SOURCE = "linked_file"


@dataclass(frozen=True)
class IndexReport:
    """What was done. Counts only. `bands` counts records: linked, review, separate, unlinkable."""

    n_records: int
    bands: dict[str, int]
    notes: tuple[str, ...]


def link_to_index(
    table: Table,
    columns: Columns,
    output: Path,
    *,
    identity_dir: Path,
    registry_path: Path,
    spec: LinkageSpec,
    parameters: Parameters,
    as_of: date,
    limits: Limits,
) -> IndexReport:
    """Say which person of the index each record of a table is, if any.

    `output` is CSV or Parquet by its ending, readable by its owner only: record_id, person_id (where linked), candidate_person_id
    (where somebody should look), weight (bits), band, reason. Raises `LinkageError` when the table cannot be read or there is no
    index, and then writes nothing.
    """
    if not registry_path.exists():
        raise LinkageError(
            f"there is no patient index at {registry_path}: load something first, or link the file without --index"
        )
    scratch = limits.spill_dir / SOURCE
    try:
        with (
            connect(limits, keeps_order=True) as connection,
            registry.attached(connection, registry_path, read_only=True),
        ):
            recognised = recognise(header(connection, table.path), columns)
            read(connection, [(table, recognised.columns)], spec, as_of)
            _write_as_identity(connection, scratch / "file" / "00000001.parquet")
            read_identity(connection, [*identity_files(identity_dir), scratch / "file" / "00000001.parquet"])
            standardise(connection, spec, f"date '{as_of.isoformat()}'")
            _weigh(connection, spec, parameters)
            bands = _write(connection, spec, output)
            (n_records,) = connection.execute("select count(*) from subject").fetchone()
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    unused = [role for role in recognised.columns if role.startswith(("text:", "number:")) or role in ("identifier", "address")]
    told = (f"the index knows nothing to compare with {', '.join(unused)}",) if unused else ()
    return IndexReport(n_records, bands, (*recognised.notes, *told))


def _write_as_identity(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Write `subject` in the fixed shape of identity files; the token of a record is its row number."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    columns = {row[0] for row in connection.execute("describe subject").fetchall()}
    phones = ", ".join(f"'0' || {c}" for c in sorted(columns) if c.startswith("phone_"))
    known = {
        "record_token": "cast(cast(n as uhugeint) as uuid)",
        "source": f"'{SOURCE}'",
        "table_name": "'file'",
        "load_seq": "1",
        "is_deleted": "false",
        "nhs_number": "nhs_number",
        "given_name": "given_tokens[1]",
        "middle_names": "array_to_string(given_tokens[2:], ' ')",
        "family_name": "nullif(array_to_string(family_tokens, ' '), '')",
        "birth_date": "try_cast(left(birth, 4) || '-' || substr(birth, 5, 2) || '-' || right(birth, 2) as date)",
        "sex": "sex",
        "postcode": "postcode",
        "phones": f"list_filter([{phones}], lambda p: p is not null)" if phones else "null",
        "email": "email",
    }
    selects = ", ".join(f"cast({known.get(name, 'null')} as {dtype}) as {name}" for name, dtype in IDENTITY_COLUMNS.items())
    write_private(connection, f"select {selects} from subject", path)


def _weigh(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec, parameters: Parameters) -> None:
    """From `record` to `edge_judged`, of the table's own groups only."""
    registry.read_constraints(connection)
    collapse(connection, spec)
    counts = block(connection, spec)
    connection.execute(f"""
        create or replace temp table changed as
        select rep.rep_id, rep.rep_token from representative as rep
        inner join record on rep.rep_token = record.record_token
        where record.source = '{SOURCE}'""")
    pair(connection, spec, counts)
    n_groups = count_groups(connection)
    score(connection, spec, parameters, n_groups)
    connection.execute("create or replace temp table edge as select * from edge_new")
    judge(connection, spec, parameters.prior(n_groups))


def _write(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec, output: Path) -> dict[str, int]:
    """Choose a person for each record and write what was found."""
    connection.execute("""
        create or replace temp table rep_person as
        select distinct grouped.rep_token, member.person_id
        from grouped
        inner join registry.membership as member on grouped.record_token = member.record_token and member.valid_to is null""")
    connection.execute(f"""
        create or replace temp table file_answer as
        with own as (
            select record.record_token, record.has_identity, grouped.rep_token
            from record inner join grouped on record.record_token = grouped.record_token
            where record.source = '{SOURCE}'
        ),

        by_number as (
            select own.record_token, min(rep_person.person_id) as person_id, count(*) as n_people
            from own inner join rep_person on own.rep_token = rep_person.rep_token
            group by own.record_token
        ),

        said as (
            select edge_judged.left_token, edge_judged.right_token, match_weight, refusal, {edge_in_words()} as words
            from edge_judged
            inner join edge on edge_judged.left_token = edge.left_token and edge_judged.right_token = edge.right_token
        ),

        both_ways as (
            select left_token as rep_token, right_token as found_token, match_weight, refusal, words from said
            union all
            select right_token, left_token, match_weight, refusal, words from said
        ),

        candidate as (
            select
                own.record_token,
                rep_person.person_id,
                max(both_ways.match_weight) as match_weight,
                arg_max(both_ways.refusal, both_ways.match_weight) as refusal,
                arg_max(both_ways.words, both_ways.match_weight) as words
            from own
            inner join both_ways on own.rep_token = both_ways.rep_token
            inner join rep_person on both_ways.found_token = rep_person.rep_token
            group by own.record_token, rep_person.person_id
        ),

        ranked as (
            select
                *,
                match_weight - lead(match_weight) over (partition by record_token order by match_weight desc, person_id) as gap,
                row_number() over (partition by record_token order by match_weight desc, person_id) as place
            from candidate
        )

        select
            own.record_token,
            coalesce(by_number.person_id, best.person_id) as person_id,
            case when by_number.person_id is null then best.match_weight end as match_weight,
            case
                when not own.has_identity then 'unlinkable'
                when by_number.n_people = 1 then 'linked'
                when by_number.n_people > 1 then 'review'
                when best.person_id is null then 'separate'
                when best.refusal is null and best.match_weight >= {spec.link_weight}
                    and coalesce(best.gap, {spec.runner_up_gap}) >= {spec.runner_up_gap} then 'linked'
                else 'review'
            end as band,
            case
                when not own.has_identity then 'nothing in this record says who it is about'
                when by_number.n_people = 1 then 'the same NHS number, borne out by name and birth date'
                when by_number.n_people > 1 then 'the same NHS number as more than one person'
                when best.person_id is null then 'nobody in the index is nearly like it'
                when best.refusal is not null then replace(best.refusal, '_', ' ') || ': ' || best.words
                when best.gap < {spec.runner_up_gap} then 'another person fits nearly as well: ' || best.words
                else best.words
            end as reason
        from own
        left join by_number on own.record_token = by_number.record_token
        left join ranked as best on own.record_token = best.record_token and best.place = 1""")
    write_private(
        connection,
        """
        select
            subject.record_id,
            case when answer.band = 'linked' then answer.person_id end as person_id,
            case when answer.band = 'review' then answer.person_id end as candidate_person_id,
            round(answer.match_weight, 2) as weight,
            answer.band,
            answer.reason
        from file_answer as answer
        inner join subject on cast(cast(subject.n as uhugeint) as uuid) = answer.record_token
        order by subject.n""",
        output,
    )
    return dict(connection.execute("select band, count(*) from file_answer group by band order by band").fetchall())
