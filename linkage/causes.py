"""Why each change to a person happened: the decision, the link, the rule or the record behind an event.

A cause is a word, the one or two records it speaks of, and a detail; none says anything about anybody.

| cause | of | records | detail |
|---|---|---|---|
| new_record | mint | – | – |
| shared_number | extend, merge | the record, and the one whose NHS number it shares | – |
| edge | extend, merge | the pair that linked most strongly | weight in bits, blocking rule |
| decision | merge, extend, split, reassign, revive | the pair decided on | decision id, by whom |
| decision_undone, decision_expired | as before | the pair once decided on | decision id, by whom it was made |
| record_changed, record_withdrawn | split, reassign, revive, tombstone | the record | – |
| scoring_changed | split, reassign, revive | – | the model in use |
| link_refused | split, reassign, revive | the pair | the rule that refuses it |
| evidence_changed | all but mint and tombstone | – | – |
"""

from __future__ import annotations

import duckdb

_ENDED = "case c.ended_because when 'undone' then 'decision_undone' else 'decision_expired' end"
_BY = "c.decision_id || ' by ' || c.decided_by"


def find(connection: duckdb.DuckDBPyConnection, run_id: str, new_scoring: str | None) -> None:
    """Make `event_cause` from `event_next`: each event with its most telling cause.

    Reads `record_move` (record_token, old_person, new_person), `grouped`, `edge_judged`, `refused_edge`, `blocking_rule`,
    `live_constraint`, `changed_record` and the decisions that run `run_id` was the first to go without.
    """
    connection.execute("""
        create or replace temp table moved_record as
        with involved as (
            select person_id from event_next where event not in ('mint', 'tombstone')
            union
            select other_person_id from event_next where event not in ('mint', 'tombstone')
        )

        select * from record_move
        where
            old_person in (select person_id from involved where person_id is not null)
            or new_person in (select person_id from involved where person_id is not null)""")
    _find_joins(connection, run_id)
    _find_partings(connection, run_id, new_scoring)
    connection.execute("""
        create or replace temp table event_cause as
        select
            e.*,
            case e.event
                when 'mint' then 'new_record'
                when 'tombstone' then 'record_withdrawn'
                else coalesce(j.cause, p.cause, 'evidence_changed')
            end as cause,
            coalesce(j.left_token, p.left_token) as cause_left,
            coalesce(j.right_token, p.right_token) as cause_right,
            coalesce(j.detail, p.detail) as cause_detail
        from event_next as e
        left join join_cause as j
            on e.event in ('extend', 'merge') and e.person_id = j.new_person
            and e.other_person_id is not distinct from j.old_person
        left join parting_cause as p
            on (e.event in ('split', 'reassign') and e.person_id = p.old_person and e.other_person_id = p.new_person)
            or (e.event = 'revive' and e.person_id = p.new_person and e.other_person_id = p.old_person)""")


def _find_joins(connection: duckdb.DuckDBPyConnection, run_id: str) -> None:
    """`join_cause`: per new person and former person (none for new records), what holds the newcomers to the rest."""
    connection.execute(
        f"""
        create or replace temp table join_cause as
        with bond as (
            select c.left_token, c.right_token, 1 as place, 0.0 as weight, {_ENDED} as cause, {_BY} as detail
            from registry."constraint" as c where c.kind = 'cannot_link' and c.ended_run = $1
            union all
            select c.left_token, c.right_token, 2, 0.0, 'decision', {_BY}
            from live_constraint as c where c.kind = 'must_link'
            union all
            select record_token, rep_token, 3, 0.0, 'shared_number', null from grouped where record_token <> rep_token
            union all
            select e.left_token, e.right_token, 4, e.match_weight, 'edge', printf('%.1f bits, %s', e.match_weight, b.rule)
            from edge_judged as e
            inner join blocking_rule as b on e.match_key = b.match_key
            where e.refusal is null
        ),

        bridging as (
            select bond.*, l.new_person, l.old_person as left_person, r.old_person as right_person
            from bond
            inner join moved_record as l on bond.left_token = l.record_token
            inner join moved_record as r on bond.right_token = r.record_token
            where l.new_person = r.new_person and l.old_person is distinct from r.old_person
        )

        select *
        from (
            select *, left_person as old_person from bridging
            union all
            select *, right_person from bridging
        )
        qualify row_number() over (
            partition by new_person, old_person order by place, weight desc, left_token, right_token
        ) = 1""",
        [run_id],
    )


def _find_partings(connection: duckdb.DuckDBPyConnection, run_id: str, new_scoring: str | None) -> None:
    """`parting_cause`: per former person and new person, what parted the leavers from the rest."""
    connection.execute(
        f"""
        create or replace temp table parting_cause as
        with split_pair as (
            select c.left_token, c.right_token, 1 as place, 'decision' as cause, {_BY} as detail
            from live_constraint as c where c.kind = 'cannot_link'
            union all
            select c.left_token, c.right_token, 2, {_ENDED}, {_BY}
            from registry."constraint" as c where c.kind = 'must_link' and c.ended_run = $1
            union all
            select left_token, right_token, 6, 'link_refused', refusal from edge_judged where refusal is not null
            union all
            select left_token, right_token, 6, 'link_refused', reason from refused_edge
        ),

        parted as (
            select s.*, l.old_person, l.new_person as left_person, r.new_person as right_person
            from split_pair as s
            inner join moved_record as l on s.left_token = l.record_token
            inner join moved_record as r on s.right_token = r.record_token
            where l.old_person = r.old_person and l.new_person <> r.new_person
        ),

        leaving as (
            select distinct old_person, new_person from moved_record where old_person <> new_person
        ),

        candidate as (
            select old_person, left_person as new_person, left_token, right_token, place, cause, detail from parted
            union all
            select old_person, right_person, left_token, right_token, place, cause, detail from parted
            union all
            -- of the records that changed, one that left says more than one that stayed
            select
                v.old_person, v.new_person, m.record_token, null,
                3 + cast(m.new_person <> v.new_person as integer) * 0.5, 'record_changed', null
            from leaving as v
            inner join moved_record as m on v.old_person = m.old_person
            semi join changed_record as c on m.record_token = c.record_token
            union all
            select v.old_person, v.new_person, m.record_token, null, 4, 'record_withdrawn', null
            from leaving as v
            inner join moved_record as m on v.old_person = m.old_person
            where m.new_person is null
            union all
            select old_person, new_person, null, null, 5, 'scoring_changed', $2 from leaving where $2 is not null
        )

        select *
        from candidate
        qualify row_number() over (partition by old_person, new_person order by place, left_token, right_token) = 1""",
        [run_id, new_scoring],
    )
