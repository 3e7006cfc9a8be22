"""The registry of persons: random ids that stay, and the history of every change to them.

A DuckDB file with the tables `person`, `record`, `membership`, `edge`, `constraint`, `person_event`, `alias`, `review`, `metric`,
`record_fact` and `run`. Every run changes it in one transaction. A person id is minted at random, never derived from anything,
never reused; an id that was merged away resolves through `alias` for ever.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from uuid import UUID, uuid4

import duckdb

from linkage.errors import ConstraintError, RegistryError
from linkage.model import levels

_SCHEMA = (
    "person (person_id uuid not null, minted_on date not null, minted_run varchar not null, retired_on date)",
    "record (record_token uuid not null, source varchar not null, record_hash varchar not null, rep_token uuid not null, "
    "content_hash varchar, match_method varchar not null, match_weight double, first_linked_on date not null)",
    "membership (record_token uuid not null, person_id uuid not null, valid_from date not null, valid_to date, "
    "run_id varchar not null)",
    "edge (left_token uuid not null, right_token uuid not null, match_key integer not null, evidence double not null, "
    + ", ".join(f"gamma_{name} tinyint not null" for name in levels())
    + ")",
    '"constraint" (left_token uuid not null, right_token uuid not null, kind varchar not null, reason varchar not null, '
    "decided_by varchar not null, decided_on date not null, left_hash varchar not null, right_hash varchar not null, "
    "expired_on date)",
    "person_event (run_id varchar not null, happened_on date not null, event varchar not null, person_id uuid not null, "
    "other_person_id uuid, n_records bigint not null, cause varchar not null)",
    "alias (old_person_id uuid not null, person_id uuid not null, since date not null, run_id varchar not null)",
    "review (left_token uuid not null, right_token uuid not null, reason varchar not null, match_weight double not null, "
    "opened_on date not null, status varchar not null)",
    "metric (run_id varchar not null, metric varchar not null, source varchar not null, value double not null)",
    "record_fact (record_token uuid not null, has_number boolean, is_register boolean, name_structure varchar, "
    "birth_date_state varchar, postcode_state varchar, is_unlinkable boolean, withheld_outcome varchar)",
    "run (run_id varchar not null, as_of date not null, finished_at timestamptz not null, input_fingerprint varchar not null, "
    "score_fingerprint varchar not null, model_version varchar not null, is_unchanged boolean not null)",
)

#: Below this many known records, finding none of them again is no sign of anything.
_ENOUGH_TO_JUDGE = 100


def random_ids(count: int) -> list[UUID]:
    """Fresh random person ids."""
    return [uuid4() for _ in range(count)]


IdSource = Callable[[int], list[UUID]]


@contextmanager
def attached(connection: duckdb.DuckDBPyConnection, path: Path, *, read_only: bool = False) -> Iterator[None]:
    """Attach the registry as `registry`, making it first if it is not there, unless it is only to be read.

    Raises `RegistryError` when the file is not a whole registry, naming the copy of the last good one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection.execute(f"attach '{_quoted(path)}' as registry {'(read_only)' if read_only else ''}")
        for table in () if read_only else _SCHEMA:
            connection.execute(f"create table if not exists registry.{table}")
    except duckdb.Error as error:
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


def _advice(path: Path) -> str:
    kept = previous_copy(path)
    if kept.exists():
        return f"the last good one is {kept}: move it to {path.name} and run again"
    return "restore it from a backup; starting without it would give every person a new id"


def previous_copy(path: Path) -> Path:
    """Where the registry as it was before the last change is kept."""
    return path.with_suffix(".previous" + path.suffix)


def keep_previous(path: Path) -> None:
    """Copy a closed registry beside itself, whole or not at all."""
    if not path.exists():
        return
    beside = path.with_suffix(".copying" + path.suffix)
    shutil.copyfile(path, beside)
    beside.chmod(0o600)
    beside.replace(previous_copy(path))


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


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
            "old key back, or start a new registry in an empty folder and accept new person ids"
        )


def read_constraints(connection: duckdb.DuckDBPyConnection) -> None:
    """`live_constraint`: decisions in force. Each was about two records as they were; it ends when either changes or goes."""
    connection.execute("""
        create or replace temp table live_constraint as
        select c.rowid as row_id, c.left_token, c.right_token, c.kind
        from registry."constraint" as c
        inner join record as l on c.left_token = l.record_token and c.left_hash = l.record_hash
        inner join record as r on c.right_token = r.record_token and c.right_hash = r.record_hash
        where c.expired_on is null""")


def expire_constraints(connection: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Close the decisions that are no longer in force."""
    connection.execute(
        """
        update registry."constraint" as c set expired_on = $1
        where c.expired_on is null and c.rowid not in (select row_id from live_constraint)""",
        [as_of],
    )


def decide(path: Path, left: UUID, right: UUID, kind: str, *, reason: str, decided_by: str, decided_on: date) -> None:
    """Write a reviewer's decision about two records; it holds from the next run on.

    `kind` is `must_link` or `cannot_link`. Raises `ConstraintError` when a record is not in the registry or another live decision
    says, directly or through a chain of must-links, the opposite.
    """
    if kind not in ("must_link", "cannot_link"):
        raise ConstraintError(f"a decision is must_link or cannot_link, not {kind!r}")
    left, right = sorted((left, right))
    with duckdb.connect() as connection, attached(connection, path):
        hashes = dict(
            connection.execute(
                "select record_token, record_hash from registry.record where record_token in ($1, $2)", [left, right]
            ).fetchall()
        )
        for token in (left, right):
            if token not in hashes:
                raise ConstraintError(f"record {token} is not in the registry; link its source first")
        _refuse_contradiction(connection, left, right, kind)
        connection.execute(
            'insert into registry."constraint" values ($1, $2, $3, $4, $5, $6, $7, $8, null)',
            [left, right, kind, reason, decided_by, decided_on, hashes[left], hashes[right]],
        )


def _refuse_contradiction(connection: duckdb.DuckDBPyConnection, left: UUID, right: UUID, kind: str) -> None:
    live = connection.execute(
        'select left_token, right_token, kind from registry."constraint" where expired_on is null order by all'
    ).fetchall()
    pairs = [(a, b) for a, b, k in live if k == "must_link"] + ([(left, right)] if kind == "must_link" else [])
    apart = [(a, b) for a, b, k in live if k == "cannot_link"] + ([(left, right)] if kind == "cannot_link" else [])
    together: dict[UUID, set[UUID]] = {}
    for a, b in pairs:
        joined = together.get(a, {a}) | together.get(b, {b})
        for token in joined:
            together[token] = joined
    for a, b in apart:
        if b in together.get(a, {a}):
            raise ConstraintError(
                f"{kind} of {left} and {right} contradicts a decision in force: records {a} and {b} would have to be one person "
                "and two; end one of the decisions first"
            )


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
    connection.execute("delete from registry.record where record_token in (select record_token from record_differs)")
    connection.execute(
        "insert into registry.record select n.* from record_next as n semi join record_differs as d using (record_token)"
    )


def store_edges(connection: duckdb.DuckDBPyConnection) -> None:
    """Replace `registry.edge` by `edge` as far as they differ."""
    connection.execute("delete from registry.edge as e where not exists (select 1 from kept_edge as k where k.row_id = e.rowid)")
    connection.execute("insert into registry.edge select * from edge_new")


def assign(connection: duckdb.DuckDBPyConnection, run_id: str, as_of: date, new_ids: IdSource) -> None:
    """Give every cluster of `record_cluster` (record_token, cluster) a person id and write what changed.

    A cluster keeps the id that most of its records had, the oldest of equals; an id goes to the one cluster that holds most of
    its records. A cluster left without an id gets a fresh one.
    """
    _inherit(connection)
    _mint(connection, run_id, as_of, new_ids)
    _write_events(connection, run_id, as_of)
    _write_persons(connection, run_id, as_of)
    connection.execute("""
        create or replace temp table moved as
        select next.record_token, next.person_id
        from record_person as next
        left join current_membership as now on next.record_token = now.record_token
        where now.person_id is distinct from next.person_id""")
    connection.execute(
        """
        update registry.membership as m set valid_to = $1
        where
            m.valid_to is null
            and (
                m.record_token in (select record_token from moved)
                or m.record_token not in (select record_token from record_person)
            )""",
        [as_of],
    )
    connection.execute("insert into registry.membership select record_token, person_id, $1, null, $2 from moved", [as_of, run_id])


def _inherit(connection: duckdb.DuckDBPyConnection) -> None:
    """`inherited` (cluster, person_id): rounds of mutual first choice between clusters and old ids, until none is left."""
    connection.execute("""
        create or replace temp table current_membership as
        select record_token, person_id from registry.membership where valid_to is null""")
    connection.execute("""
        create or replace temp table overlap as
        select
            rc.cluster,
            m.person_id,
            count(*) as n_records,
            any_value(p.minted_on) as minted_on
        from record_cluster as rc
        inner join current_membership as m on rc.record_token = m.record_token
        inner join registry.person as p on m.person_id = p.person_id
        group by rc.cluster, m.person_id""")
    connection.execute("create or replace temp table inherited (cluster uuid, person_id uuid)")
    connection.execute("create or replace temp table open_overlap as select * from overlap")
    while True:
        connection.execute("""
            create or replace temp table agreed as
            select cluster, person_id
            from (
                select
                    *,
                    row_number() over (
                        partition by cluster order by n_records desc, minted_on, person_id
                    ) as persons_place,
                    row_number() over (partition by person_id order by n_records desc, cluster) as clusters_place
                from open_overlap
            )
            where persons_place = 1 and clusters_place = 1""")
        (n_agreed,) = connection.execute("select count(*) from agreed").fetchone()
        if n_agreed == 0:
            return
        connection.execute("insert into inherited select * from agreed")
        connection.execute("""
            create or replace temp table open_overlap as
            select * from open_overlap
            where
                cluster not in (select cluster from agreed)
                and person_id not in (select person_id from agreed)""")


def _mint(connection: duckdb.DuckDBPyConnection, run_id: str, as_of: date, new_ids: IdSource) -> None:
    connection.execute("""
        create or replace temp table needs_id as
        select cluster, row_number() over (order by cluster) as n
        from (select distinct cluster from record_cluster)
        where cluster not in (select cluster from inherited)""")
    (count,) = connection.execute("select count(*) from needs_id").fetchone()
    connection.execute("create or replace temp table minted (n bigint, person_id uuid)")
    if count:
        ids = [str(i) for i in new_ids(count)]
        connection.execute("insert into minted select generate_subscripts($1::varchar[], 1), unnest($1::varchar[])::uuid", [ids])
    connection.execute("""
        create or replace temp table cluster_person as
        select cluster, person_id, false as is_new from inherited
        union all
        select needs_id.cluster, minted.person_id, true from needs_id inner join minted on needs_id.n = minted.n""")
    connection.execute("""
        create or replace temp table record_person as
        select rc.record_token, cp.person_id
        from record_cluster as rc
        inner join cluster_person as cp on rc.cluster = cp.cluster""")
    connection.execute(
        "insert into registry.person select person_id, $1, $2, null from cluster_person where is_new", [as_of, run_id]
    )


def _write_events(connection: duckdb.DuckDBPyConnection, run_id: str, as_of: date) -> None:
    """One event per person and cause. What happened follows from where each old id's records are now."""
    connection.execute("""
        create or replace temp table flow as
        select
            now.person_id as old_person,
            next.person_id as new_person,
            count(*) as n_records
        from record_person as next
        full join current_membership as now on next.record_token = now.record_token
        group by all""")
    connection.execute(
        """
        insert into registry.person_event
        with survivor as (select distinct person_id from record_person),
        minted_now as (select person_id from cluster_person where is_new),

        event as (
            -- records seen for the first time
            select
                case when new_person in (select person_id from minted_now) then 'mint' else 'extend' end as event,
                new_person as person_id, null::uuid as other_person_id, n_records, 'new records' as cause
            from flow where old_person is null and new_person is not null
            union all
            -- an id whose records all went elsewhere has been merged away
            select 'merge', new_person, old_person, n_records, 'records linked'
            from flow
            where old_person is not null and new_person <> old_person and old_person not in (select person_id from survivor)
            union all
            -- records that left an id which lives on: to a fresh id it is a split, to another person a reassignment
            select
                case when new_person in (select person_id from minted_now) then 'split' else 'reassign' end,
                old_person, new_person, n_records, 'links withdrawn'
            from flow
            where new_person <> old_person and old_person in (select person_id from survivor)
            union all
            select 'tombstone', old_person, null, n_records, 'records withdrawn by their suppliers'
            from flow
            where
                new_person is null and old_person not in (select person_id from survivor)
                and old_person not in (select old_person from flow where old_person is not null and new_person is not null)
        )

        select $1, $2, event, person_id, other_person_id, n_records, cause from event order by all""",
        [run_id, as_of],
    )


def _write_persons(connection: duckdb.DuckDBPyConnection, run_id: str, as_of: date) -> None:
    """Retire ids that hold nothing now and let each resolve to whoever took most of its records; alias chains stay one step."""
    connection.execute("""
        create or replace temp table retired as
        select old_person as person_id, max(row(n_records, new_person)) filter (new_person is not null)[2] as heir
        from flow
        where old_person is not null and old_person not in (select person_id from record_person)
        group by old_person""")
    connection.execute(
        "update registry.person as p set retired_on = $1 where p.person_id in (select person_id from retired)", [as_of]
    )
    connection.execute("""
        update registry.alias as a set person_id = retired.heir
        from retired
        where a.person_id = retired.person_id and retired.heir is not null""")
    connection.execute(
        "insert into registry.alias select person_id, heir, $1, $2 from retired where heir is not null", [as_of, run_id]
    )


def store_review(connection: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Replace the open questions by those of `review_next` (left_token, right_token, reason, match_weight)."""
    connection.execute(
        """
        create or replace temp table review_kept as
        select n.*, coalesce(r.opened_on, $1) as opened_on
        from review_next as n
        left join registry.review as r
            on n.left_token = r.left_token and n.right_token = r.right_token and n.reason = r.reason and r.status = 'open'""",
        [as_of],
    )
    connection.execute("delete from registry.review where status = 'open'")
    connection.execute(
        "insert into registry.review select left_token, right_token, reason, match_weight, opened_on, 'open' from review_kept"
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
