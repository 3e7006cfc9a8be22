"""Land one source: every delivery that has arrived and not been taken in, in order of date.

What a supplier sends never raises: a file that cannot be used is refused with its whole delivery, an incomplete delivery is
held, a gap stops the source, and the report says so. Only our own trouble raises `LandingError`.

A delivery lands as one: its files are written under temporary names, renamed together, and then committed to the ledger in
one transaction. A run killed before the commit leaves files that `operations.recover` removes.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Literal

import duckdb

from linkage.duck import Limits, connect
from linkage.sql import ident
from orchestration.landing.agreements import Cover
from orchestration.landing.batches import Batch, BatchFile, by_item, find_gap, make_batches
from orchestration.landing.contract import Source
from orchestration.landing.errors import LandingError, Refusal
from orchestration.landing.files import Delivery, Item, find_deliveries, match_tables
from orchestration.landing.intake import Intake, content_hash, take_in
from orchestration.landing.keys import PseudonymisationKey
from orchestration.landing.layout import Layout, read_layout
from orchestration.landing.ledger import Ledger, Load, Mode
from orchestration.landing.quarantine import HARMLESS
from orchestration.landing.reader import FastRows, SievedRows, TextRows, read_carefully
from orchestration.landing.table import (
    LANDED_BEFORE,
    NO_AGREEMENT,
    SUPERSEDED,
    StagedRows,
    Untrusted,
    Written,
    bad_share,
    stage_rows,
    sync,
    window_of_file,
)
from orchestration.landing.xml_rows import read_xml
from orchestration.landing.zones import Zones

#: In a smaller file one bad row is a large share, so the share is not judged.
ROWS_TO_JUDGE_SHARE = 20

SourceStatus = Literal["ok", "nothing_new", "held", "refused", "gap"]
_Outcome = Literal["landed", "nothing", "held", "refused", "gap"]


@dataclass
class SourceReport:
    """What became of a source in one run. Counts and words only: no patient value."""

    source: str
    status: SourceStatus = "nothing_new"
    #: Every file that was looked at, as the ledger has it.
    files: list[Load] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rows_in(self) -> int:
        return sum(load.rows_in for load in self.files)

    @property
    def rows_landed(self) -> int:
        return sum(load.rows_landed for load in self.files)

    @property
    def rows_quarantined(self) -> int:
        return sum(load.rows_quarantined for load in self.files)


def land_source(
    source: Source,
    *,
    zones: Zones,
    ledger: Ledger,
    key: PseudonymisationKey,
    cover: Cover,
    as_of: date,
    run_id: str,
    limits: Limits,
    only_date: date | None = None,
    progress: Callable[[str], None] | None = None,
) -> SourceReport:
    """Take in what arrived from one source up to `as_of` (or under one delivery date only), as far as `cover` lets it in.

    Raises `LandingError` when we cannot do our work: no space, no permission, a ledger that cannot be written.
    """
    started = time.monotonic()
    try:
        zones.identifiable.mkdir(parents=True, exist_ok=True)
        zones.identifiable.chmod(0o700)
        limits.spill_dir.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryDirectory(dir=limits.spill_dir, prefix="landing-") as scratch,
            # the line of a record follows from its place in the file
            connect(replace(limits, spill_dir=Path(scratch) / "spill"), keeps_order=True) as con,
        ):
            key.install(con)
            lander = _Lander(source, zones, ledger, cover, run_id, con, Path(scratch), progress or (lambda _: None))
            lander.run(as_of, only_date)
    except (OSError, duckdb.IOException, duckdb.OutOfMemoryException) as error:
        raise LandingError(
            f"landing {source.name} stopped, nothing of the delivery at hand was kept: {error}; check free space, permissions "
            f"and the memory limit ({limits.memory_limit}), then run again"
        ) from error
    lander.report.seconds = time.monotonic() - started
    return lander.report


class _Lander:
    """One run over one source."""

    def __init__(
        self,
        source: Source,
        zones: Zones,
        ledger: Ledger,
        cover: Cover,
        run_id: str,
        con: duckdb.DuckDBPyConnection,
        scratch: Path,
        progress: Callable[[str], None],
    ) -> None:
        self.source, self.zones, self.ledger, self.cover, self.run_id = source, zones, ledger, cover, run_id
        self.con, self.scratch, self.progress = con, scratch, progress
        self.report = SourceReport(source.name)
        #: Deliveries of this source build on each other, so that nothing may be skipped.
        self.is_chained = bool(source.terms.batch.manifest or source.terms.batch.sequence_from)

    def run(self, as_of: date, only_date: date | None) -> None:
        deliveries, strange = find_deliveries(self.zones.landing, self.source.name)
        self.report.messages += strange
        contract = hashlib.sha256(self.source.model_dump_json(exclude={"path"}).encode()).hexdigest()
        blocked = ""
        for delivery in deliveries:
            if only_date is not None and delivery.date != only_date:
                continue
            if delivery.date > as_of:
                self.report.messages.append(f"{self._where(delivery)} is dated after {as_of} and waits")
                continue
            fingerprint = hashlib.sha256(f"{contract}\n{self.cover.fingerprint}\n{delivery.fingerprint()}".encode()).hexdigest()
            if self.ledger.is_settled(self.source.name, delivery.date, fingerprint):
                continue
            outcomes = self._land_delivery(delivery, blocked)
            if not {"held", "gap"} & outcomes:
                self.ledger.settle(self.source.name, delivery.date, fingerprint)
            elif self.is_chained:
                blocked = blocked or str(delivery.date)
            self._note(outcomes)

    def _note(self, outcomes: set[_Outcome]) -> None:
        rank: list[tuple[_Outcome, SourceStatus]] = [("gap", "gap"), ("refused", "refused"), ("held", "held"), ("landed", "ok")]
        order = [status for _, status in rank] + ["nothing_new"]
        status = next((status for outcome, status in rank if outcome in outcomes), "nothing_new")
        if order.index(status) < order.index(self.report.status):
            self.report.status = status

    def _land_delivery(self, delivery: Delivery, blocked: str) -> set[_Outcome]:
        """Land what can be landed of a delivery; `blocked` names an earlier delivery that has to land first."""
        try:
            items = delivery.items()
            files = self._sort_out(delivery, items)
            batches = make_batches(self.source, delivery, files, items)
        except Refusal as refusal:
            self._say(refusal)
            self._record([Load(self.source.name, "", delivery.date, "", "refused", reason=str(refusal))])
            return {"refused"}
        outcomes: set[_Outcome] = set()
        for batch in batches:
            if blocked:
                reason = f"{self._where(delivery)} waits until the delivery of {blocked} has landed"
                self._put_off(batch, "waiting", reason)
                outcomes.add("held")
                continue
            outcome = self._land_batch(batch)
            outcomes.add(outcome)
            if outcome in ("held", "gap") and self.is_chained:
                blocked = str(delivery.date)
        return outcomes

    def _sort_out(self, delivery: Delivery, items: list[Item]) -> list[BatchFile]:
        """Files that tables read; the others are reported, apart from manifests."""
        manifest = self.source.terms.batch.manifest
        files, unknown = [], []
        for item in items:
            matches = match_tables(self.source, item)
            files += [BatchFile(item, table, groups) for table, groups in matches]
            is_manifest = manifest and item.base_name.casefold() == manifest.file.casefold()
            if not matches and not is_manifest:
                reason = (
                    f"{self._where(delivery)}/{item.name}: no table of {self.source.name} has a file pattern for this name; "
                    "it was not read, add a table to the contract or ask the supplier to leave it out"
                )
                unknown.append(Load(self.source.name, "", delivery.date, item.name, "unknown", reason=reason))
        self._record(unknown)
        self.report.messages += [load.reason for load in unknown]
        return files

    def _land_batch(self, batch: Batch) -> _Outcome:
        agreed = self._agreed(batch)
        if batch.files and not agreed.files:
            return "refused"
        batch = agreed
        if batch.incomplete:
            self._put_off(batch, "held", batch.incomplete)
            return "held"
        if gap := find_gap(self.source, batch, self.ledger):
            self._put_off(batch, "waiting", f"{self._where(batch.delivery)}: {gap}")
            return "gap"
        work = _BatchWork(self, batch)
        try:
            work.stage()
        except Refusal as refusal:
            work.discard()
            self._refuse(batch, work.current, refusal)
            return "refused"
        except BaseException:
            work.discard()
            raise
        landed = work.commit()
        self.report.files += work.loads
        self.report.messages += work.warnings
        return "landed" if landed else "nothing"

    def _agreed(self, batch: Batch) -> Batch:
        """The files of a batch that a sharing agreement covers; the others are not read, and stay where they are."""
        reasons = {file.key: self.cover.why_not(file.table.name, _organisation_of(self.source, file)) for file in batch.files}
        kept_out = [file for file in batch.files if reasons[file.key]]
        for reason in dict.fromkeys(reasons[file.key] for file in kept_out):
            self.report.messages.append(f"{self._where(batch.delivery)} is not taken in: {reason}")
        self._record([self._load(batch, file, "refused", f"not taken in: {reasons[file.key]}") for file in kept_out])
        return replace(batch, files=tuple(file for file in batch.files if not reasons[file.key]))

    def _refuse(self, batch: Batch, culprit: BatchFile | None, refusal: Refusal) -> None:
        self._say(refusal)
        loads = []
        for file in batch.files:
            is_culprit = culprit is not None and file.key == culprit.key
            reason = str(refusal) if is_culprit else f"not taken in, because the delivery is refused: {refusal}"
            counts = refusal.counts if is_culprit else Counter()
            loads.append(replace(self._load(batch, file, "refused", reason), bad_rows=counts))
        self._record(loads)

    def _put_off(self, batch: Batch, status: Literal["held", "waiting"], reason: str) -> None:
        self.report.messages.append(reason)
        self._record([self._load(batch, file, status, reason) for file in batch.files])

    def _load(self, batch: Batch, file: BatchFile, status: Literal["held", "waiting", "refused"], reason: str) -> Load:
        return Load(
            self.source.name, file.table.name, batch.delivery.date, file.item.name, status, batch=batch.key, reason=reason
        )

    def _record(self, loads: list[Load]) -> None:
        fresh = [load for load in loads if not self.ledger.is_recorded(load)]
        if fresh:
            self.ledger.record(fresh, self.run_id)
        self.report.files += loads

    def _say(self, refusal: Refusal) -> None:
        self.report.messages.append(f"{self.source.name}: {refusal}")

    def _where(self, delivery: Delivery) -> str:
        return f"{self.source.name}/{delivery.date}"


def _organisation_of(source: Source, file: BatchFile) -> str | None:
    """The organisation that a whole file comes from; None when the source does not say, or when its rows do."""
    window = file.table.terms.window
    if not window or window[0] != source.terms.organisation or not window[0].startswith("file:"):
        return None
    return file.groups[window[0].removeprefix("file:")]


class _BatchWork:
    """The files of one batch on their way to disk: written under temporary names, then committed or discarded together."""

    def __init__(self, lander: _Lander, batch: Batch) -> None:
        self.lander, self.batch = lander, batch
        self.ledger, self.source = lander.ledger, lander.source
        self.loads: list[Load] = []
        self.warnings: list[str] = []
        #: The file at hand, so that a refusal can be laid at its door.
        self.current: BatchFile | None = None
        self._renames: list[tuple[Path, Path]] = []
        self._headers: dict[tuple[str, str | None], tuple[frozenset[str], str]] = {}
        self._replaced: set[tuple[str, str]] = set()
        self._codes: dict[str, str] | None = None
        self._next_seq = lander.ledger.next_load_seq()

    def stage(self) -> None:
        """Read, judge and write every file. Raises `Refusal` at the first that cannot be used."""
        together = self._files_of_one_window()
        names = self.source.terms.organisation_names
        # what says who the organisations are comes first
        work = sorted(by_item(self.batch.files), key=lambda entry: not names or entry[1][0].table.name != names.table)
        # the bytes of the next file are read while DuckDB works on this one
        with ThreadPoolExecutor(max_workers=1) as ahead:
            coming = [ahead.submit(self._take_in, 0, *work[0])] if work else []
            for number, (_, files) in enumerate(work):
                self.current = files[0]
                intake = coming.pop().result()
                if number + 1 < len(work):
                    coming.append(ahead.submit(self._take_in, number + 1, *work[number + 1]))
                for file in files:
                    self.current = file
                    self._take(file, intake, may_repeat=file.key not in together)
                self._copy_path(number).unlink(missing_ok=True)
        self.current = None

    def _take_in(self, number: int, item: Item, files: list[BatchFile]) -> Intake:
        return take_in(item, files[0].table.terms.format.encoding, self._copy_path(number))

    def _copy_path(self, number: int) -> Path:
        return self.lander.scratch / f"content-{number}"

    def _files_of_one_window(self) -> set[tuple[str, str]]:
        """Files that replace one window together, unless all are held already: if one is new, all must land again."""
        groups: dict[tuple[str, str], list[BatchFile]] = {}
        for file in self.batch.files:
            window = window_of_file(file.table, file.groups)
            if window is not None and self._declared_mode(file) == "full":
                groups.setdefault((file.table.name, window), []).append(file)
        together: set[tuple[str, str]] = set()
        for files in groups.values():
            if len(files) > 1 and not all(self._is_held(file) for file in files):
                together.update(file.key for file in files)
        return together

    def _is_held(self, file: BatchFile) -> bool:
        return self._held_already(file, content_hash(file.item), "full") is not None

    def _declared_mode(self, file: BatchFile) -> Literal["full", "delta", "bulk_then_delta"]:
        mode = file.table.terms.mode
        return self.batch.modes[file.stem] if mode == "manifest" else mode

    def _take(self, file: BatchFile, intake: Intake, *, may_repeat: bool) -> None:
        mode = self._declared_mode(file)
        earlier = self._held_already(file, intake.sha256, mode) if may_repeat else None
        landed = self.ledger.landed_windows(self.source.name, file.table.name, intake.sha256) if earlier else None
        if earlier and landed is None:
            self._skip(file, intake, "repeated", f"the same bytes have landed from {earlier}; nothing changes", mode)
            return
        fixed = window_of_file(file.table, file.groups)
        if mode == "full" and fixed is not None and self._is_superseded(file, fixed):
            reason = "a newer full delivery of the same window is held already; nothing of this one is used"
            self._skip(file, intake, "superseded", reason, mode)
            return
        staged, layout = self._read(file, intake)
        try:
            self._judge_share(file, staged)
            self._judge_whole(file, staged)
            self._write(file, intake, staged, layout, mode, fixed, landed)
        finally:
            staged.close()

    def _held_already(self, file: BatchFile, sha256: str, mode: str) -> str | None:
        """Where these bytes have landed, if landing them again would change nothing.

        A delivery is looked at again when its contract has changed: what landed from it then stays, since landing it again would
        put it above the deliveries that came after it.
        """
        source, table = self.source.name, file.table.name
        if same := self.ledger.find_in_delivery(source, table, sha256, self.batch.delivery.date, file.item.name):
            return same
        if mode == "full":
            return self.ledger.find_standing(source, table, sha256, window_of_file(file.table, file.groups))
        return self.ledger.find_in_batch(source, table, sha256, self.batch.key)

    def _skip(self, file: BatchFile, intake: Intake, status: Literal["repeated", "superseded"], reason: str, mode: str) -> None:
        load = self._load(file, intake, mode=mode, reason=reason)
        if self.ledger.is_recorded(replace(load, status="landed", reason="")):
            return
        self.loads.append(replace(load, status=status))

    def _is_superseded(self, file: BatchFile, window: str) -> bool:
        since = self.ledger.held_since(self.source.name, file.table.name, window)
        return since is not None and since > self.batch.delivery.date

    def _read(self, file: BatchFile, intake: Intake) -> tuple[StagedRows, Layout]:
        table, name = file.table, file.item.name
        if table.terms.format.kind == "xml":
            sieved, extra = read_xml(table, intake, name, self.lander.scratch / "rows.parquet")
            layout = Layout((), extra, "", 0)
            return self._stage(
                file, intake, SievedRows(sieved, self._shared(file, frozenset(c.name for c in table.columns)))
            ), layout
        layout = read_layout(table, intake, name)
        self._compare_headers(file, layout)
        shared = self._shared(file, layout.present)
        layout = replace(layout, fields=tuple(n if n in shared else None for n in layout.fields))
        fast = FastRows(intake, table.terms.format, layout)
        if fast.can_try:
            try:
                return self._checked(file, intake, fast), layout
            except Untrusted:
                pass
            except (duckdb.IOException, duckdb.OutOfMemoryException):
                raise
            except duckdb.Error:
                pass  # what it could not read is told record by record
        careful = read_carefully(table, intake, layout, self.lander.scratch / "rows.parquet")
        return self._checked(file, intake, careful), layout

    def _checked(self, file: BatchFile, intake: Intake, rows: TextRows) -> StagedRows:
        staged = self._stage(file, intake, rows)
        if rows.ends_malformed and not intake.ends_with_newline:
            staged.close()
            raise Refusal(
                f"{file.item.name}, line {intake.n_lines}: the file was cut short in the middle of a row; ask for it again"
            )
        return staged

    def _stage(self, file: BatchFile, intake: Intake, rows: TextRows) -> StagedRows:
        return stage_rows(
            self.lander.con,
            file.table,
            rows,
            delivery_date=self.batch.delivery.date,
            groups=file.groups,
            has_nul=intake.has_nul,
        )

    def _compare_headers(self, file: BatchFile, layout: Layout) -> None:
        """Files of one table that cover the same window must have the same columns; other windows are other senders."""
        table, name = file.table, file.item.name
        columns = frozenset(layout.signature.casefold().split("|"))
        window = window_of_file(table, file.groups)
        known, other = self._headers.setdefault((table.name, window), (columns, name))
        if known != columns:
            differing = ", ".join(sorted(known ^ columns))
            raise Refusal(
                f"{name} and {other}: two files for {table.source}.{table.name} in one delivery do not have the same columns "
                f"({differing}); ask which is right and for both again"
            )

    def _judge_share(self, file: BatchFile, staged: StagedRows) -> None:
        counts = staged.bad_rows()
        share, limit = bad_share(counts, staged.rows_in), self.source.terms.max_bad_row_share
        if staged.rows_in < ROWS_TO_JUDGE_SHARE or share <= limit:
            return
        worst = "; ".join(f"{n} rows: {reason}" for (_, _, reason), n in counts.most_common(3))
        lines = ", ".join(str(line) for line in staged.bad_lines())
        raise Refusal(
            f"{file.item.name}: {share:.1%} of {staged.rows_in} rows are bad, more than the {limit:.1%} the contract allows "
            f"({worst}; first at lines {lines}); ask for a corrected file",
            counts,
        )

    def _judge_whole(self, file: BatchFile, staged: StagedRows) -> None:
        """A list that is right as a whole or not at all: see `TableTerms.all_or_nothing`."""
        table, name = file.table, file.item.name
        if not table.terms.all_or_nothing:
            return
        n_bad = sum(n for (_, code, _), n in staged.bad_rows().items() if code not in HARMLESS)
        n_bad += staged.invalid_numbers() if table.with_role("nhs_number") else 0
        if n_bad:
            lines = f"{n_bad} of {staged.rows_in} lines are not"
            raise Refusal(
                f"{name}: {lines} rows of {table.source}.{table.name}; it may be an error message sent instead of the list. The "
                "list is unknown until a good one comes; ask for it again"
            )
        if staged.rows_in == 0 and self.ledger.last_delivery(table.source, table.name):
            raise Refusal(f"{name}: no rows, while {table.source}.{table.name} holds some; ask whether the list is really empty")

    def _write(
        self,
        file: BatchFile,
        intake: Intake,
        staged: StagedRows,
        layout: Layout,
        mode: str,
        fixed: str | None,
        landed: set[str] | None,
    ) -> None:
        table = file.table
        found = [fixed] if fixed is not None else self._agreed_windows(file, staged, landed)
        if not found and landed is not None:
            self._skip(file, intake, "repeated", "what an agreement covers of it has landed before; nothing changes", mode)
            return
        windows = self._windows(file, found, mode)
        if mode == "full" and fixed is None:
            superseded = [window for window in found if self._is_superseded(file, window)]
            if found and len(superseded) == len(found):
                reason = "newer full deliveries of its windows are held already; nothing of this one is used"
                self._skip(file, intake, "superseded", reason, mode)
                return
            staged.set_aside_windows(superseded, SUPERSEDED)
            windows = {window: how for window, how in windows.items() if window not in superseded}
        load_seq = self._next_seq
        self._next_seq += 1
        written = self._write_files(staged, load_seq, file)
        load = replace(
            self._load(file, intake, mode="full" if "full" in windows.values() else "delta", reason=""),
            load_seq=load_seq, status="landed", header=layout.signature, n_extra_columns=len(layout.extra), windows=windows,
            rows_in=staged.rows_in, rows_landed=written.rows_landed, rows_quarantined=written.rows_quarantined,
            bad_rows=written.quarantined,
        )  # fmt: skip
        self._replaced |= {(table.name, window) for window, how in windows.items() if how == "full"}
        self.loads.append(load)
        self._warn(file, load, layout, mode)
        self.lander.progress(f"{self.source.name} {self.batch.delivery.date} {file.item.name}: {written.rows_landed:,} rows")

    def _agreed_windows(self, file: BatchFile, staged: StagedRows, landed: set[str] | None) -> list[str]:
        """Windows whose rows may enter and have not landed from these bytes; the rows of the others are set aside."""
        found = staged.windows()
        if not self._is_by_organisation(file):
            return found
        kept_out = [w for w in found if self.lander.cover.why_not(file.table.name, self._organisation(w))]
        for reason in dict.fromkeys(self.lander.cover.why_not(file.table.name, self._organisation(w)) for w in kept_out):
            self.warnings.append(f"{file.item.name}: rows are kept out: {reason}")
        before = landed or set()
        staged.set_aside_windows(before, LANDED_BEFORE)
        staged.set_aside_windows([w for w in kept_out if w not in before], NO_AGREEMENT)
        return [w for w in found if w not in before and w not in kept_out]

    def _is_by_organisation(self, file: BatchFile) -> bool:
        return bool(file.table.terms.window) and file.table.terms.window[0] == self.source.terms.organisation

    def _organisation(self, window: str) -> str:
        """The code of the organisation that a window belongs to."""
        if self._codes is None:
            self._codes = self._organisation_codes()
        supplied = window.partition("|")[0]
        return self._codes.get(supplied, supplied)

    def _organisation_codes(self) -> dict[str, str]:
        """Codes by the supplier's ids, from what has landed and from this batch."""
        names = self.source.terms.organisation_names
        if names is None:
            return {}
        folder = self.lander.zones.raw / self.source.name / names.table
        files = [str(path) for path in folder.glob("*.parquet")]
        files += [str(temporary) for temporary, final in self._renames if final.parent == folder]
        if not files:
            return {}
        rows = self.lander.con.execute(
            f"select {ident(names.id)}, {ident(names.code)} from read_parquet($1, union_by_name = true) "
            f"where {ident(names.code)} is not null order by _load_seq",
            [files],
        ).fetchall()
        return dict(rows)

    def _shared(self, file: BatchFile, present: frozenset[str]) -> frozenset[str]:
        """The columns of a file that may enter."""
        return present - self.lander.cover.withheld_columns(file.table, _organisation_of(self.source, file))

    def _write_files(self, staged: StagedRows, load_seq: int, file: BatchFile) -> Written:
        try:
            written = staged.write(self.lander.zones, load_seq, file.item.name, self._renames)
        except ValueError as error:
            raise LandingError(f"{self.source.name}.{file.table.name}: {error}") from error
        return written

    def _windows(self, file: BatchFile, found: list[str], mode: str) -> dict[str, Mode]:
        """Each window with how this file treats it; of several files for one window only the first replaces it."""
        seen = self.ledger.seen_windows(self.source.name, file.table.name) if mode == "bulk_then_delta" else set()
        full = [w for w in found if mode == "full" or (mode == "bulk_then_delta" and w not in seen)]
        return {w: "full" if w in full and (file.table.name, w) not in self._replaced else "delta" for w in found}

    def _warn(self, file: BatchFile, load: Load, layout: Layout, mode: str) -> None:
        source, table = self.source.name, file.table.name
        where = f"{source}/{self.batch.delivery.date}/{file.item.name}"
        newest = self.ledger.last_delivery(source, table)
        if layout.extra:
            self.warnings.append(f"{where}: columns the contract does not know are kept out: {', '.join(layout.extra[:10])}")
        if load.rows_quarantined:
            self.warnings.append(f"{where}: {load.rows_quarantined} of {load.rows_in} rows quarantined")
        if (
            load.rows_in == 0
            and load.mode == "full"
            and (emptied := load.windows.keys() & self.ledger.seen_windows(source, table))
        ):
            which = ", ".join(sorted(emptied)) or "of the whole table"
            self.warnings.append(f"{where}: no rows, so the window {which} is now empty")
        if file.table.terms.mode == "manifest" and mode == "delta" and newest is None:
            self.warnings.append(f"{where}: changes only, and nothing full of {table} has landed before them")
        if mode == "delta" and newest and newest > self.batch.delivery.date and not file.table.terms.order_by:
            self.warnings.append(f"{where}: came after the delivery of {newest}; its rows now count as the newest of their keys")

    def _load(self, file: BatchFile, intake: Intake, *, mode: str, reason: str) -> Load:
        return Load(
            self.source.name, file.table.name, self.batch.delivery.date, file.item.name, "landed", sha256=intake.sha256,
            batch=self.batch.key, mode="full" if mode == "full" else "delta", reason=reason,
        )  # fmt: skip

    def discard(self) -> None:
        """Remove what was written."""
        for temporary, _ in self._renames:
            temporary.unlink(missing_ok=True)

    def commit(self) -> bool:
        """Give the files their names and the loads their place in the ledger; True when something landed."""
        for temporary, final in self._renames:
            temporary.replace(final)
        for folder in {final.parent for _, final in self._renames}:
            sync(folder)
        landed = [load for load in self.loads if load.status == "landed"]
        others = [load for load in self.loads if load.status != "landed" and not self.ledger.is_recorded(load)]
        reached = self.ledger.reached(self.source.name, self.batch.chain) or ""
        if self.loads:
            reach = max(self.batch.reach, reached)
            self.ledger.record(landed + others, self.lander.run_id, chain=self.batch.chain, reached=reach)
        return bool(landed)
