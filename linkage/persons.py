"""Person ids from one night to the next: kept by largest overlap, given back when a merge is undone, every change written down.

A person id is minted at random, never derived from anything and never given to anybody else. An id that was merged away resolves
through `alias`; when most of the records that it held stand apart from the survivor again, it comes back and its alias is closed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from uuid import UUID, uuid4

import duckdb

from linkage import causes

IdSource = Callable[[int], list[UUID]]


def random_ids(count: int) -> list[UUID]:
    """Fresh random person ids."""
    return [uuid4() for _ in range(count)]


def assign(
    connection: duckdb.DuckDBPyConnection, run_id: str, as_of: date, new_ids: IdSource, *, new_scoring: str | None = None
) -> None:
    """Give every cluster of `record_cluster` (record_token, cluster) a person id and write what changed, with its cause.

    A cluster keeps the id that most of its records had, the oldest of equals; an id goes to the one cluster that holds most of
    its records. Parts that were two persons before a merge get both former ids back, and parts that a split made get the id
    from before it, so that ending a decision restores both histories. A cluster left without an id gets a fresh one.
    `new_scoring` names the model when this run weighs pairs otherwise than the last did.
    """
    _claim_former_ids(connection)
    _inherit(connection)
    _mint(connection, run_id, as_of, new_ids)
    _write_events(connection, run_id, as_of, new_scoring)
    _write_persons(connection, run_id, as_of)
    connection.execute("""
        create or replace temp table moved as
        select next.record_token, next.person_id
        from record_person as next
        left join current_membership as now on next.record_token = now.record_token
        where now.person_id is distinct from next.person_id""")
    connection.execute(
        """
        update registry.membership as m set valid_to = $1
        where
            m.valid_to is null
            and (
                m.record_token in (select record_token from moved)
                or m.record_token not in (select record_token from record_person)
            )""",
        [as_of],
    )
    connection.execute("insert into registry.membership select record_token, person_id, $1, null, $2 from moved", [as_of, run_id])


def _claim_former_ids(connection: duckdb.DuckDBPyConnection) -> None:
    """`claim` (cluster, now_id, person_id): a part of a parting person that was somebody of their own before a merge.

    A part claims a retired id when it holds most of the records that the id held when it was merged away, and most of what the
    part held then was that id's. Of several such ids it claims the one whose records it fits best. Also makes
    `current_membership` and `former_record` (former_id, now_id, record_token): what each absorbed id of a parting person held.
    """
    connection.execute("""
        create or replace temp table current_membership as
        select record_token, person_id from registry.membership where valid_to is null""")
    connection.execute("""
        create or replace temp table member_then as
        with parting as (
            select m.person_id
            from current_membership as m
            inner join record_cluster as rc on m.record_token = rc.record_token
            group by m.person_id
            having count(distinct rc.cluster) > 1
        ),

        run_order as (
            select run_id, row_number() over (order by finished_at) as place from registry.run
        ),

        absorbed as (
            select a.old_person_id as former_id, a.person_id as now_id, run_order.place
            from registry.alias as a
            semi join parting on a.person_id = parting.person_id
            inner join run_order on a.run_id = run_order.run_id
            where a.until is null
        )

        select absorbed.former_id, absorbed.now_id, m.record_token, max_by(before.person_id, run_order.place) as then_id
        from absorbed
        inner join current_membership as m on absorbed.now_id = m.person_id
        inner join registry.membership as before on m.record_token = before.record_token
        inner join run_order on before.run_id = run_order.run_id and run_order.place < absorbed.place
        group by absorbed.former_id, absorbed.now_id, m.record_token""")
    connection.execute("""
        create or replace temp table former_record as
        select former_id, now_id, record_token from member_then where then_id = former_id""")
    connection.execute("""
        create or replace temp table claim as
        with counted as (
            select
                t.former_id,
                t.now_id,
                rc.cluster,
                count(*) as n_then,
                count(*) filter (t.then_id = t.former_id) as n_former,
                sum(n_former) over (partition by t.former_id) as n_former_everywhere
            from member_then as t
            inner join record_cluster as rc on t.record_token = rc.record_token
            group by t.former_id, t.now_id, rc.cluster
        )

        select cluster, now_id, former_id as person_id
        from counted
        where 2 * n_former > n_former_everywhere and 2 * n_former > n_then
        qualify row_number() over (
            partition by cluster order by n_former / (n_then + n_former_everywhere - n_former) desc, former_id
        ) = 1""")


def _inherit(connection: duckdb.DuckDBPyConnection) -> None:
    """`inherited` (cluster, person_id): rounds of mutual first choice between clusters and old ids, until none is left."""
    connection.execute("""
        create or replace temp table overlap as
        with held as (
            select rc.cluster, coalesce(claim.person_id, m.person_id) as person_id, count(*) as n_records
            from record_cluster as rc
            inner join current_membership as m on rc.record_token = m.record_token
            left join claim on rc.cluster = claim.cluster and m.person_id = claim.now_id
            group by all
        ),

        -- where somebody and a part that was split from them meet again, the id from before the split stands
        offshoot as (
            select part.cluster, part.person_id
            from held as part
            inner join registry.person_event as e on e.event = 'split' and part.person_id = e.other_person_id
            inner join held as whole on part.cluster = whole.cluster and e.person_id = whole.person_id
        )

        select
            held.*,
            p.minted_on,
            (held.cluster, held.person_id) in (select (cluster, person_id) from offshoot) as is_offshoot
        from held
        inner join registry.person as p on held.person_id = p.person_id""")
    connection.execute("create or replace temp table inherited (cluster uuid, person_id uuid)")
    connection.execute("create or replace temp table open_overlap as select * from overlap")
    while True:
        connection.execute("""
            create or replace temp table agreed as
            select cluster, person_id
            from (
                select
                    *,
                    row_number() over (
                        partition by cluster order by is_offshoot, n_records desc, minted_on, person_id
                    ) as persons_place,
                    row_number() over (partition by person_id order by n_records desc, cluster) as clusters_place
                from open_overlap
            )
            where persons_place = 1 and clusters_place = 1""")
        (n_agreed,) = connection.execute("select count(*) from agreed").fetchone()
        if n_agreed == 0:
            return
        connection.execute("insert into inherited select * from agreed")
        connection.execute("""
            create or replace temp table open_overlap as
            select * from open_overlap
            where
                cluster not in (select cluster from agreed)
                and person_id not in (select person_id from agreed)""")


def _mint(connection: duckdb.DuckDBPyConnection, run_id: str, as_of: date, new_ids: IdSource) -> None:
    connection.execute("""
        create or replace temp table needs_id as
        select cluster, row_number() over (order by cluster) as n
        from (select distinct cluster from record_cluster)
        where cluster not in (select cluster from inherited)""")
    (count,) = connection.execute("select count(*) from needs_id").fetchone()
    connection.execute("create or replace temp table minted (n bigint, person_id uuid)")
    if count:
        ids = [str(i) for i in new_ids(count)]
        connection.execute("insert into minted select generate_subscripts($1::varchar[], 1), unnest($1::varchar[])::uuid", [ids])
    connection.execute("""
        create or replace temp table cluster_person as
        select cluster, person_id, false as is_new from inherited
        union all
        select needs_id.cluster, minted.person_id, true from needs_id inner join minted on needs_id.n = minted.n""")
    connection.execute("""
        create or replace temp table record_person as
        select rc.record_token, cp.person_id
        from record_cluster as rc
        inner join cluster_person as cp on rc.cluster = cp.cluster""")
    connection.execute(
        "insert into registry.person select person_id, $1, $2, null from cluster_person where is_new", [as_of, run_id]
    )


def _write_events(connection: duckdb.DuckDBPyConnection, run_id: str, as_of: date, new_scoring: str | None) -> None:
    """One event per person and kind. What happened follows from where each old id's records are now."""
    connection.execute("""
        create or replace temp table record_move as
        select coalesce(next.record_token, now.record_token) as record_token, now.person_id as old_person,
            next.person_id as new_person
        from record_person as next
        full join current_membership as now on next.record_token = now.record_token""")
    connection.execute("""
        create or replace temp table flow as
        select old_person, new_person, count(*) as n_records from record_move group by all""")
    connection.execute("""
        create or replace temp table revived as
        select cp.person_id
        from cluster_person as cp
        inner join registry.person as p on cp.person_id = p.person_id
        where p.retired_on is not null""")
    connection.execute("""
        create or replace temp table event_next as
        with survivor as (select distinct person_id from record_person),

        stands_apart as (
            select person_id from cluster_person where is_new
            union
            select person_id from revived
        )

        -- records seen for the first time
        select
            case when new_person in (select person_id from cluster_person where is_new) then 'mint' else 'extend' end as event,
            new_person as person_id, null::uuid as other_person_id, n_records
        from flow where old_person is null and new_person is not null
        union all
        -- an id whose records all went elsewhere has been merged away
        select 'merge', new_person, old_person, n_records
        from flow
        where old_person is not null and new_person <> old_person and old_person not in (select person_id from survivor)
        union all
        -- records that left an id which lives on: to an id of their own it is a split, to another person a reassignment
        select
            case when new_person in (select person_id from stands_apart) then 'split' else 'reassign' end,
            old_person, new_person, n_records
        from flow
        where new_person <> old_person and old_person in (select person_id from survivor)
        union all
        select 'revive', new_person, old_person, n_records
        from flow
        where new_person <> old_person and new_person in (select person_id from revived)
        union all
        select 'tombstone', old_person, null, n_records
        from flow
        where
            new_person is null and old_person not in (select person_id from survivor)
            and old_person not in (select old_person from flow where old_person is not null and new_person is not null)""")
    causes.find(connection, run_id, new_scoring)
    connection.execute(
        """
        insert into registry.person_event
            (run_id, happened_on, event, person_id, other_person_id, n_records, cause, cause_left, cause_right, cause_detail)
        select $1, $2, event, person_id, other_person_id, n_records, cause, cause_left, cause_right, cause_detail
        from event_cause
        order by event, person_id, other_person_id""",
        [run_id, as_of],
    )


def _write_persons(connection: duckdb.DuckDBPyConnection, run_id: str, as_of: date) -> None:
    """Retire ids that hold nothing now and bring back those that hold something again; alias chains stay one step.

    A retired id resolves to whoever took most of its records, also when that person parts later.
    """
    connection.execute("update registry.person as p set retired_on = null where p.person_id in (select person_id from revived)")
    connection.execute(
        """
        update registry.alias as a set until = $1
        where a.until is null and a.old_person_id in (select person_id from revived)""",
        [as_of],
    )
    connection.execute("""
        create or replace temp table retired as
        select old_person as person_id, max(row(n_records, new_person)) filter (new_person is not null)[2] as heir
        from flow
        where old_person is not null and old_person not in (select person_id from record_person)
        group by old_person""")
    connection.execute(
        "update registry.person as p set retired_on = $1 where p.person_id in (select person_id from retired)", [as_of]
    )
    connection.execute("""
        update registry.alias as a set person_id = retired.heir
        from retired
        where a.until is null and a.person_id = retired.person_id and retired.heir is not null""")
    connection.execute("""
        update registry.alias as a set person_id = heir.person_id
        from (
            select former_id, max(row(n_records, person_id))[2] as person_id
            from (
                select f.former_id, rp.person_id, count(*) as n_records
                from former_record as f
                inner join record_person as rp on f.record_token = rp.record_token
                group by all
            )
            group by former_id
        ) as heir
        where a.until is null and a.old_person_id = heir.former_id""")
    connection.execute(
        """
        insert into registry.alias (old_person_id, person_id, since, run_id)
        select person_id, heir, $1, $2 from retired where heir is not null""",
        [as_of, run_id],
    )
