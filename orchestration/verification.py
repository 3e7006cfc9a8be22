"""`phm linkage verify`: the registry against a whole run in the shadow, and who is told when they differ."""

from __future__ import annotations

from rich.console import Console

from linkage.verify import Verification, verify
from orchestration.alerts import send_alert
from orchestration.patient_index import linkage_model, linkage_spec
from orchestration.settings import Settings


def verify_index(settings: Settings) -> Verification:
    """Compare the registry with a whole run in the shadow; a difference is told to the alert command.

    Raises `LinkageError` when there is nothing to compare with.
    """
    found = verify(
        settings.identity_dir,
        settings.registry_path,
        spec=linkage_spec(settings),
        parameters=linkage_model(),
        limits=settings.limits,
    )
    if not found.is_sound:
        send_alert(settings.alert_command, found.run_id, said(found))
    return found


def said(found: Verification) -> str:
    """The verdict in one sentence."""
    if found.is_sound and not found.n_records_different:
        return f"The registry is what a whole run makes of the same {found.n_records:,} records: every pair, weight and person."
    counts = (
        f"{found.n_records_different:,} of {found.n_records:,} records are with other records than a whole run puts them with; "
        f"of {found.n_pairs:,} pairs {found.n_pairs_missing:,} are missing, {found.n_pairs_unfounded:,} should not be there and "
        f"{found.n_weights_different:,} have another weight (by {found.largest_weight_difference:.6f} bits at most)"
    )
    if found.is_sound:
        return f"The registry differs from a whole run within the limit: {counts}."
    return f"The registry is not what a whole run makes of the same records: {counts}. What to do is in docs/operators.md."


def print_verification(found: Verification, console: Console) -> None:
    """The verdict, for a person."""
    console.print(said(found), style="" if found.is_sound else "bold red", highlight=False, soft_wrap=True)
