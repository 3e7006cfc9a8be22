"""What agreement is worth in one table, learned from the table alone: the Fellegi-Sunter model fitted by EM.

Chance agreement (u) comes from random pairs, and for exact agreement from how common the value is. How matches agree (m) and how
many there are (the prior) come from EM over all chosen pairs at once; Splink instead learns m a blocking rule at a time and takes
the prior from a rule, which fails where a table has few exact duplicates or few columns. Agreement that households share is
worth no more than the strangers found to share it allow.

Weights are bits: log2(m / u). Sources: Fellegi and Sunter 1969; Winkler 1988 for EM; the tail bound on a likelihood ratio
(at most 2^-w of non-matches weigh w or more) is Markov's inequality.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb
import numpy as np

from linkage.table.fields import Field

#: Random pairs from which chance agreement is learned.
RANDOM_PAIRS = 100_000

#: Imagined matches that agree as the fields' first m say: what holds where a table has few matches to learn from.
IMAGINED_MATCHES = 30.0
IMAGINED_SHARE = 0.03

#: Imagined people, and pairs of strangers, who are as the fields' first judgements say: they speak where a table is small.
IMAGINED_PEOPLE = 100.0
IMAGINED_STRANGERS = 100.0

#: Rounds of EM; it stops earlier when a round moves the expected number of matches by no more than this share.
MOST_ROUNDS = 25
SETTLED = 1e-3

#: Rounds after which the strangers who share a home are not counted again: who is a stranger hardly changes any more.
CROWD_ROUNDS = 4

#: What m of a level short of full agreement may become at most: of what is a person's own and for life (names, birth dates,
#: identifiers) so many times the first judgement; of homes and occupations, which change, so much more than it.
MOST_STEADY, MOST_OTHERWISE = 3.0, 0.5

#: Records that make a first name well known, and the most twins there can be for each pair of one person's records.
WELL_KNOWN = 3.0
MOST_TWINS = 0.08

#: The weight (bits against) of a pair that may not be one person.
REFUSED = 60.0

SMALLEST_M = 3e-4

#: Matches that a record is thought to have before anything is known.
FIRST_MATCHES_A_RECORD = 0.1

#: Pairs below this weight at the first look (bits against) take no part in EM.
HOPELESS = 20.0

_SMALLEST_U = 1e-6


@dataclass
class Compared:
    """Pairs and the level each field agrees on: `level[i, f]` counts from 0, the most specific; -1 where nothing can be said."""

    left: np.ndarray
    right: np.ndarray
    level: np.ndarray

    def only(self, chosen: np.ndarray) -> Compared:
        """The chosen pairs."""
        return Compared(self.left[chosen], self.right[chosen], self.level[chosen])


@dataclass
class Model:
    """The learned weights. `m[f]` and `u[f]` are arrays over levels; `share[f]` is per record how common its value is."""

    m: list[np.ndarray]
    u: list[np.ndarray]
    share: list[np.ndarray]
    #: Probability that two random records are one person.
    prior: float
    #: Home evidence (bits, ascending) and what it is worth at most.
    home_at: np.ndarray
    home_worth: np.ndarray


def compare(connection: duckdb.DuckDBPyConnection, fields: list[Field], pairs: str = "pair") -> Compared:
    """Compare the pairs of a table (l, r) on every field."""
    cases, measured = [], set()
    for number, field in enumerate(fields):
        whens = " ".join(f"when {level.sql} then {i}" for i, level in enumerate(field.levels) if level.sql != "else")
        cases.append(f"cast(case when {field.null_sql} then -1 {whens} else {len(field.levels) - 1} end as tinyint) as g{number}")
        measured |= set(re.findall(r"(\w+)_similarity", whens))
    columns = [row[0] for row in connection.execute("describe subject").fetchall()]
    both = ", ".join(f'l."{c}" as "{c}_l", r."{c}" as "{c}_r"' for c in columns if c not in ("n", "record_id"))
    # most pairs agree on something, and equal words need no measuring
    measures = "".join(
        f', case when l."{c}" = r."{c}" then 1.0 else jaro_winkler_similarity(l."{c}", r."{c}") end as "{c}_similarity"'
        for c in sorted(measured)
    )
    found = connection.execute(f"""
        select l, r, {", ".join(cases)}
        from (
            select pair.l, pair.r, {both}{measures}
            from {pairs} as pair inner join subject as l on pair.l = l.n inner join subject as r on pair.r = r.n
        )
        order by l, r""").fetchnumpy()
    level = np.empty((len(found["l"]), len(fields)), dtype=np.int8)
    for number in range(len(fields)):
        level[:, number] = found[f"g{number}"]
    return Compared(np.asarray(found["l"], dtype=np.int64), np.asarray(found["r"], dtype=np.int64), level)


def draw_random_pairs(connection: duckdb.DuckDBPyConnection, file_no: np.ndarray, *, seed: int) -> None:
    """Make `random_pair` (l, r) of `subject`; where there are two files, across them."""
    rng = np.random.default_rng(seed)
    n = len(file_no)
    drawn = np.sort(rng.integers(0, n, (min(RANDOM_PAIRS, n * n // 4), 2)), axis=1)
    left, right = drawn[:, 0], drawn[:, 1]
    keep = file_no[left] != file_no[right] if file_no.any() else left < right
    connection.register("drawn", {"l": left[keep], "r": right[keep]})
    connection.execute("create or replace temp table random_pair as select distinct l, r from drawn")
    connection.unregister("drawn")


def shares(connection: duckdb.DuckDBPyConnection, fields: list[Field], cluster: np.ndarray) -> list[np.ndarray]:
    """For each field and record, the share of people (clusters of records) who have the record's value; 1 where there is none."""
    connection.register("in_cluster", {"n": np.arange(len(cluster)), "cluster": cluster})
    result = []
    for field in fields:
        found = connection.execute(f"""
            with counted as (
                select {field.value} as value, count(distinct cluster) as n_people
                from subject inner join in_cluster using (n) where {field.value} is not null group by all
            )
            select
                coalesce(
                    (counted.n_people + {IMAGINED_PEOPLE * field.common})
                    / ((select sum(n_people) from counted) + {IMAGINED_PEOPLE}),
                    1.0
                ) as share
            from subject left join counted on subject.{field.value} = counted.value order by subject.n""").fetchnumpy()
        result.append(np.asarray(found["share"], dtype=np.float64))
    connection.unregister("in_cluster")
    return result


def first_m(fields: list[Field]) -> list[np.ndarray]:
    """The judgement that training starts from, summing to one a field."""
    return [np.array([level.m for level in field.levels]) / sum(level.m for level in field.levels) for field in fields]


def learn(
    fields: list[Field],
    compared: Compared,
    by_chance: Compared,
    share: list[np.ndarray],
    cluster: np.ndarray,
    n_records: int,
    n_possible: int,
    start: Model | None = None,
) -> Model:
    """Fit the model to compared pairs. `cluster` says who is one person as far as is known; `n_records` and `n_possible` count
    the records that say anything, and all their pairs.

    `start`, where given, is what was learned before and only needs to be brought up to date.
    """
    strangers = cluster[by_chance.left] != cluster[by_chance.right]
    u = [_chance(by_chance.level[strangers, f], field) for f, field in enumerate(fields)]
    first = first_m(fields)
    m = [values.copy() for values in (start.m if start else first)]
    imagined = [values * max(IMAGINED_MATCHES, IMAGINED_SHARE * n_records) for values in first]
    expected = FIRST_MATCHES_A_RECORD * n_records
    model = Model(m, u, share, expected / (n_possible + IMAGINED_STRANGERS), np.zeros(0), np.zeros(0))
    if start:
        model.prior, model.home_at, model.home_worth = start.prior, start.home_at, start.home_worth
        expected = start.prior * (n_possible + IMAGINED_STRANGERS)
    # to begin with each record is thought to share its home with one stranger
    cap = np.log2((n_possible + IMAGINED_STRANGERS) / n_records)
    home = np.array([field.is_home for field in fields])
    bits = _bits(model)
    p = np.zeros(len(compared.left))
    for number in range(MOST_ROUNDS):
        person, shared = _evidence(model, compared, home, bits)
        if number and number <= CROWD_ROUNDS:
            crowd = _strangers(compared.left, compared.right, shared, p, len(cluster))
        worth = (
            _home_worth(model, shared, crowd)
            if number
            else np.minimum(shared, cap if start is None else np.interp(shared, model.home_at, model.home_worth))
        )
        odds = person + worth + np.log2(model.prior / (1 - model.prior))
        p = 1 / (1 + np.exp2(-np.clip(odds, -60, 60)))
        # only what is more likely than not teaches: the many that are hardly likely are families and neighbours
        sure = np.where(p >= 0.5, p, 0.0)
        total = sure.sum()
        for f, field in enumerate(fields) if number >= 2 else ():
            known = compared.level[:, f] >= 0
            counted = np.bincount(compared.level[known, f], weights=sure[known], minlength=len(field.levels)) + imagined[f]
            model.m[f] = _plausible(counted / counted.sum(), _most(field, first[f]))
        model.prior = float(np.clip((total + 0.5) / (n_possible + IMAGINED_STRANGERS), 1e-12, 0.5))
        model.home_at, model.home_worth = _worth(shared, p, n_possible)
        bits = _bits(model)
        if number == 0:
            # what agrees on hardly anything will not come to agree; most pairs are such
            hopeful = (odds > -HOPELESS) | (shared > 0)
            p = p[hopeful]
            compared = compared.only(hopeful)
        if number >= 3 and abs(total - expected) <= SETTLED * expected:
            break
        expected = total
    return model


def weigh(model: Model, fields: list[Field], compared: Compared) -> np.ndarray:
    """The weight of each pair: log2 odds that it is one person, prior included."""
    home = np.array([field.is_home for field in fields])
    person, shared = _evidence(model, compared, home, _bits(model))
    prior = np.log2(model.prior / (1 - model.prior))
    p = 1 / (
        1 + np.exp2(-np.clip(person + np.minimum(shared, np.interp(shared, model.home_at, model.home_worth)) + prior, -60, 60))
    )
    weight = (
        person + _home_worth(model, shared, _strangers(compared.left, compared.right, shared, p, len(model.share[0]))) + prior
    )
    weight[_twins(model, fields, compared, weight)] = -REFUSED
    return weight


def _twins(model: Model, fields: list[Field], compared: Compared, weight: np.ndarray) -> np.ndarray:
    """Pairs that are twins rather than one person under two first names, as far as the table shows twins.

    They agree on birth date and on family or home, have two well-known first names that are wholly different, and no middle
    name, number or mailbox in common: no weight can tell them apart. Twins are about three in a hundred people; where many more
    pairs are such, first names are not kept well in this table, and the pairs stay as they are.
    """
    none = np.zeros(len(weight), dtype=bool)
    number = {field.name: f for f, field in enumerate(fields)}
    if "given name" not in number or "birth date" not in number:
        return none
    f_given = number["given name"]
    given, birth = compared.level[:, f_given], compared.level[:, number["birth date"]]
    near, apart = none.copy(), none.copy()
    for f, field in enumerate(fields):
        if field.is_home:
            near |= compared.level[:, f] == 0
        elif field.name == "middle name":
            apart |= compared.level[:, f] == 0
        elif field.is_own:
            apart |= np.isin(compared.level[:, f], (0, 1))
    alike = near & (birth == 0) & (given >= 0) & (weight > 0)
    differs = alike & (given == len(model.m[f_given]) - 1)
    if differs.sum() > MOST_TWINS * (alike & ~differs).sum() + 2:
        return none
    share = model.share[f_given]
    # a table too small to know a name by is believed
    well_known = np.minimum(share[compared.left], share[compared.right]) * len(share) >= min(
        WELL_KNOWN, len(share) / IMAGINED_PEOPLE
    )
    return differs & well_known & ~apart


def _most(field: Field, first: np.ndarray) -> np.ndarray:
    return first * MOST_STEADY if field.is_steady else first + MOST_OTHERWISE


def _plausible(m: np.ndarray, most: np.ndarray) -> np.ndarray:
    """m with no disagreement more common than a person's records can show; families would else pass for people."""
    bounded = np.minimum(m[1:], most[1:])
    result = np.concatenate([[1 - bounded.sum()], bounded])
    return np.maximum(result, SMALLEST_M) / np.maximum(result, SMALLEST_M).sum()


def _chance(level: np.ndarray, field: Field) -> np.ndarray:
    imagined = np.array([level.u for level in field.levels])
    counted = np.bincount(level[level >= 0], minlength=len(imagined)) + 0.5 + IMAGINED_STRANGERS * imagined / imagined.sum()
    return np.maximum(counted / counted.sum(), _SMALLEST_U)


def _bits(model: Model) -> list[np.ndarray]:
    """Weight of each level, the exact one apart from how common the value is."""
    return [np.log2(m / u) for m, u in zip(model.m, model.u, strict=True)]


def _evidence(model: Model, compared: Compared, home: np.ndarray, bits: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    person = np.zeros(len(compared.left))
    shared = np.zeros(len(compared.left))
    for f, weights in enumerate(bits):
        level = compared.level[:, f]
        value = np.concatenate([weights, [0.0]])[level]
        exact = level == 0
        common = np.maximum(model.share[f][compared.left[exact]], model.share[f][compared.right[exact]])
        value[exact] = np.log2(model.m[f][0]) - np.log2(common)
        evidence = shared if home[f] else person
        evidence += value
    return person, shared


def _home_worth(model: Model, shared: np.ndarray, crowd: np.ndarray) -> np.ndarray:
    """What home evidence counts for: itself, at most what such evidence is worth, and at most what its crowd leaves of it."""
    n = len(model.share[0])
    left_over = np.log2(n / np.maximum(crowd, 1.0))
    return np.minimum(
        np.minimum(shared, np.interp(shared, model.home_at, model.home_worth)), np.where(crowd >= 1, left_over, np.inf)
    )


def _strangers(left: np.ndarray, right: np.ndarray, shared: np.ndarray, p: np.ndarray, n: int) -> np.ndarray:
    """For each pair, how many strangers share as much of their home with either of the two as they do with each other."""
    record = np.concatenate([left, right])
    evidence = np.concatenate([shared, shared])
    strange = np.concatenate([1 - p, 1 - p])
    order = np.lexsort((-evidence, record))
    running = np.cumsum(strange[order])
    first = np.searchsorted(record[order], np.arange(n))
    before = np.concatenate([[0.0], running])[first]
    counted = np.empty(len(record))
    counted[order] = running - before[record[order]] - strange[order]
    return np.maximum(counted[: len(left)], counted[len(left) :])


def _worth(shared: np.ndarray, p: np.ndarray, n_possible: int) -> tuple[np.ndarray, np.ndarray]:
    """How much home evidence of at least this many bits can be worth: matches against strangers who share as much."""
    if not len(shared):
        return np.zeros(1), np.zeros(1)
    order = np.argsort(-shared, kind="stable")
    matches, strangers = np.cumsum(p[order]) + 0.5, np.cumsum(1 - p[order]) + 0.5
    worth = np.log2(matches / (p.sum() + 0.5)) - np.log2(strangers / (n_possible + IMAGINED_STRANGERS))
    at = shared[order][::-1]
    # more evidence is never worth less
    worth = np.maximum.accumulate(worth[::-1])
    keep = np.flatnonzero(np.concatenate([np.diff(at) > 1e-9, [True]]))
    return at[keep], worth[keep]
