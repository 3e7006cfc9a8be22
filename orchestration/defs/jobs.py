"""When things run: the nightly job and its schedule, deliveries that arrive by day, and who is told of a failure.

A past delivery date is backfilled with the same job: give `delivery_date` in the `night` resource's configuration, or
`phm run --delivery-date`.
"""

import hashlib
from collections.abc import Iterator

import dagster as dg

from orchestration.alerts import send_alert
from orchestration.arrivals import Look, settled_arrivals
from orchestration.night import TIMEZONE
from orchestration.settings import Settings, load_settings

NIGHTLY = "nightly_load"

#: `phm run` tells of its own failures, also where no Dagster daemon is running; it marks its runs with this tag.
TELLS_ITSELF = "phm/tells_itself"

_TWO_IN_THE_MORNING = "0 2 * * *"
_SECONDS_BETWEEN_LOOKS = 300

nightly_load = dg.define_asset_job(
    NIGHTLY,
    selection=dg.AssetSelection.all(),
    description="Land every source, check, link, build, check, publish.",
)


def nightly_schedule(settings: Settings) -> dg.ScheduleDefinition:
    """Every night at two. On by itself in production; a demonstration does not load in its sleep."""
    return dg.ScheduleDefinition(
        name="nightly",
        job=nightly_load,
        cron_schedule=_TWO_IN_THE_MORNING,
        execution_timezone=TIMEZONE.key,
        default_status=dg.DefaultScheduleStatus.RUNNING if settings.is_production else dg.DefaultScheduleStatus.STOPPED,
    )


def arrival_sensor(settings: Settings) -> dg.SensorDefinition:
    """A run when a new or corrected delivery has come to rest in the landing zone by day."""

    @dg.sensor(
        job=nightly_load,
        minimum_interval_seconds=_SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.is_production else dg.DefaultSensorStatus.STOPPED,
        description="Asks for a load when a delivery has arrived and stopped growing.",
    )
    def delivery_arrived(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
        settled, now = settled_arrivals(load_settings().landing_dir, Look.from_cursor(context.cursor))
        context.update_cursor(now.to_cursor())
        if not settled:
            yield dg.SkipReason("no new delivery has come to rest")
            return
        key = hashlib.sha256(now.to_cursor().encode()).hexdigest()[:16]
        yield dg.RunRequest(run_key=key, tags={"phm/deliveries": ", ".join(settled)[:200]})

    return delivery_arrived


def failure_sensor(settings: Settings) -> dg.SensorDefinition:
    """Hands a failed run to the alert command."""

    @dg.run_failure_sensor(
        name="tell_of_failure",
        default_status=dg.DefaultSensorStatus.RUNNING if settings.alert_command else dg.DefaultSensorStatus.STOPPED,
        description="Runs PHM_ALERT_COMMAND with the run's id and what went wrong; no patient data.",
    )
    def tell_of_failure(context: dg.RunFailureSensorContext) -> None:
        if TELLS_ITSELF not in context.dagster_run.tags:
            send_alert(
                load_settings().alert_command, context.dagster_run.run_id, context.failure_event.message or "The run failed."
            )

    return tell_of_failure
