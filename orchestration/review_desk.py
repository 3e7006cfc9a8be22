"""Clerical review at a desk: questions on the terminal, a spreadsheet for a team, and where the queue stands.

What is shown identifies people. It goes to the reviewer's terminal and to files of mode 0600, by default inside the identifiable
zone, and nowhere else.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any, TextIO
from uuid import UUID

from rich.console import Console
from rich.markup import escape as plain
from rich.table import Table

from linkage import registry, verdicts
from linkage.errors import LinkageError
from linkage.explain import FIELDS, Layout, Record, lay_out, waterfall
from linkage.review import IMPORTANCE
from linkage.spec import default_spec
from linkage.verdicts import Answer, AnswersRefused, Question
from linkage.whole_file import written_privately
from orchestration.night import resolve_as_of
from orchestration.patient_index import linkage_model, linkage_spec
from orchestration.publishing.charts import render
from orchestration.run_lock import run_lock
from orchestration.settings import Settings
from orchestration.sheet import harmless

_MOST_COMPLAINTS = 20
_MOST_CELL_RECORDS = 20
_SHEET_HEAD = ("question_id", "reviewer", "verdict", "comment", "why", "last_word")
_KEYS = {"s": "same", "d": "different", "u": "unsure"}


class Desk:
    """One data directory's review, with this site's number of blind reviewers."""

    def __init__(self, settings: Settings) -> None:
        if not settings.registry_path.exists():
            raise LinkageError(
                f"there is no registry at {settings.registry_path}: nothing has been linked yet, run `phm run` first"
            )
        self._settings = settings

    @contextmanager
    def _registry(self, command: str) -> Iterator[Path]:
        # one process at a time may hold the file; a night under way is named instead of met as a locked database
        with run_lock(self._settings.lock_path, command):
            yield self._settings.registry_path

    def questions(self, reviewer: str | None = None, *, only_sample: bool = False) -> list[Question]:
        """The open questions, most important first; with `reviewer`, those this reviewer may answer."""
        with self._registry("phm review") as path:
            return verdicts.open_questions(
                path, reviewer=reviewer, only_sample=only_sample, wanted=self._settings.blind_reviewers
            )

    def lay_out(self, questions: list[Question]) -> list[Layout]:
        """Questions with everything that a reviewer should see."""
        with self._registry("phm review") as path:
            return lay_out(path, self._settings.identity_dir, linkage_model(), questions)

    def answer(self, answers: Sequence[Answer]) -> list[str]:
        """Take verdicts in, all or none; gives the decisions that they complete, in words."""
        with self._registry("phm review") as path:
            made = verdicts.take_answers(
                path, answers, wanted=self._settings.blind_reviewers, answered_on=resolve_as_of(self._settings, None)
            )
        return [str(decision) for decision in made]

    def answer_one(self, question_id: str, reviewer: str, verdict: str, comment: str) -> list[str]:
        """Take one verdict in, as `answer` does."""
        return self.answer([Answer(_uuid(question_id, "question"), reviewer, verdict, comment)])

    def decisions(self) -> list[str]:
        """Every decision in force, in words."""
        with self._registry("phm review") as path:
            return [str(decision) for decision in verdicts.list_decisions(path)]

    def undo(self, decision_id: str, reviewer: str) -> str:
        """End a decision; gives it in words."""
        with self._registry("phm review undo") as path:
            ended_on = resolve_as_of(self._settings, None)
            return str(registry.undo(path, _uuid(decision_id, "decision"), ended_by=reviewer, ended_on=ended_on))

    def print_status(self, console: Console) -> None:
        """Where the queue stands, and how far reviewers agree. Counts only."""
        with self._registry("phm review status") as path:
            tally, agreements = verdicts.tally(path), verdicts.agreement(path)
        table = Table("reason", "open", "waiting for a last word", title="Questions")
        for reason, n_open, n_disputed in tally.open:
            table.add_row(reason, f"{n_open:,}", f"{n_disputed:,}")
        console.print(table)
        closed = ", ".join(f"{n:,} {status}" for status, n in tally.closed.items()) or "none"
        console.print(f"Closed: {closed}. Decisions: {tally.n_in_force:,} in force, {tally.n_ended:,} ended.")
        for reason, (same, different) in tally.samples.items():
            console.print(f"Sampled pairs ({reason}): {same:,} judged the same, {different:,} different.")
        if not agreements:
            console.print("No two reviewers have answered the same question blind yet.")
        for each in agreements:
            kappa = "not defined" if each.kappa is None else f"{each.kappa:.2f}"
            console.print(
                f"{each.one} and {each.other}: {each.n_questions:,} questions, {each.observed:.0%} agreed, Cohen's kappa {kappa}."
            )

    def default_sheet(self, reviewer: str) -> Path:
        """Where a reviewer's spreadsheet goes unless somewhere else is named."""
        return self._settings.identifiable_dir / "review" / f"questions-{reviewer}.csv"

    def export(self, target: Path, reviewer: str, *, most: int, only_sample: bool) -> int:
        """Write a reviewer's questions as a CSV file that spreadsheets open (mode 0600); gives how many.

        Raises `LinkageError` for another kind of file.
        """
        _refuse_workbook(target)
        layouts = self.lay_out(self.questions(reviewer, only_sample=only_sample)[:most])
        rows = [_sheet_row(layout, reviewer) for layout in layouts]
        with _private(target) as file:
            # the mark at the start tells a spreadsheet that the text is UTF-8
            file.write("\ufeff")
            writer = csv.writer(file)
            writer.writerow(_sheet_head())
            writer.writerows([[harmless(cell) for cell in row] for row in rows])
        return len(rows)

    def import_sheet(self, source: Path) -> tuple[int, list[str]]:
        """Take in the verdicts of a spreadsheet, all or none: how many, and the decisions that they complete.

        Rows without a verdict are left for later. Raises `LinkageError` naming the lines that cannot be taken.
        """
        _refuse_workbook(source)
        lines, answers = _read_sheet(source)
        if not answers:
            raise LinkageError(f"{source}: no row has a verdict; write same, different or unsure in the column `verdict`")
        try:
            return len(answers), self.answer(answers)
        except AnswersRefused as error:
            raise _complaint(source, [(lines[place], what) for place, what in error.problems]) from error

    def write_waterfall(self, left: str, right: str, target: Path) -> None:
        """Write Splink's waterfall chart of two records as a page that fetches nothing (mode 0600)."""
        settings = self._settings
        with self._registry("phm review waterfall") as path:
            chart = waterfall(
                path,
                settings.identity_dir,
                _uuid(left, "record"),
                _uuid(right, "record"),
                spec=linkage_spec(settings),
                parameters=linkage_model(),
                as_of=resolve_as_of(settings, None),
            )
        with _private(target) as file:
            file.write(_waterfall_page(chart))


def ask(desk: Desk, reviewer: str, console: Console, read: Callable[[str], str], *, only_sample: bool = False) -> int:
    """Put questions to a reviewer one by one until there are none or the reviewer stops; gives how many were answered."""
    answered = 0
    for question in desk.questions(reviewer, only_sample=only_sample):
        (layout,) = desk.lay_out([question])
        print_question(layout, console)
        key = ""
        while key not in {*_KEYS, "k", "q"}:
            key = read("[s]ame person, [d]ifferent, [u]nsure, s[k]ip, [q]uit? ").strip().lower()[:1]
        if key == "q":
            break
        if key == "k":
            continue
        comment = read("Why (may be empty; no names)? ").strip()
        for decision in desk.answer([Answer(question.question_id, reviewer, _KEYS[key], comment)]):
            console.print(f"Decided: {decision}. It holds from the next run on.", highlight=False)
        answered += 1
    return answered


def print_list(questions: Sequence[Question], console: Console) -> None:
    """One line a question; nothing on it says who anybody is."""
    table = Table("question", "reason", "bits", "records", "importance", "", caption=f"importance = {IMPORTANCE}")
    for q in questions:
        bits = "–" if q.match_weight is None else f"{q.match_weight:.1f}"
        marks = ", ".join(mark for mark, holds in (("sample", q.is_sample), ("last word", q.is_disputed)) if holds)
        table.add_row(str(q.question_id), q.reason, bits, f"{q.n_records:,}", f"{q.importance:.2f}", marks)
    console.print(table)


def print_question(layout: Layout, console: Console) -> None:
    """A question side by side: fields, agreement, both persons' other records."""
    question = layout.question
    console.rule(f"Question {question.question_id}")
    console.print(plain(_why(layout)), highlight=False)
    for line in question.history:
        console.print(f"Before: {plain(line)}", highlight=False)
    table = Table("", f"one: {layout.left.source}", f"other: {layout.right.source}")
    for field, heading in FIELDS.items():
        left, right = layout.left.values.get(field, ""), layout.right.values.get(field, "")
        if left or right:
            table.add_row(heading, plain(left), plain(right), style="" if left == right else "bold")
    console.print(table)
    if layout.evidence:
        agreement = Table("compared", "found", "speaks", "bits")
        for each in layout.evidence:
            agreement.add_row(each.field, each.found, each.strength, f"{each.bits:+.1f}")
        console.print(agreement)
    else:
        console.print("The two were never weighed against each other: nothing they share brought them together.")
    for name, others in (("one", layout.left_others), ("other", () if layout.are_one_person else layout.right_others)):
        for record in others:
            console.print(f"Also of {name}: {plain(_one_line(record))}", highlight=False)


def _why(layout: Layout) -> str:
    question = layout.question
    needed = default_spec().link_weight
    weight = (
        "" if question.match_weight is None else f" The evidence weighs {question.match_weight:.1f} bits; links need {needed:g}."
    )
    dispute = " Reviewers did not agree; yours is the last word." if question.is_disputed else ""
    return f"{layout.why}{weight}{dispute}"


def _one_line(record: Record) -> str:
    return "; ".join([record.source, *(f"{FIELDS[field]} {value}" for field, value in record.values.items())])


def _sheet_head() -> list[str]:
    return [
        *_SHEET_HEAD,
        *(f"{side}_{field}" for field in ("source", *FIELDS) for side in ("one", "other")),
        "agreement",
        "one_other_records",
        "other_other_records",
        "before",
    ]


def _sheet_row(layout: Layout, reviewer: str) -> list[str]:
    question = layout.question

    def joined(records: tuple[Record, ...]) -> str:
        more = len(records) - _MOST_CELL_RECORDS
        shown = [_one_line(record) for record in records[:_MOST_CELL_RECORDS]]
        return " | ".join([*shown, f"and {more} more"] if more > 0 else shown)

    fields = [value for field in FIELDS for value in (layout.left.values.get(field, ""), layout.right.values.get(field, ""))]
    return [
        str(question.question_id),
        reviewer,
        "",
        "",
        _why(layout),
        "yes" if question.is_disputed else "",
        layout.left.source,
        layout.right.source,
        *fields,
        "; ".join(f"{each.field}: {each.found} ({each.strength})" for each in layout.evidence),
        joined(layout.left_others),
        "" if layout.are_one_person else joined(layout.right_others),
        " | ".join(question.history),
    ]


def _read_sheet(source: Path) -> tuple[list[int], list[Answer]]:
    """The rows that have a verdict, with the line each begins on."""
    try:
        text = source.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise LinkageError(f"cannot read {source}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LinkageError(f"{source} is not UTF-8; save it from the spreadsheet as `CSV UTF-8`") from error
    reader = csv.DictReader(text.splitlines(keepends=True))
    missing = [name for name in _SHEET_HEAD[:4] if name not in (reader.fieldnames or ())]
    if missing:
        raise LinkageError(
            f"{source} has no column {', '.join(missing)}; import what `phm review export` wrote, saved with commas"
        )
    lines, answers, problems = [], [], []
    line = reader.line_num + 1
    for row in reader:
        verdict = (row["verdict"] or "").strip().lower()
        if verdict:
            try:
                question_id = UUID((row["question_id"] or "").strip())
            except ValueError:
                problems.append((line, f"{row['question_id']!r} is not the id of a question"))
            else:
                answers.append(Answer(question_id, (row["reviewer"] or "").strip(), verdict, (row["comment"] or "").strip()))
                lines.append(line)
        line = reader.line_num + 1
    if problems:
        raise _complaint(source, problems)
    return lines, answers


def _complaint(source: Path, problems: Sequence[tuple[int, str]]) -> LinkageError:
    told = [f"line {line}: {what}" for line, what in problems[:_MOST_COMPLAINTS]]
    more = f"\nand {len(problems) - _MOST_COMPLAINTS:,} more" if len(problems) > _MOST_COMPLAINTS else ""
    return LinkageError(f"nothing was taken from {source}:\n" + "\n".join(told) + more)


def _refuse_workbook(path: Path) -> None:
    if path.suffix.lower() != ".csv":
        raise LinkageError(f"{path.name}: the sheet is a .csv file, which every spreadsheet opens and saves as `CSV UTF-8`")


def _uuid(text: str, what: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise LinkageError(f"{text!r} is not the id of a {what}") from error


@contextmanager
def _private(target: Path) -> Iterator[TextIO]:
    """A new text file that only its owner can read, in the place of any that was there, whole or not at all."""
    try:
        with written_privately(target) as beside, beside.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise LinkageError(f"cannot write {target}: {error.strerror}") from error


def _waterfall_page(chart: dict[str, Any]) -> str:
    """Splink's chart as a picture, with its numbers in a table; the slider between pairs has nothing to choose from."""
    bars = chart["data"]["values"]
    spec = {**chart, "params": [{"name": "record_number", "value": 0}]}
    svg = render(spec)
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{escape(str(bar[key] if bar[key] is not None else ''))}</td>"
            for key in ("column_name", "label_for_charts", "value_l", "value_r")
        )
        + f"<td>{bar['log2_bayes_factor']:+.2f}</td></tr>"
        for bar in bars
    )
    return (
        '<!doctype html>\n<html lang="en-GB"><head><meta charset="utf-8"><title>Match weight of two records</title>'
        "<style>body{font-family:Arial,sans-serif;margin:2em}td,th{text-align:left;padding:.2em 1em .2em 0}</style></head><body>"
        "<h1>Match weight of two records</h1><p>Identifies people: keep it where it was written.</p>"
        f"{svg}<table><thead><tr><th>Comparison</th><th>Found</th><th>One</th><th>Other</th><th>Bits</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></body></html>\n"
    )
