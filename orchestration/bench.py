"""Measure the real load and write what it cost to `docs/benchmarks.md`: `make bench`, never a timed test.

Each size is a fresh synthetic place in a directory of its own, loaded by `phm` in a child process: the bulk delivery, then one
delta. Memory is the largest sum of resident sizes of that process and all its children, sampled while they run.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import psutil

from orchestration.night import delivery_dates
from orchestration.provenance import git_commit
from orchestration.run_report import latest_report
from orchestration.settings import PROJECT_DIR, Settings

REPORT = PROJECT_DIR / "docs" / "benchmarks.md"
DEFAULT_SIZES = (10_000, 100_000)

_SAMPLE_SECONDS = 0.2
_LINES_OF_A_FAILURE = 60
_MIB = 1024**2
_ZONES = ("landing", "identifiable", "raw", "warehouse", "releases")
_SYNTH, _BULK, _DELTA = "synth", "bulk load", "nightly delta"


@dataclass(frozen=True)
class Measurement:
    """What one stage cost at one size. `steps` are the run's steps in seconds, `zones` bytes on disk afterwards."""

    people: int
    stage: str
    seconds: float
    peak_bytes: int
    n_rows: int
    zones: Mapping[str, int]
    steps: Mapping[str, float]


def main() -> None:
    """Measure the sizes given as arguments and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", nargs="*", type=int, default=list(DEFAULT_SIZES), help="numbers of people")
    parser.add_argument("--report", type=Path, default=REPORT)
    parser.add_argument("--scratch", type=Path, default=None, help="folder with room for the largest size")
    arguments = parser.parse_args()
    try:
        measurements = [m for size in sorted(arguments.sizes) for m in _measure_size(size, arguments.scratch)]
    except subprocess.CalledProcessError as error:
        end = "\n".join((error.output or "").splitlines()[-_LINES_OF_A_FAILURE:])
        raise SystemExit(f"{end}\n{' '.join(error.cmd)} failed with exit code {error.returncode}") from error
    write_load(arguments.report, render(measurements))
    print(f"Wrote {arguments.report}")


def _measure_size(people: int, scratch: Path | None) -> Iterator[Measurement]:
    with tempfile.TemporaryDirectory(prefix="phm-bench-", dir=scratch) as folder:
        data_dir = Path(folder)
        environment = {**os.environ, "PHM_DATA_DIR": folder, "PHM_ENVIRONMENT": "demo"}
        phm = [sys.executable, "-m", "orchestration.cli"]
        yield _stage(people, _SYNTH, [*phm, "synth", "--people", str(people), "--nights", "1"], environment, data_dir)
        _run([*phm, "keys", "create"], environment)
        for stage, day in zip((_BULK, _DELTA), delivery_dates(data_dir / "landing"), strict=True):
            yield _stage(people, stage, [*phm, "run", "--as-of", day.isoformat()], environment, data_dir)


def _stage(people: int, stage: str, command: Sequence[str], environment: Mapping[str, str], data_dir: Path) -> Measurement:
    print(f"{people:,} people: {stage}", flush=True)
    seconds, peak = _run(command, environment)
    report = latest_report(Settings(data_dir=data_dir).log_dir) if stage != _SYNTH else {"steps": []}
    steps = {step["step"]: step["seconds"] for step in report["steps"]}
    n_rows = sum(step["facts"].get("rows", 0) for step in report["steps"])
    zones = {zone: _bytes_below(data_dir / zone) for zone in _ZONES}
    return Measurement(people, stage, seconds, peak, n_rows, zones, steps)


def _run(command: Sequence[str], environment: Mapping[str, str]) -> tuple[float, int]:
    """Seconds that a command took, and the most memory, in bytes, that it and its children held at once.

    Raises `subprocess.CalledProcessError` with what it said when it fails.
    """
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = psutil.Popen(command, env=dict(environment), stdout=output, stderr=subprocess.STDOUT)
        peak = 0
        while process.poll() is None:
            peak = max(peak, _resident_bytes(process))
            time.sleep(_SAMPLE_SECONDS)
        if process.returncode:
            output.seek(0)
            raise subprocess.CalledProcessError(process.returncode, command, output.read())
    return time.monotonic() - started, peak


def _resident_bytes(process: psutil.Process) -> int:
    total = 0
    for member in [process, *_children(process)]:
        try:
            total += member.memory_info().rss
        except psutil.NoSuchProcess:
            continue  # it ended between being listed and being asked
    return total


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def growth_exponent(small: Measurement, large: Measurement) -> float:
    """b in seconds ~ people^b between two sizes of one stage: 1 grows as the place does, 2 with its square."""
    return math.log(large.seconds / small.seconds) / math.log(large.people / small.people)


def render(measurements: Sequence[Measurement]) -> str:
    """The report as Markdown."""
    memory = psutil.virtual_memory().total / 1024**3
    parts = [
        "# Benchmarks",
        "Written by `make bench`; budgets are in the design. Each row is one command in a child process. Peak memory is of that "
        "process and all its children together. Rows are rows landed by that run.",
        f"Measured on {datetime.now(UTC):%-d %B %Y}: {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, commit {(git_commit(PROJECT_DIR) or 'unknown')[:12]}.",
        "## Time and memory",
        _table(
            ("people", "stage", "seconds", "peak MiB", "rows", "rows a second"),
            [
                (f"{m.people:,}", m.stage, f"{m.seconds:.1f}", f"{m.peak_bytes / _MIB:,.0f}", f"{m.n_rows:,}", _rate(m))
                for m in measurements
            ],
        ),
        *_growth(measurements),
        "## Bytes on disk",
        "MiB in each zone after the stage.",
        _table(
            ("people", "stage", *_ZONES),
            [(f"{m.people:,}", m.stage, *(f"{m.zones[zone] / _MIB:,.0f}" for zone in _ZONES)) for m in measurements],
        ),
        "## Steps",
        "Seconds in each step of a run.",
        *_steps(measurements),
    ]
    return "\n\n".join(parts) + "\n"


def write_load(report: Path, text: str) -> None:
    """Replace the load's part of the report, which is all before the first mark of another part."""
    kept = report.read_text(encoding="utf-8").partition("<!-- ")[1:] if report.exists() else ("", "")
    report.write_text(text + ("\n" if kept[0] else "") + "".join(kept), encoding="utf-8")


def _rate(measurement: Measurement) -> str:
    return f"{measurement.n_rows / measurement.seconds:,.0f}" if measurement.n_rows else "–"


def _growth(measurements: Sequence[Measurement]) -> list[str]:
    rows = []
    for stage in dict.fromkeys(m.stage for m in measurements):
        sizes = [m for m in measurements if m.stage == stage]
        rows += [(stage, f"{a.people:,} to {b.people:,}", f"{growth_exponent(a, b):.2f}") for a, b in pairwise(sizes)]
    if not rows:
        return []
    return [
        "## Growth",
        "The exponent b in seconds ~ people^b: 1 grows as the place does.",
        _table(("stage", "between", "exponent"), rows),
    ]


def _steps(measurements: Sequence[Measurement]) -> list[str]:
    runs = [m for m in measurements if m.steps]
    names = list(dict.fromkeys(name for m in runs for name in m.steps))
    header = ("step", *(f"{m.people:,} {m.stage}" for m in runs))
    return [_table(header, [(name, *(f"{m.steps.get(name, 0):.1f}" for m in runs)) for name in names])]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(header)
    return "\n".join("| " + " | ".join(row) + " |" for row in [header, rule, *rows])


if __name__ == "__main__":
    main()
