"""The two acute trusts play SUS: wide admitted patient care and outpatient files, and the flattened Emergency Care Data Set.

The first delivery brings closed financial years and the open months; every night the open months come again, whole. A month stays
open until the fifth of the next.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from synthetic import dirt, nhs_numbers
from synthetic.emission import Emission, csv_part, due
from synthetic.place import Place
from synthetic.suppliers import _patients as patients
from synthetic.suppliers import _periods as periods
from synthetic.suppliers import _sus_wide as wide
from synthetic.world_schema import Chunk, Delivery, Packaging, Part

SOURCE = "acute_sus"
PACKAGING = (Packaging(pattern=r"^(APC|OP)_.*\.csv$", gzip=True),)

_DAYS_OPEN = 5
#: In files of closed years only: in the small file of a young month one bad row could be a share that refuses the file.
_BAD_ROWS = 0.001
_DOUBLED = 0.008  # share of patients with two hospital numbers at one trust
_PHANTOM_ONE_IN = 500  # emergency attendances entered twice; the delete log takes the second back a day later
_WITHHELD_ONE_IN = 100  # women's day cases, as under the fertility act: nothing that tells the patient
_NOT_STATED_ONE_IN = 12
#: Codes that hospitals write with a dagger suffix.
_DAGGER = {code: code + "D" for code in ("E102", "E103", "E104", "E112", "E113", "E114", "G990")}

_ECDS_COLUMNS = {
    "PRIMARYKEY_ID": pl.col("record_id"),
    "dmicImportLogId": pl.col("import_log_id"),
    "patient.local_patient_identifier.issuer": pl.col("provider_code"),
    "patient.local_patient_identifier.value": pl.col("local_id"),
    "patient.nhs_number.value": pl.col("nhs_number"),
    "patient.nhs_number.status": pl.col("nhs_number_status"),
    "patient.birth_date": pl.col("birth_date").dt.strftime("%Y-%m-%d"),
    "patient.stated_gender": patients.stated_gender(),
    "patient.name.given_name": pl.col("shown_given_name"),
    "patient.name.family_name": pl.col("shown_family_name"),
    "patient.usual_address.unstructured": pl.col("shown_address"),
    "patient.usual_address.postcode": pl.col("postcode"),
    "patient.ethnic_category": pl.col("ethnic_category"),
    "patient.gp_registration.general_practice": pl.col("practice_code"),
    "system.transaction.cds_unique_identifier": pl.lit("B") + pl.col("provider_code") + pl.col("record_id"),
    "system.transaction.cds_update_type": pl.lit("9"),
    "system.transaction.cds_applicable_timestamp": pl.col("recorded_on").dt.strftime("%Y-%m-%d 18:00:00"),
    "system.record.provider": pl.col("provider_code"),
    "attendance.location.site": pl.col("site_code"),
    "attendance.location.department_type": pl.col("department_type"),
    "attendance.arrival.attendance_category": pl.lit("1"),
    "attendance.arrival.arrival_mode.code": pl.col("arrival_mode_code"),
    "attendance.arrival.timestamp": pl.col("arrived_at").dt.strftime("%Y-%m-%d %H:%M:%S"),
    "attendance.departure.timestamp": pl.col("departed_at").dt.strftime("%Y-%m-%d %H:%M:%S"),
    "clinical.acuity.code": pl.col("acuity_code"),
    "clinical.chief_complaint.code": pl.col("chief_complaint_code"),
    "attendance.discharge.status.code": pl.col("discharge_status_code"),
    "attendance.discharge.destination.code": pl.when("is_admitted").then(pl.lit("306706006")).otherwise(pl.lit("306689006")),
    "attendance.decision_to_admit.timestamp": pl.when("is_admitted").then(pl.col("departed_at")).dt.strftime("%Y-%m-%d %H:%M:%S"),
    "commissioning.grouping.health_resource_group": pl.lit("VB08Z"),
}

#: Wide columns that both files have, by header.
_WIDE = {
    "Generated Record Identifier": pl.col("record_id"),
    "Unique CDS identifier": pl.lit("B") + pl.col("provider_code") + pl.col("record_id"),
    "Update type": pl.lit("9"),
    "Applicable date/time": pl.col("recorded_on").dt.strftime("%Y%m%d180000"),
    "Local Patient Identifier": pl.col("local_id"),
    "Organisation Code (Local Patient Identifier)": pl.col("provider_code"),
    "NHS Number": pl.col("nhs_number"),
    "Date of Birth": pl.col("birth_date").dt.strftime("%Y%m%d"),
    "NHS Number Trace Status": pl.col("nhs_number_status"),
    "Withheld Identity Reason": pl.col("withheld_identity_reason"),
    "Sex": pl.col("sex").replace_strict({"M": "1", "F": "2"}, default=None, return_dtype=pl.String).fill_null("0"),
    "Person Title": pl.col("shown_title"),
    "Person Given Name": pl.col("shown_given_name"),
    "Person Family Name": pl.col("shown_family_name"),
    "Patient Usual Address": pl.lit('"') + pl.col("shown_address") + '"',
    "Postcode": pl.col("postcode"),
    "Practice Code of Registered GP": pl.col("practice_code"),
    "Main Specialty Code": pl.col("main_specialty_code"),
    "Treatment Function Code": pl.col("treatment_function_code"),
}
_APC = _WIDE | {
    "CDS type": pl.lit("130"),
    "Protocol identifier": pl.lit("020"),
    "Bulk replacement CDS group": pl.lit("010"),
    "Ethnic Group": pl.col("ethnic_category"),
    "Hospital Provider Spell Number": pl.col("spell_number"),
    "Patient Classification": pl.col("patient_classification_code"),
    "Admission Method (Hospital Provider Spell)": pl.col("admission_method_code"),
    "Discharge Destination (Hospital Provider Spell)": pl.col("discharge_destination_code"),
    "Discharge Method (Hospital Provider Spell)": pl.col("discharge_method_code"),
    "Source of Admission (Hospital Provider Spell)": pl.col("source_of_admission_code"),
    "Start Date (Hospital Provider Spell)": pl.col("spell_start"),
    "Start Time (Hospital Provider Spell)": pl.format("{}3000", pl.format("{}", 8 + pl.col("spell_no") % 13).str.zfill(2)),
    "Discharge Date (From Hospital Provider Spell)": pl.col("discharged_on").dt.strftime("%Y%m%d"),
    "Discharge Time (Hospital Provider Spell)": pl.lit("220000"),
    "Episode Number": pl.col("episode"),
    "Last Episode In Spell Indicator": pl.when("is_last_episode").then(pl.lit("1")).otherwise(pl.lit("2")),
    "Start Date (Consultant Episode)": pl.col("episode_start"),
    "End Date (Consultant Episode)": pl.col("episode_end_date").dt.strftime("%Y%m%d"),
    "Organisation Code Code of Provider": pl.col("provider_code"),
    "Organisation Code Code of Commissioner": pl.col("commissioner_code"),
    "Site Code (of Treatment) At Episode Start Date": pl.col("site_code"),
    "FCE HRG": pl.col("hrg_code"),
    "Spell Core HRG": pl.col("spell_core_hrg"),
    "CDS Activity Date": pl.col("episode_end_date").dt.strftime("%Y%m%d"),
    "Finished Indicator": pl.lit("1"),
}
_OP = _WIDE | {
    "CDS type": pl.lit("020"),
    "Protocol identifier": pl.lit("020"),
    "Bulk replacement CDS group": pl.lit("060"),
    "Ethnic Category": pl.col("ethnic_category"),
    "Attendance Identifier": pl.col("event_no").cast(pl.String),
    "Attended or Did Not Attend": pl.col("attended_code"),
    "First Attendance": pl.col("first_attendance_code"),
    "Outcome of Attendance": pl.col("outcome_code"),
    "Appointment Date": pl.col("appointment"),
    "Appointment Time": pl.format("{}1500", pl.format("{}", 9 + pl.col("event_no") % 8).str.zfill(2)),
    "Consultation Medium Used": pl.col("consultation_medium_code"),
    "Organisation Code (Code of Provider)": pl.col("provider_code"),
    "Organisation Code (Code of Commissioner)": pl.col("commissioner_code"),
    "Site Code (of Treatment)": pl.col("site_code"),
    "Priority Type": pl.col("priority_code"),
    "Source of Referral For Outpatients": pl.col("referral_source_code"),
    "Core HRG": pl.col("hrg_code"),
    "CDS Activity Date": pl.col("appointment_date").dt.strftime("%Y%m%d"),
}
_BLOCKS = {
    "APC": {
        101: wide.coded_block(pl.col("icd10"), repeats=24, fields=2),
        175: wide.coded_block(pl.col("procedure_codes"), 24, 6, dated=pl.col("episode_start_date").dt.strftime("%Y%m%d")),
    },
    "OP": {49: wide.coded_block(pl.col("icd10"), repeats=24, fields=2)},
}
_ROWS = {"APC": wide.APC.rows(_APC, _BLOCKS["APC"]), "OP": wide.OP.rows(_OP, _BLOCKS["OP"])}
_HEADERS = {"APC": wide.APC.header_line, "OP": wide.OP.header_line}
_SPOILT = {
    "APC": {"episode_start": "31 February", "spell_start": "blank", "episode": "letters in a number"},
    "OP": {"appointment": "31 February"},
}


def emit(chunk: Chunk, place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:
    """The chunk's episodes, appointments and attendances in every delivery's open months."""
    events = {"APC": chunk["inpatient_episodes"], "OP": chunk["outpatient_attendances"], "ECDS": chunk["emergency_attendances"]}
    who = pl.concat([frame.select("person_no", "provider_code") for frame in events.values()])
    records = patients.records(chunk, who, deliveries, dirt.ACUTE, rng, _DOUBLED).with_columns(_local_id())
    rows = {
        "APC": _of_patients(_episodes(events["APC"]), "81", "episode_start_date", chunk, place, records),
        "OP": _of_patients(_appointments(events["OP"]), "82", "appointment_date", chunk, place, records),
    }
    attendances = _of_patients(_attendances(events["ECDS"]), "83", "arrival_date", chunk, place, records)
    sent = [frame.filter(pl.col("recorded_on") <= deliveries[-1].date) for frame in (*rows.values(), attendances)]
    emission = Emission(records=patients.truth(SOURCE, sent))
    providers = place.providers.filter(provider_type="acute")["provider_code"].to_list()
    for delivery in deliveries:
        for period in periods.refreshed_daily(delivery, _DAYS_OPEN):
            for provider in providers:
                for kind, frame in rows.items():
                    _wide_file(emission, delivery, kind, provider, period, frame, rng)
                _emergency_files(emission, delivery, provider, period, attendances, rng)
        _delete_log(emission, delivery, attendances)
    return emission


def emit_once(place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:  # noqa: ARG001
    """Nothing: every file of this supplier is about patients."""
    return Emission()


def _local_id() -> pl.Expr:
    """The hospital number: eight digits, leading zeros and all; a second record has one of its own."""
    number = pl.col("person_no") * 7 + 1_001 + pl.col("copy") * 5
    return number.cast(pl.String).str.zfill(8).alias("local_id")


def _episodes(frame: pl.DataFrame) -> pl.DataFrame:
    """Episodes with their reporting month; the longest episode of a spell is dominant and carries the spell's HRG."""
    days = (pl.col("episode_end_date") - pl.col("episode_start_date")).dt.total_days()
    longest = pl.col("episode_number").sort_by(days, pl.col("episode_number"), descending=[True, False]).first().over("spell_no")
    return frame.with_columns(
        month=periods.reported_month("episode_end_date", "recorded_on", _DAYS_OPEN),
        spell_core_hrg=pl.when(pl.col("episode_number") == longest).then(pl.col("hrg_code")),
        spell_number=pl.lit("S") + pl.col("spell_no").cast(pl.String).str.zfill(10),
        spell_start=pl.col("admitted_on").dt.strftime("%Y%m%d"),
        episode_start=pl.col("episode_start_date").dt.strftime("%Y%m%d"),
        episode=pl.col("episode_number").cast(pl.String),
        icd10=_as_hospitals_write("diagnosis_codes"),
    )


def _appointments(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        month=periods.reported_month("appointment_date", "recorded_on", _DAYS_OPEN),
        appointment=pl.col("appointment_date").dt.strftime("%Y%m%d"),
        icd10=_as_hospitals_write("diagnosis_codes"),
    )


def _attendances(frame: pl.DataFrame) -> pl.DataFrame:
    """Attendances; now and then one was entered twice (`is_phantom`)."""
    frame = frame.with_columns(is_phantom=False)
    phantoms = frame.filter(pl.col("event_no") % _PHANTOM_ONE_IN == 7).with_columns(is_phantom=True)
    return (
        pl.concat([frame, phantoms])
        .with_columns(arrival_date=pl.col("arrived_at").dt.date())
        .with_columns(
            month=periods.reported_month("arrival_date", "recorded_on", _DAYS_OPEN),
            import_log_id=pl.col("recorded_on").dt.strftime("9%Y%m%d"),
        )
    )


def _as_hospitals_write(codes: str) -> pl.Expr:
    """ICD-10 with `X` for a missing fourth character and a dagger suffix where hospitals put one."""
    code = pl.element()
    padded = pl.when(code.str.len_chars() == 3).then(code + "X").otherwise(code.replace(_DAGGER))
    return pl.col(codes).list.eval(padded)


def _of_patients(frame: pl.DataFrame, series: str, day: str, chunk: Chunk, place: Place, records: pl.DataFrame) -> pl.DataFrame:
    """Events with what the trust knows of the patient that day; record ids begin with the digits of their `series`.

    Who has two hospital numbers uses either for a whole stay. Names and address are shown only when there is no valid NHS number.
    """
    doubled = records.filter(pl.col("copy") == 1).select("person_no", "provider_code", has_second=True)
    stay = pl.col("spell_no" if "spell_no" in frame.columns else "event_no")
    second = pl.col("has_second").fill_null(False) & (stay % 2 == 1)
    rows = (
        frame.join(doubled, on=["person_no", "provider_code"], how="left", maintain_order="left")
        .with_columns(copy=second.cast(pl.Int64))
        .join(records, on=["person_no", "provider_code", "copy"], how="inner", maintain_order="left")
    )
    rows = patients.on_day(rows, day, chunk).sort("event_no")
    nameless = nhs_numbers.is_valid(pl.col("nhs_number")).fill_null(False)
    address = pl.concat_str("house", "street", "locality", "town", separator=" ", ignore_nulls=True).str.replace_all('"', "")
    shown = {"shown_title": pl.col("title"), "shown_given_name": pl.col("given_name"), "shown_family_name": pl.col("family_name")}
    rows = rows.with_columns(
        record_id=pl.lit(series) + _is_phantom(rows) + pl.col("event_no").cast(pl.String).str.zfill(12),
        commissioner_code=pl.lit(place.sub_icb_code),
        ethnic_category=pl.when(pl.col("event_no") % _NOT_STATED_ONE_IN == 3)
        .then(pl.lit("Z"))
        .otherwise(pl.col("ethnic_category_code").fill_null("99")),
        withheld_identity_reason=pl.lit(None, pl.String),
        **{name: pl.when(~nameless).then(value) for name, value in (shown | {"shown_address": address}).items()},
    )
    return _withhold(rows) if series == "81" else rows


def _is_phantom(rows: pl.DataFrame) -> pl.Expr:
    """The digit that sets a record entered twice apart."""
    return pl.col("is_phantom").cast(pl.Int64).cast(pl.String) if "is_phantom" in rows.columns else pl.lit("0")


def _withhold(rows: pl.DataFrame) -> pl.DataFrame:
    """Fertility act records: nothing left that identifies, and the reason in its place."""
    day_case = (pl.col("patient_classification_code") == "2") & (pl.col("sex") == "F")
    hidden = day_case.fill_null(False) & (pl.col("spell_no") % _WITHHELD_ONE_IN == 11)
    empty = ["local_id", "nhs_number", "nhs_number_status", "birth_date", "postcode", "practice_code"]
    empty += [name for name in rows.columns if name.startswith("shown_")]
    return rows.with_columns(
        *(pl.when(~hidden).then(pl.col(name)).alias(name) for name in empty),
        pl.when(hidden).then(pl.lit("01")).alias("withheld_identity_reason"),
    )


def _file(kind: str, delivery: Delivery, provider: str, period: periods.Period) -> str:
    return f"{kind}_{provider}_{period.label}_{delivery.date:%Y%m%d}063000"


def _rows_of(frame: pl.DataFrame, delivery: Delivery, provider: str, period: periods.Period) -> pl.DataFrame:
    return period.of(frame).filter((pl.col("provider_code") == provider) & (pl.col("recorded_on") <= delivery.date))


def _bad_rows(period: periods.Period) -> float:
    return _BAD_ROWS if period.first < period.last else 0.0


def _wide_file(
    emission: Emission,
    delivery: Delivery,
    kind: str,
    provider: str,
    period: periods.Period,
    frame: pl.DataFrame,
    rng: np.random.Generator,
) -> None:
    file = _file(kind, delivery, provider, period) + ".csv"
    rows, faults = dirt.bad_rows(
        _rows_of(frame, delivery, provider, period),
        _bad_rows(period),
        rng,
        _SPOILT[kind],
        delivery=delivery,
        source=SOURCE,
        file=file,
        identity="record_id",
        date_format="yyyyMMdd",
    )
    body = "\n".join([*rows.select(_ROWS[kind].alias("row"))["row"].to_list(), ""]).encode() if rows.height else b""
    emission.parts.append(Part(delivery.index, SOURCE, file, (_HEADERS[kind] + "\n").encode(), body))
    emission.faults += faults


def _emergency_files(
    emission: Emission,
    delivery: Delivery,
    provider: str,
    period: periods.Period,
    attendances: pl.DataFrame,
    rng: np.random.Generator,
) -> None:
    """The root table and its diagnoses."""
    name = _file("ECDS", delivery, provider, period)
    rows = _rows_of(attendances, delivery, provider, period)
    root, faults = dirt.bad_rows(
        rows.select(**_ECDS_COLUMNS),
        _bad_rows(period),
        rng,
        {"attendance.arrival.timestamp": "2025-02-31 10:00:00", "system.record.provider": "blank"},
        delivery=delivery,
        source=SOURCE,
        file=f"{name}_emergency_care.csv",
        identity="PRIMARYKEY_ID",
    )
    emission.faults += faults
    diagnoses = (
        rows.select("record_id", "diagnosis_codes", number=pl.int_ranges(1, pl.col("diagnosis_codes").list.len() + 1))
        .explode("diagnosis_codes", "number")
        .drop_nulls("diagnosis_codes")
        .select(
            PRIMARYKEY_ID="record_id",
            SNOMED_ID=pl.col("number").cast(pl.String),
            code="diagnosis_codes",
            sequence_number=pl.col("number").cast(pl.String),
            is_primary=pl.when(pl.col("number") == 1).then(pl.lit("true")).otherwise(pl.lit("false")),
            qualifier=pl.lit("410605003"),
        )
    )
    emission.parts.append(csv_part(delivery, SOURCE, f"{name}_emergency_care.csv", root))
    emission.parts.append(csv_part(delivery, SOURCE, f"{name}_clinical.diagnoses.snomed.csv", diagnoses))


def _delete_log(emission: Emission, delivery: Delivery, attendances: pl.DataFrame) -> None:
    """Deletes of records entered twice, logged the day after they were recorded."""
    phantoms = attendances.filter("is_phantom").with_columns(deleted_on=pl.col("recorded_on") + pl.duration(days=1))
    log = due(phantoms, delivery, "deleted_on").select(
        PRIMARYKEY_ID="record_id",
        dmicImportLogId="import_log_id",
        dmicIsDeleted=pl.lit("true"),
        dmicDeletedImportLogId=pl.col("deleted_on").dt.strftime("9%Y%m%d"),
    )
    emission.parts.append(csv_part(delivery, SOURCE, f"ECDS_{delivery.date:%Y%m%d}063000_InsertDeleteLog.csv", log))
