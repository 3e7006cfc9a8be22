"""What the night knows of a release, gathered for publishing."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

from orchestration.dbt import ensure_manifest
from orchestration.governance import MAY_NOT_BE_SEEN, closed_purposes, sharing_fingerprint, what_is_not_shared
from orchestration.patient_index import linkage_model
from orchestration.provenance import git_commit
from orchestration.publishing import release
from orchestration.publishing.disclosure_ledger import DisclosureLedger
from orchestration.publishing.lineage import read_lineage
from orchestration.settings import PROJECT_DIR, Settings
from orchestration.sites import site_builder
from orchestration.status import source_states

_SHORT_ID = 8


def publish_release(settings: Settings, run_id: str, as_of: date) -> release.Release:
    """Publish the build database as the release of run `run_id`; the same run publishes the same release once.

    Then no earlier release that is kept shows for secondary use anybody who may not be seen today.
    """
    withheld = closed_purposes(settings)
    facts = release.ReleaseFacts(
        release_id=f"{as_of.isoformat()}-{run_id[:_SHORT_ID]}",
        as_of=as_of,
        built_at=datetime.now(UTC).replace(tzinfo=None),
        git_commit=git_commit(PROJECT_DIR),
        model_version=linkage_model().version,
        sources=[state.as_row() for state in source_states(settings, as_of)],
        is_synthetic=not settings.is_production,
        withheld={purpose: reason for purpose, reason in withheld.items() if purpose in (*release.PURPOSES, release.OPEN)},
        not_shared=what_is_not_shared(settings),
        sharing=sharing_fingerprint(settings),
        key_id=settings.require_key().key_id,
    )
    made = release.publish(
        facts=facts,
        build_database=settings.build_database,
        releases_dir=settings.releases_dir,
        release_rows_dir=settings.operations_dir / "release",
        members_dir=settings.operations_dir / "cohort_member",
        pages_dir=settings.pages_dir,
        key=settings.require_key(),
        limits=settings.limits,
        keep=settings.keep_releases,
        build_site=site_builder(settings),
        disclosure_policy=settings.disclosure_policy,
        ledger=DisclosureLedger(settings.disclosure_dir),
        lineage=read_lineage(json.loads(ensure_manifest(settings).read_text(encoding="utf-8"))),
    )
    release.withdraw(
        settings.releases_dir,
        "secondary_use",
        people=MAY_NOT_BE_SEEN,
        databases={"build": settings.build_database, "registry": settings.registry_path},
        key=settings.require_key(),
        limits=settings.limits,
        is_closed="secondary_use" in withheld,
    )
    return made
