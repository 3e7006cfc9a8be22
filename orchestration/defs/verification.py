"""The weekly shadow run of linkage: nothing is published by it, and the registry stays as it is."""

import dagster as dg

from orchestration.defs.resources import explained
from orchestration.night import TIMEZONE
from orchestration.run_lock import run_lock
from orchestration.settings import Settings, load_settings
from orchestration.verification import said, verify_index

_SUNDAY_AT_SIX = "0 6 * * 0"


@dg.op(description="Links everything from nothing beside the registry and fails when the two differ.")
def verify_registry(context: dg.OpExecutionContext) -> None:
    """Compare the registry with a whole run; the failure says how many records, pairs and weights differ."""
    settings = load_settings()
    with explained(), run_lock(settings.lock_path, "weekly verification"):
        found = verify_index(settings)
    context.add_output_metadata(
        {
            "records": found.n_records,
            "records_different": found.n_records_different,
            "pairs_different": found.n_pairs_missing + found.n_pairs_unfounded,
            "weights_different": found.n_weights_different,
        }
    )
    if not found.is_sound:
        raise dg.Failure(description=said(found), allow_retries=False)


@dg.job(description="Is the registry what a whole run would make of the same records?")
def weekly_verification() -> None:
    """The one step of the weekly verification."""
    verify_registry()


def weekly_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Sundays at six, when the night's load has long ended. On by itself in production."""
    return dg.ScheduleDefinition(
        name="weekly",
        job=weekly_verification,
        cron_schedule=_SUNDAY_AT_SIX,
        execution_timezone=TIMEZONE.key,
        default_status=dg.DefaultScheduleStatus.RUNNING if settings.is_production else dg.DefaultScheduleStatus.STOPPED,
    )
