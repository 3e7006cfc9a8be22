"""One run at a time, and whoever is refused is told by whom."""

from __future__ import annotations

import subprocess
import sys

import pytest

from orchestration.run_lock import RunLocked, lock_holder, run_lock

HOLD = """
import sys
from pathlib import Path
from orchestration.run_lock import run_lock
with run_lock(Path(sys.argv[1]), "phm run --as-of 2025-04-01"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock at `tmp_path/run.lock`."""
    path = tmp_path / "run.lock"
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield path, process
    process.kill()
    process.communicate()


def test_a_second_run_is_refused_with_who_holds_the_lock(holder):
    path, process = holder
    with pytest.raises(RunLocked, match=rf"process {process.pid} on .*phm run --as-of 2025-04-01"), run_lock(path, "phm run"):
        pytest.fail("two runs at once")


def test_a_killed_run_leaves_no_lock_behind(holder):
    path, process = holder
    process.kill()
    process.wait()
    assert lock_holder(path) is None
    with run_lock(path, "phm run"):
        assert lock_holder(path).command == "phm run"


def test_looking_does_not_take_the_lock(holder):
    path, process = holder
    assert lock_holder(path).pid == process.pid
    assert lock_holder(path).pid == process.pid


def test_a_command_and_the_run_inside_it_share_the_lock(tmp_path):
    path = tmp_path / "run.lock"
    with run_lock(path, "outer"):
        with run_lock(path, "inner"):
            pass
        assert lock_holder(path).command == "outer"
    assert lock_holder(path) is None
