"""The registry of persons: one DuckDB file that holds records, persons, what is known of pairs, and what reviewers said.

Tables: `person`, `record`, `membership`, `edge`, `constraint`, `person_event`, `alias`, `review`, `verdict`,
`metric`, `record_fact` and `run`.
Every run changes it in one transaction. How person ids go from one night to the next is in `persons`.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import duckdb

from linkage.decisions import Decision, Standing, check_reviewer
from linkage.errors import ConstraintError, RegistryError
from linkage.model import levels
from linkage.sql import literal

_SCHEMA = {
    "person": "person_id uuid not null, minted_on date not null, minted_run varchar not null, retired_on date",
    "record": "record_token uuid not null, source varchar not null, record_hash varchar not null, rep_token uuid not null, "
    "content_hash varchar, match_method varchar not null, match_weight double, first_linked_on date not null",
    "membership": "record_token uuid not null, person_id uuid not null, valid_from date not null, valid_to date, "
    "run_id varchar not null",
    "edge": "left_token uuid not null, right_token uuid not null, match_key integer not null, evidence double not null, "
    + ", ".join(f"gamma_{name} tinyint not null" for name in levels()),
    # a decision in force has no expired_on; one that ended says why, by whom, and which run first went without it
    "constraint": "left_token uuid not null, right_token uuid not null, kind varchar not null, reason varchar not null, "
    "decided_by varchar not null, decided_on date not null, left_hash varchar not null, right_hash varchar not null, "
    "expired_on date, decision_id uuid, ended_because varchar, ended_by varchar, ended_run varchar",
    "person_event": "run_id varchar not null, happened_on date not null, event varchar not null, person_id uuid not null, "
    "other_person_id uuid, n_records bigint not null, cause varchar not null, cause_left uuid, cause_right uuid, "
    "cause_detail varchar",
    "alias": "old_person_id uuid not null, person_id uuid not null, since date not null, run_id varchar not null, until date",
    "review": "left_token uuid not null, right_token uuid not null, reason varchar not null, match_weight double, "
    "opened_on date not null, status varchar not null, question_id uuid, left_hash varchar, right_hash varchar, "
    "n_records bigint, importance double, is_sample boolean, is_disputed boolean, closed_on date",
    "verdict": "question_id uuid not null, reviewer varchar not null, verdict varchar not null, comment varchar, "
    "answered_on date not null, is_deciding boolean not null",
    "metric": "run_id varchar not null, metric varchar not null, source varchar not null, value double not null",
    "record_fact": "record_token uuid not null, has_number boolean, is_register boolean, name_structure varchar, "
    "birth_date_state varchar, postcode_state varchar, is_unlinkable boolean, withheld_outcome varchar",
    "run": "run_id varchar not null, as_of date not null, finished_at timestamptz not null, input_fingerprint varchar not null, "
    "score_fingerprint varchar not null, model_version varchar not null, is_unchanged boolean not null",
}

#: Columns of `person_event` that hold tokens, beside those named `_token`.
_CAUSES = ("cause_left", "cause_right")

#: Below this many known records, finding none of them again is no sign of anything.
_ENOUGH_TO_JUDGE = 100


@contextmanager
def attached(connection: duckdb.DuckDBPyConnection, path: Path, *, read_only: bool = False) -> Iterator[None]:
    """Attach the registry as `registry`, making it first if it is not there, unless it is only to be read.

    Raises `RegistryError` when the file is not a whole registry, naming the copy of the last good one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # an empty file would open as a new registry, and everybody would get a new id
    if previous_copy(path).exists() and (not path.exists() or path.stat().st_size == 0):
        raise RegistryError(f"the registry {path} is missing or empty; {_advice(path)}")
    try:
        connection.execute(f"attach {literal(path)} as registry {'(read_only)' if read_only else ''}")
        if not read_only:
            _bring_up_to_date(connection)
    except duckdb.Error as error:
        if "lock" in str(error).lower():
            raise RegistryError(f"the registry {path} is in use by another process; wait for it to end and try again") from error
        raise RegistryError(f"the registry {path} cannot be read ({type(error).__name__}); {_advice(path)}") from error
    try:
        yield
    except duckdb.Error as error:
        # a file that lost its tail opens well and fails on the first row that is gone
        if path.name in str(error) and any(sign in str(error) for sign in ("Could not read", "Corrupt", "checksum")):
            raise RegistryError(f"the registry {path} is damaged; {_advice(path)}") from error
        raise
    finally:
        connection.execute("detach registry")
        if path.exists():
            path.chmod(0o600)


def _bring_up_to_date(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables and columns that are missing, so that a registry outlives the version that made it."""
    for table, columns in _SCHEMA.items():
        connection.execute(f'create table if not exists registry."{table}" ({columns})')
    is_nullable = {
        (table, column): nullable
        for table, column, nullable in connection.execute(
            "select table_name, column_name, is_nullable from duckdb_columns() where database_name = 'registry'"
        ).fetchall()
    }
    for table, columns in _SCHEMA.items():
        for column in columns.split(", "):
            name, dtype, *not_null = column.split(" ", 2)
            if (table, name) not in is_nullable:
                connection.execute(f'alter table registry."{table}" add column {name} {dtype}')
            elif is_nullable[table, name] == bool(not_null):
                connection.execute(f'alter table registry."{table}" alter column {name} drop not null')
    connection.execute('update registry."constraint" set decision_id = uuid() where decision_id is null')


def _advice(path: Path) -> str:
    kept = previous_copy(path)
    if kept.exists():
        return f"the last good one is {kept}: move it to {path.name} and run again"
    return "restore it from a backup; starting without it would give every person a new id"


def previous_copy(path: Path) -> Path:
    """Where the registry as it was before the last change is kept."""
    return path.with_suffix(".previous" + path.suffix)


def rekey(connection: duckdb.DuckDBPyConnection) -> None:
    """Give every record the token it has under another key: table `rekeyed` (old_token, new_token) says which.

    Persons, histories, decisions and open questions stay as they are. What was known of pairs is dropped: the next run weighs
    them anew, with the same result. Raises `RegistryError` when a record has no new token.
    """
    (lost,) = connection.execute(
        "select count(*) from registry.record where record_token not in (select old_token from rekeyed)"
    ).fetchone() or (0,)
    if lost:
        raise RegistryError(
            f"{lost:,} records of the registry are in no file of the identifiable zone, so they have no new token"
        )
    for table, columns in _SCHEMA.items():
        for column in (definition.split(" ", 2)[0] for definition in columns.split(", ")):
            if column.endswith("_token") or column in _CAUSES:
                connection.execute(
                    f'update registry."{table}" as t set {column} = rekeyed.new_token '
                    f"from rekeyed where t.{column} = rekeyed.old_token"
                )
    connection.execute("delete from registry.edge")
    connection.execute("update registry.record set content_hash = null")
    for table in ("constraint", "review"):
        connection.execute(f"""
            update registry."{table}"
            set left_token = right_token, right_token = left_token, left_hash = right_hash, right_hash = left_hash
            where left_token > right_token""")


def keep_previous(path: Path) -> None:
    """Copy a closed registry beside itself, whole or not at all."""
    if not path.exists():
        return
    beside = path.with_suffix(".copying" + path.suffix)
    shutil.copyfile(path, beside)
    beside.chmod(0o600)
    beside.replace(previous_copy(path))


def refuse_strangers(connection: duckdb.DuckDBPyConnection) -> None:
    """Raise `RegistryError` when not one known record came again: the key of the record tokens has changed."""
    (n_known, n_again) = connection.execute("""
        select count(*), count(record.record_token)
        from registry.record as known
        left join record on known.record_token = record.record_token
        where known.source in (select source from record)""").fetchone()
    if n_known >= _ENOUGH_TO_JUDGE and n_again == 0:
        raise RegistryError(
            f"none of the {n_known:,} records in the registry came again. The pseudonymisation key has probably changed: put the "
            "old key back; `phm keys rotate` goes over to a new one and keeps every person id"
        )


def read_constraints(connection: duckdb.DuckDBPyConnection) -> None:
    """`live_constraint`: decisions in force. Each was about two records as they were; it ends when either changes or goes."""
    connection.execute("""
        create or replace temp table live_constraint as
        select c.rowid as row_id, c.left_token, c.right_token, c.kind, c.decision_id, c.decided_by
        from registry."constraint" as c
        inner join record as l on c.left_token = l.record_token and c.left_hash = l.record_hash
        inner join record as r on c.right_token = r.record_token and c.right_hash = r.record_hash
        where c.expired_on is null""")


def expire_constraints(connection: duckdb.DuckDBPyConnection, run_id: str, as_of: date) -> None:
    """Close the decisions that are no longer in force, and mark those that this run is the first to go without."""
    connection.execute(
        """
        update registry."constraint" as c set
            expired_on = $1,
            ended_because = case
                when c.left_token in (select record_token from record) and c.right_token in (select record_token from record)
                    then 'record_changed'
                else 'record_withdrawn'
            end
        where c.expired_on is null and c.rowid not in (select row_id from live_constraint)""",
        [as_of],
    )
    connection.execute(
        'update registry."constraint" set ended_run = $1 where expired_on is not null and ended_run is null', [run_id]
    )


def decide(path: Path, left: UUID, right: UUID, kind: str, *, reason: str, decided_by: str, decided_on: date) -> UUID:
    """Write a reviewer's decision about two records; it holds from the next run on. Gives the decision's id.

    `kind` is `must_link` or `cannot_link`. Raises `ConstraintError` when a record is not in the registry or another decision in
    force says, directly or through a chain of must-links, the opposite; both are named.
    """
    if kind not in ("must_link", "cannot_link"):
        raise ConstraintError(f"a decision is must_link or cannot_link, not {kind!r}")
    left, right = sorted((left, right))
    decision = Decision(left, right, kind, decided_by, decided_on, uuid4())
    with duckdb.connect() as connection, attached(connection, path):
        for token in (left, right):
            if not connection.execute("select 1 from registry.record where record_token = $1", [token]).fetchone():
                raise ConstraintError(f"record {token} is not in the registry; link its source first")
        Standing(decisions_in_force(connection)).add(decision)
        store_decision(connection, decision, reason)
    return decision.decision_id


def store_decision(connection: duckdb.DuckDBPyConnection, decision: Decision, reason: str) -> None:
    """Write a decision about two records as they are in the attached registry now."""
    connection.execute(
        """
        insert into registry."constraint"
            (left_token, right_token, kind, reason, decided_by, decided_on, left_hash, right_hash, decision_id)
        select $left, $right, $kind, $reason, $decided_by, $decided_on, l.record_hash, r.record_hash, $decision_id
        from registry.record as l, registry.record as r
        where l.record_token = $left and r.record_token = $right""",
        {**asdict(decision), "reason": reason},
    )


def decisions_in_force(connection: duckdb.DuckDBPyConnection) -> list[Decision]:
    """Every decision of the attached registry that has not ended, oldest first."""
    rows = connection.execute("""
        select left_token, right_token, kind, decided_by, decided_on, decision_id
        from registry."constraint" where expired_on is null order by decided_on, rowid""").fetchall()
    return [Decision(*row) for row in rows]


def undo(path: Path, decision_id: UUID, *, ended_by: str, ended_on: date) -> Decision:
    """End a decision that should not have been made. From the next run on both persons are as if it never was, ids included.

    Raises `ConstraintError` when there is no such decision or it has ended already.
    """
    check_reviewer(ended_by)
    with duckdb.connect() as connection, attached(connection, path):
        row = connection.execute(
            """
            select left_token, right_token, kind, decided_by, decided_on, decision_id, expired_on, ended_because
            from registry."constraint" where decision_id = $1""",
            [decision_id],
        ).fetchone()
        if row is None:
            raise ConstraintError(f"there is no decision {decision_id}; `phm review list --decided` names them")
        *of_decision, expired_on, ended_because = row
        if expired_on is not None:
            raise ConstraintError(f"decision {decision_id} already ended on {expired_on} ({ended_because})")
        connection.execute(
            """
            update registry."constraint" set expired_on = $1, ended_because = 'undone', ended_by = $2
            where decision_id = $3""",
            [ended_on, ended_by, decision_id],
        )
    return Decision(*of_decision)


def store_records(connection: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Bring `registry.record` to what `record_linked` says, writing only the rows that differ."""
    connection.execute(
        """
        create or replace temp table record_next as
        select
            linked.record_token, linked.source, linked.record_hash, linked.rep_token, linked.content_hash,
            linked.match_method, linked.match_weight, coalesce(known.first_linked_on, $1) as first_linked_on
        from record_linked as linked
        left join registry.record as known on linked.record_token = known.record_token""",
        [as_of],
    )
    connection.execute("""
        create or replace temp table record_differs as
        select record_token from (select * from registry.record except all select * from record_next)
        union
        select record_token from (select * from record_next except all select * from registry.record)""")
    # what records said before is gone after this; the causes of the night's events need to know whose changed
    connection.execute("""
        create or replace temp table changed_record as
        select n.record_token
        from record_next as n
        inner join registry.record as known on n.record_token = known.record_token
        where n.record_hash <> known.record_hash""")
    connection.execute("delete from registry.record where record_token in (select record_token from record_differs)")
    connection.execute(
        "insert into registry.record select n.* from record_next as n semi join record_differs as d using (record_token)"
    )


def store_edges(connection: duckdb.DuckDBPyConnection) -> None:
    """Replace `registry.edge` by `edge` as far as they differ."""
    connection.execute("delete from registry.edge as e where not exists (select 1 from kept_edge as k where k.row_id = e.rowid)")
    connection.execute("insert into registry.edge select * from edge_new")


def store_review(connection: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Bring the open questions to what `review_next` asks (see `review.queue`); what is no longer asked is closed, not lost.

    A question is about two records as they were: when one changes it is closed as `changed` and asked anew; a pair no longer in
    doubt is closed as `gone`.
    """
    connection.execute("""
        create or replace temp table question_over as
        select q.question_id, l.record_token is not null and r.record_token is not null as are_as_they_were
        from registry.review as q
        left join registry.record as l on q.left_token = l.record_token and q.left_hash = l.record_hash
        left join registry.record as r on q.right_token = r.record_token and q.right_hash = r.record_hash
        anti join review_next as n
            on
                n.left_token = q.left_token and n.right_token = q.right_token
                and n.left_hash = q.left_hash and n.right_hash = q.right_hash
        where q.status = 'open'""")
    connection.execute(
        """
        update registry.review as q
        set closed_on = $1, status = case when o.are_as_they_were then 'gone' else 'changed' end
        from question_over as o
        where q.question_id is not distinct from o.question_id and q.status = 'open'""",
        [as_of],
    )
    connection.execute("""
        update registry.review as q set
            reason = n.reason, match_weight = n.match_weight, n_records = n.n_records, importance = n.importance,
            is_sample = n.is_sample
        from review_next as n
        where q.status = 'open' and n.left_token = q.left_token and n.right_token = q.right_token""")
    connection.execute(
        """
        insert into registry.review
            (left_token, right_token, reason, match_weight, opened_on, status, question_id, left_hash, right_hash, n_records,
            importance, is_sample, is_disputed)
        select
            left_token, right_token, reason, match_weight, $1, 'open', uuid(), left_hash, right_hash, n_records, importance,
            is_sample, false
        from review_next as n
        anti join (select left_token, right_token from registry.review where status = 'open') as q
            on n.left_token = q.left_token and n.right_token = q.right_token
        order by left_token, right_token""",
        [as_of],
    )


def store_facts(connection: duckdb.DuckDBPyConnection) -> None:
    """Replace `registry.record_fact` by `record_described` and what became of the records of `withheld`."""
    connection.execute("""
        create or replace table registry.record_fact as
        select described.*, withheld.outcome as withheld_outcome
        from record_described as described
        left join withheld on described.record_token = withheld.record_token""")


def store_run(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    as_of: date,
    input_fingerprint: str,
    score_fingerprint: str,
    model_version: str,
    *,
    is_unchanged: bool,
) -> None:
    """Write that a run was made, of what, and with which scoring."""
    connection.execute(
        "insert into registry.run values ($1, $2, now(), $3, $4, $5, $6)",
        [run_id, as_of, input_fingerprint, score_fingerprint, model_version, is_unchanged],
    )
