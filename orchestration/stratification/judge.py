"""How well a risk model does on people it has not seen: discrimination, calibration, drift.

What to report follows TRIPOD+AI (Collins and others, BMJ 2024;385:e078378).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from scipy.special import logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from orchestration.stratification.model import FEWEST, CalibrationRow, Figures, Interval

DECILES = 10
EVERYBODY = ("all", "All")

#: Shares below this count as this: an empty bin would make the index infinite.
_SMALLEST_SHARE = 0.001
_TERM_EDGES = np.array([0.25, 0.5, 0.75])
_SCORE_EDGES = np.array([0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5])
_Z = 1.959963985


def figures(outcome: np.ndarray, probability: np.ndarray, *, resamples: int, seed: int) -> Figures:
    """Figures over people (both arrays one value a person), with percentile intervals of `resamples` bootstrap samples."""
    average = np.full(len(outcome), outcome.mean())
    interval = partial(_interval, outcome=outcome, probability=probability, resamples=resamples, seed=seed)
    return Figures(
        auroc=interval(roc_auc_score),
        average_precision=interval(average_precision_score),
        calibration_slope=interval(_slope),
        brier=_rounded(brier_score_loss(outcome, probability)),
        brier_of_average=_rounded(brier_score_loss(outcome, average)),
        mean_predicted=_rounded(probability.mean()),
        share_observed=_rounded(outcome.mean()),
    )


def _slope(outcome: np.ndarray, probability: np.ndarray, sample_weight: np.ndarray | None = None) -> float:
    """Slope of the outcome on the log odds (Cox 1958); 1 where they are neither too extreme nor too timid."""
    log_odds = logit(np.clip(probability, 1e-9, 1 - 1e-9)).reshape(-1, 1)
    line = LogisticRegression(C=np.inf, solver="newton-cholesky", max_iter=100)
    return float(line.fit(log_odds, outcome, sample_weight=sample_weight).coef_[0, 0])


def _interval(measure: Callable[..., float], outcome: np.ndarray, probability: np.ndarray, resamples: int, seed: int) -> Interval:
    chance = np.random.default_rng(seed)
    n = len(outcome)
    resampled = [
        measure(outcome, probability, sample_weight=chance.multinomial(n, np.full(n, 1 / n)).astype(float))
        for _ in range(resamples)
    ]
    low, high = np.percentile(resampled, [2.5, 97.5])
    return Interval(_rounded(measure(outcome, probability)), _rounded(low), _rounded(high))


def calibration(outcome: np.ndarray, probability: np.ndarray, groups: Mapping[str, np.ndarray]) -> tuple[CalibrationRow, ...]:
    """Predicted against observed: everybody and every group, as a whole and by tenth of everybody by probability.

    `groups` maps a characteristic to the group of each person. Rows that tell of fewer than `FEWEST` people, with or without the
    outcome, are hidden; of a set in which one row is hidden, another is too, so that its total does not give it away.
    """
    place = np.empty(len(outcome), dtype=int)
    place[np.argsort(probability, kind="stable")] = np.arange(len(outcome))
    decile = place * DECILES // len(outcome) + 1
    rows: list[CalibrationRow] = []
    for characteristic, group in {EVERYBODY[0]: np.full(len(outcome), EVERYBODY[1]), **groups}.items():
        names = sorted(set(group.tolist()))
        rows += _rows(outcome, probability, {(characteristic, name, None): group == name for name in names})
        for name in names:
            cells = {(characteristic, name, tenth): (group == name) & (decile == tenth) for tenth in range(1, DECILES + 1)}
            rows += _rows(outcome, probability, {key: who for key, who in cells.items() if who.any()})
    return tuple(rows)


def _rows(
    outcome: np.ndarray, probability: np.ndarray, cells: Mapping[tuple[str, str, int | None], np.ndarray]
) -> list[CalibrationRow]:
    counts = {key: (int(who.sum()), int(outcome[who].sum())) for key, who in cells.items()}
    hidden = _hidden(counts)
    return [
        CalibrationRow(*key, counts[key][0] if counts[key][0] >= FEWEST else None, None, None, None, None, None)
        if key in hidden
        else _shown(key, *counts[key], float(probability[who].mean()))
        for key, who in cells.items()
    ]


def _hidden(counts: Mapping[tuple, tuple[int, int]]) -> set[tuple]:
    """Keys of the rows to hide, of one set of rows that add up to a total that is told. Counts are (people, outcomes)."""
    hidden = {key for key, (n, k) in counts.items() if min(k, n - k) < FEWEST}
    shown = {key: min(k, n - k) for key, (n, k) in counts.items() if key not in hidden}
    if len(hidden) == 1 and shown:
        hidden.add(min(shown, key=lambda key: (shown[key], str(key))))
    return hidden


def _shown(key: tuple[str, str, int | None], n: int, k: int, predicted: float) -> CalibrationRow:
    middle, spread = (k + _Z**2 / 2) / (n + _Z**2), _Z * np.sqrt(k * (1 - k / n) + _Z**2 / 4) / (n + _Z**2)
    return CalibrationRow(*key, n, k, _rounded(predicted), _rounded(k / n), _rounded(middle - spread), _rounded(middle + spread))


def term_distribution(values: np.ndarray) -> tuple[float, ...]:
    """Shares of people for whom a term (one value a person, 0 to 1) is 0, and by quarter above."""
    return _shares(np.where(values == 0, 0, np.searchsorted(_TERM_EDGES, values, side="left") + 1), len(_TERM_EDGES) + 2)


def score_distribution(probability: np.ndarray) -> tuple[float, ...]:
    """Shares of people by bins of probability."""
    return _shares(np.searchsorted(_SCORE_EDGES, probability, side="right"), len(_SCORE_EDGES) + 1)


def _shares(bins: np.ndarray, n_bins: int) -> tuple[float, ...]:
    counts = np.bincount(bins, minlength=n_bins)
    return tuple(round(float(count) / len(bins), 3) if count >= FEWEST else 0.0 for count in counts)


def stability_index(now: tuple[float, ...], then: tuple[float, ...]) -> float:
    """Population stability index of two distributions over the same bins: below 0.1 alike, above 0.25 a shift (Siddiqi 2006)."""
    a, b = (np.maximum(np.array(shares), _SMALLEST_SHARE) for shares in (now, then))
    a, b = a / a.sum(), b / b.sum()
    return _rounded(float(np.sum((a - b) * np.log(a / b))))


def _rounded(value: float) -> float:
    return round(float(value), 6)
