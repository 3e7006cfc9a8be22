"""What each fault costs: how many people's links, segments or lists would change if it were mended.

Nobody knows what a row that was not kept would have said, so a change is counted where it can be, and estimated where it cannot
(docs/feedback.md says how far each can be trusted):

* `link`: the record stands alone, or a question about it is open. A record that is already with others by name and date of birth
  is counted among the people of the fault, not among those who would change.
* `row`: whoever's record is in no person at all is missing, and counts. For everybody else, the chance that a row decides: the
  share of the rows of the same table that landed which are somebody's only statement of a codelist, or only contact with a
  setting within a year (leaving one out). Of several rows any one may decide.
* a fact (month of birth, sex, area, ethnic group): people who have it from no other record.
"""

from __future__ import annotations

from datetime import date

import duckdb

from linkage.sql import ident, literal
from orchestration.feedback.kinds import KINDS

#: Facts of `core.person` that a record may be the only one to know.
_FACTS = ("birth_month", "sex", "lsoa_code", "ethnic_group")
#: Coded events, and the column with their day.
_CODED = {"condition_event": "event_date", "observation": "observed_on", "medication": "issued_on"}


def weigh(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Make `fault_summary`: one row per source, organisation, table, kind and column of `fault`, ranked by people changed."""
    con.execute("create temp table kind_of_fault (kind varchar, dimension varchar, effect varchar, fix varchar)")
    kinds = [(kind.code, kind.dimension, kind.effect, kind.fix) for kind in KINDS.values()]
    con.executemany("insert into kind_of_fault values (?, ?, ?, ?)", kinds)
    _deciding_shares(con, as_of)
    _concerned(con)
    con.execute("""
        create temp table fault_summary as
        with rows_of as (
            select
                source, organisation_code, table_name, kind, column_name,
                count(*) as n_rows,
                count(distinct what) as n_reasons,
                min(what) as what,
                min(delivery_date) as first_delivery,
                max(delivery_date) as last_delivery
            from fault
            group by all
        ),
        people_of as (
            select
                source, organisation_code, table_name, kind, column_name,
                count(*) as n_people,
                sum(link) as n_links,
                sum(list) as n_lists,
                sum(greatest(link, list)) as n_people_changed
            from concerned
            group by all
        )
        select
            rows_of.source,
            rows_of.organisation_code,
            rows_of.table_name,
            rows_of.kind,
            rows_of.column_name,
            rows_of.what || case when n_reasons > 1 then ' (and ' || (n_reasons - 1) || ' more)' else '' end as what,
            kind_of_fault.dimension,
            kind_of_fault.fix,
            rows_of.n_rows,
            cast(people_of.n_people as bigint) as n_people,
            cast(people_of.n_links as bigint) as n_links,
            round(people_of.n_lists, 1) as n_lists,
            round(people_of.n_people_changed, 1) as n_people_changed,
            rows_of.first_delivery,
            rows_of.last_delivery,
            row_number() over (
                partition by rows_of.source, rows_of.organisation_code
                order by people_of.n_people_changed desc, people_of.n_people desc, rows_of.n_rows desc, rows_of.table_name,
                    rows_of.kind, rows_of.column_name
            ) as rank
        from rows_of
        inner join people_of
            on rows_of.source = people_of.source
            and rows_of.organisation_code is not distinct from people_of.organisation_code
            and rows_of.table_name = people_of.table_name
            and rows_of.kind = people_of.kind
            and rows_of.column_name is not distinct from people_of.column_name
        inner join kind_of_fault on rows_of.kind = kind_of_fault.kind""")


def _deciding_shares(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """`deciding`: by source and table, the share of the rows that landed which decide something for somebody."""
    since = literal(as_of.isoformat())
    coded = " union all ".join(
        f"""
        select event.source, split_part(event.event_key, '|', 1) as table_name, link.person_id, entry.codelist_id,
            event.{day} as day
        from build.core.{events} as event
        inner join build.core.person_record as link on event.record_token = link.record_token
        inner join listed as entry on event.code_system = entry.code_system and event.code = entry.code
        """
        for events, day in _CODED.items()
    )
    used = " union ".join(f"select distinct code_system, code from build.core.{events}" for events in _CODED)
    con.execute(f"""
        create temp table deciding as
        with used as ({used}),
        listed as (
            select distinct used.code_system, used.code, entry.codelist_id
            from used
            inner join build.registers.codelist as entry
                on used.code_system = entry.code_system
                and case entry.code_system when 'icd10' then left(used.code, length(entry.code)) else used.code end = entry.code
        ),
        only_statement as (
            select any_value(source) as source, any_value(table_name) as table_name, person_id, any_value(day) as day
            from ({coded}) as statement
            group by person_id, codelist_id
            having count(*) = 1
        ),
        only_contact as (
            select any_value(event.source) as source, any_value(split_part(event.event_key, '|', 1)) as table_name,
                link.person_id, cast(any_value(event.started_at) as date) as day
            from build.core.encounter as event
            inner join build.core.person_record as link on event.record_token = link.record_token
            where event.started_at >= cast({since} as date) - interval 1 year
            group by link.person_id, event.setting
            having count(*) = 1
        ),
        -- one row may state many things of somebody on a day, and decides once
        n_deciding as (
            select source, table_name, count(distinct struct_pack(person_id := person_id, day := day)) as n
            from (select * from only_statement union all select * from only_contact) as only_row
            group by all
        ),
        landed as (
            select source, table_name, sum(rows_landed) as n from delivery_standing group by all
        )
        select source, table_name, least(n_deciding.n / nullif(landed.n, 0), 1) as share
        from n_deciding
        inner join landed using (source, table_name)""")


def _concerned(con: duckdb.DuckDBPyConnection) -> None:
    """`concerned`: one row per person (or unknown row) of a fault, with `link` (0 or 1) and `list` (0 to 1, a chance)."""
    facts = " ".join(
        f"when kind_of_fault.effect = {literal(fact)} then cast(person.{ident(fact)} is null as integer)" for fact in _FACTS
    )
    con.execute(f"""
        create temp table concerned as
        with keyed as (
            select
                fault.*,
                -- a row that does not say whose it is stands for somebody of its own
                coalesce(fault.local_id, fault.file || ':' || fault.line, fault.row_identity) as who,
                fault.local_id is not null as is_known
            from fault
        ),
        person_of as (
            select
                source, organisation_code, table_name, kind, column_name, who, is_known,
                any_value(record_token) as record_token,
                count(*) as n_rows
            from keyed
            group by all
        ),
        alone as (
            select record_token, n_records = 1 as is_alone, is_in_review from said
        )
        select
            person_of.* exclude (record_token),
            case
                when kind_of_fault.effect = 'link' then cast(alone.is_alone or alone.is_in_review as integer)
                when kind_of_fault.effect = 'row' then cast(missing.is_missing as integer)
                else 0
            end as link,
            case
                when kind_of_fault.effect = 'link' then cast(alone.is_alone as integer)
                when kind_of_fault.effect = 'row' and missing.is_missing then 1
                when kind_of_fault.effect = 'row' then 1 - power(1 - coalesce(deciding.share, 0), person_of.n_rows)
                {facts}
                else 0
            end as list
        from person_of
        inner join kind_of_fault on person_of.kind = kind_of_fault.kind
        inner join contract_table as contract
            on person_of.source = contract.source and person_of.table_name = contract.table_name
        left join build.core.record as known on person_of.record_token = known.record_token
        left join build.core.person as person on known.person_id = person.person_id
        left join alone on person_of.record_token = alone.record_token
        left join deciding on person_of.source = deciding.source and person_of.table_name = deciding.table_name
        cross join lateral (
            select
                -- the row says whose it is and there is no such record; or it says who somebody is, but not which record
                case when person_of.is_known then known.record_token is null else contract.is_register end as is_missing
        ) as missing""")
