"""A place that goes over to a new key: every token is another, every person keeps their id, and the night goes on."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest
from small_place import DELTA, Place

KEYS = "identifiable/keys/pseudonymisation.key"


def persons(place: Place) -> dict[tuple[str, str], str]:
    """Person by the supplier's own id of each record."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{place.data_dir}/identifiable/registry.duckdb' as registry (read_only)")
        rows = connection.execute(f"""
            select distinct local.source, local.local_id, membership.person_id
            from registry.membership as membership
            inner join read_parquet('{place.data_dir}/identifiable/local_ids/*/*/*.parquet', union_by_name = true) as local
                on membership.record_token = local.record_token
            where membership.valid_to is null""").fetchall()
    return {(source, local_id): str(person_id) for source, local_id, person_id in rows}


def tokens(place: Place) -> set[str]:
    """Every token of every file and of the registry."""
    found = set()
    with duckdb.connect() as connection:
        for path in sorted(place.data_dir.glob("raw/*/*/*.parquet")) + sorted(
            place.data_dir.glob("identifiable/i*/*/*/*.parquet")
        ):
            described = connection.execute(f"describe select * from read_parquet('{path}')").fetchall()
            for name in [name for name, kind, *_ in described if kind == "UUID" and name.endswith("_token")]:
                rows = connection.execute(f"select distinct {name}::varchar from read_parquet('{path}')").fetchall()
                found |= {token for (token,) in rows}
        connection.execute(f"attach '{place.data_dir}/identifiable/registry.duckdb' as registry (read_only)")
        found |= {token for (token,) in connection.execute("select record_token::varchar from registry.record").fetchall()}
    return found - {None}


@pytest.fixture(scope="module")
def before(after_bulk) -> tuple[dict[tuple[str, str], str], set[str]]:
    return persons(after_bulk), tokens(after_bulk)


@pytest.fixture(scope="module")
def rotated(after_bulk, tmp_path_factory) -> Place:
    place = after_bulk.copy(tmp_path_factory.mktemp("rotated") / "data")
    shutil.copy2(place.data_dir / KEYS, place.data_dir.parent / "former.key")
    ran = place.phm("keys", "rotate")
    assert ran.returncode == 0, ran.stderr
    return place


def test_no_token_of_the_former_key_is_left_and_every_record_has_its_person(rotated, before):
    former_persons, former_tokens = before
    assert persons(rotated) == former_persons
    assert not tokens(rotated) & former_tokens
    assert len(tokens(rotated)) == len(former_tokens)
    assert (rotated.data_dir / KEYS).stat().st_mode & 0o777 == 0o600


def test_a_kill_before_the_copies_are_whole_changes_nothing_and_after_is_finished(after_bulk, rotated, before, tmp_path):
    """What a kill leaves is put there by hand: copies without their mark, and copies with it of which one has been taken."""
    half = after_bulk.copy(tmp_path / "half")
    (half.data_dir / "identifiable" / ".rotation" / "raw").mkdir(parents=True)
    assert half.phm("keys", "rotate", "--new-key-file", str(tmp_path / "none.key")).returncode == 2
    assert not (half.data_dir / "identifiable" / ".rotation").exists()
    assert tokens(half) == before[1]

    late = after_bulk.copy(tmp_path / "late")
    beside = late.data_dir / "identifiable" / ".rotation"
    shutil.copytree(rotated.data_dir / "identifiable" / "identity", beside / "identity")
    for name, path in (
        ("local_ids", "identifiable/local_ids"), ("registry", "identifiable/registry.duckdb"), ("new.key", KEYS),
        ("key_id", "warehouse/key_id"),
    ):  # fmt: skip
        source = rotated.data_dir / path
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, beside / name)
    shutil.rmtree(late.data_dir / "raw")
    shutil.copytree(rotated.data_dir / "raw", late.data_dir / "raw")
    (beside / "whole").touch()
    assert late.phm("keys", "rotate", "--new-key-file", str(tmp_path / "none.key")).returncode == 2
    assert tokens(late) == tokens(rotated)
    assert persons(late) == before[0]


def test_the_former_key_is_refused(rotated):
    former = Place(rotated.data_dir, settings={"PHM_PSEUDONYMISATION_KEY_FILE": str(rotated.data_dir.parent / "former.key")})
    ran = former.phm("run", "--as-of", DELTA)
    assert ran.returncode == 2
    assert "phm keys rotate" in ran.stderr


def test_the_next_night_is_as_if_the_key_had_always_been_this_one(rotated, loaded, before):
    ran = rotated.phm("run", "--as-of", DELTA)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    known, undisturbed = persons(rotated), persons(loaded)
    kept = {record: person for record, person in before[0].items() if known.get(record) == person}
    kept_undisturbed = {record for record, person in before[0].items() if undisturbed.get(record) == person}
    assert set(kept) == kept_undisturbed
    for table in ("person", "person_condition", "person_segment", "person_activity_month"):
        count = f"select count(*) from marts.{table}"
        assert rotated.query(count) == loaded.query(count), table
    released = {release.name for release in Path(rotated.data_dir / "releases").iterdir() if not release.is_symlink()}
    assert len(released) == 2
    kept_parts = [name for name in released if (rotated.data_dir / "releases" / name / "secondary_use").exists()]
    assert kept_parts == [rotated.current]
