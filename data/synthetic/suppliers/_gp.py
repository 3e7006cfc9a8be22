"""What the two GP suppliers share: patient records, their state on a day, ids made from hashes, and what differs between nights.

A patient record is one person at one practice. Now and then a practice holds two records of one person.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np
import polars as pl
import pyarrow as pa

from synthetic import dirt
from synthetic.emission import Emission, csv_part
from synthetic.place import Place
from synthetic.world_schema import Chunk, Delivery, Part

#: About one record in a thousand has a second record of the same person beside it.
_DUPLICATE_ONE_IN = 1_000

# What a hash is made for: equal keys give different ids for different things.
PATIENT, CODE, MEASUREMENT, MEDICATION, CONSULTATION, APPOINTMENT, SESSION = range(7)
DRUG, ADDRESS, CONTACT, REGISTRATION, STAFF, LEAVER = range(7, 13)

_HEX = np.frombuffer("".join(f"{i:02X}" for i in range(256)).encode(), dtype=np.uint16)
_BRACED = np.frombuffer(b"{00000000-0000-0000-0000-000000000000}", dtype=np.uint8)
_GROUPS = ((1, 0, 8), (10, 8, 4), (15, 12, 4), (20, 16, 4), (25, 20, 12))  # place in the GUID, place in the hex, length


def mix(thing: int, *keys: pl.Series | np.ndarray) -> np.ndarray:
    """A well spread 64-bit number for each combination of whole-number keys (splitmix64 over the keys in turn)."""
    state = np.uint64(0x9E3779B97F4A7C15 * (thing + 1) % 2**64)
    for key in keys:
        values = (key.to_numpy() if isinstance(key, pl.Series) else key).astype(np.uint64)
        state = (state ^ values) + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return state


def guids(numbers: np.ndarray) -> pl.Series:
    """Upper-case GUIDs in braces, one for each 64-bit number; equal numbers give equal GUIDs."""
    n = len(numbers)
    both = np.stack([numbers, mix(PATIENT, numbers)], axis=1).astype(">u8").view(np.uint8)
    digits = _HEX[both].view(np.uint8)
    text = np.empty((n, 38), dtype=np.uint8)
    text[:] = _BRACED
    for to, start, length in _GROUPS:
        text[:, to : to + length] = digits[:, start : start + length]
    offsets = np.arange(n + 1, dtype=np.int64) * 38
    return pl.Series(pa.LargeStringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(text)))


def row_ids(numbers: np.ndarray) -> np.ndarray:
    """Positive whole numbers of at most 18 digits."""
    return (numbers >> np.uint64(5)).astype(np.int64)


def practices(place: Place, gp_system: str) -> pl.DataFrame:
    """Practices of one system with `practice_no`, a number that stands for the code in hashes."""
    return (
        place.practices.with_row_index("practice_no")
        .filter(gp_system=gp_system)
        .with_columns(pl.col("practice_no").cast(pl.Int64))
    )


def patient_records(chunk: Chunk, held: pl.DataFrame) -> pl.DataFrame:
    """Every record that a practice of `held` ever has: person_no, practice_code, practice_no, copy (1: a duplicate). Sorted."""
    first = (
        chunk["registrations"]
        .select("person_no", "practice_code")
        .unique()
        .join(held.select("practice_code", "practice_no"), on="practice_code", how="inner")
        .with_columns(copy=pl.lit(0, pl.Int64))
    )
    twice = mix(REGISTRATION, first["person_no"], first["practice_no"]) % np.uint64(_DUPLICATE_ONE_IN) == 0
    second = first.filter(pl.Series(twice)).with_columns(copy=pl.lit(1, pl.Int64))
    return pl.concat([first, second]).sort("person_no", "practice_no", "copy")


def state(chunk: Chunk, records: pl.DataFrame, on: date, seed: int) -> pl.DataFrame:
    """The records as the practice holds them at the end of a day: same rows, same order, whatever the day.

    `is_held` says whether the record exists by then. Name, NHS number and address are those of the day, or of the day on which
    the patient left. The practice keeps its mistakes: the same `seed` makes the same ones every day.
    """
    death = pl.when(pl.col("death_date") <= on).then(pl.col("death_date")).alias("death_date")
    people = chunk["people"].with_columns(death).rename({"recorded_on": "person_recorded_on"})
    addresses = chunk["addresses"].filter(pl.col("recorded_on") <= on).drop("recorded_on", "valid_to").sort("valid_from")
    frame = (
        records.join(_latest_registrations(chunk, on), on=["person_no", "practice_code"], how="left", maintain_order="left")
        .with_columns(seen_on=pl.coalesce("deregistered_on", pl.lit(on)))
        .join(people, on="person_no", how="left", maintain_order="left")
        .with_row_index("row")
        .sort("seen_on")
        .join_asof(addresses, left_on="seen_on", right_on="valid_from", by="person_no", check_sortedness=False)
        .sort("row")
        .drop("row")
        .with_columns(is_held=pl.col("registered_on").is_not_null() & (pl.col("person_recorded_on") <= on), **_last_seen())
    )
    return dirt.identity(frame, dirt.GP, np.random.default_rng(seed))


def _latest_registrations(chunk: Chunk, on: date) -> pl.DataFrame:
    """The latest registration of each person at each practice by a day, with its end if that has come."""
    keys = ["person_no", "practice_code"]
    return (
        chunk["registrations"]
        .filter((pl.col("valid_from") <= on) & (pl.col("recorded_on") <= on))
        .sort(*keys, "valid_from")
        .unique(keys, keep="last", maintain_order=True)
        .select(
            *keys,
            "registration_type",
            pl.col("valid_from").alias("registered_on"),
            pl.when(pl.col("valid_to") <= on).then(pl.col("valid_to")).alias("deregistered_on"),
        )
    )


def _last_seen() -> dict[str, pl.Expr]:
    """Name, NHS number and postcode as they were on `seen_on`, before later changes."""
    family, previous = pl.col("family_name"), pl.col("previous_family_name")
    is_to_change = pl.col("family_name_changed_on") > pl.col("seen_on")
    is_to_supersede = pl.col("superseded_on") > pl.col("seen_on")
    number, postcode = pl.col("nhs_number"), pl.col("postcode")
    has_no_abode = pl.col("address_type") == "no_fixed_abode"
    return {
        "family_name": pl.when(is_to_change).then(pl.coalesce(previous, family)).otherwise(family),
        "previous_family_name": pl.when(is_to_change).then(None).otherwise(previous),
        "nhs_number": pl.when(is_to_supersede).then(pl.coalesce("superseded_nhs_number", number)).otherwise(number),
        "postcode": pl.when(has_no_abode).then(pl.coalesce(postcode, pl.lit("ZZ99 3VZ"))).otherwise(postcode),
    }


def at_practice(events: pl.DataFrame, held: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Events recorded at the practices of `held`, with the practice's number and `columns` beside them."""
    return events.join(
        held.select("practice_code", "practice_no", *columns), on="practice_code", how="inner", maintain_order="left"
    )


def coded(events: pl.DataFrame) -> pl.DataFrame:
    """Coded statements with event dates as GP systems show them: the unknown parts of a partial date are padded with 01."""
    day, precision = pl.col("event_date"), pl.col("date_precision")
    return events.with_columns(
        event_date=pl.when(precision == "Y")
        .then(day.dt.truncate("1y"))
        .when(precision == "YM")
        .then(day.dt.truncate("1mo"))
        .otherwise(day)
    )


def removed(events: pl.DataFrame, delivery: Delivery) -> pl.DataFrame:
    """Events that were sent before and have been removed since the previous delivery."""
    if delivery.previous is None:
        return events.clear()
    gone = (pl.col("removed_on") > delivery.previous) & (pl.col("removed_on") <= delivery.date)
    return events.filter((pl.col("recorded_on") <= delivery.previous) & gone)


def standing(events: pl.DataFrame, delivery: Delivery) -> pl.DataFrame:
    """Of new events, those that have not been removed again by the day of the delivery."""
    return events.filter(pl.col("removed_on").is_null() | (pl.col("removed_on") > delivery.date))


def changed(now: pl.DataFrame, before: pl.DataFrame | None, is_held: pl.Series, was_held: pl.Series | None) -> pl.Series:
    """Which rows a delivery must bring: held now, and new or different from the night before. Frames are aligned row by row."""
    if before is None or was_held is None:
        return is_held
    return is_held & (~was_held | (now.hash_rows(seed=1) != before.hash_rows(seed=1)))


def layout(frame: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    """The supplier's columns in the supplier's order; those that the frame lacks are blank."""
    return frame.select(pl.col(c) if c in frame.columns else pl.lit(None, pl.String).alias(c) for c in columns)


def spoil(frame: pl.DataFrame, rate: float, rng: np.random.Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Set aside about `rate` of the rows, as text, to be spoilt: (the rest, those).

    Never more than one in 200, so that chance does not make a small file so bad that all of it is refused.
    """
    hits = np.flatnonzero(rng.random(frame.height) < rate)[: frame.height // 200]
    is_hit = np.zeros(frame.height, dtype=bool)
    is_hit[hits] = True
    return frame.filter(~is_hit), frame.filter(is_hit).select(pl.all().cast(pl.String))


def add(
    emission: Emission,
    delivery: Delivery,
    source: str,
    file: str,
    frames: list[pl.DataFrame],
    *,
    quote_all: bool = False,
    tail: bytes = b"",
) -> None:
    """Add frames of one layout as the rows of one file, and after them `tail` as it is."""
    parts = [csv_part(delivery, source, file, frame, quote_all=quote_all) for frame in frames]
    body = b"".join(part.body for part in parts) + tail
    emission.parts.append(Part(delivery.index, source, file, parts[0].header, body))
