"""Is this a code of its system? What is wrong with one that is not, in words that say what to do.

A code that lost its last digits in a spreadsheet, or is the id of a description, looks like any other and finds nobody.
"""

from __future__ import annotations

import re

#: Systems of codelists, as in `code_system` of the event tables.
SYSTEMS = ("snomed", "icd10", "dmd")

# A SNOMED CT identifier (SCTID) ends in a partition and a check digit: SNOMED CT Release File Specifications, chapter 6 (SCTIDs).
_SCTID = re.compile(r"[1-9][0-9]{5,17}")
_CONCEPT_PARTITIONS = ("00", "10")
_PARTITIONS = {"01": "description", "11": "description", "02": "relationship", "12": "relationship"}

# ICD-10 5th edition as hospitals send it: a category, up to two more characters (X fills a missing fourth), a filler X, and a
# dagger (D) or asterisk (A) mark.
_ICD10 = re.compile(r"([A-Z][0-9]{2})\.?((?:[0-9]|X(?=[0-9]))[0-9]?)?\.?X?[DA]?")
_ICD10_RANGE = re.compile(r"[A-Z][0-9]{2}[0-9.]*\s*(?:-|–|to)\s*[A-Z]?[0-9]{2}[0-9.]*", re.IGNORECASE)

_SCIENTIFIC = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?[0-9]+", re.IGNORECASE)
_DECIMAL = re.compile(r"[0-9]+[.,]0+")

#: Digits of a number that a spreadsheet keeps.
_SPREADSHEET_DIGITS = 15

_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def _dihedral(a: int, b: int) -> int:
    """The product of two elements of the dihedral group of ten, numbered as Verhoeff does."""
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b) % 5
    return 5 + (a - b) % 5 if b < 5 else (a - b) % 5


def _permuted(digit: int, times: int) -> int:
    for _ in range(times % 8):
        digit = _PERMUTATION[digit]
    return digit


def passes_verhoeff(digits: str) -> bool:
    """Whether the last digit checks the others (Verhoeff 1969, as SNOMED CT uses it)."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = _dihedral(check, _permuted(int(digit), place))
    return check == 0


def normal_code(system: str, text: str) -> str:
    """A code as the event tables hold it: no space around it; ICD-10 in upper case without dot, filler or mark.

    Raises `ValueError` with what is wrong when `text` is no code of `system` (one of `SYSTEMS`).
    """
    code = text.strip()
    return _icd10(code) if system == "icd10" else _sctid(code, system)


def _sctid(code: str, system: str) -> str:
    name = "SNOMED CT" if system == "snomed" else "dm+d"
    if _SCIENTIFIC.fullmatch(code):
        raise ValueError(
            f"{code!r} has lost its digits to a spreadsheet; take the file as it was downloaded, and do not save it again"
        )
    if _DECIMAL.fullmatch(code):
        raise ValueError(f"{code!r} was made a number by a spreadsheet; take the file as it was downloaded")
    if not _SCTID.fullmatch(code):
        raise ValueError(f"{code!r} is no {name} code: one is 6 to 18 digits and does not begin with 0")
    if not passes_verhoeff(code):
        if len(code) > _SPREADSHEET_DIGITS and set(code[_SPREADSHEET_DIGITS:]) == {"0"}:
            raise ValueError(
                f"{code!r} was rounded by a spreadsheet, which keeps {_SPREADSHEET_DIGITS} digits; take the file as downloaded"
            )
        raise ValueError(f"{code!r} fails the check digit of {name}: a digit is wrong or missing")
    partition = code[-3:-1]
    if partition not in _CONCEPT_PARTITIONS:
        kind = _PARTITIONS.get(partition, "something else")
        raise ValueError(f"{code!r} is the id of a {kind}, not of a concept; list the concept")
    return code


def _icd10(code: str) -> str:
    code = code.upper()
    if _ICD10_RANGE.fullmatch(code):
        raise ValueError(f"{code!r} is a range; list its categories, each stands for every code that begins with it")
    match = _ICD10.fullmatch(code.rstrip("+*†"))
    if not match:
        raise ValueError(f"{code!r} is no ICD-10 code: one is a letter, two digits, and up to two more, such as I10 or E11.9")
    return match[1] + (match[2] or "")
