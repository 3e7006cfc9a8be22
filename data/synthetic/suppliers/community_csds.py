"""The community trust submits the Community Services Data Set: a set of CSV files a month, with a byte order mark and CRLF.

On the first of a month the month before is submitted again and the new one for the first time; the first delivery brings closed
financial years as well.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from synthetic import dirt
from synthetic.emission import Emission
from synthetic.place import Place
from synthetic.suppliers import _patients as patients
from synthetic.suppliers._submissions import clock, iso, month_id, reported_month, submissions, unique_id
from synthetic.world_schema import Chunk, Delivery, Packaging

SOURCE = "community_csds"
_PROVIDER_TYPE = "community"
PACKAGING = (Packaging(pattern=r"_CYP\d{3}\w+\.csv$", bom=True, crlf=True),)

_PROVIDER = {"ORGANISATION IDENTIFIER (CODE OF PROVIDER)": pl.col("provider_code")}
_PATIENT = {"LOCAL PATIENT IDENTIFIER (EXTENDED)": pl.col("local_id")}
_REFERRAL = {"UNIQUE SERVICE REQUEST IDENTIFIER": unique_id("R", "referral_no")}
_TEAM = {"CARE PROFESSIONAL TEAM LOCAL IDENTIFIER": pl.lit("T") + pl.col("team_type_code")}
_MONTH = {"UNIQUE MONTH ID": month_id()}

_MPI = {
    **_PROVIDER,
    **_PATIENT,
    "ORGANISATION IDENTIFIER (LOCAL PATIENT IDENTIFIER)": pl.col("provider_code"),
    **_MONTH,
    "REPORTING PERIOD START DATE": iso("month_start"),
    "NHS NUMBER": pl.col("nhs_number"),
    "NHS NUMBER STATUS INDICATOR CODE": pl.col("nhs_number_status"),
    "PERSON BIRTH DATE": iso("birth_date"),
    "POSTCODE OF USUAL ADDRESS": pl.col("postcode"),
    "PERSON STATED GENDER CODE": patients.stated_gender(),
    "ETHNIC CATEGORY": pl.col("ethnic_category_code").fill_null("Z"),
    "LANGUAGE CODE (PREFERRED)": pl.col("main_language_code"),
    "PERSON DEATH DATE": pl.when(pl.col("death_date") <= pl.col("seen_on")).then(iso("death_date")),
}
_CYP101 = {
    **_PROVIDER,
    **_PATIENT,
    **_REFERRAL,
    **_MONTH,
    "ORGANISATION IDENTIFIER (CODE OF COMMISSIONER)": pl.col("commissioner_code"),
    "REFERRAL REQUEST RECEIVED DATE": iso("received_on"),
    "SOURCE OF REFERRAL FOR COMMUNITY": pl.col("source_code"),
    "PRIORITY TYPE CODE": pl.lit("1"),
    "PRIMARY REASON FOR REFERRAL (COMMUNITY CARE)": pl.col("reason_code"),
    "SERVICE DISCHARGE DATE": iso("ended_on"),
}
_CYP102 = {
    **_PROVIDER,
    **_REFERRAL,
    **_TEAM,
    **_MONTH,
    "SERVICE OR TEAM TYPE REFERRED TO (COMMUNITY CARE)": pl.col("team_type_code"),
    "REFERRAL CLOSURE DATE": iso("ended_on"),
}
_CYP201 = {
    **_PROVIDER,
    "UNIQUE CARE CONTACT IDENTIFIER": unique_id("C", "contact_no"),
    **_REFERRAL,
    **_MONTH,
    **_TEAM,
    "CARE CONTACT DATE": iso("contact_date"),
    "CARE CONTACT TIME": clock("contact_no"),
    "CLINICAL CONTACT DURATION OF CARE CONTACT": pl.col("duration_minutes").cast(pl.String),
    "CONSULTATION MECHANISM (COMMUNITY CARE)": pl.lit("01"),
    "ACTIVITY LOCATION TYPE CODE": pl.col("location_code"),
    "ATTENDANCE STATUS": pl.col("attended_code"),
}


def emit(chunk: Chunk, place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:
    """The chunk's patients, referrals and contacts in every submission."""
    who = chunk["community_referrals"].select("person_no", "provider_code")
    records = patients.records(chunk, who, deliveries, dirt.COMMUNITY, rng).with_columns(
        local_id=pl.lit("C") + (pl.col("person_no") * 3 + 10_007).cast(pl.String).str.zfill(9)
    )
    emission, sent = Emission(), []
    mine = records.select("person_no", "provider_code", "local_id")
    referrals = (
        chunk["community_referrals"]
        .join(mine, on=["person_no", "provider_code"], how="inner", maintain_order="left")
        .with_columns(commissioner_code=pl.lit(place.sub_icb_code))
    )
    contacts = (
        chunk["community_contacts"]
        .join(referrals.select("referral_no", "team_type_code"), on="referral_no", how="inner", maintain_order="left")
        .with_columns(month=reported_month("contact_date"))
    )
    for submission in submissions(SOURCE, deliveries, place, _PROVIDER_TYPE):
        months = submission.months_of(referrals, "received_on", "discharged_on")
        sent.append(months)
        seen = months.select("person_no", "provider_code", "month", "month_start", "seen_on").unique(maintain_order=True)
        mpi = patients.on_day(seen.join(records, on=["person_no", "provider_code"], how="inner"), "seen_on", chunk)
        mpi = mpi.sort("month", "person_no")
        born, received = {"PERSON BIRTH DATE": "31 February"}, {"REFERRAL REQUEST RECEIVED DATE": "blank"}
        met = {"CARE CONTACT DATE": "31 February", "CLINICAL CONTACT DURATION OF CARE CONTACT": "letters in a number"}
        submission.add(emission, "CYP001MPI", mpi, _MPI, "LOCAL PATIENT IDENTIFIER (EXTENDED)", rng, born)
        submission.add(emission, "CYP101Referral", months, _CYP101, "UNIQUE SERVICE REQUEST IDENTIFIER", rng, received)
        submission.add(emission, "CYP102ServiceTypeReferredTo", months, _CYP102, "UNIQUE SERVICE REQUEST IDENTIFIER", rng, {})
        submission.add(
            emission, "CYP201CareContact", submission.of(contacts), _CYP201, "UNIQUE CARE CONTACT IDENTIFIER", rng, met
        )
    emission.records = patients.truth(SOURCE, sent)
    return emission


def emit_once(place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:  # noqa: ARG001
    """The header of every submission."""
    emission = Emission()
    for submission in submissions(SOURCE, deliveries, place, _PROVIDER_TYPE):
        header = {
            "ORGANISATION IDENTIFIER (CODE OF PROVIDER)": submission.provider,
            "UNIQUE SUBMISSION ID": submission.id,
            "DATA SET VERSION NUMBER": "1.6",
            "REPORTING PERIOD START DATE": f"{submission.period.start}",
            "REPORTING PERIOD END DATE": f"{submission.period.end}",
            "DATE AND TIME DATA SET CREATED": f"{submission.created_at}",
            "PRIMARY DATA COLLECTION SYSTEM IN USE": "COMMUNITY SYSTEM (FICTIONAL)",
        }
        emission.add(submission.delivery, SOURCE, submission.file("CYP000Header"), pl.DataFrame([header]))
    return emission
