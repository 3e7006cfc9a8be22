"""Dagster's instance configuration for a data directory: the project's `dagster.yaml`, with its storage moved there."""

from __future__ import annotations

from pathlib import Path

import yaml

from orchestration.settings import PROJECT_DIR, Settings

_NAME = "dagster.yaml"
#: Where `dagster.yaml` keeps everything, as it is written there.
_STORAGE = "data/warehouse/dagster"


def write_dagster_home(settings: Settings) -> Path:
    """Write `dagster.yaml` for this data directory and return its folder, which is a DAGSTER_HOME."""
    home = settings.dagster_dir
    home.mkdir(parents=True, exist_ok=True)
    config = yaml.safe_load((PROJECT_DIR / _NAME).read_text(encoding="utf-8"))
    for section in config.values():
        if base_dir := section.get("config", {}).get("base_dir"):
            section["config"]["base_dir"] = str(home / Path(base_dir).relative_to(_STORAGE))
    (home / _NAME).write_text(yaml.safe_dump(config), encoding="utf-8")
    return home
