"""Bring together the records that a shared NHS number already proves to be one person: `record` becomes `representative`.

Most records of most sources carry the number, so this leaves few pairs to weigh. It is the cross-check step of the national
Master Person Service with one more demand: first names must not contradict, because twins share a birth date and are the people
whose numbers get mixed up. A record that fails the check is not thrown out; it goes on alone, its number no longer counted as
verified, and is weighed like any other.
"""

from __future__ import annotations

import duckdb

from linkage.spec import LinkageSpec

#: `l` and `r` have first names that one person could have: equal, known aliases, one of them an initial, or spelt alike.
_GIVEN_AGREES = """(
    list_has_any({l}.given_classes, {r}.given_classes)
    or list_has_any({l}.given_tokens, {r}.given_tokens)
    or (least(length({l}.given_name), length({r}.given_name)) = 1 and left({l}.given_name, 1) = left({r}.given_name, 1))
    or jaro_winkler_similarity({l}.given_name, {r}.given_name) >= 0.75
    or damerau_levenshtein({l}.given_name, {r}.given_name) <= 1
)"""

_FAMILY_AGREES = """(
    list_has_any({l}.family_tokens, {r}.family_tokens)
    or left({l}.family_name, 3) = left({r}.family_name, 3)
    or jaro_winkler_similarity({l}.family_name, {r}.family_name) >= 0.88
    or (list_has_any({l}.given_tokens, {r}.family_tokens) and list_has_any({r}.given_tokens, {l}.family_tokens))
)"""

#: Two of three parts of the date, or day and month the other way round.
_BIRTH_NEARLY = """(
    cast(year({l}.birth_date) = year({r}.birth_date) as integer)
    + cast(month({l}.birth_date) = month({r}.birth_date) as integer)
    + cast(day({l}.birth_date) = day({r}.birth_date) as integer) >= 2
    or (
        year({l}.birth_date) = year({r}.birth_date)
        and month({l}.birth_date) = day({r}.birth_date)
        and day({l}.birth_date) = month({r}.birth_date)
    )
)"""


def given_agrees(left: str = "l", right: str = "r") -> str:
    """SQL condition: the first names of two rows could be one person's. NULL where either is missing."""
    return _GIVEN_AGREES.format(l=left, r=right)


def family_agrees(left: str = "l", right: str = "r") -> str:
    """SQL condition: the family names of two rows could be one person's. NULL where either is missing."""
    return _FAMILY_AGREES.format(l=left, r=right)


def birth_nearly_agrees(left: str = "l", right: str = "r") -> str:
    """SQL condition: the birth dates of two rows agree in two parts, or with day and month swapped. NULL where one is missing."""
    return _BIRTH_NEARLY.format(l=left, r=right)


def collapse(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec) -> None:
    """Make `grouped` (record_token, rep_token, agrees) and `representative` (one row per group) from `record`.

    Reads `live_constraint` (left_token, right_token, kind): a reviewer's "not the same" keeps two records apart here too.
    A representative's `rep_id` numbers the groups from 0 in the order of their tokens, whatever order the rows came in.
    """
    _group_records(connection)
    describe_groups(connection)
    _count_crowds(connection, spec)
    finish_representatives(connection)


def describe_each_record(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec) -> None:
    """Make `representative` with every record a group of its own: what training learns from."""
    connection.execute(
        "create or replace temp table grouped as select record_token, record_token as rep_token, true as agrees from record"
    )
    describe_groups(connection)
    _count_crowds(connection, spec)
    finish_representatives(connection)


def _group_records(connection: duckdb.DuckDBPyConnection) -> None:
    """Compare every record with the best-known record that holds the same number (its anchor)."""
    connection.execute("""
        create or replace temp table anchor as
        select nhs_number, record_token as anchor_token
        from record
        where nhs_number is not null
        qualify row_number() over (
            partition by nhs_number
            order by
                is_number_verified desc,
                cast(birth_date is not null as integer) + cast(given_name is not null as integer) desc,
                rank,
                record_token
        ) = 1""")
    given, family, birth = (
        given_agrees("record", "anchor_record"),
        family_agrees("record", "anchor_record"),
        (birth_nearly_agrees("record", "anchor_record")),
    )
    connection.execute(f"""
        create or replace temp table grouped as
        with forbidden as (
            select distinct
                case when r.record_token = anchor.anchor_token then l.record_token else r.record_token end as record_token
            from live_constraint as c
            inner join record as l on c.left_token = l.record_token
            inner join record as r on c.right_token = r.record_token
            inner join anchor on l.nhs_number = anchor.nhs_number
            where c.kind = 'cannot_link' and l.nhs_number = r.nhs_number
        ),

        checked as (
            select
                record.record_token,
                anchor.anchor_token,
                record.record_token = anchor.anchor_token or (
                    forbidden.record_token is null
                    and coalesce(
                        -- a register's record is the number; with nothing else said there is nothing to contradict
                        case
                            when
                                (record.is_number_register or record.is_number_verified)
                                and record.birth_date is null and record.given_name is null
                                then true
                            when anchor_record.birth_date is null and anchor_record.given_name is null
                                then anchor_record.is_number_register and record.is_number_verified
                            when record.birth_date = anchor_record.birth_date then coalesce({given}, true)
                            when {birth} then {given} and {family}
                            when record.birth_date is null or anchor_record.birth_date is null then {given} and {family}
                        end,
                        false
                    )
                ) as agrees
            from record
            left join anchor on record.nhs_number = anchor.nhs_number
            left join record as anchor_record on anchor.anchor_token = anchor_record.record_token
            left join forbidden on record.record_token = forbidden.record_token
        )

        select
            record_token,
            case when agrees then anchor_token else record_token end as rep_token,
            anchor_token is null or agrees as agrees
        from checked""")


def describe_groups(connection: duckdb.DuckDBPyConnection) -> None:
    """`representative_raw`, one row per group of `grouped`: the best-ranked source speaks for single fields, lists are joined."""

    def best(column: str) -> str:
        return (
            f"min(row(record.rank, cast(record.record_token as varchar), record.{column})) "
            f"filter (record.{column} is not null)[3] as {column}"
        )

    def together(column: str) -> str:
        return f"list_sort(list_distinct(flatten(list(record.{column})))) as {column}"

    connection.execute(f"""
        create or replace temp table representative_raw as
        select
            grouped.rep_token,
            count(*) as n_records,
            {best("nhs_number")},
            {best("typed_number")},
            bool_or(record.is_number_verified and grouped.agrees) as is_verified,
            {best("given_name")},
            {together("given_tokens")},
            {together("given_classes")},
            {best("family_name")},
            {together("family_tokens")},
            {best("birth_date")},
            {best("sex")},
            min(record.death_date) as death_date,
            {best("postcode")},
            {together("postcodes")},
            {best("uprn")},
            {together("phones")},
            {together("emails")},
            bit_or(case when record.once_bit is null then 0 else 1::bigint << record.once_bit end) as once_bits
        from grouped
        inner join record on grouped.record_token = record.record_token
        where record.has_identity
        group by grouped.rep_token""")


def _count_crowds(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec) -> None:
    """`crowded_phones` and `crowded_emails` belong to an institution; `postcode_people` says how many live at a postcode.

    Frequencies are held as powers of two, so that a night's few new people do not change every weight by a hair.
    """
    for column in ("phones", "emails"):
        connection.execute(f"""
            create or replace temp table crowded_{column} as
            select contact from (select unnest({column}) as contact from representative_raw)
            group by contact
            having count(*) > {spec.most_people_a_contact}""")
    connection.execute("""
        create or replace temp table postcode_people as
        select postcode, pow(2, ceil(log2(greatest(count(*), 8)))) as n_people
        from (select unnest(postcodes) as postcode from representative_raw)
        group by postcode""")


def finish_representatives(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop contacts that belong to an institution, add the columns that keys and comparisons use, and number the groups."""
    connection.execute("""
        create or replace temp table representative as
        with kept_phone as (
            select rep_token, list_sort(list(contact)) as phones
            from (select rep_token, unnest(phones) as contact from representative_raw)
            where contact not in (select contact from crowded_phones)
            group by rep_token
        ),

        kept_email as (
            select rep_token, list_sort(list(contact)) as emails
            from (select rep_token, unnest(emails) as contact from representative_raw)
            where contact not in (select contact from crowded_emails)
            group by rep_token
        )

        select
            cast(row_number() over (order by raw.rep_token) - 1 as integer) as rep_id,
            raw.* exclude (phones, emails),
            coalesce(kept_phone.phones, []) as phones,
            coalesce(kept_email.emails, []) as emails,
            postcode_people.n_people as n_people_at_postcode,
            strftime(raw.birth_date, '%Y%m%d') as birth_text,
            -- the same for a date and for its day-month swap, so that either finds the other
            year(raw.birth_date) || '-' || least(month(raw.birth_date), day(raw.birth_date))
            || '-' || greatest(month(raw.birth_date), day(raw.birth_date)) as birth_key,
            list_distinct([left(p, length(p) - 2) for p in raw.postcodes]) as postcode_sectors
        from representative_raw as raw
        left join kept_phone on raw.rep_token = kept_phone.rep_token
        left join kept_email on raw.rep_token = kept_email.rep_token
        left join postcode_people on raw.postcode = postcode_people.postcode""")
    connection.execute("drop table representative_raw")
