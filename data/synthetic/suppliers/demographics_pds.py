"""The national services play their part: the Personal Demographics Service (PDS) and the registers of deaths.

PDS sends everything in the bulk and each night the rows that are new or different: a period that ended, a death, a number that
was superseded. It is the cleanest of all suppliers. Deaths are registered days to months late and come as a whole list each week.
Restricted people (S) have neither address nor practice.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl

from synthetic.clinical_model import CONDITIONS
from synthetic.emission import Emission, fault
from synthetic.place import Place
from synthetic.suppliers import _council as council
from synthetic.world_schema import Chunk, Delivery, Packaging

SOURCE = "demographics_pds"
PACKAGING = (Packaging(pattern=r"^(PDS|ONS)_.*\.csv$"),)

_REMOVALS = {"died": "DEA", "embarked": "EMB", "moved": "ORR"}
_PERIOD = {
    "PDS_Person": "Person",
    "PDS_Patient_Care_Practice": "Primary Care Provider",
    "PDS_Address": "Usual Address",
}
_BAD = {
    "PDS_Person": {"Date of Birth": "31 February", "NHS Number": "blank"},
    "PDS_Patient_Care_Practice": {"Primary Care Provider Business Effective From Date": "31 February", "NHS Number": "blank"},
    "PDS_Address": {"Usual Address Business Effective From Date": "blank"},
}
#: Conditions that kill, the surest first; the first one that the person had is the underlying cause.
_LETHAL = (
    "metastatic_cancer", "cancer", "dementia", "end_stage_renal_disease", "chronic_liver_disease", "heart_failure",
    "myocardial_infarction", "stroke", "copd", "coronary_heart_disease", "drug_dependence", "alcohol_dependence",
    "diabetes_type_2",
)  # fmt: skip
_REGISTER_RENEWED = date(2014, 8, 24)
_CANCELLED = 0.004
_REVERSED = 0.05


def emit(chunk: Chunk, place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:
    """The rows of one chunk of people in every delivery."""
    emission = Emission()
    people = _people(chunk, rng)
    deaths = _deaths(chunk, people, place, rng)
    tables = {
        "PDS_Person": _details(people),
        "PDS_Patient_Care_Practice": _registrations(chunk, people),
        "PDS_Address": _addresses(chunk, people, place),
    }
    emission.records = pl.concat(
        [
            council.truth(SOURCE, people, pl.col("nhs_number")),
            council.truth(SOURCE, people, pl.col("superseded_nhs_number")),
        ]
    )
    for delivery in deliveries:
        for table, periods in tables.items():
            file = f"{table}_{delivery.date:%Y%m%d}.csv"
            frame, faults = council.spoil(
                _printed(table, periods, delivery), rng, _BAD[table], delivery, SOURCE, file, "NHS Number", "yyyy-MM-dd"
            )
            emission.add(delivery, SOURCE, file, frame)
            emission.faults += faults
        _emit_mergers(emission, people, delivery)
        if council.sends_weekly(delivery):
            registered = deaths.filter(pl.col("registered_on") <= delivery.date)
            emission.add(delivery, SOURCE, f"ONS_Deaths_{delivery.date:%Y%m%d}.csv", _death_rows(registered, delivery))
    return emission


def emit_once(place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:  # noqa: ARG001
    """PDS sends nothing that does not depend on people."""
    return Emission()


def _people(chunk: Chunk, rng: np.random.Generator) -> pl.DataFrame:
    """Everybody with an NHS number, and the day a death of theirs is registered."""
    people = chunk["people"].filter(pl.col("nhs_number").is_not_null() & ~pl.col("is_test_patient")).sort("person_no")
    n = people.height
    # Most deaths are registered within two weeks; one in fifteen waits for an inquest.
    lag = np.where(rng.random(n) < 1 / 15, rng.integers(90, 260, n), rng.integers(3, 15, n))
    return people.with_columns(
        (pl.col("death_date") + pl.duration(days=pl.Series(lag))).alias("registered_on"),
        pl.Series("is_cancelled", rng.random(n) < _CANCELLED),
        pl.Series("is_reversed", rng.random(n) < _REVERSED),
    )


# -- dated tables: a row per period, with the days on which something about it changed


def _details(people: pl.DataFrame) -> pl.DataFrame:
    """Periods of details: one, or two when the family name changed."""
    has_changed = pl.col("family_name_changed_on").is_not_null()
    first = people.with_columns(
        pl.when(has_changed).then(pl.col("previous_family_name")).otherwise(pl.col("family_name")).alias("family_name"),
        _first_known(),
        (pl.col("family_name_changed_on") - pl.duration(days=1)).alias("valid_to"),
    )
    second = people.filter(has_changed).with_columns(
        pl.col("family_name_changed_on").alias("valid_from"),
        pl.lit(None, pl.Date).alias("valid_to"),
        pl.max_horizontal("recorded_on", "family_name_changed_on").alias("recorded_on"),
    )
    return (
        pl.concat([first, second])
        .sort("person_no", "valid_from")
        .unique(["person_no", "valid_from"], keep="last", maintain_order=True)
    )


def _first_known() -> pl.Expr:
    """The day from which details are held: when the register was renewed, or some days after a later birth, never the birth."""
    after_birth = pl.col("birth_date") + pl.duration(days=3 + pl.col("person_no") % 28)
    known = pl.min_horizontal(after_birth, pl.max_horizontal("recorded_on", pl.col("birth_date") + pl.duration(days=1)))
    return pl.max_horizontal(known, pl.lit(_REGISTER_RENEWED)).alias("valid_from")


_OF_PERSON = ("person_no", "nhs_number", "superseded_nhs_number", "superseded_on", "death_date", "registered_on", "is_sensitive")


def _periods(frame: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """Periods of unrestricted people, one per person and first day, with what the person's rows depend on."""
    return (
        frame.join(people.filter(~pl.col("is_sensitive")).select(_OF_PERSON), on="person_no", how="inner", maintain_order="left")
        .sort("person_no", "valid_from")
        .unique(["person_no", "valid_from"], keep="last", maintain_order=True)
    )


def _registrations(chunk: Chunk, people: pl.DataFrame) -> pl.DataFrame:
    return _periods(chunk["registrations"].filter(pl.col("registration_type") == "regular"), people)


def _addresses(chunk: Chunk, people: pl.DataFrame, place: Place) -> pl.DataFrame:
    homes = place.care_homes.select("uprn", "cqc_location_id")
    return _periods(chunk["addresses"], people).join(homes, on="uprn", how="left", maintain_order="left")


def _printed(table: str, periods: pl.DataFrame, delivery: Delivery) -> pl.DataFrame:
    """The file of a dated table: everything in the bulk, then what is new or different since the delivery before.

    A person whose number was superseded comes back under the new one, and the rows of the old one are closed.
    """
    known = periods.filter(pl.col("recorded_on") <= delivery.date)
    if not delivery.is_bulk:
        happened = [pl.col(c) for c in ("recorded_on", "valid_to", "death_date", "registered_on", "superseded_on")]
        known = known.filter(pl.any_horizontal((day > delivery.previous) & (day <= delivery.date) for day in happened))
    old = pl.col("superseded_on") > delivery.date
    current = known.with_columns(
        pl.when(old).then(pl.col("superseded_nhs_number")).otherwise(pl.col("nhs_number")).alias("number"),
        council.until("valid_to", delivery.date).alias("valid_to"),
    )
    if not delivery.is_bulk:
        replaced = known.filter((pl.col("superseded_on") > delivery.previous) & (pl.col("superseded_on") <= delivery.date))
        closed = replaced.with_columns(
            pl.col("superseded_nhs_number").alias("number"), pl.min_horizontal("valid_to", "superseded_on").alias("valid_to")
        )
        current = pl.concat([current, closed])
    prefix = _PERIOD[table]
    return current.select(
        pl.int_range(pl.len()).cast(pl.String).alias("RowID"),
        pl.col("number").alias("NHS Number"),
        *_columns(table, delivery),
        council.iso("valid_from").alias(f"{prefix} Business Effective From Date"),
        council.iso("valid_to").alias(f"{prefix} Business Effective To Date"),
    )


def _columns(table: str, delivery: Delivery) -> list[pl.Expr]:
    """The columns of a dated table between the number and the dates."""
    if table == "PDS_Patient_Care_Practice":
        # the reason is known once the registration is over
        removed = pl.col("end_reason").replace_strict(_REMOVALS, default=None, return_dtype=pl.String)
        return [
            pl.col("practice_code").alias("Primary Care Provider"),
            pl.when(pl.col("valid_to").is_not_null()).then(removed).alias("Reason for Removal"),
        ]
    if table == "PDS_Address":
        return [
            pl.concat_str("house", "street", separator=" ", ignore_nulls=True).alias("Address Line 1"),
            pl.col("locality").alias("Address Line 2"),
            pl.col("town").alias("Address Line 3"),
            pl.col("postcode").alias("Postcode"),
            pl.col("uprn").alias("UPRN"),
            pl.col("cqc_location_id").alias("derCqcCareHomeCode"),
        ]
    is_registered = pl.col("registered_on") <= delivery.date
    died = council.until("death_date", delivery.date)
    return [
        pl.col("title").alias("Title"),
        pl.col("given_name").alias("Given Name"),
        pl.col("middle_names").alias("Other Given Name"),
        pl.col("family_name").alias("Family Name"),
        council.iso("birth_date").alias("Date of Birth"),
        pl.col("sex").replace_strict({"M": "1", "F": "2"}, default="X").alias("Gender"),
        died.dt.strftime("%Y-%m-%d").alias("Date of Death"),
        pl.when(died.is_not_null()).then(pl.when(is_registered).then(pl.lit("2")).otherwise(pl.lit("1"))).alias("Death Status"),
        pl.when("is_sensitive").then(pl.lit("S")).alias("Confidentiality Code"),
        pl.col("main_language_code").alias("Preferred Language"),
        pl.lit("false").alias("Interpreter required"),
    ]


def _emit_mergers(emission: Emission, people: pl.DataFrame, delivery: Delivery) -> None:
    """Superseded numbers; one in twenty was first merged the wrong way round: a circle, which linkage must refuse."""
    file = f"PDS_Person_Merger_{delivery.date:%Y%m%d}.csv"
    due = people.filter(
        (pl.col("superseded_on") <= delivery.date)
        & (pl.col("recorded_on") <= delivery.date)
        & pl.col("superseded_nhs_number").is_not_null()
    )
    if not delivery.is_bulk:
        due = due.filter(pl.col("superseded_on") > delivery.previous)
    reverse = due.filter("is_reversed").with_columns(
        pl.col("superseded_nhs_number").alias("nhs_number"),
        pl.col("nhs_number").alias("superseded_nhs_number"),
        (pl.col("superseded_on") - timedelta(days=1)).alias("superseded_on"),
    )
    rows = pl.concat([due, reverse])
    frame = rows.select(
        pl.int_range(pl.len()).cast(pl.String).alias("RowID"),
        pl.col("nhs_number").alias("NHS Number"),
        pl.col("superseded_nhs_number").alias("Superseded NHS Number"),
        council.iso("superseded_on").alias("Person Merger Business Effective From Date"),
        pl.lit(None, pl.String).alias("Person Merger Business Effective To Date"),
    )
    emission.add(delivery, SOURCE, file, frame)
    emission.faults += fault(delivery, SOURCE, file, reverse["nhs_number"], "superseded number in a circle", "accepted")


# -- deaths


def _deaths(chunk: Chunk, people: pl.DataFrame, place: Place, rng: np.random.Generator) -> pl.DataFrame:
    """One row per register entry, with the home and the practice at death, and the cause."""
    dead = people.filter(pl.col("death_date").is_not_null()).sort("death_date")
    at_death = {"left_on": "death_date", "right_on": "valid_from", "by": "person_no", "check_sortedness": False}
    homes = chunk["addresses"].select("person_no", "valid_from", "postcode", "lsoa_code", "borough_code").sort("valid_from")
    practices = chunk["registrations"].select("person_no", "valid_from", "practice_code").sort("valid_from")
    dead = dead.join_asof(homes, **at_death).join_asof(practices, **at_death).sort("person_no")
    districts = dict(place.boroughs.select("borough_code", "council_code").iter_rows())
    in_hospital = pl.Series(rng.random(dead.height) < 0.44)
    return _with_cause(chunk, dead).with_columns(
        pl.col("borough_code").replace_strict(districts, default="999").alias("district"),
        pl.when(in_hospital).then(pl.lit("RZA01")).otherwise(pl.lit("H")).alias("place_of_death"),
    )


def _with_cause(chunk: Chunk, dead: pl.DataFrame) -> pl.DataFrame:
    """Underlying cause: the surest killer among the person's conditions, else frailty in old age, else an unknown cause."""
    rank = {name: number for number, name in enumerate(_LETHAL)}
    had = (
        chunk["conditions"]
        .filter(pl.col("condition").is_in(_LETHAL))
        .with_columns(pl.col("condition").replace_strict(rank, return_dtype=pl.Int64).alias("rank"))
        .join(dead.select("person_no", "death_date"), on="person_no", how="inner")
        .filter(pl.col("onset_date") <= pl.col("death_date"))
        .group_by("person_no")
        .agg(pl.col("rank").min())
    )
    codes = {number: CONDITIONS[name].icd10[0] for name, number in rank.items()}
    age = (pl.col("death_date") - pl.col("birth_date")).dt.total_days() // 365.25
    without = pl.when(age >= 80).then(pl.lit("R54")).otherwise(pl.lit("R99"))
    return dead.join(had, on="person_no", how="left", maintain_order="left").with_columns(
        pl.col("rank").replace_strict(codes, default=None, return_dtype=pl.String).fill_null(without).alias("cause"),
        age.cast(pl.Int64).alias("age"),
    )


def _death_rows(deaths: pl.DataFrame, delivery: Delivery) -> pl.DataFrame:
    """Rows of the weekly list; a cancelled entry stands beside the one that replaced it."""
    entry = council.local_number(pl.col("person_no"), 998_005)
    cancelled = deaths.filter("is_cancelled").with_columns(pl.lit("Y").alias("flag"), (entry + "C").alias("entry"))
    standing = deaths.with_columns(pl.lit("N").alias("flag"), entry.alias("entry"))
    old = pl.col("superseded_on") > delivery.date
    is_neonate = (pl.col("death_date") - pl.col("birth_date")).dt.total_days() < 28
    return (
        pl.concat([standing, cancelled])
        .sort("person_no", "flag")
        .select(
            pl.when(old).then(pl.col("superseded_nhs_number")).otherwise(pl.col("nhs_number")).alias("NHS_NUMBER"),
            pl.col("birth_date").dt.strftime("%Y%m%d").alias("DEC_DATE_OF_BIRTH"),
            pl.col("sex").replace_strict({"M": "1", "F": "2"}, default=None, return_dtype=pl.String).alias("DEC_SEX"),
            pl.col("age").cast(pl.String).alias("DEC_AGEC"),
            pl.col("death_date").dt.strftime("%Y%m%d").alias("REG_DATE_OF_DEATH"),
            pl.col("registered_on").dt.strftime("%Y%m%d").alias("REG_DATE"),
            pl.col("district").alias("REG_DISTRICT_CODE"),
            pl.lit("01A").alias("REG_NUMBER"),
            pl.col("entry").alias("REG_ENTRY_NUMBER"),
            pl.col("postcode").alias("DEC_POSTCODE"),
            pl.col("cause").alias("S_UNDERLYING_COD_ICD10"),
            pl.col("cause").alias("S_COD_CODE_1"),
            pl.lit("1").alias("S_COD_LINE_1"),
            pl.col("place_of_death").alias("POD_CODE"),
            pl.when(pl.col("place_of_death") != "H").then(pl.lit("3")).alias("POD_ESTABLISHMENT_TYPE"),
            pl.when(is_neonate).then(pl.lit("true")).otherwise(pl.lit("false")).alias("NEO_NATE_FLAG"),
            pl.col("practice_code").alias("GP_PRACTICE_CODE"),
            pl.col("lsoa_code").alias("LSOA_OF_RESIDENCE_CODE"),
            pl.col("flag").alias("Cancelled_Flag"),
        )
    )
