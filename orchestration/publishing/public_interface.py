"""What other people's queries depend on, in every part of a release that holds people: never dropped, renamed or retyped."""

from __future__ import annotations

_DEFINITION = "code name version description source owner"

#: Table -> columns that must be there. Columns may be added freely.
PUBLIC_INTERFACE: dict[str, frozenset[str]] = {
    table: frozenset(columns.split())
    for table, columns in {
        "person": "person_id birth_month sex ethnic_category_code ethnic_group lsoa_code imd_decile practice_code pcn_code "
        "place_code is_registered is_alive death_month n_sources",
        "person_condition": "person_id condition_code onset_date resolved_date is_active n_events sources first_code last_code",
        "person_segment": "person_id scheme month_end segment_code segment_name reason",
        "person_segment_flag": "person_id scheme month_end segment_code segment_name reason is_primary",
        "segment_movement": "scheme month_end from_segment to_segment n_people",
        "person_score": "person_id score_code as_of value band components",
        "person_cohort": "person_id cohort_code entered_on exited_on evidence",
        "condition": _DEFINITION,
        "segment": _DEFINITION,
        "score": _DEFINITION,
        "cohort": _DEFINITION,
        "organisation": "organisation_code name type parent_code hierarchy valid_from valid_to",
        "person_activity_month": "person_id month_end setting n_contacts n_emergency cost_gbp",
        "data_quality_result": "run_id source table_name rule severity status n_rows n_failed",
        "source_coverage": "organisation_code source first_delivery last_delivery n_people onboarding_status is_fresh",
        "linkage_quality": "run_id as_of is_latest metric part source value",
        "linkage_equity": "characteristic group_name measure numerator denominator share share_low share_high reference_group "
        "ratio ratio_low ratio_high lowest_ratio is_breach",
        "linkage_headline_effect": "headline ethnic_group n_people n_known rate_per_1000 adjusted_rate_per_1000",
        "release": "release_id as_of built_at git_commit model_version n_people",
    }.items()
}


def is_promised(table: str, column: str | None = None) -> bool:
    """Whether a table, or a column of it, is public interface."""
    return table in PUBLIC_INTERFACE and (column is None or column in PUBLIC_INTERFACE[table])
