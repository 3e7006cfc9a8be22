"""The honest estimate without a truth: take a verified NHS number away, and see whether its record still finds its person.

Records that share a verified number are one person whatever their names say, so a sample of them is a gold standard that needs no
clerks (the Enhanced Matching System evaluation, Aldridge et al., PLoS ONE 2015, judged itself so). Each sampled record becomes a
ghost: it loses its number, its person is described without it, and the ghost is blocked, scored, judged and merged by the rules
of the night. What it says of records that never had a number holds as far as those are described as well as the sampled ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import numpy as np

from linkage.block import keys_sql
from linkage.collapse import describe_groups, finish_representatives
from linkage.merge import merge, plain, read_groups
from linkage.model import Parameters
from linkage.score import judge, score
from linkage.spec import LinkageSpec

#: What became of a ghost: linked to its own person, to (also) somebody else, a question for a reviewer, or nothing.
OUTCOMES = ("right", "wrong", "review", "missed")

#: The night's tables that the trial has its own of.
_OWN = ("record", "grouped", "representative", "pair", "edge", "edge_new", "edge_judged")

#: Ghosts stand for one record without a number each, so few enough are made that they seldom meet each other's relatives.
_MOST_SHARE_OF_GROUPS = 0.2


def withhold(
    connection: duckdb.DuckDBPyConnection, spec: LinkageSpec, parameters: Parameters, n_groups: int, *, most: int
) -> None:
    """Make `withheld` (record_token, outcome) for a sample of at most `most` records, the same every night while they stay.

    Reads what the night made (`record`, `grouped`, `representative`, `block_key_all`, `edge`, `rep_cluster` and the crowds of
    `collapse`) and leaves it as it was. Apart from choosing, the work is in proportion to the sample.
    """
    connection.execute("create or replace temp table withheld (record_token uuid, outcome varchar)")
    _choose(connection, spec, min(most, int(n_groups * _MOST_SHARE_OF_GROUPS)))
    (n_chosen,) = connection.execute("select count(*) from chosen").fetchone()
    if n_chosen == 0:
        return
    with _set_aside(connection):
        _describe(connection, n_groups)
        _pair(connection, spec)
        score(connection, spec, parameters, n_groups)
        connection.execute("create temp table edge as select * from night_edge union all select * from edge_new")
        judge(connection, spec, parameters.prior(n_groups))
        _settle(connection, spec)


@contextmanager
def _set_aside(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Keep the night's tables as `night_<table>` for the block, and put them back."""
    for table in _OWN:
        connection.execute(f"alter table {table} rename to night_{table}")
    try:
        yield
    finally:
        for table in _OWN:
            connection.execute(f"drop table if exists {table}; alter table night_{table} rename to {table}")


def _choose(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec, most: int) -> None:
    """`chosen` (record_token, rep_token): at most one record a group, sources taking turns so that each is heard.

    The rest of the group must hold the number, verified, and a birth date: what is left must still be somebody.
    """
    connection.execute(
        f"""
        create or replace temp table chosen as
        with numbered as (
            select
                record.record_token,
                record.source,
                grouped.rep_token,
                not record.is_number_register
                    and (record.given_name is not null or record.family_name is not null or record.birth_date is not null
                        or record.postcode is not null or record.uprn is not null) as can_stand_alone,
                record.is_number_verified and record.birth_date is not null as carries
            from record
            inner join grouped on record.record_token = grouped.record_token
            where record.nhs_number is not null and grouped.agrees
        ),

        judged as (
            select *, count(*) filter (carries) over (partition by rep_token) - cast(carries as integer) as n_carrying
            from numbered
        ),

        turn as (
            select
                record_token,
                rep_token,
                row_number() over (
                    partition by source order by md5(cast(record_token as varchar) || '{spec.seed}'), record_token
                ) as place
            from judged
            where can_stand_alone and n_carrying > 0
        ),

        one_a_group as (
            select * from turn
            qualify row_number() over (partition by rep_token order by place, record_token) = 1
        )

        select record_token, rep_token
        from one_a_group
        order by place, record_token
        limit $most""",
        {"most": most},
    )


def _describe(connection: duckdb.DuckDBPyConnection, n_groups: int) -> None:
    """`representative` of each ghost and of the rest of its person, and `ghost`, which says which is which."""
    connection.execute("""
        create temp table record as
        select
            night.* replace (
                case when not is_ghost then night.nhs_number end as nhs_number,
                case when not is_ghost then night.typed_number end as typed_number,
                night.is_number_verified and not is_ghost as is_number_verified
            )
        from (
            select night_record.*, night_record.record_token = chosen.record_token as is_ghost
            from night_record
            inner join night_grouped on night_record.record_token = night_grouped.record_token
            inner join chosen on night_grouped.rep_token = chosen.rep_token
        ) as night""")
    connection.execute("""
        create temp table grouped as
        select
            night_grouped.record_token,
            case
                when night_grouped.record_token = chosen.record_token then cast(md5('ghost' || chosen.record_token) as uuid)
                else cast(md5('rest' || chosen.rep_token) as uuid)
            end as rep_token,
            night_grouped.agrees
        from night_grouped
        inner join chosen on night_grouped.rep_token = chosen.rep_token""")
    describe_groups(connection)
    finish_representatives(connection)
    connection.execute(f"update representative set rep_id = rep_id + {n_groups}")
    connection.execute("""
        create or replace temp table ghost as
        select chosen.record_token, ghost.rep_id as ghost_rep, rest.rep_id as rest_rep, own.rep_id as own_rep, rep_cluster.cluster
        from chosen
        inner join representative as ghost on cast(md5('ghost' || chosen.record_token) as uuid) = ghost.rep_token
        inner join representative as rest on cast(md5('rest' || chosen.rep_token) as uuid) = rest.rep_token
        inner join night_representative as own on chosen.rep_token = own.rep_token
        inner join rep_cluster on own.rep_id = rep_cluster.rep_id""")


def _pair(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec) -> None:
    """`pair`: every ghost with the groups that share a key with it, its own person being met as the rest of it only.

    The groups that were met, and those that the night's edges are about, join `representative`.
    """
    connection.execute(f"create or replace temp table trial_key as {keys_sql(spec.blocking_rules)}")
    connection.execute(f"""
        create temp table pair as
        with ghost_key as (
            select k.* from trial_key as k semi join ghost on k.rep_id = ghost.ghost_rep
        ),

        crowded as (
            select k.rule, k.key
            from block_key_all as k
            semi join ghost_key as g on k.rule = g.rule and k.key = g.key
            group by k.rule, k.key
            -- with one more group that has no number
            having (count(*) filter (k.is_open) + 1) * count(*) > {spec.most_pairs_a_key}
        ),

        used as (
            select g.rule, g.key, g.rep_id as ghost_rep, ghost.own_rep, ghost.rest_rep
            from ghost_key as g
            inner join ghost on g.rep_id = ghost.ghost_rep
            anti join crowded on g.rule = crowded.rule and g.key = crowded.key
        ),

        met as (
            select used.rule, used.ghost_rep, k.rep_id
            from used
            inner join block_key_all as k on used.rule = k.rule and used.key = k.key and k.rep_id <> used.own_rep
            union all
            select used.rule, used.ghost_rep, k.rep_id
            from used
            inner join trial_key as k on used.rule = k.rule and used.key = k.key and k.rep_id = used.rest_rep
        )

        select min(rule) as match_key, least(ghost_rep, rep_id) as join_key_l, greatest(ghost_rep, rep_id) as join_key_r
        from met
        group by all""")
    connection.execute("""
        insert into representative
        select night.*
        from night_representative as night
        semi join (
            select rep_token from night_representative
            semi join (select join_key_l as rep_id from pair union select join_key_r from pair) using (rep_id)
            union
            select left_token from night_edge
            union
            select right_token from night_edge
        ) as named on night.rep_token = named.rep_token""")


def _settle(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec) -> None:
    """Fill `withheld`. Each ghost is merged with its own copies of the groups it met, so that no ghost speaks for another."""
    connection.execute("""
        create or replace temp table met as
        with ghost_edge as (
            select left_id as ghost_rep, right_id as rep_id, match_weight, refusal from edge_judged
            semi join ghost on edge_judged.left_id = ghost.ghost_rep
            union all
            select right_id, left_id, match_weight, refusal from edge_judged
            semi join ghost on edge_judged.right_id = ghost.ghost_rep
        ),

        numbered_cluster as (
            select distinct rep_cluster.cluster
            from rep_cluster
            semi join night_representative as rep on rep_cluster.rep_id = rep.rep_id and rep.is_verified
        )

        select
            cast(row_number() over (order by e.match_weight desc, e.ghost_rep, e.rep_id) - 1 as integer) as edge_no,
            cast(dense_rank() over (order by e.ghost_rep) - 1 as integer) as ghost_no,
            e.*,
            e.rep_id = ghost.rest_rep or rep_cluster.cluster = ghost.cluster as is_own,
            -- a group without a number may be more of the same person: only another verified number proves somebody else
            not is_own and numbered_cluster.cluster is not null as is_other
        from ghost_edge as e
        inner join ghost on e.ghost_rep = ghost.ghost_rep
        left join rep_cluster on e.rep_id = rep_cluster.rep_id
        left join numbered_cluster on rep_cluster.cluster = numbered_cluster.cluster""")
    (n_ghosts,) = connection.execute("select count(distinct ghost_no) from met").fetchone()
    nodes = read_groups(
        connection,
        """
        select representative.*, node.part, node.place
        from (
            select distinct 0 as part, ghost_no as place, ghost_rep as rep_id from met
            union all
            select 1, edge_no, rep_id from met
        ) as node
        inner join representative on node.rep_id = representative.rep_id""",
        order_by="part, place",
    )
    edges = connection.execute(f"""
        select ghost_no, edge_no, match_weight
        from met
        where refusal is null and match_weight >= {spec.link_weight}
        order by edge_no""").fetchnumpy()
    edge_no = plain(edges["edge_no"])
    merged = merge(
        nodes,
        (plain(edges["ghost_no"]), edge_no + n_ghosts, np.asarray(edges["match_weight"], dtype=np.float64)),
        must_link=np.empty((0, 2)),
        cannot_link=np.empty((0, 2)),
        death_tolerance_days=spec.death_date_tolerance_days,
    )
    connection.register("accepted", {"edge_no": edge_no[merged.refusal == 0]})
    connection.execute("""
        insert into withheld
        select
            ghost.record_token,
            case
                when count(*) filter (accepted.edge_no is not null and met.is_other) > 0 then 'wrong'
                when count(*) filter (accepted.edge_no is not null and met.is_own) > 0 then 'right'
                when count(*) filter (met.is_own) > 0 then 'review'
                else 'missed'
            end
        from ghost
        left join met on ghost.ghost_rep = met.ghost_rep
        left join accepted on met.edge_no = accepted.edge_no
        group by ghost.record_token""")
    connection.unregister("accepted")
