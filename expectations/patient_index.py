"""Rules on the shared patient index: every record belongs to exactly one person, and no person swallows a crowd."""

from __future__ import annotations

from expectations.rules import InSet, NoRows, NotNull, RowCount, Rule, Unique

#: A person with more records than this has been chained to strangers (ten sources, some with a record per practice or episode).
_MOST_RECORDS = 60
_METHODS = ("nhs_number", "probabilistic", "manual", "singleton", "no_identity")


def person_record_rules() -> tuple[Rule, ...]:
    """Rules for rows of (record_token, source, person_id, match_method, match_weight)."""
    return (
        RowCount(minimum=1),
        NotNull(column="record_token"),
        NotNull(column="person_id"),
        Unique(columns=("record_token",)),
        InSet(column="match_method", values=_METHODS),
    )


def person_size_rules() -> tuple[Rule, ...]:
    """Rules for rows of (person_id, n_records, n_sources), one per person."""
    return (
        NoRows(title="person_too_large", condition=f"n_records > {_MOST_RECORDS}", tolerance=0.0001),
        NoRows(severity="warning", title="person_large", condition=f"n_records > {_MOST_RECORDS // 3}", tolerance=0.001),
    )


def unlinked_rules() -> tuple[Rule, ...]:
    """Rules for rows of identity records that the index does not know: there may be none."""
    return (RowCount(maximum=0),)
