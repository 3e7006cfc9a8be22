"""Dagster's instance configuration for a data directory: the project's `dagster.yaml`, with its storage moved there."""

from __future__ import annotations

from pathlib import Path

import yaml

from orchestration.settings import PROJECT_DIR, Settings

_NAME = "dagster.yaml"


def write_dagster_home(settings: Settings) -> Path:
    """Write `dagster.yaml` for this data directory and return its folder, which is a DAGSTER_HOME."""
    home = settings.dagster_dir
    home.mkdir(parents=True, exist_ok=True)
    config = yaml.safe_load((PROJECT_DIR / _NAME).read_text(encoding="utf-8"))
    config["storage"]["sqlite"]["base_dir"] = str(home)
    config["local_artifact_storage"]["config"]["base_dir"] = str(home)
    config["compute_logs"]["config"]["base_dir"] = str(home / "compute_logs")
    (home / _NAME).write_text(yaml.safe_dump(config), encoding="utf-8")
    return home
