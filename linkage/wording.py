"""What the model compares and finds, in words that a reviewer or the reader of a linked file understands."""

from __future__ import annotations

from linkage.model import level_number, levels
from linkage.sql import literal

#: The field in a reviewer's words, by comparison.
COMPARED = {
    "nhs_number": "NHS number",
    "given_name": "given name",
    "family_name": "family name",
    "birth_date": "date of birth",
    "place": "home",
    "contact": "telephone or e-mail",
    "sex": "sex",
}

#: What a level of a comparison means, in a reviewer's words; where a level is not here, its key says it.
MEANS = {
    "exact": "the same",
    "exact_new_year": "the same, 1 January, which is also written when only the year is known",
    "null": "not known on one side",
    "near": "one digit apart, and one of the two cannot be a real number: a typing error",
    "swapped": "in each other's field",
    "alias": "forms of one name",
    "alike": "spelt much alike",
    "token": "a word in common",
    "initial": "one is the other's initial",
    "similar": "spelt somewhat alike",
    "different": "different",
    "day_month_swapped": "day and month swapped",
    "one_digit": "one digit apart",
    "year_and_one_part": "the year and one part agree",
    "year_only": "the year agrees, and one says only the year",
    "day_and_month": "day and month agree, the year does not",
    "year": "only the year agrees",
    "postcode": "the same postcode",
    "property": "the same property",
    "postcode_once": "once at the same postcode",
    "postcode_one_character": "postcodes one character apart",
    "sector": "the same neighbourhood",
    "outcode": "the same postcode district",
    "email": "an e-mail address in common",
    "phone": "a telephone number in common",
    "same": "the same",
}


def edge_in_words() -> str:
    """SQL over the `gamma_` columns of an edge: each comparison of which something can be said, with the level it came to."""
    told = []
    for comparison, its_levels in levels().items():
        keys = [level.key for level in its_levels if level.key != "null"]
        whens = " ".join(
            f"when {level_number(comparison, key)} then {literal(f'{COMPARED[comparison]}: {MEANS[key]}')}" for key in keys
        )
        told.append(f"case gamma_{comparison} {whens} end")
    return f"concat_ws('; ', {', '.join(told)})"
