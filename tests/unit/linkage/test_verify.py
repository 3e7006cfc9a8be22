"""The shadow run: it agrees with nights that were kept well, and finds what was tampered with."""

from __future__ import annotations

import hashlib

import duckdb
import linkage_people as people
import polars as pl
import pytest
from linkage_index import Index

from linkage.duck import Limits
from linkage.errors import RegistryError
from linkage.verify import Verification, verify


def verified(index: Index) -> Verification:
    return verify(
        index.identity,
        index.registry,
        spec=index.spec,
        parameters=index.parameters,
        limits=Limits("1GB", 2, "10GB", index.root / "tmp"),
    )


@pytest.fixture
def nights(index: Index) -> Index:
    """A first load, then three nights that each bring two in a hundred of the records; every id that changed is accounted for."""
    rows = people.make_place(700, seed=31).rows.with_columns(slice=pl.col("record_token").hash(seed=5) % 100)
    first = rows.filter(pl.col("slice") >= 6)
    index.run(first.drop("slice"))
    persons = index.persons()
    for night in range(3):
        part = rows.filter(pl.col("slice") // 2 == night).with_columns(load_seq=pl.lit(night + 2, dtype=pl.Int32))
        report = index.run(part.drop("slice"))
        now = index.persons()
        moved = {(persons[t], now[t]) for t in persons if now[t] != persons[t]}
        told = index.ask(
            "select cast(person_id as varchar), cast(other_person_id as varchar), event from person_event "
            f"where run_id = 'night-{index.night}' and event in ('merge', 'split', 'reassign')"
        )
        assert moved == {(other, person) if event == "merge" else (person, other) for person, other, event in told}
        assert len(told) == sum(report.events.get(event, 0) for event in ("merge", "split", "reassign"))
        persons = now
    return index


def test_nights_of_two_in_a_hundred_change_ids_by_merges_and_splits_only_and_end_where_a_whole_run_does(nights: Index) -> None:
    before = hashlib.sha256(nights.registry.read_bytes()).hexdigest()
    found = verified(nights)
    assert found.is_sound
    assert found.n_records == len(nights.persons())
    assert found.n_pairs > 0
    assert (found.n_records_different, found.n_pairs_missing, found.n_pairs_unfounded, found.n_weights_different) == (0, 0, 0, 0)
    assert found.largest_weight_difference == 0.0
    assert hashlib.sha256(nights.registry.read_bytes()).hexdigest() == before

    tampered = {
        "n_weights_different": "update edge set evidence = evidence + 0.000001 where rowid = (select min(rowid) from edge)",
        "n_pairs_missing": "delete from edge where rowid = (select max(rowid) from edge)",
        "n_records_different": "update membership set person_id = (select min(person_id) from membership) where valid_to is null",
    }
    for name, change in tampered.items():
        with duckdb.connect(str(nights.registry)) as connection:
            connection.execute(change)
        found = verified(nights)
        assert getattr(found, name) > 0
        assert not found.is_sound


def test_records_that_no_night_has_linked_are_not_a_difference(index: Index) -> None:
    with pytest.raises(RegistryError, match="no registry"):
        verified(index)
    rows = people.make_place(60, seed=32).rows
    index.run(rows)
    people.write(rows.with_columns(load_seq=pl.lit(2, dtype=pl.Int32)), index.identity)
    with pytest.raises(RegistryError, match="run the nightly load, then verify"):
        verified(index)
