"""What the hospital, community and mental health suppliers share: a provider's record of a patient, and its state on a day."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import polars as pl

from synthetic import dirt, nhs_numbers, views
from synthetic.emission import RECORD_TRUTH
from synthetic.timeline import NIGHTS_FORESEEN
from synthetic.world_schema import Chunk, Delivery

_IDENTITY = [
    "person_no", "nhs_number", "title", "given_name", "family_name", "previous_family_name", "birth_date", "sex",
    "ethnic_category_code", "death_date", "mother_no", "house", "street", "locality", "town", "postcode", "main_language_code",
]  # fmt: skip

_BABY_DAYS = 42
_MOTHERS_NUMBER_ONE_IN = 4


def records(
    chunk: Chunk,
    who: pl.DataFrame,
    deliveries: list[Delivery],
    profile: dirt.Profile,
    rng: np.random.Generator,
    doubled: float = 0.0,
) -> pl.DataFrame:
    """One row per record that a provider of `who` (person_no, provider_code) will ever hold, with the provider's mistakes.

    A share `doubled` of patients has a second record (`copy` 1) at the same provider, with mistakes of its own. Beside the
    identity columns: `home_postcode`, the true one that `postcode` is a version of, and `mother_nhs_number`. The day of the
    identities lies beyond the nights foreseen, so that more nights make the same mistakes.
    """
    on = max(deliveries[0].date + timedelta(days=NIGHTS_FORESEEN), deliveries[-1].date)
    first = who.unique().sort("provider_code", "person_no").with_columns(copy=pl.lit(0, pl.Int64))
    second = first.filter(pl.Series(rng.random(first.height) < doubled)).with_columns(copy=pl.lit(1, pl.Int64))
    mothers = chunk["people"].select(mother_no="person_no", mother_nhs_number="nhs_number")
    known = (
        pl.concat([first, second])
        .join(views.identities(chunk, on).select(_IDENTITY), on="person_no", how="inner", maintain_order="left")
        .join(mothers, on="mother_no", how="left", maintain_order="left")
        .with_columns(home_postcode="postcode")
    )
    return dirt.identity(known, profile, rng)


def on_day(frame: pl.DataFrame, day: str, chunk: Chunk) -> pl.DataFrame:
    """Rows with their record's columns as the provider has them on date column `day`.

    Adds `practice_code`; sets `postcode` to that day's (the provider's version of it while the home is the newest),
    `nhs_number` and `nhs_number_status` (a baby under six weeks has status 08 and sometimes the mother's number).
    """
    homes = chunk["addresses"].select("person_no", "valid_from", day_postcode="postcode").sort("valid_from")
    practices = chunk["registrations"].select("person_no", "practice_code", registered_on="valid_from").sort("registered_on")
    options = {"by": "person_no", "strategy": "backward", "check_sortedness": False}
    rows = (
        frame.sort(day)
        .join_asof(homes, left_on=day, right_on="valid_from", **options)
        .join_asof(practices, left_on=day, right_on="registered_on", **options)
    )
    moved = pl.col("day_postcode").is_not_null() & (pl.col("day_postcode") != pl.col("home_postcode"))
    baby = (pl.col(day) - pl.col("birth_date")).dt.total_days().is_between(0, _BABY_DAYS - 1).fill_null(False)
    mothers = baby & (pl.col("person_no") % _MOTHERS_NUMBER_ONE_IN == 0)
    return rows.with_columns(
        pl.when(moved).then(pl.col("day_postcode")).otherwise(pl.col("postcode")).alias("postcode"),
        pl.when(mothers).then(pl.col("mother_nhs_number")).otherwise(pl.col("nhs_number")).alias("nhs_number"),
    ).with_columns(
        pl.when(baby)
        .then(pl.lit("08"))
        .when(pl.col("nhs_number").is_null())
        .then(pl.lit("07"))
        .when(nhs_numbers.is_valid(pl.col("nhs_number")))
        .then(pl.lit("01"))
        .otherwise(pl.lit("02"))
        .alias("nhs_number_status")
    )


def stated_gender(sex: str = "sex") -> pl.Expr:
    """Person stated gender code: 1 male, 2 female, X not known."""
    return pl.col(sex).replace_strict({"M": "1", "F": "2"}, default=None, return_dtype=pl.String).fill_null("X")


def truth(source: str, sent: list[pl.DataFrame]) -> pl.DataFrame:
    """Who each record that was sent really is (provider_code, local_id, person_no), in the shape of `Emission.records`."""
    if not sent:
        return pl.DataFrame(schema=RECORD_TRUTH)
    records = pl.concat([frame.select("provider_code", "local_id", "person_no") for frame in sent])
    local_id = pl.col("provider_code") + "|" + pl.col("local_id")
    return (
        records.drop_nulls("local_id")
        .unique()
        .sort("provider_code", "local_id")
        .select(pl.lit(source).alias("source"), local_id.alias("local_id"), "person_no")
    )
