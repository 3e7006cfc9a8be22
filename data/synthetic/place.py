"""The fictional place: its small areas, postcodes and organisations. Nothing here exists.

Every name is marked "(fictional)" and every code has the right shape but lies outside what has been issued: LSOAs are
`E0199xxxx`, postcodes begin `ZX` (no such area; `ZZ99` is the sentinel range and is not used for homes), practices are `T99xxx`.
The shape of the place does not depend on the number of people, so that it can be read without generating anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

#: 2001 ethnic categories in the order of `lsoas.ethnic_shares`.
ETHNIC_CATEGORIES = ("A", "B", "C", "D", "E", "F", "G", "H", "J", "K", "L", "M", "N", "P", "R", "S")

DOMAINS = ("income", "employment", "education", "health", "crime", "housing", "environment")

#: LSOAs in England in the 2021 geography; ranks of the fictional LSOAs are spread over it.
N_ENGLAND_LSOAS = 33_755

_LETTERS = np.array(list("ABDEFGHJLNPQRSTUWXYZ"))  # letters allowed in the inward part of a postcode
_BOROUGHS = (
    ("E09000098", "998", "Northmere (fictional)", "London Borough of Northmere (fictional)", "Northmere"),
    ("E09000099", "999", "Southfold (fictional)", "London Borough of Southfold (fictional)", "Southfold"),
)
_WARDS = (
    "Abbey Cross", "Alder Bank", "Beacon Hill", "Birch End", "Bridge Street", "Canal Side", "Cherry Orchard", "Clay Pits",
    "Dock Row", "Elm Park", "Fair Meadow", "Garden Village", "Harbour", "High Cross", "Kiln Lane", "Lark Rise",
    "Market", "Mill Brook", "Old Town", "Priory", "Quarry Hill", "Station", "Tannery", "West Common",
)  # fmt: skip
_PRACTICE_NAMES = (
    "Alder", "Beech", "Bridge", "Brook", "Canal", "Cedar", "Chapel", "Cherry", "Church", "Clover", "Dale", "Elm",
    "Fern", "Field", "Forge", "Garden", "Grange", "Grove", "Hawthorn", "Hazel", "Heath", "Holly", "Ivy", "Juniper",
    "Kiln", "Larch", "Laurel", "Lime", "Linden", "Manor", "Maple", "Meadow", "Mill", "Oak", "Orchard", "Park",
    "Pine", "Poplar", "Priory", "Quarry", "Rowan", "Spring", "Sycamore", "Thorn", "Vale", "Well", "Willow", "Yew",
)  # fmt: skip
_STREETS = (
    "Acacia", "Albert", "Alma", "Ash", "Bank", "Baker", "Barn", "Bell", "Bishop", "Brewery", "Byron", "Carlton", "Castle",
    "Chestnut", "Clarence", "College", "Coronation", "Cross", "Duke", "East", "Factory", "Forest", "George", "Gladstone",
    "Green", "Hamilton", "Hill", "Howard", "James", "Jubilee", "King", "Lancaster", "Lincoln", "London", "Lower", "Market",
    "Milton", "New", "Nelson", "North", "Osborne", "Palmerston", "Queen", "Regent", "River", "Rose", "Salisbury", "School",
    "Shelley", "South", "Stanley", "Station", "Tennyson", "Union", "Upper", "Victoria", "Water", "Wellington", "York",
)  # fmt: skip
_STREET_KINDS = ("Road", "Street", "Avenue", "Lane", "Close", "Way", "Terrace", "Gardens")

#: The practice that left one PCN for another, the one that closed, and where its patients went.
MOVED_PRACTICE = "T99011"
MOVED_ON = date(2025, 4, 1)
CLOSED_PRACTICE = "T99048"
CLOSED_ON = date(2024, 9, 30)
SUCCESSOR_PRACTICE = "T99047"
#: The practice planted as a true outlier (see `care.OUTLIER_EMERGENCY_RATIO`).
OUTLIER_PRACTICE = "T99017"
#: The local care partnership whose proactive care team is the planted intervention.
INTERVENTION_LCP = "LCP02"


@dataclass(frozen=True)
class Place:
    """The fictional integrated care system. One row per thing named by each frame; codes join the frames.

    * `boroughs`: borough_code (`E09…`), council_code (three digits, as client level data has it), name, council_name, town
    * `wards`: ward_code, name, borough_code. `lsoas`: lsoa_code (2021), lsoa_2011_code, name, borough_code, ward_code, msoa_code,
      msoa_name, imd_score, imd_rank, imd_decile (1 = most deprived), `<domain>_decile` for each of `DOMAINS`,
      ethnic_shares (list, in the order of `ETHNIC_CATEGORIES`, sums to 1), population_weight (sums to 1), easting, northing
    * `postcodes`: postcode (`ZX1 1AA`), lsoa_code, lsoa_2011_code, ward_code, msoa_code, borough_code, street, locality, town,
      easting, northing, latitude, longitude, introduced_on, terminated_on (NULL while live)
    * `pcns`: pcn_code, name, borough_code, sub_icb_code, open_date. `lcps`: lcp_code, name (they cut across PCNs)
    * `practices`: practice_code, name, gp_system (emis, systmone), organisation_guid (EMIS only), borough_code,
      pcn_code (today's), lcp_code, lsoa_code, address_1, address_2, town, postcode, phone, open_date, close_date,
      successor_code, list_weight
    * `practice_pcns`: practice_code, pcn_code, valid_from, valid_to (NULL: current)
    * `catchments`: lsoa_code, practice_code, weight (sums to 1 within an LSOA): where people of an LSOA register
    * `providers`: provider_code, name, provider_type (acute, community, mental_health), address_1, town, postcode, open_date
    * `sites`: site_code, provider_code, name, site_type (hospital, urgent_treatment_centre, health_centre, mental_health_unit),
      has_emergency_department, borough_code, postcode
    * `care_homes`: care_home_no, name, cqc_location_id, has_nursing, uprn, house, street, town, postcode, lsoa_code, borough_code
    * `hostels`: hostel_no, name, uprn, house, street, town, postcode, lsoa_code, borough_code
    * `voluntary_services`: service_code, name, need (homelessness, asylum, drug_and_alcohol), borough_code, postcode
    """

    icb_code: str
    icb_name: str
    sub_icb_code: str
    sub_icb_name: str
    boroughs: pl.DataFrame
    wards: pl.DataFrame
    lsoas: pl.DataFrame
    postcodes: pl.DataFrame
    pcns: pl.DataFrame
    lcps: pl.DataFrame
    practices: pl.DataFrame
    practice_pcns: pl.DataFrame
    catchments: pl.DataFrame
    providers: pl.DataFrame
    sites: pl.DataFrame
    care_homes: pl.DataFrame
    hostels: pl.DataFrame
    voluntary_services: pl.DataFrame


def make_place(seed: int) -> Place:
    """The place for a seed: the same frames, in the same order, every time."""
    rng = np.random.default_rng([seed, 0x504C4143])
    boroughs = pl.DataFrame(_BOROUGHS, schema=["borough_code", "council_code", "name", "council_name", "town"], orient="row")
    wards = _wards()
    lsoas = _lsoas(wards, rng)
    postcodes = _postcodes(lsoas, boroughs, rng)
    pcns = _pcns()
    practices = _practices(lsoas, postcodes, rng)
    return Place(
        icb_code="QZZ",
        icb_name="NHS Mereside Integrated Care Board (fictional)",
        sub_icb_code="99Z",
        sub_icb_name="NHS Mereside ICB - 99Z (fictional)",
        boroughs=boroughs,
        wards=wards,
        lsoas=lsoas,
        postcodes=postcodes,
        pcns=pcns,
        lcps=_lcps(),
        practices=practices,
        practice_pcns=_practice_pcns(practices),
        catchments=_catchments(lsoas, practices),
        providers=_providers(postcodes, rng),
        sites=_sites(postcodes, rng),
        care_homes=_institutions(postcodes, rng, 40, 1, "care_home_no"),
        hostels=_institutions(postcodes, rng, 6, 2, "hostel_no"),
        voluntary_services=_voluntary_services(postcodes, rng),
    )


def _wards() -> pl.DataFrame:
    """24 wards, half to each borough."""
    return pl.DataFrame(
        {
            "ward_code": [f"E05099{i + 1:03d}" for i in range(len(_WARDS))],
            "name": [f"{name} (fictional)" for name in _WARDS],
            "borough_code": [_BOROUGHS[i * 2 // len(_WARDS)][0] for i in range(len(_WARDS))],
        }
    )


#: Ethnic mix of kinds of area, in the order of ETHNIC_CATEGORIES (shares in per cent).
_MIXES = {
    "suburban": (76, 2, 7, 1, 0.5, 1, 1, 3, 1, 0.5, 2, 1, 2, 0.5, 1, 0.5),
    "mixed": (50, 2.5, 12, 2, 1, 1.5, 1.5, 6, 3, 2, 4, 4, 6, 1.5, 1.5, 1.5),
    "south_asian": (28, 1, 8, 1, 0.5, 1.5, 1, 17, 18, 10, 5, 2, 4, 1, 1, 1),
    "black_african_caribbean": (32, 2, 9, 4, 2, 1, 2, 3, 2, 2, 3, 12, 18, 5, 1, 2),
    "east_european": (48, 2, 26, 1.5, 1, 1, 1.5, 4, 3, 1, 3, 2, 3, 1, 1, 1),
}


def _lsoas(wards: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """240 LSOAs, ten to a ward, five to an MSOA. Neighbours resemble each other in deprivation and in ethnicity."""
    per_ward, n_wards = 10, wards.height
    n = per_ward * n_wards
    ward = np.repeat(np.arange(n_wards), per_ward)
    kind = np.array(list(_MIXES))[np.arange(n_wards) % len(_MIXES)]
    mixes = np.array([_MIXES[k] for k in kind])[ward]
    shares = rng.dirichlet(np.ones(len(ETHNIC_CATEGORIES)), n) * 6 + mixes
    shares /= shares.sum(axis=1, keepdims=True)
    poverty = rng.normal(0, 0.9, n_wards)[ward] + rng.normal(0, 0.7, n) + np.where(kind[ward] == "suburban", -0.7, 0.35)
    rank = _spread_ranks(poverty)
    grid = np.stack(
        [(ward % 6) * 1500 + (np.arange(n) % per_ward % 5) * 300, (ward // 6) * 1500 + (np.arange(n) % 10 // 5) * 700]
    )
    ward_names = wards["name"].to_numpy()[ward]
    columns: dict[str, object] = {
        "lsoa_code": [f"E0199{i + 1:04d}" for i in range(n)],
        # One in eight pairs of LSOAs was a single LSOA in 2011.
        "lsoa_2011_code": [f"E0199{i + 1:04d}" if (i // 2) % 8 else f"E0198{i // 2 * 2 + 1:04d}" for i in range(n)],
        "name": [f"{name.removesuffix(' (fictional)')} {i % per_ward + 1:03d}A (fictional)" for i, name in enumerate(ward_names)],
        "borough_code": wards["borough_code"].to_numpy()[ward],
        "ward_code": wards["ward_code"].to_numpy()[ward],
        "msoa_code": [f"E0299{i // 5 + 1:04d}" for i in range(n)],
        "msoa_name": [f"Mereside {i // 5 + 1:03d} (fictional)" for i in range(n)],
        "imd_score": np.round(5 + 60 * (1 - rank / N_ENGLAND_LSOAS) ** 2, 3),
        "imd_rank": rank,
        "imd_decile": _deciles(rank),
    }
    for domain in DOMAINS:
        columns[f"{domain}_decile"] = _deciles(_spread_ranks(poverty + rng.normal(0, 0.5, n)))
    weight = rng.uniform(0.8, 1.25, n)
    columns |= {
        "ethnic_shares": shares.tolist(),
        "population_weight": weight / weight.sum(),
        "easting": 900_000 + grid[0],
        "northing": 900_000 + grid[1],
    }
    return pl.DataFrame(columns)


def _spread_ranks(poverty: np.ndarray) -> np.ndarray:
    """Ranks among England's LSOAs, 1 the poorest, leaning to the poorer half as inner-city places do."""
    position = poverty.argsort()[::-1].argsort() / len(poverty)
    return (1 + position**1.25 * (N_ENGLAND_LSOAS - 2)).astype(np.int64)


def _deciles(rank: np.ndarray) -> np.ndarray:
    return 1 + (rank - 1) * 10 // N_ENGLAND_LSOAS


def _postcodes(lsoas: pl.DataFrame, boroughs: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """50 postcodes to an LSOA; the outward code is the ward's, and two in fifty have been terminated."""
    per_lsoa = 50
    n = lsoas.height * per_lsoa
    lsoa = np.repeat(np.arange(lsoas.height), per_lsoa)
    ward = lsoa // 10
    in_ward = np.arange(n) % (per_lsoa * 10)
    letters = len(_LETTERS)
    inward = [
        f"{i // letters**2 % 9 + 1}{_LETTERS[i // letters % letters]}{_LETTERS[i % letters]}" for i in (in_ward * 7 + 3).tolist()
    ]
    towns = dict(zip(boroughs["borough_code"], boroughs["town"], strict=True))
    borough = lsoas["borough_code"].to_numpy()[lsoa]
    street = rng.integers(0, len(_STREETS), n)
    kind = rng.integers(0, len(_STREET_KINDS), n)
    easting = lsoas["easting"].to_numpy()[lsoa] + rng.integers(-150, 150, n)
    northing = lsoas["northing"].to_numpy()[lsoa] + rng.integers(-350, 350, n)
    opened = np.datetime64("1980-01-01") + rng.integers(0, 9000, n).astype("timedelta64[D]")
    terminated = np.where(np.arange(n) % per_lsoa >= per_lsoa - 2, np.datetime64("2019-06-01"), np.datetime64("NaT"))
    return pl.DataFrame(
        {
            "postcode": [f"ZX{w + 1} {code}" for w, code in zip(ward.tolist(), inward, strict=True)],
            "lsoa_code": lsoas["lsoa_code"].to_numpy()[lsoa],
            "lsoa_2011_code": lsoas["lsoa_2011_code"].to_numpy()[lsoa],
            "ward_code": lsoas["ward_code"].to_numpy()[lsoa],
            "msoa_code": lsoas["msoa_code"].to_numpy()[lsoa],
            "borough_code": borough,
            "street": [f"{_STREETS[s]} {_STREET_KINDS[k]}" for s, k in zip(street.tolist(), kind.tolist(), strict=True)],
            "locality": [_WARDS[w] for w in ward.tolist()],
            "town": [towns[code] for code in borough.tolist()],
            "easting": easting,
            "northing": northing,
            # Out at sea, so that no point of a map falls on anybody's home.
            "latitude": np.round(49.0 + (northing - 900_000) / 111_000, 6),
            "longitude": np.round(-8.0 + (easting - 900_000) / 73_000, 6),
            "introduced_on": opened.astype("datetime64[D]"),
            "terminated_on": terminated.astype("datetime64[D]"),
        }
    )


def _pcns() -> pl.DataFrame:
    names = ("Abbey", "Beacon", "Canal", "Dockside", "Elm", "Fairway", "Harbour", "Kiln", "Market", "Priory", "Quarry", "Tannery")
    return pl.DataFrame(
        {
            "pcn_code": [f"U999{i + 1:02d}" for i in range(12)],
            "name": [f"{name} Primary Care Network (fictional)" for name in names],
            "borough_code": [_BOROUGHS[i // 6][0] for i in range(12)],
            "sub_icb_code": ["99Z"] * 12,
            "open_date": [date(2019, 7, 1)] * 12,
        }
    )


def _lcps() -> pl.DataFrame:
    names = ("Riverside", "Hillside", "Old Town", "New Quarter", "Commons")
    return pl.DataFrame(
        {
            "lcp_code": [f"LCP{i + 1:02d}" for i in range(5)],
            "name": [f"{name} Local Care Partnership (fictional)" for name in names],
        }
    )


def _practices(lsoas: pl.DataFrame, postcodes: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """48 practices, two to a ward and four to a PCN; PCNs follow wards, local care partnerships do not."""
    n = 48
    index = np.arange(n)
    lsoa = index * 5 + 2
    home = postcodes.filter(pl.col("terminated_on").is_null()).group_by("lsoa_code", maintain_order=True).first()
    address = lsoas[lsoa.tolist()].select("lsoa_code", "borough_code").join(home.drop("borough_code"), on="lsoa_code", how="left")
    codes = [f"T99{i + 1:03d}" for i in range(n)]
    is_emis = np.array([(i * 5 + i // 4) % 2 == 0 for i in range(n)])
    guids = [f"{{{v.hex()[:8]}-{v.hex()[8:12]}-{v.hex()[12:16]}-{v.hex()[16:20]}-{v.hex()[20:32]}}}".upper()
             for v in (rng.bytes(16) for _ in range(n))]  # fmt: skip
    pcn = [f"U999{i // 4 + 1:02d}" for i in range(n)]
    pcn[codes.index(MOVED_PRACTICE)] = "U99904"
    return pl.DataFrame(
        {
            "practice_code": codes,
            "name": [f"{name} {('Surgery', 'Medical Centre', 'Health Centre')[i % 3]} (fictional)"
                     for i, name in enumerate(_PRACTICE_NAMES)],
            "gp_system": np.where(is_emis, "emis", "systmone"),
            "organisation_guid": [guid if emis else None for guid, emis in zip(guids, is_emis.tolist(), strict=True)],
            "borough_code": address["borough_code"],
            "pcn_code": pcn,
            "lcp_code": [f"LCP{i % 5 + 1:02d}" for i in range(n)],
            "lsoa_code": address["lsoa_code"],
            "address_1": [f"{i + 1} {street}" for i, street in enumerate(address["street"])],
            "address_2": address["locality"],
            "town": address["town"],
            "postcode": address["postcode"],
            "phone": [f"020 7946 0{i:03d}" for i in range(n)],
            "open_date": [date(1974, 4, 1)] * n,
            "close_date": [CLOSED_ON if code == CLOSED_PRACTICE else None for code in codes],
            "successor_code": [SUCCESSOR_PRACTICE if code == CLOSED_PRACTICE else None for code in codes],
            "list_weight": rng.uniform(0.6, 1.6, n),
        },
        schema_overrides={"close_date": pl.Date},
    )  # fmt: skip


def _practice_pcns(practices: pl.DataFrame) -> pl.DataFrame:
    current = practices.select(
        "practice_code",
        "pcn_code",
        pl.when(practice_code=MOVED_PRACTICE).then(MOVED_ON).otherwise(date(2019, 7, 1)).alias("valid_from"),
        pl.col("close_date").alias("valid_to"),
    )
    before = pl.DataFrame(
        {
            "practice_code": [MOVED_PRACTICE],
            "pcn_code": ["U99903"],
            "valid_from": [date(2019, 7, 1)],
            "valid_to": [date(2025, 3, 31)],
        }
    )
    return pl.concat([current, before]).sort("practice_code", "valid_from")


def _catchments(lsoas: pl.DataFrame, practices: pl.DataFrame) -> pl.DataFrame:
    """Practices within reach of each LSOA, weighted by distance and list; distance knows no borough boundary."""
    where = practices.join(lsoas.select("lsoa_code", "easting", "northing"), on="lsoa_code", how="left")
    dx = lsoas["easting"].to_numpy()[:, None] - where["easting"].to_numpy()
    dy = lsoas["northing"].to_numpy()[:, None] - where["northing"].to_numpy()
    weight = np.exp(-np.hypot(dx, dy) / 700) * where["list_weight"].to_numpy()
    weight[weight < np.sort(weight, axis=1)[:, [-6]]] = 0
    weight /= weight.sum(axis=1, keepdims=True)
    row, column = weight.nonzero()
    return pl.DataFrame(
        {
            "lsoa_code": lsoas["lsoa_code"].to_numpy()[row],
            "practice_code": practices["practice_code"].to_numpy()[column],
            "weight": weight[row, column],
        }
    )


def _somewhere(postcodes: pl.DataFrame, rng: np.random.Generator, n: int) -> pl.DataFrame:
    """`n` different live postcodes."""
    live = postcodes.filter(pl.col("terminated_on").is_null())
    return live[np.sort(rng.choice(live.height, n, replace=False)).tolist()]


def _providers(postcodes: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    where = _somewhere(postcodes, rng, 4)
    return pl.DataFrame(
        {
            "provider_code": ["RZA", "RZB", "RZC", "RZM"],
            "name": [
                "Northmere University Hospitals NHS Trust (fictional)",
                "Southfold General Hospitals NHS Trust (fictional)",
                "Mereside Community Health NHS Trust (fictional)",
                "Mereside Mental Health NHS Trust (fictional)",
            ],
            "provider_type": ["acute", "acute", "community", "mental_health"],
            "address_1": where["street"],
            "town": where["town"],
            "postcode": where["postcode"],
            "open_date": [date(1993, 4, 1), date(1994, 4, 1), date(2011, 4, 1), date(2002, 4, 1)],
        }
    )


def _sites(postcodes: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    rows = [
        ("RZA01", "RZA", "Northmere Royal Hospital (fictional)", "hospital", True),
        ("RZA02", "RZA", "Canal Side Hospital (fictional)", "hospital", False),
        ("RZA0U", "RZA", "Old Town Urgent Treatment Centre (fictional)", "urgent_treatment_centre", True),
        ("RZB01", "RZB", "Southfold General Hospital (fictional)", "hospital", True),
        ("RZB0U", "RZB", "Market Urgent Treatment Centre (fictional)", "urgent_treatment_centre", True),
        ("RZC01", "RZC", "Elm Health Centre (fictional)", "health_centre", False),
        ("RZC02", "RZC", "Priory Health Centre (fictional)", "health_centre", False),
        ("RZM01", "RZM", "Beacon Unit (fictional)", "mental_health_unit", False),
        ("RZM02", "RZM", "Larkfield House (fictional)", "mental_health_unit", False),
    ]
    where = _somewhere(postcodes, rng, len(rows))
    columns = ["site_code", "provider_code", "name", "site_type", "has_emergency_department"]
    return pl.DataFrame(rows, schema=columns, orient="row").hstack(where.select("borough_code", "postcode"))


def _institutions(postcodes: pl.DataFrame, rng: np.random.Generator, n: int, kind: int, key: str) -> pl.DataFrame:
    """Care homes (`kind` 1) or hostels (2): one address and one UPRN each, shared by all who live there."""
    where = _somewhere(postcodes, rng, n)
    noun = "Lodge" if kind == 1 else "Hostel"
    frame = pl.DataFrame(
        {
            key: np.arange(n),
            "name": [f"{_WARDS[i % 24]} {noun} {i // 24 + 1} (fictional)" for i in range(n)],
            "uprn": [f"{990_000_000_000 + kind * 1_000_000 + i}" for i in range(n)],
            "house": [f"{_WARDS[i % 24]} {noun}" for i in range(n)],
        }
    ).hstack(where.select("street", "locality", "town", "postcode", "lsoa_code", "borough_code"))
    if kind == 1:
        frame = frame.with_columns(
            pl.Series("cqc_location_id", [f"1-9990{i:05d}" for i in range(n)]), pl.Series("has_nursing", np.arange(n) % 5 < 2)
        )
    return frame


def _voluntary_services(postcodes: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    rows = [
        ("VS001", "The Open Door day centre (fictional)", "homelessness"),
        ("VS002", "Safe Harbour asylum and refugee support (fictional)", "asylum"),
        ("VS003", "Turning Tide drug and alcohol service (fictional)", "drug_and_alcohol"),
    ]
    where = _somewhere(postcodes, rng, len(rows))
    return pl.DataFrame(rows, schema=["service_code", "name", "need"], orient="row").hstack(
        where.select("borough_code", "postcode")
    )
