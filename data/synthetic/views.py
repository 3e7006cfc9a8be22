"""What a supplier would see of a chunk on a day: one row per person, with the name, home and practice of that day."""

from __future__ import annotations

from datetime import date

import polars as pl

from synthetic.world_schema import Chunk

ADDRESS_COLUMNS = (
    "address_type", "house", "street", "locality", "town", "postcode", "lsoa_code", "uprn", "borough_code", "tenure"
)  # fmt: skip


def current_rows(frame: pl.DataFrame, on: date) -> pl.DataFrame:
    """Rows of a dated frame (addresses, registrations) that hold on `on`, one a person; else the latest before it."""
    return (
        frame.filter((pl.col("valid_from") <= on) & (pl.col("recorded_on") <= on))
        .sort("person_no", "valid_from")
        .unique("person_no", keep="last", maintain_order=True)
    )


def identities(chunk: Chunk, on: date) -> pl.DataFrame:
    """One row per person recorded by `on`, sorted by person_no: `people` with that day's truth.

    `family_name` is the name used on the day (before a change the old one, with `previous_family_name` NULL);
    `nhs_number` is the number in use (a superseded one before it was superseded); address columns (`ADDRESS_COLUMNS`),
    `address_valid_from`, `practice_code`, `gp_system`, `registered_on`, `deregistered_on` (NULL while registered) are that day's;
    a death after the day is not yet known.
    """
    people = chunk["people"].filter(pl.col("recorded_on") <= on)
    address = current_rows(chunk["addresses"], on).select(
        "person_no", *ADDRESS_COLUMNS, pl.col("valid_from").alias("address_valid_from")
    )
    registration = current_rows(chunk["registrations"], on).select(
        "person_no",
        "practice_code",
        "gp_system",
        pl.col("valid_from").alias("registered_on"),
        pl.when(pl.col("valid_to") <= on).then(pl.col("valid_to")).alias("deregistered_on"),
    )
    to_change = pl.col("family_name_changed_on") > on
    to_supersede = pl.col("superseded_on") > on
    return (
        people.with_columns(
            pl.when(to_change).then(pl.col("previous_family_name")).otherwise(pl.col("family_name")).alias("family_name"),
            pl.when(to_change).then(None).otherwise(pl.col("previous_family_name")).alias("previous_family_name"),
            pl.when(to_supersede).then(pl.col("superseded_nhs_number")).otherwise(pl.col("nhs_number")).alias("nhs_number"),
            pl.when(pl.col("death_date") <= on).then(pl.col("death_date")).alias("death_date"),
        )
        .join(address, on="person_no", how="left", maintain_order="left")
        .join(registration, on="person_no", how="left", maintain_order="left")
    )
