"""The small place, loaded once for every test that asks it, whichever of pytest's workers asks first."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock
from small_place import BULK, DELTA, PEOPLE, REPOSITORY, Place
from xdist.scheduler import LoadScopeScheduling

_READY = "ready"


class _ByFile(LoadScopeScheduling):
    """A file stays with one of pytest's workers, and so do all of dbt's tests, which share one parse and one built warehouse."""

    def _split_scope(self, nodeid: str) -> str:
        path = Path(nodeid.partition("::")[0])
        return str(path.parent if path.parent.name == "dbt" else path)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    return _ByFile(config, log)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory, request) -> Callable[[str, Callable[[Path], Place]], Place]:
    """Gives the place of a name, made by the first worker that asks while the others wait."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if hasattr(request.config, "workerinput") else base

    def get(name: str, make: Callable[[Path], Place]) -> Place:
        folder = shared / name
        with FileLock(shared / f"{name}.lock"):
            if not (folder / _READY).exists():
                shutil.rmtree(folder, ignore_errors=True)  # what a worker left that failed to make it
                make(folder / "data")
                (folder / _READY).touch()
        return Place(folder / "data")

    return get


@pytest.fixture(scope="session")
def delivered(made_once) -> Place:
    """A place whose suppliers have delivered, with a key, and nothing loaded."""

    def make(data_dir: Path) -> Place:
        place = Place(data_dir)
        made = place.phm("synth", "--people", str(PEOPLE), "--nights", "1", "--seed", "7")
        assert made.returncode == 0, made.stderr
        assert place.phm("keys", "create").returncode == 0
        return place

    return made_once("delivered", make)


@pytest.fixture(scope="session")
def after_bulk(delivered, made_once) -> Place:
    """The place after its first night. Tests copy it and do not change it."""

    def make(data_dir: Path) -> Place:
        place = delivered.copy(data_dir)
        ran = place.phm("run", "--as-of", BULK)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return place

    return made_once("after_bulk", make)


@pytest.fixture(scope="session")
def loaded(after_bulk, made_once) -> Place:
    """The place after two undisturbed nights, with every page and what the second one said. Tests do not change it."""

    def make(data_dir: Path) -> Place:
        place = after_bulk.copy(data_dir).with_settings(PHM_PAGES_DIR=str(REPOSITORY / "pages"))
        ran = place.phm("run", "--as-of", DELTA)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        (place.data_dir / "said").write_text(ran.stdout)
        return place

    return made_once("loaded", make)
