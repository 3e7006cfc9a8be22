"""`phm risk` over the small place, which is too small to train on: told after its past was built, before anything is kept."""

from __future__ import annotations


def test_a_place_with_few_admissions_is_refused_after_its_past_was_built(loaded):
    refused = loaded.phm("risk", "train", "--version", "1", "--trained-on", "a village")
    assert refused.returncode == 2, refused.stdout + refused.stderr
    told = " ".join(refused.stderr.split())
    assert "people described on 2025-04-01" in told
    assert "had the outcome by 2026-04-01" in told
    assert "a model needs 100 of each" in told
    assert not list((loaded.data_dir / "models").rglob("*.json"))
    assert not (loaded.data_dir / "warehouse" / "past.duckdb").exists()


def test_a_version_that_was_never_trained_cannot_be_used(loaded):
    refused = loaded.phm("risk", "use", "2031.1")
    assert refused.returncode == 2
    assert "There is no version '2031.1'; trained here: none." in refused.stderr


def test_the_page_says_that_no_model_is_in_use(loaded):
    page = (loaded.data_dir / "releases" / "current" / "direct_care" / "site" / "risk.html").read_text()
    assert "No model is in use here" in page
