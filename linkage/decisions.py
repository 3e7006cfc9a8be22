"""Decisions of reviewers, and whether they can all be true: no file, no database."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from linkage.errors import ConstraintError

#: Reviewers are known by a short id, such as a staff code; a person's name has no place in the registry.
_REVIEWER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")

_IN_WORDS = {"must_link": "the same person", "cannot_link": "two people"}


def check_reviewer(reviewer: str) -> None:
    """Raise `ConstraintError` for what is not a reviewer's id."""
    if not _REVIEWER.fullmatch(reviewer):
        raise ConstraintError(f"reviewer {reviewer!r} is not an id: letters, digits, dots and dashes, 32 at most, no spaces")


@dataclass(frozen=True)
class Decision:
    """Somebody's word that two records are one person (`must_link`) or two (`cannot_link`)."""

    left: UUID
    right: UUID
    kind: str
    decided_by: str
    decided_on: date
    decision_id: UUID

    def __str__(self) -> str:
        return (
            f"{self.decision_id} ({self.left} and {self.right} are {_IN_WORDS[self.kind]}: "
            f"{self.decided_by}, {self.decided_on.isoformat()})"
        )


class Standing:
    """Decisions that are consistent with each other. Adding one takes about the size of the chain of must-links it meets."""

    def __init__(self, decisions: Iterable[Decision] = ()) -> None:
        self._together: dict[UUID, set[UUID]] = {}
        self._links: dict[UUID, list[Decision]] = defaultdict(list)
        self._apart: dict[UUID, list[Decision]] = defaultdict(list)
        for decision in decisions:
            self._put(decision)

    def add(self, decision: Decision) -> None:
        """Let a decision stand.

        Raises `ConstraintError` naming it and the decisions that it contradicts, directly or through a chain of must-links.
        """
        against = self.against(decision)
        if against:
            named = "; ".join(str(each) for each in against)
            raise ConstraintError(f"decision {decision} contradicts {named}. Undo one of them first")
        self._put(decision)

    def against(self, decision: Decision) -> tuple[Decision, ...]:
        """The standing decisions that together say the opposite; none when it may stand."""
        mine, theirs = self._people(decision.left), self._people(decision.right)
        if decision.kind == "cannot_link":
            return self._chain(decision.left, decision.right) if decision.right in mine else ()
        for token in sorted(mine):
            for apart in self._apart[token]:
                other = apart.right if apart.left == token else apart.left
                if other in theirs:
                    return (apart, *self._chain(decision.left, token), *self._chain(decision.right, other))
        return ()

    def _people(self, token: UUID) -> set[UUID]:
        return self._together.get(token, {token})

    def _put(self, decision: Decision) -> None:
        side = self._links if decision.kind == "must_link" else self._apart
        side[decision.left].append(decision)
        side[decision.right].append(decision)
        if decision.kind == "must_link":
            joined = self._people(decision.left) | self._people(decision.right)
            for token in joined:
                self._together[token] = joined

    def _chain(self, start: UUID, end: UUID) -> tuple[Decision, ...]:
        """The shortest chain of must-links from one record to another that is known to be linked with it."""
        came_by: dict[UUID, tuple[UUID, Decision]] = {}
        waiting = deque([start])
        seen = {start}
        while waiting and end not in seen:
            token = waiting.popleft()
            for link in self._links[token]:
                other = link.right if link.left == token else link.left
                if other not in seen:
                    seen.add(other)
                    came_by[other] = (token, link)
                    waiting.append(other)
        chain = []
        while end != start:
            end, link = came_by[end]
            chain.append(link)
        return tuple(chain)
