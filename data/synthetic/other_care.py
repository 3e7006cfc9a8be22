"""Care outside hospital and practice: community and mental health services, the councils, housing, the voluntary sector."""

from __future__ import annotations

import numpy as np
import polars as pl

from synthetic.care import Health
from synthetic.clinical_model import (
    ACCOMMODATION_AT_APPLICATION,
    CARE_PACKAGES,
    COMMUNITY_TEAMS,
    DUTY_OUTCOMES,
    INTERVENTION_TEAM,
    MENTAL_HEALTH_TEAMS,
    REASONS_FOR_LOSS,
    SUPPORT_NEEDS,
    TEMPORARY_ACCOMMODATION_TYPES,
    TENANCY_TYPES,
)
from synthetic.hospital_care import _lists
from synthetic.timeline import NEVER, days, labels, nullable, pick, random_days


def other_frames(health: Health, seed: int) -> dict[str, pl.DataFrame]:
    """All frames of care that neither a practice nor an acute hospital gives."""
    rng = np.random.default_rng([seed, 5, health.index])
    return (
        _community(health, rng)
        | _mental_health(health, rng)
        | {"social_care_events": _social_care(health, rng)}
        | {"tenancies": _tenancies(health, rng), "homelessness_cases": _homelessness_cases(health, rng)}
        | _voluntary_sector(health, rng)
    )


def _referrals(
    health: Health, rates: dict[str, np.ndarray], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Referrals by team: person, day and position of the team in `rates`, in the order of person and day."""
    pieces = [(*health.draw(rng, rate), team) for team, rate in enumerate(rates.values())]
    row, when = (np.concatenate([piece[i] for piece in pieces]) for i in (0, 1))
    team = np.concatenate([np.full(len(piece[0]), piece[2]) for piece in pieces])
    order = np.lexsort((team, when, row))
    return row[order], when[order], team[order]


def _contacts(
    health: Health, row: np.ndarray, start: np.ndarray, mean: np.ndarray, every: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Contacts of referrals: position of the referral and day of each contact, and the day each referral closed (NaT: open).

    `mean` contacts a referral, about `every` days apart; contacts stop when the person dies or leaves.
    """
    count = 1 + rng.poisson(np.maximum(mean - 1, 0))
    referral = np.repeat(np.arange(row.size), count)
    turn = np.arange(referral.size) - np.repeat(np.cumsum(count) - count, count)
    when = start[referral] + days(3 + (turn + rng.random(referral.size)) * every)
    here = when <= health.pop.alive_to[row[referral]]
    closed = np.minimum(start + days(10 + count * every), health.pop.alive_to[row])
    return referral[here], when[here], np.where(closed < health.window.last, closed, NEVER)


def _late(when: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """The day something is written down: up to `most` days after it happened."""
    return when + rng.integers(0, most + 1, when.size).astype("timedelta64[D]")


def _community(health: Health, rng: np.random.Generator) -> dict[str, pl.DataFrame]:
    pop = health.pop
    age = pop.age_on(health.window.bulk)
    frail, diabetic = health.has("moderate_or_severe_frailty"), health.has("diabetes_type_2") | health.has("diabetes_type_1")
    rates = {
        "12": np.interp(age, (40, 65, 80, 95), (0.003, 0.03, 0.12, 0.25)) + frail * 0.2,
        "16": np.zeros(pop.n),
        "18": np.interp(age, (60, 90), (0.0, 0.06)) + frail * 0.06,
        "27": np.interp(age, (12, 25, 60), (0.01, 0.05, 0.07)),
        "28": diabetic * 0.15 + np.interp(age, (60, 90), (0.0, 0.06)),
        "32": np.where((age > 1.5) & (age < 8), 0.07, 0.001) + health.has("stroke") * 0.04,
        "39": frail * 0.12 + health.has("stroke") * 0.08,
        "51": frail * 0.25,
        INTERVENTION_TEAM: np.zeros(pop.n),
    }
    rates = {team: rates[team] for team in COMMUNITY_TEAMS}
    row, when, team = _referrals(health, rates, rng)
    teams = list(rates)
    babies = np.flatnonzero((pop.birth >= health.window.first) & (pop.alive_to > pop.birth + np.timedelta64(12, "D")))
    served = np.flatnonzero(~np.isnat(health.intervention_on))
    row = np.concatenate([row, babies, served])
    when = np.concatenate([when, pop.birth[babies] + np.timedelta64(10, "D"), health.intervention_on[served]])
    team = np.concatenate([team, np.full(babies.size, teams.index("16")), np.full(served.size, teams.index(INTERVENTION_TEAM))])
    order = np.lexsort((when, row))
    row, when, team = row[order], when[order], team[order]
    mean = np.array([COMMUNITY_TEAMS[t][2] for t in teams])[team]
    referral, contact_on, closed = _contacts(health, row, when, mean, 9.0, rng)
    numbers = health.numbers(row.size)
    referrals = pl.DataFrame(
        {
            "person_no": pop.number(row),
            "referral_no": numbers,
            "provider_code": labels(["RZC"], np.zeros(row.size, dtype=np.int64)),
            "received_on": when,
            "discharged_on": closed,
            "source_code": labels(("A1", "B1", "C1", "H1"), pick(rng, [55, 20, 15, 10], row.size)),
            "team_type_code": labels(teams, team),
            "reason_code": labels([COMMUNITY_TEAMS[t][1] for t in teams], team),
            "recorded_on": _late(when, 2, rng),
        }
    )
    home = np.isin(team, [teams.index(t) for t in ("12", "16", "18", "39", "51", "52")])[referral]
    contacts = pl.DataFrame(
        {
            "person_no": pop.number(row[referral]),
            "contact_no": health.numbers(referral.size),
            "referral_no": numbers[referral],
            "provider_code": labels(["RZC"], np.zeros(referral.size, dtype=np.int64)),
            "contact_date": contact_on,
            "duration_minutes": rng.integers(2, 13, referral.size) * 5,
            "attended_code": labels(("5", "6", "3", "2", "4"), pick(rng, [86, 2, 5, 4, 3], referral.size)),
            "location_code": labels(
                ("A01", "G01", "B01", "E01"),
                np.where(
                    home,
                    np.where(contact_on >= pop.in_care_home_from[row[referral]], 1, 0),
                    pick(rng, [0, 0, 8, 2], referral.size),
                ),
            ),
            "recorded_on": _late(contact_on, 2, rng),
        }
    )
    return {"community_referrals": referrals, "community_contacts": contacts}


#: ICD-10 given by the mental health trust for the condition that led to the referral.
_MENTAL_DIAGNOSES = {
    "serious_mental_illness": "F209", "depression": "F329", "anxiety": "F411", "dementia": "F03", "autism": "F840",
    "adhd": "F900", "learning_disability": "F799",
}  # fmt: skip


def _mental_health(health: Health, rng: np.random.Generator) -> dict[str, pl.DataFrame]:
    pop = health.pop
    age = pop.age_on(health.window.bulk)
    serious, low = health.has("serious_mental_illness"), health.has("depression") | health.has("anxiety")
    poverty = np.interp(pop.decile, (1, 10), (1.4, 0.7))
    mothers = np.zeros(pop.n, dtype=bool)
    mothers[pop.mother[(pop.mother >= 0) & (pop.birth >= health.window.first)]] = True
    rates = {
        "A02": (serious * 0.14 + low * 0.012 + ~np.isnat(pop.homeless_from) * 0.06) * poverty,
        "A05": (low * 0.13 + 0.008) * ((age > 16) & (age < 90)),
        "A06": (serious * 0.55 + low * 0.02) * poverty,
        "A14": serious * ((age > 14) & (age < 36)) * 0.35,
        "A16": health.has("dementia") * 0.3,
        "C02": mothers * (0.02 + low * 0.12),
        "F02": ((age > 5) & (age < 18)) * (0.03 + health.has("autism") * 0.25 + health.has("adhd") * 0.25 + low * 0.3),
        "E01": health.has("learning_disability") * 0.25,
    }
    rates = {team: rates[team] for team in MENTAL_HEALTH_TEAMS}
    row, when, team = _referrals(health, rates, rng)
    teams = list(rates)
    risers = np.flatnonzero(health.is_mental_health_riser)
    year_ago = health.window.bulk - np.timedelta64(365, "D")
    row = np.concatenate([row, risers])
    when = np.concatenate([when, np.maximum(pop.alive_from[risers], year_ago - np.timedelta64(120, "D"))])
    team = np.concatenate([team, np.full(risers.size, teams.index("A06"))])
    is_rise = np.concatenate([np.zeros(row.size - risers.size, dtype=bool), np.ones(risers.size, dtype=bool)])
    order = np.lexsort((when, row))
    row, when, team, is_rise = row[order], when[order], team[order], is_rise[order]
    mean = np.array([MENTAL_HEALTH_TEAMS[t][1] for t in teams])[team].astype(float)
    referral, contact_on, closed = _contacts(health, row, when, np.where(is_rise, 1, mean), 14.0, rng)
    closed = np.where(is_rise, NEVER, closed)
    referral, contact_on = _with_rise(health, row, is_rise, referral, contact_on, rng)
    numbers = health.numbers(row.size)
    diagnosis = _mental_diagnosis(health, row, rng)
    referrals = pl.DataFrame(
        {
            "person_no": pop.number(row),
            "referral_no": numbers,
            "provider_code": labels(["RZM"], np.zeros(row.size, dtype=np.int64)),
            "received_on": when,
            "discharged_on": closed,
            "source_code": labels(("A1", "B1", "I1", "E1"), pick(rng, [60, 15, 15, 10], row.size)),
            "team_type_code": labels(teams, team),
            "reason_code": labels(("01", "04", "05", "12", "18"), pick(rng, [20, 30, 25, 10, 15], row.size)),
            "primary_diagnosis_code": labels(list(_MENTAL_DIAGNOSES.values()), diagnosis),
            "recorded_on": _late(when, 3, rng),
        }
    )
    contacts = pl.DataFrame(
        {
            "person_no": pop.number(row[referral]),
            "contact_no": health.numbers(referral.size),
            "referral_no": numbers[referral],
            "provider_code": labels(["RZM"], np.zeros(referral.size, dtype=np.int64)),
            "contact_date": contact_on,
            "duration_minutes": rng.integers(2, 13, referral.size) * 5,
            "attended_code": labels(("5", "6", "3", "2", "4"), pick(rng, [80, 2, 9, 5, 4], referral.size)),
            "mechanism_code": labels(("01", "02", "04", "11"), pick(rng, [62, 26, 4, 8], referral.size)),
            "recorded_on": _late(contact_on, 3, rng),
        }
    )
    return {
        "mental_health_referrals": referrals,
        "mental_health_contacts": contacts,
        "mental_health_spells": _mental_health_spells(health, row, when, team == teams.index("A02"), numbers, rng),
    }


def _with_rise(
    health: Health, row: np.ndarray, is_rise: np.ndarray, referral: np.ndarray, contact_on: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Contacts together with those planted to rise: over the last year from one a month to five a month."""
    rising = np.flatnonzero(is_rise)
    monthly = 1 + np.arange(12) // 3 * 1.35
    count = rng.poisson(np.broadcast_to(monthly, (rising.size, 12)))
    month = np.broadcast_to(np.arange(12), count.shape)
    extra = np.repeat(np.repeat(rising, 12), count.ravel())
    start = health.window.bulk - np.timedelta64(365, "D")
    extra_on = start + days(np.repeat(month.ravel(), count.ravel()) * 30.4 + rng.random(extra.size) * 30)
    here = health.alive_and_here(row[extra], extra_on)
    referral, contact_on = np.concatenate([referral, extra[here]]), np.concatenate([contact_on, extra_on[here]])
    order = np.lexsort((contact_on, referral))
    return referral[order], contact_on[order]


def _mental_diagnosis(health: Health, row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Position in `_MENTAL_DIAGNOSES` of the person's first mental condition, -1 for none or not written down."""
    has = np.stack([health.has(name)[row] for name in _MENTAL_DIAGNOSES], axis=1)
    return np.where(has.any(axis=1) & (rng.random(row.size) < 0.7), has.argmax(axis=1), -1)


def _mental_health_spells(
    health: Health, row: np.ndarray, when: np.ndarray, is_crisis: np.ndarray, numbers: np.ndarray, rng: np.random.Generator
) -> pl.DataFrame:
    """Admissions that follow some crisis referrals of people with serious mental illness."""
    admitted = np.flatnonzero(is_crisis & (rng.random(row.size) < np.where(health.has("serious_mental_illness")[row], 0.3, 0.06)))
    start = when[admitted] + rng.integers(0, 5, admitted.size).astype("timedelta64[D]")
    last = health.pop.alive_to[row[admitted]]
    admitted, start, last = (a[start <= last] for a in (admitted, start, last))
    end = np.minimum(start + days(5 + rng.exponential(28, admitted.size)), last)
    n = admitted.size
    return pl.DataFrame(
        {
            "person_no": health.pop.number(row[admitted]),
            "spell_no": health.numbers(n),
            "referral_no": numbers[admitted],
            "provider_code": labels(["RZM"], np.zeros(n, dtype=np.int64)),
            "admitted_on": start,
            "discharged_on": np.where(end < health.window.last, end, NEVER),
            "admission_method_code": labels(("21", "25", "28"), pick(rng, [30, 60, 10], n)),
            "legal_status_code": labels(("01", "02", "03", "20"), pick(rng, [52, 28, 14, 6], n)),
            "recorded_on": _late(start, 2, rng),
        }
    )


#: Primary support reason by what the person needs help with.
_SUPPORT_REASONS = (
    "Support with Memory & Cognition", "Learning Disability Support", "Mental Health Support",
    "Physical Support: Personal care support", "Sensory Support: Support for visual impairment",
)  # fmt: skip
_ACCOMMODATION = (
    "Owner occupier or shared ownership scheme", "Tenant - private landlord", "Tenant", "Registered care home",
    "Rough sleeping or squatting",
)  # fmt: skip


def _social_care(health: Health, rng: np.random.Generator) -> pl.DataFrame:
    """Adult social care: a request, perhaps an assessment, a service and its reviews; and support to some unpaid carers."""
    pop, window = health.pop, health.window
    age = pop.age_on(window.bulk)
    frail = health.has("moderate_or_severe_frailty")
    needs = np.stack([
        health.has("dementia"), health.has("learning_disability") & (age > 18), health.has("serious_mental_illness"),
        frail | health.has("stroke") | health.has("parkinsons_disease"), age > 82,
    ], axis=1)  # fmt: skip
    in_home = ~np.isnat(pop.in_care_home_from)
    rate = needs @ np.array([0.22, 0.2, 0.09, 0.14, 0.06]) + in_home * 0.25 + 0.003 * (age > 18)
    row, requested = health.draw(rng, rate * np.interp(pop.decile, (1, 10), (1.3, 0.8)), age > 18)
    reason = np.where(needs[row].any(axis=1), needs[row].argmax(axis=1), 3)
    assessed_on = requested + days(4 + rng.exponential(16, row.size))
    assessed = (rng.random(row.size) < 0.68) & (assessed_on <= pop.alive_to[row])
    served_on = assessed_on + days(3 + rng.exponential(20, row.size))
    served = assessed & (rng.random(row.size) < 0.62) & (served_on <= pop.alive_to[row])
    package = np.where(in_home[row], np.where(rng.random(row.size) < 0.6, 3, 4), pick(rng, [42, 14, 10, 0, 0, 34], row.size))
    lasts = days(np.where(package == 5, 42, 120 + rng.exponential(700, row.size)))
    ends = np.minimum(served_on + lasts, pop.alive_to[row])
    ended = ends < window.last
    reviewed_on = served_on + days(42 + rng.random(row.size) * 330)
    reviewed = served & (package != 5) & (reviewed_on < ends)
    none = np.full(row.size, -1)
    carer_row, carer_on = health.draw(rng, 0.1, health.is_unpaid_carer)
    nothing = np.full(carer_row.size, -1)
    events = [
        # mask, person, event type, start, end, outcome, package, reason, client type
        (
            np.ones(row.size, dtype=bool),
            row,
            0,
            requested,
            requested,
            np.where(assessed, 0, 1 + pick(rng, [5, 3, 2], row.size)),
            none,
            reason,
            0,
        ),
        (assessed, row, 1, assessed_on, assessed_on, np.where(served, 4, 1 + pick(rng, [4, 2, 4], row.size)), none, reason, 0),
        (served, row, 2, served_on, np.where(ended, ends, NEVER), np.where(ended, 5, 6), package, reason, 0),
        (reviewed, row, 3, reviewed_on, reviewed_on, np.full(row.size, 6), none, reason, 0),
        (np.ones(carer_row.size, dtype=bool), carer_row, 1, carer_on, carer_on, np.full(carer_row.size, 1), nothing, nothing, 1),
    ]
    sizes = [mask.sum() for mask, *_ in events]
    person, start, end, outcome, package, reason = (np.concatenate([e[i][e[0]] for e in events]) for i in (1, 3, 4, 5, 6, 7))
    kind = np.repeat([e[2] for e in events], sizes)
    client = np.repeat([e[8] for e in events], sizes)
    order = np.lexsort((kind, start, person))
    person, kind, start, end, outcome, package, reason, client = (
        a[order] for a in (person, kind, start, end, outcome, package, reason, client)
    )
    n = person.size
    outcomes = (
        "Progress to Assessment", "NFA - Information & Advice / Signposting only", "NFA - Support declined",
        "NFA - Self-funded client", "Progress to Support Planning / Services", "Service ended as planned", "No change in package",
    )  # fmt: skip
    packages = [*CARE_PACKAGES]
    has_package = package >= 0
    tenure = np.where(start >= pop.in_care_home_from[person], 3, pop.tenure[person].clip(0, 4))
    council = (
        health.place.lsoas["borough_code"].to_numpy()[pop.lsoa[person]] == health.place.boroughs["borough_code"][1]
    ).astype(np.int64)
    return pl.DataFrame(
        {
            "person_no": pop.number(person),
            "event_no": health.numbers(n),
            "council_code": labels(health.place.boroughs["council_code"].to_list(), council),
            "client_type": labels(("Service User", "Carer"), client),
            "event_type": labels(("Request", "Assessment", "Service", "Review"), kind),
            "started_on": start,
            "ended_on": end,
            "primary_support_reason": labels(
                (*_SUPPORT_REASONS, "Social Support: Support to carer"), np.where(client == 1, 5, reason)
            ),
            "event_outcome": labels(outcomes, outcome),
            "service_type": labels([p[0] for p in packages], package),
            "service_component": labels([p[1] for p in packages], package),
            "delivery_mechanism": labels([p[2] for p in packages], package),
            "unit_cost_gbp": nullable(
                has_package, np.array([p[3] for p in packages])[package] * (0.9 + 0.2 * rng.random(n)).round(2)
            ).round(2),
            "cost_frequency": labels([p[4] for p in packages], package),
            "planned_units_per_week": nullable(
                has_package, np.array([p[5] for p in packages])[package] * np.where(package == 0, rng.integers(1, 4, n), 1)
            ),
            "accommodation_status": labels(_ACCOMMODATION, tenure),
            "has_unpaid_carer": rng.random(n) < 0.42,
            "recorded_on": _late(start, 14, rng),
        }
    ).filter(pl.col("recorded_on") <= window.horizon)


def _tenancies(health: Health, rng: np.random.Generator) -> pl.DataFrame:
    """Social tenancies: one for each stay of a household in a social home, in the name of its reference person."""
    pop, window = health.pop, health.window
    stays = pop.addresses.filter(
        (pl.col("tenure") == "social_rent")
        & (pl.col("address_type") == "home")
        & (pl.col("person_no") == pl.lit(pl.Series(pop.people["household_no"])).gather(pl.col("person_no") - pop.first_no))
    )
    person = stays["person_no"].to_numpy() - pop.first_no
    started = stays["valid_from"].to_numpy().astype("datetime64[D]")
    keep = ((started - pop.birth[person]).astype(np.int64) > 17 * 365) & ~pop.is_sector_only[person]
    stays, person, started = stays.filter(pl.Series(keep)), person[keep], started[keep]
    n = person.size
    councils = dict(zip(health.place.boroughs["borough_code"], health.place.boroughs["council_code"], strict=True))
    arrears = np.where(rng.random(n) < np.interp(pop.decile[person], (1, 10), (0.34, 0.15)), rng.gamma(1.3, 420, n), 0)
    return pl.DataFrame(
        {
            "person_no": stays["person_no"],
            "tenancy_no": health.numbers(n),
            "council_code": stays["borough_code"].replace_strict(councils, return_dtype=pl.String),
            "started_on": started,
            "ended_on": stays["valid_to"],
            "tenancy_type": labels(TENANCY_TYPES, pick(rng, [55, 25, 10, 10], n)),
            "bedrooms": 1 + pick(rng, [32, 38, 24, 6], n),
            "arrears_gbp": arrears.round(2),
            "has_disrepair": rng.random(n) < 0.12,
            "recorded_on": _late(started, 5, rng),
        }
    ).filter(pl.col("recorded_on") <= window.horizon)


def _homelessness_cases(health: Health, rng: np.random.Generator) -> pl.DataFrame:
    """Statutory applications: about half of those truly homeless, and others threatened with losing their home."""
    pop, window = health.pop, health.window
    homeless = np.flatnonzero(~np.isnat(pop.homeless_from) & (rng.random(pop.n) < 0.5) & ~pop.is_sector_only)
    since = np.maximum(pop.homeless_from[homeless], pop.alive_from[homeless])
    age = pop.age_on(window.bulk)
    reference = pop.household == np.arange(pop.n)
    rate = np.interp(pop.decile, (1, 10), (0.012, 0.0015)) * reference * ((age > 18) & (age < 75))
    threatened, asked = health.draw(rng, rate, np.isnat(pop.homeless_from))
    row = np.concatenate([homeless, threatened])
    applied = np.concatenate([since + days(rng.exponential(20, homeless.size)), asked])
    truly = np.concatenate([np.ones(homeless.size, dtype=bool), np.zeros(threatened.size, dtype=bool)])
    keep = applied <= pop.alive_to[row]
    order = np.lexsort((applied[keep], row[keep]))
    row, applied, truly = row[keep][order], applied[keep][order], truly[keep][order]
    n = row.size
    duty = np.where(truly, np.where(rng.random(n) < 0.35, 2, 1), 0)
    began = applied + days(rng.exponential(6, n))
    ended = began + days(np.where(duty == 2, 90 + rng.exponential(200, n), 20 + rng.random(n) * 60))
    is_over = ended <= np.minimum(window.last, pop.alive_to[row])
    # An ended main duty means a home; a relief duty often ends with none.
    outcome = np.where(
        duty == 2, 0, np.where(duty == 1, pick(rng, [38, 30, 10, 12, 5, 5], n), pick(rng, [55, 12, 10, 13, 7, 3], n))
    )
    placed = truly & (rng.random(n) < 0.55)
    placed_to = np.where(is_over, ended, NEVER)
    needs = rng.random((n, len(SUPPORT_NEEDS))) < np.where(truly, 0.16, 0.06)[:, None]
    needs[:, 0] |= health.has("serious_mental_illness")[row] | (health.has("depression")[row] & (rng.random(n) < 0.6))
    needs[:, 4] |= health.has("drug_dependence")[row]
    needs[:, 5] |= health.has("alcohol_dependence")[row]
    needs[:, 10] |= pop.is_asylum_seeker[row].astype(bool)
    sizes = np.bincount(pop.household, minlength=pop.n)[pop.household]
    council = (health.place.lsoas["borough_code"].to_numpy()[pop.lsoa[row]] == health.place.boroughs["borough_code"][1]).astype(
        np.int64
    )
    return pl.DataFrame(
        {
            "person_no": pop.number(row),
            "case_no": health.numbers(n),
            "council_code": labels(health.place.boroughs["council_code"].to_list(), council),
            "applied_on": applied,
            "duty": labels(("prevention", "relief", "main"), duty),
            "duty_started_on": began,
            "duty_ended_on": np.where(is_over, ended, NEVER),
            "outcome": labels(DUTY_OUTCOMES, np.where(is_over, outcome, -1)),
            "reason_for_loss": labels(REASONS_FOR_LOSS, pick(rng, [22, 9, 26, 10, 7, 5, 6, 4, 5, 4, 1, 1], n)),
            "accommodation_at_application": labels(
                ACCOMMODATION_AT_APPLICATION,
                np.where(
                    truly, pick(rng, [4, 2, 12, 18, 30, 20, 8, 3, 2, 1], n), pick(rng, [48, 18, 20, 10, 0, 0, 2, 0, 0, 2], n)
                ),
            ),
            "support_needs": _lists(np.array(SUPPORT_NEEDS)[np.nonzero(needs)[1]], needs.sum(axis=1)),
            "temporary_accommodation_type": labels(
                TEMPORARY_ACCOMMODATION_TYPES, np.where(placed, pick(rng, [18, 25, 18, 4, 22, 13], n), -1)
            ),
            "temporary_accommodation_from": np.where(placed, began, NEVER),
            "temporary_accommodation_to": np.where(placed, placed_to, NEVER),
            "household_size": np.where(truly, 1, sizes[row]),
            "recorded_on": _late(began, 10, rng),
        }
    ).filter((pl.col("recorded_on") <= window.horizon) & (pl.col("duty_started_on") <= window.horizon))


def _voluntary_sector(health: Health, rng: np.random.Generator) -> dict[str, pl.DataFrame]:
    """The day centre, the asylum service and the drug and alcohol service: referrals and visits."""
    pop, window = health.pop, health.window
    homeless = ~np.isnat(pop.homeless_from)
    asylum = pop.is_asylum_seeker.astype(bool)
    using = health.has("drug_dependence") | health.has("alcohol_dependence")
    alone = pop.is_sector_only & ~homeless & ~asylum
    chances = np.stack([
        np.where(homeless, np.where(pop.is_sector_only, 0.95, 0.55), np.where(alone, 0.5, 0)), np.where(asylum, 0.8, 0),
        np.where(using, 0.38, np.where(alone, 0.6, 0)),
    ], axis=1)  # fmt: skip
    row, service = np.nonzero(rng.random(chances.shape) < chances)
    since = np.where((service == 0) & homeless[row], np.fmax(pop.homeless_from[row], pop.alive_from[row]), pop.alive_from[row])
    when = random_days(rng, since, np.maximum(pop.alive_to[row], since), row.size)
    keep = when <= pop.alive_to[row]
    row, service, when = row[keep], service[keep], when[keep]
    n = row.size
    # A second referral later for one in five.
    again = np.flatnonzero(rng.random(n) < 0.2)
    later = random_days(rng, when[again], np.maximum(pop.alive_to[row[again]], when[again]), again.size)
    row, service, when = (
        np.concatenate([row, row[again]]),
        np.concatenate([service, service[again]]),
        np.concatenate([when, later]),
    )
    order = np.lexsort((when, row))
    row, service, when = row[order], service[order], when[order]
    n = row.size
    mean = np.array([14, 7, 9])[service]
    referral, visit_on, _ = _contacts(health, row, when, mean, 8.0, rng)
    numbers = health.numbers(n)
    services = health.place.voluntary_services["service_code"].to_list()
    needs = ("rough sleeping", "sofa surfing", "food and warmth", "immigration advice", "destitution", "drug use", "alcohol use")
    need = np.where(
        service == 0, pick(rng, [4, 3, 3], n), np.where(service == 1, 3 + pick(rng, [6, 4], n), 5 + pick(rng, [5, 5], n))
    )
    practices = health.place.practices["practice_code"].to_list()
    referrers = [*practices, "RZA", "RZB", "RZM"]
    referrer = np.where(rng.random(n) < 0.3, rng.integers(0, len(referrers), n), -1)
    referrals = pl.DataFrame(
        {
            "person_no": pop.number(row),
            "referral_no": numbers,
            "service_code": labels(services, service),
            "referred_on": when,
            "referrer_code": labels(referrers, referrer),
            "need_category": labels(needs, need),
            "outcome": labels(
                ("engaged", "signposted", "did not engage", "moved on", "housed"), pick(rng, [45, 20, 18, 10, 7], n)
            ),
            "wellbeing_score": nullable(rng.random(n) < 0.7, rng.binomial(10, 0.42, n)),
            "recorded_on": _late(when, 5, rng),
        }
    ).filter(pl.col("recorded_on") <= window.horizon)
    kinds = ("drop-in", "key work", "telephone", "outreach", "advice session")
    contacts = pl.DataFrame(
        {
            "person_no": pop.number(row[referral]),
            "contact_no": health.numbers(referral.size),
            "referral_no": numbers[referral],
            "service_code": labels(services, service[referral]),
            "contact_date": visit_on,
            "contact_type": labels(kinds, pick(rng, [45, 20, 12, 10, 13], referral.size)),
            "recorded_on": _late(visit_on, 3, rng),
        }
    )
    return {"voluntary_referrals": referrals, "voluntary_contacts": contacts}
