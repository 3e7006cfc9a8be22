"""Kinds of fault that a supplier can mend: what is wrong, what to do about it, and what it can change.

`Effect` says how the people whom a fault concerns are counted (`orchestration.feedback.effects`): `row` is a row that does not
count, `record` a person's whole record that may be missing, `link` a record that may be with nobody or with the wrong person;
the others are a fact about a person that no other record may supply.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Effect = Literal["row", "link", "birth_month", "sex", "lsoa_code", "ethnic_group", "none"]

#: A dimension of data quality (DAMA UK, The Six Primary Dimensions for Data Quality Assessment, 2013; accuracy needs a truth).
Dimension = Literal["completeness", "validity", "uniqueness", "consistency"]


@dataclass(frozen=True)
class Kind:
    """One kind of fault. `code` is a reason of quarantine, a check, or a code of its own."""

    code: str
    dimension: Dimension
    effect: Effect
    fix: str
    #: In words; blank for a kind whose rows carry a reason of their own.
    what: str = ""


_QUARANTINED = (
    Kind("ragged_row", "validity", "row", "Write as many fields as the header names; quote values that hold the delimiter."),
    Kind("unclosed_quote", "validity", "row", "Close every quote, and double a quote inside a value."),
    Kind("stray_quote", "validity", "row", "Double a quote inside a value, and quote the whole value."),
    Kind("invalid_encoding", "validity", "row", "Write the file in the agreed encoding."),
    Kind("too_long", "validity", "row", "Look for a line end or a quote that is missing."),
    Kind("nul_byte", "validity", "row", "Take NUL bytes out of the value."),
    Kind("repeated_element", "validity", "row", "Send the element once in a row."),
    Kind("missing_value", "completeness", "row", "Fill the column in every row, and send the row again."),
    Kind("missing_key", "completeness", "row", "Send the key of every row; without it nobody can tell which row it is."),
    Kind("bad_date", "validity", "row", "Send a date that exists, in the agreed form; leave it blank where it is not known."),
    Kind("bad_timestamp", "validity", "row", "Send a date and time that exist, in the agreed form."),
    Kind("bad_integer", "validity", "row", "Send digits only; look for letters that look like digits."),
    Kind("bad_double", "validity", "row", "Send a number only, without its unit."),
    Kind("bad_boolean", "validity", "row", "Send one of the agreed values for true and false."),
    Kind("implausible_date", "validity", "row", "Correct the year; leave the date blank where it is not known."),
    Kind("duplicate", "uniqueness", "none", "Send every row once."),
    Kind("overtaken", "uniqueness", "none", "Send one row for each key, the one that holds now."),
)

_CHECKED = (
    Kind(
        "in_set",
        "validity",
        "row",
        "Send a published code, or tell us that the list has a new one.",
        "the code is on no published list",
    ),
    Kind("between", "validity", "row", "Correct the value, or its unit.", "the value lies outside what is plausible"),
    Kind(
        "not_in_future",
        "consistency",
        "row",
        "Correct the date: it lies after the day of the delivery.",
        "the date lies after the delivery that reports it",
    ),
)

_IDENTITY = (
    Kind(
        "nhs_number_missing",
        "completeness",
        "link",
        "Trace the person with the Personal Demographics Service, and send it.",
        "the record has no NHS number",
    ),
    Kind(
        "nhs_number_invalid",
        "validity",
        "link",
        "Correct the number: it fails its check digit. Trace it again.",
        "the NHS number fails its check",
    ),
    Kind(
        "nhs_number_placeholder",
        "validity",
        "link",
        "Leave the number blank where it is not known, and trace the person.",
        "the NHS number is ten equal digits",
    ),
    Kind(
        "nhs_number_shared",
        "uniqueness",
        "link",
        "One number stands on records of different people: find out whose it is.",
        "another of your records, of another person, has the same NHS number",
    ),
    Kind(
        "record_in_dispute",
        "consistency",
        "link",
        "Compare number, name and date of birth with the person's own papers.",
        "what the record says does not agree with its NHS number, or fits two people",
    ),
    Kind(
        "birth_date_missing",
        "completeness",
        "birth_month",
        "Send the date of birth.",
        "the date of birth is blank",
    ),
    Kind(
        "birth_date_placeholder",
        "validity",
        "birth_month",
        "Leave the date of birth blank where it is not known, and ask.",
        "the date of birth stands for 'not known'",
    ),
    Kind("sex_missing", "completeness", "sex", "Send the person's sex.", "the sex is blank or not known"),
    Kind("postcode_missing", "completeness", "lsoa_code", "Send the postcode.", "the postcode is blank"),
    Kind(
        "postcode_unknown",
        "completeness",
        "lsoa_code",
        "Ask for the address; ZZ99 3VZ is for people of no fixed abode.",
        "the postcode stands for 'not known'",
    ),
    Kind(
        "postcode_invalid",
        "validity",
        "lsoa_code",
        "Correct the postcode: there is none of that form.",
        "the postcode has no valid form",
    ),
    Kind(
        "ethnicity_missing",
        "completeness",
        "ethnic_group",
        "Ask for, and record, the ethnic category.",
        "no ethnic category is recorded",
    ),
)

_CODED = (
    Kind(
        "code_not_mapped",
        "validity",
        "row",
        "Map the code to SNOMED CT, and send the map or the dictionary with it.",
        "the code cannot be translated into SNOMED CT",
    ),
)

KINDS: dict[str, Kind] = {kind.code: kind for kind in (*_QUARANTINED, *_CHECKED, *_IDENTITY, *_CODED)}
