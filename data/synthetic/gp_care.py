"""Care in general practice: consultations, coded statements, measurements and medicines, at the practice of the day."""

from __future__ import annotations

import numpy as np
import polars as pl

from synthetic.care import NAMES, OUTLIER_REVIEW_RATIO, Health
from synthetic.clinical_model import ACUTE_DRUGS, CONDITIONS, DRUGS, ETHNICITY_SNOMED, STATUS_CODES, SYMPTOM_CODES
from synthetic.place import ETHNIC_CATEGORIES
from synthetic.timeline import NEVER, days, labels, nullable, pick, random_days

_MODES = ("face_to_face", "telephone", "online", "home_visit")
_STATUSES = ("attended", "did_not_attend", "cancelled")
_REMOVED = 0.0012  # share of recent rows taken back within the nights after the bulk

#: Systolic pressure, HbA1c (mmol/mol) and eGFR come out on the side of the threshold that the true condition says.
_KINDS = (
    "bp",
    "home_bp",
    "hba1c",
    "egfr",
    "creatinine",
    "bmi",
    "cholesterol",
    "hdl",
    "uacr",
    "haemoglobin",
    "qrisk",
    "tsh",
    "pulse_rhythm",
)

#: Measurements of anybody, a year, by age: (kind, ages, rates).
_SCREENING = (
    ("bp", (0, 16, 40, 65), (0.0, 0.4, 0.8, 1.4)),
    ("bmi", (0, 16, 40, 65), (0.1, 0.3, 0.45, 0.6)),
    ("hba1c", (0, 16, 40, 65), (0.0, 0.08, 0.4, 0.65)),
    ("egfr", (0, 16, 40, 65), (0.0, 0.15, 0.55, 1.1)),
    ("cholesterol", (0, 16, 40, 65), (0.0, 0.08, 0.35, 0.5)),
    ("haemoglobin", (0, 16, 40, 65), (0.06, 0.35, 0.5, 1.0)),
    ("qrisk", (0, 39, 40, 74, 75), (0.0, 0.0, 0.2, 0.25, 0.0)),
)


class Registrations:
    """Looks up the practice of a person on a day."""

    def __init__(self, health: Health) -> None:
        frame = health.pop.registrations
        practices = {code: i for i, code in enumerate(health.place.practices["practice_code"])}
        self.codes = health.place.practices["practice_code"].to_list()
        self.systems = health.place.practices["gp_system"].to_list()
        self.row = frame["person_no"].to_numpy() - health.pop.first_no
        self.start = frame["valid_from"].to_numpy().astype("datetime64[D]")
        self.end = frame["valid_to"].to_numpy().astype("datetime64[D]")
        self.practice = frame["practice_code"].replace_strict(practices, return_dtype=pl.Int64).to_numpy()
        self.key = self._key(self.row, self.start)
        n = health.pop.n
        self.first = np.full(n, NEVER, dtype="datetime64[D]")
        order = np.arange(len(self.row))[::-1]
        self.first[self.row[order]] = self.start[order]

    @staticmethod
    def _key(row: np.ndarray, when: np.ndarray) -> np.ndarray:
        return row * 1_000_000 + when.astype(np.int64) + 200_000

    def at(self, row: np.ndarray, when: np.ndarray) -> np.ndarray:
        """Position of the practice, -1 when the person is not registered that day."""
        if not self.row.size:
            return np.full(len(row), -1)
        found = (np.searchsorted(self.key, self._key(row, when), side="right") - 1).clip(0)
        there = (self.row[found] == row) & (self.start[found] <= when) & ~(self.end[found] < when)
        return np.where(there, self.practice[found], -1)

    def columns(self, practice: np.ndarray) -> dict[str, pl.Series]:
        return {"practice_code": labels(self.codes, practice), "gp_system": labels(self.systems, practice)}


def gp_frames(health: Health, seed: int) -> dict[str, pl.DataFrame]:
    """`consultations`, `gp_codes`, `gp_measurements` and `gp_medications`."""
    rng = np.random.default_rng([seed, 3, health.index])
    registrations = Registrations(health)
    visits = _Visits(health, registrations, rng)
    return {
        "consultations": visits.frame,
        "gp_codes": _codes(health, registrations, visits, rng),
        "gp_measurements": _measurements(health, registrations, visits, rng),
        "gp_medications": _medications(health, registrations, visits, rng),
    }


class _Visits:
    """Consultations, with the attended ones kept as arrays for what happens in them."""

    def __init__(self, health: Health, registrations: Registrations, rng: np.random.Generator) -> None:
        pop = health.pop
        age = pop.age_on(health.window.bulk)
        base = np.interp(age, (0, 3, 12, 20, 45, 65, 80), (6.5, 4.2, 2.6, 3.8, 4.6, 6.2, 8.5))
        base *= np.where(pop.is_woman & (age > 15) & (age < 55), 1.35, 1.0) * np.interp(pop.decile, (1, 10), (1.15, 0.9))
        base *= 0.4 + 0.6 * health.propensity
        row, when = health.draw(rng, base + health.rate("gp_contacts"), pop.is_registered_ever)
        # Surgeries are closed at weekends: move to the Monday or Tuesday after.
        weekday = (when.astype(np.int64) + 3) % 7
        when = np.minimum(when + np.where(weekday >= 5, 2, 0).astype("timedelta64[D]"), pop.alive_to[row])
        practice = registrations.at(row, when)
        keep = practice >= 0
        row, when, practice = row[keep], when[keep], practice[keep]
        n = row.size
        self.number = health.numbers(n)
        status = pick(rng, [0.915, 0.045, 0.04], n)
        minutes = 8 * 60 + pick(rng, [1] * 60, n) * 10
        mode = np.where((age[row] > 78) & (rng.random(n) < 0.12), 3, pick(rng, [0.66, 0.28, 0.06], n))
        self.frame = pl.DataFrame(
            {
                "person_no": pop.number(row),
                "consultation_no": self.number,
                **registrations.columns(practice),
                "started_at": when.astype("datetime64[us]") + minutes.astype("timedelta64[m]"),
                "mode": labels(_MODES, mode),
                "appointment_status": labels(_STATUSES, status),
                "recorded_on": when,
            }
        )
        attended = status == 0
        self.row, self.when, self.practice, self.number = row[attended], when[attended], practice[attended], self.number[attended]

    @property
    def n(self) -> int:
        return len(self.row)


class _Rows:
    """Collects pieces of one frame as arrays; text columns as positions in one table of labels."""

    def __init__(self) -> None:
        self.pieces: list[tuple[np.ndarray, ...]] = []

    def add(self, row: np.ndarray, when: np.ndarray, value: np.ndarray, *rest: np.ndarray | int) -> None:
        self.pieces.append((row, when, value, *(np.broadcast_to(r, row.shape) for r in rest)))

    def arrays(self) -> list[np.ndarray]:
        """The columns of all pieces, sorted by person and day."""
        columns = [np.concatenate(column) for column in zip(*self.pieces, strict=True)]
        order = np.lexsort((columns[1], columns[0]))
        return [column[order] for column in columns]


def _codes(health: Health, registrations: Registrations, visits: _Visits, rng: np.random.Generator) -> pl.DataFrame:
    """Coded statements: diagnoses, resolutions, reviews, symptoms, statuses."""
    statements = _Statements(health, registrations)
    _diagnoses(health, statements, rng)
    _reviews(health, statements, rng)
    _symptoms(visits, statements, rng)
    _statuses(health, statements, rng)
    return statements.frame(rng)


_NONE, _FIRST, _NEW, _REVIEW = range(4)
_EPISODICITY = ("none", "first", "new", "review")


class _Statements:
    """Coded statements on their way into `gp_codes`."""

    def __init__(self, health: Health, registrations: Registrations) -> None:
        self.health, self.registrations, self.rows = health, registrations, _Rows()
        self.codes: list[str] = []
        self.position: dict[str, int] = {}

    def code(self, snomed: str) -> int:
        """Position of a concept in the table of labels."""
        if snomed not in self.position:
            self.position[snomed] = len(self.codes)
            self.codes.append(snomed)
        return self.position[snomed]

    def add(
        self, row: np.ndarray, when: np.ndarray, code: np.ndarray | int, episodicity: int = _NONE,
        recorded: np.ndarray | None = None, consultation: np.ndarray | int = -1,
    ) -> None:  # fmt: skip
        """Statements about people (`row`) on days, recorded the same day unless told, outside consultations unless told."""
        when = when.astype("datetime64[D]")
        recorded = when if recorded is None else recorded
        self.rows.add(row, when, np.broadcast_to(code, row.shape), episodicity, recorded, consultation)

    def status(self, key: str, row: np.ndarray, when: np.ndarray) -> None:
        """A status of `STATUS_CODES`, where it is dated."""
        keep = ~np.isnat(when)
        self.add(row[keep], when[keep], self.code(STATUS_CODES[key][0]))

    def frame(self, rng: np.random.Generator) -> pl.DataFrame:
        row, when, code, episodicity, recorded, consultation = self.rows.arrays()
        window = self.health.window
        practice = self.registrations.at(row, recorded)
        keep = (practice >= 0) & (recorded <= window.last) & (when <= recorded)
        row, when, code, episodicity, recorded, consultation, practice = (
            a[keep] for a in (row, when, code, episodicity, recorded, consultation, practice)
        )
        n = row.size
        old = (recorded - when).astype(np.int64) > 3650
        vague = np.where(old, rng.random(n), 1.0)
        precision = np.where(vague < 0.15, 0, np.where(vague < 0.3, 1, 2))
        when = np.where(precision == 0, when.astype("datetime64[Y]").astype("datetime64[D]"), when)
        when = np.where(precision == 1, when.astype("datetime64[M]").astype("datetime64[D]"), when)
        removed = (rng.random(n) < _REMOVED) & (recorded > window.bulk - np.timedelta64(400, "D"))
        removed_on = random_days(rng, np.maximum(recorded, window.bulk) + np.timedelta64(1, "D"), np.full(n, window.last), n)
        removed &= removed_on > recorded
        return pl.DataFrame(
            {
                "person_no": self.health.pop.number(row),
                "event_no": self.health.numbers(n),
                **self.registrations.columns(practice),
                "consultation_no": nullable(consultation >= 0, consultation),
                "event_date": when,
                "date_precision": labels(("Y", "YM", "YMD"), precision),
                "snomed_code": labels(self.codes, code),
                "episodicity": labels(_EPISODICITY, episodicity),
                "recorded_on": recorded,
                "removed_on": np.where(removed, removed_on, NEVER),
            }
        )


def _diagnoses(health: Health, statements: _Statements, rng: np.random.Generator) -> None:
    """The first code of each coded condition, copied by the practice that registers the person later, and the resolving code."""
    first = statements.registrations.first
    for k, condition in enumerate(CONDITIONS.values()):
        row = np.flatnonzero(~np.isnat(health.coded[:, k]))
        if not row.size:
            continue
        codes = np.array([statements.code(c) for c in condition.snomed])
        weights = 0.5 ** np.arange(len(codes))
        coded = health.coded[row, k]
        statements.add(row, coded, codes[pick(rng, weights, row.size)], _FIRST, np.maximum(coded, first[row]))
        if condition.resolved_snomed:
            row = np.flatnonzero(~np.isnat(health.resolved[:, k]))
            resolved = health.resolved[row, k]
            statements.add(row, resolved, statements.code(condition.resolved_snomed), _NONE, np.maximum(resolved, first[row]))


def _reviews(health: Health, statements: _Statements, rng: np.random.Generator) -> None:
    """A yearly review of each coded condition that has measurements or a review code; fewer at the outlier practice."""
    pop = health.pop
    rate = 0.8 * np.where(health.practice_emergency > 1, OUTLIER_REVIEW_RATIO, 1.0)
    for k, condition in enumerate(CONDITIONS.values()):
        if not (condition.review_snomed or condition.measurements or condition.gp_contacts >= 0.5):
            continue
        row, when = health.draw(rng, rate, ~np.isnat(health.coded[:, k]))
        keep = (when > health.coded[row, k]) & ~(when > health.resolved[row, k])
        row, when = row[keep], when[keep]
        if condition.review_snomed:
            statements.add(row, when, statements.code(condition.review_snomed), _REVIEW)
        repeats = rng.random(row.size) < (0.4 if condition.review_snomed else 1.0)
        statements.add(row[repeats], when[repeats], statements.code(condition.snomed[0]), _REVIEW)
    on_repeats = (health.coded <= health.window.bulk).sum(axis=1) >= 2
    row, when = health.draw(rng, 0.7, on_repeats & pop.is_registered_ever)
    statements.add(row, when, statements.code(STATUS_CODES["medication_review"][0]))


def _symptoms(visits: _Visits, statements: _Statements, rng: np.random.Generator) -> None:
    """What people come for."""
    codes = np.array([statements.code(c) for c in SYMPTOM_CODES])
    for share in (0.62, 0.18):
        there = np.flatnonzero(rng.random(visits.n) < share)
        which = codes[pick(rng, np.linspace(2, 0.6, len(codes)), there.size)]
        statements.add(visits.row[there], visits.when[there], which, _NEW, consultation=visits.number[there])


def _statuses(health: Health, statements: _Statements, rng: np.random.Generator) -> None:
    """Smoking, ethnicity, vaccination, pregnancy, frailty, social circumstances, opt-outs, and traces of undiagnosed AF."""
    pop, window = health.pop, health.window
    n, everyone, here = pop.n, np.arange(pop.n), pop.is_registered_ever
    age = pop.age_on(window.bulk)
    smokes = rng.random(n) < np.interp(pop.decile, (1, 10), (0.24, 0.08)) + health.has("copd") * 0.25
    stopped = rng.random(n) < np.interp(age, (16, 70), (0.08, 0.4))
    smoking = np.where(smokes, 0, np.where(stopped, 1, 2))
    smoking_codes = np.array([statements.code(STATUS_CODES[k][0]) for k in ("smoker", "ex_smoker", "never_smoked")])
    row, when = health.draw(rng, np.interp(age, (15, 16, 65), (0, 0.45, 0.75)), here)
    statements.add(row, when, smoking_codes[smoking[row]])
    ethnic_codes = np.array([statements.code(ETHNICITY_SNOMED[c]) for c in ETHNIC_CATEGORIES])
    first = statements.registrations.first
    known = everyone[here & (rng.random(n) < 0.93) & ~np.isnat(first)]
    when = np.maximum(first[known], pop.birth[known]) + days(rng.exponential(100, known.size))
    statements.add(known, when, ethnic_codes[pop.ethnicity[known]])
    for year in range(window.start.year, window.end.year + 1):
        offered = np.where((age > 64) | (health.rate("gp_contacts") > 1.5), 0.75, np.where((age > 2) & (age < 12), 0.4, 0.06))
        jabbed = everyone[here & (rng.random(n) < offered * np.interp(pop.decile, (1, 10), (0.75, 1.1)))]
        when = np.datetime64(f"{year}-09-15") + days(rng.gamma(2, 25, jabbed.size))
        keep = health.alive_and_here(jabbed, when)
        statements.add(jabbed[keep], when[keep], statements.code(STATUS_CODES["influenza_vaccination"][0]))
    _pregnancies(health, statements, rng)
    _frailty(health, statements, rng)
    _circumstances(health, statements, rng)
    undiagnosed = everyone[health.has("atrial_fibrillation") & ~health.is_coded("atrial_fibrillation") & here]
    statements.status(
        "irregular_pulse", undiagnosed, random_days(rng, pop.alive_from[undiagnosed], pop.alive_to[undiagnosed], undiagnosed.size)
    )
    people = pop.people
    for key, column in (("type1_dissent", "type1_dissent_on"), ("type1_withdrawal", "type1_withdrawal_on")):
        when = people[column].to_numpy().astype("datetime64[D]")
        dated = everyone[here & ~np.isnat(when)]
        statements.add(dated, when[dated], statements.code(STATUS_CODES[key][0]), recorded=np.fmax(when[dated], first[dated]))


def _pregnancies(health: Health, statements: _Statements, rng: np.random.Generator) -> None:
    """Mothers of children born in the window: pregnant some weeks in, delivered at the birth; a few with gestational diabetes."""
    pop = health.pop
    child = np.flatnonzero((pop.mother >= 0) & (pop.birth >= health.window.first))
    mother, birth = pop.mother[child], pop.birth[child]
    statements.add(mother, birth - days(190 + rng.random(child.size) * 40), statements.code(STATUS_CODES["pregnant"][0]))
    statements.add(
        mother, birth, statements.code(STATUS_CODES["delivered"][0]), recorded=birth + days(rng.integers(2, 20, child.size))
    )
    diabetic = rng.random(child.size) < 0.05
    statements.status("gestational_diabetes", mother[diabetic], birth[diabetic] - np.timedelta64(80, "D"))


def _frailty(health: Health, statements: _Statements, rng: np.random.Generator) -> None:
    """A first mild frailty code some years before the worse ones, falls, and what goes with dependence."""
    pop, everyone = health.pop, np.arange(health.pop.n)
    frail = health.onset[:, NAMES.index("moderate_or_severe_frailty")]
    who = everyone[~np.isnat(frail) & (rng.random(pop.n) < 0.6)]
    statements.status("mild_frailty", who, frail[who] - days(200 + rng.exponential(600, who.size)))
    row, when = health.draw(rng, 0.35, ~np.isnat(frail))
    statements.status("fall", row, when)
    for key, share in (("housebound", 0.25), ("lives_alone", 0.3)):
        who = everyone[~np.isnat(frail) & (rng.random(pop.n) < share)]
        statements.status(key, who, np.maximum(frail[who], pop.alive_from[who]) + days(rng.exponential(60, who.size)))
    who = everyone[~np.isnat(pop.in_care_home_from) & (rng.random(pop.n) < 0.7)]
    statements.status(
        "lives_in_nursing_home", who, np.maximum(pop.in_care_home_from[who], pop.alive_from[who]) + np.timedelta64(14, "D")
    )
    dying = everyone[~np.isnat(pop.death) & (pop.age_on(health.window.bulk) > 45) & (rng.random(pop.n) < 0.35)]
    statements.status(
        "palliative_care",
        dying,
        np.maximum(pop.death[dying] - days(20 + rng.exponential(120, dying.size)), pop.alive_from[dying]),
    )
    injured = everyone[health.has("chronic_kidney_disease") & (rng.random(pop.n) < 0.08)]
    statements.status(
        "acute_kidney_injury", injured, random_days(rng, pop.alive_from[injured], pop.alive_to[injured], injured.size)
    )


def _circumstances(health: Health, statements: _Statements, rng: np.random.Generator) -> None:
    """Social circumstances that practices code: fewer than are true."""
    pop, everyone = health.pop, np.arange(health.pop.n)
    homeless = everyone[~np.isnat(pop.homeless_from) & (rng.random(pop.n) < 0.35)]
    statements.status(
        "homeless",
        homeless,
        np.maximum(pop.homeless_from[homeless], pop.alive_from[homeless]) + days(rng.exponential(40, homeless.size)),
    )
    carers = everyone[health.is_unpaid_carer & (rng.random(pop.n) < 0.45)]
    statements.status("carer", carers, random_days(rng, pop.alive_from[carers], pop.alive_to[carers], carers.size))
    asylum = everyone[pop.is_asylum_seeker.astype(bool) & (rng.random(pop.n) < 0.5)]
    statements.status("asylum_seeker", asylum, pop.alive_from[asylum] + np.timedelta64(30, "D"))
    row, when = health.draw(rng, np.interp(pop.decile, (1, 10), (0.05, 0.01)), pop.age_on(health.window.bulk) > 18)
    statements.status("social_prescribing_offered", row, when)
    taken = rng.random(row.size) < 0.55
    statements.status("social_prescribing_referred", row[taken], when[taken] + np.timedelta64(3, "D"))


def _measurements(health: Health, registrations: Registrations, visits: _Visits, rng: np.random.Generator) -> pl.DataFrame:
    """Numeric results: screening by age, monitoring by coded condition, and always something that shows an undiagnosed one."""
    pop, window = health.pop, health.window
    age = pop.age_on(window.bulk)
    rates = {kind: np.interp(age, ages, values) for kind, ages, values in _SCREENING}
    coded = health.coded <= window.bulk
    review = np.where(health.practice_emergency > 1, OUTLIER_REVIEW_RATIO, 1.0)
    for k, condition in enumerate(CONDITIONS.values()):
        for kind, rate in condition.measurements.items():
            rates[kind] = np.maximum(rates.get(kind, np.zeros(pop.n)), coded[:, k] * rate * review)
    rates["creatinine"] = rates["egfr"] * 0.6
    rates["home_bp"] = np.where(health.is_coded("hypertension"), 0.4, 0.02)
    rows = _Rows()
    for kind, rate in rates.items():
        row, when = health.draw(rng, rate, pop.is_registered_ever)
        rows.add(row, when, np.full(row.size, _KINDS.index(kind)))
        if kind == "cholesterol":
            # Measured in the same blood.
            profile = rng.random(row.size) < 0.8
            rows.add(row[profile], when[profile], np.full(profile.sum(), _KINDS.index("hdl")))
    for condition, kind, times in (
        ("hypertension", "bp", 2),
        ("diabetes_type_2", "hba1c", 1),
        ("chronic_kidney_disease", "egfr", 2),
    ):
        unseen = np.flatnonzero(health.has(condition) & ~health.is_coded(condition) & pop.is_registered_ever)
        for _ in range(times):
            onset = np.fmin(health.onset[unseen, NAMES.index(condition)], pop.alive_to[unseen])
            rows.add(unseen, random_days(rng, np.maximum(onset, pop.alive_from[unseen]), pop.alive_to[unseen], unseen.size),
                     np.full(unseen.size, _KINDS.index(kind)))  # fmt: skip
    row, when, kind = rows.arrays()
    practice = registrations.at(row, when)
    keep = practice >= 0
    row, when, kind, practice = row[keep], when[keep], kind[keep], practice[keep]
    value, second = _values(health, row, when, kind, rng)
    recorded = when + rng.integers(0, 3, row.size).astype("timedelta64[D]")
    consultation = _same_day(visits, row, when)
    keep = recorded <= window.last
    frame = pl.DataFrame(
        {
            "person_no": pop.number(row),
            "event_no": health.numbers(row.size),
            **registrations.columns(practice),
            "consultation_no": nullable(consultation >= 0, consultation),
            "event_date": when,
            "kind": labels(_KINDS, kind),
            "value": value,
            "value_2": nullable(~np.isnan(second), second),
            "recorded_on": recorded,
        }
    )
    return frame.filter(pl.Series(keep))


def _same_day(visits: _Visits, row: np.ndarray, when: np.ndarray) -> np.ndarray:
    """Number of an attended consultation of the same person and day, -1 when there is none."""
    if not visits.n:
        return np.full(len(row), -1)
    keys = Registrations._key(visits.row, visits.when)
    wanted = Registrations._key(row, when)
    order = np.argsort(keys, kind="stable")
    found = np.searchsorted(keys[order], wanted).clip(0, visits.n - 1)
    return np.where(keys[order][found] == wanted, visits.number[order][found], -1)


def _values(
    health: Health, row: np.ndarray, when: np.ndarray, kind: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Values that fit the person's true health on the day, and the diastolic pressure of a blood pressure."""
    n, age = row.size, (when - health.pop.birth[row]).astype(np.int64) / 365.25
    noise = rng.standard_normal(n)
    value, second = np.full(n, np.nan), np.full(n, np.nan)

    def at(condition: str) -> tuple[np.ndarray, np.ndarray]:
        """Who has it on the day, and who is treated for it."""
        k = NAMES.index(condition)
        return health.onset[row, k] <= when, health.coded[row, k] <= when

    # A person's own level, the same in every result.
    own = rng.standard_normal((health.pop.n, len(_KINDS)))[row, kind]

    def put(name: str, values: np.ndarray) -> None:
        value[kind == _KINDS.index(name)] = values[kind == _KINDS.index(name)]

    high, treated = at("hypertension")
    systolic = np.where(high, np.where(treated, 136 + 8 * own + 9 * noise, np.maximum(154 + 9 * own + 7 * noise, 142)),
                        np.minimum(112 + 0.22 * age + 7 * own + 7 * noise, 139))  # fmt: skip
    put("bp", systolic)
    put("home_bp", systolic - 6)
    pressure = (kind == _KINDS.index("bp")) | (kind == _KINDS.index("home_bp"))
    # Below the limit for the diagnosis in whoever has none: 90 in the clinic, 85 at home.
    highest = np.where(high, 125, np.where(kind == _KINDS.index("home_bp"), 84, 89))
    second[pressure] = np.minimum(0.42 * systolic + 24 + 4 * rng.standard_normal(n), highest)[pressure].round()
    diabetic, treated = at("diabetes_type_2")
    type_1, _ = at("diabetes_type_1")
    raised, _ = at("non_diabetic_hyperglycaemia")
    sugar = np.where(raised, (44.3 + 1.2 * noise).clip(42, 47), (35.5 + 2.4 * own + noise).clip(24, 41))
    sugar = np.where(diabetic & treated, (56 + 11 * own + 5 * noise).clip(38), sugar)
    sugar = np.where(diabetic & ~treated, (57 + 7 * own + 3 * noise).clip(49), sugar)
    put("hba1c", np.where(type_1, (66 + 10 * own + 5 * noise).clip(40), sugar))
    kidney, _ = at("chronic_kidney_disease")
    failing, _ = at("end_stage_renal_disease")
    egfr = np.where(failing, (9 + 2 * own + noise).clip(4, 14), np.where(kidney, (48 + 7 * own + 2.5 * noise).clip(16, 58),
        (118 - 0.72 * age + 7 * own + 4 * noise).clip(63, 130)))  # fmt: skip
    put("egfr", egfr)
    put("creatinine", 7200 / egfr * np.where(health.pop.is_woman[row], 0.82, 1.0))
    obese, _ = at("obesity")
    put(
        "bmi",
        np.where(obese, (34 + 3.2 * np.abs(own) + 0.6 * noise).clip(30.1, 62), (24.6 + 2.6 * own + 0.6 * noise).clip(15.5, 29.8)),
    )
    lipids, treated = at("hyperlipidaemia")
    put(
        "cholesterol",
        np.where(lipids & ~treated, 6.8 + 0.6 * own + 0.3 * noise, np.where(treated, 4.6, 4.9) + 0.7 * own + 0.3 * noise).clip(
            2.4, 12
        ),
    )
    put("hdl", (1.45 + 0.28 * own + 0.08 * noise).clip(0.6, 3.2))
    put("uacr", np.where(kidney, np.exp(1.7 + 0.9 * own + 0.2 * noise), np.exp(0.1 + 0.6 * own + 0.2 * noise)).clip(0.3, 320))
    put("haemoglobin", np.where(health.pop.is_woman[row], 131, 146) - np.where(kidney, 12, 0) + 9 * own + 4 * noise)
    put("qrisk", np.exp(-3.6 + 0.092 * age + 0.35 * own + np.where(high, 0.25, 0) + np.where(diabetic, 0.45, 0)).clip(0.1, 75))
    put("tsh", np.exp(0.6 + 0.5 * own + 0.3 * noise))
    fluttering, treated = at("atrial_fibrillation")
    put("pulse_rhythm", np.where(fluttering & ~treated, 104, 74) + 8 * own + 5 * noise)
    one_decimal = np.isin(kind, [_KINDS.index(k) for k in ("bmi", "cholesterol", "hdl", "uacr", "qrisk", "tsh")])
    return np.where(one_decimal, value.round(1), value.round()), second


def _medications(health: Health, registrations: Registrations, visits: _Visits, rng: np.random.Generator) -> pl.DataFrame:
    """Issues of repeat medicines every course, and short courses after consultations."""
    pop = health.pop
    drug_names = tuple(DRUGS)
    row, drug, start = _repeats(health, drug_names, rng)
    step = np.array([d.course_days for d in DRUGS.values()])[drug]
    start = np.maximum(start, pop.alive_from[row] + days(rng.random(row.size) * step))
    span = (pop.alive_to[row] - start).astype(np.int64)
    count = np.where(span >= 0, span // step + 1, 0)
    which = np.repeat(np.arange(row.size), count)
    turn = np.arange(which.size) - np.repeat(np.cumsum(count) - count, count)
    when = start[which] + (turn * step[which] + rng.integers(-2, 5, which.size)).astype("timedelta64[D]")
    taken = rng.random(which.size) < 0.93
    which, when = which[taken], when[taken]
    rows = _Rows()
    rows.add(row[which], when, drug[which])
    treated = np.flatnonzero(rng.random(visits.n) < 0.42)
    acute = np.array([drug_names.index(d) for d in ACUTE_DRUGS])
    rows.add(visits.row[treated], visits.when[treated], acute[pick(rng, np.linspace(3, 1, len(acute)), treated.size)])
    row, when, drug = rows.arrays()
    practice = registrations.at(row, when)
    keep = (practice >= 0) & (when <= pop.alive_to[row])
    row, when, drug, practice = row[keep], when[keep], drug[keep], practice[keep]
    table = list(DRUGS.values())
    return pl.DataFrame(
        {
            "person_no": pop.number(row),
            "event_no": health.numbers(row.size),
            **registrations.columns(practice),
            "issued_on": when,
            "drug": labels(drug_names, drug),
            "quantity": np.array([d.quantity for d in table])[drug].astype(float),
            "course_days": np.array([d.course_days for d in table])[drug],
            "is_repeat": np.array([d.is_repeat for d in table])[drug],
            "recorded_on": when,
        }
    )


def _repeats(health: Health, drug_names: tuple[str, ...], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Who takes which repeat medicine since when: one entry a person and drug, whatever the number of reasons."""
    pop = health.pop
    rows = _Rows()
    for k, condition in enumerate(CONDITIONS.values()):
        coded = np.flatnonzero(~np.isnat(health.coded[:, k]) & (rng.random(pop.n) < condition.treated))
        for place_in_line, name in enumerate(condition.drugs):
            takes = coded[rng.random(coded.size) < (1.0 if place_in_line == 0 else 0.5)]
            rows.add(takes, health.coded[takes, k] + np.timedelta64(10, "D"), np.full(takes.size, drug_names.index(name)))
    age = pop.age_on(health.window.bulk)
    women = np.flatnonzero(pop.is_woman & (age > 16) & (age < 48) & (rng.random(pop.n) < 0.18))
    rows.add(women, pop.alive_from[women], np.full(women.size, drug_names.index("contraceptive")))
    stomach = np.flatnonzero(rng.random(pop.n) < np.interp(age, (20, 75), (0.02, 0.32)))
    rows.add(stomach, pop.alive_from[stomach], np.full(stomach.size, drug_names.index("omeprazole")))
    # Anticoagulated without a code of atrial fibrillation: the trace that case-finding looks for.
    unseen = np.flatnonzero(
        health.has("atrial_fibrillation") & ~health.is_coded("atrial_fibrillation") & (rng.random(pop.n) < 0.5)
    )
    rows.add(unseen, pop.alive_from[unseen], np.full(unseen.size, drug_names.index("digoxin")))
    row, start, drug = rows.arrays()
    keep = pop.is_registered_ever[row]
    row, start, drug = row[keep], start[keep], drug[keep]
    _, first = np.unique(row * 1000 + drug, return_index=True)
    return row[first], drug[first], start[first]
