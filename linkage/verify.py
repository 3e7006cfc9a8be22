"""The weekly shadow: link everything from nothing, beside the registry, and compare.

Every night scores only what changed and trusts the weights it stored. This run scores every pair again from the same records,
takes the same decisions and says where the registry differs. It changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from linkage import registry
from linkage.duck import Limits, connect
from linkage.errors import RegistryError
from linkage.link import Clock, Progress, compute, input_fingerprint, silent
from linkage.model import Parameters
from linkage.spec import LinkageSpec
from linkage.standardise import identity_files, read_identity, standardise

#: Records that may be with other records than the shadow puts them with, as a share, before it is an alarm.
MOST_DIFFERENT_SHARE = 0.001


@dataclass(frozen=True)
class Verification:
    """What the shadow found. Counts only, nothing about anybody."""

    run_id: str
    n_records: int
    #: Records whose companions in the registry are not those of the shadow.
    n_records_different: int
    n_pairs: int
    #: Pairs that the shadow weighs and the registry does not hold, and the other way round.
    n_pairs_missing: int
    n_pairs_unfounded: int
    n_weights_different: int
    #: In bits; exactly 0.0 when every stored weight is the weight.
    largest_weight_difference: float

    @property
    def different_share(self) -> float:
        """Share of records (0 to 1) that are with other records than the shadow puts them with."""
        return self.n_records_different / self.n_records if self.n_records else 0.0

    @property
    def is_sound(self) -> bool:
        """False is an alarm: a weight or a pair differs, or too many records do."""
        is_same_scoring = not (self.n_pairs_missing or self.n_pairs_unfounded or self.n_weights_different)
        return is_same_scoring and self.different_share <= MOST_DIFFERENT_SHARE


def verify(
    identity_dir: Path,
    registry_path: Path,
    *,
    spec: LinkageSpec,
    parameters: Parameters,
    limits: Limits,
    progress: Progress = silent,
) -> Verification:
    """Link the records of the last night again, whole, and compare pairs, weights and persons with the registry's.

    The registry is opened read-only. Raises `RegistryError` when there is none, or when records, decisions, spec or model changed
    since the last night: there is then nothing to compare with.
    """
    if not registry_path.exists():
        raise RegistryError(f"there is no registry at {registry_path} to verify: run the nightly load first")
    clock = Clock(progress)
    files = identity_files(identity_dir)
    with connect(limits) as connection, registry.attached(connection, registry_path, read_only=True):
        last = connection.execute(
            "select run_id, as_of, input_fingerprint from registry.run order by is_unchanged, finished_at desc limit 1"
        ).fetchone()
        if last is None or last[2] != input_fingerprint(identity_dir, files, spec, parameters, connection):
            raise RegistryError(
                f"records, decisions or the model changed since the last night of {registry_path}, so it cannot be compared: run "
                "the nightly load, then verify"
            )
        read_identity(connection, files)
        standardise(connection, spec, f"date '{last[1].isoformat()}'")
        clock.done("standardise")
        compute(connection, spec, parameters, clock, force=True)
        return Verification(str(last[0]), *_compare_persons(connection), *_compare_edges(connection))


def _compare_persons(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    """Records in all, and those whose companions differ. Person ids have a history, so only who is with whom can be compared."""
    return connection.execute("""
        with paired as (
            select
                coalesce(now.record_token, shadow.record_token) as record_token,
                now.person_id,
                shadow.cluster
            from (select record_token, person_id from registry.membership where valid_to is null) as now
            full join record_cluster as shadow on now.record_token = shadow.record_token
        ),

        counted as (
            select
                count(*) over (partition by person_id) as n_person,
                count(*) over (partition by cluster) as n_cluster,
                count(*) over (partition by person_id, cluster) as n_both,
                person_id is null or cluster is null as is_alone
            from paired
        )

        select count(*), count(*) filter (is_alone or n_both <> n_person or n_both <> n_cluster) from counted""").fetchone()


def _compare_edges(connection: duckdb.DuckDBPyConnection) -> tuple[int, int, int, int, float]:
    return connection.execute("""
        select
            count(*),
            count(*) filter (stored.left_token is null),
            count(*) filter (shadow.left_token is null),
            count(*) filter (stored.evidence <> shadow.evidence),
            coalesce(max(abs(stored.evidence - shadow.evidence)), 0.0)
        from registry.edge as stored
        full join edge as shadow
            on stored.left_token = shadow.left_token and stored.right_token = shadow.right_token""").fetchone()
