"""The two councils play their part: adult social care client level data, one cumulative CSV a council and quarter.

Real field names. A file holds every event recorded by the end of its quarter. Some events come once more for each of the two
quarters before, then often in another case, and one event in eight has no reference.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from synthetic import dirt
from synthetic.emission import Emission
from synthetic.place import Place
from synthetic.suppliers import _council as council
from synthetic.world_schema import Chunk, Delivery, Packaging

SOURCE = "social_care_cld"
PACKAGING = (Packaging(pattern=r"^CLD_.*\.csv$", crlf=True),)

_NO_REFERENCE = 0.12
_REPEATED = 0.08
_SALT = 998_001
_GENDERS = {"M": "Male", "F": "Female"}
_BAD = {"Event Start Date": "31 February", "Unit Cost": "letters in a number", "LA Person Unique Identifier": "blank"}

_HEADERS = (
    "LA Code", "Reporting Period Start Date", "Reporting Period End Date", "NHS Number", "LA Person Unique Identifier",
    "GP Practice Name", "GP Practice Code", "Date of Birth", "Date of Death", "Postcode", "Gender", "Ethnicity", "Client Type",
    "Primary Support Reason", "Accommodation Status", "Employment Status", "Has Unpaid Carer", "Autism Spectrum Disorder (ASD)",
    "Visual Impairment", "Hearing Impairment", "Dementia", "Client Funding Status", "Event Type", "Event Reference",
    "Event Start Date", "Event End Date", "Event Description", "Event Outcome", "Request: Route of Access", "Assessment Type",
    "Eligible Needs Identified", "Informal Carer involved in Assessment", "Method of Assessment", "Total Hrs Caring per week",
    "No. of adults being cared for", "Adult 1 Linked Person_ID", "Adult 2 Linked Person_ID", "Adult 3 Linked Person_ID",
    "Service Type", "Service Component", "Delivery Mechanism", "Provider CQC Location Name", "Provider CQC Location ID",
    "Review Reason", "Review Outcomes Achieved", "Method of Review", "Unit Cost", "Cost Frequency (Unit Type)",
    "Planned units per week", "Full cost client",
)  # fmt: skip


def emit(chunk: Chunk, place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:
    """The rows of one chunk of people in every quarterly file that falls due."""
    emission = Emission()
    events = chunk["social_care_events"]
    people = council.identities(chunk, events["person_no"], deliveries, dirt.SOCIAL_CARE, rng)
    rows = _rows(events, people, place, rng)
    emission.records = council.truth(SOURCE, rows, pl.col("LA Code"), pl.col("LA Person Unique Identifier"))
    for delivery in deliveries:
        period_end = council.new_quarter(delivery)
        if period_end is None:
            continue
        reported = _reported(rows, period_end)
        for code in place.boroughs["council_code"]:
            file = f"CLD_{code}_{period_end:%Y%m%d}_{delivery.date:%Y%m%d}.csv"
            frame, faults = council.spoil(
                reported.filter(pl.col("LA Code") == code).select(_HEADERS),
                rng, _BAD, delivery, SOURCE, file, "LA Person Unique Identifier", "dd/MM/yyyy",
            )  # fmt: skip
            emission.add(delivery, SOURCE, file, frame)
            emission.faults += faults
    return emission


def emit_once(place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:  # noqa: ARG001
    """Councils send nothing but events."""
    return Emission()


def _rows(events: pl.DataFrame, people: pl.DataFrame, place: Place, rng: np.random.Generator) -> pl.DataFrame:
    """One row per event with all columns but those that depend on the quarter."""
    known = people.join(
        place.practices.select("practice_code", pl.col("name").alias("practice_name")), on="practice_code", how="left"
    )
    frame = events.join(known, on="person_no", how="inner", maintain_order="left", suffix="_of_person")
    n = frame.height
    person_id = council.local_number(pl.col("person_no"), _SALT)
    has_carer = pl.when(pl.col("has_unpaid_carer")).then(pl.lit("Yes")).otherwise(pl.lit("No"))
    return frame.select(
        "person_no",
        "recorded_on",
        "started_on",
        "ended_on",
        "death_date",
        pl.Series("repeated", rng.random(n) < _REPEATED),
        pl.Series("shouted", rng.random(n) < 0.5),
        pl.col("council_code").alias("LA Code"),
        pl.col("nhs_number").alias("NHS Number"),
        person_id.alias("LA Person Unique Identifier"),
        pl.col("practice_name").alias("GP Practice Name"),
        pl.col("practice_code").alias("GP Practice Code"),
        council.uk("birth_date").alias("Date of Birth"),
        pl.col("postcode").alias("Postcode"),
        pl.col("sex").replace_strict(_GENDERS, default="Unknown").alias("Gender"),
        pl.col("ethnic_category_code").alias("Ethnicity"),
        pl.col("client_type").alias("Client Type"),
        pl.col("primary_support_reason").alias("Primary Support Reason"),
        pl.col("accommodation_status").alias("Accommodation Status"),
        has_carer.alias("Has Unpaid Carer"),
        pl.col("event_type").alias("Event Type"),
        pl.when(pl.Series(rng.random(n) >= _NO_REFERENCE))
        .then(pl.concat_str(pl.lit("E"), person_id, pl.lit("-"), "event_no"))
        .alias("Event Reference"),
        council.uk("started_on").alias("Event Start Date"),
        pl.col("event_outcome").alias("Event Outcome"),
        pl.col("service_type").alias("Service Type"),
        pl.col("service_component").alias("Service Component"),
        pl.col("delivery_mechanism").alias("Delivery Mechanism"),
        pl.col("unit_cost_gbp").round(2).cast(pl.String).alias("Unit Cost"),
        pl.col("cost_frequency").alias("Cost Frequency (Unit Type)"),
        pl.col("planned_units_per_week").round(2).cast(pl.String).alias("Planned units per week"),
    )


def _reported(rows: pl.DataFrame, period_end: date) -> pl.DataFrame:
    """The rows of a file: every event of the last period, and the repeated ones once more for each of the two quarters before."""
    periods = [_in_period(rows, period_end)]
    shouted = pl.when("shouted").then(pl.col("Event Type").str.to_uppercase()).otherwise(pl.col("Event Type"))
    repeated = rows.filter("repeated").with_columns(shouted.alias("Event Type"))
    earlier = period_end
    for _ in range(2):
        earlier = council.quarter_end_before(earlier)
        periods.append(_in_period(repeated, earlier))
    return pl.concat(periods)


def _in_period(rows: pl.DataFrame, end: date) -> pl.DataFrame:
    """Events recorded by the end of a reporting period of twelve months, with what was known then."""
    start = date(end.year - 1, end.month, end.day) + timedelta(days=1)
    frame = rows.filter(pl.col("recorded_on") <= end).with_columns(
        pl.lit(f"{start:%d/%m/%Y}").alias("Reporting Period Start Date"),
        pl.lit(f"{end:%d/%m/%Y}").alias("Reporting Period End Date"),
        council.until("ended_on", end).dt.strftime("%d/%m/%Y").alias("Event End Date"),
        council.until("death_date", end).dt.strftime("%d/%m/%Y").alias("Date of Death"),
    )
    unknown = [header for header in _HEADERS if header not in frame.columns]
    return frame.with_columns(pl.lit(None, pl.String).alias(header) for header in unknown)
