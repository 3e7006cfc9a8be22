"""A question laid out for a reviewer: what each side says, where they agree and how much that weighs, and Splink's waterfall.

Everything here identifies people: callers keep it in the identifiable zone and out of logs.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import duckdb

from linkage import registry
from linkage.collapse import collapse
from linkage.errors import LinkageError
from linkage.link import count_groups
from linkage.model import Parameters, level_number, levels
from linkage.score import drop_linker, pair_linker, splink_warnings_are_errors
from linkage.spec import LinkageSpec
from linkage.standardise import identity_files, read_identity, standardise
from linkage.verdicts import Question
from linkage.wording import COMPARED, MEANS

#: What a record says, in the order in which people compare: column of the identity files -> heading.
FIELDS = {
    "nhs_number": "NHS number",
    "given_name": "Given name",
    "middle_names": "Middle names",
    "family_name": "Family name",
    "previous_family_name": "Previous family name",
    "birth_date": "Date of birth",
    "death_date": "Date of death",
    "sex": "Sex",
    "address_lines": "Address",
    "postcode": "Postcode",
    "uprn": "UPRN",
    "phones": "Telephone",
    "email": "E-mail",
    "practice_code": "Practice",
}

#: Why a question is asked, in plain words, by the reason in the registry.
WHY = {
    "two_numbers": "Everything points to one person, but each side has a verified NHS number of its own. A wrong number, a "
    "duplicate registration, or two people alike?",
    "held_once": "Everything points to one person, but one source that lists a person once lists both.",
    "death_dates": "Everything points to one person, but the dates of death, or of death and birth, cannot both be true.",
    "cannot_link": "The evidence points to one person, but a record of one side is known to be somebody else than the other.",
    "twin": "The same birth date and family, but different given names: twins, or one person under two names?",
    "namesake": "The same names, but birth dates far apart: parent and child, or a wrong date?",
    "shared_number": "The same NHS number, but neither name nor birth date agree: a number entered for the wrong person?",
    "no_birth_date": "The evidence is strong, but without a birth date and without a common home or contact.",
    "ambiguous": "This record fits more than one person nearly as well.",
    "between_thresholds": "The evidence is too weak to link by itself and too strong to leave.",
    "bridge": "They are one person now, held together by this one weak link.",
    "large_person": "They are one person now, with more records than nearly anybody.",
    "thin_person": "They are one person now, but most of its records do not resemble each other.",
    "many_numbers": "They are one person now, with more than one verified NHS number.",
    "birth_dates_spread": "They are one person now, with birth dates far apart.",
    "decision_expired": "Somebody decided this before; a record has changed since.",
    "sample_linked": "A sample, to measure quality: they are one person now.",
    "sample_apart": "A sample, to measure quality: they are two people now.",
}


@dataclass(frozen=True)
class Record:
    """One record as its supplier sends it: field of `FIELDS` -> text, newest value; what is not known is not there."""

    record_token: UUID
    source: str
    values: dict[str, str]


@dataclass(frozen=True)
class Evidence:
    """One comparison of two groups of records: what was found, and its weight in bits before the rarity of the value counts."""

    field: str
    found: str
    bits: float

    @property
    def strength(self) -> str:
        """The weight in words."""
        if self.bits == 0:
            return "says nothing"
        side = "for one person" if self.bits > 0 else "against"
        return f"{'strongly ' if abs(self.bits) >= 6 else ''}{side}"


@dataclass(frozen=True)
class Layout:
    """A question as a reviewer sees it."""

    question: Question
    left: Record
    right: Record
    #: The other records of each side's person; the same for both where they are one person now.
    left_others: tuple[Record, ...]
    right_others: tuple[Record, ...]
    are_one_person: bool
    #: Empty for a pair that was never weighed.
    evidence: tuple[Evidence, ...]

    @property
    def why(self) -> str:
        return WHY[self.question.reason]


def lay_out(path: Path, identity_dir: Path, parameters: Parameters, questions: list[Question]) -> list[Layout]:
    """Lay out questions of the registry `path` with the identity records below `identity_dir`, in the order given."""
    tokens = {token for q in questions for token in (q.left_token, q.right_token)}
    with duckdb.connect() as connection:
        with registry.attached(connection, path):
            connection.execute(
                "create temp table asked as select unnest($1::varchar[])::uuid as record_token", [list(map(str, tokens))]
            )
            members = connection.execute("""
                select asked.record_token, mine.person_id, list(other.record_token order by other.record_token)
                from asked
                inner join registry.membership as mine on asked.record_token = mine.record_token and mine.valid_to is null
                inner join registry.membership as other on mine.person_id = other.person_id and other.valid_to is null
                group by all""").fetchall()
            gammas = ", ".join(f"gamma_{name}" for name in levels())
            edges = {
                (left, right): values
                for left, right, *values in connection.execute(f"""
                    select left_token, right_token, {gammas} from registry.edge
                    semi join asked as l on left_token = l.record_token
                    semi join asked as r on right_token = r.record_token""").fetchall()
            }
        person = {token: (person_id, others) for token, person_id, others in members}
        records = read_records(connection, identity_dir, tokens | {t for _, others in person.values() for t in others})
    return [_lay_out(q, person, records, edges, parameters) for q in questions]


def _lay_out(
    question: Question,
    person: dict[UUID, tuple[UUID, list[UUID]]],
    records: dict[UUID, Record],
    edges: dict[tuple[UUID, UUID], list[int]],
    parameters: Parameters,
) -> Layout:
    left, right = question.left_token, question.right_token
    missing = [token for token in (left, right) if token not in person or token not in records]
    if missing:
        raise LinkageError(
            f"record {missing[0]} of question {question.question_id} is no longer here; run the night's load first"
        )

    def others(token: UUID) -> tuple[Record, ...]:
        return tuple(records[t] for t in person[token][1] if t not in (left, right) and t in records)

    return Layout(
        question,
        records[left],
        records[right],
        others(left),
        others(right),
        person[left][0] == person[right][0],
        tuple(_evidence(edges.get((left, right)), parameters)),
    )


def _evidence(gammas: list[int] | None, parameters: Parameters) -> Iterable[Evidence]:
    if gammas is None:
        return
    for (comparison, its_levels), gamma in zip(levels().items(), gammas, strict=True):
        key = next(level.key for level in its_levels if level_number(comparison, level.key) == gamma)
        m, u = (1.0, 1.0) if key == "null" else parameters.weights[comparison][key]
        yield Evidence(COMPARED[comparison], MEANS[key], math.log2(m / u))


def read_records(connection: duckdb.DuckDBPyConnection, identity_dir: Path, tokens: set[UUID]) -> dict[UUID, Record]:
    """What records say of who somebody is, by token; a withdrawn record is not there."""
    read_identity(connection, identity_files(identity_dir))
    newest = ", ".join(
        f"arg_max({_as_text(column)}, coalesce(identity_valid_to, date '9999-12-31')::varchar || printf('%09d', load_seq)) "
        f"filter ({column} is not null) as {column}"
        for column in FIELDS
    )
    rows = connection.execute(
        f"""
        select record_token, min(source), {newest}
        from identity_row
        where record_token in (select unnest($1::varchar[])::uuid) and not coalesce(is_deleted, false)
        group by record_token""",
        [list(map(str, tokens))],
    ).fetchall()
    return {
        token: Record(token, source, {f: str(v) for f, v in zip(FIELDS, values, strict=True) if v not in (None, "")})
        for token, source, *values in rows
    }


def _as_text(column: str) -> str:
    return f"array_to_string({column}, ', ')" if column == "phones" else f"cast({column} as varchar)"


def waterfall(
    path: Path, identity_dir: Path, left: UUID, right: UUID, *, spec: LinkageSpec, parameters: Parameters, as_of: date
) -> dict[str, Any]:
    """Splink's waterfall chart of two records, as a Vega-Lite specification with its data.

    All records are standardised, because whether a value counts depends on how many others have it; the weight is that of a
    night. Raises `LinkageError` when a record is not there or both belong to one group that a shared NHS number proves.
    """
    with duckdb.connect() as connection, registry.attached(connection, path):
        read_identity(connection, identity_files(identity_dir))
        standardise(connection, spec, f"date '{as_of.isoformat()}'")
        registry.read_constraints(connection)
        collapse(connection, spec)
        ids = dict(
            connection.execute(
                """
                select g.record_token, rep.rep_id
                from grouped as g inner join representative as rep on g.rep_token = rep.rep_token
                where g.record_token in ($1, $2)""",
                [left, right],
            ).fetchall()
        )
        for token in (left, right):
            if token not in ids:
                raise LinkageError(f"there is no record {token} that says who it is")
        one, other = sorted((ids[left], ids[right]))
        if one == other:
            raise LinkageError("both records carry the same NHS number and agree, so they are one person without being weighed")
        connection.execute(
            "create or replace temp table pair as "
            f"select 0 as match_key, {one}::integer as join_key_l, {other}::integer as join_key_r"
        )
        n_groups = count_groups(connection)
        with splink_warnings_are_errors():
            linker = pair_linker(connection, parameters, n_groups, keep_calculation=True)
            predicted = linker.inference.predict().as_record_list()
        chart = linker.visualisations.waterfall_chart(predicted, filter_nulls=False).chart_dict
        drop_linker(connection, linker)
    return chart
