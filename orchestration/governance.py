"""What the law and the agreements allow tonight: who shares what, and which purposes are open.

Both are worked out here once a run, after landing, and written where dbt reads them (`raw/operations`), so that the marts and the
release go by the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import duckdb

from linkage.sql import literal
from orchestration.landing.agreements import AGREED_PURPOSES, ALL, Agreements, Standing, everything_of, read_agreements
from orchestration.landing.contract import Source, read_contracts
from orchestration.landing.ledger import Ledger
from orchestration.landing.operations import write_operations
from orchestration.settings import Settings

#: The table with the current list of national data opt-outs.
_NATIONAL_LIST = ("reference", "national_data_opt_out")

#: Purposes to which the national data opt-out applies (National Data Opt-out Policy: confidential patient information beyond
#: individual care).
_NEEDS_NATIONAL_LIST = ("secondary_use", "open", "risk_stratification")


@dataclass(frozen=True)
class PurposeState:
    """Whether anybody may be seen for a purpose today; `reason` says why not."""

    purpose: str
    reason: str

    @property
    def is_open(self) -> bool:
        return not self.reason


def load_agreements(settings: Settings) -> Agreements:
    """The site's sharing agreements. Raises `AgreementError` when the file is missing or cannot be used."""
    path = settings.agreements_path
    changed = path.stat().st_mtime_ns if path.exists() else 0
    return _agreements(path, changed, settings.staging_dir, settings.is_production)


@lru_cache(maxsize=1)
def _agreements(path: Path, _changed: int, staging_dir: Path, is_production: bool) -> Agreements:
    """Every source of a night asks; the contracts behind the answer take a third of a second to read."""
    return read_agreements(path, read_contracts(staging_dir), may_cover_any_source=not is_production)


def write_governance(settings: Settings, sources: Sequence[Source], ledger: Ledger, as_of: date) -> None:
    """Work out what holds on `as_of` and write it for dbt and for the release."""
    agreements = load_agreements(settings)
    rows = [_agreement_row(standing, as_of) for source in sources for standing in _standings(agreements, source, as_of)]
    write_operations(settings.raw_dir, "sharing_agreement", rows)
    states = purpose_states(ledger, agreements, as_of, settings.national_opt_out_max_days)
    write_operations(settings.raw_dir, "purpose_state", [(s.purpose, s.is_open, s.reason or None) for s in states])


def purpose_states(ledger: Ledger, agreements: Agreements, as_of: date, max_days: int) -> list[PurposeState]:
    """One for each of `AGREED_PURPOSES`. A list of national opt-outs older than `max_days` days is no list."""
    opt_outs = _national_list_fault(ledger, as_of, max_days)
    reasons = {purpose: opt_outs if purpose in _NEEDS_NATIONAL_LIST else "" for purpose in AGREED_PURPOSES}
    reasons["risk_stratification"] = _approval_fault(agreements, as_of) or opt_outs
    return [PurposeState(purpose, reason) for purpose, reason in reasons.items()]


def closed_purposes(settings: Settings) -> dict[str, str]:
    """Purposes that were closed when the build database was made, with the reason."""
    return dict(_read(settings, "purpose_state", "select purpose, reason from {} where not is_open order by purpose"))


def what_is_not_shared(settings: Settings) -> list[str]:
    """Why data that has been delivered was not used in the build database, in words: an agreement that ended, or is gone."""
    landed = (
        f"select source from read_parquet({literal(settings.operations_dir / 'delivery' / '*.parquet')}) where status = 'landed'"
    )
    query = f"""
        select reason
        from (select *, count(*) over (partition by source) as n_rows from {{}}) as agreement
        where not is_in_force and source in ({landed}) and (agreement_ids is not null or n_rows = 1)
        order by source, organisation_code
    """
    return [reason for (reason,) in _read(settings, "sharing_agreement", query)]


def sharing_fingerprint(settings: Settings) -> str:
    """Changes when an agreement begins, ends or covers something else: then the population may change as much as it likes."""
    said = "source, organisation_code, state, covers_direct_care, covers_secondary_use, covers_open, is_cross_border"
    query = f"select coalesce(md5(string_agg(concat_ws('|', {said}), ';' order by source, organisation_code)), '') from {{}}"
    return _read(settings, "sharing_agreement", query)[0][0]


#: People who may not be seen for secondary use: column `person_id`. Today's build database is attached as `build`, the registry
#: as `registry`. An id that was merged with one of theirs, or split from it, counts as theirs: an earlier release may hold their
#: rows under it.
MAY_NOT_BE_SEEN = """
        with recursive objector as (
            select person_id from build.core.person_permission where not is_secondary_use_permitted
            union
            select person_id from build.core.opt_out where status = 'dissent'
        ),
        related as (
            select old_person_id as one, person_id as other from registry.alias
            union
            select person_id, other_person_id from registry.person_event where other_person_id is not null
        ),
        kin as (
            select one, other from related
            union
            select other, one from related
        ),
        reached as (
            select person_id from objector
            union
            select kin.other
            from reached
            inner join kin on reached.person_id = kin.one
        )
        select person_id from reached
"""


def _standings(agreements: Agreements, source: Source, as_of: date) -> Iterator[Standing]:
    if source.terms.legal_basis == "reference":
        yield from everything_of(source.name, as_of).values()
    else:
        yield from agreements.standings(source.name, as_of)


def _agreement_row(standing: Standing, as_of: date) -> tuple[object, ...]:
    """One row of `operations.sharing_agreement`."""
    rows, purposes, is_live = standing.rows, standing.purposes, standing.is_live(as_of)
    waits = standing.state == "in_force" and not is_live
    whose = standing.source if standing.organisation_code == ALL else f"{standing.organisation_code} in {standing.source}"
    return (
        standing.source,
        standing.organisation_code,
        ", ".join(row.agreement_id for row in rows) or None,
        ", ".join(sorted({row.party for row in rows})) or None,
        "onboarding" if waits else standing.state,
        is_live,
        *(purpose in purposes for purpose in ("direct_care", "secondary_use", "open")),
        standing.is_cross_border,
        None if any(row.valid_to is None for row in rows) else max((row.valid_to for row in rows if row.valid_to), default=None),
        standing.live_from,
        f"{whose} goes live on {standing.live_from}" if waits else standing.reason or None,
    )


def _national_list_fault(ledger: Ledger, as_of: date, max_days: int) -> str:
    """Why it is not known who has opted out nationally, in words; '' when it is."""
    source, table = map(literal, _NATIONAL_LIST)
    ((good, refused),) = ledger.rows(
        "select max(case when status in ('landed', 'repeated') then delivery_date end), "
        "max(case when status = 'refused' then delivery_date end) "
        f"from load where source = {source} and table_name = {table} and delivery_date <= {literal(as_of.isoformat())}"
    )
    if good is None and refused is None:
        return "no list of national data opt-outs has arrived, so it is not known who has opted out"
    if refused is not None and (good is None or str(refused) >= str(good)):
        return f"the list of national data opt-outs of {refused} could not be used, so it is not known who has opted out"
    if date.fromisoformat(str(good)) + timedelta(days=max_days) < as_of:
        return f"the list of national data opt-outs is of {good}, more than {max_days} days old; ask for a new one"
    return ""


def _approval_fault(agreements: Agreements, as_of: date) -> str:
    """Why identifiable data may not be joined for risk stratification, in words; '' when all that was approved still is."""
    sources = sorted(agreements.sources_for("risk_stratification"))
    if not sources:
        return "there is no approval to join identifiable data for risk stratification"
    for source in sources:
        rows = [r for r in agreements.rows if r.source == source and "risk_stratification" in r.purposes]
        if not any(row.state(as_of) == "in_force" for row in rows):
            ended = max((row.valid_to for row in rows if row.valid_to), default=None)
            return f"the approval to join {source} for risk stratification is not in force (it ended on {ended})"
    return ""


def _read(settings: Settings, name: str, query: str) -> list[tuple]:
    files: Path = settings.operations_dir / name / "*.parquet"
    with duckdb.connect() as connection:
        return connection.execute(query.format(f"read_parquet({literal(files)})")).fetchall()
