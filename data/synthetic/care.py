"""What every maker of events needs: who has which disease since when, and draws of events in people's time here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from synthetic.clinical_model import AGES, CONDITIONS
from synthetic.people import Population
from synthetic.place import ETHNIC_CATEGORIES, INTERVENTION_LCP, OUTLIER_PRACTICE, Place
from synthetic.timeline import NEVER, Window, days, labels

#: Names of the conditions, in the order of the columns of `Health`.
NAMES = tuple(CONDITIONS)
#: Numbers of events are unique across the world: the chunk's number times this, plus a count.
NUMBERS_PER_CHUNK = 10_000_000

#: The planted outlier: its patients' emergency attendances and admissions against what their health explains.
OUTLIER_EMERGENCY_RATIO = 1.7
OUTLIER_REVIEW_RATIO = 0.5
#: The planted effect of the proactive care team on emergency admissions of those it serves, from the referral on.
INTERVENTION_EMERGENCY_RATIO = 0.7


@dataclass
class Health:
    """One chunk's people with their diseases. Matrices have a row per person and a column per condition (order of `NAMES`)."""

    index: int
    pop: Population
    place: Place
    window: Window
    onset: np.ndarray
    coded: np.ndarray  # first coded by a GP; NaT: undiagnosed
    resolved: np.ndarray
    hospital: np.ndarray  # first known to a hospital
    practice_emergency: np.ndarray  # ratio from the planted outlier
    is_mental_health_riser: np.ndarray
    intervention_on: np.ndarray  # NaT: not served
    is_unpaid_carer: np.ndarray
    acute_trust: np.ndarray  # 0 or 1: the trust each person goes to
    is_hidden: np.ndarray  # known to nobody but the voluntary sector
    propensity: np.ndarray  # how readily each person uses services, 1 on average: some never do

    def has(self, condition: str, by: np.datetime64 | None = None) -> np.ndarray:
        """Who is affected by a day (default: by the end of the window), whether anybody has coded it or not."""
        return self.onset[:, NAMES.index(condition)] <= (self.window.bulk if by is None else by)

    def is_coded(self, condition: str) -> np.ndarray:
        """Who has the condition in the GP record by the end of the window."""
        return self.coded[:, NAMES.index(condition)] <= self.window.bulk

    def rate(self, attribute: str) -> np.ndarray:
        """Sum over a person's conditions of a yearly rate of `Condition`."""
        rates = np.array([getattr(c, attribute) for c in CONDITIONS.values()])
        return (self.onset <= self.window.bulk) @ rates

    def numbers(self, count: int) -> np.ndarray:
        """`count` event numbers, unique over the world within one table."""
        return self.index * NUMBERS_PER_CHUNK + np.arange(count)

    def draw(
        self, rng: np.random.Generator, per_year: np.ndarray | float, who: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Events at a yearly rate in each person's time here: positions of people (ascending) and days.

        `who` limits the people; rates are per person. Nothing is drawn for the hidden.
        """
        pop = self.pop
        span = np.maximum((pop.alive_to - pop.alive_from).astype(np.int64), 0)
        expected = np.where(self.is_hidden, 0, np.broadcast_to(per_year, pop.n) * span / 365.25)
        count = rng.poisson(expected if who is None else np.where(who, expected, 0))
        row = np.repeat(np.arange(pop.n), count)
        return row, pop.alive_from[row] + days(rng.random(row.size) * (span[row] + 1))

    def alive_and_here(self, row: np.ndarray, when: np.ndarray) -> np.ndarray:
        """Whether the person can use services on the day."""
        return (when >= self.pop.alive_from[row]) & (when <= self.pop.alive_to[row])


def make_health(index: int, pop: Population, place: Place, window: Window, seed: int) -> Health:
    """The true diseases of a chunk, and what is planted for later work."""
    rng = np.random.default_rng([seed, 2, index])
    onset = _onsets(pop, rng)
    coded = _codings(onset, pop, rng)
    n = pop.n
    frail = onset[:, NAMES.index("moderate_or_severe_frailty")] <= window.bulk
    practice = _last_practice(pop, place)
    lcp = place.practices["lcp_code"].to_numpy()[practice]
    eligible = frail & pop.is_registered_ever & (lcp == INTERVENTION_LCP) & (rng.random(n) < 0.5)
    middle = np.datetime64(window.start) + (window.bulk - window.first) // 2
    served_on = np.fmax(middle, onset[:, NAMES.index("moderate_or_severe_frailty")]) + days(rng.random(n) * 150)
    outlier = practice == place.practices["practice_code"].to_list().index(OUTLIER_PRACTICE)
    mental = (onset[:, NAMES.index("serious_mental_illness")] <= window.bulk) | (
        onset[:, NAMES.index("depression")] <= window.bulk
    )
    own_trust = (place.lsoas["borough_code"].to_numpy()[pop.lsoa] == place.boroughs["borough_code"][1]).astype(np.int64)
    age = pop.age_on(window.bulk)
    return Health(
        index=index,
        pop=pop,
        place=place,
        window=window,
        onset=onset,
        coded=coded,
        resolved=_resolutions(onset, coded, window, rng),
        hospital=_hospital_knowledge(onset, rng),
        practice_emergency=np.where(outlier & pop.is_registered_ever, OUTLIER_EMERGENCY_RATIO, 1.0),
        is_mental_health_riser=mental & (rng.random(n) < 0.02) & (age > 14) & (pop.alive_to >= window.bulk),
        intervention_on=np.where(eligible & (served_on < pop.alive_to), served_on, NEVER),
        is_unpaid_carer=(age > 16) & (rng.random(n) < np.interp(age, (16, 35, 55, 75, 90), (0.01, 0.05, 0.12, 0.08, 0.03))),
        acute_trust=np.where(rng.random(n) < 0.86, own_trust, 1 - own_trust),
        is_hidden=pop.is_sector_only & (rng.random(n) < 0.7),
        propensity=rng.gamma(0.7, 1 / 0.7, n),
    )


def _last_practice(pop: Population, place: Place) -> np.ndarray:
    """Position of each person's latest practice (0 for people without one: ask `is_registered_ever` too)."""
    codes = {code: i for i, code in enumerate(place.practices["practice_code"])}
    last = pop.registrations.unique("person_no", keep="last", maintain_order=True)
    practice = np.zeros(pop.n, dtype=np.int64)
    practice[last["person_no"].to_numpy() - pop.first_no] = (
        last["practice_code"].replace_strict(codes, return_dtype=pl.Int64).to_numpy()
    )
    return practice


def _onsets(pop: Population, rng: np.random.Generator) -> np.ndarray:
    """Day of onset of every condition: each person's draw meets the curve of those ever affected, scaled by their risks."""
    n = pop.n
    affected = np.zeros((n, len(NAMES)), dtype=bool)
    onset = np.full((n, len(NAMES)), NEVER, dtype="datetime64[D]")
    deprivation = (10 - pop.decile) / 9
    dies = ~np.isnat(pop.death)
    for k, (name, condition) in enumerate(CONDITIONS.items()):
        # Ratios are to the middle of the place, so that the curve stays the average.
        risk = condition.deprivation ** (deprivation - 0.5) * np.where(dies, condition.mortality, 1.0)
        for categories, ratio in condition.ethnicity.items():
            risk = np.where(np.isin(pop.ethnicity, [ETHNIC_CATEGORIES.index(c) for c in categories]), risk * ratio, risk)
        for other, ratio in condition.risks.items():
            risk = np.where(affected[:, NAMES.index(other)], risk * ratio, risk)
        if name == "dementia":
            risk = np.where(np.isnat(pop.in_care_home_from), risk, risk * 6)
        if name in ("drug_dependence", "alcohol_dependence", "serious_mental_illness"):
            risk = np.where(np.isnat(pop.homeless_from), risk, risk * 10)
        level = rng.random(n) * 100 / risk
        age = np.where(pop.is_woman, _age_at(level, condition.women), _age_at(level, condition.men))
        when = pop.birth + days(np.nan_to_num(age, nan=0) * 365.25 + rng.random(n) * 30)
        meets = ~np.isnan(age) & (when <= pop.alive_to)
        affected[:, k] = meets
        onset[:, k] = np.where(meets, when, NEVER)
    return onset


def _age_at(level: np.ndarray, curve: tuple[float, ...]) -> np.ndarray:
    """Age at which a curve of those ever affected (per cent at `AGES`) reaches a level; NaN when it never does."""
    rising = np.maximum.accumulate(curve)
    return np.where(level > rising[-1], np.nan, np.interp(level, rising + np.arange(len(AGES)) * 1e-9, AGES))


def _codings(onset: np.ndarray, pop: Population, rng: np.random.Generator) -> np.ndarray:
    """Day a GP first codes each condition: some weeks after onset; never for the undiagnosed and the unregistered."""
    missed = rng.random(onset.shape) < np.array([c.undiagnosed for c in CONDITIONS.values()])
    coded = onset + days(rng.exponential(70, onset.shape))
    return np.where(missed | ~pop.is_registered_ever[:, None] | (coded > pop.alive_to[:, None]), NEVER, coded)


def _resolutions(onset: np.ndarray, coded: np.ndarray, window: Window, rng: np.random.Generator) -> np.ndarray:
    """Day a condition resolved, of those that do."""
    shares = np.array([c.resolves for c in CONDITIONS.values()])
    resolved = coded + days(365 + rng.exponential(1500, onset.shape))
    return np.where((rng.random(onset.shape) < shares) & (resolved <= window.last), resolved, NEVER)


def _hospital_knowledge(onset: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Day a hospital first knows of a condition: sooner and surer the more hospital care it brings."""
    care = np.array([c.attendances + 2 * c.emergency_admissions for c in CONDITIONS.values()])
    known = rng.random(onset.shape) < np.minimum(0.35 + care, 0.97)
    return np.where(known, onset + days(rng.exponential(200, onset.shape)), NEVER)


def conditions_frame(health: Health) -> pl.DataFrame:
    """The `conditions` frame: the truth, coded or not."""
    row, column = np.nonzero(~np.isnat(health.onset))
    onset = health.onset[row, column]
    return pl.DataFrame(
        {
            "person_no": health.pop.number(row),
            "condition": labels(NAMES, column),
            "onset_date": onset,
            "coded_on": health.coded[row, column],
            "resolved_on": health.resolved[row, column],
            "known_to_hospital_on": health.hospital[row, column],
            "recorded_on": np.fmax(np.fmin(health.coded[row, column], health.window.last), onset),
        }
    )
