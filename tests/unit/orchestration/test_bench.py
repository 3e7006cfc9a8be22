"""The benchmark's arithmetic and report, without a benchmark."""

from __future__ import annotations

import os
import sys

import pytest

from orchestration import bench
from orchestration.bench import Measurement, _run, growth_exponent, render, write_load
from orchestration.bench_linkage import write_section

ZONES = dict.fromkeys(("landing", "identifiable", "raw", "warehouse", "releases"), 3 * 1024**2)


def measured(people, seconds, stage="bulk load"):
    return Measurement(people, stage, seconds, 512 * 1024**2, people * 100, ZONES, {"land_gp_emis": seconds / 2})


@pytest.mark.parametrize(("seconds", "exponent"), [(20.0, 1.0), (200.0, 2.0), (2.0, 0.0)])
def test_growth_is_told_as_an_exponent(seconds, exponent):
    assert growth_exponent(measured(1_000, 2.0), measured(10_000, seconds)) == pytest.approx(exponent)


def test_the_report_compares_sizes_of_one_stage():
    report = render([measured(1_000, 2.0), measured(10_000, 20.0), measured(1_000, 1.0, "nightly delta")])
    assert "| bulk load | 1,000 to 10,000 | 1.00 |" in report
    assert "| 10,000 | bulk load | 20.0 | 512 | 1,000,000 | 50,000 |" in report
    assert "nightly delta | 1,000 to" not in report


def test_memory_of_children_counts():
    child = "x = bytearray(64 * 1024 * 1024); import time; time.sleep(1)"
    command = [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"]
    seconds, peak = _run(command, os.environ)
    assert seconds >= 1
    assert peak > 64 * 1024**2


def test_a_failure_is_told_with_the_end_of_what_the_child_said(monkeypatch):
    child = "print('too', 'early'); [print('line', n) for n in range(1000)]; raise SystemExit('the disk is full')"
    monkeypatch.setattr(bench, "_measure_size", lambda *_: [_run([sys.executable, "-c", child], os.environ)])
    monkeypatch.setattr(sys, "argv", ["bench", "1000"])
    with pytest.raises(SystemExit) as failure:
        bench.main()
    assert "the disk is full" in str(failure.value)
    assert "exit code 1" in str(failure.value)
    assert "too early" not in str(failure.value)


def test_each_part_of_the_report_is_written_anew_without_the_other(tmp_path):
    report = tmp_path / "benchmarks.md"
    write_load(report, "# Benchmarks\n\nold load\n")
    write_section(report, "old linkage")
    write_load(report, "# Benchmarks\n\nnew load\n")
    write_section(report, "new linkage")
    text = report.read_text()
    assert "old" not in text
    assert text.index("new load") < text.index("new linkage")
    assert text.count("linkage: begin") == 1
