"""Landing: one step per source, one asset per supplier's table, from the contracts alone."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

import dagster as dg

from orchestration.defs.resources import Night, explained
from orchestration.landing.contract import Source, Table
from orchestration.landing.land import SourceReport
from orchestration.landing_step import export_log, land
from orchestration.settings import load_settings

_LOG_TABLES = {
    "delivery": "One row per file of every delivery: when it came and what became of it.",
    "delivery_window": "One row per landed file and window: whether it replaces the window or adds to it.",
    "quarantine_summary": "One row per file, column and reason: how many rows were kept out.",
    "sharing_agreement": "One row per source and organisation with agreements: how it stands tonight.",
    "purpose_state": "One row per purpose: whether anybody may be seen for it tonight.",
}

#: A network share that drops for a moment must not cost the night; what cannot pass by waiting is not retried.
_RETRIES = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL)


def delivery_key(source: Source) -> dg.AssetKey:
    """The supplier's deliveries, as an asset that the supplier makes."""
    return dg.AssetKey(["delivery", source.name])


def supplier_deliveries(source: Source) -> dg.AssetSpec:
    """Where the lineage begins. It counts as fresh while accepted deliveries keep coming at the contract's pace."""
    return dg.AssetSpec(
        delivery_key(source),
        group_name="deliveries",
        description=f"Deliveries of {source.terms.supplier}, {source.terms.cadence}.",
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(days=source.terms.stale_after_days)),
        metadata={"steward": source.terms.steward, "legal_basis": source.terms.legal_basis},
    )


def landing_assets(source: Source) -> dg.AssetsDefinition:
    """Every table of a source. A delivery that is refused, held or out of order lands nothing and fails nothing."""
    specs = [_table_spec(source, table) for table in source.tables]

    @dg.multi_asset(name=f"land_{source.name}", specs=specs, retry_policy=_RETRIES)
    def land_tables(context: dg.AssetExecutionContext, night: Night) -> Iterator[dg.MaterializeResult]:
        if night.wants(source.name):
            with explained():
                report = land(load_settings(), source, context.run.run_id, night.day, night.only_date)
        else:
            report = SourceReport(source.name)
        for message in report.messages:
            context.log.warning(message)
        if newest := max((load.delivery_date for load in report.files if load.status == "landed"), default=None):
            context.log_event(_accepted(source, newest, report))
        for spec in specs:
            yield dg.MaterializeResult(asset_key=spec.key, metadata=_table_metadata(report, spec.key.path[-1]))

    return land_tables


def delivery_log(sources: Sequence[Source]) -> dg.AssetsDefinition:
    """The delivery ledger as tables, once every source has had its turn."""
    landed = [dg.AssetKey([source.name, table.name]) for source in sources for table in source.tables]
    specs = [
        dg.AssetSpec(["operations", name], deps=landed, group_name="operations", kinds={"parquet"}, description=text)
        for name, text in _LOG_TABLES.items()
    ]

    @dg.multi_asset(name="log_deliveries", specs=specs)
    def log_deliveries(night: Night) -> Iterator[dg.MaterializeResult]:
        with explained():
            files = export_log(load_settings(), sources, night.day)
        for spec in specs:
            yield dg.MaterializeResult(asset_key=spec.key, metadata={f"files/{status}": n for status, n in files.items()})

    return log_deliveries


def _table_spec(source: Source, table: Table) -> dg.AssetSpec:
    return dg.AssetSpec(
        [source.name, table.name],
        deps=[delivery_key(source)],
        group_name=source.name,
        kinds={"parquet"},
        description=table.description,
        metadata={"file": table.terms.file, "key": ", ".join(table.terms.key), "mode": table.terms.mode},
    )


def _table_metadata(report: SourceReport, table: str) -> dict[str, object]:
    loads = [load for load in report.files if load.table_name == table]
    return {
        "state": report.status,
        "files": len(loads),
        "rows": sum(load.rows_landed for load in loads),
        "quarantined": sum(load.rows_quarantined for load in loads),
        "seconds": round(report.seconds, 1),
    }


def _accepted(source: Source, newest: date, report: SourceReport) -> dg.AssetMaterialization:
    return dg.AssetMaterialization(
        delivery_key(source), metadata={"delivery_date": newest.isoformat(), "rows_accepted": report.rows_landed}
    )
