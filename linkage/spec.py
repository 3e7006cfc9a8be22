"""What linkage must know about the place it runs in: sources, number ranges, thresholds and blocking rules.

A spec is a value. Nothing here looks anything up; the caller takes `default_spec` and changes what differs with
`dataclasses.replace`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Literal

#: NHS numbers issued in England, Wales and the Isle of Man, by their first three digits.
ISSUED_NUMBER_PREFIXES = ((400, 499), (600, 799))

#: Never issued to anybody: the published test range 999, and 500-599. Accepted only where a caller says the people are synthetic.
TEST_NUMBER_PREFIXES = ((500, 599), (999, 999))


@dataclass(frozen=True)
class SourceTreatment:
    """How far one source's identity is believed."""

    #: Whose name, birth date and address speak for a group of records; 1 speaks first.
    rank: int
    #: `verified`: every valid number was traced by the supplier. `by_status`: only where the NHS number status indicator is 01.
    #: `untraced`: somebody typed it, so it needs another field to agree with it.
    number_trust: Literal["verified", "by_status", "untraced"]
    #: The record *is* an NHS number (PDS, the opt-out list): it belongs to that number's person without further evidence.
    is_number_register: bool = False
    #: The source holds a living person once, so two of its records that do not share a number are two people.
    holds_person_once: bool = False
    #: The table that lists the source's people, one row each: a delete there withdraws the record, and only its newest version
    #: counts. Tables of events repeat a person, so their rows add up instead.
    register_table: str | None = None


@dataclass(frozen=True)
class BlockingRule:
    """Which pairs are worth scoring: two groups are compared when they share a key.

    `keys` is a SQL expression over the columns of the `representative` table that gives a list of texts; NULL texts are ignored.
    """

    name: str
    why: str
    keys: str


#: Two groups that both hold a verified number, and different ones, are compared only by this rule: they cannot be linked, but
#: agreement on everything says that a number is wrong or that PDS has not merged a duplicate, which a person should look at.
CONFLICT_RULE = BlockingRule(
    name="everything_but_the_number",
    why="a second number for one person is found only by asking for agreement on name, birth date and place",
    keys="[birth_key || '|' || given_name || '|' || family_name || '|' || p for p in postcodes]",
)

BLOCKING_RULES = (
    BlockingRule(
        name="nhs_number",
        why="records that share a number but disagree otherwise are either a typing error or a number used by two people",
        keys="[nhs_number]",
    ),
    BlockingRule(
        name="birth_family",
        why="survives a change of address and any change of first name; every family name ever held is a key, for marriages",
        keys="[birth_key || '|' || left(t, 4) for t in family_tokens]",
    ),
    BlockingRule(
        name="birth_given",
        why="survives marriage and misspelt family names; the alias class brings Mohammed to Muhammad",
        keys="[birth_key || '|' || c for c in given_classes]",
    ),
    BlockingRule(
        name="birth_swapped_names",
        why="family and given name in each other's field; a name sorted with the other is the same either way round",
        keys="[birth_key || '|' || least(left(given_name, 4), left(family_name, 4))"
        " || '|' || greatest(left(given_name, 4), left(family_name, 4))]",
    ),
    BlockingRule(
        name="birth_sector",
        why="survives a wholly different rendering of both names, as transliteration from another script can give",
        keys="[birth_key || '|' || s for s in postcode_sectors]",
    ),
    BlockingRule(
        name="names_postcode",
        why="survives a wrong or missing birth date",
        keys="flatten([[c || '|' || left(family_name, 4) || '|' || p for p in postcodes] for c in given_classes])",
    ),
    BlockingRule(
        name="names_birth_month",
        why="survives a wrong day of birth together with a move",
        keys="[c || '|' || family_name || '|' || strftime(birth_date, '%Y-%m') for c in given_classes]",
    ),
    BlockingRule(
        name="names_birth_year_day",
        why="survives a wrong month of birth together with a move",
        keys="[c || '|' || family_name || '|' || strftime(birth_date, '%Y--%d') for c in given_classes]",
    ),
    BlockingRule(
        name="names_birth_month_day",
        why="survives a wrong year of birth together with a move",
        keys="[c || '|' || family_name || '|' || strftime(birth_date, '%m-%d') for c in given_classes]",
    ),
    BlockingRule(
        name="phone_given",
        why="a phone number is shared by a household, so it must come with the first name",
        keys="[p || '|' || left(given_name, 1) for p in phones]",
    ),
    BlockingRule(
        name="email",
        why="survives a change of every other field; role mailboxes and crowded addresses are already gone",
        keys="emails",
    ),
)

#: Dates that systems write when they do not know. NHS Data Dictionary and HES conventions; 1811-11-11 is the Welsh default.
BIRTH_DATE_SENTINELS = (
    date(1582, 10, 15),
    date(1800, 1, 1),
    date(1801, 1, 1),
    date(1811, 11, 11),
    date(1899, 12, 30),
    date(1900, 1, 1),
    date(1901, 1, 1),
    date(2999, 12, 31),
    date(9999, 12, 31),
)


@dataclass(frozen=True)
class ReviewRules:
    """When a linked person is doubted, and how many sound-looking pairs are asked about to measure quality."""

    #: A link below this weight (bits) is weak: it is asked about when it alone holds two parts of a person together ...
    weak_link_weight: float = 14.0
    #: ... each of at least this many records. A person of more groups is not walked; it is asked about as large.
    bridge_records: int = 2
    most_groups_walked: int = 200
    #: A person is large above the 99.9th percentile of records a person, and above this.
    large_person_records: int = 15
    #: A person of at least this many groups is thin when fewer than this share of its pairs are links.
    thin_person_groups: int = 4
    least_density: float = 0.5
    #: Birth dates further apart than a wrong year, or day and month swapped, can explain.
    birth_spread_days: int = 732
    #: Pairs in each sample: of links, and of pairs not linked that are at most `sample_band` bits below the threshold.
    sample_pairs: int = 50
    sample_band: float = 3.0


@dataclass(frozen=True)
class LinkageSpec:
    """Everything that decides the result besides the records, the trained parameters and the decisions of reviewers."""

    sources: dict[str, SourceTreatment]
    number_prefixes: tuple[tuple[int, int], ...] = ISSUED_NUMBER_PREFIXES
    blocking_rules: tuple[BlockingRule, ...] = BLOCKING_RULES
    conflict_rule: BlockingRule = CONFLICT_RULE
    birth_date_sentinels: tuple[date, ...] = BIRTH_DATE_SENTINELS
    oldest_age_years: int = 120
    #: Links are made at or above this match weight (bits, prior included).
    link_weight: float = 8.0
    #: Pairs between this weight and `link_weight` go to review.
    review_weight: float = 2.0
    #: A group without a verified number links to one with a number only when its best candidate leads the runner-up by this.
    runner_up_gap: float = 5.0
    #: A birth date is a habit of the source, not a fact, when it has at least this many records ...
    common_birth_date_records: int = 20
    #: ... and at least this many times the share an even spread over 80 years would give it.
    common_birth_date_ratio: float = 50.0
    #: A phone number or e-mail address of more people than this belongs to an institution.
    most_people_a_contact: int = 8
    #: A blocking key that would make more pairs than this is not used and is reported.
    most_pairs_a_key: int = 20_000
    #: A rule whose pairs, divided by the groups, exceed this stops the run: a blocking rule has gone wrong.
    most_pairs_a_record: float = 50.0
    #: Dates of death of one person differ between sources by registration habits, not by more than this.
    death_date_tolerance_days: int = 31
    review: ReviewRules = ReviewRules()
    seed: int = 20260101
    unknown_source: SourceTreatment = field(default=SourceTreatment(rank=99, number_trust="untraced"))

    def treatment(self, source: str) -> SourceTreatment:
        """The treatment of a source; one the spec does not know is believed least."""
        return self.sources.get(source, self.unknown_source)

    @property
    def register_tables(self) -> dict[str, str]:
        """Source -> the table that says whether it still holds a record; sources without one are not there."""
        return {source: t.register_table for source, t in self.sources.items() if t.register_table}

    def fingerprint(self) -> str:
        """Changes when anything in the spec changes (hexadecimal)."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True, default=str).encode()).hexdigest()


def default_spec(*, accept_test_numbers: bool = False) -> LinkageSpec:
    """The spec for the ten source families of the warehouse.

    `accept_test_numbers` lets never-issued NHS numbers count as valid; only for synthetic people.
    """
    return LinkageSpec(
        sources={
            "demographics_pds": SourceTreatment(rank=1, number_trust="verified", is_number_register=True, holds_person_once=True),
            "gp_emis": SourceTreatment(rank=2, number_trust="verified", register_table="admin_patient"),
            "gp_systmone": SourceTreatment(rank=2, number_trust="verified", register_table="sr_patient"),
            "acute_sus": SourceTreatment(rank=3, number_trust="by_status"),
            "mental_health_mhsds": SourceTreatment(rank=3, number_trust="by_status"),
            "community_csds": SourceTreatment(rank=3, number_trust="by_status"),
            "social_care_cld": SourceTreatment(rank=4, number_trust="untraced"),
            "housing": SourceTreatment(rank=5, number_trust="untraced"),
            "voluntary_sector": SourceTreatment(rank=6, number_trust="untraced"),
            "reference": SourceTreatment(rank=9, number_trust="untraced", is_number_register=True),
        },
        number_prefixes=ISSUED_NUMBER_PREFIXES + (TEST_NUMBER_PREFIXES if accept_test_numbers else ()),
    )
