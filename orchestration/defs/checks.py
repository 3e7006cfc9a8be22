"""Checks at the boundaries, as Dagster asset checks: a critical rule that fails stops what depends on the table."""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg

from expectations import Finding
from orchestration import quality
from orchestration.defs.resources import Night, explained
from orchestration.landing.contract import Source
from orchestration.settings import load_settings

_SHOWN = 20


def landed_checks(source: Source) -> dg.AssetChecksDefinition:
    """One blocking check per table of a source: what the contract promises, asked of the newest delivery."""
    specs = [
        dg.AssetCheckSpec(
            name="contract",
            asset=[source.name, table.name],
            blocking=True,
            description="Keys, required values, codes, ranges, dates and volume of the newest delivery.",
        )
        for table in source.tables
    ]

    @dg.multi_asset_check(name=f"check_{source.name}", specs=specs)
    def check_landed(context: dg.AssetCheckExecutionContext, night: Night) -> Iterator[dg.AssetCheckResult]:
        with explained():
            findings = quality.check_landed(load_settings(), source, context.run.run_id, night.day)
        for spec in specs:
            yield check_result(spec, findings.get(spec.asset_key.path[-1], ()))

    return check_landed


def index_check() -> dg.AssetChecksDefinition:
    """The shared patient index: every record has one person, and nobody has swallowed a crowd."""
    spec = dg.AssetCheckSpec(
        name="index",
        asset=["linkage", "person_record"],
        blocking=True,
        description="Every record belongs to exactly one person, and no person holds an impossible number of records.",
    )

    @dg.multi_asset_check(name="check_index", specs=[spec])
    def check_index(context: dg.AssetCheckExecutionContext, night: Night) -> Iterator[dg.AssetCheckResult]:
        with explained():
            findings = quality.check_index(load_settings(), context.run.run_id, night.day)
        yield check_result(spec, [finding for group in findings.values() for finding in group])

    return check_index


def marts_check(marts: Sequence[dg.AssetKey]) -> dg.AssetChecksDefinition:
    """One blocking check per mart that has rules, before anything is published."""
    rules = {key for key in marts if quality.has_mart_rules(*key.path)}
    specs = [
        dg.AssetCheckSpec(
            name="publishable",
            asset=key,
            blocking=True,
            description="Rows, keys and population change since the release that is being served.",
        )
        for key in sorted(rules)
    ]

    @dg.multi_asset_check(name="check_marts", specs=specs)
    def check_marts(context: dg.AssetCheckExecutionContext, night: Night) -> Iterator[dg.AssetCheckResult]:
        with explained():
            findings = quality.check_marts(load_settings(), context.run.run_id, night.day)
        for spec in specs:
            yield check_result(spec, findings.get(".".join(spec.asset_key.path), ()))

    return check_marts


def check_result(spec: dg.AssetCheckSpec, findings: Sequence[Finding]) -> dg.AssetCheckResult:
    """What Dagster keeps of findings: counts by rule, never a value of a row. A warning does not block."""
    broken = [finding for finding in findings if finding.status in ("fail", "not_evaluated")]
    metadata: Mapping[str, str | int] = {
        "rules": len(findings),
        "rows": max((finding.n_rows for finding in findings), default=0),
        **{f"broken/{f.rule}": f"{f.n_failed:,} of {f.n_rows:,} rows, {f.severity}" for f in broken[:_SHOWN]},
    }
    blocking = any(finding.is_blocking for finding in broken)
    return dg.AssetCheckResult(
        check_name=spec.name,
        asset_key=spec.asset_key,
        passed=not broken,
        severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )
