"""The night's linkage with this warehouse's paths and limits."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from linkage.errors import LinkageError
from linkage.link import LinkageReport, link
from linkage.model import Parameters, read_parameters
from linkage.spec import LinkageSpec, default_spec
from linkage.train import Trained, train
from orchestration.settings import PROJECT_DIR, Settings

#: Trained models, committed like code; their names sort by version, and the last is in use.
MODEL_DIR: Path = PROJECT_DIR / "linkage" / "models"


def link_records(settings: Settings, run_id: str, as_of: date) -> LinkageReport:
    """Link every identity record that has landed and write the index to `raw/linkage`."""
    return link(
        settings.identity_dir,
        settings.registry_path,
        settings.raw_dir / "linkage",
        spec=linkage_spec(settings),
        parameters=linkage_model(),
        run_id=run_id,
        as_of=as_of,
        limits=settings.limits,
    )


def linkage_spec(settings: Settings) -> LinkageSpec:
    """How this warehouse links; never-issued NHS numbers count only where the people are synthetic."""
    return default_spec(accept_test_numbers=not settings.is_production)


def linkage_model() -> Parameters:
    """The trained model in use.

    Raises `LinkageError` when there is none or it is not complete.
    """
    models = sorted(MODEL_DIR.glob("*.json"))
    if not models:
        raise LinkageError(f"there is no trained model in {MODEL_DIR}: make one with `phm linkage train`")
    return read_parameters(models[-1])


def train_model(settings: Settings, version: str, trained_on: str, as_of: date) -> Trained:
    """Train a model on the identity records that have landed and write it, with its card, beside the others, for review."""
    return train(
        settings.identity_dir,
        MODEL_DIR / f"{version}.json",
        spec=linkage_spec(settings),
        version=version,
        trained_on=trained_on,
        as_of=as_of,
        limits=settings.limits,
    )
