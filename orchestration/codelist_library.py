"""`phm codelist`: a place's own codelists, loaded from files, compared, and shown."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from orchestration.codelists.comparing import Difference, compare, measure
from orchestration.codelists.library import Codelist, Library, system_of
from orchestration.codelists.reading import INCLUSION, RESOLUTION, CodelistError, Entry, is_refset, read_codelist, read_refset
from orchestration.run_lock import run_lock
from orchestration.settings import Settings
from orchestration.zones import prepare_zones

_CLUSTERS = "pcd_cluster.csv"
_DATE = re.compile(r"(?<!\d)(20\d\d)-?(\d\d)-?(\d\d)(?!\d)")
#: OpenCodelists ends the name of a download with the version's eight hexadecimal digits.
_VERSION_TAG = re.compile(r"-([0-9a-f]{8})$")


@dataclass(frozen=True)
class LoadRequest:
    """What to load. Without `codelist_id` the file is a reference set, whose clusters say which lists they make."""

    file: Path
    codelist_id: str | None = None
    version: str | None = None
    #: A file with the codes that take people off the register.
    resolution: Path | None = None
    #: Clusters of a reference set that make `codelist_id`, and those whose codes take people off.
    clusters: tuple[str, ...] = ()
    resolution_clusters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Offer:
    """What a file holds for this place: lists that can be loaded, each with how it differs from the one in use, and remarks."""

    codelists: tuple[Codelist, ...]
    differences: tuple[Difference, ...]
    remarks: tuple[str, ...]


def library(settings: Settings) -> Library:
    """The lists of this place."""
    return Library(settings.raw_dir, _seeds_dir(settings))


def read_offer(settings: Settings, request: LoadRequest) -> Offer:
    """Read a file and compare it with what is in use; nothing is kept.

    Raises `CodelistError` when the file, or what is asked of it, cannot be used.
    """
    version = request.version or version_in_name(request.file)
    if is_refset(request.file):
        offered, remarks = _from_refset(settings, request)
    else:
        offered, remarks = _from_list(request), []
    codelists = tuple(Codelist(name, version, entries, request.file.name) for name, entries in offered.items())
    in_use = library(settings).in_use()
    differences = tuple(compare(in_use[found.codelist_id], found) for found in codelists if found.codelist_id in in_use)
    for difference in differences:
        if _takes_off(difference.old) and not _takes_off(difference.new):
            remarks.append(
                f"{difference.new.codelist_id}: the list in use has codes that take people off the register, this one has none; "
                "give them with --resolution."
            )
    return Offer(codelists, differences, tuple(remarks))


def load(settings: Settings, offer: Offer) -> list[Codelist]:
    """Keep what is offered. Returns the lists that are new; one that was loaded before, unchanged, is not."""
    prepare_zones(settings)
    with run_lock(settings.lock_path, "phm codelist load"):
        kept = [library(settings).keep(found, datetime.now(UTC).replace(tzinfo=None)) for found in offer.codelists]
    return [found for found in kept if found]


def remove(settings: Settings, name: str) -> str:
    """Take a loaded version out; returns the name of the list that is in use then, '' for none."""
    with run_lock(settings.lock_path, "phm codelist remove"):
        found = library(settings).find(name)
        library(settings).remove(found)
        left = library(settings).in_use().get(found.codelist_id)
    return left.name if left else ""


def difference(settings: Settings, old: str, new: str) -> Difference:
    """How the list `new` differs from `old`, measured in the build database of the last run when there is one.

    Raises `CodelistError` when a list is not there, `RunLocked` while a run is under way.
    """
    lists = library(settings)
    before, after = lists.find(old), lists.find(new)
    if before.code_system != after.code_system:
        raise CodelistError(f"{before.name} and {after.name} are of two code systems; compare lists of one.")
    found = compare(before, after)
    if not settings.build_database.exists():
        return found
    with run_lock(settings.lock_path, "phm codelist diff"):
        return measure(found, settings.build_database, settings.limits)


def version_in_name(file: Path) -> str:
    """The version that a file's name tells: a date, as reference sets have, or the tag of an OpenCodelists download.

    Raises `CodelistError` when it tells none.
    """
    for year, month, day in _DATE.findall(file.stem):
        try:
            return date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            continue
    if tag := _VERSION_TAG.search(file.stem):
        return tag[1]
    raise CodelistError(
        f"The name of {file.name} tells no version (a date, or the tag of OpenCodelists): give it with --version."
    )


def print_lists(settings: Settings, console: Console) -> None:
    """Every list, the version in use and the others that are held."""
    lists = library(settings)
    in_use = lists.in_use()
    others: dict[str, list[str]] = {}
    for found in [*lists.shipped(), *lists.loaded()]:
        if found is not in_use[found.codelist_id] and found != in_use[found.codelist_id]:
            others.setdefault(found.codelist_id, []).append(found.name.partition("@")[2])
    table = Table("codelist", "codes", "version in use", "from", "also held", box=None, pad_edge=False, header_style="bold")
    for name, found in sorted(in_use.items()):
        table.add_row(name, f"{len(found.entries):,}", found.version, _origin(found), ", ".join(others.get(name, [])))
    console.print(table)


def print_offer(offer: Offer, kept: Sequence[Codelist] | None, console: Console) -> None:
    """What a file holds, how it differs from what is in use, and what was kept of it (None: nothing was asked to be)."""
    compared = {found.new.codelist_id: found for found in offer.differences}
    for found in offer.codelists:
        change = compared.get(found.codelist_id)
        said = _summary(change) if change else "a new list"
        console.print(
            f"{found.codelist_id} {found.version}: {len(found.entries):,} codes; {said}", highlight=False, soft_wrap=True
        )
    for remark in offer.remarks:
        console.print(f"[yellow]note:[/] {remark}", highlight=False, soft_wrap=True)
    if kept is None:
        console.print("Nothing was kept: without --check they are loaded.", highlight=False)
    elif kept:
        console.print(f"Loaded {len(kept):,} of {len(offer.codelists):,}; in use from the next `phm run` on.", highlight=False)
    else:
        console.print("Nothing new: the same was loaded before.", highlight=False)


def print_difference(found: Difference, console: Console, most: int) -> None:
    """The changes, those that touch most people first."""
    console.print(f"{found.new.name} {_summary(found)}", highlight=False, soft_wrap=True)
    measured = found.n_events is not None
    columns = ["change", "code", "term", *(["events", "people"] if measured else [])]
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for change in sorted(found.changes, key=lambda c: (-(c.n_people or 0), c.kind, c.code))[:most]:
        terms = [entry.term for entry in (change.old, change.new) if entry]
        words = " → ".join(terms) if change.kind == "other term" else terms[-1]
        counts = [f"{n:,}" if n is not None else "–" for n in (change.n_events, change.n_people)]
        table.add_row(change.kind, change.code, words, *(counts if measured else []))
    if found.changes:
        console.print(table)
    if len(found.changes) > most:
        console.print(f"and {len(found.changes) - most:,} more (--most)", highlight=False)
    if measured:
        console.print(
            f"Together they touch {found.n_events:,} events of {found.n_people:,} people, of all that the last run has.",
            highlight=False,
        )
    else:
        console.print("No run has been made yet, so what they touch is not known.", highlight=False)


def _from_list(request: LoadRequest) -> dict[str, list[Entry]]:
    if request.codelist_id is None:
        raise CodelistError(f"Say with --list which codelist {request.file.name} is, such as snomed_asthma.")
    if request.clusters or request.resolution_clusters:
        raise CodelistError(f"{request.file.name} has no clusters: --cluster is for reference sets.")
    system = system_of(request.codelist_id)
    entries = read_codelist(request.file, system)
    if request.resolution:
        entries += read_codelist(request.resolution, system, RESOLUTION)
    return {request.codelist_id: _once(request.codelist_id, entries)}


def _from_refset(settings: Settings, request: LoadRequest) -> tuple[dict[str, list[Entry]], list[str]]:
    clusters = read_refset(request.file)
    if request.resolution:
        raise CodelistError(
            "A reference set holds its own codes that take people off: name their cluster with --resolution-cluster."
        )
    if request.codelist_id is None:
        if request.clusters or request.resolution_clusters:
            raise CodelistError("Say with --list which codelist the clusters make.")
        return _known_lists(settings, clusters)
    if system_of(request.codelist_id) != "snomed":
        raise CodelistError(f"{request.file.name} holds SNOMED CT codes: the name of the list begins with snomed_.")
    wanted = [(name.upper(), INCLUSION) for name in request.clusters]
    wanted += [(name.upper(), RESOLUTION) for name in request.resolution_clusters]
    if not wanted:
        wanted = [(cluster, category) for cluster, category in _clusters_of(settings).get(request.codelist_id, [])]
    if not wanted:
        raise CodelistError(f"It is not known which clusters make {request.codelist_id}: name them with --cluster.")
    if missing := [cluster for cluster, _ in wanted if cluster not in clusters]:
        raise CodelistError(f"{request.file.name} has no cluster {', '.join(missing)}; it has {_some(clusters)}.")
    return {request.codelist_id: _joined(request.codelist_id, wanted, clusters)}, []


def _known_lists(settings: Settings, clusters: Mapping[str, list[Entry]]) -> tuple[dict[str, list[Entry]], list[str]]:
    """The shipped lists that the clusters make, and which could not be made or are not used."""
    offered: dict[str, list[Entry]] = {}
    remarks = []
    used: set[str] = set()
    for name, wanted in _clusters_of(settings).items():
        missing = [cluster for cluster, _ in wanted if cluster not in clusters]
        if len(missing) == len(wanted):
            continue
        used |= {cluster for cluster, _ in wanted}
        if missing:
            remarks.append(f"{name} is left as it is: it also needs {', '.join(missing)}, which the file has not.")
            continue
        try:
            offered[name] = _joined(name, wanted, clusters)
        except CodelistError as fault:
            remarks.append(f"{fault} It is left as it is.")
    if not offered:
        raise CodelistError(
            "No cluster of the file makes a list that is known: name one with --list and --cluster.\n" + "\n".join(remarks)
        )
    if unused := sorted(clusters.keys() - used):
        remarks.append(f"{len(unused):,} clusters make no list here ({_some(unused)}); load one with --list and --cluster.")
    return offered, remarks


def _joined(name: str, wanted: Sequence[tuple[str, str]], clusters: Mapping[str, list[Entry]]) -> list[Entry]:
    return _once(name, [Entry(entry.code, entry.term, category) for cluster, category in wanted for entry in clusters[cluster]])


def _once(name: str, entries: Sequence[Entry]) -> list[Entry]:
    """Each code once. Raises `CodelistError` for one that puts people on and takes them off."""
    found: dict[str, Entry] = {}
    both = [entry.code for entry in entries if found.setdefault(entry.code, entry).category != entry.category]
    if both:
        raise CodelistError(
            f"{name}: {_some(both)} would put people on the register and take them off; a code can do one of the two."
        )
    return list(found.values())


def _clusters_of(settings: Settings) -> dict[str, list[tuple[str, str]]]:
    """List -> the clusters that make it, with their category: seed `pcd_cluster`."""
    found: dict[str, list[tuple[str, str]]] = {}
    with (_seeds_dir(settings) / _CLUSTERS).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["codelist_id"], []).append((row["cluster_id"], row["category"]))
    return found


def _seeds_dir(settings: Settings) -> Path:
    return settings.dbt_project_dir / "seeds" / "codelists"


def _takes_off(codelist: Codelist) -> bool:
    return any(entry.category == RESOLUTION for entry in codelist.entries)


def _origin(codelist: Codelist) -> str:
    if codelist.is_shipped:
        return "shipped"
    return f"loaded {codelist.loaded_at:%Y-%m-%d}" if codelist.loaded_at else "loaded"


def _summary(found: Difference) -> str:
    counts = {kind: len(found.of(kind)) for kind in ("added", "removed", "other category", "other term")}
    changed = ", ".join(f"{n:,} {kind}" for kind, n in counts.items() if n)
    return f"against {found.old.name} ({len(found.old.entries):,} codes): {changed or 'no change'}"


def _some(names: Sequence[str] | Mapping[str, object], most: int = 8) -> str:
    listed = list(names)
    return ", ".join(listed[:most]) + (f" and {len(listed) - most:,} more" if len(listed) > most else "")
