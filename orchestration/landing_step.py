"""Landing with this warehouse's paths, key and limits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from orchestration.codelist_library import library
from orchestration.governance import load_agreements, write_governance
from orchestration.landing.compact import compact_table
from orchestration.landing.contract import Source, read_contracts
from orchestration.landing.land import SourceReport, land_source
from orchestration.landing.ledger import Ledger
from orchestration.landing.operations import ensure_empty_tables, export_operations, recover
from orchestration.landing.zones import Zones
from orchestration.settings import Settings


def land(settings: Settings, source: Source, run_id: str, as_of: date, only_date: date | None) -> SourceReport:
    """Land what arrived from one source up to `as_of` (or of one delivery date only); write the ledger for the checks."""
    with Ledger(settings.ledger_path) as ledger:
        report = land_source(
            source,
            zones=zones(settings),
            ledger=ledger,
            key=settings.require_key(),
            cover=load_agreements(settings).cover(source, as_of),
            as_of=as_of,
            run_id=run_id,
            limits=settings.limits,
            only_date=only_date,
        )
        export_operations(ledger, settings.raw_dir)
    return report


def export_log(settings: Settings, sources: Sequence[Source], as_of: date) -> dict[str, int]:
    """Write for dbt the ledger, what agreements and opt-outs allow on `as_of`, and an empty table wherever nothing has landed.

    Returns files by status.
    """
    with Ledger(settings.ledger_path) as ledger:
        ensure_empty_tables(sources, settings.raw_dir)
        library(settings).ensure()
        export_operations(ledger, settings.raw_dir)
        write_governance(settings, sources, ledger, as_of)
        return {
            str(status): int(n) for status, n in ledger.rows("select status, count(*) from load group by status order by status")
        }


def recover_landing(settings: Settings) -> None:
    """Remove what a killed run left in the raw and identifiable zones."""
    with Ledger(settings.ledger_path) as ledger:
        recover(zones(settings), ledger)


def join_small_files(settings: Settings) -> int:
    """Join the raw files of every table that has gathered more than `compact_after_loads` of them; how many tables were joined.

    To be called after a build only: what is joined must have been seen by every staging model.
    """
    n_joined = 0
    with Ledger(settings.ledger_path) as ledger:
        below = ledger.next_load_seq()
        for source in read_contracts(settings.staging_dir).values():
            for table in source.tables:
                n_files = sum(1 for _ in (settings.raw_dir / source.name / table.name).glob("*.parquet"))
                if n_files > settings.compact_after_loads:
                    n_joined += (
                        compact_table(table, raw_dir=settings.raw_dir, ledger=ledger, below=below, limits=settings.limits)
                        is not None
                    )
    return n_joined


def zones(settings: Settings) -> Zones:
    """The zones landing knows."""
    return Zones(settings.landing_dir, settings.identifiable_dir, settings.raw_dir)
