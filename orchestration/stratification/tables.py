"""Models as tables for the warehouse: the internal source `stratification` (its contract is in dbt's staging folder)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from linkage.whole_file import written_whole
from orchestration.stratification.model import CalibrationRow, RiskModel, Weight

_TYPES = {
    "varchar": pa.string(),
    "boolean": pa.bool_(),
    "integer": pa.int32(),
    "double": pa.float64(),
    "date": pa.date32(),
}

#: Table -> column -> DuckDB type.
TABLES: dict[str, dict[str, str]] = {
    "risk_model": {
        "version": "varchar",
        "is_in_use": "boolean",
        "score_code": "varchar",
        "index_date": "date",
        "outcome_to": "date",
        "n_people": "integer",
        "n_outcomes": "integer",
        "n_died": "integer",
        "n_left": "integer",
        "n_training": "integer",
        "n_held_out": "integer",
        "n_held_out_outcomes": "integer",
        "n_terms": "integer",
        "intercept": "double",
        "auroc": "double",
        "auroc_low": "double",
        "auroc_high": "double",
        "average_precision": "double",
        "average_precision_low": "double",
        "average_precision_high": "double",
        "brier": "double",
        "brier_of_average": "double",
        "mean_predicted": "double",
        "share_observed": "double",
        "calibration_slope": "double",
        "calibration_slope_low": "double",
        "calibration_slope_high": "double",
        "compared_with": "varchar",
        "auroc_of_compared": "double",
        "score_drift": "double",
        "warnings": "varchar",
    },
    "risk_model_term": {
        "version": "varchar",
        "term_code": "varchar",
        "feature": "varchar",
        "lower": "double",
        "upper": "double",
        "coefficient": "double",
        "mean": "double",
        "drift": "double",
    },
    "risk_model_calibration": {
        "version": "varchar",
        "characteristic": "varchar",
        "group_name": "varchar",
        "decile": "integer",
        "n_people": "integer",
        "is_small": "boolean",
        "n_outcomes": "integer",
        "predicted": "double",
        "observed": "double",
        "observed_low": "double",
        "observed_high": "double",
    },
}


def write_tables(models: Sequence[RiskModel], in_use: str | None, output_dir: Path) -> None:
    """Write every model to `<table>/00000001.parquet`, whole and atomically; without models, tables without rows."""
    rows = {
        "risk_model": [_model_row(model, model.version == in_use) for model in models],
        "risk_model_term": [_term_row(model.version, weight) for model in models for weight in model.weights],
        "risk_model_calibration": [_calibration_row(model.version, row) for model in models for row in model.calibration],
    }
    for table, columns in TABLES.items():
        schema = pa.schema({column: _TYPES[kind] for column, kind in columns.items()})
        with written_whole(output_dir / table / "00000001.parquet") as beside:
            pq.write_table(pa.Table.from_pylist(rows[table], schema), beside)


def _model_row(model: RiskModel, is_in_use: bool) -> dict[str, object]:
    intervals = {
        f"{name}{limit}": getattr(getattr(model.figures, name), attribute)
        for name in ("auroc", "average_precision", "calibration_slope")
        for limit, attribute in (("", "value"), ("_low", "low"), ("_high", "high"))
    }
    comparison = model.comparison
    return (
        vars(model.population)
        | {name: value for name, value in vars(model.figures).items() if isinstance(value, float)}
        | intervals
        | {
            "version": model.version,
            "is_in_use": is_in_use,
            "score_code": model.score_code,
            "index_date": date.fromisoformat(model.population.index_date),
            "outcome_to": date.fromisoformat(model.population.outcome_to),
            "n_terms": len(model.weights),
            "intercept": model.intercept,
            "compared_with": comparison.version if comparison else None,
            "auroc_of_compared": comparison.auroc if comparison else None,
            "score_drift": comparison.score_drift if comparison else None,
            "warnings": " ".join(model.warnings) or None,
        }
    )


def _term_row(version: str, weight: Weight) -> dict[str, object]:
    return {
        "version": version,
        "term_code": weight.code,
        "feature": weight.feature,
        "lower": weight.lower,
        "upper": weight.upper,
        "coefficient": weight.coefficient,
        "mean": weight.mean,
        "drift": weight.drift,
    }


def _calibration_row(version: str, row: CalibrationRow) -> dict[str, object]:
    return {"version": version, "is_small": row.predicted is None} | vars(row)
