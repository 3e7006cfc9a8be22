"""The SUS+ wide CSV: the header names of its two files in order, and rows built without a frame of a thousand columns.

Header names repeat, so a field is known by its zero-based position. Repeating blocks stand where published parsers read them,
single columns keep their published order around the blocks. Five fields after the overseas visitor block have no published
name, and the thirty fields of a critical care period share one here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl


def _names(text: str) -> list[str]:
    """Header names from text with ` | ` between them."""
    return " ".join(text.split()).split(" | ")


@dataclass(frozen=True)
class Layout:
    """The fields of a wide file, by header name in order."""

    headers: tuple[str, ...]

    @property
    def width(self) -> int:
        return len(self.headers)

    @cached_property
    def header_line(self) -> str:
        return ",".join(f'"{name}"' if "," in name else name for name in self.headers)

    def position(self, header: str) -> int:
        """Position of the first field with this header. Raises `ValueError` when there is none."""
        return self.headers.index(header)

    def rows(self, values: dict[str, pl.Expr], blocks: dict[int, tuple[int, pl.Expr]]) -> pl.Expr:
        """One text per row: CSV-safe values at their headers, blocks at their positions, commas everywhere else.

        A block is its number of fields and the text of all of them (`coded_block`). NULL values are empty.
        """
        placed = [(self.position(header), 1, value.fill_null("")) for header, value in values.items()]
        placed += [(position, fields, text) for position, (fields, text) in blocks.items()]
        parts: list[pl.Expr] = []
        at = 0
        for position, fields, text in sorted(placed, key=lambda entry: entry[0]):
            parts += [pl.lit("," * (position - at)), text]
            at = position + fields - 1
        return pl.concat_str([*parts, pl.lit("," * (self.width - 1 - at))])


def coded_block(codes: pl.Expr, repeats: int, fields: int, dated: pl.Expr | None = None) -> tuple[int, pl.Expr]:
    """A repeating block: number of fields and text, each code of a list (the first `repeats`) in the first of `fields` fields.

    `dated` goes into the second field of every repeat in use.
    """
    codes = codes.fill_null([]).list.head(repeats)
    n = codes.list.len()
    if dated is None:
        text = codes.list.join("," * fields)
        used = [max(i - 1, 0) * fields for i in range(repeats + 1)]
    else:
        second = pl.lit(",") + dated.fill_null("")
        text = codes.list.join(second + "," * (fields - 1)) + pl.when(n > 0).then(second).otherwise(pl.lit(""))
        used = [max(i - 1, 0) * fields + min(i, 1) for i in range(repeats + 1)]
    padding = {i: "," * (repeats * fields - 1 - commas) for i, commas in enumerate(used)}
    return repeats * fields, text + n.cast(pl.Int64).replace_strict(padding, return_dtype=pl.String)


APC = Layout(
    (
        *_names(
            """
        Generated Record Identifier | PBR Spell ID | Reason for Access | CDS type | Protocol identifier | Unique CDS identifier |
        Update type | Bulk replacement CDS group | Test indicator | Applicable date/time | Census date | Extract date/time |
        Report period Start Date | Report period End Date | Organisation code: Sender of transaction | Organisation Code Type of
        Sender | Submission Date | CDS Interchange ID | Local Patient Identifier | Organisation Code (Local Patient Identifier) |
        Organisation Code Type (Local Patient Identifier) | NHS Number | Date of Birth | Birth Weight | Live or Still Birth |
        Carer Support Indicator | Legal Status Classification on Admission (Psychiatric Census Only) | Ethnic Group | Marital
        Status (Psychiatric Census Only) | NHS Number Trace Status | Withheld Identity Reason | Sex | Pregnancy Total Previous
        Pregnancies | Name Format Code | Patient Name | Person Title | Person Given Name | Person Family Name | Person Name Suffix
        | Person Initials | Address Format Code | Patient Usual Address | Postcode | Organisation Code (Residence Responsibility)
        | PCT of Residence | Organisation Code Type (PCT of Residence) | OSV Classification at CDS Activity Date
        """
        ),
        *("Overseas Visitor Status Classification", "Overseas Visitor Status Start Date") * 5,
        *("Not Used",) * 5,
        *_names(
            """
        Hospital Provider Spell Number | Administrative Category | Patient Classification | Admission Method (Hospital Provider
        Spell) | Discharge Destination (Hospital Provider Spell) | Discharge Method (Hospital Provider Spell) | Source of
        Admission (Hospital Provider Spell) | Start Date (Hospital Provider Spell) | Start Time (Hospital Provider Spell) |
        Discharge Date (From Hospital Provider Spell) | Discharge Time (Hospital Provider Spell) | Discharge To Hospital At Home
        Service Indicator | Episode Number | First Regular Day Night Admission | Last Episode In Spell Indicator | Neonatal Level
        of Care | Operation Status | Psychiatric Patient Status | Start Date (Consultant Episode) | Start Time (Episode) | End
        Date (Consultant Episode) | End Time (Episode) | Length Of Stay Adjustment (Rehabilitation) | Length Of Stay Adjustment
        (Specialist Palliative Care) | Commissioning Serial Number | NHS Service Agreement Line Number | Provider Reference Number
        | Commissioner Reference Number | Organisation Code Code of Provider | Organisation Code Type of Provider | Organisation
        Code Code of Commissioner | Organisation Code Type of Commissioner | Consultant Code | Main Specialty Code | Treatment
        Function Code | Local Sub Specialty Code | Multi-Professional Or Multidisciplinary Ind Code | Rehabilitation Assessment
        Team Type | Diagnosis Scheme In Use (ICD)
        """
        ),
        *("Diagnosis (ICD)", "Present On Admission Indicator") * 24,
        "Diagnosis Scheme In Use (Read)",
        *("Diagnosis (Read)",) * 24,
        "Procedure Scheme In Use (OPCS)",
        *(
            "Procedure (OPCS)",
            "Procedure Date (OPCS)",
            "Main Operating Healthcare Professional Code",
            "Professional Registration Issuer Code",
            "Responsible Anaesthetist Code",
            "Responsible Anaesthetist Registration Body",
        )
        * 24,
        "Procedure Scheme In Use (READ)",
        *("Procedure (Read)", "Procedure Date (Read)") * 24,
        *_names(
            """
        Ward Code at Episode Start Date | Ward Security Level at Episode Start Date | Location Class at Episode Start Date | Site
        Code (of Treatment) At Episode Start Date | Organisation Code Type (Site Code of Treatment) (At Start of Episode) |
        Intended Clinical Care Intensity(At Start of Episode) | Age Group Intended (At Start of Episode) | Sex of Patients (At
        Start of Episode) | Ward Day Period Availability | Ward Night Period Availability
        """
        ),
        *(
            "Ward Code",
            "Ward Security Level",
            "Location Class",
            "Site Code (of Treatment)",
            "Organisation Code Type (Site Code of Treatment)",
            "Intended Clinical Care Intensity",
            "Age Group Intended",
            "Sex of Patients",
            "Ward Day Period Availability",
            "Ward Night Period Availability",
            "Ward Stay Start Date",
            "Ward Stay Start Time",
            "Ward Stay End Date",
            "Ward Stay End Time",
        )
        * 24,
        *_names(
            """
        Ward Code at Episode End Date | Ward Security Level at Episode End Date | Location Class at Episode End Date | Site Code
        (of Treatment) at Episode End Date | Organisation Code Type Site Code (of Treatment) at Episode End Date | Intended
        Clinical Care Intensity at Episode End Date | Age Group Intended at Episode End Date | Sex of Patients at Episode End Date
        | Ward Day Period Availability at Episode End Date | Ward Night Period Availability at Episode End Date | General Medical
        Practitioner Code of Registered GMP | Practice Code of Registered GP | Organisation Code Type of Registered GP | Referrer
        Code | Referring Organisation Code | Organisation Code Type of Referrer | Direct Access Referral Indicator | Ambulance
        Incident Number | Organisation Code (Conveying Ambulance Trust) | Duration of Elective Wait | Intended Management |
        Decided To Admit Date (For This Provider) | Waiting Time Measurement Type | Location Type Code at Start of Episode | HRG
        Code | HRG Version Number | Procedure Scheme In Use | Dominant Grouping Variable - Procedure | FCE HRG | Episode HRG
        Version Number | Spell Core HRG | Spell HRG Version Number | Number of Babies | First Antenatal Assessment Date | GMP
        (Code of GMP Responsible for Antenatal Care) | Code of GP Practice (Registered GMP- Antenatal Care) | Organisation Code
        Type GP Practice (Registered GMP- Antenatal Care) | Location Class of Delivery Place (Intended) | Location Type of
        Delivery Place (Intended) | Delivery Place Change Reason | Delivery Place Type (Intended) | Anaesthetic Given During
        Labour/Delivery | Anaesthetic Given Post Delivery | Gestation Length (Labour Onset) | Labour/Delivery Onset Method |
        Delivery Date
        """
        ),
        *(
            "Birth Order",
            "Delivery Method",
            "Gestation Length (Assessment) Baby",
            "Resuscitation Method",
            "Status of Person Conducting Delivery",
            "Local Patient Identifier (Baby)",
            "Organisation Code (Local Patient Identifier (Baby))",
            "Organisation Code Type (Baby)",
            "NHS Number (Baby)",
            "NHS Number Status Indicator (Baby)",
            "Birth Date (Baby)",
            "Birth Weight (Baby)",
            "Live or Still Birth (Baby)",
            "Sex (Baby)",
            "Delivery Location Type",
            "Location Class of Delivery Place (Actual)",
            "Delivery Place Type (Actual)",
        )
        * 9,
        *_names(
            """
        Local Patient Identifier (Mother) | Organisation Code (Local Patient Identifier (Mother)) | Organisation Code Type
        (Mother) | NHS Number (Mother) | NHS Number Status Indicator (Mother) | Birth Date (Mother) | Address Format Code (Mother)
        | Patient Usual Address (Mother) | Postcode of Usual Address (Mother) | Organisation Code (PCT of Residence) (Mother) |
        Organisation Code Type (PCT of Residence) (Mother) | Unique Booking Reference Number Converted | Patient Pathway
        Identifier | Organisation Code Patient Pathway Identifier Issuer | Referral To Treatment Period Status | Referral To
        Treatment Period Start Date | Referral To Treatment Period End Date | Lead Care Activity Indicator | Age at CDS Activity
        Date | NHS Service Agreement Change Date | CDS Activity Date | Age as on Admission | Admin Category at Start | Hospital
        Provider Spell Discharge Ready Date | Location Type | XML Version | Confidentiality Category (Derived) | Referral To
        Treatment Length (Derived) | Age range patient derived from DOB | Age range mother derived from DOB | Area code derived
        from postcode. | CDS Group | Finished Indicator | PCT (Derived from GP) | PCT Type (Derived from GP) | GP Practice
        (Derived) | GP Practice Mother (Derived) | PCT (Derived from derived GP Practice) | PCT Mother (Derived from derived GP
        Practice) | SHA from GP Practice | SHA Type from GP Practice | Hospital Spell Duration | Month of Birth | Home Birth or
        Delivery | Electoral Ward from postcode | PCT from postcode | PCT Type from Postcode | SHA from Postcode | SHA Type from
        Postcode | Area code from Provider Postcode | Age at End of Episode | Age at Start of Episode | Year of Birth | Year of
        Birth Mother | Month of Birth Mother | 2001 Census Area | Country | County Code | 1991 Census ED | ED District Code |
        Electoral Ward Code | GOR Code | Local Unitary Authority | Old SHA Code | 1998 Electoral Area | Prime Recipient
        """
        ),
        *("Critical Care",) * 270,
        "Copy Recipients",
    )
)

OP = Layout(
    (
        *_names(
            """
        Generated Record Identifier | Reason for Access | CDS type | Protocol identifier | Unique CDS identifier | SUS generated
        spell ID | Update type | Bulk replacement CDS group | Test indicator | Applicable date/time | Census date | Extract
        date/time | Report period Start Date | Report period End Date | Organisation code: Sender of transaction | Organisation
        Code Type of Sender | Submission Date | CDS Interchange ID | Local Patient Identifier | Organisation Code (Local Patient
        Identifier) | Organisation Code Type (Local Patient Identifier) | NHS Number | Date of Birth | Carer Support Indicator |
        NHS Number Trace Status | Withheld Identity Reason | Sex | Name Format Code | Patient Name | Person Title | Person Given
        Name | Person Family Name | Person Name Suffix | Person Initials | Address Format Code | Patient Usual Address | Postcode
        | Organisation Code (Residence Responsibility) | PCT of Residence | Organisation Code Type (PCT of Residence) | Ethnic
        Category | OSV Classification at CDS Activity Date | Consultant Code | Main Specialty Code | Treatment Function Code |
        Local Sub Specialty Code | Multi-Professional Or Multidisciplinary Ind Code | Rehabilitation Assessment Team Type |
        Diagnosis Scheme In Use (ICD)
        """
        ),
        *("Diagnosis (ICD)", "Present On Admission Indicator") * 24,
        *_names(
            """
        Diagnosis Scheme In Use (Read) | Attendance Identifier
        """
        ),
        *("Diagnosis (Read)",) * 24,
        *_names(
            """
        Administrative Category | Attended or Did Not Attend | First Attendance | Medical Staff Type Seeing Patient | Operation
        Status (Per Attendance) | Outcome of Attendance | Appointment Date | Appointment Time | Expected Duration Of Appointment |
        Consultation Medium Used | Waiting Time Measurement Type | Activity Location Type Code | Earliest Clinically Appropriate
        Date | Clinic Code | Commissioning Serial Number | NHS Service Agreement Line Number | Provider Reference Number |
        Commissioner Reference Number | Organisation Code (Code of Provider) | Organisation Code Type (Code of Provider) |
        Organisation Code (Code of Commissioner) | Organisation Code Type (Code of Commissioner) | Procedure Scheme In Use (OPCS)
        """
        ),
        *(
            "Procedure (OPCS)",
            "Main Operating Healthcare Professional Code",
            "Professional Registration Issuer Code",
            "Responsible Anaesthetist Code",
            "Responsible Anaesthetist Registration Body",
        )
        * 24,
        *_names(
            """
        Procedure Scheme In Use (Read) | Location Class at Attendance
        """
        ),
        *("Procedure (Read)",) * 24,
        *_names(
            """
        Site Code (of Treatment) | Organisation Code Type (Site Code of Treatment) (At Attendance) | General Medical Practitioner
        Code of Registered GMP | Practice Code of Registered GP | Organisation Code Type of Registered GP | Priority Type |
        Service Type Requested | Source of Referral For Outpatients | Referral Request Received Date | Direct Access Referral
        Indicator | Referrer Code | Referring Organisation Code | Organisation Code Type of Referrer | Last DNA Or Patient
        Cancelled Date | HRG Code | HRG Version Number | Procedure Scheme In Use | Dominant Grouping Variable - Procedure | Core
        HRG | HRG Version (Calculated) | SUS HRG | Unique Booking Reference Number Converted | Patient Pathway Identifier |
        Organisation Code Patient Pathway Identifier Issuer | Referral To Treatment Period Status | Referral To Treatment Period
        Start Date | Referral To Treatment Period End Date | Lead Care Activity Indicator | Age at CDS Activity Date | NHS Service
        Agreement Change Date | CDS Activity Date | Earliest Reasonable Offered Date | Location Type | XML Version |
        Confidentiality Category (Derived) | Referral To Treatment Length (Derived) | Age range patient derived from DOB | Area
        code derived from postcode | Attender Type (Derived) | CDS Group | Finished Indicator | PCT (Derived from GP) | PCT Type
        (Derived from GP) | GP Practice (Derived) | PCT (Derived from derived GP Practice) | SHA from GP Practice | SHA Type from
        GP Practice | Month of Birth | Electoral Ward from postcode | PCT from postcode | PCT Type from Postcode | SHA from
        Postcode | SHA Type from Postcode | Area code from Provider Postcode | Age at End of Episode | Age at Start of Episode |
        Year of Birth | 2001 Census Area | Country | County Code | 1991 Census ED | ED District Code | Electoral Ward Code | GOR
        Code | Local Unitary Authority | Old SHA Code | 1998 Electoral Area | Prime Recipient | Copy Recipients | Is Valid UBRN |
        UBRN Occurrence Count
        """
        ),
    )
)
