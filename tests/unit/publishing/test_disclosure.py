"""What is hidden stays hidden: an attacker with every published figure of a table, and the policies."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from attacker import Attacker, recovered
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.publishing.disclosure import Counts, DisclosureError, Equations, Policy, protect, unprotected
from orchestration.settings import PROJECT_DIR

HES = Policy("hes_style", hidden_from=1, hidden_to=7, round_base=5, has_secondary=True, protected_values=5, min_denominator=20)
EXACT = replace(HES, code="exact", round_base=1, protected_values=7)


def with_totals(parts: np.ndarray) -> tuple[np.ndarray, list[tuple[int, list[int]]]]:
    """A table of any number of dimensions with every total, flat, and its sums by position."""
    table = np.asarray(parts)
    for axis in range(table.ndim):
        table = np.concatenate([table, table.sum(axis=axis, keepdims=True)], axis=axis)
    position = np.arange(table.size).reshape(table.shape)
    sums = []
    for axis in range(table.ndim):
        lines = np.moveaxis(position, axis, -1).reshape(-1, table.shape[axis])
        sums += [(line[-1], line[:-1].tolist()) for line in lines]
    return table.ravel(), sums


def tree(leaves: list[list[int]]) -> tuple[np.ndarray, list[tuple[int, list[int]]]]:
    """Practices in PCNs in a place."""
    values = [leaf for pcn in leaves for leaf in pcn]
    sums, start = [], 0
    for pcn in leaves:
        sums.append((len(values), list(range(start, start + len(pcn)))))
        values.append(sum(pcn))
        start += len(pcn)
    sums.append((len(values), [total for total, _ in sums]))
    return np.array([*values, sum(map(sum, leaves))]), sums


def counts_of(values: np.ndarray, sums: list[tuple[int, list[int]]]) -> Counts:
    entries = [(e, cell, sign) for e, (total, parts) in enumerate(sums) for cell, sign in [(total, -1), *((p, 1) for p in parts)]]
    return Counts.of(values, Equations(*np.array(entries).T))


def attack(values, sums, hidden, policy):
    """What an attacker recovers from the published figures of one table."""
    attacker = Attacker(policy.hidden_to, policy.round_base)
    figures = policy.rounded(values)
    for cell, figure in enumerate(figures):
        attacker.read(cell, None if hidden[cell] else int(figure))
    for total, parts in sums:
        attacker.add_up(total, parts)
    return recovered(attacker, dict(enumerate(values)), np.flatnonzero(hidden).tolist(), needed=policy.protected_values)


counts = st.one_of(st.integers(0, 12), st.integers(0, 60))
tables = st.tuples(st.integers(2, 3), st.integers(2, 4)).flatmap(
    lambda shape: st.lists(counts, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]).map(
        lambda cells: np.array(cells).reshape(shape)
    )
)


@settings(max_examples=25, deadline=None)
@given(tables, st.sampled_from([HES, EXACT]))
def test_no_hidden_cell_of_a_table_with_totals_is_recovered(parts, policy):
    values, sums = with_totals(parts)
    hidden = protect(counts_of(values, sums), policy)
    assert attack(values, sums, hidden, policy) == []


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(counts, min_size=1, max_size=4), min_size=2, max_size=3), st.sampled_from([HES, EXACT]))
def test_no_hidden_cell_of_a_hierarchy_is_recovered(leaves, policy):
    values, sums = tree(leaves)
    hidden = protect(counts_of(values, sums), policy)
    assert attack(values, sums, hidden, policy) == []


def test_no_hidden_cell_of_a_table_of_three_dimensions_is_recovered():
    values, sums = with_totals(np.random.default_rng(5).poisson(9, (3, 3, 2)))
    hidden = protect(counts_of(values, sums), HES)
    assert attack(values, sums, hidden, HES) == []
    assert attack(values, sums, HES.is_small(values), HES) != []


@pytest.mark.parametrize("policy", [HES, EXACT], ids=lambda policy: policy.code)
def test_without_secondary_suppression_subtraction_tells(policy):
    values, sums = with_totals(np.array([[7, 12], [30, 42]]))
    hidden = protect(counts_of(values, sums), replace(policy, has_secondary=False))
    assert hidden.sum() == 1
    assert attack(values, sums, hidden, policy) == [0]


def test_every_value_that_the_attacker_must_leave_open_is_in_a_real_table():
    """No solver: every table of these sizes that looks the same when it is published."""
    values, sums = with_totals(np.array([[3, 9], [14, 2]]))
    hidden = protect(counts_of(values, sums), HES)
    a, b, c, d = np.meshgrid(*[np.arange(22)] * 4, indexing="ij")
    every = np.stack([a, b, a + b, c, d, c + d, a + c, b + d, a + b + c + d], axis=-1).reshape(-1, 9)
    looks = np.where(hidden, -1, np.where(HES.is_small(every), -2, HES.rounded(every)))
    alike = every[(looks == np.where(hidden, -1, HES.rounded(values))).all(axis=1)]
    for place in np.flatnonzero(HES.is_small(values)):
        assert len({value for value in alike[:, place].tolist() if 1 <= value <= 7}) >= HES.protected_values


def test_the_parts_of_a_small_total_are_hidden_whole_and_other_zeros_are_shown():
    values, sums = tree([[3, 0, 0], [0, 40, 50], [0, 0]])
    hidden = protect(counts_of(values, sums), HES)
    assert hidden[:3].all()
    assert not hidden[3]
    assert not hidden[6:8].any()


def test_counts_of_something_else_are_hidden_with_the_people_behind_them():
    """Three people with 400 contacts in one of two places: neither figure of theirs, and no total that gives the contacts."""
    values = np.array([3, 60, 63, 400, 900, 1300])
    sums = [(2, [0, 1]), (5, [3, 4])]
    system = replace(counts_of(values, sums), follows=np.array([-1, -1, -1, 0, 1, 2]))
    hidden = protect(system, HES)
    assert hidden[[0, 3]].all()
    assert not unprotected(system, HES, hidden).any()
    shown = 1300 - 900
    attacker = Attacker()
    for name, figure in zip("abcdef", np.where(hidden, -1, HES.rounded(values)), strict=True):
        attacker.read(name, None if figure < 0 else int(figure))
    attacker.add_up("f", ["d", "e"])
    assert len([n for n in attacker.values("d") if abs(n - shown) < 50]) >= HES.protected_values


def test_what_is_known_from_elsewhere_is_no_cover():
    """The count that hides a small one was shown, and still holds, in another release: a further one is hidden."""
    values, sums = with_totals(np.array([6, 12]))
    hidden = protect(counts_of(values, sums), HES)
    assert hidden.tolist() == [True, True, False]
    plain = counts_of(values, sums)
    known = replace(plain, known_least=np.array([0, 8, 0]), known_most=np.array([plain.known_most[0], 12, plain.known_most[0]]))
    assert unprotected(known, HES, hidden).tolist() == [True, False, False]
    assert not unprotected(known, HES, protect(known, HES)).any()


def test_totals_that_are_not_the_sums_of_their_parts_are_refused():
    values, sums = tree([[3, 4], [9]])
    with pytest.raises(DisclosureError, match="not the sums of their parts"):
        protect(counts_of(values + np.eye(len(values), dtype=int)[0], sums), HES)


@pytest.fixture(scope="module")
def policies():
    with (PROJECT_DIR / "dbt_project/seeds/governance/disclosure_policy.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    numbers = ("hidden_from", "hidden_to", "round_base", "protected_values", "min_denominator")
    return {
        row["code"]: Policy(
            code=row["code"], has_secondary=row["has_secondary"] == "true", **{name: int(row[name]) for name in numbers}
        )
        for row in rows
    }


def test_every_policy_of_the_seed_can_be_used_and_protects(policies):
    values, sums = with_totals(np.array([[2, 11, 0], [40, 1, 23], [8, 19, 5]]))
    for policy in policies.values():
        system = counts_of(values, sums)
        hidden = protect(system, policy)
        assert hidden[policy.is_small(values)].all(), policy.code
        assert not unprotected(system, policy, hidden).any(), policy.code


def test_a_figure_says_to_within_its_rounding_which_counts_are_shown_as_it(policies):
    every = np.arange(200)
    for policy in policies.values():
        shown = every[~policy.is_small(every)]
        least, most = policy.shown_range(policy.rounded(shown))
        assert ((least <= shown) & (shown <= most)).all(), policy.code
        for figure in np.unique(policy.rounded(shown)):
            alike = shown[policy.rounded(shown) == figure]
            assert (alike.min(), alike.max()) == tuple(
                int(bound) for bound in policy.shown_range(np.array(figure))
            ) or figure == 200


def test_hes_style_is_what_it_says(policies):
    hes = policies["hes_style"]
    assert hes.is_small(np.array([0, 1, 7, 8])).tolist() == [False, True, True, False]
    assert hes.rounded(np.array([0, 8, 12, 13, 17, 18])).tolist() == [0, 10, 10, 15, 15, 20]


@pytest.mark.parametrize(
    "change", [{"hidden_to": 0}, {"hidden_from": 3}, {"round_base": 0}, {"round_base": 50}, {"protected_values": 8}]
)
def test_a_policy_that_contradicts_itself_is_refused(change):
    with pytest.raises(DisclosureError, match="hes_style"):
        replace(HES, **change)
