"""The model card: what a model was trained on, how well it does and for whom, and what it should not be trusted with."""

from __future__ import annotations

from collections.abc import Iterable

from orchestration.stratification.model import FEWEST, CalibrationRow, Interval, RiskModel


def card(model: RiskModel) -> str:
    """The card as Markdown."""
    population, figures = model.population, model.figures
    return f"""# Risk model {model.score_code}, version {model.version}

Trained on {model.trained_on}: {population.n_people:,} people alive and registered on {population.index_date}, none of whom
objects; {population.n_outcomes:,} of them were admitted to hospital as an emergency by {population.outcome_to}.
Who died ({_count(population.n_died)}) or left every practice ({_count(population.n_left)}) without such an admission counts as
not admitted. Fitted on {population.n_training:,} people, judged on the {population.n_held_out:,} others, of whom
{population.n_held_out_outcomes:,} were admitted.

{_warned(model)}
## How well it does

| figure | value | 95 % interval |
|---|---|---|
| AUROC | {_row(figures.auroc)} |
| average precision (a model without knowledge: {figures.share_observed:.3f}) | {_row(figures.average_precision)} |
| calibration slope | {_row(figures.calibration_slope)} |
| Brier score (the average for everybody: {figures.brier_of_average:.4f}) | {figures.brier:.4f} | |
| mean probability (share admitted: {figures.share_observed:.4f}) | {figures.mean_predicted:.4f} | |

## Said and came, by tenth of the people held out

{_calibration(row for row in model.calibration if row.characteristic == "all" and row.decile is not None)}

## For whom

{_calibration(row for row in model.calibration if row.characteristic != "all" and row.decile is None)}

Rows with fewer than {FEWEST} people admitted or not admitted are hidden, and one more where a total would give one away.

## Against the version before

{_compared(model)}

## What it weighs

Intercept {model.intercept:.4f}. A term runs from 0 at `from` to 1 at `to`; the coefficient is the log odds that all of it adds.

| term | feature | from | to | coefficient | mean | drift |
|---|---|---|---|---|---|---|
{_weights(model)}

## Limits

It holds for people alive and registered with a practice, in this place and these years. It is an association: what raises the
probability need not be its cause, and who is likely to be admitted need not be who would benefit. Care that no source records is
unknown to it, so people whom services do not reach look well. Train again when a source joins, when coding changes, when the
population changes, or yearly.
"""


def _warned(model: RiskModel) -> str:
    if not model.warnings:
        return ""
    return "## To mind\n\n" + "\n".join(f"* {warning}" for warning in model.warnings) + "\n"


def _calibration(rows: Iterable[CalibrationRow]) -> str:
    lines = [
        f"| {_whom(row)} | {_count(row.n_people)} | {'–' if row.n_outcomes is None else f'{row.n_outcomes:,}'} "
        f"| {_percent(row.predicted)} | {_percent(row.observed)} "
        f"| {'–' if row.observed is None else f'{_percent(row.observed_low)} to {_percent(row.observed_high)}'} |"
        for row in rows
    ]
    return "\n".join(["| people | n | admitted | said | came | 95 % interval |", "|---|---|---|---|---|---|", *lines])


def _whom(row: CalibrationRow) -> str:
    return f"{row.characteristic.replace('_', ' ')}: {row.group_name}" if row.decile is None else str(row.decile)


def _compared(model: RiskModel) -> str:
    comparison = model.comparison
    if comparison is None:
        return "There is none."
    auroc = "unknown, it weighs terms that are not at hand" if comparison.auroc is None else f"{comparison.auroc:.3f}"
    return (
        f"Version {comparison.version}. Its AUROC on the same people held out: {auroc}. Stability index of the probabilities: "
        f"{comparison.score_drift:.3f} (above 0.25 is a shift); of each term in the last column below."
    )


def _weights(model: RiskModel) -> str:
    return "\n".join(
        f"| {w.code} | {w.feature} | {w.lower:g} | {w.upper:g} | {w.coefficient:+.3f} | {w.mean:.3f} "
        f"| {'' if w.drift is None else f'{w.drift:.3f}'} |"
        for w in model.weights
    )


def _row(interval: Interval) -> str:
    return f"{interval.value:.3f} | {interval.low:.3f} to {interval.high:.3f}"


def _count(n: int | None) -> str:
    return f"fewer than {FEWEST}" if n is None else f"{n:,}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"
