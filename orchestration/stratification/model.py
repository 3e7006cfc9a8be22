"""A trained risk model as it is kept: numbers in JSON that can be read, reviewed and computed in SQL.

The probability of a person is 1 / (1 + exp(-(intercept + sum of coefficient times term))), every term a ramp from 0 to 1 over one
feature. Calibration is folded into intercept and coefficients, so nothing else is needed to reproduce it. The file holds averages
only: no person, and no count of fewer than `FEWEST`.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from linkage.whole_file import written_whole
from orchestration.stratification.errors import RiskModelError

#: Smallest count of people that may be told; a term that fewer have says little, and could point at them.
FEWEST = 10

#: Decimals of intercept and coefficients: what SQL can add without rounding.
DECIMALS = 9


@dataclass(frozen=True)
class Term:
    """One ramp: 0 up to `lower`, 1 from `upper` of `feature`, a straight line between."""

    code: str
    feature: str
    lower: float
    upper: float


@dataclass(frozen=True)
class Weight(Term):
    """A term with what was learnt of it."""

    #: Log odds that the whole term adds.
    coefficient: float
    #: Mean among the people trained on.
    mean: float
    #: Shares of these people by bins of the term, for a later version to compare itself with.
    distribution: tuple[float, ...]
    #: Population stability index against the version compared with; None where that did not have the term.
    drift: float | None = None


@dataclass(frozen=True)
class Interval:
    """A figure with the limits of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class CalibrationRow:
    """What was said of some people held out, and what came. Figures are None where they would tell of few."""

    characteristic: str
    group_name: str
    #: 1 to 10 by probability; None for the whole group.
    decile: int | None
    n_people: int | None
    n_outcomes: int | None
    predicted: float | None
    observed: float | None
    observed_low: float | None
    observed_high: float | None


@dataclass(frozen=True)
class Population:
    """Whom the model was trained and tested on."""

    index_date: str
    outcome_to: str
    n_people: int
    n_outcomes: int
    #: Counted as without the outcome: died, or left every practice, before it could be seen. None when fewer than `FEWEST`.
    n_died: int | None
    n_left: int | None
    n_training: int
    n_held_out: int
    n_held_out_outcomes: int


@dataclass(frozen=True)
class Figures:
    """How well it does, on the people held out."""

    auroc: Interval
    average_precision: Interval
    calibration_slope: Interval
    brier: float
    brier_of_average: float
    mean_predicted: float
    share_observed: float


@dataclass(frozen=True)
class Comparison:
    """Against an earlier version."""

    version: str
    #: AUROC of that version on the same people held out; None when it weighs terms that are not at hand.
    auroc: float | None
    #: Population stability index of the probabilities.
    score_drift: float


@dataclass(frozen=True)
class RiskModel:
    """A trained model with all that its card says."""

    score_code: str
    version: str
    #: The data, in a few words.
    trained_on: str
    intercept: float
    weights: tuple[Weight, ...]
    population: Population
    figures: Figures
    calibration: tuple[CalibrationRow, ...]
    #: Shares of the people trained on by bins of probability.
    score_distribution: tuple[float, ...]
    comparison: Comparison | None = None
    warnings: tuple[str, ...] = field(default=())

    @property
    def coefficients(self) -> np.ndarray:
        """Coefficients in the order of the weights."""
        return np.array([weight.coefficient for weight in self.weights])

    def probability(self, values: np.ndarray) -> np.ndarray:
        """Probability of each row of `values` (people x weights, each value from 0 to 1)."""
        return 1 / (1 + np.exp(-(values @ self.coefficients + self.intercept)))


def write_model(model: RiskModel, path: Path) -> None:
    """Write a model as JSON, sorted, so that a retraining shows as a readable difference."""
    with written_whole(path) as beside:
        beside.write_text(json.dumps(asdict(model), indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def read_model(path: Path) -> RiskModel:
    """Read a model. Raises `RiskModelError` when the file is not a complete one."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        weights = tuple(Weight(**weight | {"distribution": tuple(weight["distribution"])}) for weight in document["weights"])
        figures = document["figures"]
        intervals = {name: Interval(**figures[name]) for name in ("auroc", "average_precision", "calibration_slope")}
        comparison = document["comparison"]
        return RiskModel(
            **document
            | {
                "weights": weights,
                "population": Population(**document["population"]),
                "figures": Figures(**figures | intervals),
                "calibration": tuple(CalibrationRow(**row) for row in document["calibration"]),
                "score_distribution": tuple(document["score_distribution"]),
                "comparison": Comparison(**comparison) if comparison else None,
                "warnings": tuple(document["warnings"]),
            }
        )
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RiskModelError(
            f"{path} is not a trained risk model ({type(error).__name__}). Put back the file that `phm risk train` wrote, "
            "or train a new version."
        ) from error
