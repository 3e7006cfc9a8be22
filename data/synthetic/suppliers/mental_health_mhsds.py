"""The mental health trust submits the Mental Health Services Data Set: a set of CSV files a month.

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
from synthetic.suppliers._submissions import Submission, clock, iso, month_id, reported_month, submissions, unique_id
from synthetic.world_schema import Chunk, Delivery, Packaging

SOURCE = "mental_health_mhsds"
_PROVIDER_TYPE = "mental_health"
PACKAGING: tuple[Packaging, ...] = ()

_INFORMAL = "01"
_DAYS_TO_DIAGNOSIS = 14

_PROVIDER = {"OrgIDProv": pl.col("provider_code")}
_PATIENT = {"LocalPatientId": pl.col("local_id")}
_REFERRAL = {"UniqServReqID": unique_id("R", "referral_no")}
_TEAM = {"UniqCareProfTeamID": pl.col("provider_code") + "T" + pl.col("team_type_code")}
_MONTH = {"UniqMonthID": month_id()}

_MHS001 = {
    **_PROVIDER,
    **_PATIENT,
    "OrgIDLocalPatientId": pl.col("provider_code"),
    **_MONTH,
    "ReportingPeriodStartDate": iso("month_start"),
    "NHSNumber": pl.col("nhs_number"),
    "NHSNumberStatus": pl.col("nhs_number_status"),
    "PersonBirthDate": iso("birth_date"),
    "Postcode": pl.col("postcode"),
    "Gender": patients.stated_gender(),
    "EthnicCategory": pl.col("ethnic_category_code").fill_null("Z"),
    "LanguageCodePreferred": pl.col("main_language_code"),
    "PersDeathDate": pl.when(pl.col("death_date") <= pl.col("seen_on")).then(iso("death_date")),
}
_MHS101 = {
    **_PROVIDER,
    **_PATIENT,
    **_REFERRAL,
    **_MONTH,
    "OrgIDComm": pl.col("commissioner_code"),
    "ReferralRequestReceivedDate": iso("received_on"),
    "SourceOfReferralMH": pl.col("source_code"),
    "ClinRespPriorityType": pl.lit("3"),
    "PrimReasonReferralMH": pl.col("reason_code"),
    "ServDischDate": iso("ended_on"),
}
_MHS102 = {
    **_PROVIDER,
    **_REFERRAL,
    **_TEAM,
    **_MONTH,
    "ServTeamTypeRefToMH": pl.col("team_type_code"),
    "ReferClosureDate": iso("ended_on"),
}
_MHS201 = {
    **_PROVIDER,
    "UniqCareContID": unique_id("C", "contact_no"),
    **_REFERRAL,
    **_MONTH,
    **_TEAM,
    "CareContDate": iso("contact_date"),
    "CareContTime": clock("contact_no"),
    "ClinContDurOfCareCont": pl.col("duration_minutes").cast(pl.String),
    "ConsMechanismMH": pl.col("mechanism_code"),
    "AttendStatus": pl.col("attended_code"),
}
_MHS401 = {
    **_PROVIDER,
    **_PATIENT,
    "UniqMHActEpisodeID": unique_id("M", "spell_no"),
    **_MONTH,
    "StartDateMHActLegalStatusClass": iso("admitted_on"),
    "EndDateMHActLegalStatusClass": iso("ended_on"),
    "LegalStatusCode": pl.col("legal_status_code"),
}
_MHS501 = {
    **_PROVIDER,
    "UniqHospProvSpellID": unique_id("S", "spell_no"),
    **_REFERRAL,
    **_MONTH,
    "StartDateHospProvSpell": iso("admitted_on"),
    "MethAdmMHHospProvSpell": pl.col("admission_method_code"),
    "DischDateHospProvSpell": iso("ended_on"),
    "MethOfDischMHHospProvSpell": pl.when(pl.col("ended_on").is_not_null()).then(pl.lit("1")),
    "DestOfDischHospProvSpell": pl.when(pl.col("ended_on").is_not_null()).then(pl.lit("19")),
}
_MHS604 = {
    **_PROVIDER,
    **_REFERRAL,
    "DiagSchemeInUse": pl.lit("02"),
    "PrimDiag": pl.col("primary_diagnosis_code"),
    **_MONTH,
    "CodedDiagTimestamp": pl.col("diagnosed_on").dt.strftime("%Y-%m-%d 00:00:00"),
}


def emit(chunk: Chunk, place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:
    """The chunk's patients, referrals, contacts and spells in every submission."""
    who = chunk["mental_health_referrals"].select("person_no", "provider_code")
    records = patients.records(chunk, who, deliveries, dirt.MENTAL_HEALTH, rng).with_columns(
        local_id=pl.lit("M") + (pl.col("person_no") * 3 + 20_011).cast(pl.String).str.zfill(9)
    )
    emission, sent = Emission(), []
    mine = records.select("person_no", "provider_code", "local_id")
    on = ["person_no", "provider_code"]
    referrals = (
        chunk["mental_health_referrals"]
        .join(mine, on=on, how="inner", maintain_order="left")
        .with_columns(
            commissioner_code=pl.lit(place.sub_icb_code),
            diagnosed_on=pl.col("received_on") + pl.duration(days=_DAYS_TO_DIAGNOSIS),
        )
    )
    contacts = (
        chunk["mental_health_contacts"]
        .join(referrals.select("referral_no", "team_type_code"), on="referral_no", how="inner", maintain_order="left")
        .with_columns(month=reported_month("contact_date"))
    )
    spells = chunk["mental_health_spells"].join(mine, on=on, how="inner", maintain_order="left")
    for submission in submissions(SOURCE, deliveries, place, _PROVIDER_TYPE):
        months = submission.months_of(referrals, "received_on", "discharged_on")
        sent.append(months)
        seen = months.select(*on, "month", "month_start", "seen_on").unique(maintain_order=True)
        mpi = patients.on_day(seen.join(records, on=on, how="inner"), "seen_on", chunk).sort("month", "person_no")
        _add_community(emission, submission, mpi, months, submission.of(contacts), rng)
        _add_inpatient(emission, submission, submission.months_of(spells, "admitted_on", "discharged_on"), rng)
    emission.records = patients.truth(SOURCE, sent)
    return emission


def emit_once(place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:  # noqa: ARG001
    """The header of every submission."""
    emission = Emission()
    for submission in submissions(SOURCE, deliveries, place, _PROVIDER_TYPE):
        header = {
            "OrgIDProvider": submission.provider,
            "UniqSubmissionID": submission.id,
            "DatSetVer": "6.0",
            "ReportingPeriodStartDate": f"{submission.period.start}",
            "ReportingPeriodEndDate": f"{submission.period.end}",
            "DateTimeDatSetCreate": f"{submission.created_at}",
            "PrimSystemInUse": "MENTAL HEALTH SYSTEM (FICTIONAL)",
        }
        emission.add(submission.delivery, SOURCE, submission.file("MHS000Header"), pl.DataFrame([header]))
    return emission


def _add_community(
    emission: Emission,
    submission: Submission,
    mpi: pl.DataFrame,
    months: pl.DataFrame,
    contacts: pl.DataFrame,
    rng: np.random.Generator,
) -> None:
    """Patients, referrals, their teams and diagnoses, and contacts."""
    diagnosed = months.filter(pl.col("primary_diagnosis_code").is_not_null() & (pl.col("diagnosed_on") <= pl.col("seen_on")))
    received, met = {"ReferralRequestReceivedDate": "blank"}, {"CareContDate": "31 February", "UniqServReqID": "blank"}
    submission.add(emission, "MHS001MPI", mpi, _MHS001, "LocalPatientId", rng, {"PersonBirthDate": "31 February"})
    submission.add(emission, "MHS101Referral", months, _MHS101, "UniqServReqID", rng, received)
    submission.add(emission, "MHS102ServiceTypeReferredTo", months, _MHS102, "UniqServReqID", rng, {})
    submission.add(emission, "MHS201CareContact", contacts, _MHS201, "UniqCareContID", rng, met)
    submission.add(emission, "MHS604PrimDiag", diagnosed, _MHS604, "UniqServReqID", rng, {})


def _add_inpatient(emission: Emission, submission: Submission, spells: pl.DataFrame, rng: np.random.Generator) -> None:
    """Hospital provider spells, and the legal status of patients who were detained."""
    detained = spells.filter(pl.col("legal_status_code") != _INFORMAL)
    submission.add(emission, "MHS401MHActPeriod", detained, _MHS401, "UniqMHActEpisodeID", rng, {})
    submission.add(emission, "MHS501HospProvSpell", spells, _MHS501, "UniqHospProvSpellID", rng, {})
