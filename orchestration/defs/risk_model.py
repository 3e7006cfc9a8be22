"""The risk models that were trained here, as tables for dbt."""

from collections.abc import Iterator

import dagster as dg

from orchestration.defs.resources import explained
from orchestration.risk_model import export_risk_models
from orchestration.settings import load_settings

_DESCRIPTIONS = {
    "risk_model": "One row per version of the local risk model, with how well it does.",
    "risk_model_term": "One row per version and term: its coefficient.",
    "risk_model_calibration": "One row per version, group and tenth of the people held out: said against came.",
}


def risk_models() -> dg.AssetsDefinition:
    """What `phm risk train` wrote and `phm risk use` chose; tables without rows where nothing was trained."""
    specs = [
        dg.AssetSpec(["stratification", name], group_name="stratification", kinds={"parquet"}, description=text)
        for name, text in _DESCRIPTIONS.items()
    ]

    @dg.multi_asset(name="hand_over_risk_models", specs=specs)
    def hand_over_risk_models() -> Iterator[dg.MaterializeResult]:
        with explained():
            n_models, in_use = export_risk_models(load_settings())
        for spec in specs:
            yield dg.MaterializeResult(asset_key=spec.key, metadata={"versions": n_models, "in_use": in_use or "none"})

    return hand_over_risk_models
