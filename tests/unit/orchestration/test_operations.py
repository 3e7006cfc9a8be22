"""What an operator relies on: words for failures, alerts, tidiness, the clock, and a diagnosis."""

from __future__ import annotations

import errno
import os
import time
from datetime import date, datetime

import duckdb
import pytest

from orchestration import doctor, night
from orchestration.alerts import send_alert
from orchestration.faults import explain, is_transient
from orchestration.housekeeping import join_results, tidy
from orchestration.settings import Settings, SettingsError
from orchestration.zones import claim, create_key, prepare_zones


@pytest.fixture
def settings(tmp_path):
    made = Settings(data_dir=tmp_path, environment="production")
    prepare_zones(made)
    return made


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "raw/x.parquet"),
        duckdb.IOException('IO Error: Could not write file "x": No space left on device'),
    ],
)
def test_a_full_disk_says_so_and_is_not_tried_again(error):
    assert "the disk is full" in explain(error)
    assert "Nothing is lost" in explain(error)
    assert not is_transient(error)


def test_a_folder_that_may_not_be_written_is_named_and_not_tried_again():
    error = PermissionError(errno.EACCES, "Permission denied", "releases")
    assert "releases" in explain(error)
    assert not is_transient(error)


def test_a_share_that_drops_for_a_moment_is_tried_again():
    assert is_transient(OSError(errno.EIO, "Input/output error"))
    assert not is_transient(ValueError("a fault of ours"))


def test_the_alert_command_gets_the_run_and_the_message_on_standard_input(tmp_path):
    out = tmp_path / "told"
    assert send_alert(f"tee {out}", "run-1", "check_gp_emis failed")
    assert out.read_text() == "phm run run-1\ncheck_gp_emis failed\n"


@pytest.mark.parametrize("command", [None, "false", "no-such-command", 'unclosed "quote'])
def test_an_alert_that_cannot_be_sent_harms_nothing(command):
    assert not send_alert(command, "run-1", "message")


def test_what_a_killed_evaluation_left_is_gone_after_a_day_and_a_running_one_is_left_alone(settings):
    for name in ("killed", "running"):
        (settings.evaluating_dir / name).mkdir(parents=True)
        (settings.evaluating_dir / name / "truth.parquet").touch()
    two_days_ago = time.time() - 2 * 86_400
    os.utime(settings.evaluating_dir / "killed", (two_days_ago, two_days_ago))
    tidy(settings)
    assert [folder.name for folder in settings.evaluating_dir.iterdir()] == ["running"]


def test_artefacts_older_than_the_setting_are_removed_and_newer_ones_kept(settings):
    long_ago = time.time() - (settings.keep_days + 1) * 86_400
    for name in ("old", "new"):
        (settings.dbt_target_dir / name).mkdir(parents=True)
        (settings.log_dir / f"{name}.log").touch()
    os.utime(settings.dbt_target_dir / "old", (long_ago, long_ago))
    os.utime(settings.log_dir / "old.log", (long_ago, long_ago))
    tidy(settings)
    assert [p.name for p in settings.dbt_target_dir.iterdir()] == ["new"]
    assert [p.name for p in settings.log_dir.iterdir()] == ["new.log"]


def test_results_are_joined_without_losing_or_doubling_one_even_after_a_kill(tmp_path):
    for number in range(5):
        duckdb.execute(f"copy (select {number} as run_id) to '{tmp_path}/{number}.parquet'")
    duckdb.execute(f"copy (select * from '{tmp_path}/*.parquet') to '{tmp_path}/history.parquet'")  # killed before removing
    join_results(tmp_path, most_files=3)
    assert [p.name for p in tmp_path.iterdir()] == ["history.parquet"]
    assert duckdb.execute(f"select run_id from '{tmp_path}/*.parquet' order by 1").fetchall() == [(n,) for n in range(5)]


def test_the_runs_date_is_the_one_asked_for_then_the_setting(settings):
    with_setting = settings.model_copy(update={"as_of": date(2025, 3, 1)})
    assert night.resolve_as_of(with_setting, "2025-04-01") == date(2025, 4, 1)
    assert night.resolve_as_of(with_setting, None) == date(2025, 3, 1)
    assert night.resolve_as_of(settings, None) == datetime.now(night.TIMEZONE).date()


def test_a_demonstrations_clock_stands_at_its_last_delivery(tmp_path):
    settings = Settings(data_dir=tmp_path)
    claim(settings, "demo")
    for day in ("2024-12-31", "2025-01-01", "not-a-date"):
        (settings.landing_dir / "housing" / day).mkdir(parents=True)
    assert night.resolve_as_of(settings, None) == date(2025, 1, 1)


def test_a_date_that_is_none_is_refused(settings):
    with pytest.raises(SettingsError, match="31/03/2025"):
        night.resolve_as_of(settings, "31/03/2025")


def levels(settings):
    return {finding.subject: finding.level for finding in doctor.diagnose(settings)}


def test_the_doctor_finds_a_missing_key_and_says_how_to_make_one(settings):
    assert levels(settings)["key"] == "fail"
    advice = next(f for f in doctor.diagnose(settings) if f.subject == "key")
    assert "phm keys create" in advice.text


def test_the_doctor_finds_a_key_that_others_can_read(settings):
    create_key(settings).chmod(0o644)
    assert levels(settings)["key"] == "fail"


def test_the_doctor_is_content_with_a_prepared_directory(settings):
    create_key(settings)
    found = levels(settings)
    assert {found[subject] for subject in ("python", "packages", "zones", "environment", "key", "permissions", "run")} == {"ok"}


@pytest.mark.parametrize(("text", "size"), [("4GB", 4e9), ("512 MiB", 512 * 2**20), ("1.5TB", 1.5e12)])
def test_sizes_are_read_as_duckdb_does(text, size):
    assert doctor.size_in_bytes(text) == size
