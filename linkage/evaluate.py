"""How good the index is, against a truth somebody gives: never found, never read by the pipeline itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb


@dataclass(frozen=True)
class Quality:
    """Agreement of an index with the truth over the records that both hold. Shares are between 0 and 1."""

    n_records: int
    n_people: int
    #: Of the pairs of records put together, the share that belong together; and of those that belong, the share put together.
    pair_precision: float
    pair_recall: float
    #: The same, averaged over records, which does not let a few large clusters speak for all.
    bcubed_precision: float
    bcubed_recall: float
    #: Records in a person who also holds somebody else's record.
    mixed_record_share: float


def evaluate(person_record: Path, truth: Path, *, source: str | None = None) -> Quality:
    """Compare `person_record` (record_token, source, person_id) with `truth` (record_token, person_no), both Parquet.

    With `source`, the measures are over pairs that hold a record of that source, and records of it. Records that only one of
    the two knows are left out.
    """
    with duckdb.connect() as connection:
        connection.execute(
            """
            create temp table judged as
            select cast(p.record_token as varchar) as record_token, p.source, p.person_id, t.person_no
            from read_parquet($1) as p
            inner join read_parquet($2) as t on cast(p.record_token as varchar) = cast(t.record_token as varchar)""",
            [str(person_record), str(truth)],
        )
        chosen = "true" if source is None else "source = $source"
        row = connection.execute(
            f"""
            with cell as (
                select person_id, person_no, count(*) as n, count(*) filter ({chosen}) as k from judged group by all
            ),

            by_person as (select person_id, sum(n) as n, sum(k) as k from cell group by person_id),
            by_truth as (select person_no, sum(n) as n, sum(k) as k from cell group by person_no),

            -- pairs that hold a chosen record: all pairs less the pairs without one
            pair_count as (
                select
                    (select sum(n * (n - 1) - (n - k) * (n - k - 1)) from cell) as n_right,
                    (select sum(n * (n - 1) - (n - k) * (n - k - 1)) from by_person) as n_linked,
                    (select sum(n * (n - 1) - (n - k) * (n - k - 1)) from by_truth) as n_true
            ),

            per_record as (
                select
                    sum(cell.k) as n_records,
                    sum(cell.k * cell.n / by_person.n) as precision_sum,
                    sum(cell.k * cell.n / by_truth.n) as recall_sum,
                    sum(cell.k) filter (by_person.n > cell.n) as n_mixed
                from cell
                inner join by_person on cell.person_id = by_person.person_id
                inner join by_truth on cell.person_no = by_truth.person_no
            )

            select
                per_record.n_records,
                (select count(*) from by_person where k > 0),
                pair_count.n_right / nullif(pair_count.n_linked, 0),
                pair_count.n_right / nullif(pair_count.n_true, 0),
                per_record.precision_sum / per_record.n_records,
                per_record.recall_sum / per_record.n_records,
                coalesce(per_record.n_mixed, 0) / per_record.n_records
            from pair_count
            cross join per_record""",
            {} if source is None else {"source": source},
        ).fetchone()
    n_records, n_people, *shares = row
    # with no pairs at all nothing was put together wrongly, and nothing was missed
    return Quality(int(n_records or 0), int(n_people or 0), *(1.0 if share is None else float(share) for share in shares))


def truth_by_token(truth: Path, local_ids: list[Path], out: Path) -> None:
    """Join a supplier-side truth (source, local_id, person_no) to record tokens and write (record_token, person_no) as Parquet.

    `local_ids` are Parquet files that say which token stands for which local id (record_token, source, local_id).
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    target = str(out).replace("'", "''")
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select distinct ids.record_token, t.person_no
                from read_parquet($1, union_by_name = true) as ids
                inner join read_parquet($2) as t on ids.source = t.source and ids.local_id = t.local_id
                order by ids.record_token
            ) to '{target}' (format parquet)""",
            [[str(path) for path in local_ids], str(truth)],
        )
