"""The constrained merge, on arrays."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.merge import REFUSALS, Groups, Merged, merge

NOTHING = np.empty((0, 2), dtype=np.int64)


def run(
    n: int,
    edges: list[tuple[int, int, float]],
    numbers: dict[int, int] | None = None,
    once: dict[int, int] | None = None,
    died: dict[int, int] | None = None,
    born: dict[int, int] | None = None,
    must: list[tuple[int, int]] | None = None,
    cannot: list[tuple[int, int]] | None = None,
) -> Merged:
    def filled(values: dict[int, int] | None, default: int) -> np.ndarray:
        return np.array([(values or {}).get(i, default) for i in range(n)], dtype=np.int64)

    groups = Groups(filled(numbers, 0), filled(once, 0), filled(born, Groups.NO_DAY), filled(died, Groups.NO_DAY))
    left, right, weight = (np.array(x) for x in zip(*edges, strict=True)) if edges else (np.empty(0, dtype=int),) * 3
    return merge(
        groups,
        (left, right, weight.astype(float)),
        must_link=np.array(must, dtype=np.int64) if must else NOTHING,
        cannot_link=np.array(cannot, dtype=np.int64) if cannot else NOTHING,
        death_tolerance_days=31,
    )


def reasons(merged: Merged) -> list[str]:
    return [REFUSALS[code] for code in merged.refusal]


def test_two_verified_numbers_do_not_meet_through_a_record_without_one() -> None:
    merged = run(3, [(0, 1, 20.0), (1, 2, 15.0)], numbers={0: 111, 2: 222})
    assert merged.cluster.tolist() == [0, 0, 2]
    assert reasons(merged) == ["", "two_numbers"]


def test_the_stronger_edge_wins_whatever_the_order() -> None:
    merged = run(3, [(0, 1, 10.0), (1, 2, 15.0)], numbers={0: 111, 2: 222})
    assert merged.cluster.tolist() == [0, 1, 1]


def test_a_source_that_holds_a_person_once_keeps_its_records_apart_unless_the_number_is_the_same() -> None:
    assert reasons(run(2, [(0, 1, 30.0)], once={0: 1, 1: 1})) == ["held_once"]
    assert reasons(run(2, [(0, 1, 30.0)], once={0: 1, 1: 2})) == [""]
    assert reasons(run(2, [(0, 1, 30.0)], once={0: 1, 1: 1}, numbers={0: 5, 1: 5})) == [""]


def test_nobody_dies_twice_or_before_birth() -> None:
    assert reasons(run(2, [(0, 1, 30.0)], died={0: 1000, 1: 1020})) == [""]
    assert reasons(run(2, [(0, 1, 30.0)], died={0: 1000, 1: 1100})) == ["death_dates"]
    assert reasons(run(2, [(0, 1, 30.0)], died={0: 1000}, born={1: 2000})) == ["death_dates"]


def test_a_decision_beats_evidence_and_a_cannot_link_beats_everything() -> None:
    assert run(2, [], numbers={0: 1, 1: 2}, must=[(0, 1)]).cluster.tolist() == [0, 0]
    apart = run(4, [(0, 1, 50.0), (1, 2, 40.0), (2, 3, 30.0)], cannot=[(0, 3)])
    assert apart.cluster.tolist() == [0, 0, 0, 3]
    assert reasons(apart) == ["", "", "cannot_link"]


edge_lists = st.lists(
    st.tuples(st.integers(0, 11), st.integers(0, 11), st.integers(1, 9).map(float)).filter(lambda e: e[0] < e[1]),
    max_size=30,
    unique_by=lambda e: e[:2],
)


def labels(values: st.SearchStrategy[int]) -> st.SearchStrategy[dict[int, int]]:
    return st.dictionaries(st.integers(0, 11), values, max_size=8)


pair_lists = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)).filter(lambda p: p[0] < p[1]), max_size=3, unique=True)


@given(
    edges=edge_lists,
    numbers=labels(st.integers(1, 3)),
    once=labels(st.sampled_from([1, 2])),
    died=labels(st.sampled_from([1000, 1020, 2000])),
    born=labels(st.sampled_from([0, 1500])),
    must=pair_lists,
    cannot=pair_lists,
    random=st.randoms(),
)
@settings(max_examples=200, deadline=None)
def test_any_order_of_edges_and_decisions_gives_one_partition_that_breaks_no_rule(
    edges, numbers, once, died, born, must, cannot, random
) -> None:
    known = {"numbers": numbers, "once": once, "died": died, "born": born}
    expected = run(12, edges, must=must, cannot=cannot, **known)
    for said in (edges, must, cannot):
        random.shuffle(said)
    again = run(12, edges, must=must, cannot=cannot, **known)
    assert again.cluster.tolist() == expected.cluster.tolist()
    decided = {i for pair in must for i in pair}
    for head in set(expected.cluster.tolist()):
        members = np.flatnonzero(expected.cluster == head).tolist()
        assert min(members) == head
        assert not any(i in members and j in members for i, j in cannot)
        if decided.isdisjoint(members):  # what a person decided may break any rule but a person's
            assert len({numbers[i] for i in members if i in numbers}) <= 1
            deaths = [died[i] for i in members if i in died]
            assert not deaths or max(deaths) - min(deaths) <= 31
            assert not any(born[i] > died[j] for i in members if i in born for j in members if j in died and j != i)
    for i, j in must:
        together = expected.cluster[i] == expected.cluster[j]
        assert together or cannot, "only a cannot-link may part what somebody joined"


@given(edge_lists, labels(st.integers(1, 3)))
@settings(max_examples=60, deadline=None)
def test_a_part_that_no_edge_reaches_is_merged_as_if_it_were_alone(edges, numbers) -> None:
    """So a night may bring groups in any batches: what touches none of them stays as it is."""
    shifted = [(i + 12, j + 12, w) for i, j, w in edges]
    both = run(24, edges + shifted, numbers={**numbers, **{i + 12: n for i, n in numbers.items()}})
    alone = run(12, edges, numbers=numbers)
    assert both.cluster[:12].tolist() == alone.cluster.tolist()
    assert (both.cluster[12:] - 12).tolist() == alone.cluster.tolist()


def test_no_groups() -> None:
    assert run(0, []).cluster.tolist() == []
