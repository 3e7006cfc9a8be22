"""Names for direct care: who the people of a list are, told only to an organisation that cares for them now.

A release knows people by a keyed id. For a request of somebody in the register of access, this module says who is behind the ids,
as far as the organisation has a current relationship with them (`core.care_relationship`): by the organisation's own record of
the person, into a private file that expires. Every request is in the audit log before anything is told, with each id that was
asked for and what became of it; whoever asks does not learn why somebody was refused, or whether there is such a person.
"""

from __future__ import annotations

import csv
import getpass
import hashlib
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb

from linkage.duck import connect
from linkage.explain import read_records
from linkage.registry import attached
from linkage.sql import literal, literals
from linkage.whole_file import written_privately
from orchestration.access_register import AccessError, AccessRefused, read_access, why_not
from orchestration.audit_log import AuditLog
from orchestration.duck import attach_warehouse
from orchestration.names_expiry import expire
from orchestration.night import TIMEZONE
from orchestration.publishing.release import Release, current_release, purpose_id_sql
from orchestration.run_lock import run_lock
from orchestration.settings import Settings
from orchestration.sheet import harmless

_PURPOSE = "direct_care"
_COLUMNS = (
    "person_id", "relationship", "since_date", "local_id", "nhs_number", "family_name", "given_name", "birth_date", "sex",
    "why", "request_id", "expires_on",
)  # fmt: skip
_SHORTEST_REASON = 10


@dataclass(frozen=True)
class Request:
    """What is asked: the people of a cohort, or those of a file with a column `person_id`; for whom, by whom and why."""

    organisation_code: str
    requester: str
    role: str
    reason: str
    days: int
    cohort: str | None = None
    people: Path | None = None


@dataclass(frozen=True)
class Told:
    """What was told: where the list is and until when."""

    request_id: str
    path: Path
    n_asked: int
    n_told: int
    expires_on: date
    audit_head: str


@dataclass(frozen=True)
class _Answer:
    """One id that was asked for. `relationship` is None for whoever is not this organisation's, or nobody."""

    release_person_id: str
    why: str
    relationship: str | None
    since_date: date | None
    record_token: Any


def reidentify(settings: Settings, request: Request, today: date | None = None) -> Told:
    """Tell an organisation who some people are, as far as it may know.

    Raises `AccessError` for a request or a register that cannot be used, `AccessRefused` when nobody may be told, `AuditError`
    when it could not be logged, `RunLocked` while a night runs.
    """
    today = today or datetime.now(TIMEZONE).date()
    release = current_release(settings.releases_dir)
    if release is None:
        raise AccessError("There is no release yet: run `phm run` first.")
    _check(settings, request)
    log, facts = AuditLog(settings.audit_path), _facts(request, release)
    access = read_access(settings.access_register_path, may_speak_for_any=not settings.is_production)
    if fault := why_not(access, request.requester, request.organisation_code, request.role, today):
        log.append("reidentify", **facts, outcome="refused", because=fault, people=[])
        raise AccessRefused(f"Refused, and logged: {fault}.")
    with run_lock(settings.lock_path, "phm reidentify"), _joined(settings) as connection:
        expire(settings, today)
        answers = list(_answers(connection, settings, request, release))
        told = [answer for answer in answers if answer.relationship]
        expires_on = today + timedelta(days=request.days)
        target = settings.reidentified_dir / request.organisation_code / f"{expires_on}_{facts['request_id']}.csv"
        rows = list(_rows(connection, settings, told, facts["request_id"], expires_on))
        head = log.append(
            "reidentify",
            **facts,
            outcome="told" if told else "refused",
            because="" if told else "no current relationship with anybody who was asked for",
            people=[{"person_id": a.release_person_id, "told": bool(a.relationship)} for a in answers],
            expires_on=expires_on.isoformat(),
        )
    if not told:
        raise AccessRefused(
            f"Refused, and logged: {request.organisation_code} has no current relationship with anybody who was asked for."
        )
    with written_privately(target) as beside, beside.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        writer.writerows([[harmless(cell) for cell in row] for row in rows])
    return Told(facts["request_id"], target, len(answers), len(told), expires_on, str(head))


def _check(settings: Settings, request: Request) -> None:
    if (request.cohort is None) == (request.people is None):
        raise AccessError("Name a cohort or a file of people, one of the two.")
    if not re.fullmatch(r"[A-Z0-9]{2,12}", request.organisation_code):
        raise AccessError(f"{request.organisation_code!r} is not an organisation code: capital letters and digits.")
    if len(request.reason.strip()) < _SHORTEST_REASON:
        raise AccessError("Say why, in a sentence: the reason is what an auditor reads.")
    if re.search(r"\d(?:[ -]?\d){9}", request.reason):
        raise AccessError("The reason holds what looks like an NHS number; say why without saying who.")
    if not 1 <= request.days <= settings.reidentification_max_days:
        raise AccessError(
            f"A list lives 1 to {settings.reidentification_max_days} days (PHM_REIDENTIFICATION_MAX_DAYS), not {request.days}."
        )


def _facts(request: Request, release: Release) -> dict[str, Any]:
    """What the audit log keeps of a request."""
    try:
        digest = hashlib.sha256(request.people.read_bytes()).hexdigest() if request.people else None
    except OSError as error:
        raise AccessError(f"{request.people} cannot be read: {error.strerror}.") from error
    return {
        "request_id": str(uuid4()),
        "requester": request.requester,
        "account": getpass.getuser(),
        "host": socket.gethostname(),
        "role": request.role,
        "organisation_code": request.organisation_code,
        "reason": request.reason.strip(),
        "cohort": request.cohort,
        "file_sha256": digest,
        "release_id": release.release_id,
    }


@contextmanager
def _joined(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the night's build database, the registry, and `known`: a release's id -> whose it is today."""
    if not settings.build_database.exists():
        raise AccessError(f"There is no build database at {settings.build_database}: run `phm run` first.")
    with connect(settings.limits) as connection, attached(connection, settings.registry_path, read_only=True):
        attach_warehouse(connection, settings.build_database)
        settings.require_key().install(connection)
        # an id of before a merge stands for the person it went into
        connection.execute(f"""
            create temp table known as
            with recursive step as (
                select old_person_id, person_id from registry.alias where until is null
            ),
            chain as (
                select old_person_id, person_id from step
                union
                select chain.old_person_id, step.person_id from chain inner join step on chain.person_id = step.old_person_id
            ),
            last_step as (
                select old_person_id, person_id from chain where person_id not in (select old_person_id from step)
            )
            select {purpose_id_sql(_PURPOSE)} as release_person_id, coalesce(last_step.person_id, person.person_id) as person_id
            from registry.person as person
            left join last_step on person.person_id = last_step.old_person_id""")
        yield connection


def _answers(connection: duckdb.DuckDBPyConnection, settings: Settings, request: Request, release: Release) -> Iterator[_Answer]:
    """What becomes of each id. Of a cohort only the organisation's own people are looked at; a file is answered line by line."""
    if request.people:
        _read_people(connection, request.people)
    else:
        _read_cohort(connection, str(request.cohort), release)
    rows = connection.execute(
        f"""
        select asked.release_person_id, asked.why, care.relationship, care.since_date, care.record_token
        from asked
        left join known on asked.release_person_id = known.release_person_id
        left join build.core.care_relationship as care
            on known.person_id = care.person_id
            and care.organisation_code = $1
        {"" if request.people else "where care.relationship is not null"}
        qualify row_number() over (partition by asked.release_person_id order by care.relationship = 'open_referral') = 1
        order by asked.release_person_id""",
        [request.organisation_code],
    ).fetchall()
    if len(rows) > settings.reidentification_max_people:
        raise AccessError(
            f"The list has {len(rows):,} people and may have {settings.reidentification_max_people:,} "
            "(PHM_REIDENTIFICATION_MAX_PEOPLE): ask for those who need something now."
        )
    yield from (_Answer(str(asked), why or "", *rest) for asked, why, *rest in rows)


def _read_cohort(connection: duckdb.DuckDBPyConnection, cohort: str, release: Release) -> None:
    members = release.path / _PURPOSE / "parquet" / "person_cohort.parquet"
    connection.execute(
        "create temp table asked as select person_id as release_person_id, cast(evidence as varchar) as why "
        f"from read_parquet({literal(members)}) where cohort_code = $1 and exited_on is null",
        [cohort],
    )
    if not connection.execute("select count(*) from asked").fetchall()[0][0]:
        raise AccessError(f"Release {release.release_id} has nobody in a cohort {cohort!r}; table `cohort` lists the cohorts.")


def _read_people(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    reader = "read_parquet" if path.suffix == ".parquet" else "read_csv"
    options = "" if path.suffix == ".parquet" else ", all_varchar = true, header = true"
    try:
        connection.execute(
            "create temp table line as select row_number() over () as number, cast(person_id as varchar) as person_id "
            f"from {reader}({literal(path)}{options})"
        )
    except duckdb.Error as error:
        raise AccessError(
            f"{path} must be a CSV or Parquet file with a column `person_id`, the ids of a direct care release."
        ) from error
    wrong = connection.execute("select min(number), count(*) from line where try_cast(person_id as uuid) is null").fetchall()[0]
    if wrong[1]:
        raise AccessError(f"{path}, row {wrong[0]}: not an id of a release ({wrong[1]:,} such rows); nobody was asked for.")
    connection.execute(
        "create temp table asked as select distinct cast(person_id as uuid) as release_person_id, null::varchar as why from line"
    )


def _rows(
    connection: duckdb.DuckDBPyConnection, settings: Settings, told: list[_Answer], request_id: str, expires_on: date
) -> Iterator[list[str]]:
    """The lines of the list, by the organisation's own record of each person."""
    records = read_records(connection, settings.identity_dir, {answer.record_token for answer in told})
    files = settings.local_ids_files()
    local_ids = dict(
        connection.execute(
            f"select record_token, any_value(local_id) from read_parquet([{literals(files)}], union_by_name = true) "
            "where record_token in (select unnest($1::varchar[])::uuid) group by record_token",
            [[str(answer.record_token) for answer in told]],
        ).fetchall()
    )
    for answer in told:
        record = records.get(answer.record_token)
        values = record.values if record else {}
        yield [
            answer.release_person_id,
            answer.relationship or "",
            str(answer.since_date or ""),
            local_ids.get(answer.record_token, ""),
            *(values.get(field, "") for field in ("nhs_number", "family_name", "given_name", "birth_date", "sex")),
            answer.why,
            request_id,
            expires_on.isoformat(),
        ]
