"""What a person should look at: the night's doubts become `review_next`, one question per pair of persons, most important first.

| reason | what is in doubt |
|---|---|
| two_numbers, held_once, death_dates, cannot_link | strong evidence for one person, and a rule of the merge against it |
| twin, namesake, shared_number, no_birth_date | strong evidence, and the one field that tells two people apart |
| ambiguous | the runner-up is too close, or the record has no name and its best candidate a twin |
| between_thresholds | evidence too weak to link and too strong to forget |
| bridge | one weak link holds two parts of a person together, each of two records or more |
| large_person, thin_person, many_numbers, birth_dates_spread | records that hardly fit one person; the weakest link is asked |
| decision_expired | a record changed after somebody decided |
| sample_linked, sample_apart | no doubt: a sample of links (precision) and of pairs just below the threshold (recall) |

Any pair may belong to a sample besides. Bands and triggers follow section 7.5 of the project's linkage reference; drawing samples
from both sides of the threshold follows the NHS England and ONS practice of clerical review.
"""

from __future__ import annotations

import duckdb

from linkage.spec import LinkageSpec

#: How much a decision matters. `n_moving` are the records whose person would change, at least one.
IMPORTANCE = (
    "log2(1 + n_moving) x closeness, + 1 when both persons hold a verified NHS number (the population is counted one too many or "
    "too few), + 1 when one of them is a lone record (it would be found, or stay lost). closeness is 1 for a pair that a rule "
    "refuses against the evidence and for one that was never weighed, otherwise 1 / (1 + bits from the link threshold / 4)."
)


def queue(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec) -> None:
    """Make `review_next` from `edge_judged`, `refused_edge`, `rep_cluster`, `record_cluster` and the decisions.

    Columns: left_token, right_token, left_hash, right_hash, reason, match_weight (NULL for a pair that was never weighed),
    n_records (of both persons), importance, is_sample. A pair that is decided, or that reviewers left undecided, is not asked.
    """
    _describe_persons(connection, spec)
    _find_bridges(connection, spec)
    _gather(connection, spec)
    _choose(connection, spec)


def _describe_persons(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec) -> None:
    """`inner_link` (the links inside persons) and `person_fact` (one row a person with a group that can be linked)."""
    connection.execute(f"""
        create or replace temp table inner_link as
        select e.left_id, e.right_id, e.left_token, e.right_token, e.match_weight, l.cluster
        from edge_judged as e
        inner join rep_cluster as l on e.left_id = l.rep_id
        inner join rep_cluster as r on e.right_id = r.rep_id
        where e.refusal is null and e.match_weight >= {spec.link_weight} and l.cluster = r.cluster""")
    connection.execute("""
        create or replace temp table person_fact as
        with linked as (
            select cluster, count(*) as n_links from inner_link group by cluster
        )

        select
            rc.cluster,
            count(*) as n_groups,
            sum(rep.n_records) as n_records,
            count(*) filter (rep.is_verified) as n_verified,
            date_diff('day', min(rep.birth_date), max(rep.birth_date)) as birth_spread_days,
            coalesce(any_value(linked.n_links), 0) / nullif(count(*) * (count(*) - 1) / 2, 0) as density
        from rep_cluster as rc
        inner join representative as rep on rc.rep_id = rep.rep_id
        left join linked on rc.cluster = linked.cluster
        group by rc.cluster""")


def _find_bridges(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec) -> None:
    """`bridge` (left_token, right_token, match_weight, n_smaller): weak links without which a person falls in two.

    Each weak link is taken away and its left end walks along the others; the walk is over one person only, so it is short.
    """
    connection.execute(f"""
        create or replace temp table weak_link as
        select row_number() over (order by left_id, right_id) as link_no, i.*
        from inner_link as i
        inner join person_fact as f on i.cluster = f.cluster
        where
            i.match_weight < {spec.review.weak_link_weight}
            and f.n_records >= 2 * {spec.review.bridge_records} and f.n_groups <= {spec.review.most_groups_walked}""")
    connection.execute("""
        create or replace temp table step as
        with link as (
            select left_id, right_id, cluster from inner_link
            union
            select least(l.rep_id, r.rep_id), greatest(l.rep_id, r.rep_id), l.cluster
            from live_constraint as c
            inner join grouped as gl on c.left_token = gl.record_token
            inner join grouped as gr on c.right_token = gr.record_token
            inner join rep_cluster as l on gl.rep_token = l.rep_token
            inner join rep_cluster as r on gr.rep_token = r.rep_token
            where c.kind = 'must_link' and l.cluster = r.cluster and l.rep_id <> r.rep_id
        )

        select left_id as from_id, right_id as to_id from link
        semi join weak_link on link.cluster = weak_link.cluster
        union all
        select right_id, left_id from link
        semi join weak_link on link.cluster = weak_link.cluster""")
    connection.execute(f"""
        create or replace temp table bridge as
        with recursive reached (link_no, rep_id) as (
            select link_no, left_id from weak_link
            union
            select reached.link_no, step.to_id
            from reached
            inner join step on reached.rep_id = step.from_id
            inner join weak_link as w on reached.link_no = w.link_no
            where not (least(step.from_id, step.to_id) = w.left_id and greatest(step.from_id, step.to_id) = w.right_id)
        ),

        part as (
            select
                reached.link_no,
                sum(rep.n_records) as n_records,
                list(reached.rep_id) as rep_ids
            from reached
            inner join representative as rep on reached.rep_id = rep.rep_id
            group by reached.link_no
        )

        select w.left_token, w.right_token, w.match_weight, least(part.n_records, f.n_records - part.n_records) as n_smaller
        from weak_link as w
        inner join part on w.link_no = part.link_no
        inner join person_fact as f on w.cluster = f.cluster
        where
            not list_contains(part.rep_ids, w.right_id)
            and least(part.n_records, f.n_records - part.n_records) >= {spec.review.bridge_records}""")


def _gather(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec) -> None:
    """`doubt` (left_token, right_token, reason, match_weight, n_smaller, is_sample): every reason to ask about any pair."""
    rules = spec.review
    order = f"md5(left_token || '|' || right_token || '|{spec.seed}')"
    connection.execute(f"""
        create or replace temp table doubt as
        with crowd as (
            select greatest(quantile_cont(n_records, 0.999), {rules.large_person_records}) as n_records from person_fact
        ),

        strange as (
            select
                f.cluster,
                case
                    when f.n_verified > 1 then 'many_numbers'
                    when f.birth_spread_days > {rules.birth_spread_days} then 'birth_dates_spread'
                    when f.n_records > crowd.n_records then 'large_person'
                    else 'thin_person'
                end as reason
            from person_fact as f
            cross join crowd
            where
                f.n_groups > 1
                and (
                    f.n_verified > 1
                    or f.birth_spread_days > {rules.birth_spread_days}
                    or f.n_records > crowd.n_records
                    or (f.n_groups >= {rules.thin_person_groups} and f.density < {rules.least_density})
                )
        ),

        weakest as (
            select * from inner_link
            qualify row_number() over (partition by cluster order by match_weight, left_id, right_id) = 1
        )

        select left_token, right_token, reason, match_weight, null::bigint as n_smaller, false as is_sample from refused_edge
        union all
        select left_token, right_token, coalesce(refusal, 'between_thresholds'), match_weight, null, false
        from edge_judged
        where refusal is not null or match_weight < {spec.link_weight}
        union all
        select left_token, right_token, 'bridge', match_weight, n_smaller, false from bridge
        union all
        select w.left_token, w.right_token, s.reason, w.match_weight, null, false
        from strange as s
        inner join weakest as w on s.cluster = w.cluster
        union all
        select c.left_token, c.right_token, 'decision_expired', e.match_weight, null, false
        from registry."constraint" as c
        left join edge_judged as e on c.left_token = e.left_token and c.right_token = e.right_token
        where
            (c.ended_because = 'record_changed' or c.expired_on is null)
            and c.rowid not in (select row_id from live_constraint)
            -- the last word on the pair: nothing was decided about it since
            and c.rowid in (select max(rowid) from registry."constraint" group by left_token, right_token)
        union all
        -- a pair is in the sample by a hash of its own, so that the same pairs are asked every night
        select * from (
            select left_token, right_token, 'sample_linked', match_weight, null, true
            from inner_link order by {order}, left_token limit {rules.sample_pairs}
        )
        union all
        select * from (
            select left_token, right_token, 'sample_apart', match_weight, null, true
            from edge_judged
            where
                refusal is null
                and match_weight between {spec.link_weight - rules.sample_band} and {spec.link_weight} - 0.000001
            order by {order}, left_token limit {rules.sample_pairs}
        )""")


def _choose(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec) -> None:
    """`review_next`: of the doubts about the same two persons (or inside one), the best pair; a pair already asked stays."""
    connection.execute(f"""
        create or replace temp table review_next as
        with pair as (
            select
                least(d.left_token, d.right_token) as left_token,
                greatest(d.left_token, d.right_token) as right_token,
                -- a sampled pair with a doubt of its own is asked for the doubt, and still counts for the sample
                arg_min(d.reason, (d.is_sample, d.reason = 'cannot_link', d.reason <> 'decision_expired', d.reason)) as reason,
                max(d.match_weight) as match_weight,
                max(d.n_smaller) as n_smaller,
                bool_or(d.is_sample) as is_sample
            from doubt as d
            group by all
        ),

        asked as (
            select left_token, right_token, left_hash, right_hash, arg_max(status, opened_on) as status
            from registry.review
            where status in ('open', 'undecided')
            group by all
        ),

        placed as (
            select
                pair.*,
                lr.record_hash as left_hash,
                rr.record_hash as right_hash,
                least(l.cluster, r.cluster) as one,
                greatest(l.cluster, r.cluster) as other,
                coalesce(asked.status = 'open', false) as is_open
            from pair
            inner join record_cluster as l on pair.left_token = l.record_token
            inner join record_cluster as r on pair.right_token = r.record_token
            inner join record as lr on pair.left_token = lr.record_token
            inner join record as rr on pair.right_token = rr.record_token
            left join asked
                on
                    pair.left_token = asked.left_token and pair.right_token = asked.right_token
                    and lr.record_hash = asked.left_hash and rr.record_hash = asked.right_hash
            anti join live_constraint as c
                on
                    least(c.left_token, c.right_token) = pair.left_token
                    and greatest(c.left_token, c.right_token) = pair.right_token
            where
                -- links were made of doubts that concern two persons, and the other way round
                (l.cluster <> r.cluster or pair.reason in (
                    'bridge', 'many_numbers', 'birth_dates_spread', 'large_person', 'thin_person', 'sample_linked',
                    'decision_expired'
                ))
                and asked.status is distinct from 'undecided'
        ),

        decided_apart as (
            select least(l.cluster, r.cluster) as one, greatest(l.cluster, r.cluster) as other
            from live_constraint as c
            inner join record_cluster as l on c.left_token = l.record_token
            inner join record_cluster as r on c.right_token = r.record_token
            where c.kind = 'cannot_link'
        ),

        chosen as (
            select * from placed
            anti join decided_apart on placed.one = decided_apart.one and placed.other = decided_apart.other
            qualify row_number() over (
                partition by placed.one, placed.other
                order by is_open desc, is_sample desc, reason = 'decision_expired' desc, reason = 'cannot_link',
                    match_weight desc nulls last, left_token, right_token
            ) = 1
        ),

        measured as (
            select
                c.*,
                c.one <> c.other as is_apart,
                coalesce(f.n_records, 1) as n_one,
                coalesce(g.n_records, 1) as n_other,
                coalesce(f.n_verified, 0) > 0 and coalesce(g.n_verified, 0) > 0 as are_both_verified
            from chosen as c
            left join person_fact as f on c.one = f.cluster
            left join person_fact as g on c.other = g.cluster
        ),

        weighed as (
            select
                *,
                greatest(case when is_apart then least(n_one, n_other) else coalesce(n_smaller, n_one // 2) end, 1) as n_moving,
                case
                    when match_weight is null or (is_apart and match_weight >= {spec.link_weight}) then 1
                    else 1 / (1 + abs(match_weight - {spec.link_weight}) / 4)
                end as closeness
            from measured
        )

        select
            left_token,
            right_token,
            left_hash,
            right_hash,
            reason,
            match_weight,
            cast(case when is_apart then n_one + n_other else n_one end as bigint) as n_records,
            round(
                log2(1 + n_moving) * closeness
                + cast(is_apart and are_both_verified as integer)
                + cast(is_apart and least(n_one, n_other) = 1 as integer),
                3
            ) as importance,
            is_sample
        from weighed""")
