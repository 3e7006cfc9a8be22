"""The shared patient index: identity records of every source in, one person a record out."""

from collections.abc import Iterator, Sequence

import dagster as dg

from orchestration.defs.resources import Night, explained
from orchestration.landing.contract import Source
from orchestration.patient_index import link_records
from orchestration.settings import load_settings

_DESCRIPTIONS = {
    "person_record": "One row per supplier's record in the index: which person it belongs to, and how that is known.",
    "linkage_metric": "One row per run, metric and source: how good the night's linkage was.",
}


def patient_index(sources: Sequence[Source]) -> dg.AssetsDefinition:
    """Records become persons. Reads the identifiable zone only; tokens and random person ids come out."""
    identities = [
        dg.AssetKey([source.name, table.name]) for source in sources for table in source.tables if table.carries_identity
    ]
    specs = [
        dg.AssetSpec(["linkage", name], deps=identities, group_name="linkage", kinds={"splink", "parquet"}, description=text)
        for name, text in _DESCRIPTIONS.items()
    ]

    @dg.multi_asset(name="link", specs=specs, can_subset=False)
    def link(context: dg.AssetExecutionContext, night: Night) -> Iterator[dg.MaterializeResult]:
        with explained():
            report = link_records(load_settings(), context.run.run_id, night.day)
        metadata = {
            "records": report.n_records,
            "people": report.n_people,
            "pairs_scored": report.n_pairs_scored,
            "for_review": report.n_review,
            **{f"events/{kind}": count for kind, count in report.events.items()},
        }
        for spec in specs:
            yield dg.MaterializeResult(asset_key=spec.key, metadata=metadata if spec is specs[0] else None)

    return link
