"""Identity records of made-up people, with known truth, in the fixed shape of the identity files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import polars as pl

from linkage.standardise import IDENTITY_COLUMNS

_POLARS = {
    "varchar": pl.String,
    "uuid": pl.String,
    "integer": pl.Int32,
    "boolean": pl.Boolean,
    "date": pl.Date,
    "varchar[]": pl.List(pl.String),
}

_WORDS = {
    "m": """Oliver George Arthur Noah Muhammad Leo Harry Oscar Archie Henry Theodore Freddie Jack Charlie William James Thomas
        David Daniel Samuel Ibrahim Yusuf Hassan Ahmed Kofi Kwame Jakub Piotr Andrei Mihai Rajesh Arjun Wei Jun Tariq Bilal""",
    "f": """Olivia Amelia Isla Ava Ivy Freya Lily Florence Mia Willow Sophie Grace Emily Elizabeth Margaret Patricia Susan
        Catherine Aisha Fatima Maryam Zainab Ama Abena Zofia Elena Ioana Priya Ananya Mei Ling Nadia Sana Bronwen Niamh""",
    "family": """Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Wright Khan Ahmed Begum Ali Hussain Walker White
        Hall Wood Harris Lewis Martin Jackson Clarke Clark Turner Hill Scott Cooper Morris Ward Moore King Watson Baker Grant
        Morgan Evans Kowalski Nowak Popescu Ionescu Mensah Osei Okafor Adeyemi Singh Kaur Sharma Chen Wang Nguyen Silva Santos
        Rossi Murphy Kelly Byrne Doyle Fraser Munro Haddad Rahman Chowdhury Hossain Yilmaz Demir Abdi Warsame Tesfaye""",
    "syllable": "ba be bo da de do fa fe ga go ha he ka ke ko la le lo ma me mo na ne no pa pe ra re ro sa se so ta te to va ve",
    "ending": "n ris ton ski ovic dze ley",
}
_LISTS = {kind: words.split() for kind, words in _WORDS.items()}

# source -> table, share of people, share without a number, share of fields with an error, what the source knows
SOURCES = {
    "demographics_pds": ("pds_person", 0.97, 0.0, 0.001, "names uprn"),
    "gp_emis": ("admin_patient", 0.96, 0.002, 0.005, "names middle contacts"),
    "acute_sus": ("apc", 0.5, 0.01, 0.02, "names_without_number status"),
    "mental_health_mhsds": ("mhs001_mpi", 0.1, 0.03, 0.02, "status"),
    "social_care_cld": ("client_level_data", 0.12, 0.15, 0.02, ""),
    "housing": ("tenancy", 0.14, 0.6, 0.05, "names uprn contacts"),
    "voluntary_sector": ("referral", 0.08, 0.7, 0.06, "names contacts"),
}


def nhs_numbers(count: int, start: int = 0) -> list[str]:
    """Valid never-issued numbers, in order."""
    base = np.arange(500_000_000 + start, 500_000_000 + start + 2 * count + 40)
    digits = (base[:, None] // 10 ** np.arange(8, -1, -1)) % 10
    check = (11 - (digits * np.arange(10, 1, -1)).sum(axis=1) % 11) % 11
    valid = check < 10
    return [f"{b}{c}" for b, c in zip(base[valid][:count], check[valid][:count], strict=True)]


@dataclass(frozen=True)
class Place:
    """Identity rows and who each record really is."""

    rows: pl.DataFrame
    truth: pl.DataFrame  # record_token, person_no


def frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    """Identity rows from dictionaries; what is not given is NULL, and the load is the first."""
    schema = {name: _POLARS[dtype] for name, dtype in IDENTITY_COLUMNS.items()}
    filled = [{"load_seq": 1, "is_deleted": False, "table_name": "patient", **row} for row in rows]
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in filled], schema=schema)


def write(rows: pl.DataFrame, identity_dir: Path) -> None:
    """Write rows as landing does: one file a source, table and load."""
    for (source, table, load), part in rows.partition_by(["source", "table_name", "load_seq"], as_dict=True).items():
        path = identity_dir / str(source) / str(table) / f"{load:08d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_parquet(path)


def token(number: int) -> str:
    """A record token that is stable and looks random, as a keyed hash does."""
    return str(UUID(int=(number * 0x9E3779B97F4A7C15F39CC0605CEDC835 + 0x5851F42D4C957F2D) % (1 << 128)))


def make_place(n_people: int, seed: int = 7, withheld: float = 0.0) -> Place:
    """A place of households with twins (3 %), namesake parents and children (2 %), and the errors each source makes.

    `withheld` is the share of the numbers that suppliers other than PDS know and do not send.
    """
    rng = np.random.default_rng(seed)
    people = _people(n_people, rng)
    rows: list[dict[str, object]] = []
    truth: list[tuple[str, int]] = []
    for source, (table, share, missing, error, knows) in SOURCES.items():
        no_number = missing if source == "demographics_pds" else missing + (1 - missing) * withheld
        chosen = np.flatnonzero(rng.random(n_people) < share)
        for person in chosen.tolist():
            record = _record(people[person], source, table, rng, no_number, error, knows.split())
            record["record_token"] = token(len(rows))
            truth.append((str(record["record_token"]), person))
            rows.append(record)
    return Place(frame(rows), pl.DataFrame(truth, schema=["record_token", "person_no"], orient="row"))


def _people(n: int, rng: np.random.Generator) -> list[dict[str, object]]:
    numbers = nhs_numbers(n)
    syllables, endings = _LISTS["syllable"], _LISTS["ending"]
    rare = np.array([a + b + c for a in syllables for b in syllables for c in endings])
    people: list[dict[str, object]] = []
    household: dict[str, object] = {}
    for i in range(n):
        if i % 3 == 0:
            street = int(rng.integers(0, max(n // 40, 5)))
            sector = f"{'AB'[street % 2]}{'XYZ'[street % 3]}{street // 60 % 90 + 1} {street % 9 + 1}"
            household = {
                "postcode": f"{sector}{'ABDEFGHJLN'[street // 9 % 10]}{'PQRSTUWXYZ'[street // 90 % 10]}",
                "uprn": str(10_000_000 + i),
                "family_name": str(rng.choice(rare) if rng.random() < 0.45 else rng.choice(_LISTS["family"])).capitalize(),
                "home": f"01632{960000 + i % 10000:06d}"[:11],
            }
        sex = "mf"[int(rng.integers(0, 2))]
        person = {
            "nhs_number": numbers[i],
            "sex": sex.upper(),
            "given_name": str(rng.choice(_LISTS[sex])),
            "middle_names": str(rng.choice(_LISTS[sex])) if rng.random() < 0.6 else None,
            "birth_date": date(1930, 1, 1) + timedelta(days=int(rng.integers(0, 34_000))),
            "mobile": f"07{rng.integers(100_000_000, 999_999_999)}",
            "email": f"p{i}.{rng.integers(100, 999)}@example.org" if rng.random() < 0.6 else None,
            **household,
        }
        luck = rng.random()
        if i % 3 == 1 and luck < 0.09:  # twin of the household's first member
            person["birth_date"] = people[i - 1]["birth_date"]
            person["given_name"] = str(rng.choice([g for g in _LISTS[sex] if g != people[i - 1]["given_name"]]))
        elif i % 3 == 1 and luck < 0.15 and people[i - 1]["birth_date"].year < 1985:  # child with the parent's name
            parent = people[i - 1]
            person |= {"given_name": parent["given_name"], "sex": parent["sex"]}
            person["birth_date"] = parent["birth_date"] + timedelta(days=int(rng.integers(7_500, 13_000)))
        people.append(person)
    return people


def _record(
    person: dict[str, object], source: str, table: str, rng: np.random.Generator, no_number: float, error: float, knows: list[str]
) -> dict[str, object]:
    has_number = rng.random() >= no_number
    names_known = "names" in knows or ("names_without_number" in knows and not has_number)
    record: dict[str, object] = {
        "source": source,
        "table_name": table,
        "nhs_number": person["nhs_number"] if has_number else None,
        "nhs_number_status": ("01" if has_number else "07") if "status" in knows else None,
        "given_name": person["given_name"] if names_known else None,
        "middle_names": person["middle_names"] if "middle" in knows else None,
        "family_name": person["family_name"] if names_known else None,
        "birth_date": person["birth_date"],
        "sex": person["sex"],
        "postcode": person["postcode"],
        "uprn": person["uprn"] if "uprn" in knows else None,
        "phones": [person["mobile"]] if "contacts" in knows and rng.random() < 0.7 else None,
        "email": person["email"] if "contacts" in knows and rng.random() < 0.5 else None,
    }
    for field in ("given_name", "family_name", "birth_date", "postcode", "nhs_number"):
        if rng.random() < error:
            record[field] = _spoil(record, field, rng)
    return record


def _spoil(record: dict[str, object], field: str, rng: np.random.Generator) -> object:
    value = record[field]
    if value is None or (field == "postcode" and rng.random() < 0.3):
        return None
    if isinstance(value, date):
        if value.day <= 12 and rng.random() < 0.5:
            return date(value.year, value.day, value.month)
        return value.replace(day=int(rng.integers(1, 29)))
    text = str(value)
    place = int(rng.integers(0, len(text)))
    if field == "nhs_number":
        return text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
    return text[:place] + chr(ord("a") + int(rng.integers(0, 26))) + text[place + 1 :]
