"""`phm linkage evaluate`: the index against a truth that somebody gives. No step of a night reads one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.table import Table

from linkage.errors import LinkageError
from linkage.evaluate import CHARACTERISTICS, Quality, evaluate, evaluate_by, truth_by_token, withhold_numbers
from linkage.link import link
from orchestration.patient_index import linkage_model, linkage_spec
from orchestration.settings import Settings

_HEADINGS = ("records", "pair precision", "pair recall", "B-cubed precision", "B-cubed recall", "in mixed clusters")


@dataclass(frozen=True)
class Evaluation:
    """The quality of an index: over all, and by characteristic and group."""

    overall: Quality
    by: dict[str, dict[str, Quality]]


def evaluate_index(settings: Settings, truth_dir: Path, as_of: date, withheld_share: float) -> Evaluation:
    """Judge the index by the truth in `truth_dir`, as `phm synth` writes it.

    With a `withheld_share` above 0, that share of the records is linked without its NHS number, in a scratch folder and a
    registry of its own, and this index is judged. Raises `LinkageError` when there is no index or no whole truth.
    """
    with evaluation_scratch(settings) as scratch:
        index = settings.raw_dir / "linkage"
        if withheld_share:
            index = _link_without_numbers(settings, scratch, as_of, withheld_share)
        return _judge(settings, truth_dir, index, scratch / "truth.parquet", as_of)


@contextmanager
def evaluation_scratch(settings: Settings) -> Iterator[Path]:
    """A private folder of the identifiable zone, gone after the block; the nightly tidying takes what a kill leaves."""
    settings.evaluating_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.evaluating_dir) as scratch:
        yield Path(scratch)


def _link_without_numbers(settings: Settings, scratch: Path, as_of: date, share: float) -> Path:
    spec = linkage_spec(settings)
    withhold_numbers(settings.identity_dir, scratch / "identity", share=share, spec=spec)
    link(
        scratch / "identity",
        scratch / "registry.duckdb",
        scratch / "index",
        spec=spec,
        parameters=linkage_model(),
        run_id="evaluation",
        as_of=as_of,
        limits=settings.limits,
    )
    return scratch / "index"


def _judge(settings: Settings, truth_dir: Path, index: Path, by_token: Path, as_of: date) -> Evaluation:
    person_record = index / "person_record" / "00000001.parquet"
    local_ids = settings.local_ids_files()
    if not person_record.exists() or not local_ids:
        raise LinkageError("there is no index to judge: run `phm run` first")
    truth_by_token(truth_dir / "records.parquet", local_ids, by_token, people=truth_dir / "people.parquet", as_of=as_of)
    return Evaluation(
        evaluate(person_record, by_token),
        {name: evaluate_by(person_record, by_token, name) for name in ("source", *CHARACTERISTICS)},
    )


def print_evaluation(evaluation: Evaluation, console: Console) -> None:
    """The measures as one table: over all records, then by characteristic and group."""
    table = Table(box=None, pad_edge=False)
    table.add_column()
    for heading in _HEADINGS:
        table.add_column(heading, justify="right")
    _add_row(table, "all records", evaluation.overall)
    for characteristic, groups in evaluation.by.items():
        table.add_section()
        table.add_row(f"[bold]{characteristic.replace('_', ' ')}[/]")
        for group, quality in groups.items():
            _add_row(table, f"  {group.replace('_', ' ')}", quality)
    console.print(table, highlight=False)


def print_quality(evaluation: Evaluation, console: Console) -> None:
    """One line, for the end of a demonstration, which owns the truth."""
    overall = evaluation.overall
    console.print(
        f"Linkage against the planted truth: pair precision {overall.pair_precision:.4f}, recall {overall.pair_recall:.4f} "
        "(`phm linkage evaluate` says more).",
        highlight=False,
    )


def _add_row(table: Table, name: str, quality: Quality) -> None:
    shares = (
        quality.pair_precision,
        quality.pair_recall,
        quality.bcubed_precision,
        quality.bcubed_recall,
        quality.mixed_record_share,
    )
    table.add_row(name, f"{quality.n_records:,}", *(f"{share:.4f}" for share in shares))
