"""The small place, loaded once for every test that asks it."""

from __future__ import annotations

import pytest
from small_place import BULK, DELTA, PEOPLE, Place


@pytest.fixture(scope="session")
def delivered(tmp_path_factory) -> Place:
    """A place whose suppliers have delivered, with a key, and nothing loaded."""
    place = Place(tmp_path_factory.mktemp("delivered") / "data")
    made = place.phm("synth", "--people", str(PEOPLE), "--nights", "1", "--seed", "7")
    assert made.returncode == 0, made.stderr
    assert place.phm("keys", "create").returncode == 0
    return place


@pytest.fixture(scope="session")
def after_bulk(delivered, tmp_path_factory) -> Place:
    """The place after its first night. Tests copy it and do not change it."""
    place = delivered.copy(tmp_path_factory.mktemp("after_bulk") / "data")
    ran = place.phm("run", "--as-of", BULK)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return place


@pytest.fixture(scope="session")
def loaded(after_bulk, tmp_path_factory) -> Place:
    """The place after two undisturbed nights, with what the second one said. Tests read it and do not change it."""
    place = after_bulk.copy(tmp_path_factory.mktemp("loaded") / "data")
    ran = place.phm("run", "--as-of", DELTA)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (place.data_dir / "said").write_text(ran.stdout)
    return place
