"""Train a risk model: rarely, on purpose, on people whose outcome is known. A night only scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split

from orchestration.stratification import judge
from orchestration.stratification.errors import RiskModelError
from orchestration.stratification.model import DECIMALS, FEWEST, Comparison, Population, RiskModel, Term, Weight
from orchestration.stratification.people import People

#: With fewer people with, or without, the outcome a model cannot be judged (Collins and others, Stat Med 2016;35:214).
FEWEST_OUTCOMES = 100

#: Outcomes a term below which coefficients begin to be chance (Peduzzi and others, J Clin Epidemiol 1996;49:1373).
_OUTCOMES_A_TERM = 10

#: Share of the people on whom the model is judged and not trained.
_HELD_OUT = 0.3

#: Every term runs from 0 to 1, so this prior says that one rarely changes the log odds by more than 2.
_RIDGE = 1.0
_FOLDS = 5

_DRIFT = 0.25
_AUROC_LOSS = 0.02


def train(
    people: People,
    *,
    score_code: str,
    version: str,
    trained_on: str,
    compared_with: RiskModel | None,
    seed: int,
    resamples: int = 200,
) -> RiskModel:
    """Fit a ridge-penalised logistic regression, calibrate it out of fold (Platt 1999), judge it on people held out.

    People are divided at random by `seed`, alike for both outcomes. The same people, terms and seed give the same model. Terms
    that fewer than `FEWEST` of those fitted on have are left out. Intervals come from `resamples` bootstrap samples. Raises
    `RiskModelError` when there are too few outcomes.
    """
    n_outcomes = int(people.outcome.sum())
    n_without = len(people.outcome) - n_outcomes
    if min(n_outcomes, n_without) < FEWEST_OUTCOMES:
        raise RiskModelError(
            f"Of {len(people.outcome):,} people described on {people.index_date}, {n_outcomes:,} had the outcome by "
            f"{people.outcome_to} and {n_without:,} had not; a model needs {FEWEST_OUTCOMES} of each. Wait for more data, or "
            "give an index date whose following 12 months have been delivered."
        )
    rows = np.arange(len(people.outcome))
    fitted, held_out = map(np.sort, train_test_split(rows, test_size=_HELD_OUT, random_state=seed, stratify=people.outcome))
    kept = np.flatnonzero((people.values[fitted] > 0).sum(axis=0) >= FEWEST)
    values, outcome = people.values[np.ix_(fitted, kept)], people.outcome[fitted]
    intercept, coefficients = _fit(values, outcome, seed)

    log_odds = people.values[:, kept] @ coefficients + intercept
    probability = 1 / (1 + np.exp(-log_odds))
    score_shares = judge.score_distribution(probability[fitted])
    weights = tuple(
        _weight(people.terms[column], coefficient, values[:, n], compared_with)
        for n, (column, coefficient) in enumerate(zip(kept, coefficients, strict=True))
    )
    model = RiskModel(
        score_code=score_code,
        version=version,
        trained_on=trained_on,
        intercept=intercept,
        weights=weights,
        population=_population(people, fitted, held_out),
        figures=judge.figures(people.outcome[held_out], probability[held_out], resamples=resamples, seed=seed),
        calibration=judge.calibration(
            people.outcome[held_out],
            probability[held_out],
            {characteristic: group[held_out] for characteristic, group in people.groups.items()},
        ),
        score_distribution=score_shares,
        comparison=_comparison(people, held_out, score_shares, compared_with) if compared_with else None,
    )
    left_out = [term.code for n, term in enumerate(people.terms) if n not in set(kept.tolist())]
    return replace(model, warnings=tuple(_warnings(model, people, left_out)))


def _fit(values: np.ndarray, outcome: np.ndarray, seed: int) -> tuple[float, np.ndarray]:
    """Intercept and coefficients with the calibration folded in: a sigmoid of log odds is again a sum of terms."""
    regression = LogisticRegression(C=_RIDGE, solver="newton-cholesky", tol=1e-10, max_iter=200)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    fitted = CalibratedClassifierCV(regression, method="sigmoid", cv=folds, ensemble=False).fit(values, outcome)
    (calibrated,) = fitted.calibrated_classifiers_
    (sigmoid,) = calibrated.calibrators
    line = calibrated.estimator
    return (
        round(float(-sigmoid.a_ * line.intercept_[0] - sigmoid.b_), DECIMALS),
        np.round(-sigmoid.a_ * line.coef_[0], DECIMALS),
    )


def _weight(term: Term, coefficient: float, values: np.ndarray, compared_with: RiskModel | None) -> Weight:
    shares = judge.term_distribution(values)
    before = {weight.code: weight for weight in compared_with.weights} if compared_with else {}
    return Weight(
        **vars(term),
        coefficient=float(coefficient),
        mean=round(float(values.mean()), 6),
        distribution=shares,
        drift=judge.stability_index(shares, before[term.code].distribution) if term.code in before else None,
    )


def _population(people: People, fitted: np.ndarray, held_out: np.ndarray) -> Population:
    return Population(
        index_date=people.index_date.isoformat(),
        outcome_to=people.outcome_to.isoformat(),
        n_people=len(people.outcome),
        n_outcomes=int(people.outcome.sum()),
        n_died=people.n_died if people.n_died >= FEWEST else None,
        n_left=people.n_left if people.n_left >= FEWEST else None,
        n_training=len(fitted),
        n_held_out=len(held_out),
        n_held_out_outcomes=int(people.outcome[held_out].sum()),
    )


def _comparison(people: People, held_out: np.ndarray, score_shares: tuple[float, ...], before: RiskModel) -> Comparison:
    column = {(term.code, term.feature, term.lower, term.upper): n for n, term in enumerate(people.terms)}
    wanted = [(weight.code, weight.feature, weight.lower, weight.upper) for weight in before.weights]
    auroc = None
    if all(key in column for key in wanted):
        values = people.values[np.ix_(held_out, [column[key] for key in wanted])]
        auroc = round(float(roc_auc_score(people.outcome[held_out], before.probability(values))), 6)
    return Comparison(before.version, auroc, judge.stability_index(score_shares, before.score_distribution))


def _warnings(model: RiskModel, people: People, left_out: list[str]) -> Iterator[str]:
    n_trained_outcomes = model.population.n_outcomes - model.population.n_held_out_outcomes
    if n_trained_outcomes < _OUTCOMES_A_TERM * len(model.weights):
        yield (
            f"Few outcomes: {n_trained_outcomes:,} for {len(model.weights)} terms, where {_OUTCOMES_A_TERM} a term are wanted; "
            "single coefficients may be chance."
        )
    if left_out:
        yield f"Left out, because fewer than {FEWEST} of the people trained on have them: {', '.join(left_out)}."
    if people.history_from is None or people.history_from > people.history_needed_from:
        yield (
            f"Hospital contacts begin on {people.history_from or 'no day'}, after {people.history_needed_from}, from which the "
            "features count: people trained on look as if they had been well before."
        )
    slope = model.figures.calibration_slope
    if not slope.low <= 1 <= slope.high:
        yield (
            f"The calibration slope is {slope.value:.2f} ({slope.low:.2f} to {slope.high:.2f}): probabilities are too "
            f"{'extreme' if slope.value < 1 else 'close to the average'}."
        )
    off = [
        f"{row.characteristic.replace('_', ' ')} {row.group_name} (said {row.predicted:.1%}, came {row.observed:.1%})"
        for row in model.calibration
        if row.decile is None and row.predicted is not None and not row.observed_low <= row.predicted <= row.observed_high
    ]
    if off:
        yield f"Probabilities lie outside the 95 % interval of what came for {'; '.join(off)}."
    if model.comparison:
        yield from _drift_warnings(model, model.comparison)


def _drift_warnings(model: RiskModel, comparison: Comparison) -> Iterator[str]:
    shifted = [weight.code for weight in model.weights if weight.drift is not None and weight.drift > _DRIFT]
    if shifted or comparison.score_drift > _DRIFT:
        what = ", ".join([*(["the probabilities"] if comparison.score_drift > _DRIFT else []), *shifted])
        yield f"Shifted since version {comparison.version} (stability index above {_DRIFT}): {what}."
    if comparison.auroc is not None and comparison.auroc - model.figures.auroc.value > _AUROC_LOSS:
        yield f"Version {comparison.version} tells these people apart better (AUROC {comparison.auroc:.3f})."
