"""The tables of the synthetic world: what is true, before any supplier has seen, mistyped or forgotten it.

The world is made in chunks of people. `Chunk` holds one polars frame per table below; suppliers (`synthetic.suppliers.*`) turn
the frames into files. Every event frame carries `person_no` and `recorded_on`, the day it first exists in a supplier's system:
a delivery of date D holds what was recorded on or before D.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

_D = pl.Date
_T = pl.Datetime("us")
_S = pl.String
_I = pl.Int64
_F = pl.Float64
_B = pl.Boolean

#: table -> column -> dtype. `known_to_*` say which suppliers hold a record of the person at all.
SCHEMA: dict[str, dict[str, pl.DataType]] = {
    # one row a person, true values
    "people": {
        "person_no": _I,
        "sex": _S,  # M or F
        "birth_date": _D,
        "death_date": _D,
        "title": _S,
        "given_name": _S,
        "middle_names": _S,
        "family_name": _S,  # at the end of the period
        "previous_family_name": _S,
        "family_name_changed_on": _D,
        "ethnic_category_code": _S,  # 2001 category, A-S; Z not stated
        "nhs_number": _S,  # true one, ten digits; null for a person who has none
        "superseded_nhs_number": _S,  # an older number of the same person, used by some suppliers before the change
        "superseded_on": _D,
        "mobile_phone": _S,
        "home_phone": _S,
        "email": _S,
        "household_no": _I,
        "twin_of": _I,  # person_no of the twin
        "mother_no": _I,
        "main_language_code": _S,
        "is_test_patient": _B,
        "known_to_gp": _B,
        "known_to_acute": _B,
        "known_to_community": _B,
        "known_to_mental_health": _B,
        "known_to_social_care": _B,
        "known_to_housing": _B,
        "known_to_voluntary_sector": _B,
        "national_data_opt_out_on": _D,
        "type1_dissent_on": _D,
        "type1_withdrawal_on": _D,
        "is_sensitive": _B,  # restricted on PDS (S-flag)
        "is_asylum_seeker": _B,
        "is_homeless_ever": _B,  # truth, larger than the official list
        "homeless_from": _D,
        "homeless_to": _D,
        "is_mental_health_riser": _B,  # contacts planted to rise in the last year
        "is_unpaid_carer": _B,
        "in_intervention_team": _B,  # served by the team whose effect is known
        "recorded_on": _D,
    },
    "addresses": {
        "person_no": _I,
        "valid_from": _D,
        "valid_to": _D,
        "address_type": _S,  # home, care_home, hostel, no_fixed_abode, student
        "house": _S,
        "street": _S,
        "locality": _S,
        "town": _S,
        "postcode": _S,
        "lsoa_code": _S,
        "uprn": _S,
        "borough_code": _S,
        "tenure": _S,  # owner, private_rent, social_rent, care_home, none
        "recorded_on": _D,
    },
    "registrations": {
        "person_no": _I,
        "practice_code": _S,
        "gp_system": _S,  # emis or systmone
        "valid_from": _D,
        "valid_to": _D,
        "end_reason": _S,  # moved, died, transferred, embarked
        "registration_type": _S,  # regular, temporary
        "recorded_on": _D,
    },
    # true conditions; coded_on null = undiagnosed (nobody has written it down)
    "conditions": {
        "person_no": _I,
        "condition": _S,  # name in clinical_model.CONDITIONS
        "onset_date": _D,
        "coded_on": _D,  # first coded by the GP
        "resolved_on": _D,
        "known_to_hospital_on": _D,
        "recorded_on": _D,
    },
    # GP consultations, one row each
    "consultations": {
        "person_no": _I,
        "consultation_no": _I,
        "practice_code": _S,
        "gp_system": _S,
        "started_at": _T,
        "mode": _S,  # face_to_face, telephone, online, home_visit
        "appointment_status": _S,  # attended, did_not_attend, cancelled
        "recorded_on": _D,
    },
    # coded clinical statements in the GP record: diagnoses, reviews, statuses, opt-out and ethnicity codes
    "gp_codes": {
        "person_no": _I,
        "event_no": _I,
        "practice_code": _S,
        "gp_system": _S,
        "consultation_no": _I,
        "event_date": _D,
        "date_precision": _S,  # Y, YM, YMD
        "snomed_code": _S,
        "episodicity": _S,  # first, new, review, none
        "recorded_on": _D,
        "removed_on": _D,
    },
    # numeric results in the GP record; a blood pressure is one row with two values
    "gp_measurements": {
        "person_no": _I,
        "event_no": _I,
        "practice_code": _S,
        "gp_system": _S,
        "consultation_no": _I,
        "event_date": _D,
        "kind": _S,  # bp, home_bp, hba1c, egfr, creatinine, bmi, cholesterol, hdl, uacr, haemoglobin, qrisk
        "value": _F,
        "value_2": _F,  # diastolic
        "recorded_on": _D,
    },
    "gp_medications": {
        "person_no": _I,
        "event_no": _I,
        "practice_code": _S,
        "gp_system": _S,
        "issued_on": _D,
        "drug": _S,  # key of clinical_model.DRUGS
        "quantity": _F,
        "course_days": _I,
        "is_repeat": _B,
        "recorded_on": _D,
    },
    # emergency department attendances
    "emergency_attendances": {
        "person_no": _I,
        "event_no": _I,
        "provider_code": _S,
        "site_code": _S,
        "department_type": _S,  # 01, 03
        "arrived_at": _T,
        "departed_at": _T,
        "arrival_mode_code": _S,
        "acuity_code": _S,
        "chief_complaint_code": _S,
        "diagnosis_codes": pl.List(_S),  # SNOMED
        "is_admitted": _B,
        "discharge_status_code": _S,
        "recorded_on": _D,
    },
    # one row a finished consultant episode; a spell has one or more
    "inpatient_episodes": {
        "person_no": _I,
        "event_no": _I,
        "spell_no": _I,
        "episode_number": _I,
        "is_last_episode": _B,
        "provider_code": _S,
        "site_code": _S,
        "admission_method_code": _S,
        "source_of_admission_code": _S,
        "patient_classification_code": _S,
        "admitted_on": _D,
        "discharged_on": _D,
        "discharge_method_code": _S,
        "discharge_destination_code": _S,
        "episode_start_date": _D,
        "episode_end_date": _D,
        "main_specialty_code": _S,
        "treatment_function_code": _S,
        "diagnosis_codes": pl.List(_S),  # ICD-10 without dot, primary first
        "procedure_codes": pl.List(_S),  # OPCS-4 without dot
        "hrg_code": _S,
        "recorded_on": _D,
    },
    "outpatient_attendances": {
        "person_no": _I,
        "event_no": _I,
        "provider_code": _S,
        "site_code": _S,
        "appointment_date": _D,
        "attended_code": _S,  # 5 attended, 3 did not attend, 2 cancelled by patient
        "first_attendance_code": _S,
        "treatment_function_code": _S,
        "main_specialty_code": _S,
        "priority_code": _S,
        "referral_source_code": _S,
        "consultation_medium_code": _S,
        "outcome_code": _S,
        "diagnosis_codes": pl.List(_S),
        "hrg_code": _S,
        "recorded_on": _D,
    },
    "community_referrals": {
        "person_no": _I,
        "referral_no": _I,
        "provider_code": _S,
        "received_on": _D,
        "discharged_on": _D,
        "source_code": _S,
        "team_type_code": _S,  # for example 12 district nursing: clinical_model.COMMUNITY_TEAMS
        "reason_code": _S,
        "recorded_on": _D,
    },
    "community_contacts": {
        "person_no": _I,
        "contact_no": _I,
        "referral_no": _I,
        "provider_code": _S,
        "contact_date": _D,
        "duration_minutes": _I,
        "attended_code": _S,
        "location_code": _S,
        "recorded_on": _D,
    },
    "mental_health_referrals": {
        "person_no": _I,
        "referral_no": _I,
        "provider_code": _S,
        "received_on": _D,
        "discharged_on": _D,
        "source_code": _S,
        "team_type_code": _S,  # A02, A05, A06, A14, C02 ...
        "reason_code": _S,
        "primary_diagnosis_code": _S,  # ICD-10
        "recorded_on": _D,
    },
    "mental_health_contacts": {
        "person_no": _I,
        "contact_no": _I,
        "referral_no": _I,
        "provider_code": _S,
        "contact_date": _D,
        "duration_minutes": _I,
        "attended_code": _S,
        "mechanism_code": _S,  # 01 face to face, 02 telephone, 04, 11
        "recorded_on": _D,
    },
    "mental_health_spells": {
        "person_no": _I,
        "spell_no": _I,
        "referral_no": _I,
        "provider_code": _S,
        "admitted_on": _D,
        "discharged_on": _D,
        "admission_method_code": _S,
        "legal_status_code": _S,
        "recorded_on": _D,
    },
    # one row an event as the council's client level data has it
    "social_care_events": {
        "person_no": _I,
        "event_no": _I,
        "council_code": _S,
        "client_type": _S,
        "event_type": _S,  # Request, Assessment, Service, Review
        "started_on": _D,
        "ended_on": _D,
        "primary_support_reason": _S,
        "event_outcome": _S,
        "service_type": _S,
        "service_component": _S,
        "delivery_mechanism": _S,
        "unit_cost_gbp": _F,
        "cost_frequency": _S,
        "planned_units_per_week": _F,
        "accommodation_status": _S,
        "has_unpaid_carer": _B,
        "recorded_on": _D,
    },
    # one row a tenancy of the council or a housing association, with its main tenant
    "tenancies": {
        "person_no": _I,
        "tenancy_no": _I,
        "council_code": _S,
        "started_on": _D,
        "ended_on": _D,
        "tenancy_type": _S,
        "bedrooms": _I,
        "arrears_gbp": _F,
        "has_disrepair": _B,
        "recorded_on": _D,
    },
    # one row a statutory homelessness application (main applicant)
    "homelessness_cases": {
        "person_no": _I,
        "case_no": _I,
        "council_code": _S,
        "applied_on": _D,
        "duty": _S,  # prevention, relief, main
        "duty_started_on": _D,
        "duty_ended_on": _D,
        "outcome": _S,
        "reason_for_loss": _S,
        "accommodation_at_application": _S,
        "support_needs": pl.List(_S),
        "temporary_accommodation_type": _S,  # null: none placed
        "temporary_accommodation_from": _D,
        "temporary_accommodation_to": _D,
        "household_size": _I,
        "recorded_on": _D,
    },
    "voluntary_referrals": {
        "person_no": _I,
        "referral_no": _I,
        "service_code": _S,  # one of the three voluntary-sector organisations
        "referred_on": _D,
        "referrer_code": _S,  # ODS code or null
        "need_category": _S,
        "outcome": _S,
        "wellbeing_score": _I,
        "recorded_on": _D,
    },
    "voluntary_contacts": {
        "person_no": _I,
        "contact_no": _I,
        "referral_no": _I,
        "service_code": _S,
        "contact_date": _D,
        "contact_type": _S,
        "recorded_on": _D,
    },
}


@dataclass(frozen=True)
class Chunk:
    """A slice of the world: `index` counts from 0; frames follow `SCHEMA`, sorted by person_no."""

    index: int
    frames: dict[str, pl.DataFrame]

    def __getitem__(self, table: str) -> pl.DataFrame:
        return self.frames[table]


@dataclass(frozen=True)
class Delivery:
    """One night's delivery: everything recorded after `previous` (None: from the beginning, the bulk) up to and on `date`."""

    index: int
    date: date
    previous: date | None

    @property
    def is_bulk(self) -> bool:
        return self.previous is None


@dataclass(frozen=True)
class Part:
    """Rows for one supplier file. Parts of one (delivery, source, file) are joined in chunk order: header, bodies, footer."""

    delivery: int  # Delivery.index
    source: str
    file: str  # base name inside landing/<source>/<delivery date>/, before packaging
    header: bytes  # written once; b"" for headerless files
    body: bytes
    footer: bytes = b""  # written once, after the last body: what closes an XML document


@dataclass(frozen=True)
class Fault:
    """Planted dirt, for the truth files: what a row looks like to the supplier and what landing must do with it."""

    delivery: int
    source: str
    file: str
    row_identity: str
    fault: str
    expected: str  # quarantined, accepted (dirty but legal), refused (whole file)


@dataclass(frozen=True)
class Packaging:
    """How finished files leave the supplier: `pattern` is a regex on the base name."""

    pattern: str
    encoding: str = "utf-8"  # bodies are utf-8 inside; cp1252 is re-encoded when written
    bom: bool = False
    crlf: bool = False
    gzip: bool = False
    zip_into: str | None = None  # archive name template; {date:%Y%m%d} is the delivery date
