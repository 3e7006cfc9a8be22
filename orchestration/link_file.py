"""`phm link FILE` with this warehouse's paths, limits and model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import yaml

from linkage.errors import LinkageError
from linkage.link import Limits
from linkage.spec import default_spec
from linkage.table.columns import Columns, columns_from_document, parse_columns
from linkage.table.index import link_to_index
from linkage.table.link import TableReport, link_table
from linkage.table.read import Table
from orchestration.night import TIMEZONE, parse_date
from orchestration.patient_index import linkage_model
from orchestration.settings import Settings
from orchestration.zones import PRIVATE


@dataclass(frozen=True)
class LinkRequest:
    """What the command line said."""

    file: Path
    to: Path | None
    index: bool
    columns: str
    to_columns: str | None
    mapping: Path | None
    output: Path | None
    as_of: str | None


def link_file(settings: Settings, request: LinkRequest) -> Iterator[str]:
    """Link the file and say what was done, a line at a time. Raises `LinkageError` and writes nothing when it cannot."""
    if request.index and request.to is not None:
        raise LinkageError("--index and --to exclude each other: a file is linked to the index or to another file")
    columns = _columns(request.columns, request.mapping)
    output = request.output or _private_folder(settings) / f"{request.file.stem}-links.csv"
    as_of = parse_date(request.as_of) if request.as_of else datetime.now(TIMEZONE).date()
    spec = default_spec(accept_test_numbers=not settings.is_production)
    limits = Limits(settings.memory_limit, settings.threads, settings.spill_dir)
    table = Table(request.file, request.file.stem)
    if request.index:
        report = link_to_index(
            table,
            columns,
            output,
            identity_dir=settings.identifiable_dir / "identity",
            registry_path=settings.registry_path,
            spec=spec,
            parameters=linkage_model(),
            as_of=as_of,
            limits=limits,
        )
    else:
        other = None
        if request.to is not None:
            name = request.to.stem if request.to.stem != request.file.stem else f"{request.to.stem} (2)"
            other = (Table(request.to, name), columns if request.to_columns is None else parse_columns(request.to_columns))
        report = link_table(table, columns, output, other=other, spec=spec, as_of=as_of, limits=limits)
    yield from (f"note: {note}" for note in report.notes)
    if isinstance(report, TableReport):
        yield f"{report.n_records:,} records are {report.n_clusters:,} people; the largest has {report.largest_cluster:,} records"
        yield f"{report.blocking.n_pairs:,} pairs compared; {report.blocking.n_crowded_keys:,} keys shared by crowds were not used"
    yield ", ".join(f"{band} {count:,}" for band, count in sorted(report.bands.items()))
    yield f"Wrote {output} (only you can read it)"


def _columns(text: str, mapping: Path | None) -> Columns:
    if mapping is None:
        return parse_columns(text)
    if text:
        raise LinkageError("--columns and --mapping exclude each other")
    try:
        return columns_from_document(yaml.safe_load(mapping.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise LinkageError(f"the mapping {mapping} cannot be read ({type(error).__name__})") from error


def _private_folder(settings: Settings) -> Path:
    """Names and person ids stay in the identifiable zone unless somebody says otherwise."""
    folder = settings.identifiable_dir / "links"
    for each in (settings.identifiable_dir, folder):
        each.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
    return folder
