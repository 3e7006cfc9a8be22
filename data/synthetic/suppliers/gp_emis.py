"""EMIS Web plays its part: the bulk extract of specification 8.2, one file per table and processing run.

The first delivery is the bulk; each later one brings what is new, different or deleted since. A patient GUID is the same in every
practice for one person in twenty, as after a practice merger.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from synthetic import clinical_model, dirt
from synthetic.emission import Emission, due, fault
from synthetic.place import Place
from synthetic.suppliers import _gp as gp
from synthetic.world_schema import Chunk, Delivery, Packaging

SOURCE = "gp_emis"
AGREEMENT = "45E7CD20-EE5B-4AA1-9D3B-7F8A1C2B3D4E"
FIRST_PROCESSING_ID = 291
PACKAGING = (Packaging(pattern=r"_(CareRecord|Prescribing|Appointment)_\w+_\d{14}_.*\.csv$", gzip=True),)

_BAD_ROWS = 0.001
_BAD_PATIENTS = 0.0003
_SHARED_GUID_ONE_IN = 20
#: One leaver in ten leaves the extract at once; the others stay as inactive patients.
_FORGOTTEN_ONE_IN = 10

_COLUMNS = {
    "Agreements_SharingOrganisation": "OrganisationGuid IsActivated LastModifiedDate Disabled Deleted",
    "Admin_Organisation": (
        "OrganisationGuid CDB OrganisationName ODSCode ParentOrganisationGuid CCGOrganisationGuid OrganisationType "
        "OpenDate CloseDate MainLocationGuid ProcessingId"
    ),
    "Admin_Patient": (
        "PatientGuid OrganisationGuid UsualGpUserInRoleGuid Sex DateOfBirth DateOfDeath Title GivenName MiddleNames "
        "Surname DateOfRegistration NhsNumber PatientNumber PatientTypeDescription DummyType HouseNameFlatNumber "
        "NumberAndStreet Village Town County Postcode ResidentialInstituteCode NHSNumberStatus CarerName CarerRelation "
        "PersonGuid DateofDeactivation Deleted SpineSensitive IsConfidential EmailAddress HomePhone MobilePhone "
        "ExternalUsualGPGuid ExternalUsualGP ExternalUsualGPOrganisation ContactComments ProcessingId"
    ),
    "Coding_ClinicalCode": (
        "CodeId Term ReadTermId SnomedCTConceptId SnomedCTDescriptionId NationalCode NationalCodeCategory "
        "NationalDescription EmisCodeCategoryDescription ParentCodeID ProcessingId"
    ),
    "Coding_DrugCode": "CodeId Term DmdProductCodeId BNFChapterRef ProcessingId",
    "CareRecord_Observation": (
        "ObservationGuid PatientGuid OrganisationGuid EffectiveDate EffectiveDatePrecision EnteredDate EnteredTime "
        "ClinicianUserInRoleGuid EnteredByUserInRoleGuid ParentObservationGuid CodeId ProblemGuid ConsultationGuid Value "
        "NumericUnit ObservationType NumericRangeLow NumericRangeHigh DocumentGuid Qualifiers Abnormal AbnormalReason "
        "Episode Deleted IsConfidential ProcessingId"
    ),
    "CareRecord_Consultation": (
        "ConsultationGuid PatientGuid OrganisationGuid EffectiveDate EffectiveDatePrecision EnteredDate EnteredTime "
        "ClinicianUserInRoleGuid EnteredByUserInRoleGuid AppointmentSlotGuid ConsultationSourceTerm "
        "ConsultationSourceCodeId Complete ConsultationType Deleted IsConfidential ProcessingId"
    ),
    "CareRecord_Problem": (
        "ObservationGuid PatientGuid OrganisationGuid ParentProblemObservationGuid Deleted EndDate EndDatePrecision "
        "ExpectedDuration LastReviewDate LastReviewDatePrecision LastReviewUserInRoleGuid ParentProblemRelationship "
        "ProblemStatusDescription SignificanceDescription ProcessingId"
    ),
    "Prescribing_IssueRecord": (
        "IssueRecordGuid PatientGuid OrganisationGuid DrugRecordGuid EffectiveDate EffectiveDatePrecision EnteredDate "
        "EnteredTime ClinicianUserInRoleGuid EnteredByUserInRoleGuid CodeId Dosage Quantity QuantityUnit "
        "ProblemObservationGuid CourseDurationInDays EstimatedNhsCost IsConfidential EmisCode PatientMessage "
        "ScriptPharmacyStamp Compliance AverageCompliance IsPrescribedAsContraceptive IsPrivatelyPrescribed "
        "PharmacyMessage PharmacyText ConsultationGuid ReviewDate Deleted ProcessingId"
    ),
    "Appointment_Slot": (
        "SlotGuid AppointmentDate AppointmentStartTime PlannedDurationInMinutes PatientGuid SendInTime LeftTime "
        "DidNotAttend PatientWaitInMin AppointmentDelayInMin ActualDurationInMinutes OrganisationGuid SessionGuid "
        "DnaReasonCodeId BookedDate BookedTime SlotStatus SlotType IsBookableOnline BookingMethod ExternalPatientGuid "
        "ExternalPatientOrganisation ModeOfContact Deleted ProcessingId"
    ),
}
#: What may go wrong with a row of a table, so that landing must refuse it: column -> kind of `dirt.BAD_VALUES`.
_FAULTS = {
    "Admin_Patient": {"DateOfRegistration": "31 February", "PatientGuid": "blank"},
    "CareRecord_Observation": {"EffectiveDate": "31 February", "CodeId": "letters in a number", "ObservationGuid": "blank"},
    "CareRecord_Consultation": {"EffectiveDate": "31 February", "ConsultationGuid": "blank"},
    "CareRecord_Problem": {"ExpectedDuration": "letters in a number", "ObservationGuid": "blank"},
    "Prescribing_IssueRecord": {"Quantity": "letters in a number", "EffectiveDate": "31 February", "IssueRecordGuid": "blank"},
    "Appointment_Slot": {"AppointmentDate": "31 February", "SlotGuid": "blank"},
}
_MODES = {
    "face_to_face": ("Surgery", "Face to face"),
    "telephone": ("Telephone consultation", "Telephone"),
    "online": ("Online consultation", "Online"),
    "home_visit": ("Home visit note", "Home visit"),
}
_SLOT_STATUS = {"attended": "Left", "did_not_attend": "DNA", "cancelled": "Cancelled"}
_EPISODES = {"first": "First", "new": "New", "review": "Review", "none": "None"}
#: SNOMED CT concept -> condition, for what becomes a problem.
_PROBLEMS = {code: name for name, condition in reversed(clinical_model.CONDITIONS.items()) for code in condition.snomed}

_CLINICAL_CODES = sorted(clinical_model.SNOMED_TERMS)
#: The supplier's own code ids, of the shape of its namespace (1000006) and outside what it has issued.
_CODE_IDS = {code: (900_000 + i) * 10**10 + 10000061_15 for i, code in enumerate(_CLINICAL_CODES)}
_DRUG_IDS = {key: (800_000 + i) * 10**10 + 10000331_15 for i, key in enumerate(clinical_model.DRUGS)}


def file_name(delivery: Delivery, table: str) -> str:
    """Name of a table's file, before packaging."""
    return f"{FIRST_PROCESSING_ID + delivery.index}_{table}_{delivery.date:%Y%m%d}011500_{AGREEMENT}.csv"


class _Writer:
    """Puts rows of one delivery into files, spoiling one in a thousand."""

    def __init__(self, emission: Emission, delivery: Delivery, rng: np.random.Generator) -> None:
        self.emission, self.delivery, self.rng = emission, delivery, rng

    def add(self, table: str, frame: pl.DataFrame, deleted: pl.DataFrame | None = None, breaks_off: str | None = None) -> None:
        """Add live rows and, if any, deleted ones, which carry keys only; last a row that ends after its key `breaks_off`."""
        delivery, file = self.delivery, file_name(self.delivery, table)
        run = pl.lit(FIRST_PROCESSING_ID + delivery.index).alias("ProcessingId")
        columns = _COLUMNS[table].split()
        frame = gp.layout(frame.with_columns(run, Deleted=pl.lit(False)), columns)
        frames = [frame]
        if kinds := _FAULTS.get(table):
            rest, some = gp.spoil(frame, _BAD_PATIENTS if table == "Admin_Patient" else _BAD_ROWS, self.rng)
            key = next(column for column, kind in kinds.items() if kind == "blank")
            spoilt, faults = dirt.bad_rows(some, 1, self.rng, kinds, delivery=delivery, source=SOURCE, file=file, identity=key)
            self.emission.faults += faults
            frames = [rest, spoilt]
        if deleted is not None:
            frames.append(gp.layout(deleted.with_columns(run, Deleted=pl.lit(True)), columns))
        tail = b""
        if breaks_off:
            tail = f"{breaks_off},Broken off\n".encode()
            self.emission.faults += fault(delivery, SOURCE, file, [breaks_off], "ragged row", "quarantined")
        gp.add(self.emission, delivery, SOURCE, file, frames, tail=tail)


def emit(chunk: Chunk, place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:
    """Rows of one chunk of people for every delivery. See `synthetic.emission`."""
    emission = Emission()
    held = gp.practices(place, "emis").with_columns(
        clinician=gp.guids(gp.mix(gp.STAFF, gp.practices(place, "emis")["practice_no"]))
    )
    seed = int(rng.integers(2**63))
    writers = {d.index: _Writer(emission, d, rng) for d in deliveries}
    _emit_patients(chunk, held, writers, seed)
    _emit_statements(chunk, held, writers)
    _emit_consultations(chunk, held, writers)
    _emit_issues(chunk, held, writers)
    emission.records = _record_truth(chunk, held)
    return emission


def _patient_guids(frame: pl.DataFrame, copy: pl.Series | np.ndarray) -> pl.Series:
    """The patient GUID of each row, from its person, practice and copy."""
    person, practice = frame["person_no"].to_numpy(), frame["practice_no"].to_numpy()
    return gp.guids(gp.mix(gp.PATIENT, person, np.where(person % _SHARED_GUID_ONE_IN == 0, -1, practice), copy))


def _record_truth(chunk: Chunk, held: pl.DataFrame) -> pl.DataFrame:
    records = gp.patient_records(chunk, held).join(
        held.select("practice_code", "organisation_guid"), on="practice_code", maintain_order="left"
    )
    return records.select(
        pl.lit(SOURCE).alias("source"),
        (pl.col("organisation_guid") + "|" + _patient_guids(records, records["copy"])).alias("local_id"),
        "person_no",
    )


def _emit_patients(chunk: Chunk, held: pl.DataFrame, writers: dict[int, _Writer], seed: int) -> None:
    records = gp.patient_records(chunk, held).join(
        held.select("practice_code", "organisation_guid", "clinician"), on="practice_code", how="left", maintain_order="left"
    )
    ids = records.select(
        _patient_guids(records, records["copy"]).alias("PatientGuid"),
        pl.col("organisation_guid").alias("OrganisationGuid"),
        pl.col("clinician").alias("UsualGpUserInRoleGuid"),
        gp.guids(gp.mix(gp.PATIENT, records["person_no"])).alias("PersonGuid"),
        (pl.col("person_no") % 100_000).alias("PatientNumber"),
    )
    forgets = pl.Series(gp.mix(gp.LEAVER, records["person_no"], records["practice_no"]) % np.uint64(_FORGOTTEN_ONE_IN) == 0)
    bulk_date = min(w.delivery.date for w in writers.values())
    before = was_held = None
    for writer in writers.values():
        people = gp.state(chunk, records.drop("organisation_guid", "clinician"), writer.delivery.date, seed)
        has_gone = forgets & (people["deregistered_on"] > bulk_date).fill_null(value=False)
        is_held = people["is_held"] & ~has_gone
        now = ids.hstack(_patient_rows(people))
        gone = None if was_held is None else ids.filter(was_held & has_gone).select("PatientGuid", "OrganisationGuid")
        writer.add("Admin_Patient", now.filter(gp.changed(now, before, is_held, was_held)), gone)
        before, was_held = now, is_held


def _patient_rows(people: pl.DataFrame) -> pl.DataFrame:
    """Admin_Patient as EMIS would print it, but for the ids."""
    return people.select(
        pl.col("sex").fill_null("U").alias("Sex"),
        pl.col("birth_date").alias("DateOfBirth"),
        pl.col("death_date").alias("DateOfDeath"),
        pl.col("title").alias("Title"),
        pl.col("given_name").alias("GivenName"),
        pl.col("middle_names").alias("MiddleNames"),
        pl.col("family_name").alias("Surname"),
        pl.col("registered_on").alias("DateOfRegistration"),
        pl.col("nhs_number").alias("NhsNumber"),
        pl.when(registration_type="temporary")
        .then(pl.lit("Temporary"))
        .otherwise(pl.lit("Regular"))
        .alias("PatientTypeDescription"),
        pl.col("is_test_patient").alias("DummyType"),
        pl.col("house").alias("HouseNameFlatNumber"),
        pl.col("street").alias("NumberAndStreet"),
        pl.col("locality").alias("Village"),
        pl.col("town").alias("Town"),
        # the column is seven characters wide
        pl.when(pl.col("postcode").str.len_chars() > 7)
        .then(pl.col("postcode").str.replace(" ", "", literal=True))
        .otherwise(pl.col("postcode"))
        .alias("Postcode"),
        pl.when(address_type="care_home").then(pl.lit("CH")).alias("ResidentialInstituteCode"),
        pl.col("deregistered_on").alias("DateofDeactivation"),
        pl.col("is_sensitive").alias("SpineSensitive"),
        pl.lit(False).alias("IsConfidential"),
        pl.col("email").alias("EmailAddress"),
        pl.col("home_phone").alias("HomePhone"),
        pl.col("mobile_phone").alias("MobilePhone"),
        # a note of two lines, as receptionists write them
        pl.when(pl.col("person_no") % 97 == 0)
        .then(pl.lit("Prefers mornings.\nDo not leave a message."))
        .alias("ContactComments"),
    )


def _emit_statements(chunk: Chunk, held: pl.DataFrame, writers: dict[int, _Writer]) -> None:
    """Observations (coded statements and results) and problems."""
    codes = gp.at_practice(gp.coded(chunk["gp_codes"]), held, "organisation_guid", "clinician")
    results = gp.at_practice(chunk["gp_measurements"], held, "organisation_guid", "clinician")
    resolved = chunk["conditions"].filter(pl.col("resolved_on").is_not_null()).select("person_no", "condition", "resolved_on")
    for writer in writers.values():
        delivery = writer.delivery
        new = gp.standing(due(codes, delivery), delivery)
        gone = gp.removed(codes, delivery)
        rows = pl.concat([_statements(new), *_results(due(results, delivery))], how="diagonal")
        writer.add("CareRecord_Observation", rows, _keys(gone, gp.CODE, "ObservationGuid"))
        known = gp.standing(codes.filter(pl.col("recorded_on") <= delivery.date), delivery)
        writer.add(
            "CareRecord_Problem",
            _problems(known, resolved, delivery),
            _keys(_that_are_problems(gone), gp.CODE, "ObservationGuid"),
        )


def _keys(events: pl.DataFrame, thing: int, column: str) -> pl.DataFrame:
    """The keys of events, whose GUIDs come from person and event number."""
    return events.select(
        gp.guids(gp.mix(thing, events["person_no"], events["event_no"])).alias(column),
        _patient_guids(events, np.zeros(events.height)).alias("PatientGuid"),
        pl.col("organisation_guid").alias("OrganisationGuid"),
    )


def _consultation_guids(events: pl.DataFrame) -> pl.Expr:
    number = events["consultation_no"]
    guids = gp.guids(gp.mix(gp.CONSULTATION, events["person_no"], number.fill_null(0)))
    return pl.when(number.is_not_null()).then(guids).alias("ConsultationGuid")


def _entry() -> list[pl.Expr]:
    """When and by whom a statement was entered."""
    return [
        pl.col("event_date").alias("EffectiveDate"),
        pl.col("recorded_on").alias("EnteredDate"),
        pl.col("clinician").alias("ClinicianUserInRoleGuid"),
        pl.col("clinician").alias("EnteredByUserInRoleGuid"),
        pl.lit(False).alias("IsConfidential"),
    ]


def _code_ids(column: str) -> pl.Expr:
    return pl.col(column).replace_strict(_CODE_IDS, return_dtype=pl.Int64).alias("CodeId")


def _statements(events: pl.DataFrame) -> pl.DataFrame:
    rows = events.select(
        *_entry(),
        pl.col("date_precision").alias("EffectiveDatePrecision"),
        _code_ids("snomed_code"),
        _consultation_guids(events),
        pl.lit("Observation").alias("ObservationType"),
        pl.lit(False).alias("Abnormal"),
        pl.col("episodicity").replace_strict(_EPISODES, default="None").alias("Episode"),
    )
    return _keys(events, gp.CODE, "ObservationGuid").hstack(rows)


def _results(events: pl.DataFrame) -> list[pl.DataFrame]:
    """Single results; and of pairs (blood pressure) the heading, the first and the second value, each its own observation."""
    pairs = [kind for kind, measurement in clinical_model.MEASUREMENTS.items() if measurement.parent_snomed]
    is_pair = pl.col("kind").is_in(pairs)
    paired = events.filter(is_pair)
    heading = gp.guids(gp.mix(gp.MEASUREMENT, paired["person_no"], paired["event_no"], np.zeros(paired.height)))
    return [
        _result(events.filter(~is_pair), 1, "snomed", "value"),
        _result(paired, 0, "parent_snomed", None),
        _result(paired, 1, "snomed", "value").with_columns(ParentObservationGuid=heading),
        _result(paired, 2, "second_snomed", "value_2").with_columns(ParentObservationGuid=heading),
    ]


def _result(events: pl.DataFrame, part: int, code: str, value: str | None) -> pl.DataFrame:
    """One observation of each result: `part` tells the observations of one result apart, `code` names its concept's attribute."""
    kinds = clinical_model.MEASUREMENTS
    ids = {kind: _CODE_IDS[concept] for kind, m in kinds.items() if (concept := getattr(m, code))}
    units = {kind: m.unit for kind, m in kinds.items()}
    guids = gp.guids(gp.mix(gp.MEASUREMENT, events["person_no"], events["event_no"], np.full(events.height, part)))
    return events.select(
        guids.alias("ObservationGuid"),
        _patient_guids(events, np.zeros(events.height)).alias("PatientGuid"),
        pl.col("organisation_guid").alias("OrganisationGuid"),
        *_entry(),
        pl.lit("YMD").alias("EffectiveDatePrecision"),
        pl.col("kind").replace_strict(ids, return_dtype=pl.Int64).alias("CodeId"),
        _consultation_guids(events),
        (pl.col(value) if value else pl.lit(None, pl.Float64)).alias("Value"),
        (pl.col("kind").replace_strict(units) if value else pl.lit(None, pl.String)).alias("NumericUnit"),
        pl.lit("Value").alias("ObservationType"),
        pl.lit(False).alias("Abnormal"),
        pl.lit("None").alias("Episode"),
    )


def _that_are_problems(events: pl.DataFrame) -> pl.DataFrame:
    return events.filter(pl.col("snomed_code").is_in(list(_PROBLEMS)) & pl.col("episodicity").is_in(["first", "new"]))


def _problems(events: pl.DataFrame, resolved: pl.DataFrame, delivery: Delivery) -> pl.DataFrame:
    """Problems that are new, or that have ended since the previous delivery and so are sent again."""
    problems = (
        _that_are_problems(events)
        .with_columns(condition=pl.col("snomed_code").replace_strict(_PROBLEMS, default=None))
        .join(resolved, on=["person_no", "condition"], how="left", maintain_order="left")
        .with_columns(ended_on=pl.when(pl.col("resolved_on") <= delivery.date).then(pl.col("resolved_on")))
    )
    if delivery.previous is not None:
        problems = problems.filter((pl.col("recorded_on") > delivery.previous) | (pl.col("ended_on") > delivery.previous))
    has_ended = pl.col("ended_on").is_not_null()
    rows = problems.select(
        pl.col("ended_on").alias("EndDate"),
        pl.when(has_ended).then(pl.lit("YMD")).alias("EndDatePrecision"),
        pl.lit(28).alias("ExpectedDuration"),
        pl.when(has_ended).then(pl.lit("Past Problem")).otherwise(pl.lit("Active Problem")).alias("ProblemStatusDescription"),
        pl.lit("Significant Problem").alias("SignificanceDescription"),
    )
    return _keys(problems, gp.CODE, "ObservationGuid").hstack(rows)


def _emit_consultations(chunk: Chunk, held: pl.DataFrame, writers: dict[int, _Writer]) -> None:
    """Appointments, and the consultations that those kept led to."""
    contacts = gp.at_practice(chunk["consultations"], held, "organisation_guid", "clinician").with_columns(
        at_time=pl.col("started_at").dt.strftime("%H:%M:%S"), on_date=pl.col("started_at").dt.date()
    )
    for writer in writers.values():
        new = due(contacts, writer.delivery)
        writer.add("Appointment_Slot", _slots(new))
        writer.add("CareRecord_Consultation", _consultations(new.filter(appointment_status="attended")))


def _contact_keys(contacts: pl.DataFrame) -> list[pl.Series | pl.Expr]:
    return [
        gp.guids(gp.mix(gp.APPOINTMENT, contacts["person_no"], contacts["consultation_no"])).alias("SlotGuid"),
        _patient_guids(contacts, np.zeros(contacts.height)).alias("PatientGuid"),
        pl.col("organisation_guid").alias("OrganisationGuid"),
    ]


def _slots(contacts: pl.DataFrame) -> pl.DataFrame:
    sessions = gp.mix(gp.SESSION, contacts["practice_no"], contacts["on_date"].cast(pl.Int32))
    return contacts.select(
        *_contact_keys(contacts),
        gp.guids(sessions).alias("SessionGuid"),
        pl.col("on_date").alias("AppointmentDate"),
        pl.col("at_time").alias("AppointmentStartTime"),
        pl.lit(10).alias("PlannedDurationInMinutes"),
        (pl.col("appointment_status") == "did_not_attend").alias("DidNotAttend"),
        pl.col("on_date").alias("BookedDate"),
        pl.col("appointment_status").replace_strict(_SLOT_STATUS).alias("SlotStatus"),
        pl.lit("GP appointment").alias("SlotType"),
        (pl.col("mode") != "home_visit").alias("IsBookableOnline"),
        pl.lit("Practice").alias("BookingMethod"),
        pl.col("mode").replace_strict({mode: words[1] for mode, words in _MODES.items()}).alias("ModeOfContact"),
    )


def _consultations(contacts: pl.DataFrame) -> pl.DataFrame:
    slot, *keys = _contact_keys(contacts)
    return contacts.select(
        _consultation_guids(contacts),
        *keys,
        slot.alias("AppointmentSlotGuid"),
        pl.col("on_date").alias("EffectiveDate"),
        pl.lit("YMDT").alias("EffectiveDatePrecision"),
        pl.col("recorded_on").alias("EnteredDate"),
        pl.col("at_time").alias("EnteredTime"),
        pl.col("clinician").alias("ClinicianUserInRoleGuid"),
        pl.col("clinician").alias("EnteredByUserInRoleGuid"),
        pl.col("mode").replace_strict({mode: words[0] for mode, words in _MODES.items()}).alias("ConsultationSourceTerm"),
        pl.lit(True).alias("Complete"),
        pl.lit(False).alias("IsConfidential"),
    )


def _emit_issues(chunk: Chunk, held: pl.DataFrame, writers: dict[int, _Writer]) -> None:
    medications = gp.at_practice(chunk["gp_medications"], held, "organisation_guid", "clinician")
    for writer in writers.values():
        writer.add("Prescribing_IssueRecord", _issues(due(medications, writer.delivery).rename({"issued_on": "event_date"})))


def _issues(medications: pl.DataFrame) -> pl.DataFrame:
    drug = pl.col("drug")
    numbers = medications["drug"].replace_strict({key: i for i, key in enumerate(_DRUG_IDS)}, return_dtype=pl.Int64)
    rows = medications.select(
        *_entry(),
        gp.guids(gp.mix(gp.DRUG, medications["person_no"], numbers)).alias("DrugRecordGuid"),
        pl.lit("YMD").alias("EffectiveDatePrecision"),
        drug.replace_strict(_DRUG_IDS, return_dtype=pl.Int64).alias("CodeId"),
        pl.lit("As directed, with water").alias("Dosage"),
        pl.col("quantity").alias("Quantity"),
        drug.replace_strict({key: f"{d.unit}(s)" for key, d in clinical_model.DRUGS.items()}).alias("QuantityUnit"),
        pl.col("course_days").alias("CourseDurationInDays"),
        (pl.col("quantity") * 0.05).round(2).alias("EstimatedNhsCost"),
        (drug == "contraceptive").alias("IsPrescribedAsContraceptive"),
        pl.lit(False).alias("IsPrivatelyPrescribed"),
    )
    return _keys(medications, gp.MEDICATION, "IssueRecordGuid").hstack(rows)


def emit_once(place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:
    """Code dictionaries, in full every time; organisations and agreements, with the bulk. See `synthetic.emission`."""
    emission = Emission()
    for delivery in deliveries:
        writer = _Writer(emission, delivery, rng)
        organisations, agreements = _organisations(place), _agreements(place)
        if not delivery.is_bulk:
            organisations, agreements = organisations.clear(), agreements.clear()
        writer.add("Agreements_SharingOrganisation", agreements)
        writer.add("Admin_Organisation", organisations)
        writer.add("Coding_ClinicalCode", _clinical_codes(), breaks_off="9990001000006115" if delivery.is_bulk else None)
        writer.add("Coding_DrugCode", _drug_codes())
    return emission


def _organisations(place: Place) -> pl.DataFrame:
    held = gp.practices(place, "emis")
    return held.select(
        pl.col("organisation_guid").alias("OrganisationGuid"),
        (pl.col("practice_no") + 50_000).alias("CDB"),
        pl.col("name").alias("OrganisationName"),
        pl.col("practice_code").alias("ODSCode"),
        pl.lit("General Practice").alias("OrganisationType"),
        pl.col("open_date").alias("OpenDate"),
        pl.col("close_date").alias("CloseDate"),
        gp.guids(gp.mix(gp.ADDRESS, held["practice_no"])).alias("MainLocationGuid"),
    )


def _agreements(place: Place) -> pl.DataFrame:
    return gp.practices(place, "emis").select(
        pl.col("organisation_guid").alias("OrganisationGuid"),
        pl.lit(True).alias("IsActivated"),
        pl.lit("2022-04-26 06:35:16").alias("LastModifiedDate"),
        pl.lit(False).alias("Disabled"),
    )


def _clinical_codes() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "CodeId": [_CODE_IDS[code] for code in _CLINICAL_CODES],
            "Term": [clinical_model.SNOMED_TERMS[code] for code in _CLINICAL_CODES],
            "SnomedCTConceptId": _CLINICAL_CODES,
            "SnomedCTDescriptionId": [_CODE_IDS[code] for code in _CLINICAL_CODES],
            "EmisCodeCategoryDescription": ["Clinical"] * len(_CLINICAL_CODES),
        }
    )


def _drug_codes() -> pl.DataFrame:
    drugs = clinical_model.DRUGS
    return pl.DataFrame(
        {
            "CodeId": [_DRUG_IDS[key] for key in drugs],
            "Term": [drug.term for drug in drugs.values()],
            "DmdProductCodeId": [drug.code for drug in drugs.values()],
            "BNFChapterRef": [drug.bnf[:4] for drug in drugs.values()],
        }
    )
