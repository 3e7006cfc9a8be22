"""Rules on what is about to be published, asked of the marts before a release is made."""

from __future__ import annotations

from expectations.rules import Between, NoRows, NotNull, RowCount, Rule, Unique

#: People do not come or go by more than this share between two nights.
_POPULATION_CHANGE = 0.1


def person_rules(n_previous: int | None) -> tuple[Rule, ...]:
    """Rules for the `person` mart; `n_previous` is the number of people in the release that is being served, if any."""
    rules: list[Rule] = [
        RowCount(minimum=1),
        NotNull(column="person_id"),
        Unique(columns=("person_id",)),
        Between(severity="warning", column="imd_decile", minimum=1, maximum=10),
        NotNull(severity="warning", tolerance=0.05, column="birth_month"),
        NoRows(title="died_before_birth", condition="death_month < birth_month", tolerance=0.001),
        NoRows(severity="warning", title="ethnicity_known", condition="ethnic_category_code is null", tolerance=0.3),
    ]
    if n_previous:
        rules.append(RowCount(minimum=int(n_previous * (1 - _POPULATION_CHANGE))))
        rules.append(RowCount(severity="warning", maximum=int(n_previous * (1 + _POPULATION_CHANGE))))
    return tuple(rules)


def segment_rules() -> tuple[Rule, ...]:
    """Rules for the `person_segment` mart: one segment a person, scheme and month."""
    return (
        RowCount(minimum=1),
        Unique(columns=("person_id", "scheme", "month_end")),
        NotNull(column="segment_code"),
    )


def event_code_rules() -> tuple[Rule, ...]:
    """Rules for rows of coded events: a local code that maps to nothing is lost to every register."""
    return (NoRows(severity="warning", title="code_mapped", condition="code is null", tolerance=0.02),)


def type_1_rules() -> tuple[Rule, ...]:
    """Rules for GP records: the supplier leaves out people with a Type 1 dissent, so each that came is an incident."""
    return (NoRows(severity="warning", title="type_1_dissent_not_extracted", condition="has_type_1_dissent"),)
