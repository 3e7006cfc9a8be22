"""Care in acute hospitals: emergency attendances, spells with their episodes, outpatients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from synthetic.care import INTERVENTION_EMERGENCY_RATIO, NAMES, Health
from synthetic.clinical_model import CONDITIONS, DIALYSIS, ED_ACUITY, ED_PRESENTATIONS, ELECTIVE_REASONS, EMERGENCY_REASONS
from synthetic.timeline import days, labels, pick

_HOME = "306689006"
_ADMITTED = "306706006"
_LEFT = "1066301000000103"

#: First ICD-10 code, treatment function and HRG for an emergency admission because of a condition; others go to general medicine.
_CONDITION_HRG = {"320": "EB03E", "340": "DZ65K", "400": "AA35F", "307": "KB02K", "328": "AA35F", "361": "LA04S", "430": "WH09G"}


def hospital_frames(health: Health, seed: int) -> dict[str, pl.DataFrame]:
    """`emergency_attendances`, `inpatient_episodes` and `outpatient_attendances`."""
    rng = np.random.default_rng([seed, 4, health.index])
    emergencies = _emergency_spells(health, rng)
    spells = _Spells.together(
        [
            emergencies,
            _elective_spells(health, rng),
            _maternity_spells(health, rng),
            _dialysis(health, rng),
            _last_spells(health, rng),
        ]
    )
    return {
        "emergency_attendances": _attendances(health, emergencies, rng),
        "inpatient_episodes": _episodes(health, spells, rng),
        "outpatient_attendances": _outpatients(health, rng),
    }


@dataclass
class _Spells:
    """Hospital spells: person, days, and why. Codes are positions in the tables of labels below."""

    row: np.ndarray
    start: np.ndarray
    end: np.ndarray
    method: np.ndarray  # admission method
    reason: np.ndarray  # primary ICD-10
    function: np.ndarray  # treatment function
    hrg: np.ndarray
    procedure: np.ndarray  # OPCS-4, "" for none
    patient_class: np.ndarray
    died: np.ndarray

    @classmethod
    def of(cls, row: np.ndarray, start: np.ndarray, end: np.ndarray, **text: np.ndarray | str | bool) -> _Spells:
        """Spells with some facts the same for all."""
        full = {name: np.broadcast_to(np.asarray(value), row.shape) for name, value in text.items()}
        return cls(row, start, end, **full)

    @classmethod
    def together(cls, several: list[_Spells]) -> _Spells:
        """All spells in the order of person and admission."""
        joined = {name: np.concatenate([getattr(s, name) for s in several]) for name in cls.__dataclass_fields__}
        order = np.lexsort((joined["start"], joined["row"]))
        return cls(**{name: values[order] for name, values in joined.items()})


def _emergency_rate(health: Health) -> np.ndarray:
    """Emergency admissions a person and year by age, poverty, homelessness, disease and the outlier, before the intervention."""
    pop = health.pop
    age = pop.age_on(health.window.bulk)
    base = np.interp(age, (0, 2, 8, 20, 50, 70, 85), (0.14, 0.06, 0.02, 0.035, 0.035, 0.06, 0.14))
    base *= np.interp(pop.decile, (1, 10), (1.4, 0.75)) * np.where(np.isnat(pop.homeless_from), 1.0, 2.5)
    return (base + health.rate("emergency_admissions") * 0.8) * health.practice_emergency


def _emergency_spells(health: Health, rng: np.random.Generator) -> _Spells:
    row, start = health.draw(rng, _emergency_rate(health))
    spared = (start >= health.intervention_on[row]) & (rng.random(row.size) >= INTERVENTION_EMERGENCY_RATIO)
    row, start = row[~spared], start[~spared]
    n = row.size
    age = (start - health.pop.birth[row]).astype(np.int64) / 365.25
    reason, function, hrg = _emergency_reasons(health, row, start, rng)
    stay = np.floor(rng.exponential(np.interp(age, (0, 18, 60, 90), (1.0, 1.6, 4.5, 9.0)))).clip(0, 90)
    end = np.minimum(start + days(stay), health.pop.alive_to[row])
    method = np.array(["21", "22", "23", "24", "28", "2A", "2D"])[pick(rng, [78, 6, 2, 5, 3, 3, 3], n)]
    return _Spells.of(
        row, start, end, method=method, reason=reason, function=function, hrg=hrg, procedure="", patient_class="1", died=False
    )


def _emergency_reasons(
    health: Health, row: np.ndarray, start: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Primary diagnosis, treatment function and HRG: of a disease of the person when that explains the admission, else chance."""
    rates = np.array([c.emergency_admissions for c in CONDITIONS.values()])
    weight = np.cumsum((health.onset[row] <= start[:, None]) * rates, axis=1)
    total = weight[:, -1] + 0.08
    own = (weight < (rng.random(row.size) * total)[:, None]).sum(axis=1)
    chance = pick(rng, np.linspace(2, 0.8, len(EMERGENCY_REASONS)), row.size)
    table = [(c.icd10[0], c.specialty, _CONDITION_HRG.get(c.specialty, "WH09G")) for c in CONDITIONS.values()]
    table += [reason[:3] for reason in EMERGENCY_REASONS]
    which = np.where(own < len(NAMES), own, len(NAMES) + chance)
    reason, function, hrg = (np.array(column)[which] for column in zip(*table, strict=True))
    return reason, function, hrg


def _elective_spells(health: Health, rng: np.random.Generator) -> _Spells:
    pop = health.pop
    age = pop.age_on(health.window.bulk)
    rate = np.interp(age, (0, 18, 40, 65, 80, 95), (0.015, 0.025, 0.06, 0.15, 0.19, 0.08))
    rate += np.where(health.has("cancer"), 0.35, 0) + np.where(health.has("osteoarthritis"), 0.03, 0)
    row, start = health.draw(rng, rate * np.interp(pop.decile, (1, 10), (0.92, 1.05)))
    which = pick(rng, [8, 2, 4, 3, 4, 5, 2, 1, 5, 1, 1, 2], row.size)
    # Chemotherapy is for people with cancer, bypass surgery for people with heart disease; others have the endoscopy instead.
    for operation, condition in ((8, "cancer"), (10, "coronary_heart_disease")):
        which = np.where((which == operation) & ~health.has(condition)[row], 4, which)
    reason, procedure, function, hrg, day_case = (np.array(c)[which] for c in zip(*ELECTIVE_REASONS, strict=True))
    is_day = day_case & (rng.random(row.size) < 0.92)
    end = np.minimum(start + days(np.where(is_day, 0, 1 + rng.exponential(2.2, row.size))), pop.alive_to[row])
    method = np.array(["11", "12", "13"])[pick(rng, [70, 18, 12], row.size)]
    return _Spells.of(row, start, end, method=method, reason=reason, function=function, hrg=hrg, procedure=procedure,
                      patient_class=np.where(is_day, "2", "1"), died=False)  # fmt: skip


def _maternity_spells(health: Health, rng: np.random.Generator) -> _Spells:
    """A delivery for the mother and a birth for the child, of every child born here in the window."""
    pop = health.pop
    child = np.flatnonzero((pop.mother >= 0) & (pop.birth >= health.window.first))
    child = child[health.alive_and_here(pop.mother[child], pop.birth[child])]
    stay = days(rng.exponential(1.6, child.size))
    birth = pop.birth[child]
    first_of_twins = ~((pop.mother[child] == np.roll(pop.mother[child], 1)) & (birth == np.roll(birth, 1))) | (child.size == 1)
    caesarean = rng.random(child.size) < 0.3
    mothers = _Spells.of(
        pop.mother[child], birth, np.minimum(birth + stay, pop.alive_to[pop.mother[child]]), method="31",
        reason=np.where(caesarean, "O829", "O800"), function="501", hrg="NZ30C", procedure=np.where(caesarean, "R182", "R249"),
        patient_class="1", died=False,
    )  # fmt: skip
    mothers = _Spells(**{name: getattr(mothers, name)[first_of_twins] for name in _Spells.__dataclass_fields__})
    babies = _Spells.of(
        child, birth, np.minimum(birth + stay, pop.alive_to[child]), method="82", reason="Z380", function="424", hrg="PB03Z",
        procedure="", patient_class="1", died=False,
    )  # fmt: skip
    return _Spells.together([mothers, babies])


def _dialysis(health: Health, rng: np.random.Generator) -> _Spells:
    """Half of those with end-stage disease come three times a week as regular day patients."""
    failing = health.has("end_stage_renal_disease") & (rng.random(health.pop.n) < 0.5)
    row, start = health.draw(rng, 150.0, failing)
    keep = start >= health.onset[row, NAMES.index("end_stage_renal_disease")]
    row, start = row[keep], start[keep]
    icd, opcs, function, hrg = DIALYSIS
    return _Spells.of(
        row, start, start, method="13", reason=icd, function=function, hrg=hrg, procedure=opcs, patient_class="3", died=False
    )


def _last_spells(health: Health, rng: np.random.Generator) -> _Spells:
    """Nearly half of all people die in hospital, at the end of an emergency spell."""
    pop = health.pop
    row = np.flatnonzero(~np.isnat(pop.death) & (rng.random(pop.n) < 0.45))
    row = row[pop.death[row] == pop.alive_to[row]]
    end = pop.death[row]
    start = np.maximum(end - days(rng.exponential(8, row.size)), pop.alive_from[row])
    reason, function, hrg = _emergency_reasons(health, row, start, rng)
    return _Spells.of(
        row, start, end, method="21", reason=reason, function=function, hrg=hrg, procedure="", patient_class="1", died=True
    )


def _site(health: Health, trust: np.ndarray, hospital: np.ndarray) -> np.ndarray:
    """Site codes: the trust's main hospital, or another of its sites."""
    sites = health.place.sites
    table = [sites.filter(provider_code=code)["site_code"].to_list() for code in ("RZA", "RZB")]
    width = max(map(len, table))
    return np.array([row + row[-1:] * (width - len(row)) for row in table])[trust, hospital.clip(0, width - 1)]


def _providers(trust: np.ndarray) -> np.ndarray:
    return np.array(["RZA", "RZB"])[trust]


def _trust(health: Health, row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The person's own trust, now and then the other."""
    return np.where(rng.random(row.size) < 0.95, health.acute_trust[row], 1 - health.acute_trust[row])


def _codes_by_event(
    health: Health, row: np.ndarray, when: np.ndarray, primary: np.ndarray, share: float, rng: np.random.Generator
) -> pl.Series:
    """ICD-10 codes of each event: the primary, then a `share` of the person's diseases known to hospitals by the day."""
    event, condition = np.nonzero((health.hospital[row] <= when[:, None]) & (rng.random((row.size, len(NAMES))) < share))
    table = np.array([c.icd10[0] for c in CONDITIONS.values()])
    second = table[condition]
    keep = second != primary[event]
    event, second = np.concatenate([np.arange(row.size), event[keep]]), np.concatenate([primary, second[keep]])
    order = np.argsort(event, kind="stable")
    sizes = np.bincount(event, minlength=row.size)
    return _lists(second[order], sizes)


def _lists(flat: np.ndarray, sizes: np.ndarray) -> pl.Series:
    """A list column from its elements in order and the length of each list."""
    owner = np.repeat(np.arange(sizes.size), sizes)
    grouped = (
        pl.DataFrame({"owner": owner, "code": pl.Series(flat.tolist(), dtype=pl.String)})
        .group_by("owner", maintain_order=True)
        .agg("code")
    )
    everyone = pl.DataFrame({"owner": np.arange(sizes.size)})
    empty = pl.lit([], dtype=pl.List(pl.String))
    return (
        everyone.join(grouped, on="owner", how="left", maintain_order="left").select(pl.col("code").fill_null(empty)).to_series()
    )


def _attendances(health: Health, emergencies: _Spells, rng: np.random.Generator) -> pl.DataFrame:
    """Attendances that end at home, and those that most emergency admissions begin with."""
    pop = health.pop
    age = pop.age_on(health.window.bulk)
    rate = np.interp(age, (0, 2, 10, 22, 45, 65, 85), (0.55, 0.5, 0.26, 0.33, 0.24, 0.24, 0.42))
    rate *= (
        np.interp(pop.decile, (1, 10), (1.35, 0.75)) * np.where(np.isnat(pop.homeless_from), 1.0, 3.5) * health.practice_emergency
    )
    row, when = health.draw(rng, rate * health.propensity + health.rate("emergency_admissions") * 0.15)
    through = np.flatnonzero(emergencies.method == "21")
    admitted = np.concatenate([np.zeros(row.size, dtype=bool), np.ones(through.size, dtype=bool)])
    row, when = np.concatenate([row, emergencies.row[through]]), np.concatenate([when, emergencies.start[through]])
    order = np.lexsort((when, row))
    row, when, admitted = row[order], when[order], admitted[order]
    n = row.size
    weights = np.array([p[2] for p in ED_PRESENTATIONS])
    to_ward = weights * np.array([p[3] for p in ED_PRESENTATIONS])
    which = np.where(admitted, pick(rng, to_ward, n), pick(rng, weights - to_ward, n))
    urgent_care = ~admitted & (rng.random(n) < 0.28)
    minutes = pick(rng, [2, 1, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 7, 7, 7, 7, 8, 8, 8, 7, 6, 5, 4, 3], n) * 60 + rng.integers(0, 60, n)
    arrived = when.astype("datetime64[us]") + minutes.astype("timedelta64[m]")
    stay = rng.gamma(2.4, np.where(admitted, 150, np.where(urgent_care, 45, 85))).clip(12, 2500)
    trust = _trust(health, row, rng)
    acuity = np.where(admitted, pick(rng, [4, 26, 45, 20, 5], n), pick(rng, [0.3, 5, 28, 50, 17], n))
    left = ~admitted & (rng.random(n) < 0.04)
    diagnosis = np.array([p[1] for p in ED_PRESENTATIONS])[which]
    return pl.DataFrame(
        {
            "person_no": pop.number(row),
            "event_no": health.numbers(n),
            "provider_code": _providers(trust),
            "site_code": np.where(urgent_care, np.array(["RZA0U", "RZB0U"])[trust], np.array(["RZA01", "RZB01"])[trust]),
            "department_type": np.where(urgent_care, "03", "01"),
            "arrived_at": arrived,
            "departed_at": arrived + stay.astype("timedelta64[m]"),
            "arrival_mode_code": np.array(["1048031000000100", "1048041000000109", "1048061000000105"])[
                np.where(admitted, pick(rng, [45, 3, 52], n), pick(rng, [12, 2, 86], n))
            ],
            "acuity_code": labels(ED_ACUITY, acuity),
            "chief_complaint_code": labels([p[0] for p in ED_PRESENTATIONS], which),
            "diagnosis_codes": _lists(diagnosis, np.ones(n, dtype=np.int64)),
            "is_admitted": admitted,
            "discharge_status_code": np.where(admitted, _ADMITTED, np.where(left, _LEFT, _HOME)),
            "recorded_on": when + rng.integers(1, 4, n).astype("timedelta64[D]"),
        }
    )


def _episodes(health: Health, spells: _Spells, rng: np.random.Generator) -> pl.DataFrame:
    """Finished consultant episodes: one a spell, two or three for some longer stays."""
    stay = (spells.end - spells.start).astype(np.int64)
    several = np.where(
        (stay >= 3) & (rng.random(stay.size) < 0.4), np.where((stay >= 9) & (rng.random(stay.size) < 0.4), 3, 2), 1
    )
    spell = np.repeat(np.arange(stay.size), several)
    turn = np.arange(spell.size) - np.repeat(np.cumsum(several) - several, several)
    last = turn == several[spell] - 1
    row, start, end = spells.row[spell], spells.start[spell], spells.end[spell]
    part = (stay[spell] // several[spell]).astype("timedelta64[D]")
    began, finished = start + part * turn, np.where(last, end, start + part * (turn + 1))
    n = spell.size
    trust = np.where(rng.random(stay.size) < 0.95, health.acute_trust[spells.row], 1 - health.acute_trust[spells.row])[spell]
    age = (start - health.pop.birth[row]).astype(np.int64) / 365.25
    in_home = start >= health.pop.in_care_home_from[row]
    died = spells.died[spell] & last
    no_home = (start >= health.pop.homeless_from[row]) & ~(start > health.pop.homeless_to[row])
    usual = np.where(in_home, "85", np.where(no_home, "29", "19"))
    to_home = (age > 78) & ~in_home & (rng.random(n) < 0.04) & (stay[spell] > 6)
    destination = np.where(died, "79", np.where(~last, "98", np.where(to_home, "85", usual)))
    source = np.where(spells.method[spell] == "82", "79", usual)
    function = spells.function[spell]
    specialty = np.where(np.isin(function, ["328", "424"]), np.where(function == "424", "420", "300"), function)
    procedure = spells.procedure[spell]
    has_procedure = procedure != ""
    return pl.DataFrame(
        {
            "person_no": health.pop.number(row),
            "event_no": health.numbers(n),
            "spell_no": health.numbers(stay.size)[spell],
            "episode_number": turn + 1,
            "is_last_episode": last,
            "provider_code": _providers(trust),
            "site_code": _site(health, trust, (spells.patient_class[spell] == "2").astype(np.int64) * (1 - trust)),
            "admission_method_code": spells.method[spell],
            "source_of_admission_code": source,
            "patient_classification_code": spells.patient_class[spell],
            "admitted_on": start,
            "discharged_on": end,
            "discharge_method_code": np.where(spells.died[spell], "4", np.where(rng.random(stay.size)[spell] < 0.02, "2", "1")),
            "discharge_destination_code": destination,
            "episode_start_date": began,
            "episode_end_date": finished,
            "main_specialty_code": specialty,
            "treatment_function_code": function,
            "diagnosis_codes": _codes_by_event(health, row, began, spells.reason[spell], 0.85, rng),
            "procedure_codes": _lists(procedure[has_procedure], has_procedure.astype(np.int64)),
            "hrg_code": spells.hrg[spell],
            "recorded_on": end + rng.integers(1, 6, stay.size).astype("timedelta64[D]")[spell],
        }
    ).filter(pl.col("recorded_on") <= health.window.horizon)


def _outpatients(health: Health, rng: np.random.Generator) -> pl.DataFrame:
    """Appointments: of the person's own diseases by specialty, and of everybody for something or other."""
    pop = health.pop
    age = pop.age_on(health.window.bulk)
    chance = np.interp(age, (0, 18, 45, 65, 80), (0.7, 0.7, 1.1, 1.9, 2.2)) * np.where(
        pop.is_woman & (age > 18) & (age < 45), 1.4, 1.0
    )
    chance = chance * health.propensity
    own = health.rate("attendances")
    row, when = health.draw(rng, chance + own)
    n = row.size
    rates = np.array([c.attendances for c in CONDITIONS.values()])
    weight = np.cumsum((health.onset[row] <= when[:, None]) * rates, axis=1)
    disease = (weight < (rng.random(n) * (weight[:, -1] + chance[row]))[:, None]).sum(axis=1)
    others = np.array(["110", "130", "120", "330", "301", "502", "650", "101", "100", "420"])
    other = np.where(age[row] < 16, 9, pick(rng, [16, 15, 11, 11, 10, 9, 12, 7, 9], n))
    by_disease = disease < len(NAMES)
    specialties = np.array([c.specialty for c in CONDITIONS.values()] + [""])
    function = np.where(by_disease, specialties[disease.clip(max=len(NAMES))], others[other])
    status = np.array(["5", "6", "3", "2", "4"])[pick(rng, [80, 4, 7, 6, 3], n)]
    first = rng.random(n) < 0.3
    remote = rng.random(n) < 0.18
    trust = _trust(health, row, rng)
    known = by_disease & (rng.random(n) < 0.25)
    icd = np.array([c.icd10[0] for c in CONDITIONS.values()] + [""])[disease.clip(max=len(NAMES))]
    return pl.DataFrame(
        {
            "person_no": pop.number(row),
            "event_no": health.numbers(n),
            "provider_code": _providers(trust),
            "site_code": _site(health, trust, (rng.random(n) < 0.2).astype(np.int64) * (1 - trust)),
            "appointment_date": when,
            "attended_code": status,
            "first_attendance_code": np.where(remote, np.where(first, "3", "4"), np.where(first, "1", "2")),
            "treatment_function_code": function,
            "main_specialty_code": function,
            "priority_code": np.array(["1", "2", "3"])[pick(rng, [82, 12, 6], n)],
            "referral_source_code": np.array(["03", "05", "11", "10", "01", "97"])[pick(rng, [60, 15, 10, 6, 5, 4], n)],
            "consultation_medium_code": np.where(remote, np.where(rng.random(n) < 0.8, "02", "03"), "01"),
            "outcome_code": np.where(np.isin(status, ["5", "6"]), np.where(rng.random(n) < 0.3, "1", "2"), "3"),
            "diagnosis_codes": _lists(icd[known], known.astype(np.int64)),
            "hrg_code": np.where(first, "WF01B", "WF01A"),
            "recorded_on": when + rng.integers(1, 6, n).astype("timedelta64[D]"),
        }
    ).filter(pl.col("recorded_on") <= health.window.horizon)
