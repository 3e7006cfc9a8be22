"""Who lives in the place: people, their families and names, where they live and where they are registered.

Everything is made a chunk at a time with NumPy; households, twins and parents never cross a chunk.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from synthetic import names
from synthetic.nhs_numbers import PEOPLE_PER_SPARE, current_index, nhs_numbers, superseded_index
from synthetic.place import CLOSED_ON, CLOSED_PRACTICE, ETHNIC_CATEGORIES, SUCCESSOR_PRACTICE, Place
from synthetic.timeline import NEVER, Window, days, labels, nullable, pick, pick_rows, random_days

#: Population of England by five-year age band (per cent), oldest band 90 and over, and the share of women in each.
AGE_SHARES = (5.3, 5.8, 6.2, 5.8, 6.1, 6.7, 7.0, 6.8, 6.5, 6.1, 6.7, 6.8, 6.0, 5.0, 4.5, 4.0, 2.4, 1.5, 0.8)
WOMEN_SHARES = (
    0.487, 0.488, 0.488, 0.487, 0.487, 0.492, 0.502, 0.507, 0.507, 0.506,
    0.506, 0.507, 0.508, 0.512, 0.517, 0.527, 0.55, 0.59, 0.66,
)  # fmt: skip
BIRTHS_PER_YEAR = 0.0112

#: Shares of people or households that something happens to between the start of the window and its horizon.
HOUSEHOLD_MOVES = 0.21
HOUSEHOLD_ARRIVES = 0.055
HOUSEHOLD_LEAVES = 0.045
CHANGES_PRACTICE = 0.03
HOMELESS = 0.011
SECTOR_ONLY = 0.016  # of single adults: known to hardly anybody but the voluntary sector
NEVER_REGISTERED = 0.009
NAMESAKE_SONS = 0.02
#: Of changes of practice: the old practice hears of it months late, and both hold the patient meanwhile.
DUPLICATE_REGISTRATION = 0.018


@dataclass
class Population:
    """One chunk of people as arrays that the makers of health read, besides the finished frames.

    Arrays have one entry per person in person_no order. `practice_at` and `lsoa` (position in `place.lsoas`) are those at the end
    of the window, `alive_from`/`alive_to` bound the days on which things can happen to the person here.
    """

    first_no: int
    birth: np.ndarray
    death: np.ndarray
    is_woman: np.ndarray
    ethnicity: np.ndarray
    lsoa: np.ndarray
    decile: np.ndarray
    alive_from: np.ndarray
    alive_to: np.ndarray
    in_care_home_from: np.ndarray
    homeless_from: np.ndarray
    homeless_to: np.ndarray
    is_asylum_seeker: np.ndarray
    is_sector_only: np.ndarray
    is_registered_ever: np.ndarray
    household: np.ndarray
    mother: np.ndarray
    tenure: np.ndarray
    people: pl.DataFrame
    addresses: pl.DataFrame
    registrations: pl.DataFrame

    @property
    def n(self) -> int:
        return len(self.birth)

    def age_on(self, when: np.ndarray | np.datetime64) -> np.ndarray:
        """Age in years (fractions kept) on a day."""
        return (when - self.birth).astype(np.int64) / 365.25

    def number(self, row: np.ndarray) -> np.ndarray:
        """person_no of a position in the chunk."""
        return self.first_no + row


@dataclass
class _Family:
    mother: np.ndarray  # position of the mother, -1 unknown
    father: np.ndarray
    partner: np.ndarray  # position of the partner, -1 none
    twin: np.ndarray
    household: np.ndarray  # position of the household's reference person


@dataclass
class _Lives:
    """Who the people of a chunk are and what befalls them, before it is written out: one entry a person."""

    birth: np.ndarray
    is_woman: np.ndarray
    age: np.ndarray  # at the start of the window; negative for those born in it
    family: _Family
    sector_only: np.ndarray
    lsoa: np.ndarray
    ethnicity: np.ndarray
    decile: np.ndarray
    in_care_home_from: np.ndarray
    homeless_from: np.ndarray
    homeless_to: np.ndarray
    asylum: np.ndarray
    arrival: np.ndarray
    departure: np.ndarray
    death: np.ndarray
    registered: np.ndarray
    window: Window

    @property
    def n(self) -> int:
        return len(self.birth)

    @property
    def alive_from(self) -> np.ndarray:
        return np.maximum(np.maximum(self.arrival, self.birth), self.window.first)

    @property
    def gone(self) -> np.ndarray:
        """Death or departure, whichever comes first; NaT for those who stay."""
        return np.fmin(self.death, self.departure)

    @property
    def alive_to(self) -> np.ndarray:
        return np.fmin(self.gone, self.window.last)


def make_population(index: int, first_no: int, n: int, place: Place, window: Window, seed: int) -> Population:
    """`n` people numbered from `first_no`, with their families, names, homes and registrations."""
    rng = np.random.default_rng([seed, 1, index])
    lives = _live(n, place, window, rng)
    homes = _homes(lives, place, rng)
    return Population(
        first_no=first_no,
        birth=lives.birth,
        death=lives.death,
        is_woman=lives.is_woman,
        ethnicity=lives.ethnicity,
        lsoa=homes.last_lsoa,
        decile=place.lsoas["imd_decile"].to_numpy()[homes.last_lsoa],
        alive_from=lives.alive_from,
        alive_to=lives.alive_to,
        in_care_home_from=lives.in_care_home_from,
        homeless_from=lives.homeless_from,
        homeless_to=lives.homeless_to,
        is_asylum_seeker=lives.asylum,
        is_sector_only=lives.sector_only,
        is_registered_ever=lives.registered,
        household=lives.family.household,
        mother=lives.family.mother,
        tenure=homes.tenure,
        people=_people(lives, first_no, seed, rng),
        addresses=_addresses(lives, homes, first_no, index, place, rng),
        registrations=_registrations(lives, homes, first_no, place, rng),
    )


def _live(n: int, place: Place, window: Window, rng: np.random.Generator) -> _Lives:
    """Births, families, and what befalls people in the window."""
    birth, is_woman = _births(n, window, rng)
    age = (window.first - birth).astype(np.int64) / 365.25
    family = _families(age, birth, is_woman, rng)
    alone = (family.household == np.arange(n)) & (family.partner < 0)
    sector_only = (rng.random(n) < SECTOR_ONLY) & (age > 18) & (age < 66) & alone
    lsoa = _home_areas(family.household, place, rng)
    ethnicity = _ethnicities(family, lsoa, sector_only, place, rng)
    newcomer = (rng.random(n) < 0.004) & (ethnicity >= ETHNIC_CATEGORIES.index("M")) & (age > 17) & (age < 50)
    nowhere = np.full(n, NEVER)
    lives = _Lives(
        birth=birth,
        is_woman=is_woman,
        age=age,
        family=family,
        sector_only=sector_only,
        lsoa=lsoa,
        ethnicity=ethnicity,
        decile=place.lsoas["imd_decile"].to_numpy()[lsoa],
        in_care_home_from=_care_home_entries(age, window, rng),
        homeless_from=nowhere,
        homeless_to=nowhere,
        asylum=np.where(sector_only, rng.random(n) < 0.4, newcomer),
        arrival=birth,
        departure=nowhere,
        death=nowhere,
        registered=~sector_only & (rng.random(n) >= NEVER_REGISTERED),
        window=window,
    )
    lives.homeless_from, lives.homeless_to = _homelessness(lives, rng)
    lives.arrival, lives.departure = _comings_and_goings(lives, rng)
    lives.death = _deaths(lives, rng)
    return lives


def _births(n: int, window: Window, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Birth dates and sexes: the English structure at the start of the window, and births until its horizon."""
    unborn = rng.random(n) < BIRTHS_PER_YEAR * window.days / 365.25
    band = pick(rng, AGE_SHARES, n)
    years = band * 5 + np.where(band < 18, rng.random(n) * 5, rng.exponential(2.6, n).clip(max=14))
    birth = np.where(unborn, window.first + days(rng.random(n) * window.days + 1), window.first - days(years * 365.25))
    is_woman = rng.random(n) < np.where(unborn, 0.487, np.array(WOMEN_SHARES)[band])
    return birth.astype("datetime64[D]"), is_woman


def _families(age: np.ndarray, birth: np.ndarray, is_woman: np.ndarray, rng: np.random.Generator) -> _Family:
    n = len(age)
    mother = _mothers(age, birth, is_woman, rng)
    twin = _twins(mother, birth, age, rng)
    partner = _partners(age, is_woman, mother, rng)
    household = np.arange(n)
    has_partner = partner >= 0
    household[has_partner] = np.minimum(household, partner)[has_partner]
    _share_houses(household, age, has_partner, mother, rng)
    in_care = np.flatnonzero((mother < 0) & (age < 18))
    carers = np.flatnonzero(is_woman & (age > 28) & (age < 65))
    if carers.size:
        household[in_care] = household[rng.choice(carers, in_care.size)]
    at_home = (mother >= 0) & ((age < 18) | ((age < 27) & (rng.random(n) < 0.5) & ~has_partner))
    household[at_home] = household[mother[at_home]]
    father = np.where(mother >= 0, partner[mother], -1)
    # Children follow their mother even when she lives in her own mother's home.
    household = household[household]
    return _Family(mother, father, partner, twin, household)


def _mothers(age: np.ndarray, birth: np.ndarray, is_woman: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A mother for nearly everybody under 27: a woman of the right age, and no two births within nine months."""
    mother = np.full(len(age), -1)
    children = np.flatnonzero((age < 27) & (rng.random(len(age)) < 0.96))
    possible = np.flatnonzero(is_woman & (age > 16) & (rng.random(len(age)) < 0.8))
    if not possible.size or not children.size:
        return mother
    possible = possible[np.argsort(age[possible], kind="stable")]
    ages = age[possible]
    open_ = children
    for _ in range(4):
        gap = rng.normal(30.5, 5.3, open_.size).clip(17, 44)
        at = np.searchsorted(ages, age[open_] + gap) + rng.integers(-2, 3, open_.size)
        found = possible[at.clip(0, possible.size - 1)]
        real_gap = age[found] - age[open_]
        mother[open_] = np.where((real_gap > 15) & (real_gap < 48), found, -1)
        with_mother = children[mother[children] >= 0]
        order = with_mother[np.lexsort((birth[with_mother], mother[with_mother]))]
        close = (np.diff(mother[order]) == 0) & (np.diff(birth[order]).astype(np.int64) < 280)
        again = np.zeros(len(age), dtype=bool)
        again[order[1:][close]] = True
        again[children[mother[children] < 0]] = True
        open_ = np.flatnonzero(again)
        if not open_.size:
            break
    mother[open_] = -1
    return mother


def _twins(mother: np.ndarray, birth: np.ndarray, age: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Some siblings next in age are twins: the younger takes the birth date of the elder (changes `birth` and `age`)."""
    twin = np.full(len(birth), -1)
    known = np.flatnonzero(mother >= 0)
    order = known[np.lexsort((birth[known], mother[known]))]
    pair = np.flatnonzero((np.diff(mother[order]) == 0) & (rng.random(max(order.size - 1, 0)) < 0.035))
    pair = pair[np.diff(pair, prepend=-2) > 1]
    elder, younger = order[pair], order[pair + 1]
    birth[younger], age[younger] = birth[elder], age[elder]
    twin[elder], twin[younger] = younger, elder
    return twin


def _partners(age: np.ndarray, is_woman: np.ndarray, mother: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    n = len(age)
    partner = np.full(n, -1)
    has_children = np.zeros(n, dtype=bool)
    has_children[mother[(mother >= 0) & (age < 18)]] = True
    chance = np.interp(age, (18, 24, 32, 45, 65, 80, 92), (0.02, 0.2, 0.55, 0.62, 0.66, 0.45, 0.12))
    women = np.flatnonzero(is_woman & (age >= 18) & (rng.random(n) < np.where(has_children, 0.78, chance)))
    men = np.flatnonzero(
        ~is_woman & (age >= 18) & (rng.random(n) < np.interp(age, (18, 24, 32, 45, 65, 85), (0.05, 0.25, 0.66, 0.72, 0.75, 0.7)))
    )
    size = min(women.size, men.size)
    women = np.sort(rng.permutation(women)[:size])
    men = np.sort(rng.permutation(men)[:size])
    women = women[np.argsort(age[women] + rng.normal(2, 2.5, size), kind="stable")]
    men = men[np.argsort(age[men], kind="stable")]
    close = np.abs(age[men] - age[women]) < 18
    partner[women[close]], partner[men[close]] = men[close], women[close]
    return partner


def _share_houses(
    household: np.ndarray, age: np.ndarray, has_partner: np.ndarray, mother: np.ndarray, rng: np.random.Generator
) -> None:
    """Single people in their twenties and thirties share houses, three together (changes `household`)."""
    single = ~has_partner & (age >= 19) & (age < 36)
    single[mother[mother >= 0]] = False
    sharers = np.flatnonzero(single & (rng.random(len(age)) < 0.4))
    household[sharers] = sharers[np.arange(sharers.size) // 3 * 3]


def _home_areas(household: np.ndarray, place: Place, rng: np.random.Generator) -> np.ndarray:
    """The LSOA (position) of each household at the beginning."""
    return pick(rng, place.lsoas["population_weight"].to_numpy(), len(household))[household]


#: Mixed category of a child whose parents differ: the other parent's broad group, when one parent is White.
_MIXED = {"M": "D", "P": "D", "N": "E", "H": "F", "J": "F", "K": "F", "L": "F"}


def _ethnicities(
    family: _Family, lsoa: np.ndarray, sector_only: np.ndarray, place: Place, rng: np.random.Generator
) -> np.ndarray:
    """Position in ETHNIC_CATEGORIES: one category for most households, mixed couples and their children besides."""
    n = len(lsoa)
    shares = np.cumsum(np.stack(place.lsoas["ethnic_shares"].to_list()), axis=1)
    own = pick_rows(rng, shares, lsoa)
    ethnicity = np.where(rng.random(n) < 0.88, own[family.household], own)
    newcomers = np.array([ETHNIC_CATEGORIES.index(c) for c in "ACCNNSSL"])
    ethnicity = np.where(sector_only, rng.choice(newcomers, n), ethnicity)
    mixed_of = np.array([ETHNIC_CATEGORIES.index(_MIXED.get(c, "G")) for c in ETHNIC_CATEGORIES])
    child = (family.mother >= 0) & (family.father >= 0)
    mothers, fathers = ethnicity[family.mother], ethnicity[family.father]
    ethnicity = np.where(family.mother >= 0, mothers, ethnicity)
    other = np.where(mothers <= 2, fathers, mothers)
    white = (mothers <= 2) != (fathers <= 2)
    return np.where(child & (mothers != fathers) & white, mixed_of[other], ethnicity)


def _care_home_entries(age: np.ndarray, window: Window, rng: np.random.Generator) -> np.ndarray:
    """The day somebody entered a care home, before or in the window; NaT for most."""
    n = len(age)
    chance = np.interp(age, (64, 66, 75, 85, 95), (0.0006, 0.004, 0.017, 0.09, 0.26))
    resident = rng.random(n) < chance
    enters = ~resident & (rng.random(n) < chance * 0.9)
    before = window.first - days(rng.exponential(500, n))
    return np.where(resident, before, np.where(enters, random_days(rng, window.first, window.last, n), NEVER))


def _homelessness(lives: _Lives, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """When somebody has no home of their own; poorer areas and single people more often. Truth, whoever knows of it."""
    n, age, window = lives.n, lives.age, lives.window
    risk = HOMELESS * np.interp(lives.decile, (1, 10), (2.2, 0.25)) * np.where(lives.family.partner < 0, 1.6, 0.5)
    homeless = (age >= 17) & (age < 68) & (rng.random(n) < np.where(lives.sector_only, 0.75, risk))
    start = random_days(rng, window.first - np.timedelta64(200, "D"), window.last - np.timedelta64(45, "D"), n)
    end = start + days(20 + rng.exponential(240, n))
    return np.where(homeless, start, NEVER), np.where(homeless & (end < window.last), end, NEVER)


def _comings_and_goings(lives: _Lives, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """When each person came to the place (long ago for most, birth for children) and left it (NaT: stays)."""
    n, household, window = lives.n, lives.family.household, lives.window
    comes = rng.random(n) < HOUSEHOLD_ARRIVES
    long_ago = window.first - days(200 + rng.gamma(1.6, 2400, n))
    came = np.where(comes, random_days(rng, window.first, window.last, n), long_ago)[household]
    recently = random_days(rng, window.first - np.timedelta64(300, "D"), window.last - np.timedelta64(60, "D"), n)
    came = np.where(lives.asylum | lives.sector_only, recently, came)
    arrival = np.maximum(came, lives.birth)
    leaves = rng.random(n) < HOUSEHOLD_LEAVES
    left = np.where(leaves, random_days(rng, window.first + np.timedelta64(60, "D"), window.last, n), NEVER)[household]
    return arrival, np.where(left > arrival + np.timedelta64(30, "D"), left, NEVER)


def _deaths(lives: _Lives, rng: np.random.Generator) -> np.ndarray:
    """Death dates by age, sex and deprivation (a Gompertz hazard of the order of the English life tables); NaT for survivors."""
    middle = np.maximum(lives.age + lives.window.days / 730, 0)
    hazard = 2.9e-5 * np.exp(0.0945 * middle) * np.where(lives.is_woman, 0.72, 1.0) + np.where(middle < 1, 0.002, 0.0)
    hazard *= np.interp(lives.decile, (1, 10), (1.35, 0.78))
    hazard *= np.where(np.isnat(lives.in_care_home_from), 1.0, 3.0) * np.where(np.isnat(lives.homeless_from), 1.0, 4.0)
    years = np.minimum(rng.exponential(1, lives.n) / hazard, 100)
    # Only those alive and here are followed: nobody dies before the window or before they came.
    death = lives.alive_from + days(years * 365.25)
    return np.where(death <= lives.window.last, death, NEVER)


@dataclass
class _Homes:
    """Where people lived: one entry for every stay, and what follows from the stays."""

    row: np.ndarray
    start: np.ndarray
    lsoa: np.ndarray
    postcode: np.ndarray  # position in place.postcodes
    dwelling: np.ndarray  # number of the dwelling in the chunk; -1 for shared institutions
    kind: np.ndarray  # position in ADDRESS_TYPES
    institution: np.ndarray  # position in care_homes or hostels
    last_lsoa: np.ndarray
    tenure: np.ndarray


ADDRESS_TYPES = ("home", "care_home", "hostel", "no_fixed_abode", "student")
TENURES = ("owner", "private_rent", "social_rent", "care_home", "none")


def _homes(lives: _Lives, place: Place, rng: np.random.Generator) -> _Homes:
    """Every stay of every person, in order: the first home, moves of the household, moves alone, care homes, homelessness."""
    n, age, lsoa, family, window = lives.n, lives.age, lives.lsoa, lives.family, lives.window
    in_care_home_from, homeless_from, homeless_to = lives.in_care_home_from, lives.homeless_from, lives.homeless_to
    sector_only = lives.sector_only
    household, everyone = family.household, np.arange(n)
    moves = np.where(rng.random(n) < HOUSEHOLD_MOVES, random_days(rng, window.first, window.last, n), NEVER)[household]
    next_lsoa = _nearby(lsoa, place, rng)[household]
    own = (age > 17) & (age < 27) & (family.household != everyone) & (family.partner < 0) & (rng.random(n) < 0.2)
    leaves_home = np.where(own, random_days(rng, lives.alive_from, window.last, n), NEVER)
    alone_lsoa = _nearby(lsoa, place, rng)
    in_home = ~np.isnat(in_care_home_from)
    homeless = ~np.isnat(homeless_from)
    moves = np.where((moves > leaves_home) | (moves > in_care_home_from) | homeless, NEVER, moves)
    street = rng.random(n) < np.where(sector_only, 0.7, 0.45)
    rehoused = homeless & ~np.isnat(homeless_to)
    student = own & (age < 20) & (rng.random(n) < 0.5)
    stays = [
        # mask, start, LSOA, dwelling, kind
        (~sector_only | ~homeless, np.full(n, NEVER), lsoa, household, 0),
        (~np.isnat(moves), moves, next_lsoa, n + household, 0),
        (~np.isnat(leaves_home) & ~homeless, leaves_home, alone_lsoa, 2 * n + everyone, np.where(student, 4, 0)),
        (in_home, in_care_home_from, lsoa, np.full(n, -1), 1),
        (homeless, homeless_from, lsoa, np.full(n, -1), np.where(street, 3, 2)),
        (rehoused, homeless_to, alone_lsoa, 3 * n + everyone, 0),
    ]
    masks = [mask for mask, *_ in stays]
    row = np.concatenate([np.flatnonzero(m) for m in masks])
    start = np.concatenate([s[m] for m, s, *_ in stays])
    at = np.concatenate([a[m] for m, _, a, *_ in stays])
    dwelling = np.concatenate([d[m] for m, _, _, d, _ in stays])
    kind = np.concatenate([np.broadcast_to(k, n)[m] for m, *_, k in stays])
    order = np.lexsort((np.where(np.isnat(start), np.datetime64("1800-01-01"), start), row))
    row, start, at, dwelling, kind = row[order], start[order], at[order], dwelling[order], kind[order]
    institution = np.where(
        kind == 1, rng.integers(0, place.care_homes.height, row.size), rng.integers(0, place.hostels.height, row.size)
    )
    at, postcode = _postcodes(at, dwelling, kind, institution, place, rng)
    last = np.flatnonzero(np.append(np.diff(row) != 0, True))
    last_lsoa, last_kind = lsoa.copy(), np.zeros(n, dtype=np.int64)
    last_lsoa[row[last]], last_kind[row[last]] = at[last], kind[last]
    return _Homes(
        row, start, at, postcode, dwelling, kind, institution, last_lsoa, _tenures(household, last_lsoa, last_kind, place, rng)
    )


def _nearby(lsoa: np.ndarray, place: Place, rng: np.random.Generator) -> np.ndarray:
    """Where a move goes: mostly within the ward (ten LSOAs), else anywhere."""
    n = len(lsoa)
    same_ward = lsoa // 10 * 10 + rng.integers(0, 10, n)
    return np.where(rng.random(n) < 0.6, same_ward, pick(rng, place.lsoas["population_weight"].to_numpy(), n))


def _postcodes(
    lsoa: np.ndarray, dwelling: np.ndarray, kind: np.ndarray, institution: np.ndarray, place: Place, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """LSOA and postcode (positions) of each stay: a dwelling keeps its postcode, institutions have their own, no abode -1."""
    per_lsoa = place.postcodes.height // place.lsoas.height
    of_dwelling = rng.integers(0, per_lsoa - 2, dwelling.max() + 1)
    postcode = lsoa * per_lsoa + of_dwelling[dwelling]
    positions = {code: i for i, code in enumerate(place.postcodes["postcode"].to_list())}
    homes = np.array([positions[p] for p in place.care_homes["postcode"]])
    hostels = np.array([positions[p] for p in place.hostels["postcode"]])
    postcode = np.where(kind == 1, homes[institution % len(homes)], postcode)
    postcode = np.where(kind == 2, hostels[institution % len(hostels)], postcode)
    return np.where((kind == 1) | (kind == 2), postcode // per_lsoa, lsoa), np.where(kind == 3, -1, postcode)


def _tenures(household: np.ndarray, lsoa: np.ndarray, kind: np.ndarray, place: Place, rng: np.random.Generator) -> np.ndarray:
    """Tenure (position in TENURES) of the last home: one for a household, more social renting where it is poor."""
    decile = place.lsoas["imd_decile"].to_numpy()[lsoa]
    social = np.interp(decile, (1, 10), (0.42, 0.05))[household]
    draw = rng.random(len(household))[household]
    tenure = np.where(draw < social, 2, np.where(draw < social + 0.26, 1, 0))
    return np.where(kind == 1, 3, np.where(kind == 3, 4, tenure))


def _addresses(lives: _Lives, homes: _Homes, first_no: int, index: int, place: Place, rng: np.random.Generator) -> pl.DataFrame:
    """The `addresses` frame: stays with their dates, written out."""
    row = homes.row
    start = np.where(np.isnat(homes.start), lives.arrival[row], np.fmax(homes.start, lives.arrival[row]))
    next_same = np.append(row[1:] == row[:-1], False)
    following = np.where(next_same, np.append(start[1:], NEVER), NEVER)
    end = np.fmin(following - np.timedelta64(1, "D"), lives.gone[row])
    keep = (start <= lives.alive_to[row]) & (np.isnat(end) | (end >= start))
    kind, dwelling = homes.kind, homes.dwelling
    numbers = rng.integers(1, 140, dwelling.max() + 1)
    flats = np.where(rng.random(dwelling.max() + 1) < 0.3, rng.integers(1, 30, dwelling.max() + 1), 0)
    number, flat = numbers[dwelling], flats[dwelling]
    frame = pl.DataFrame(
        {
            "person_no": first_no + row,
            "valid_from": start,
            "valid_to": end,
            "address_type": labels(ADDRESS_TYPES, kind),
            "number": number,
            "flat": flat,
            "dwelling": 980_000_000_000 + index * 100_000 + dwelling,
            "at": homes.postcode,
            "institution": homes.institution,
            "tenure": labels(TENURES, np.select([kind == 1, kind == 3, kind == 2], [3, 4, 4], homes.tenure[row])),
            "lsoa": homes.lsoa,
        }
    ).filter(pl.Series(keep))
    return _written_out(frame, place)


def _written_out(stays: pl.DataFrame, place: Place) -> pl.DataFrame:
    """House, street, postcode and UPRN of each stay. Rough sleepers get the sentinel for no fixed abode and no UPRN."""
    homes = place.care_homes.select(
        pl.col("care_home_no").alias("institution"), "house", "uprn", pl.lit("care_home").alias("address_type")
    )
    hostels = place.hostels.select(
        pl.col("hostel_no").alias("institution"), "house", "uprn", pl.lit("hostel").alias("address_type")
    )
    postcodes = place.postcodes.with_row_index("at").select(
        pl.col("at").cast(pl.Int64), "postcode", "street", "locality", "town", "lsoa_code", "borough_code"
    )
    house = (
        pl.when(pl.col("flat") > 0).then(pl.format("Flat {}, {}", "flat", "number")).otherwise(pl.col("number").cast(pl.String))
    )
    has_home = pl.col("address_type") != "no_fixed_abode"
    lsoas = place.lsoas["borough_code"]
    return (
        stays.join(pl.concat([homes, hostels]), on=["institution", "address_type"], how="left", maintain_order="left")
        .join(postcodes, on="at", how="left", maintain_order="left")
        .with_columns(
            pl.when(has_home).then(pl.coalesce("house", house)).alias("house"),
            pl.when(has_home).then(pl.coalesce("uprn", pl.col("dwelling").cast(pl.String))).alias("uprn"),
            pl.col("postcode").fill_null("ZZ99 3VZ"),
            pl.col("borough_code").fill_null(lsoas.gather(stays["lsoa"])),
            pl.col("valid_from").alias("recorded_on"),
        )
        .select(
            "person_no", "valid_from", "valid_to", "address_type", "house", "street", "locality", "town", "postcode", "lsoa_code",
            "uprn", "borough_code", "tenure", "recorded_on",
        )
    )  # fmt: skip


def _catchment_matrix(place: Place) -> np.ndarray:
    """Cumulative probabilities of registering with each practice, by LSOA."""
    matrix = np.zeros((place.lsoas.height, place.practices.height))
    lsoas = {code: i for i, code in enumerate(place.lsoas["lsoa_code"])}
    practices = {code: i for i, code in enumerate(place.practices["practice_code"])}
    for lsoa, practice, weight in place.catchments.iter_rows():
        matrix[lsoas[lsoa], practices[practice]] = weight
    return np.cumsum(matrix, axis=1)


def _registrations(lives: _Lives, homes: _Homes, first_no: int, place: Place, rng: np.random.Generator) -> pl.DataFrame:
    """The `registrations` frame: with a practice near home, changed by moves, by choice and by the practice that closes."""
    n, household, window = lives.n, lives.family.household, lives.window
    catchment = _catchment_matrix(place)
    codes = place.practices["practice_code"].to_list()
    closed, successor = codes.index(CLOSED_PRACTICE), codes.index(SUCCESSOR_PRACTICE)
    closing = np.datetime64(CLOSED_ON) + np.timedelta64(1, "D")
    first_stay = np.flatnonzero(np.diff(homes.row, prepend=-1) != 0)
    home = np.zeros(n, dtype=np.int64)
    home[homes.row[first_stay]] = homes.lsoa[first_stay]
    # One draw for a household, so that families mostly share a practice.
    at_first = pick_rows(rng, catchment, home)
    at_first = np.where(rng.random(n) < 0.94, at_first[household], at_first)
    first_start = lives.arrival + days(rng.exponential(12, n).clip(0, 90))
    moved = np.flatnonzero((np.diff(homes.row, prepend=-1) == 0) & (homes.kind != 3) & ~np.isnat(homes.start))
    moved = moved[(rng.random(n) < 0.75)[household[homes.row[moved]]]]
    move_practice = pick_rows(rng, catchment, homes.lsoa[moved])
    chooses = np.flatnonzero(rng.random(n) < CHANGES_PRACTICE)
    chosen = pick_rows(rng, catchment, home[chooses])
    everyone = np.arange(n)
    row = np.concatenate([everyone, homes.row[moved], chooses, everyone])
    start = np.concatenate(
        [
            first_start,
            homes.start[moved] + days(rng.exponential(25, moved.size).clip(0, 180)),
            random_days(rng, window.first, window.last, chooses.size),
            np.full(n, closing),
        ]
    )
    practice = np.concatenate([at_first, move_practice, chosen, np.full(n, -1)])
    keep = lives.registered[row] & (start >= first_start[row])
    row, start, practice = row[keep], start[keep], practice[keep]
    order = np.lexsort((start, row))
    row, start, practice = row[order], start[order], practice[order]
    practice = np.where((practice == closed) & (start >= closing), successor, practice)
    # The closing itself moves only those who are with the closed practice that day.
    before = np.append(-1, practice[:-1])
    practice = np.where(practice == -1, np.where(before == closed, successor, before), practice)
    gone = lives.gone[row]
    same = (np.append(-1, row[:-1]) == row) & (np.append(-1, practice[:-1]) == practice)
    keep = ~same & ((start <= gone) | np.isnat(gone)) & (start <= window.last)
    row, start, practice, gone = row[keep], start[keep], practice[keep], gone[keep]
    next_same = np.append(row[1:] == row[:-1], False)
    following = np.where(next_same, np.append(start[1:], NEVER), NEVER)
    end = np.where(next_same, following, gone)
    # A few old practices never hear of the change in time: two open registrations overlap.
    late = next_same & (rng.random(row.size) < DUPLICATE_REGISTRATION)
    end = np.where(late, np.fmin(end + np.timedelta64(120, "D"), gone), end)
    end = np.where(end > window.last, NEVER, end)
    died = (end == lives.death[row]) & ~next_same
    reason = np.select([np.isnat(end), died, next_same], [-1, 0, 1], 2)
    reason = np.where((reason == 2) & (rng.random(row.size) < 0.25), 3, reason)
    temporary = rng.random(row.size) < 0.006
    return pl.DataFrame(
        {
            "person_no": first_no + row,
            "practice_code": labels(codes, practice),
            "gp_system": labels(place.practices["gp_system"].to_list(), practice),
            "valid_from": start,
            "valid_to": end,
            "end_reason": labels(("died", "transferred", "moved", "embarked"), reason),
            "registration_type": labels(("regular", "temporary"), temporary.astype(np.int64)),
            "recorded_on": start,
        }
    )


_GROUPS = tuple(names.FAMILY)
_COHORTS = ("english_old", "english_mid", "english_young")


def _name_groups(ethnicity: np.ndarray, household: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Position in the name groups (`names.FAMILY`): people of one category in one household share it."""
    matrix = np.zeros((len(ETHNIC_CATEGORIES), len(_GROUPS)))
    for i, category in enumerate(ETHNIC_CATEGORIES):
        for group, weight in names.GROUPS_BY_ETHNICITY[category].items():
            matrix[i, _GROUPS.index(group)] = weight
    draw = rng.random(len(ethnicity))[household]
    cumulative = np.cumsum(matrix, axis=1)[ethnicity]
    return (cumulative < draw[:, None] * cumulative[:, [-1]]).sum(axis=1).clip(max=len(_GROUPS) - 1)


def _draw_names(
    lists: dict[str, tuple[str, ...]], group: np.ndarray, keys: tuple[str, ...], steepness: float, rng: np.random.Generator
) -> np.ndarray:
    """A name for everybody from the list of their group, common names first; `keys` gives the list for each group number."""
    out = np.empty(len(group), dtype=object)
    for number, key in enumerate(keys):
        rows = np.flatnonzero(group == number)
        if rows.size:
            words = lists[key]
            weights = 1 / (np.arange(len(words)) + 3.0) ** steepness
            out[rows] = np.array(words, dtype=object)[pick(rng, weights, rows.size)]
    return out


def _given_names(group: np.ndarray, birth: np.ndarray, is_woman: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Given names by sex, group and, for English names, generation."""
    keys = (*_GROUPS, *_COHORTS)
    year = birth.astype("datetime64[Y]").astype(np.int64) + 1970
    english = _GROUPS.index("english")
    cohort = len(_GROUPS) + np.where(year < 1955, 0, np.where(year < 1985, 1, 2))
    # Most born here after 1985 in other groups keep their group's names; some take English ones.
    assimilated = (year > 1985) & (rng.random(len(birth)) < 0.12)
    which = np.where((group == english) | assimilated, cohort, group)
    lists_m = {**names.GIVEN_M, "english": names.GIVEN_M["english_mid"]}
    lists_f = {**names.GIVEN_F, "english": names.GIVEN_F["english_mid"]}
    men = _draw_names(lists_m, np.where(is_woman, -1, which), keys, 0.85, rng)
    women = _draw_names(lists_f, np.where(is_woman, which, -1), keys, 0.85, rng)
    return np.where(is_woman, women, men)


@dataclass
class _FamilyNames:
    now: np.ndarray
    before: np.ndarray
    changed_on: np.ndarray


def _family_names(
    group: np.ndarray, family: _Family, age: np.ndarray, is_woman: np.ndarray, window: Window, rng: np.random.Generator
) -> _FamilyNames:
    """Family names: wives mostly take the husband's (some of them in the window), children the father's, else the mother's."""
    n = len(group)
    born = _draw_names(names.FAMILY, group, _GROUPS, 0.45, rng)
    wife = is_woman & (family.partner >= 0)
    takes = wife & (rng.random(n) < np.interp(age, (25, 60), (0.5, 0.9)))
    joins = wife & ~takes & (rng.random(n) < 0.08)
    husband = born[family.partner]
    both = np.array([f"{a}-{b}" for a, b in zip(born[joins], husband[joins], strict=True)], dtype=object)
    now = np.where(takes, husband, born)
    now[joins] = both
    changed = takes | joins
    recent = changed & (age < 50) & (rng.random(n) < 0.09)
    married = np.where(
        recent, random_days(rng, window.first, window.last, n), window.first - days(rng.random(n) * 365 * np.maximum(age - 20, 1))
    )
    divorced = is_woman & ~wife & (age > 30) & (rng.random(n) < 0.12)
    now, before = now.astype(object), np.where(changed & (now != born), born, None)
    before = np.where(divorced, _draw_names(names.FAMILY, group, _GROUPS, 0.45, rng), before)
    changed_on = np.where(divorced, window.first - days(rng.random(n) * 3650), np.where(changed, married, NEVER))
    changed_on = np.where(before == None, NEVER, changed_on)  # noqa: E711 (element-wise)
    for _ in range(2):  # grandchildren take their parents' names, known only after one pass
        now = np.where(family.father >= 0, born[family.father], np.where(family.mother >= 0, now[family.mother], now))
        now = np.where(changed | divorced, np.where(takes, husband, now), now)
        now[joins] = both
    return _FamilyNames(now, np.where(before == now, None, before), np.where(before == now, NEVER, changed_on))


def _people(lives: _Lives, first_no: int, seed: int, rng: np.random.Generator) -> pl.DataFrame:
    """The `people` frame but for the columns that follow from health and use of services (see `world.make_chunk`)."""
    n, window, family, birth, is_woman = lives.n, lives.window, lives.family, lives.birth, lives.is_woman
    ethnicity, sector_only, asylum = lives.ethnicity, lives.sector_only, lives.asylum.astype(bool)
    number = first_no + np.arange(n)
    age = (window.bulk - birth).astype(np.int64) / 365.25
    group = _name_groups(ethnicity, family.household, rng)
    given = _given_names(group, birth, is_woman, rng)
    namesake = ~is_woman & (family.father >= 0) & (rng.random(n) < NAMESAKE_SONS)
    given = np.where(namesake, given[family.father], given)
    given = _different_twins(given, family.twin, group, birth, is_woman, rng)
    middle = np.where(rng.random(n) < 0.62, _given_names(group, birth, is_woman, rng), None)
    family_names = _family_names(group, family, age, is_woman, window, rng)
    superseded = _has_superseded(number, seed) & (age > 1)
    no_number = (sector_only & (rng.random(n) < 0.55)) | (asylum & ~lives.registered)
    married = family.partner >= 0
    titles = ("Mr", "Mrs", "Miss", "Ms", "Master", "Dr")
    title = np.where(is_woman, np.where(married & (age > 25), 1, np.where(age < 30, 2, 3)), np.where(age < 14, 4, 0))
    title = np.where((age > 30) & (rng.random(n) < 0.012), 5, title)
    language = labels([names.LANGUAGES.get(g) for g in _GROUPS], group)
    foreign = ~np.isin(ethnicity, [0, 1, 3, 11]) & (rng.random(n) < np.where(asylum, 0.85, 0.22))
    opted_out = rng.random(n)[family.household] < 0.035
    opted_out |= rng.random(n) < 0.02
    opt_out_on = random_days(rng, np.maximum(np.datetime64("2018-06-01"), birth), np.full(n, window.last), n)
    dissent = rng.random(n) < 0.025
    dissent_on = random_days(rng, np.maximum(np.datetime64("2014-01-01"), birth), np.full(n, window.last), n)
    withdraws = dissent & (rng.random(n) < 0.08)
    withdrawn_on = np.where(rng.random(n) < 0.1, dissent_on, np.minimum(dissent_on + days(rng.exponential(500, n)), window.last))
    given_series, family_series = (
        pl.Series(given.tolist(), dtype=pl.String),
        pl.Series(family_names.now.tolist(), dtype=pl.String),
    )
    frame = pl.DataFrame(
        {
            "person_no": number,
            "sex": labels(("M", "F"), is_woman.astype(np.int64)),
            "birth_date": birth,
            "death_date": lives.death,
            "title": labels(titles, title),
            "given_name": given_series,
            "middle_names": pl.Series(middle.tolist(), dtype=pl.String),
            "family_name": family_series,
            "previous_family_name": pl.Series(family_names.before.tolist(), dtype=pl.String),
            "family_name_changed_on": family_names.changed_on,
            "ethnic_category_code": labels((*ETHNIC_CATEGORIES, "Z"), np.where(rng.random(n) < 0.02, 16, ethnicity)),
            "nhs_number": nullable(~no_number, nhs_numbers(current_index(number), seed)),
            "superseded_nhs_number": nullable(superseded & ~no_number, nhs_numbers(superseded_index(number), seed)),
            "superseded_on": np.where(superseded & ~no_number, random_days(rng, window.first, window.last, n), NEVER),
            "household_no": first_no + family.household,
            "twin_of": nullable(family.twin >= 0, first_no + family.twin),
            "mother_no": nullable(family.mother >= 0, first_no + family.mother),
            "main_language_code": nullable(foreign, language).fill_null("en"),
            "is_test_patient": rng.random(n) < 0.0003,
            "known_to_gp": lives.registered,
            "national_data_opt_out_on": np.where(opted_out, opt_out_on, NEVER),
            "type1_dissent_on": np.where(dissent, dissent_on, NEVER),
            "type1_withdrawal_on": np.where(withdraws, withdrawn_on, NEVER),
            "is_sensitive": rng.random(n) < 0.0015,
            "is_asylum_seeker": asylum,
            "is_homeless_ever": ~np.isnat(lives.homeless_from),
            "homeless_from": lives.homeless_from,
            "homeless_to": lives.homeless_to,
            "recorded_on": lives.arrival,
        }
    )
    return frame.with_columns(*_contacts(frame, age, family.household, rng))


def _different_twins(
    given: np.ndarray, twin: np.ndarray, group: np.ndarray, birth: np.ndarray, is_woman: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Twins have two given names: the second of a pair that drew one name twice draws again."""
    pair = (twin >= 0) & (given == given[twin]) & (np.arange(len(given)) > twin)
    again = _given_names(group, birth, is_woman, rng)
    given = np.where(pair, again, given)
    return np.where(
        (twin >= 0) & (given == given[twin]) & (np.arange(len(given)) > twin), given[np.roll(np.arange(len(given)), 1)], given
    )


def _has_superseded(number: np.ndarray, seed: int) -> np.ndarray:
    """One person in every group of `PEOPLE_PER_SPARE` once had another NHS number."""
    return number % PEOPLE_PER_SPARE == (number // PEOPLE_PER_SPARE * 7919 + seed) % PEOPLE_PER_SPARE


def _contacts(frame: pl.DataFrame, age: np.ndarray, household: np.ndarray, rng: np.random.Generator) -> list[pl.Series | pl.Expr]:
    """Telephones and e-mail. Numbers begin 06, a range that the United Kingdom does not use."""
    n = frame.height
    mobile = pl.Series(600_0000000 + (frame["person_no"].to_numpy() * 7_368_787 + 11) % 99_999_989).cast(pl.String)
    home = pl.Series(620_0000000 + (frame["household_no"].to_numpy() * 5_868_313 + 7) % 99_999_989).cast(pl.String)
    # Parents' telephones serve for children, and sometimes within couples.
    shared = (age < 16) | (rng.random(n) < 0.04)
    own = pl.Series(np.where(shared, household, np.arange(n)))
    has_mobile = rng.random(n) < np.interp(age, (0, 18, 70, 90), (0.8, 0.93, 0.85, 0.4))
    has_home = (rng.random(n) < np.interp(age, (20, 70), (0.25, 0.85)))[household]
    has_email = (rng.random(n) < np.interp(age, (15, 18, 70, 90), (0.05, 0.75, 0.6, 0.15))) & (age > 12)
    local = (
        pl.concat_str(pl.col("given_name"), pl.lit("."), pl.col("family_name")).str.to_lowercase().str.replace_all(r"[^a-z.]", "")
    )
    suffix = (pl.col("person_no") % 9973).cast(pl.String)
    return [
        nullable(has_mobile, "0" + mobile.gather(own)).alias("mobile_phone"),
        nullable(has_home, "0" + home).alias("home_phone"),
        pl.when(pl.Series(has_email)).then(pl.concat_str(local, suffix, pl.lit("@example.org"))).alias("email"),
    ]
