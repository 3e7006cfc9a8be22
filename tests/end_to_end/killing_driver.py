"""A night, killed with SIGKILL at one moment: `python killing_driver.py <moment> <phm arguments>`.

The product has no hooks for this: each moment replaces one function of it by one that does part of the work and then dies.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from orchestration.landing.contract import read_contracts
from orchestration.night import open_night, resolve_as_of
from orchestration.settings import Settings, load_settings


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def after(owner: Any, name: str, times: int = 1) -> None:
    """Die when `owner.name` has returned for the `times`-th time."""
    original = getattr(owner, name)
    calls = 0

    def dying(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        result = original(*arguments, **options)
        calls += 1
        if calls == times:
            die()
        return result

    setattr(owner, name, dying)


def before(owner: Any, name: str, times: int = 1) -> None:
    """Die when `owner.name` is called for the `times`-th time, before it does anything."""
    original = getattr(owner, name)
    calls = 0

    def dying(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == times:
            die()
        return original(*arguments, **options)

    setattr(owner, name, dying)


def while_landing() -> None:
    """Files of a load are written, under temporary names."""
    from orchestration.landing.table import StagedRows

    after(StagedRows, "write", times=20)


def before_the_ledger_knows() -> None:
    """Files have their names, the ledger does not know them."""
    from orchestration.landing.ledger import Ledger

    before(Ledger, "record", times=3)


def between_registry_and_index() -> None:
    """The registry is committed, the index is not written."""
    from linkage import link

    before(link, "write_outputs")


def while_dbt_builds() -> None:
    """dbt is in the middle of its models; it outlives us."""
    from dagster_dbt import DbtCliInvocation

    original = DbtCliInvocation.stream

    def dying(self: DbtCliInvocation) -> Any:
        for number, event in enumerate(original(self)):
            if number == 60:
                die()
            yield event

    DbtCliInvocation.stream = dying


def while_the_release_is_built() -> None:
    """Both purposes are written, the folder does not have its name yet."""
    from orchestration.publishing import release

    before(release, "_make_durable")


def before_the_switch() -> None:
    """The release is whole, and nobody reads it yet."""
    from orchestration.publishing import release

    before(release, "switch")


def whole_night() -> None:
    from orchestration.cli import app

    app()


@contextmanager
def one_step() -> Iterator[tuple[Settings, date]]:
    """The frame of a night around one step of it: getting to a step through the whole night takes minutes."""
    settings = load_settings()
    with open_night(settings, "one step"):
        yield settings, resolve_as_of(settings, None)


def landing() -> None:
    from orchestration.landing_step import land

    with one_step() as (settings, day):
        for source in read_contracts(settings.staging_dir).values():
            land(settings, source, "killed", day, None)


def linkage() -> None:
    from orchestration.patient_index import link_records

    with one_step() as (settings, day):
        link_records(settings, "killed", day)


def publishing() -> None:
    from orchestration.release_step import publish_release

    with one_step() as (settings, day):
        publish_release(settings, "killed00", day)


#: Moment -> what is run until then, in the order of a night.
MOMENTS: dict[Callable[[], None], Callable[[], None]] = {
    while_landing: landing,
    before_the_ledger_knows: landing,
    between_registry_and_index: linkage,
    while_dbt_builds: whole_night,
    while_the_release_is_built: publishing,
    before_the_switch: publishing,
}

if __name__ == "__main__":
    name = sys.argv.pop(1)
    arrange, run = next((moment, run) for moment, run in MOMENTS.items() if moment.__name__ == name)
    arrange()
    run()
