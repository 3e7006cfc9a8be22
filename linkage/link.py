"""The night's linkage: identity files in, registry brought up to date, the patient index out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import duckdb
import numpy as np

from linkage import persons, registry, review
from linkage.block import RuleCount, block, pair
from linkage.collapse import collapse
from linkage.duck import Limits, connect
from linkage.facts import describe_records
from linkage.merge import REFUSALS, merge, plain, read_groups
from linkage.model import Parameters
from linkage.output import OUTPUT_COLUMNS, write_outputs
from linkage.score import TWO_PEOPLE, judge, score
from linkage.spec import LinkageSpec
from linkage.standardise import identity_files, read_identity, standardise
from linkage.withhold import withhold

Progress = Callable[[str], None]

#: Records that lose their NHS number on trial in one night: shares of a tenth are then known to half a per cent.
MOST_WITHHELD = 10_000


@dataclass(frozen=True)
class LinkageReport:
    """What a run did. Counts only, nothing about anybody."""

    run_id: str
    as_of: date
    is_unchanged: bool
    n_records: int
    n_people: int
    n_pairs_scored: int
    n_review: int
    #: Events of this run: mint, extend, merge, split, reassign, tombstone -> how many.
    events: dict[str, int]
    rules: tuple[RuleCount, ...]
    seconds: dict[str, float] = field(default_factory=dict)


class Clock:
    """Times the steps and tells the caller about each."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._started = time.perf_counter()
        self.seconds: dict[str, float] = {}

    def done(self, step: str) -> None:
        now = time.perf_counter()
        self.seconds[step] = round(now - self._started, 3)
        self._started = now
        self._progress(f"{step}: {self.seconds[step]:.1f} s")


def silent(_: str) -> None:
    """Tell nobody."""


def link(
    identity_dir: Path,
    registry_path: Path,
    output_dir: Path,
    *,
    spec: LinkageSpec,
    parameters: Parameters,
    run_id: str,
    as_of: date,
    limits: Limits,
    progress: Progress = silent,
    new_ids: persons.IdSource = persons.random_ids,
    most_withheld: int = MOST_WITHHELD,
    force: bool = False,
) -> LinkageReport:
    """Link every record below `identity_dir` (`<source>/<table>/<load_seq>.parquet`) and write the index to `output_dir`.

    Only groups that changed since the last run are scored; their weights, and so the result, are exactly those of a full run,
    because a weight depends on two groups and the trained numbers alone. `force` scores everything. At most `most_withheld`
    records are linked once more without their NHS number, for the estimate of what linkage misses. When neither the files, the
    spec, the model nor the decisions changed, nothing is computed and the outputs are written again from the registry.

    The registry changes in one transaction before the outputs are renamed into place: a run killed in between is completed by
    the next. Raises `LinkageError` and its kinds; the registry and the outputs are then as they were.
    """
    clock = Clock(progress)
    files = identity_files(identity_dir)
    with connect(limits) as connection:
        with registry.attached(connection, registry_path):
            inputs = input_fingerprint(identity_dir, files, spec, parameters, connection)
            last = connection.execute("select input_fingerprint from registry.run order by finished_at desc limit 1").fetchone()
            if not force and last == (inputs,):
                (scored_with,) = connection.execute("select max_by(score_fingerprint, finished_at) from registry.run").fetchone()
                registry.store_run(connection, run_id, as_of, inputs, scored_with, parameters.version, is_unchanged=True)
                report = _report(connection, run_id, as_of, (), is_unchanged=True)
                write_outputs(connection, output_dir)
                clock.done("nothing changed")
                return replace(report, seconds=clock.seconds)
        registry.keep_previous(registry_path)
        with registry.attached(connection, registry_path):
            read_identity(connection, files)
            standardise(connection, spec, f"date '{as_of.isoformat()}'")
            registry.refuse_strangers(connection)
            clock.done("standardise")
            counts, score_fingerprint, is_new_scoring = compute(connection, spec, parameters, clock, force=force)
            _name_rules(connection, counts)
            review.queue(connection, spec)
            clock.done("review")
            describe_records(connection, spec, parameters, count_groups(connection))
            withhold(connection, spec, parameters, count_groups(connection), most=most_withheld)
            clock.done("estimate")
            connection.execute("begin")
            try:
                registry.expire_constraints(connection, run_id, as_of)
                inputs = input_fingerprint(identity_dir, files, spec, parameters, connection)
                registry.store_records(connection, as_of)
                registry.store_edges(connection)
                new_scoring = parameters.version if is_new_scoring else None
                persons.assign(connection, run_id, as_of, new_ids, new_scoring=new_scoring)
                registry.store_review(connection, as_of)
                registry.store_facts(connection)
                registry.store_run(connection, run_id, as_of, inputs, score_fingerprint, parameters.version, is_unchanged=False)
                _measure(connection, run_id, counts)
                report = _report(connection, run_id, as_of, counts)
                connection.execute("commit")
            except BaseException:
                connection.execute("rollback")
                raise
            clock.done("register")
            write_outputs(connection, output_dir)
            clock.done("write")
    return replace(report, seconds=clock.seconds)


def input_fingerprint(
    identity_dir: Path, files: list[Path], spec: LinkageSpec, parameters: Parameters, connection: duckdb.DuckDBPyConnection
) -> str:
    """Changes when anything that could change the result changes. Identity files are never rewritten under the same name."""
    digest = hashlib.sha256(f"{spec.fingerprint()}|{parameters!r}|{OUTPUT_COLUMNS!r}".encode())
    for path in files:
        stat = path.stat()
        digest.update(f"|{path.relative_to(identity_dir)}:{stat.st_size}:{stat.st_mtime_ns}".encode())
    decisions = connection.execute(
        'select left_token, right_token, kind from registry."constraint" where expired_on is null order by all'
    ).fetchall()
    digest.update(repr(decisions).encode())
    return digest.hexdigest()


def compute(
    connection: duckdb.DuckDBPyConnection, spec: LinkageSpec, parameters: Parameters, clock: Clock, *, force: bool
) -> tuple[tuple[RuleCount, ...], str, bool]:
    """From `record` to `record_cluster`; the registry stays as it was.

    Gives the pairs a rule, the scoring's fingerprint, and whether the last run weighed pairs otherwise.
    """
    registry.read_constraints(connection)
    collapse(connection, spec)
    counts = block(connection, spec)
    n_groups = count_groups(connection)
    prior = parameters.prior(n_groups)
    score_fingerprint = hashlib.sha256(f"{spec.fingerprint()}|{parameters!r}|{prior!r}".encode()).hexdigest()
    is_new_scoring = _find_changed(connection, score_fingerprint, force=force)
    counts = pair(connection, spec, counts)
    clock.done("block")
    score(connection, spec, parameters, n_groups)
    _combine_edges(connection)
    judge(connection, spec, prior)
    clock.done("score")
    _cluster(connection, spec)
    _describe_links(connection)
    clock.done("merge")
    return counts, score_fingerprint, is_new_scoring


def _name_rules(connection: duckdb.DuckDBPyConnection, counts: tuple[RuleCount, ...]) -> None:
    """`blocking_rule` (match_key, rule): the name behind the key of each pair."""
    connection.register("rule_name", {"match_key": np.arange(len(counts)), "rule": np.array([c.rule for c in counts])})
    connection.execute("create or replace temp table blocking_rule as select * from rule_name")
    connection.unregister("rule_name")


def count_groups(connection: duckdb.DuckDBPyConnection) -> int:
    """How many groups of records there are to be linked."""
    (count,) = connection.execute("select count(*) from representative").fetchone()
    return count


def _report(
    connection: duckdb.DuckDBPyConnection, run_id: str, as_of: date, counts: tuple[RuleCount, ...], *, is_unchanged: bool = False
) -> LinkageReport:
    (n_records, n_people, n_review) = connection.execute("""
        select
            (select count(*) from registry.record),
            (select count(distinct person_id) from registry.membership where valid_to is null),
            (select count(*) from registry.review where status = 'open')""").fetchone()
    events = dict(
        connection.execute(
            "select event, count(*) from registry.person_event where run_id = $1 group by event order by event", [run_id]
        ).fetchall()
    )
    n_pairs = sum(count.n_pairs for count in counts)
    return LinkageReport(run_id, as_of, is_unchanged, n_records, n_people, n_pairs, n_review, events, counts)


def _find_changed(connection: duckdb.DuckDBPyConnection, score_fingerprint: str, *, force: bool) -> bool:
    """`changed` (rep_id): groups whose content differs from what was last scored; all of them when the scoring itself differs.

    Gives whether the scoring differs from that of the last run, if there was one.
    """
    last = connection.execute("select score_fingerprint from registry.run order by finished_at desc limit 1").fetchone()
    is_new_scoring = last is not None and last != (score_fingerprint,)
    is_same = not force and last is not None and not is_new_scoring
    connection.execute(f"""
        create or replace temp table changed as
        select rep_hash.rep_id, rep_hash.rep_token
        from rep_hash
        left join registry.record as known
            on rep_hash.rep_token = known.record_token and rep_hash.content_hash = known.content_hash
        where {"known.record_token is null" if is_same else "true"}""")
    return is_new_scoring


def _combine_edges(connection: duckdb.DuckDBPyConnection) -> None:
    """`edge`: the stored edges between groups that did not change, and the new ones."""
    connection.execute("""
        create or replace temp table kept_edge as
        with steady as (
            select rep_token from rep_hash
            anti join changed on rep_hash.rep_id = changed.rep_id
        )

        select e.rowid as row_id
        from registry.edge as e
        semi join steady as l on e.left_token = l.rep_token
        semi join steady as r on e.right_token = r.rep_token""")
    connection.execute("""
        create or replace temp table edge as
        select e.* from registry.edge as e semi join kept_edge as k on e.rowid = k.row_id
        union all
        select * from edge_new""")


def _cluster(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec) -> None:
    """`rep_cluster` (rep_id, rep_token, cluster) and `refused_edge`, from `edge_judged` and the decisions in force."""
    groups = read_groups(connection, "select * from representative", order_by="rep_id")
    edges = connection.execute(f"""
        select left_id, right_id, match_weight
        from edge_judged
        where refusal is null and match_weight >= {spec.link_weight}
        order by left_id, right_id""").fetchnumpy()
    left, right = plain(edges["left_id"]), plain(edges["right_id"])
    merged = merge(
        groups,
        (left, right, np.asarray(edges["match_weight"], dtype=np.float64)),
        must_link=_pairs(connection, _decided("must_link")),
        cannot_link=_pairs(
            connection,
            f"{_decided('cannot_link')} union ({_found_apart(spec)})",
        ),
        death_tolerance_days=spec.death_date_tolerance_days,
    )
    connection.register("merged_cluster", {"rep_id": np.arange(len(groups)), "cluster_id": merged.cluster})
    connection.execute("""
        create or replace temp table rep_cluster as
        select rep.rep_id, rep.rep_token, head.rep_token as cluster
        from merged_cluster as m
        inner join representative as rep on m.rep_id = rep.rep_id
        inner join representative as head on m.cluster_id = head.rep_id""")
    connection.unregister("merged_cluster")
    refused = merged.refusal > 0
    connection.register(
        "merge_refusal",
        {"left_id": left[refused], "right_id": right[refused], "code": merged.refusal[refused].astype(np.int32)},
    )
    names = " ".join(f"when {code} then '{name}'" for code, name in enumerate(REFUSALS))
    connection.execute(f"""
        create or replace temp table refused_edge as
        select e.left_token, e.right_token, case m.code {names} end as reason, e.match_weight
        from merge_refusal as m
        inner join edge_judged as e on m.left_id = e.left_id and m.right_id = e.right_id""")
    connection.unregister("merge_refusal")


def _decided(kind: str) -> str:
    """SQL: the pairs of groups that decisions of a kind speak about."""
    return f"""
        select least(lr.rep_id, rr.rep_id) as left_id, greatest(lr.rep_id, rr.rep_id) as right_id
        from live_constraint as c
        inner join grouped as l on c.left_token = l.record_token
        inner join grouped as r on c.right_token = r.record_token
        inner join representative as lr on l.rep_token = lr.rep_token
        inner join representative as rr on r.rep_token = rr.rep_token
        where c.kind = '{kind}' and lr.rep_id <> rr.rep_id"""


def _found_apart(spec: LinkageSpec) -> str:
    """SQL: the pairs of groups that the evidence says are two people, but for those a reviewer has judged to be one.

    Who says that two groups are one person says it also against what else the one's links have to do with the other.
    """
    return f"""
        with decided as (
            select left_id, right_id from ({_decided("must_link")})
        ),

        one_person as (
            select left_id as one, right_id as other from decided union all select right_id, left_id from decided
        ),

        link as (
            select left_id as rep_id, right_id as one from edge_judged
            where refusal is null and match_weight >= {spec.link_weight}
            union all
            select right_id, left_id from edge_judged
            where refusal is null and match_weight >= {spec.link_weight}
        )

        select left_id, right_id from edge_judged where refusal in ({", ".join(f"'{reason}'" for reason in TWO_PEOPLE)})
        except select left_id, right_id from decided
        except
        select least(link.rep_id, one_person.other), greatest(link.rep_id, one_person.other)
        from one_person
        inner join link on one_person.one = link.one"""


def _pairs(connection: duckdb.DuckDBPyConnection, query: str) -> np.ndarray:
    found = connection.execute(f"select distinct left_id, right_id from ({query}) order by all").fetchnumpy()
    return np.column_stack([plain(found["left_id"]), plain(found["right_id"])])


def _describe_links(connection: duckdb.DuckDBPyConnection) -> None:
    """`record_cluster` and `record_linked`: where each record belongs and how it came there."""
    connection.execute("""
        create or replace temp table record_cluster as
        select grouped.record_token, coalesce(rep_cluster.cluster, grouped.rep_token) as cluster
        from grouped
        left join rep_cluster on grouped.rep_token = rep_cluster.rep_token""")
    connection.execute("""
        create or replace temp table record_linked as
        with link_weight as (
            select rep_id, max(match_weight) as match_weight
            from (
                select e.left_id as rep_id, e.match_weight
                from edge_judged as e
                inner join rep_cluster as l on e.left_id = l.rep_id
                inner join rep_cluster as r on e.right_id = r.rep_id
                where e.refusal is null and l.cluster = r.cluster
                union all
                select e.right_id, e.match_weight
                from edge_judged as e
                inner join rep_cluster as l on e.left_id = l.rep_id
                inner join rep_cluster as r on e.right_id = r.rep_id
                where e.refusal is null and l.cluster = r.cluster
            )
            group by rep_id
        ),

        cluster_size as (
            select cluster, count(*) as n_records from record_cluster group by cluster
        ),

        group_size as (
            select rep_token, count(*) as n_records from grouped group by rep_token
        )

        select
            record.record_token,
            record.source,
            record.record_hash,
            grouped.rep_token,
            case when record.record_token = grouped.rep_token then rep_hash.content_hash end as content_hash,
            case
                when not record.has_identity then 'no_identity'
                when cluster_size.n_records = 1 then 'singleton'
                when group_size.n_records > 1 then 'nhs_number'
                when link_weight.match_weight is not null then 'probabilistic'
                else 'manual'
            end as match_method,
            link_weight.match_weight
        from record
        inner join grouped on record.record_token = grouped.record_token
        inner join record_cluster on record.record_token = record_cluster.record_token
        inner join cluster_size on record_cluster.cluster = cluster_size.cluster
        inner join group_size on grouped.rep_token = group_size.rep_token
        left join rep_cluster on grouped.rep_token = rep_cluster.rep_token
        left join rep_hash on grouped.rep_token = rep_hash.rep_token
        left join link_weight on rep_cluster.rep_id = link_weight.rep_id""")


def _measure(connection: duckdb.DuckDBPyConnection, run_id: str, counts: tuple[RuleCount, ...]) -> None:
    """Write the run's measures; they are counts, so a rerun on the same data gives the same."""
    connection.execute(
        """
        insert into registry.metric
        with linked as (
            select record_linked.*, record_person.person_id
            from record_linked
            inner join record_person on record_linked.record_token = record_person.record_token
        ),

        person as (
            select person_id, count(*) as n_records, count(distinct source) as n_sources from linked group by person_id
        ),

        measure as (
            select 'records' as metric, source, count(*)::double as value from linked group by source
            union all
            select 'linked_share', source, avg(cast(match_method not in ('singleton', 'no_identity') as integer))
            from linked group by source
            union all
            select 'records_by_' || match_method, source, count(*) from linked group by match_method, source
            union all
            select 'valid_nhs_number_share', source, avg(cast(nhs_number is not null as integer)) from record group by source
            union all
            select 'records', 'all', count(*) from linked
            union all
            select 'people', 'all', count(*) from person
            union all
            select 'people_in_two_sources_or_more', 'all', count(*) from person where n_sources > 1
            union all
            select 'largest_person_records', 'all', coalesce(max(n_records), 0) from person
            union all
            select 'groups', 'all', count(*) from representative
            union all
            select 'edges', 'all', count(*) from edge
            union all
            select
                'pairs_' || case
                    when l.cluster = r.cluster then 'linked'
                    when asked.left_token is not null then 'in_review'
                    else 'kept_apart'
                end || '_by_weight/' || cast(2 * floor(e.match_weight / 2) as integer),
                'all',
                count(*)
            from edge_judged as e
            inner join rep_cluster as l on e.left_id = l.rep_id
            inner join rep_cluster as r on e.right_id = r.rep_id
            left join (select distinct left_token, right_token from review_next) as asked
                on e.left_token = asked.left_token and e.right_token = asked.right_token
            group by all
            union all
            select 'people_by_records/' || least(n_records, 20), 'all', count(*) from person group by all
            union all
            select 'withheld_' || w.outcome, record.source, count(*)
            from withheld as w
            inner join record on w.record_token = record.record_token
            group by all
            union all
            select 'unlinkable_share', record.source, avg(cast(d.is_unlinkable as integer))
            from record_described as d
            inner join record on d.record_token = record.record_token
            group by record.source
            union all
            select 'records_with_changed_person', 'all', count(*)
            from moved inner join current_membership using (record_token)
            union all
            select 'review_' || reason, 'all', count(*) from registry.review where status = 'open' group by reason
            union all
            select 'event_' || event, 'all', count(*) from registry.person_event where run_id = $1 group by event
            union all
            select 'not_used_' || field || '_' || reason, source, sum(n_values) from standard_reason group by all
        )

        select $1, metric, source, value from measure""",
        [run_id],
    )
    for count in counts:
        connection.execute(
            "insert into registry.metric values ($1, $2, 'all', $3), ($1, $4, 'all', $5)",
            [
                run_id,
                f"pairs_{count.rule}",
                count.n_pairs,
                f"crowded_keys_{count.rule}",
                count.n_crowded_keys,
            ],
        )
