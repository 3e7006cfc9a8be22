"""TPP SystmOne plays its part: the Strategic Reporting Extract, header version 93, one zip per delivery with its manifest.

The first delivery is bulk; each later one brings what is new, different or removed since. A patient's id is the
same in every practice. One statement in ten comes without its SNOMED CT concept; CTV3 codes come in pairs that differ by case.
"""

from __future__ import annotations

import unicodedata

import numpy as np
import polars as pl

from synthetic import clinical_model, dirt
from synthetic.emission import Emission, due, fault
from synthetic.place import Place
from synthetic.suppliers import _gp as gp
from synthetic.world_schema import Chunk, Delivery, Packaging

SOURCE = "gp_systmone"
PACKAGING = (Packaging(pattern=r"^SR\w+\.csv$", encoding="cp1252", crlf=True, zip_into="{date:%Y%m%d}_0200.zip"),)

_BAD_ROWS = 0.001
_BAD_PATIENTS = 0.0003
_UNMAPPED_ONE_IN = 10
#: One leaver in ten is removed from the extract at once.
_FORGOTTEN_ONE_IN = 10
_SECOND_COPY = 500_000_000

_WHO = "DateEventRecorded DateEvent IDProfileEnteredBy IDDoneBy TextualEventDoneBy IDOrganisationDoneAt"
_WHERE = "IDPatient IDOrganisation IDOrganisationRegisteredAt RemovedData"
_COLUMNS = {
    "SRPatient": (
        "RowIdentifier IDOrganisationVisibleTo Title FirstName MiddleNames Surname PreviousSurname NHSNumber DateBirth "
        "DateDeath BirthPlace Gender SpeaksEnglish EmailAddress TestPatient SSRef SpineMatched RemovedData"
    ),
    "SRPatientRegistration": (
        "RowIdentifier IDOrganisationVisibleTo DateEventRecorded IDProfileEnteredBy DateRegistration DateDeRegistration "
        f"RegistrationStatus PreferredPharmacy {_WHERE}"
    ),
    "SRPatientAddressHistory": (
        f"RowIdentifier IDOrganisationVisibleTo {_WHO} NameOfBuilding NumberOfBuilding NameOfRoad NameOfLocality "
        "NameOfTown NameOfCounty FullPostCode DateTo AddressType IDEvent IDPatient IDOrganisation CcgOfResidence "
        "RemovedData"
    ),
    "SRPatientContactDetails": f"RowIdentifier IDOrganisationVisibleTo {_WHO} ContactType ContactNumber IDEvent {_WHERE}",
    "SRCode": (
        f"RowIdentifier IDOrganisationVisibleTo {_WHO} CTV3Code CTV3Text SNOMEDCode SNOMEDText NumericComparator IsNumeric "
        "NumericValue NumericUnit EpisodeType IDTemplate IDQuestionnaire IDEvent IDPatient IDReferralIn IDAppointment "
        "IDVisit IDOrganisation IDOrganisationRegisteredAt RemovedData"
    ),
    "SREvent": (
        "RowIdentifier IDOrganisationVisibleTo DateEventRecorded DateEvent IDProfileEnteredBy IDDoneBy "
        "IDStaffMemberProfileRole TextualEventDoneBy IDOrganisationDoneAt IDAuthorisedBy IDProfileAuthorisedBy "
        "ContactEventLocation ContactMethod EventIncomplete ClinicalEvent IDReferralIn IDPatient IDOrganisation IDTeam "
        "IDBranch IDOrganisationRegisteredAt RemovedData"
    ),
    "SRPrimaryCareMedication": (
        f"RowIdentifier IDOrganisationVisibleTo {_WHO} IDMultiLexProduct IDMultiLexPack IDMultiLexDMD NameOfMedication "
        "DateMedicationStart DateMedicationEnd MedicationDosage MedicationQuantity IsSupervised SupervisedDose "
        "UnsupervisedDose IsRepeatMedication IsOtherMedication IsDentalMedication IsHospitalMedication IDRepeatTemplate "
        f"IDReferralIn IDEvent {_WHERE}"
    ),
    "SRAppointment": (
        "RowIdentifier IDOrganisationVisibleTo DateStart DateEnd AppointmentStatus DateAppointmentBooked "
        "DatePatientArrival DatePatientSeen FollowUpAppointment TelephoneAppointment IDClinician IDProfileClinician "
        "RotaName RotaType RotaLocation RotaCode IDRotaOwner IDProfileRotaOwner AllowsOverbooking BookingContactNumber "
        f"DateAppointmentCancelled IDRota IDReferralIn {_WHERE}"
    ),
    "SRCtv3ToSnomed": "RowIdentifier IDOrganisationVisibleTo Ctv3Code SnomedCode RemovedData",
    "SROrganisation": (
        "RowIdentifier Name ID HouseName HouseNumber NameOfRoad NameOfLocality NameOfTown NameOfCounty FullPostCode "
        "Telephone SecondaryTelephone Fax MadeObsolete IDTrust IDCcg RemovedData"
    ),
    "SRMapping": "RowIdentifier IdMappingGroup Mapping",
}
_REFERENCE = ("SRCtv3ToSnomed", "SROrganisation")
_PATIENT_LEVEL = tuple(table for table in _COLUMNS if table not in (*_REFERENCE, "SRMapping"))
#: Columns that say -1 for none.
_NONE_IDS = frozenset(
    (
        "IDProfileEnteredBy", "IDDoneBy", "IDStaffMemberProfileRole", "IDAuthorisedBy", "IDProfileAuthorisedBy", "IDClinician",
        "IDProfileClinician", "IDRotaOwner", "IDProfileRotaOwner", "ContactEventLocation", "IDTemplate", "IDQuestionnaire",
        "IDEvent", "IDReferralIn", "IDAppointment", "IDVisit", "IDTeam", "IDBranch", "IDMultiLexProduct", "IDMultiLexPack",
        "IDRepeatTemplate", "IDRota", "IDTrust", "IDCcg", "CcgOfResidence",
    )
)  # fmt: skip
#: What may go wrong with a row of a table, so that landing must refuse it: column -> kind of `dirt.BAD_VALUES`.
_FAULTS = {
    "SRPatient": {"DateDeath": "31 February", "RowIdentifier": "blank"},
    "SRPatientRegistration": {"DateRegistration": "31 February", "RowIdentifier": "blank"},
    "SRPatientAddressHistory": {"DateEvent": "31 February", "RowIdentifier": "letters in a number"},
    "SRCode": {"DateEvent": "31 February", "SNOMEDCode": "letters in a number", "IDPatient": "blank"},
    "SREvent": {"DateEvent": "31 February", "IDPatient": "letters in a number"},
    "SRPrimaryCareMedication": {"DateEvent": "31 February", "IDMultiLexDMD": "letters in a number", "RowIdentifier": "blank"},
    "SRAppointment": {"DateStart": "31 February", "AppointmentStatus": "letters in a number"},
}

#: Ids of coded columns, by meaning: word -> (group, words in SRMapping).
_MAPPING = {
    "first": (1, "First"), "new": (1, "New"), "review": (1, "Review"),
    "face_to_face": (2, "Face to face"), "telephone": (2, "Telephone"), "online": (2, "Online consultation"),
    "home_visit": (2, "Home visit"),
    "attended": (3, "Finished"), "did_not_attend": (3, "Did Not Attend"), "cancelled": (3, "Cancelled by Patient"),
    "home": (4, "Home"), "mobile": (4, "Mobile"),
}  # fmt: skip
_MAPPING_IDS = {word: 77_000 + i for i, word in enumerate(_MAPPING)}
_ADDRESS_TYPES = {"care_home": "Care home", "hostel": "Temporary", "student": "Temporary"}

_CONCEPTS = sorted(clinical_model.SNOMED_TERMS)
_KNOWN_CTV3 = {"827241000000103": "XaZ89", "827261000000102": "XaZ8A"}
#: SNOMED CT concept -> CTV3 code; but for the known ones local (Y) codes that do not exist, pairs of which differ only by case.
_CTV3 = {concept: f"Y{'aA'[i % 2]}{i // 2:03d}" for i, concept in enumerate(_CONCEPTS)} | _KNOWN_CTV3

#: Days as the extract prints them, by days since 1900-01-01.
_EPOCH = pl.date(1900, 1, 1)
_DAYS = pl.select(pl.date_range(_EPOCH, pl.date(2059, 12, 31), "1d").dt.strftime("%d %b %Y")).to_series()
_MIDNIGHTS, _MORNINGS = _DAYS + " 00:00:00", _DAYS + " 09:30:00"


def _printed(days: pl.Series, at: pl.Series = _MIDNIGHTS) -> pl.Series:
    """Dates as `dd MMM yyyy HH:mm:ss`, looked up and not formatted one by one; dates outside 1900-2059 are blank."""
    position = (days - pl.select(_EPOCH).item()).dt.total_days()
    return at.gather(position.set((position < 0) | (position >= len(at)), None).cast(pl.UInt32))


def _stamped(moments: pl.Series) -> pl.Series:
    return moments.dt.strftime("%d %b %Y %H:%M:%S")


class _Writer:
    """Puts rows of one delivery into files, spoiling one in a thousand."""

    def __init__(self, emission: Emission, delivery: Delivery, rng: np.random.Generator) -> None:
        self.emission, self.delivery, self.rng = emission, delivery, rng

    def add(self, table: str, frame: pl.DataFrame, removed: pl.DataFrame | None = None, breaks_off: str | None = None) -> None:
        """Add live rows and, if any, removed ones, which carry keys only; last a row that ends after its key `breaks_off`."""
        delivery, file = self.delivery, f"{table}.csv"
        columns = _COLUMNS[table].split()
        none = [pl.lit("-1").alias(c) for c in columns if c in _NONE_IDS and c not in frame.columns]
        frame = gp.layout(frame.with_columns(*none, RemovedData=pl.lit("0")), columns)
        frames = [frame]
        if kinds := _FAULTS.get(table):
            rest, some = gp.spoil(frame, _BAD_PATIENTS if table == "SRPatient" else _BAD_ROWS, self.rng)
            spoilt, faults = dirt.bad_rows(
                some,
                1,
                self.rng,
                kinds,
                delivery=delivery,
                source=SOURCE,
                file=file,
                identity="RowIdentifier",
                date_format="dd MMM yyyy",
            )
            self.emission.faults += faults
            frames = [rest, spoilt]
        if removed is not None:
            frames.append(gp.layout(removed.with_columns(RemovedData=pl.lit("1")), columns))
        tail = b""
        if breaks_off:
            tail = f'"{breaks_off}","-1"\n'.encode()
            self.emission.faults += fault(delivery, SOURCE, file, [breaks_off], "ragged row", "quarantined")
        gp.add(self.emission, delivery, SOURCE, file, frames, quote_all=True, tail=tail)


def emit(chunk: Chunk, place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:
    """Rows of one chunk of people for every delivery. See `synthetic.emission`."""
    emission = Emission()
    held = gp.practices(place, "systmone")
    records = gp.patient_records(chunk, held).with_columns(id_patient=_patient_ids())
    seed = int(rng.integers(2**63))
    writers = [_Writer(emission, d, rng) for d in deliveries]
    _emit_patients(chunk, records, writers, seed)
    _emit_codes(chunk, held, writers)
    _emit_contacts(chunk, held, writers)
    _emit_medications(chunk, held, writers)
    emission.records = records.select(
        pl.lit(SOURCE).alias("source"),
        (pl.col("practice_code") + "|" + pl.col("id_patient").cast(pl.String)).alias("local_id"),
        "person_no",
    )
    return emission


def _patient_ids() -> pl.Expr:
    """The patient id of each row, from its person and copy: the same in every practice."""
    return pl.col("person_no") + 1_000_000 + pl.col("copy") * _SECOND_COPY


def _where(frame_has_patient_id: bool = False) -> list[pl.Expr]:
    """Patient and organisations of an event."""
    patient = pl.col("id_patient") if frame_has_patient_id else pl.col("person_no") + 1_000_000
    practice = pl.col("practice_code")
    return [
        practice.alias("IDOrganisationVisibleTo"),
        practice.alias("IDOrganisationDoneAt"),
        practice.alias("IDOrganisation"),
        practice.alias("IDOrganisationRegisteredAt"),
        patient.alias("IDPatient"),
    ]


def _emit_patients(chunk: Chunk, records: pl.DataFrame, writers: list[_Writer], seed: int) -> None:
    """Patients, registrations, addresses and telephone numbers: rows that are new or different since the previous delivery."""
    forgets = pl.Series(gp.mix(gp.LEAVER, records["person_no"], records["practice_no"]) % np.uint64(_FORGOTTEN_ONE_IN) == 0)
    bulk_date = min(w.delivery.date for w in writers)
    previous: dict[str, tuple[pl.DataFrame, pl.Series]] = {}
    for writer in writers:
        people = gp.state(chunk, records, writer.delivery.date, seed)
        has_gone = forgets & (people["deregistered_on"] > bulk_date).fill_null(value=False)
        now = {
            "SRPatient": (_patient_rows(people), people["is_held"] & ~has_gone),
            "SRPatientRegistration": _registrations(chunk, records, writer.delivery),
            "SRPatientAddressHistory": _addresses(chunk, records, people, seed),
            "SRPatientContactDetails": _numbers(people),
        }
        for table, (rows, is_held) in now.items():
            before, was_held = previous.get(table, (None, None))
            new = rows.filter(gp.changed(rows, before, is_held, was_held))
            gone = (
                rows.filter(was_held & ~is_held).select("RowIdentifier", "IDOrganisationVisibleTo")
                if was_held is not None
                else None
            )
            writer.add(table, new, gone)
        previous = now


def _patient_rows(people: pl.DataFrame) -> pl.DataFrame:
    """SRPatient. Date-times lack the seconds here, as in the real extract."""
    return people.select(
        pl.col("id_patient").alias("RowIdentifier"),
        pl.col("practice_code").alias("IDOrganisationVisibleTo"),
        pl.col("title").alias("Title"),
        _as_cp1252(people["given_name"], accents=True).alias("FirstName"),
        _as_cp1252(people["middle_names"]).alias("MiddleNames"),
        _as_cp1252(people["family_name"]).alias("Surname"),
        _as_cp1252(people["previous_family_name"]).alias("PreviousSurname"),
        pl.col("nhs_number").alias("NHSNumber"),
        _printed(people["birth_date"]).str.head(17).alias("DateBirth"),
        _printed(people["death_date"]).str.head(17).alias("DateDeath"),
        pl.col("sex").fill_null("U").alias("Gender"),
        pl.lit("Unknown").alias("SpeaksEnglish"),
        pl.col("email").alias("EmailAddress"),
        pl.when("is_test_patient").then(pl.lit("TRUE")).otherwise(pl.lit("FALSE")).alias("TestPatient"),
        pl.when(pl.col("nhs_number").is_null()).then(pl.lit("FALSE")).otherwise(pl.lit("TRUE")).alias("SpineMatched"),
    )


#: Spellings that only a character set with accents can hold.
_ACCENTED = {"Zoe": "Zoë", "Chloe": "Chloë", "Sian": "Siân", "Renee": "Renée", "Andre": "André", "Sean": "Seán"}


def _as_cp1252(names: pl.Series, *, accents: bool = False) -> pl.Series:
    """Names in the characters that Windows-1252 has: a letter that it lacks loses its accent or stroke."""
    known = names.drop_nulls().unique()
    table = {name: _fit_cp1252(_ACCENTED.get(name, name) if accents else name) for name in known.to_list()}
    return names.replace_strict(table, default=None, return_dtype=pl.String)


_STROKES = str.maketrans("łŁđĐħĦıŧŦ", "lLdDhHitT")


def _fit_cp1252(name: str) -> str:
    """`Łukasz` becomes `Lukasz`; `Siân` stays."""
    return "".join(_fit_letter(letter) for letter in unicodedata.normalize("NFC", name))


def _fit_letter(letter: str) -> str:
    if letter.encode("cp1252", "ignore"):
        return letter
    return unicodedata.normalize("NFD", letter.translate(_STROKES)).encode("cp1252", "ignore").decode("cp1252")


def _registrations(chunk: Chunk, records: pl.DataFrame, delivery: Delivery) -> tuple[pl.DataFrame, pl.Series]:
    """SRPatientRegistration: one row a registration, with its end once that has come."""
    keys = ["person_no", "practice_code"]
    registrations = records.join(chunk["registrations"].sort("valid_from"), on=keys, maintain_order="left_right")
    start = registrations["valid_from"].cast(pl.Int32)
    end = registrations["valid_to"].set(registrations["valid_to"] > delivery.date, None)
    ids = gp.row_ids(
        gp.mix(gp.REGISTRATION, registrations["person_no"], registrations["practice_no"], start, registrations["copy"])
    )
    rows = registrations.select(
        pl.Series("RowIdentifier", ids),
        *_where(frame_has_patient_id=True),
        _printed(registrations["recorded_on"], _MORNINGS).alias("DateEventRecorded"),
        _printed(registrations["valid_from"]).alias("DateRegistration"),
        _printed(end).alias("DateDeRegistration"),
        pl.when(registration_type="temporary")
        .then(pl.lit("Temporary (16 days to 3 months)"))
        .otherwise(pl.lit("GMS/Standard"))
        .alias("RegistrationStatus"),
    )
    is_held = (registrations["recorded_on"] <= delivery.date) & (registrations["valid_from"] <= delivery.date)
    return rows, is_held


def _addresses(chunk: Chunk, records: pl.DataFrame, people: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.Series]:
    """SRPatientAddressHistory: every address until the patient left the practice."""
    known = people.select(*records.columns, "is_held", "seen_on")
    addresses = known.join(chunk["addresses"].sort("valid_from"), on="person_no", maintain_order="left_right")
    addresses = dirt.identity(addresses, dirt.GP, np.random.default_rng(seed + 1))
    seen = addresses["seen_on"]
    end = addresses["valid_to"].set(addresses["valid_to"] > seen, None)
    start = addresses["valid_from"].cast(pl.Int32)
    ids = gp.row_ids(gp.mix(gp.ADDRESS, addresses["person_no"], addresses["practice_no"], start, addresses["copy"]))
    is_number = pl.col("house").str.contains(r"^\d+[A-Za-z]?$")
    rows = addresses.select(
        pl.Series("RowIdentifier", ids),
        *_where(frame_has_patient_id=True),
        _printed(addresses["recorded_on"], _MORNINGS).alias("DateEventRecorded"),
        _printed(addresses["valid_from"]).alias("DateEvent"),
        pl.when(~is_number).then(_as_cp1252(addresses["house"])).alias("NameOfBuilding"),
        pl.when(is_number).then(pl.col("house")).alias("NumberOfBuilding"),
        pl.col("street").alias("NameOfRoad"),
        pl.col("locality").alias("NameOfLocality"),
        pl.col("town").alias("NameOfTown"),
        pl.when(address_type="no_fixed_abode")
        .then(pl.coalesce("postcode", pl.lit("ZZ99 3VZ")))
        .otherwise(pl.col("postcode"))
        .alias("FullPostCode"),
        _printed(end).alias("DateTo"),
        pl.col("address_type").replace_strict(_ADDRESS_TYPES, default="Home").alias("AddressType"),
    )
    return rows, addresses["is_held"] & (addresses["valid_from"] <= seen) & (addresses["recorded_on"] <= seen)


def _numbers(people: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """SRPatientContactDetails: the mobile and the home number of each patient, in that order."""
    halves = [
        people.select(
            "person_no", "practice_no", "practice_code", "copy", "id_patient", "registered_on", "is_held",
            pl.lit(_MAPPING_IDS[kind]).alias("ContactType"), pl.col(column).alias("ContactNumber"),
        )
        for kind, column in (("mobile", "mobile_phone"), ("home", "home_phone"))
    ]  # fmt: skip
    numbers = pl.concat(halves)
    ids = gp.row_ids(gp.mix(gp.CONTACT, numbers["person_no"], numbers["practice_no"], numbers["ContactType"], numbers["copy"]))
    rows = numbers.select(
        pl.Series("RowIdentifier", ids),
        *_where(frame_has_patient_id=True),
        _printed(numbers["registered_on"], _MORNINGS).alias("DateEventRecorded"),
        _printed(numbers["registered_on"]).alias("DateEvent"),
        "ContactType",
        "ContactNumber",
    )
    return rows, numbers["is_held"] & numbers["ContactNumber"].is_not_null()


def _emit_codes(chunk: Chunk, held: pl.DataFrame, writers: list[_Writer]) -> None:
    codes = gp.at_practice(gp.coded(chunk["gp_codes"]), held)
    results = gp.at_practice(chunk["gp_measurements"], held)
    for writer in writers:
        delivery = writer.delivery
        gone = gp.removed(codes, delivery)
        rows = pl.concat(
            [_statements(gp.standing(due(codes, delivery), delivery)), *_results(due(results, delivery))], how="diagonal"
        )
        writer.add(
            "SRCode", rows, gone.select(_event_ids(gone, gp.CODE), pl.col("practice_code").alias("IDOrganisationVisibleTo"))
        )


def _event_ids(events: pl.DataFrame, thing: int, part: int = 0, number: str = "event_no") -> pl.Series:
    """Row identifiers of events, from person and event number; `part` tells the rows of one event apart."""
    return pl.Series(
        "RowIdentifier", gp.row_ids(gp.mix(thing, events["person_no"], events[number], np.full(events.height, part)))
    )


def _consultation_ids(events: pl.DataFrame) -> pl.Series:
    number = events["consultation_no"]
    ids = pl.Series(gp.row_ids(gp.mix(gp.CONSULTATION, events["person_no"], number.fill_null(0), np.zeros(events.height))))
    return ids.set(number.is_null(), -1).alias("IDEvent")


def _coded(events: pl.DataFrame, thing: int, concept: pl.Expr, part: int = 0) -> list[pl.Expr | pl.Series]:
    """Key, codes, dates and places of rows of SRCode; one row in ten lacks its SNOMED CT concept."""
    ids = _event_ids(events, thing, part)
    unmapped = (ids % _UNMAPPED_ONE_IN) == 0
    return [
        ids,
        *_where(),
        pl.when(unmapped).then(pl.lit("-1")).otherwise(concept).alias("SNOMEDCode"),
        concept.replace_strict(_CTV3).alias("CTV3Code"),
        _printed(events["recorded_on"], _MORNINGS).alias("DateEventRecorded"),
        _printed(events["event_date"]).alias("DateEvent"),
        _consultation_ids(events),
    ]


def _statements(events: pl.DataFrame) -> pl.DataFrame:
    return events.select(
        *_coded(events, gp.CODE, pl.col("snomed_code")),
        pl.lit("FALSE").alias("IsNumeric"),
        pl.col("episodicity").replace_strict(_MAPPING_IDS, default=-1, return_dtype=pl.Int64).alias("EpisodeType"),
    )


def _results(events: pl.DataFrame) -> list[pl.DataFrame]:
    """Results; the two values of a blood pressure are two rows without a heading."""
    kinds = clinical_model.MEASUREMENTS
    pairs = events.filter(pl.col("kind").is_in([kind for kind, m in kinds.items() if m.second_snomed]))
    return [_result(events, 0, "snomed", "value"), _result(pairs, 1, "second_snomed", "value_2")]


def _result(events: pl.DataFrame, part: int, code: str, value: str) -> pl.DataFrame:
    kinds = clinical_model.MEASUREMENTS
    concepts = {kind: concept for kind, m in kinds.items() if (concept := getattr(m, code))}
    return events.select(
        *_coded(events, gp.MEASUREMENT, pl.col("kind").replace_strict(concepts), part),
        pl.lit("TRUE").alias("IsNumeric"),
        pl.col(value).alias("NumericValue"),
        pl.col("kind").replace_strict({kind: m.unit for kind, m in kinds.items()}).alias("NumericUnit"),
        pl.lit(-1, pl.Int64).alias("EpisodeType"),
    )


def _emit_contacts(chunk: Chunk, held: pl.DataFrame, writers: list[_Writer]) -> None:
    """Appointments, and the events that those kept led to."""
    contacts = gp.at_practice(chunk["consultations"], held)
    for writer in writers:
        new = due(contacts, writer.delivery)
        writer.add("SRAppointment", _appointments(new))
        writer.add("SREvent", _events(new.filter(appointment_status="attended")))


def _appointments(contacts: pl.DataFrame) -> pl.DataFrame:
    started = contacts["started_at"]
    return contacts.select(
        _event_ids(contacts, gp.APPOINTMENT, number="consultation_no"),
        *_where(),
        _stamped(started).alias("DateStart"),
        _stamped(started.dt.offset_by("10m")).alias("DateEnd"),
        pl.col("appointment_status").replace_strict(_MAPPING_IDS).alias("AppointmentStatus"),
        _printed(started.dt.date(), _MORNINGS).alias("DateAppointmentBooked"),
        pl.lit("FALSE").alias("FollowUpAppointment"),
        pl.when(mode="telephone").then(pl.lit("TRUE")).otherwise(pl.lit("FALSE")).alias("TelephoneAppointment"),
        pl.lit("FALSE").alias("AllowsOverbooking"),
    )


def _events(contacts: pl.DataFrame) -> pl.DataFrame:
    ids = _consultation_ids(contacts).alias("RowIdentifier")
    return contacts.select(
        ids,
        *_where(),
        _printed(contacts["recorded_on"], _MORNINGS).alias("DateEventRecorded"),
        _stamped(contacts["started_at"]).alias("DateEvent"),
        pl.col("mode").replace_strict(_MAPPING_IDS).alias("ContactMethod"),
        pl.lit("FALSE").alias("EventIncomplete"),
        pl.lit("TRUE").alias("ClinicalEvent"),
        # a name and a remark on two lines, as some practices write them
        pl.when(ids % 97 == 0).then(pl.lit('Locum, called "Dr Zoë"\nseen for the usual GP')).alias("TextualEventDoneBy"),
    )


def _emit_medications(chunk: Chunk, held: pl.DataFrame, writers: list[_Writer]) -> None:
    medications = gp.at_practice(chunk["gp_medications"], held)
    for writer in writers:
        writer.add("SRPrimaryCareMedication", _issues(due(medications, writer.delivery)))


def _issues(medications: pl.DataFrame) -> pl.DataFrame:
    drug, drugs = pl.col("drug"), clinical_model.DRUGS
    end = medications.select(pl.col("issued_on") + pl.duration(days="course_days")).to_series()
    issued = _printed(medications["issued_on"])
    unit = drug.replace_strict({key: d.unit for key, d in drugs.items()})
    return medications.select(
        _event_ids(medications, gp.MEDICATION),
        *_where(),
        _printed(medications["recorded_on"], _MORNINGS).alias("DateEventRecorded"),
        issued.alias("DateEvent"),
        drug.replace_strict({key: d.code for key, d in drugs.items()}).alias("IDMultiLexDMD"),
        drug.replace_strict({key: d.term for key, d in drugs.items()}).alias("NameOfMedication"),
        issued.alias("DateMedicationStart"),
        _printed(end).alias("DateMedicationEnd"),
        pl.lit("As directed, with water").alias("MedicationDosage"),
        (pl.col("quantity").round(0).cast(pl.Int64).cast(pl.String) + " " + unit).alias("MedicationQuantity"),
        pl.when("is_repeat").then(pl.lit("TRUE")).otherwise(pl.lit("FALSE")).alias("IsRepeatMedication"),
        *[pl.lit("FALSE").alias(c) for c in ("IsSupervised", "IsOtherMedication", "IsDentalMedication", "IsHospitalMedication")],
    )


def emit_once(place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:
    """Reference tables, in full every time, and the manifest. See `synthetic.emission`."""
    emission = Emission()
    for delivery in deliveries:
        writer = _Writer(emission, delivery, rng)
        writer.add("SRCtv3ToSnomed", _ctv3_map(), breaks_off="99999" if delivery.is_bulk else None)
        writer.add("SROrganisation", _organisations(place))
        gp.add(emission, delivery, SOURCE, "SRMapping.csv", [_mapping()], quote_all=True)
        gp.add(emission, delivery, SOURCE, "SRManifest.csv", [_manifest(delivery)], quote_all=True)
    return emission


def _ctv3_map() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "RowIdentifier": range(1, len(_CONCEPTS) + 1),
            "IDOrganisationVisibleTo": ["-1"] * len(_CONCEPTS),
            "Ctv3Code": [_CTV3[concept] for concept in _CONCEPTS],
            "SnomedCode": _CONCEPTS,
        }
    )


def _organisations(place: Place) -> pl.DataFrame:
    return gp.practices(place, "systmone").select(
        pl.col("practice_no").alias("RowIdentifier"),
        pl.col("name").alias("Name"),
        pl.col("practice_code").alias("ID"),
        pl.col("address_1").alias("NameOfRoad"),
        pl.col("address_2").alias("NameOfLocality"),
        pl.col("town").alias("NameOfTown"),
        pl.col("postcode").alias("FullPostCode"),
        pl.col("phone").alias("Telephone"),
        pl.when(pl.col("close_date").is_null()).then(pl.lit("FALSE")).otherwise(pl.lit("TRUE")).alias("MadeObsolete"),
    )


def _mapping() -> pl.DataFrame:
    rows = [(_MAPPING_IDS[word], group, text) for word, (group, text) in _MAPPING.items()]
    return pl.DataFrame(rows, schema=["RowIdentifier", "IdMappingGroup", "Mapping"], orient="row")


def _manifest(delivery: Delivery) -> pl.DataFrame:
    """What each file is: reference tables are always whole. The manifest lists neither itself nor SRMapping."""
    start = f"{delivery.previous:%Y%m%d}_0200" if delivery.previous else ""
    rows = [(table, "N" if delivery.is_bulk else "Y", "N", start) for table in _PATIENT_LEVEL]
    rows += [(table, "N", "Y", "") for table in _REFERENCE]
    return pl.DataFrame(rows, schema=["FileName", "IsDelta", "IsReference", "DateExtractFrom"], orient="row").with_columns(
        DateExtractTo=pl.lit(f"{delivery.date:%Y%m%d}_0200")
    )
