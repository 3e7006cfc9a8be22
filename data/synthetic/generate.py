"""The engine: plays all suppliers over a world and writes their deliveries into the landing zone, and the truth beside it.

Chunks of people are made by worker processes and joined in order, so that memory does not grow with the number of people and the
same arguments give the same bytes whatever the number of workers. Deliveries are made out of sight and appear whole.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import shutil
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from synthetic import care, suppliers
from synthetic.clinical_model import INTERVENTION_TEAM
from synthetic.emission import Emission
from synthetic.mischief import mild, serious
from synthetic.packaging import count_records, package_delivery
from synthetic.place import INTERVENTION_LCP, OUTLIER_PRACTICE, Place, make_place
from synthetic.timeline import Window
from synthetic.world import chunk_count, make_chunk
from synthetic.world_schema import Chunk, Delivery, Fault, Part


class GenerationError(Exception):
    """The synthetic place cannot be written; the message says why and what to do."""


@dataclass(frozen=True)
class GenerationSummary:
    """What was written: the arguments, and the records of each file (header not counted; lines for XML)."""

    people: int
    nights: int
    seed: int
    end: date
    mischief: bool
    deliveries: tuple[date, ...]
    rows: dict[str, dict[str, dict[str, int]]]  # source -> delivery date -> file (before packaging) -> records
    n_records: int  # records of people that suppliers hold
    n_faults: int
    n_deaths: int
    n_homeless: int
    seconds: float

    @property
    def n_rows(self) -> int:
        """Records in all files of all deliveries."""
        return sum(n for by_date in self.rows.values() for files in by_date.values() for n in files.values())


@dataclass(frozen=True)
class _Job:
    """What a worker must know to make any chunk."""

    people: int
    seed: int
    window: Window
    deliveries: tuple[Delivery, ...]
    suppliers: tuple[str, ...]


@dataclass
class _Made:
    """One chunk's contribution."""

    parts: list[Part] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    truth: dict[str, pl.DataFrame] = field(default_factory=dict)

    def take(self, emission: Emission) -> None:
        self.parts += emission.parts
        self.counts += [count_records(part.file, part.body) for part in emission.parts]
        self.faults += emission.faults


def generate(
    data_dir: Path,
    *,
    people: int,
    nights: int,
    seed: int,
    end: date = date(2026, 3, 31),
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    mischief: bool = False,
    overwrite: bool = False,
    supplier_modules: Sequence[str] | None = None,
) -> GenerationSummary:
    """Write `people` people's deliveries: the bulk dated `end`, and one on each of the `nights` days after.

    `landing/<source>/<date>/` and `truth/` are made below `data_dir`. `workers` processes (default: one a CPU) make the chunks;
    `progress(done, total)` is called after each. Deliveries always hold the dirt that a load must survive (`synthetic.mischief`);
    `mischief` adds a late and a truncated file, which hold up a source. A number of nights up to
    `timeline.NIGHTS_FORESEEN` does not change the deliveries before them.

    Raises `GenerationError` when the landing zone holds deliveries made with other arguments, or by somebody else, unless
    `overwrite`; and `ValueError` for arguments that make no sense.
    """
    if people < 1 or nights < 0:
        raise ValueError(f"people must be at least 1 and nights at least 0, not {people} and {nights}")
    started = time.monotonic()
    arguments = {"people": people, "nights": nights, "seed": seed, "end": end.isoformat(), "mischief": mischief}
    truth_dir = data_dir / "truth"
    _may_write(data_dir, arguments, overwrite)
    window = Window.ending(end, nights)
    deliveries = tuple(
        Delivery(i, end + timedelta(days=i), end + timedelta(days=i - 1) if i else None) for i in range(nights + 1)
    )
    job = _Job(people, seed, window, deliveries, tuple(supplier_modules or discover_suppliers()))
    making = truth_dir / "making"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    writer = _Writer(making, deliveries)
    truth = _Truth(making)
    try:
        with _pool(workers) as pool:
            writer.write(_make_once(job))
            total = chunk_count(people)
            for done, made in enumerate(_in_order(pool, job, total, 1 + (workers or _cpus())), start=1):
                writer.write(made)
                truth.write(made)
                if progress:
                    progress(done, total)
            writer.close()
            _package(pool, job, making)
        file_faults = mild(making, deliveries, seed) + (serious(making, deliveries, seed) if mischief else [])
        truth.faults += writer.faults + file_faults
        truth.close()
        summary = GenerationSummary(
            people=people,
            nights=nights,
            seed=seed,
            end=end,
            mischief=mischief,
            deliveries=tuple(d.date for d in deliveries),
            rows=writer.rows,
            n_records=truth.n_records,
            n_faults=len(truth.faults),
            n_deaths=truth.n_deaths,
            n_homeless=truth.n_homeless,
            seconds=round(time.monotonic() - started, 1),
        )
        _publish(making, data_dir, job, arguments, summary)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return summary


def discover_suppliers() -> list[str]:
    """Names of the modules of `synthetic.suppliers`, in alphabetical order, without helpers (`_name`)."""
    return [f"{suppliers.__name__}.{m.name}" for m in pkgutil.iter_modules(suppliers.__path__) if not m.name.startswith("_")]


def _may_write(data_dir: Path, arguments: dict[str, object], overwrite: bool) -> None:
    """Refuse a landing zone that would end up with two different worlds in it."""
    landing = data_dir / "landing"
    held = sorted(p for p in landing.glob("*/*") if p.is_dir()) if landing.is_dir() else []
    if overwrite or not held:
        return
    before = _written_before(data_dir)
    if before is None:
        raise GenerationError(
            f"{landing} already holds deliveries that were not made here (for example {held[0].relative_to(data_dir)}). "
            "Choose another data directory, or say that they may be overwritten."
        )
    if before["arguments"] != arguments:
        raise GenerationError(
            f"{landing} already holds the synthetic place made with {before['arguments']}, and {arguments} was asked for. "
            "Empty it, choose another data directory, or say that it may be overwritten."
        )


def _written_before(data_dir: Path) -> dict | None:
    """The summary of an earlier generation, None when there is none."""
    path = data_dir / "truth" / "summary.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _cpus() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _pool(workers: int | None) -> Iterator[ProcessPoolExecutor | None]:
    """Worker processes, started fresh (a fork would copy polars' threads in a broken state); None for one worker."""
    workers = workers or _cpus()
    if workers == 1:
        yield None
        return
    # One thread of polars each: the processes already use every CPU. A child reads this when it imports polars.
    before = os.environ.get("POLARS_MAX_THREADS")
    os.environ["POLARS_MAX_THREADS"] = "1"
    try:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            yield pool
    finally:
        if before is None:
            os.environ.pop("POLARS_MAX_THREADS", None)
        else:
            os.environ["POLARS_MAX_THREADS"] = before


def _in_order(pool: ProcessPoolExecutor | None, job: _Job, total: int, ahead: int) -> Iterator[_Made]:
    """Chunks in order, made by the pool, no more than `ahead` of them waiting."""
    if pool is None:
        yield from (_make(job, index) for index in range(total))
        return
    waiting: deque[Future[_Made]] = deque()
    for index in range(total):
        waiting.append(pool.submit(_make, job, index))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


@lru_cache(maxsize=2)
def _place(seed: int) -> Place:
    return make_place(seed)


def _modules(names: tuple[str, ...]) -> list[ModuleType]:
    return [importlib.import_module(name) for name in names]


def _rng(seed: int, source: str, index: int) -> np.random.Generator:
    """A generator of its own for each supplier and chunk; 0 is the part that does not depend on people."""
    return np.random.default_rng([seed, 9, zlib.crc32(source.encode()), index])


def _make_once(job: _Job) -> _Made:
    made = _Made()
    for module in _modules(job.suppliers):
        made.take(module.emit_once(_place(job.seed), job.deliveries, _rng(job.seed, module.SOURCE, 0)))
    return made


def _make(job: _Job, index: int) -> _Made:
    """One chunk of the world through the eyes of every supplier."""
    place = _place(job.seed)
    chunk = make_chunk(index, job.people, place, job.window, job.seed)
    made = _Made()
    records = []
    for module in _modules(job.suppliers):
        emission = module.emit(chunk, place, job.deliveries, _rng(job.seed, module.SOURCE, index + 1))
        made.take(emission)
        records.append(emission.records)
    made.truth = _chunk_truth(chunk, place) | {"records": pl.concat(records) if records else Emission().records}
    return made


def _chunk_truth(chunk: Chunk, place: Place) -> dict[str, pl.DataFrame]:
    people = chunk["people"]
    homes = chunk["addresses"].sort("valid_from").group_by("person_no", maintain_order=True).last()
    deprivation = homes.join(place.lsoas, on="lsoa_code").select("person_no", "imd_decile")
    official = chunk["homelessness_cases"].filter(pl.col("duty") != "prevention").select("person_no").unique()
    homeless = people.filter("is_homeless_ever").select("person_no", "homeless_from", "homeless_to")
    return {
        "people": people.join(deprivation, on="person_no", how="left", maintain_order="left"),
        "conditions": chunk["conditions"].drop("recorded_on"),
        "homelessness": homeless.with_columns(
            pl.col("person_no").is_in(official["person_no"].implode()).alias("has_official_case")
        ),
        "mental_health_risers": people.filter("is_mental_health_riser").select("person_no"),
        "intervention": people.filter("in_intervention_team").select("person_no"),
    }


class _Writer:
    """Appends parts to files of deliveries that are not yet visible: `<making>/<source>/<date>/<file>`."""

    def __init__(self, making: Path, deliveries: tuple[Delivery, ...]) -> None:
        self.making, self.deliveries = making, deliveries
        self.rows: dict[str, dict[str, dict[str, int]]] = {}
        self.faults: list[Fault] = []
        self.footers: dict[Path, bytes] = {}

    def write(self, made: _Made) -> None:
        for part, count in zip(made.parts, made.counts, strict=True):
            day = self.deliveries[part.delivery].date.isoformat()
            path = self.making / "landing" / part.source / day / part.file
            files = self.rows.setdefault(part.source, {}).setdefault(day, {})
            is_new = part.file not in files
            if is_new:
                path.parent.mkdir(parents=True, exist_ok=True)
            files[part.file] = files.get(part.file, 0) + count
            if part.footer:
                self.footers[path] = part.footer
            with path.open("ab") as out:
                out.write(part.header + part.body if is_new else part.body)
        self.faults += made.faults

    def close(self) -> None:
        """End the files that have a footer."""
        for path, footer in self.footers.items():
            with path.open("ab") as out:
                out.write(footer)


class _Truth:
    """Streams what is true to Parquet files below `truth/`."""

    def __init__(self, making: Path) -> None:
        self.folder = making / "truth"
        self.folder.mkdir()
        self.writers: dict[str, pq.ParquetWriter] = {}
        self.faults: list[Fault] = []
        self.n_records = self.n_deaths = self.n_homeless = 0

    def write(self, made: _Made) -> None:
        for name, frame in made.truth.items():
            table = frame.to_arrow()
            if name not in self.writers:
                self.writers[name] = pq.ParquetWriter(self.folder / f"{name}.parquet", table.schema, compression="zstd")
            self.writers[name].write_table(table)
        self.n_records += made.truth["records"].height
        self.n_deaths += made.truth["people"]["death_date"].count()
        self.n_homeless += made.truth["homelessness"].height

    def close(self) -> None:
        for writer in self.writers.values():
            writer.close()
        schema = {"delivery": pl.Int64} | dict.fromkeys(("source", "file", "row_identity", "fault", "expected"), pl.String)
        pl.DataFrame([asdict(f) for f in self.faults], schema=schema).write_parquet(self.folder / "faults.parquet")


def _package(pool: ProcessPoolExecutor | None, job: _Job, making: Path) -> None:
    """Encode, compress and archive every delivery as its supplier does."""
    tasks = []
    for module in _modules(job.suppliers):
        for delivery in job.deliveries:
            folder = making / "landing" / module.SOURCE / delivery.date.isoformat()
            if folder.is_dir():
                tasks.append((folder, tuple(module.PACKAGING), delivery.date))
    if pool is None:
        for task in tasks:
            package_delivery(*task)
    else:
        list(pool.map(package_delivery, *zip(*tasks, strict=True)) if tasks else [])


def _publish(making: Path, data_dir: Path, job: _Job, arguments: dict[str, object], summary: GenerationSummary) -> None:
    """Move finished deliveries and truth into place, each delivery by one rename; an earlier generation goes first."""
    before = _written_before(data_dir) or {"rows": {}}
    for source, by_date in before["rows"].items():
        for day in by_date:
            shutil.rmtree(data_dir / "landing" / source / day, ignore_errors=True)
    for folder in sorted((making / "landing").glob("*/*")):
        target = data_dir / "landing" / folder.parent.name / folder.name
        if target.exists():
            shutil.rmtree(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(target)
    for path in sorted((making / "truth").iterdir()):
        path.replace(data_dir / "truth" / path.name)
    facts = asdict(summary) | {"arguments": arguments, "n_rows": summary.n_rows, "planted": _planted(job)}
    text = json.dumps(facts, indent=2, default=str, sort_keys=True)
    (data_dir / "truth" / "summary.json").write_text(text + "\n", encoding="utf-8")


def _planted(job: _Job) -> dict[str, object]:
    """The planted truths that are not about single people."""
    return {
        "outlier_practice": {
            "practice_code": OUTLIER_PRACTICE,
            "emergency_attendance_and_admission_ratio": care.OUTLIER_EMERGENCY_RATIO,
            "review_and_monitoring_ratio": care.OUTLIER_REVIEW_RATIO,
        },
        "intervention": {
            "team_type_code": INTERVENTION_TEAM,
            "lcp_code": INTERVENTION_LCP,
            "emergency_admission_ratio_after_referral": care.INTERVENTION_EMERGENCY_RATIO,
        },
        "horizon": job.window.horizon.isoformat(),
    }
