"""Which deliveries have come to rest: noticed by day, so that a late file need not wait for the night."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestration.landing.files import find_deliveries

_SIGNATURE_CHARACTERS = 16


@dataclass(frozen=True)
class Look:
    """What one look at the landing zone saw: a signature of every delivery folder, `<source>/<date>` -> signature.

    `requested` are the signatures for which a run was already asked.
    """

    seen: Mapping[str, str]
    requested: Mapping[str, str]

    def to_cursor(self) -> str:
        return json.dumps({"seen": dict(self.seen), "requested": dict(self.requested)}, sort_keys=True)

    @classmethod
    def from_cursor(cls, cursor: str | None) -> Look | None:
        return cls(**json.loads(cursor)) if cursor else None


def look(landing_dir: Path) -> dict[str, str]:
    """Signature of every delivery that holds something: files, sizes and times of change, hashed."""
    sources = sorted(folder.name for folder in landing_dir.glob("*/"))
    return {
        f"{source}/{delivery.date.isoformat()}": hashlib.sha256(delivery.fingerprint().encode()).hexdigest()[
            :_SIGNATURE_CHARACTERS
        ]
        for source in sources
        for delivery in find_deliveries(landing_dir, source)[0]
        if delivery.paths()
    }


def settled_arrivals(landing_dir: Path, before: Look | None) -> tuple[list[str], Look]:
    """Deliveries that are new or changed since a run was last asked for, and did not change since the look before this one.

    A delivery that is still being copied changes between two looks, and so waits. The first look asks for nothing: what is there
    already belongs to the nightly run. Returns the deliveries and the look to remember.
    """
    now = look(landing_dir)
    if before is None:
        return [], Look(seen=now, requested=now)
    settled = [
        delivery
        for delivery, signature in now.items()
        if before.seen.get(delivery) == signature and before.requested.get(delivery) != signature
    ]
    requested = {name: sign for name, sign in before.requested.items() if name in now} | {name: now[name] for name in settled}
    return settled, Look(seen=now, requested=requested)
