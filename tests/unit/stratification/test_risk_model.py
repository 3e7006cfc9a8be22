"""Training on people whose true probabilities are known, and what an artefact tells, and does not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from orchestration.stratification.card import card
from orchestration.stratification.errors import RiskModelError
from orchestration.stratification.judge import calibration, stability_index
from orchestration.stratification.model import FEWEST, Term, read_model, write_model
from orchestration.stratification.people import People
from orchestration.stratification.train import train

TRUE_COEFFICIENTS = np.array([1.5, 0.8, -0.7, 0.0, 2.0])
TRUE_INTERCEPT = -2.2
N_PEOPLE = 8_000


def planted(n_people: int, seed: int = 3) -> tuple[People, np.ndarray]:
    """People with outcomes drawn from a known logistic model, and their true probabilities."""
    chance = np.random.default_rng(seed)
    values = np.round(chance.random((n_people, len(TRUE_COEFFICIENTS))) * (chance.random((n_people, 5)) < 0.5), 9)
    true = 1 / (1 + np.exp(-(values @ TRUE_COEFFICIENTS + TRUE_INTERCEPT)))
    people = People(
        index_date=date(2025, 4, 1),
        outcome_to=date(2026, 4, 1),
        terms=tuple(Term(f"term_{n}", f"feature_{n}", 0.0, 1.0) for n in range(len(TRUE_COEFFICIENTS))),
        values=values,
        outcome=chance.random(n_people) < true,
        groups={"sex": np.where(chance.random(n_people) < 0.5, "F", "M")},
        n_died=40,
        n_left=3,
        history_from=date(2023, 4, 1),
        history_needed_from=date(2023, 4, 2),
    )
    return people, true


def trained(people: People, **changed):
    named = {"score_code": "score", "version": "1", "trained_on": "people made up"}
    given = named | {"compared_with": None, "seed": 1, "resamples": 40}
    return train(people, **given | changed)


@pytest.fixture(scope="module")
def planted_model():
    people, true = planted(N_PEOPLE)
    return people, true, trained(people, resamples=200)


def test_planted_probabilities_are_recovered(planted_model):
    people, true, model = planted_model
    probability = model.probability(people.values)
    assert np.abs(probability - true).mean() < 0.02
    assert model.coefficients == pytest.approx(TRUE_COEFFICIENTS, abs=0.25)
    slope = model.figures.calibration_slope
    assert slope.low <= 1 <= slope.high
    assert slope.high - slope.low < 0.5
    deciles = [row for row in model.calibration if row.characteristic == "all" and row.decile]
    within = [row.observed_low <= row.predicted <= row.observed_high for row in deciles]
    assert len(deciles) == 10
    assert sum(within) >= 8
    assert not any("slope" in warning for warning in model.warnings)


def test_it_is_judged_on_people_it_was_not_fitted_on(planted_model):
    people, _, _ = planted_model
    noise = replace(people, outcome=np.random.default_rng(0).permutation(people.outcome))
    low, high = (getattr(trained(noise).figures.auroc, limit) for limit in ("low", "high"))
    assert low < 0.5 < high


def test_the_same_people_give_the_same_model(planted_model, tmp_path):
    people, _, model = planted_model
    write_model(model, tmp_path / "one.json")
    write_model(trained(people, resamples=200), tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert read_model(tmp_path / "one.json") == model


def test_too_few_outcomes_are_refused_with_their_number():
    people, _ = planted(300)
    with pytest.raises(RiskModelError, match=rf"Of 300 people .* {people.outcome.sum()} had the outcome by 2026-04-01"):
        trained(people)


def test_what_is_wrong_with_the_data_is_a_warning():
    people, _ = planted(900)
    rare = np.zeros((900, 60))
    rare[:, 0] = np.arange(900) < 5
    rare[:, 1:] = np.random.default_rng(1).random((900, 59)) < 0.2
    terms = tuple(Term(f"rare_{n}", f"rare_{n}", 0.0, 1.0) for n in range(60))
    model = trained(
        replace(
            people,
            values=np.hstack([people.values, rare]),
            terms=people.terms + terms,
            history_from=date(2024, 6, 1),
        )
    )
    told = " ".join(model.warnings)
    assert "Few outcomes" in told
    assert "fewer than 10 of the people trained on have them: rare_0." in told
    assert "Hospital contacts begin on 2024-06-01" in told
    assert "rare_0" not in {weight.code for weight in model.weights}


def test_a_version_is_compared_with_the_one_before_on_the_same_people(planted_model):
    people, _, before = planted_model
    assert trained(people, version="2", compared_with=before).comparison.auroc == before.figures.auroc.value
    shifted, _ = planted(N_PEOPLE, seed=4)
    shifted.values[:, 4] = 1.0
    model = trained(shifted, version="2", compared_with=before)
    drift = {weight.code: weight.drift for weight in model.weights}
    assert drift["term_4"] > 0.25 > drift["term_0"]
    assert model.comparison.score_drift > 0.25
    assert any("Shifted since version 1" in warning and "term_4" in warning for warning in model.warnings)
    unknown = replace(shifted, terms=tuple(replace(term, upper=2.0) for term in shifted.terms))
    assert trained(unknown, version="2", compared_with=before).comparison.auroc is None


def test_distributions_that_are_alike_have_no_drift():
    assert stability_index((0.5, 0.3, 0.2), (0.5, 0.3, 0.2)) == 0
    # (0.2 - 0.5) ln(0.2 / 0.5) + (0.8 - 0.5) ln(0.8 / 0.5)
    assert stability_index((0.2, 0.8), (0.5, 0.5)) == pytest.approx(0.415888, abs=1e-6)


def test_few_are_hidden_and_no_total_gives_them_away():
    chance = np.random.default_rng(5)
    n = 1_000
    outcome = chance.random(n) < 0.4
    group = np.where(np.arange(n) < 12, "small", np.where(np.arange(n) < 300, "middle", "large"))
    rows = calibration(outcome, chance.random(n), {"group": group})
    whole = {row.group_name: row for row in rows if row.characteristic == "group" and row.decile is None}
    assert whole["small"].n_outcomes is None
    assert whole["middle"].n_outcomes is None, "the total less the large group would tell of the small one"
    assert whole["large"].n_outcomes == outcome[group == "large"].sum()
    told = [row for row in rows if row.predicted is not None]
    assert told
    assert all(min(row.n_outcomes, row.n_people - row.n_outcomes) >= FEWEST for row in told)
    hidden = [row for row in rows if row.predicted is None]
    assert all((row.n_outcomes, row.observed, row.observed_low) == (None, None, None) for row in hidden)


def test_the_card_tells_the_figures_and_hides_the_few(planted_model):
    _, _, model = planted_model
    text = card(model)
    assert f"{model.figures.auroc.value:.3f} | {model.figures.auroc.low:.3f} to {model.figures.auroc.high:.3f}" in text
    assert "Who died (40) or left every practice (fewer than 10)" in text
    assert "sex: F" in text
    assert model.population.n_left is None


@pytest.mark.parametrize("damage", [lambda d: d.pop("weights"), lambda d: d["figures"].pop("brier"), lambda d: d.update(extra=1)])
def test_a_damaged_file_is_refused_by_name(planted_model, tmp_path, damage):
    _, _, model = planted_model
    path = tmp_path / "2026.1.json"
    write_model(model, path)
    document = json.loads(path.read_text())
    damage(document)
    path.write_text(json.dumps(document))
    with pytest.raises(RiskModelError, match=r"2026\.1\.json is not a trained risk model"):
        read_model(path)
