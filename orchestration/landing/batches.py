"""Which files of a delivery stand or fall together, and whether they follow what was landed before.

A batch is the unit that lands or does not land: the files of one processing run (numbered deliveries), of one archive with its
manifest, or else the whole delivery.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from orchestration.landing.contract import Manifest, Source, Table
from orchestration.landing.errors import Refusal
from orchestration.landing.files import Delivery, Item
from orchestration.landing.intake import opened
from orchestration.landing.ledger import Ledger

_MAX_MANIFEST_BYTES = 1 << 20


@dataclass(frozen=True)
class BatchFile:
    """One file as one table's input; `groups` are the named groups of the table's file pattern."""

    item: Item
    table: Table
    groups: dict[str, str]

    @property
    def key(self) -> tuple[str, str]:
        return self.item.name, self.table.name

    @property
    def stem(self) -> str:
        return _stem(self.item.base_name)


@dataclass(frozen=True)
class Batch:
    """Files that land together or not at all."""

    delivery: Delivery
    files: tuple[BatchFile, ...]
    #: What identifies the batch when it is sent again; '' when nothing does.
    key: str = ""
    #: The chain it belongs to, where it begins and how far it reaches, in a form that sorts.
    chain: str = ""
    start: str = ""
    reach: str = ""
    #: Files (stem, lower case) that the manifest calls delta or full.
    modes: dict[str, Literal["full", "delta"]] = field(default_factory=dict)
    #: Why the batch cannot be taken yet, in words; '' when it can.
    incomplete: str = ""


def make_batches(source: Source, delivery: Delivery, files: list[BatchFile], items: list[Item]) -> list[Batch]:
    """The batches of a delivery, in the order in which they apply. Raises `Refusal` for a manifest that cannot be read."""
    terms = source.terms.batch
    if terms.manifest:
        batches = _by_manifest(delivery, files, items, terms.manifest)
    elif terms.sequence_from:
        batches = _by_sequence(source, delivery, files)
    else:
        batches = [Batch(delivery, tuple(files))] if files else []
    if terms.complete:
        batches = [_checked_for_completeness(source, batch) for batch in batches]
    return sorted(batches, key=lambda batch: (batch.chain, batch.start, batch.reach))


def find_gap(source: Source, batch: Batch, ledger: Ledger) -> str:
    """What is missing between the last batch of the chain and this one, in words; '' when nothing is."""
    reached = ledger.reached(source.name, batch.chain) if batch.chain else None
    if reached is None or not batch.start:
        return ""
    if source.terms.batch.manifest:
        if batch.start <= reached:
            return ""
        return (
            f"the manifest begins at {batch.start}, but the last landed delivery ends at {reached}: a delivery is missing "
            "between them; ask for it, this one and later ones wait"
        )
    if int(batch.start) <= int(reached) + 1:
        return ""
    return (
        f"processing id {int(batch.start)} does not follow {int(reached)}: ids {int(reached) + 1} to {int(batch.start) - 1} are "
        "missing; ask for them, this delivery and later ones wait"
    )


def _by_sequence(source: Source, delivery: Delivery, files: list[BatchFile]) -> list[Batch]:
    terms = source.terms.batch
    grouped: dict[tuple[str, int, int], list[BatchFile]] = defaultdict(list)
    loose: list[BatchFile] = []
    for file in files:
        first = file.groups.get(terms.sequence_from or "", "")
        if not first.isdigit():
            loose.append(file)
            continue
        last = file.groups.get(terms.sequence_to or "", "") or first
        chain = "|".join(["sequence", *(file.groups.get(group, "") for group in terms.chain)])
        grouped[(chain, int(first), int(last))].append(file)
    batches = [
        Batch(delivery, tuple(members), key=f"{chain}|{first}-{last}", chain=chain, start=f"{first:012d}", reach=f"{last:012d}")
        for (chain, first, last), members in grouped.items()
    ]
    return batches + ([Batch(delivery, tuple(loose))] if loose else [])


def _by_manifest(delivery: Delivery, files: list[BatchFile], items: list[Item], terms: Manifest) -> list[Batch]:
    pattern = re.compile(terms.file, re.IGNORECASE)
    bundles: dict[str, list[BatchFile]] = defaultdict(list)
    for file in files:
        bundles[file.item.bundle].append(file)
    batches = []
    for bundle, members in bundles.items():
        where = bundle or f"{delivery.source}/{delivery.date}"
        manifest = next((i for i in items if i.bundle == bundle and pattern.fullmatch(i.base_name)), None)
        if manifest is None:
            batches.append(
                Batch(
                    delivery, tuple(members), incomplete=f"{where}: no manifest ({terms.file}), so the delivery is not complete"
                )
            )
            continue
        entries = _read_manifest(manifest, terms)
        present = {_stem(i.base_name) for i in items if i.bundle == bundle}
        absent = sorted(entries.keys() - present)
        unlisted = sorted({f.stem for f in members if f.table.terms.mode == "manifest"} - entries.keys())
        starts = [e.start for e in entries.values() if e.mode == "delta" and e.start]
        ends = [e.end for e in entries.values() if e.end]
        start, reach = min(starts, default=""), max(ends, default="")
        incomplete = ""
        if absent:
            incomplete = f"{manifest.name}: lists {', '.join(absent)}, which did not arrive; the delivery is held until it does"
        elif unlisted:
            incomplete = f"{manifest.name}: does not list {', '.join(unlisted)}; the delivery is held until the manifest does"
        batches.append(
            Batch(
                delivery, tuple(members), key=f"manifest|{start}|{reach}", chain="manifest", start=start, reach=reach,
                modes={stem: entry.mode for stem, entry in entries.items()}, incomplete=incomplete,
            )
        )  # fmt: skip
    return batches


@dataclass(frozen=True)
class _Entry:
    mode: Literal["full", "delta"]
    start: str
    end: str


def _read_manifest(item: Item, terms: Manifest) -> dict[str, _Entry]:
    with opened(item) as stream:
        raw = stream.read(_MAX_MANIFEST_BYTES)
    encoding = "utf-8-sig" if terms.encoding == "utf-8" else terms.encoding
    rows = csv.reader(io.StringIO(raw.decode(encoding, "replace"), newline=""))
    header = [name.strip().casefold() for name in next(rows, [])]
    wanted = (terms.table_column, terms.delta_column, terms.from_column, terms.to_column)
    missing = [name for name in wanted if name.casefold() not in header]
    if missing:
        raise Refusal(f"{item.name}, line 1: the manifest has no column {', '.join(missing)}; ask for the delivery again")
    table, delta, first, last = (header.index(name.casefold()) for name in wanted)
    entries: dict[str, _Entry] = {}
    for row in rows:
        if not any(row):
            continue
        if len(row) < len(header):
            raise Refusal(f"{item.name}, line {rows.line_num}: a manifest row is cut short; ask for the delivery again")
        is_delta = row[delta].strip().casefold() in {value.casefold() for value in terms.delta_values}
        entries[_stem(row[table].strip())] = _Entry(
            "delta" if is_delta else "full", *(_moment(row[place], terms, item, rows.line_num) for place in (first, last))
        )
    return entries


def _moment(text: str, terms: Manifest, item: Item, line: int) -> str:
    """A time of the manifest in a form that sorts; '' when blank."""
    if not text.strip():
        return ""
    try:
        return datetime.strptime(text.strip(), terms.datetime_format).isoformat(timespec="minutes")
    except ValueError as error:
        raise Refusal(
            f"{item.name}, line {line}: a time is not of the form {terms.datetime_format}; ask for the delivery again"
        ) from error


def _stem(name: str) -> str:
    """A file name without its extensions, in lower case: how manifests name files."""
    return name.split(".", 1)[0].casefold()


def _checked_for_completeness(source: Source, batch: Batch) -> Batch:
    here = {file.table.name for file in batch.files}
    absent = [table.name for table in source.tables if table.terms.required and table.name not in here]
    if batch.incomplete or not absent:
        return batch
    which = f" (processing id {int(batch.start)})" if batch.start.isdigit() else ""
    reason = (
        f"{source.name}/{batch.delivery.date}{which}: no file for {', '.join(absent)}; a delivery without all its tables is held "
        "until they arrive"
    )
    return Batch(batch.delivery, batch.files, batch.key, batch.chain, batch.start, batch.reach, batch.modes, reason)


def by_item(files: Iterable[BatchFile]) -> list[tuple[Item, list[BatchFile]]]:
    """Files in order of name, each with every table it feeds."""
    grouped: dict[Item, list[BatchFile]] = defaultdict(list)
    for file in files:
        grouped[file.item].append(file)
    return sorted(grouped.items(), key=lambda entry: entry[0].name)
