"""Rules on the share of records that carry a valid NHS number, judged by what each kind of source can be expected to know."""

from __future__ import annotations

from expectations.rules import NoRows, Rule


def valid_share_rules(expected_missing_share: float) -> tuple[Rule, ...]:
    """A warning when more than twice the expected share of rows have no valid number, and at least 2 % more.

    `expected_missing_share` is 0 to 1: about 0.002 for general practice, 0.01 for hospitals, 0.7 for the voluntary sector.
    """
    tolerance = min(1.0, max(2 * expected_missing_share, expected_missing_share + 0.02))
    return (
        NoRows(
            severity="warning",
            tolerance=tolerance,
            title="nhs_number_valid",
            condition="nhs_number_state <> 'valid'",
        ),
        # The same wrong number on every row is how a broken extract looks.
        NoRows(
            severity="warning",
            tolerance=0.01,
            title="nhs_number_not_placeholder",
            condition="nhs_number_state = 'placeholder'",
        ),
    )
