"""`phm link FILE` with this warehouse's paths, limits and model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import yaml

from linkage.errors import LinkageError
from linkage.table.columns import Columns, columns_from_document, parse_columns
from linkage.table.encode import encode, link_encodings, make_secret, read_secret
from linkage.table.index import IndexReport, link_to_index
from linkage.table.link import TableReport, link_table
from linkage.table.read import Table
from orchestration.night import TIMEZONE, parse_date
from orchestration.patient_index import limits, linkage_model, linkage_spec
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
    encodings: Path | None
    threshold: float


def link_file(settings: Settings, request: LinkRequest) -> Iterator[str]:
    """Link the file and say what was done, a line at a time. Raises `LinkageError` and writes nothing when it cannot."""
    if request.index and request.to is not None:
        raise LinkageError("--index and --to exclude each other: a file is linked to the index or to another file")
    if request.encodings is not None and request.to is not None:
        raise LinkageError("--encodings are linked to the index, not to another file")
    columns = _columns(request.columns, request.mapping)
    output = request.output or _private_folder(settings) / f"{request.file.stem}-links.csv"
    as_of = _date(request.as_of)
    spec = linkage_spec(settings)
    table = Table(request.file, request.file.stem)
    report: TableReport | IndexReport
    if request.encodings is not None:
        report = link_encodings(
            request.file,
            output,
            secret=read_secret(request.encodings),
            threshold=request.threshold,
            identity_dir=settings.identity_dir,
            registry_path=settings.registry_path,
            spec=spec,
            as_of=as_of,
            limits=settings.limits,
        )
    elif request.index:
        report = link_to_index(
            table,
            columns,
            output,
            identity_dir=settings.identity_dir,
            registry_path=settings.registry_path,
            spec=spec,
            parameters=linkage_model(),
            as_of=as_of,
            limits=settings.limits,
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
        crowded = report.blocking.n_crowded_keys
        yield f"{report.blocking.n_pairs:,} pairs compared; {crowded:,} keys shared by crowds were not used"
    yield ", ".join(f"{band} {count:,}" for band, count in sorted(report.bands.items()))
    yield f"Wrote {output} (only you can read it)"


def encode_file(
    settings: Settings, file: Path, secret: Path, new_secret: bool, columns: str, output: Path | None, as_of: str | None
) -> Iterator[str]:
    """Encode a partner's file and say what was done. Raises `LinkageError` and writes nothing when it cannot."""
    if new_secret:
        make_secret(secret)
        yield f"Made the secret {secret}. Give it to the other side by another way than the file; destroy it after the project."
    target = output or file.with_name(f"{file.stem}-encoded.csv")
    n_records, n_encoded = encode(
        Table(file, file.stem),
        parse_columns(columns),
        target,
        secret=read_secret(secret),
        spec=linkage_spec(settings),
        as_of=_date(as_of),
        limits=settings.limits,
    )
    yield f"{n_encoded:,} of {n_records:,} records encoded; the others lack a name or a birth date"
    yield f"Wrote {target}. It is personal data: encodings are pseudonyms, not anonymous"


def _date(text: str | None) -> date:
    return parse_date(text) if text else datetime.now(TIMEZONE).date()


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
