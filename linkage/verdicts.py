"""What reviewers answer: blind verdicts, a third word where two differ, and the decisions that follow.

A question wants one or two blind verdicts. Equal verdicts decide; two that differ, or an `unsure`, leave it disputed, and a
reviewer who has not answered yet has the last word. Decisions hold from the next run on (see `registry.decide`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import duckdb

from linkage.decisions import Decision, Standing, check_reviewer
from linkage.errors import ConstraintError
from linkage.registry import attached, decisions_in_force, store_decision

#: What a reviewer can say of two records, and the decision it makes once it counts.
VERDICTS = {"same": "must_link", "different": "cannot_link", "unsure": None}


class AnswersRefused(ConstraintError):
    """Answers that cannot be taken; none of those given with them was. `problems` are (place in the list, what is wrong)."""

    def __init__(self, problems: Sequence[tuple[int, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(what for _, what in problems))


@dataclass(frozen=True)
class Answer:
    """One reviewer's verdict on one question."""

    question_id: UUID
    reviewer: str
    verdict: str
    comment: str = ""


@dataclass(frozen=True)
class Question:
    """Two records, and why somebody should look at them. Nothing in it says what any reviewer answered."""

    question_id: UUID
    left_token: UUID
    right_token: UUID
    reason: str
    #: Bits, prior included; None for a pair that was never weighed.
    match_weight: float | None
    #: Records of both persons.
    n_records: int
    importance: float
    is_sample: bool
    #: Reviewers differed or were unsure, and one who has not answered is asked for the last word.
    is_disputed: bool
    opened_on: date
    #: Earlier decisions about the pair, and how they ended, in words.
    history: tuple[str, ...] = ()


@dataclass(frozen=True)
class Agreement:
    """How far two reviewers agree over the questions that both answered blind."""

    one: str
    other: str
    n_questions: int
    observed: float
    #: Cohen's kappa; None where chance alone would agree always.
    kappa: float | None


def open_questions(path: Path, *, reviewer: str | None = None, only_sample: bool = False, wanted: int = 2) -> list[Question]:
    """The open questions of a registry, most important first; with `reviewer`, those that this reviewer may answer."""
    if reviewer is not None:
        check_reviewer(reviewer)
    with duckdb.connect() as connection, attached(connection, path):
        rows = connection.execute(
            """
            with answered as (
                select question_id, count(*) as n_verdicts, bool_or(reviewer = $reviewer) as is_mine
                from registry.verdict group by question_id
            )

            select
                q.question_id, q.left_token, q.right_token, q.reason, q.match_weight, q.n_records, q.importance, q.is_sample,
                q.is_disputed, q.opened_on
            from registry.review as q
            left join answered as a on q.question_id = a.question_id
            where
                q.status = 'open'
                and (q.is_sample or not $only_sample)
                and (
                    $reviewer is null
                    or (not coalesce(a.is_mine, false) and (q.is_disputed or coalesce(a.n_verdicts, 0) < $wanted))
                )
            order by q.importance desc, q.left_token, q.right_token""",
            {"reviewer": reviewer, "only_sample": only_sample, "wanted": wanted},
        ).fetchall()
        history = _histories(connection)
    found = [Question(*row) for row in rows]
    return [replace(q, history=history.get((q.left_token, q.right_token), ())) for q in found]


def _histories(connection: duckdb.DuckDBPyConnection) -> dict[tuple[UUID, UUID], tuple[str, ...]]:
    rows = connection.execute("""
        select
            left_token, right_token,
            list(
                case kind when 'must_link' then 'the same' else 'different' end || ', decided by ' || decided_by || ' on '
                || decided_on || case
                    when ended_because = 'undone' then '; undone by ' || ended_by || ' on ' || expired_on
                    when ended_because is not null
                        then '; ended on ' || expired_on || ' (' || replace(ended_because, '_', ' ') || ')'
                    else ''
                end
                order by decided_on, rowid
            )
        from registry."constraint"
        group by left_token, right_token""").fetchall()
    return {(left, right): tuple(lines) for left, right, lines in rows}


def take_answers(path: Path, answers: Sequence[Answer], *, wanted: int, answered_on: date) -> list[Decision]:
    """Take verdicts in, all or none, and give the decisions that they complete.

    `wanted` is the number of blind verdicts a question needs, 1 or 2. Raises `AnswersRefused` listing every answer that names
    an unknown or closed question, has an unknown verdict, repeats a reviewer's, or contradicts a decision in force or another
    answer given with it; nothing is then written.
    """
    with duckdb.connect() as connection, attached(connection, path):
        questions, verdicts = _state(connection, {a.question_id for a in answers})
        _refuse_bad(answers, questions, verdicts, Standing(decisions_in_force(connection)), wanted, answered_on)
        connection.execute("begin")
        try:
            made = [
                decision
                for answer in answers
                if (decision := _take(connection, answer, questions, verdicts, wanted, answered_on)) is not None
            ]
            connection.execute("commit")
        except BaseException:
            connection.execute("rollback")
            raise
    return made


@dataclass
class _Asked:
    left: UUID
    right: UUID
    status: str
    is_disputed: bool


def _state(connection: duckdb.DuckDBPyConnection, ids: set[UUID]) -> tuple[dict[UUID, _Asked], dict[UUID, list[tuple[str, str]]]]:
    """The questions of these ids, and the (reviewer, verdict) of each, in the order in which they were given."""
    texts = [str(i) for i in ids]
    asked = connection.execute(
        """
        select question_id, left_token, right_token, status, is_disputed
        from registry.review where list_contains($1::varchar[], question_id::varchar)""",
        [texts],
    ).fetchall()
    given: dict[UUID, list[tuple[str, str]]] = {i: [] for i in ids}
    for question_id, reviewer, verdict in connection.execute(
        """
        select question_id, reviewer, verdict
        from registry.verdict where list_contains($1::varchar[], question_id::varchar) order by rowid""",
        [texts],
    ).fetchall():
        given[question_id].append((reviewer, verdict))
    return {row[0]: _Asked(*row[1:]) for row in asked}, given


_CLOSED = {
    "changed": "a record has changed since it was asked; export again, it is asked anew if it is still in doubt",
    "gone": "it is no longer in doubt; leave it out",
    "settled": "it has been decided; `phm review undo` ends a decision",
    "undecided": "reviewers left it undecided",
}


def _refuse_bad(
    answers: Sequence[Answer],
    questions: dict[UUID, _Asked],
    verdicts: dict[UUID, list[tuple[str, str]]],
    standing: Standing,
    wanted: int,
    answered_on: date,
) -> None:
    problems: list[tuple[int, str]] = []
    here: dict[UUID, list[str]] = {}
    for place, answer in enumerate(answers):
        question = questions.get(answer.question_id)
        problem = _ill_formed(answer, question)
        if problem is None and question is not None:
            given = [reviewer for reviewer, _ in verdicts[answer.question_id]]
            with_it = here.setdefault(answer.question_id, [])
            problem = _out_of_turn(answer, question, given, with_it, wanted)
            problem = problem or _contradiction(answer, question, standing, answered_on)
            with_it.append(answer.reviewer)
        if problem:
            problems.append((place, problem))
    if problems:
        raise AnswersRefused(problems)


def _ill_formed(answer: Answer, question: _Asked | None) -> str | None:
    try:
        check_reviewer(answer.reviewer)
    except ConstraintError as error:
        return str(error)
    if answer.verdict not in VERDICTS:
        return f"verdict {answer.verdict!r} is not one of {', '.join(VERDICTS)}"
    if question is None:
        return f"there is no question {answer.question_id}"
    if question.status != "open":
        return f"question {answer.question_id} is closed: {_CLOSED[question.status]}"
    return None


def _out_of_turn(answer: Answer, question: _Asked, given: list[str], with_it: list[str], wanted: int) -> str | None:
    """Why this reviewer may not answer this question now, after those who answered before and those in the same list."""
    name = f"question {answer.question_id}"
    if answer.reviewer in given:
        return f"reviewer {answer.reviewer} has answered {name} already"
    if answer.reviewer in with_it:
        return f"reviewer {answer.reviewer} answers {name} twice"
    if question.is_disputed:
        return f"{name} is disputed and wants one last word, not two" if with_it else None
    return f"{name} has all the blind verdicts it wants ({wanted})" if len(given) + len(with_it) >= wanted else None


def _contradiction(answer: Answer, question: _Asked, standing: Standing, answered_on: date) -> str | None:
    """Why the verdict cannot be true beside what stands; what can be joins what the next answer is held against.

    Two blind reviewers may differ on one question: that is a dispute, not a contradiction, so only the first is held on to.
    """
    kind = VERDICTS[answer.verdict]
    if kind is None:
        return None
    decision = Decision(question.left, question.right, kind, answer.reviewer, answered_on, answer.question_id)
    against = standing.against(decision)
    if any(each.decision_id != answer.question_id for each in against):
        named = "; ".join(str(each) for each in against)
        return f"{decision.decided_by}'s verdict {answer.verdict!r} on question {answer.question_id} contradicts {named}"
    if not against:
        standing.add(decision)
    return None


def _take(
    connection: duckdb.DuckDBPyConnection,
    answer: Answer,
    questions: dict[UUID, _Asked],
    verdicts: dict[UUID, list[tuple[str, str]]],
    wanted: int,
    answered_on: date,
) -> Decision | None:
    question, given = questions[answer.question_id], verdicts[answer.question_id]
    connection.execute(
        "insert into registry.verdict values ($1, $2, $3, $4, $5, $6)",
        [answer.question_id, answer.reviewer, answer.verdict, answer.comment, answered_on, question.is_disputed],
    )
    given.append((answer.reviewer, answer.verdict))
    if question.is_disputed:
        kind, by = VERDICTS[answer.verdict], answer.reviewer
    elif len(given) < wanted:
        return None
    else:
        said = {verdict for _, verdict in given}
        kind = VERDICTS[answer.verdict] if len(said) == 1 else None
        by = "+".join(sorted(reviewer for reviewer, _ in given))
        if kind is None:
            question.is_disputed = True
            connection.execute("update registry.review set is_disputed = true where question_id = $1", [answer.question_id])
            return None
    status = "settled" if kind else "undecided"
    connection.execute(
        "update registry.review set status = $1, closed_on = $2 where question_id = $3", [status, answered_on, answer.question_id]
    )
    if kind is None:
        return None
    decision = Decision(question.left, question.right, kind, by, answered_on, uuid4())
    store_decision(connection, decision, answer.comment)
    return decision


def list_decisions(path: Path) -> list[Decision]:
    """Every decision in force, oldest first."""
    with duckdb.connect() as connection, attached(connection, path):
        return decisions_in_force(connection)


def agreement(path: Path) -> list[Agreement]:
    """How far each two reviewers agree, over every question that both answered blind."""
    with duckdb.connect() as connection, attached(connection, path):
        rows = connection.execute("""
            select one.reviewer, other.reviewer, list([one.verdict, other.verdict])
            from registry.verdict as one
            inner join registry.verdict as other on one.question_id = other.question_id and one.reviewer < other.reviewer
            where not one.is_deciding and not other.is_deciding
            group by all
            order by all""").fetchall()
    return [Agreement(one, other, len(pairs), *cohens_kappa(map(tuple, pairs))) for one, other, pairs in rows]


def cohens_kappa(pairs: Iterable[tuple[str, str]]) -> tuple[float, float | None]:
    """Observed agreement of two raters, and Cohen's kappa (Educational and Psychological Measurement, 1960).

    Kappa is None where it is not defined: when chance alone would agree always.
    """
    both = Counter(pairs)
    n = both.total()
    one, other = Counter(), Counter()
    for (first, second), times in both.items():
        one[first] += times
        other[second] += times
    observed = sum(times for (first, second), times in both.items() if first == second) / n
    by_chance = sum(one[verdict] * other[verdict] for verdict in one) / n**2
    return observed, None if by_chance == 1 else (observed - by_chance) / (1 - by_chance)


@dataclass(frozen=True)
class Tally:
    """Where the queue stands."""

    #: (reason, open, of those waiting for a last word)
    open: tuple[tuple[str, int, int], ...]
    #: how questions were closed -> how many
    closed: dict[str, int]
    #: sample -> (answered the same, answered different), settled questions only
    samples: dict[str, tuple[int, int]]
    n_in_force: int
    n_ended: int


def tally(path: Path) -> Tally:
    """Count the questions of a registry and what became of them."""
    with duckdb.connect() as connection, attached(connection, path):
        opened = connection.execute("""
            select reason, count(*), count(*) filter (is_disputed)
            from registry.review where status = 'open' group by reason order by count(*) desc, reason""").fetchall()
        closed = dict(
            connection.execute(
                "select status, count(*) from registry.review where status <> 'open' group by status order by status"
            ).fetchall()
        )
        samples = {
            name: (same, different)
            for name, same, different in connection.execute("""
                select q.reason, count(*) filter (c.kind = 'must_link'), count(*) filter (c.kind = 'cannot_link')
                from registry.review as q
                inner join registry."constraint" as c
                    on q.left_token = c.left_token and q.right_token = c.right_token and q.closed_on = c.decided_on
                where q.status = 'settled' and q.is_sample
                group by q.reason order by q.reason""").fetchall()
        }
        n_in_force, n_ended = connection.execute("""
            select count(*) filter (expired_on is null), count(*) filter (expired_on is not null)
            from registry."constraint\"""").fetchone()
    return Tally(tuple(opened), closed, samples, n_in_force, n_ended)
