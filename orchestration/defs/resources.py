"""What every step needs: the night it belongs to."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import dagster as dg
from pydantic import Field

from orchestration.faults import explain, is_transient, quotes_values
from orchestration.night import TIMEZONE, open_night, parse_date, resolve_as_of
from orchestration.settings import load_settings

_RUNS_FORGOTTEN_AT_ONCE = 100

#: What is read must be last night's by the time people come to work.
DAILY = dg.FreshnessPolicy.cron(deadline_cron="0 7 * * *", lower_bound_delta=timedelta(hours=12), timezone=TIMEZONE.key)


class Night(dg.ConfigurableResource):
    """One run: its date and how it was asked for. While a step holds it, this process holds the run lock."""

    as_of: str | None = Field(
        default=None, description="The run's date, YYYY-MM-DD. Empty: today, or the demonstration's last delivery."
    )
    full_refresh: bool = Field(default=False, description="Rebuild every incremental table from all deliveries.")
    sources: list[str] = Field(default=[], description="Land only these sources. Empty: all.")
    delivery_date: str | None = Field(
        default=None, description="Land only deliveries of this date, YYYY-MM-DD. Empty: all that wait."
    )

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Generator[Night, None, None]:
        settings = load_settings()
        with open_night(settings, shlex.join(sys.argv)):
            if context.instance:
                forget_old_runs(context.instance, settings.keep_days)
            # Settled here, once: a run that crosses midnight keeps its date.
            yield self.model_copy(update={"as_of": resolve_as_of(settings, self.as_of).isoformat()})

    def wants(self, source: str) -> bool:
        """True when this run lands the source."""
        return not self.sources or source in self.sources

    @property
    def only_date(self) -> date | None:
        """The one delivery date to land, when there is one."""
        return parse_date(self.delivery_date) if self.delivery_date else None

    @property
    def day(self) -> date:
        """The run's date."""
        return resolve_as_of(load_settings(), self.as_of)


def forget_old_runs(instance: dg.DagsterInstance, keep_days: int) -> None:
    """Delete run records older than `keep_days`: Dagster's event log grows without bound otherwise."""
    before = datetime.now(UTC) - timedelta(days=keep_days)
    for record in instance.get_run_records(dg.RunsFilter(created_before=before), limit=_RUNS_FORGOTTEN_AT_ONCE):
        instance.delete_run(record.dagster_run.run_id)


@contextmanager
def explained() -> Generator[None, None, None]:
    """Turn an exception into a failure that says what to do, retried only when trying again can help."""
    try:
        yield
    except dg.Failure:
        raise
    except Exception as error:
        # Dagster keeps the chain of causes; one that quotes a value of a row must not be in it.
        cause = None if quotes_values(error) else error
        raise dg.Failure(description=explain(error), allow_retries=is_transient(error)) from cause
