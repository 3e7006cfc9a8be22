"""Two nights of a small place, from suppliers' files to a release, against what is true and what must not happen."""

from __future__ import annotations

import datetime as dt
import json

import polars as pl
import pytest
from small_place import BULK, DELTA

from orchestration.evaluation import evaluate_index
from orchestration.run_lock import run_lock
from orchestration.settings import Settings

NEXT = "2026-04-02"


def truth(place, name):
    return pl.read_parquet(place.data_dir / "truth" / f"{name}.parquet")


def operations(place, name):
    return pl.read_parquet(place.data_dir / "raw" / "operations" / name / "*.parquet", missing_columns="insert")


def test_the_people_in_the_release_are_the_people_there_are(loaded):
    """Linkage cannot be perfect on records this poor; within two in a hundred."""
    known = truth(loaded, "records")["person_no"].n_unique()
    ((found,),) = loaded.query("select count(*) from marts.person")
    assert abs(found - known) <= 0.02 * known


def test_linkage_is_judged_by_the_truth_only_when_asked(loaded):
    settings = Settings(data_dir=loaded.data_dir)
    judged = evaluate_index(settings, settings.truth_dir, dt.date.fromisoformat(DELTA), 0.0)
    assert judged.overall.n_records > 1_000
    assert judged.overall.pair_precision >= 0.995
    assert judged.overall.pair_recall >= 0.98
    assert {"gp_emis", "voluntary_sector"} <= judged.by["source"].keys()
    assert {"1", "5"} <= judged.by["deprivation_fifth"].keys()


def test_the_registry_is_what_a_whole_run_would_make(loaded):
    verified = loaded.phm("linkage", "verify")
    assert verified.returncode == 0, verified.stderr + verified.stdout
    assert "every pair, weight and person" in verified.stdout


def test_the_linkage_page_says_what_the_marts_say(loaded):
    ((n_records, n_withheld),) = loaded.query("""
        select
            cast(sum(value) filter (where metric = 'records' and source = 'all') as bigint),
            cast(sum(value) filter (where starts_with(metric, 'withheld_')) as bigint)
        from marts.linkage_quality where is_latest""")
    page = (loaded.data_dir / "releases" / "current" / "direct_care" / "site" / "linkage.html").read_text(encoding="utf-8")
    assert f"{n_records:,} records" in page
    assert f"{n_withheld:,} such records" in page
    ((n_rows, n_breaches),) = loaded.query("select count(*), count(*) filter (where is_breach) from marts.linkage_equity")
    assert n_rows > 50
    assert n_breaches == 0


def test_the_dead_of_the_release_are_the_dead_of_the_place(loaded):
    died = truth(loaded, "people").filter(pl.col("death_date") <= dt.date.fromisoformat(BULK)).height
    ((found,),) = loaded.query("select count(*) from marts.person where not is_alive")
    assert abs(found - died) <= 1


@pytest.mark.parametrize(
    "condition", ["hypertension", "depression", "hypothyroidism", "chronic_kidney_disease", "atrial_fibrillation"]
)
def test_registers_hold_whom_the_place_has_diagnosed(loaded, condition):
    true = truth(loaded, "conditions").filter(
        pl.col("coded_on").is_not_null() & pl.col("resolved_on").is_null() & (pl.col("condition") == condition)
    )["person_no"]
    ((found,),) = loaded.query(f"select count(*) from marts.person_condition where is_active and condition_code = '{condition}'")
    assert abs(found - true.n_unique()) <= max(2, 0.15 * true.n_unique())


def test_exactly_the_planted_bad_rows_are_in_quarantine(loaded):
    planted = truth(loaded, "faults").filter(pl.col("expected") == "quarantined").group_by("source").len()
    found = operations(loaded, "delivery").group_by("source").agg(pl.sum("rows_quarantined").alias("len"))
    assert dict(found.filter(pl.col("len") > 0).iter_rows()) == dict(planted.iter_rows())


def test_every_row_that_came_in_landed_or_is_in_quarantine(loaded):
    log = operations(loaded, "delivery")
    assert (log["rows_in"] == log["rows_landed"] + log["rows_quarantined"]).all()
    assert log.filter(pl.col("status") == "landed")["rows_landed"].sum() > 50_000


def test_every_person_has_one_segment_at_each_month_end(loaded):
    ((n_rows, n_distinct),) = loaded.query(
        "select count(*), count(distinct (person_id, scheme, month_end)) from marts.person_segment"
    )
    assert n_rows == n_distinct > 0


def test_the_summary_names_sources_people_and_the_release(loaded):
    said = (loaded.data_dir / "said").read_text()
    ((n_people,),) = loaded.query("select count(*) from marts.person")
    assert f"{n_people:,} people, by segment" in said
    assert loaded.current in said
    assert said.count(" fresh") == 10


def test_checks_are_kept_with_their_history_and_published(loaded):
    stages = operations(loaded, "quality_result").group_by("stage").agg(pl.col("run_id").n_unique())
    assert dict(stages.iter_rows()) == {"landed": 2, "index": 2, "marts": 2}
    assert loaded.query("select count(distinct run_id) from marts.data_quality_result") == [(2,)]


def test_both_releases_are_kept_and_the_newest_is_served(loaded):
    listed = loaded.phm("release", "list").stdout.splitlines()
    assert len(listed) == 2
    assert listed[0].startswith(f"* {loaded.current}")
    manifest = json.loads((loaded.data_dir / "releases" / "current" / "manifest.json").read_text())
    assert manifest["as_of"] == DELTA
    assert {source["source"] for source in manifest["sources"]} >= {"gp_emis", "housing"}


def test_the_release_can_be_asked_with_the_command_that_the_demonstration_names(loaded):
    answer = loaded.phm("query", "select count(*) as n_people from marts.person where is_registered")
    assert answer.returncode == 0
    assert "n_people" in answer.stdout


def test_status_says_what_is_served_and_that_nothing_is_stale(loaded):
    said = loaded.phm("status").stdout
    assert loaded.current in said
    assert "stale" not in said


def test_a_second_run_is_refused_with_who_holds_the_lock(loaded):
    with run_lock(loaded.data_dir / "warehouse" / "run.lock", "the first run"):
        refused = loaded.phm("run")
    assert refused.returncode == 75
    assert "the first run" in refused.stderr


def test_another_key_is_refused_before_it_touches_anything(loaded, tmp_path):
    place = loaded.copy(tmp_path / "data")
    (place.data_dir / "identifiable" / "keys" / "pseudonymisation.key").write_text("ab" * 32)
    refused = place.phm("run")
    assert refused.returncode == 2
    assert "not the one this data directory was loaded with" in refused.stderr


@pytest.fixture(scope="module")
def bad_night(loaded, tmp_path_factory):
    """A night on which one full delivery lost most of its rows, and another cannot be used; what it said and exited with."""
    place = loaded.copy(tmp_path_factory.mktemp("bad") / "data")
    name, text = place.delivered_text("reference", BULK, "IMD_2019.csv")
    lines = text.splitlines(keepends=True)
    place.deliver("reference", NEXT, name, "".join(lines[: len(lines) // 4]))
    name, text = place.delivered_text("voluntary_sector", BULK, "VCS_VS001_referrals_*.csv")
    place.deliver("voluntary_sector", NEXT, name.replace(BULK.replace("-", ""), NEXT.replace("-", "")), "something,else\n1,2\n")
    return place, place.phm("run", "--as-of", NEXT)


def test_a_failed_blocking_check_makes_no_release_and_the_last_one_goes_on_serving(bad_night, loaded):
    place, ran = bad_night
    assert ran.returncode == 1
    assert place.current == loaded.current
    assert "reference/" in ran.stdout
    assert f"release {loaded.current} goes on serving" in ran.stdout


def test_nothing_that_depends_on_a_failed_check_runs(bad_night):
    place, _ = bad_night
    done = {step["step"] for step in place.last_report()["steps"]}
    assert {"land_gp_emis", "land_voluntary_sector", "check_gp_emis"} <= done
    assert not done & {"warehouse", "check_marts", "releases__current"}


def test_a_delivery_that_cannot_be_used_is_named_and_its_source_goes_on_with_what_it_had(bad_night):
    place, ran = bad_night
    assert "refused" in ran.stdout
    held = operations(place, "delivery").filter((pl.col("source") == "voluntary_sector") & (pl.col("status") == "landed"))
    assert held.height > 0
