"""How good the index is, against a truth somebody gives: never found, never read by the pipeline itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from linkage.errors import LinkageError
from linkage.spec import LinkageSpec
from linkage.sql import literal
from linkage.standardise import identity_files

#: What a truth may say of a person, and so what quality can be told apart by, besides the source of a record.
CHARACTERISTICS = ("kin", "ethnic_group", "deprivation_fifth", "age_band", "sex")

#: NHS Data Dictionary, ethnic category 2001, to its group; Chinese stands with other, as in the 2001 census.
_ETHNIC_GROUP = """
    case
        when ethnic_category_code in ('A', 'B', 'C') then 'White'
        when ethnic_category_code in ('D', 'E', 'F', 'G') then 'Mixed'
        when ethnic_category_code in ('H', 'J', 'K', 'L') then 'Asian'
        when ethnic_category_code in ('M', 'N', 'P') then 'Black'
        when ethnic_category_code in ('R', 'S') then 'Chinese and other'
        else 'Not stated'
    end"""

_AGE_BAND = """
    case
        when age < 18 then '00-17'
        when age < 45 then '18-44'
        when age < 65 then '45-64'
        when age < 80 then '65-79'
        when age is not null then '80+'
        else 'Not known'
    end"""


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


NOTHING_JUDGED = Quality(0, 0, 1.0, 1.0, 1.0, 1.0, 0.0)


def evaluate(person_record: Path, truth: Path, *, source: str | None = None) -> Quality:
    """Compare `person_record` (record_token, source, person_id) with `truth` (record_token, person_no), both Parquet.

    With `source`, the measures are over pairs that hold a record of that source, and records of it. Records that only one of
    the two knows are left out.
    """
    if source is None:
        return _qualities(person_record, truth, "'all'").get("all", NOTHING_JUDGED)
    return evaluate_by(person_record, truth, "source").get(source, NOTHING_JUDGED)


def evaluate_by(person_record: Path, truth: Path, characteristic: str) -> dict[str, Quality]:
    """The quality for each group of a characteristic: `source`, or a column of `truth`.

    A group's measures are over the pairs that hold a record of the group, and its records.
    """
    return _qualities(person_record, truth, "p.source" if characteristic == "source" else f't."{characteristic}"')


def _qualities(person_record: Path, truth: Path, group_sql: str) -> dict[str, Quality]:
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"""
            with cell_group as (
                select p.person_id, t.person_no, cast({group_sql} as varchar) as member_of, count(*) as k
                from read_parquet($1) as p
                inner join read_parquet($2) as t on cast(p.record_token as varchar) = cast(t.record_token as varchar)
                group by all
            ),

            -- n records of a person, of a true person, of both; k of them of the group that is looked at
            counted as (
                select
                    member_of,
                    person_id,
                    person_no,
                    k,
                    sum(k) over (partition by person_id, person_no) as n,
                    sum(k) over (partition by person_id) as n_person,
                    sum(k) over (partition by person_no) as n_truth
                from cell_group
            ),

            -- pairs that hold a record of the group: all pairs less the pairs without one
            right_pair as (
                select member_of, sum(n * (n - 1) - (n - k) * (n - k - 1)) as n_pairs from counted group by member_of
            ),

            linked_pair as (
                select member_of, sum(n * (n - 1) - (n - k) * (n - k - 1)) as n_pairs, count(*) as n_people
                from (select member_of, person_id, any_value(n_person) as n, sum(k) as k from counted group by all)
                group by member_of
            ),

            true_pair as (
                select member_of, sum(n * (n - 1) - (n - k) * (n - k - 1)) as n_pairs
                from (select member_of, person_no, any_value(n_truth) as n, sum(k) as k from counted group by all)
                group by member_of
            ),

            per_record as (
                select
                    member_of,
                    sum(k) as n_records,
                    sum(k * n / n_person) as precision_sum,
                    sum(k * n / n_truth) as recall_sum,
                    coalesce(sum(k) filter (n_person > n), 0) as n_mixed
                from counted
                group by member_of
            )

            select
                member_of,
                n_records,
                linked_pair.n_people,
                right_pair.n_pairs / nullif(linked_pair.n_pairs, 0),
                right_pair.n_pairs / nullif(true_pair.n_pairs, 0),
                precision_sum / n_records,
                recall_sum / n_records,
                n_mixed / n_records
            from per_record
            inner join right_pair using (member_of)
            inner join linked_pair using (member_of)
            inner join true_pair using (member_of)
            order by member_of""",
            [str(person_record), str(truth)],
        ).fetchall()
    # with no pairs at all nothing was put together wrongly, and nothing was missed
    return {
        str(group): Quality(int(n_records), int(n_people), *(1.0 if share is None else float(share) for share in shares))
        for group, n_records, n_people, *shares in rows
    }


def truth_by_token(
    truth: Path, local_ids: list[Path], out: Path, *, people: Path | None = None, as_of: date | None = None
) -> None:
    """Join a supplier-side truth (source, local_id, person_no) to record tokens and write it as Parquet.

    `local_ids` are Parquet files that say which token stands for which local id (record_token, source, local_id). The result is
    (record_token, person_no) and, where `people` and `as_of` are given, the `CHARACTERISTICS` of the person. `people` is Parquet
    with a row a person: person_no, birth_date, sex, ethnic_category_code, imd_decile, twin_of (the person_no of a twin),
    household_no, given_name and family_name. Raises `LinkageError` when one of the files lacks a column or cannot be read.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        try:
            connection.execute(
                """
                create temp table judged as
                select distinct ids.record_token, t.person_no
                from read_parquet($1, union_by_name = true) as ids
                inner join read_parquet($2) as t on ids.source = t.source and ids.local_id = t.local_id""",
                [[str(path) for path in local_ids], str(truth)],
            )
            columns, joined = "", ""
            if people is not None and as_of is not None:
                _describe_people(connection, people, as_of)
                columns = ", " + ", ".join(f"described.{name}" for name in CHARACTERISTICS)
                joined = "left join described on judged.person_no = described.person_no"
            connection.execute(f"""
                copy (select judged.record_token, judged.person_no{columns} from judged {joined} order by judged.record_token)
                to {literal(out)} (format parquet)""")
        except (duckdb.IOException, duckdb.BinderException) as error:
            raise LinkageError(
                f"the truth in {truth.parent} cannot be read or is not complete: {str(error).splitlines()[0]}; a truth is "
                "records.parquet (source, local_id, person_no) and people.parquet, as `phm synth` writes them"
            ) from error


def _describe_people(connection: duckdb.DuckDBPyConnection, people: Path, as_of: date) -> None:
    """`described` (person_no and the characteristics): twins, and people who share both names and a home, are kin."""
    connection.execute(
        f"""
        create temp table described as
        with person as (
            select
                *,
                date_diff('year', birth_date, $2) - cast(strftime(birth_date, '%m%d') > strftime($2, '%m%d') as integer) as age,
                count(*) over (partition by household_no, given_name, family_name) > 1
                    and household_no is not null as has_namesake
            from read_parquet($1)
        )

        select
            person_no,
            case when twin_of is not null then 'twin' when has_namesake then 'namesake' else 'neither' end as kin,
            {_ETHNIC_GROUP} as ethnic_group,
            coalesce(cast((imd_decile + 1) // 2 as varchar), 'Not known') as deprivation_fifth,
            {_AGE_BAND} as age_band,
            coalesce(upper(sex), 'Not known') as sex
        from person""",
        [str(people), as_of],
    )


def withhold_numbers(identity_dir: Path, out_dir: Path, *, share: float, spec: LinkageSpec) -> None:
    """Copy identity files without the NHS numbers of a random share (0 to 1) of the records.

    Every row of a chosen record loses its number. Registers of numbers keep theirs: they are what the rest is linked to. The
    choice depends on the record and the spec's seed alone.
    """
    with duckdb.connect() as connection:
        for path in identity_files(identity_dir):
            target = out_dir / path.relative_to(identity_dir)
            target.parent.mkdir(parents=True, exist_ok=True)
            loses = "false"
            if not spec.treatment(path.relative_to(identity_dir).parts[0]).is_number_register:
                loses = f"hash(cast(record_token as varchar), {spec.seed}) / pow(2, 64) < {share}"
            connection.execute(f"""
                copy (
                    select * replace (case when not ({loses}) then nhs_number end as nhs_number)
                    from read_parquet({literal(path)})
                )
                to {literal(target)} (format parquet)""")
