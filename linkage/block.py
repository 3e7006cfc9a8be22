"""Which pairs of groups are scored: `representative` becomes `pair`.

A pair of two verified, different NHS numbers can never be linked, so blocking needs only the groups without a verified number
against everybody. That keeps pairs near-linear in the records that are hard to place. A key shared by a crowd (a hostel, a
default) would make pairs by its square; such keys are dropped and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from linkage.errors import LinkageError
from linkage.spec import BlockingRule, LinkageSpec


@dataclass(frozen=True)
class RuleCount:
    """What one blocking rule gave: pairs no earlier rule had, and keys left out because they were crowded."""

    rule: str
    n_pairs: int
    n_crowded_keys: int


def keys_sql(rules: Sequence[BlockingRule]) -> str:
    """SQL: the keys of every group in `representative`, hashed: (rule, key, rep_id, is_open). A rule is its place in `rules`."""
    selects = [
        f"select {number} as rule, unnest({rule.keys}) as key, rep_id, not is_verified as is_open from representative"
        for number, rule in enumerate(rules)
    ]
    return f"""
        select distinct rule, hash(key) as key, rep_id, is_open
        from ({" union all ".join(selects)})
        where key is not null"""


def block(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec) -> tuple[RuleCount, ...]:
    """Make `block_key` (rule, key, rep_id) and `rep_hash` (rep_id, content_hash) from `representative`.

    `block_key_all` keeps the keys that make no pair too: a group without a number that came later might meet them.

    The hash covers everything a score depends on, the surviving keys included: two groups whose hashes did not change have the
    same pairs and weights as the night before. Returns one count a rule, with no pairs yet.
    """
    rules = (*spec.blocking_rules, spec.conflict_rule)
    conflict = len(rules) - 1
    connection.execute(f"create or replace temp table block_key_all as {keys_sql(rules)}")
    connection.execute(f"""
        create or replace temp table key_size as
        select
            rule,
            key,
            case
                when rule = {conflict} then count(*) * (count(*) - 1) // 2
                else count(*) filter (is_open) * count(*)
            end as n_pairs
        from block_key_all
        group by rule, key
        having count(*) > 1 and n_pairs > 0""")
    connection.execute(f"""
        create or replace temp table block_key as
        select k.rule, k.key, k.rep_id, k.is_open
        from block_key_all as k
        inner join key_size on k.rule = key_size.rule and k.key = key_size.key
        where key_size.n_pairs <= {spec.most_pairs_a_key}""")
    crowded = dict(
        connection.execute(
            f"select rule, count(*) from key_size where n_pairs > {spec.most_pairs_a_key} group by rule"
        ).fetchall()
    )
    connection.execute("""
        create or replace temp table rep_hash as
        with dropped as (
            select k.rep_id, list_sort(list(k.key)) as dropped_keys
            from block_key_all as k
            anti join block_key as kept on k.rule = kept.rule and k.key = kept.key and k.rep_id = kept.rep_id
            semi join key_size on k.rule = key_size.rule and k.key = key_size.key
            group by k.rep_id
        )

        select numbered.rep_id, numbered.rep_token, md5(cast(row_of as varchar)) as content_hash
        from (
            -- the number of a group shifts with every new one, and how many records it holds weighs nothing
            select rep.* exclude (rep_id, n_records), dropped.dropped_keys
            from representative as rep
            left join dropped on rep.rep_id = dropped.rep_id
        ) as row_of
        inner join representative as numbered on row_of.rep_token = numbered.rep_token""")
    connection.execute("drop table key_size")
    return tuple(RuleCount(rule.name, 0, crowded.get(number, 0)) for number, rule in enumerate(rules))


def pair(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec, counts: tuple[RuleCount, ...]) -> tuple[RuleCount, ...]:
    """Make `pair` (match_key, join_key_l, join_key_r) of the groups in `changed` (rep_id) with everybody, each pair once.

    Raises `LinkageError` when a rule gives more than `spec.most_pairs_a_record` pairs a group: scoring them would take the night.
    """
    conflict = len(spec.blocking_rules)
    connection.execute(f"""
        create or replace temp table pair as
        with keyed as (
            select block_key.*, changed.rep_id is not null as is_changed
            from block_key
            left join changed on block_key.rep_id = changed.rep_id
        )

        select
            min(l.rule) as match_key,
            least(l.rep_id, r.rep_id) as join_key_l,
            greatest(l.rep_id, r.rep_id) as join_key_r
        from keyed as l
        inner join keyed as r on l.rule = r.rule and l.key = r.key and l.rep_id <> r.rep_id
        where
            (l.is_changed or r.is_changed)
            and case
                when l.rule = {conflict} then not l.is_open and not r.is_open and l.rep_id < r.rep_id
                else l.is_open and (not r.is_open or l.rep_id < r.rep_id)
            end
        group by join_key_l, join_key_r""")
    found = dict(connection.execute("select match_key, count(*) from pair group by match_key").fetchall())
    (n_groups,) = connection.execute("select count(*) from representative").fetchone()
    counts = tuple(RuleCount(c.rule, found.get(i, 0), c.n_crowded_keys) for i, c in enumerate(counts))
    for count in counts:
        if count.n_pairs > spec.most_pairs_a_record * max(n_groups, 1_000):
            raise LinkageError(
                f"blocking rule {count.rule!r} gives {count.n_pairs:,} pairs for {n_groups:,} groups, more than the budget of "
                f"{spec.most_pairs_a_record:g} a group; tighten the rule in the spec or lower most_pairs_a_key"
            )
    return counts
