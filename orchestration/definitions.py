"""The Dagster code location: everything `dagster dev`, the daemon and `phm run` know of."""

from __future__ import annotations

import json

import dagster as dg

from orchestration.dbt import ensure_manifest
from orchestration.defs.checks import index_check, landed_checks, marts_check
from orchestration.defs.jobs import arrival_sensor, failure_sensor, nightly_load, nightly_schedule
from orchestration.defs.landing import delivery_log, landing_assets, supplier_deliveries
from orchestration.defs.linkage import patient_index
from orchestration.defs.release import release_asset
from orchestration.defs.resources import Night
from orchestration.defs.risk_model import risk_models
from orchestration.defs.verification import weekly_schedule, weekly_verification
from orchestration.defs.warehouse import dbt_resource, mart_keys, warehouse_assets
from orchestration.landing.contract import read_contracts
from orchestration.settings import Settings, load_settings


def build_definitions(settings: Settings) -> dg.Definitions:
    """Every asset, check, job, schedule and sensor, from the contracts and the dbt project."""
    sources = list(read_contracts(settings.staging_dir).values())
    manifest_path = ensure_manifest(settings)
    marts = mart_keys(json.loads(manifest_path.read_text(encoding="utf-8")))
    return dg.Definitions(
        assets=[
            *map(supplier_deliveries, sources),
            *map(landing_assets, sources),
            delivery_log(sources),
            patient_index(sources),
            risk_models(),
            warehouse_assets(manifest_path),
            release_asset(marts),
        ],
        asset_checks=[*map(landed_checks, sources), index_check(), marts_check(marts)],
        jobs=[nightly_load, weekly_verification],
        schedules=[nightly_schedule(settings), weekly_schedule(settings)],
        sensors=[arrival_sensor(settings), failure_sensor(settings)],
        resources={"night": Night(), "dbt": dbt_resource(settings)},
        executor=dg.in_process_executor,
    )


defs = build_definitions(load_settings())
