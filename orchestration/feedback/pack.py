"""The packs: for each supplier a page and two CSV files, in the identifiable zone, put in place all at once.

`<source>/<organisation>/` holds what one organisation sent; `<source>/` what belongs to no single one of them (a dictionary of
codes, a source that is shared as a whole). A pack holds local ids and keys of rows, and goes to that supplier only.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from linkage.duck import connect
from linkage.sql import ident, literal
from orchestration.duck import attach_warehouse
from orchestration.feedback.effects import weigh
from orchestration.feedback.errors import FeedbackError
from orchestration.feedback.faults import collect
from orchestration.landing.contract import read_contracts
from orchestration.publishing.pages import SiteFacts
from orchestration.publishing.release import current_release
from orchestration.publishing.site import build_site
from orchestration.settings import Settings
from orchestration.sheet import harmless_sql

_PURPOSE = "feedback"
_PRIVATE_DIR, _PRIVATE_FILE = 0o700, 0o600

#: Columns of the CSV files, of `pack_fault` and of `pack_row`.
_SUMMARY = (
    "rank", "table_name", "column_name", "kind", "dimension", "what", "fix", "n_rows", "n_people", "n_links", "n_lists",
    "n_people_changed", "first_delivery", "last_delivery",
)  # fmt: skip
_ROWS = (
    "rank", "table_name", "column_name", "kind", "what", "delivery_date", "file", "line", "row_identity", "local_id",
)  # fmt: skip
#: Their cells that hold what a supplier sent, which a spreadsheet must not run.
_TEXT = frozenset({"what", "file", "row_identity", "local_id"})


@dataclass(frozen=True)
class Pack:
    """One supplier's pack. `n_people_changed` is the sum over its faults; somebody with two counts twice."""

    source: str
    organisation_code: str | None
    folder: Path
    n_faults: int
    n_rows: int
    n_people_changed: float


def write_packs(settings: Settings) -> list[Pack]:
    """Write every supplier's pack of the night that made the release being served, in place of the packs before.

    Raises `FeedbackError` when no night has been finished, or the folder of pages has none for packs.
    """
    release = current_release(settings.releases_dir)
    if release is None or not settings.build_database.exists():
        raise FeedbackError("There is no release yet: run `phm run` first.")
    if not list(settings.pages_dir.glob(f"{_PURPOSE}/*.md")):
        raise FeedbackError(f"{settings.pages_dir} has no page in {_PURPOSE}/: take it from the folder of pages shipped.")
    making = settings.feedback_dir.with_name(f".{settings.feedback_dir.name}.writing")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=_PRIVATE_DIR, parents=True)
    try:
        database, site = making / "packs.duckdb", making / "site"
        as_of = date.fromisoformat(release.as_of)
        _gather(settings, as_of, database)
        facts = SiteFacts(_PURPOSE, release.release_id, as_of, is_synthetic=not settings.is_production)
        build_site(database, settings.pages_dir, site, facts)
        with connect(settings.limits) as con:
            con.execute(f"attach {literal(database)} as packs (read_only)")
            packs = _write_out(con, making, site, settings.feedback_dir)
        database.unlink()
        shutil.rmtree(site)
        _make_private(making)
        _replace(making, settings.feedback_dir)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return packs


def _gather(settings: Settings, as_of: date, database: Path) -> None:
    """A database with what the page shows of every pack, by its `slug`."""
    sources = [source for source in read_contracts(settings.staging_dir).values() if not source.terms.internal]
    with connect(settings.limits) as con:
        attach_warehouse(con, settings.build_database)
        collect(con, sources, settings.raw_dir, settings.identifiable_dir, as_of)
        _keep_to_agreements(con, settings.raw_dir)
        weigh(con, as_of)
        con.execute(f"attach {literal(database)} as packs")
        con.execute("begin")
        for name, query in _TABLES.items():
            con.execute(f"create table packs.{ident(name)} as {query}")
        con.execute("commit")


def _keep_to_agreements(con: duckdb.DuckDBPyConnection, raw_dir: Path) -> None:
    """Nothing goes out of data whose agreement has ended: of `fault`, only what organisations with one today have sent."""
    con.execute(f"""
        create temp table agreed as
        select source, nullif(organisation_code, '*') as organisation_code, state in ('in_force', 'onboarding') as is_agreed
        from read_parquet({literal(raw_dir / "operations" / "sharing_agreement" / "*.parquet")})""")
    con.execute("""
        delete from fault
        where not coalesce(
            (select bool_or(is_agreed) from agreed where agreed.source = fault.source
                and agreed.organisation_code = fault.organisation_code),
            (select bool_or(is_agreed) from agreed where agreed.source = fault.source and agreed.organisation_code is null),
            false)""")


_SLUG = "trim(regexp_replace(lower(concat_ws('-', {0}.source, {0}.organisation_code)), '[^a-z0-9]+', '-', 'g'), '-')"


def _of_pack(alias: str, condition: str = "") -> str:
    return (
        f"inner join packs.pack as pack on {alias}.source = pack.source "
        f"and ({alias}.organisation_code is not distinct from pack.organisation_code {condition})"
    )


_TABLES: Mapping[str, str] = {
    "pack": f"""
        select
            sender.source,
            sender.organisation_code,
            {_SLUG.format("sender")} as slug,
            coalesce(min(organisation.name), sender.organisation_code, sender.source) as name,
            coalesce(any_value(total.n_rows), 0) as n_rows,
            coalesce(any_value(total.n_faults), 0) as n_faults,
            coalesce(any_value(total.n_people_changed), 0) as n_people_changed
        from (
            select source, organisation_code from fault
            union
            select source, organisation_code from said
            union
            select source, null from delivery_standing
        ) as sender
        left join build.core.organisation as organisation on sender.organisation_code = organisation.organisation_code
        left join (
            select source, organisation_code, sum(n_rows) as n_rows, count(*) as n_faults,
                sum(n_people_changed) as n_people_changed
            from fault_summary
            group by all
        ) as total
            on sender.source = total.source and sender.organisation_code is not distinct from total.organisation_code
        group by sender.source, sender.organisation_code
        order by slug""",
    "pack_fault": f"select pack.slug, {', '.join(f'summary.{c}' for c in _SUMMARY)} from fault_summary as summary "
    f"{_of_pack('summary')} order by pack.slug, summary.rank",
    "pack_row": f"""
        select pack.slug, summary.rank, {", ".join(f"fault.{c}" for c in _ROWS if c != "rank")}
        from fault
        inner join fault_summary as summary
            on fault.source = summary.source
            and fault.organisation_code is not distinct from summary.organisation_code
            and fault.table_name = summary.table_name
            and fault.kind = summary.kind
            and fault.column_name is not distinct from summary.column_name
        {_of_pack("fault")}
        order by pack.slug, summary.rank, fault.delivery_date, fault.file, fault.line, fault.row_identity, fault.local_id""",
    "pack_delivery": f"""
        select pack.slug, counted.delivery_date, cast(counted.n_rows as bigint) as n_rows,
            cast(counted.n_faulty as bigint) as n_faulty
        from received as counted
        {_of_pack("counted")}
        order by pack.slug, counted.delivery_date""",
    # what is held of a table is judged for the source as a whole: a file may hold many organisations
    "pack_score": """
        select pack.slug, score.table_name, score.dimension, score.measured_on, score.score, score.is_latest
        from build.core.data_quality_score as score
        inner join packs.pack as pack on score.source = pack.source
        order by pack.slug, score.table_name, score.dimension, score.measured_on""",
    "pack_recording": """
        select pack.slug, recording.item_code, recording.item_name, recording.n_people, recording.n_recorded, recording.share,
            recording.ics_share
        from build.comparisons.practice_recording as recording
        inner join packs.pack as pack on recording.practice_code = pack.organisation_code and starts_with(pack.source, 'gp_')
        where recording.counted_for = 'direct_care'
        order by pack.slug, recording.item_code""",
    "pack_coverage": f"""
        select pack.slug, coverage.onboarding_status, coverage.live_from, coverage.n_on_list, coverage.n_expected_on_list,
            coverage.list_compared_with, coverage.is_list_reconciled, coverage.is_fresh, coverage.last_delivery
        from build.core.source_coverage as coverage
        {_of_pack("coverage")}""",
}


def _write_out(con: duckdb.DuckDBPyConnection, making: Path, site: Path, final: Path) -> list[Pack]:
    """Each pack's files below `making`; they will be below `final`."""
    packs = []
    for source, organisation, slug, *numbers in con.execute(
        "select source, organisation_code, slug, n_faults, n_rows, n_people_changed from packs.pack order by slug"
    ).fetchall():
        place = Path(source, _folder_name(organisation) if organisation else "")
        folder = making / place
        folder.mkdir(parents=True, exist_ok=True)
        for name, table, columns in (("faults", "pack_fault", _SUMMARY), ("rows", "pack_row", _ROWS)):
            cells = ", ".join(f"{harmless_sql(ident(c))} as {ident(c)}" if c in _TEXT else ident(c) for c in columns)
            con.execute(
                f"copy (select {cells} from packs.{table} where slug = {literal(slug)} order by all) "
                f"to {literal(folder / f'{name}.csv')} (header, delimiter ',')"
            )
        (site / f"{slug}.html").rename(folder / "feedback.html")
        packs.append(Pack(source, organisation, final / place, *numbers))
    return packs


def _folder_name(organisation_code: str) -> str:
    """A code as a folder: a supplier may send one that is no file name."""
    return re.sub(r"[^A-Za-z0-9-]", "_", organisation_code)


def _make_private(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(_PRIVATE_DIR if path.is_dir() else _PRIVATE_FILE)


def _replace(making: Path, final: Path) -> None:
    leaving = final.with_name(f".{final.name}.leaving")
    shutil.rmtree(leaving, ignore_errors=True)
    if final.exists():
        final.rename(leaving)
    making.rename(final)
    shutil.rmtree(leaving, ignore_errors=True)
