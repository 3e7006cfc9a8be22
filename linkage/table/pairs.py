"""Which pairs of a table are worth weighing: those that agree on any two things, within a budget.

Nobody knows beforehand what a table's columns are worth as keys, so every key and every two keys of different fields are tried,
and of each the least crowded blocks are taken until its budget is spent. What a crowd shares (a placeholder name, one birth date
for everybody) makes pairs by its square and says little; it is left out there and found by other keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import duckdb

from linkage.table.fields import Field

#: A table with no more pairs than this is compared whole.
MOST_PAIRS_WHOLE = 300_000

#: Pairs one rule may add, for each record, and for any table however small.
PAIRS_A_RECORD_AND_RULE = 1.5
LEAST_BUDGET = 20_000


@dataclass(frozen=True)
class Blocking:
    """How many pairs were chosen of how many possible, and how many crowded keys were left out."""

    n_possible: int
    n_pairs: int
    n_rules: int
    n_crowded_keys: int


def choose_pairs(connection: duckdb.DuckDBPyConnection, fields: list[Field]) -> Blocking:
    """Make `pair` (l, r), l < r, numbers of `subject`, within files and across."""
    (n,) = connection.execute("select count(*) from subject").fetchone()
    n_possible = n * (n - 1) // 2
    if n_possible <= MOST_PAIRS_WHOLE:
        connection.execute("""
            create or replace temp table pair as
            select l.n as l, r.n as r from subject as l inner join subject as r on l.n < r.n order by l.n, r.n""")
        return Blocking(n_possible, n_possible, 0, 0)
    keys = [(number, key) for number, field in enumerate(fields) for key in field.keys]
    selects = ", ".join(f"case when {key} is not null then hash({key}) end as k{i}" for i, (_, key) in enumerate(keys))
    connection.execute(f"create or replace temp table subject_key as select n, {selects} from subject")
    connection.execute("create or replace temp table pair_all (l bigint, r bigint)")
    rules = [(i,) for i in range(len(keys))]
    rules += [(i, j) for i, j in combinations(range(len(keys)), 2) if keys[i][0] != keys[j][0]]
    budget = max(PAIRS_A_RECORD_AND_RULE * n, LEAST_BUDGET)
    n_crowded = 0
    for rule in rules:
        names = ", ".join(f"k{i}" for i in rule)
        known = " and ".join(f"k{i} is not null" for i in rule)
        blocks = connection.execute(f"""
            select n_in_block, count(*) from (
                select count(*) as n_in_block from subject_key where {known} group by {names} having count(*) > 1
            ) group by n_in_block order by n_in_block""").fetchall()
        largest, spent = 0, 0
        for size, n_blocks in blocks:
            spent += n_blocks * size * (size - 1) // 2
            if spent > budget:
                break
            largest = size
        n_crowded += sum(n_blocks for size, n_blocks in blocks if size > largest)
        if largest:
            connection.execute(f"""
                insert into pair_all
                with keyed as (
                    select n, {names} from subject_key where {known}
                    qualify count(*) over (partition by {names}) between 2 and {largest}
                )
                select l.n, r.n from keyed as l inner join keyed as r using ({names}) where l.n < r.n""")
    connection.execute("create or replace temp table pair as select distinct l, r from pair_all order by l, r")
    (n_pairs,) = connection.execute("select count(*) from pair").fetchone()
    connection.execute("drop table pair_all; drop table subject_key")
    return Blocking(n_possible, n_pairs, len(rules), n_crowded)
