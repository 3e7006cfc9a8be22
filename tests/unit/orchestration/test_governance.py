"""Which purposes are open on a day: the age and fate of the list of national opt-outs, and the approval."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from orchestration.governance import purpose_states
from orchestration.landing.agreements import Agreement, Agreements
from orchestration.landing.ledger import Ledger, Load

TODAY = date(2026, 4, 8)
DAY = timedelta(days=1)


@pytest.fixture
def ledger(tmp_path):
    with Ledger(tmp_path / "ledger.sqlite") as ledger:
        yield ledger


def list_came(ledger, day, status="landed"):
    ledger.record([Load("reference", "national_data_opt_out", day, f"{day}.dat", status, sha256=f"{day}")], "run")


def approval(source, valid_to):
    purposes = frozenset({"risk_stratification"})
    return Agreement("CAG", "Board", source, "*", frozenset(), {}, purposes, date(2025, 4, 1), valid_to, "", "s251")


def states(ledger, agreements=(), as_of=TODAY, max_days=7):
    return {s.purpose: s.reason for s in purpose_states(ledger, Agreements(tuple(agreements)), as_of, max_days)}


@pytest.mark.parametrize(("age", "is_open"), [(0, True), (7, True), (8, False)])
def test_a_list_of_opt_outs_holds_for_the_allowed_days_and_no_longer(ledger, age, is_open):
    list_came(ledger, TODAY - age * DAY)
    told = states(ledger)
    assert (told["secondary_use"] == "") is is_open
    assert (told["open"] == "") is is_open
    assert told["direct_care"] == ""


def test_the_same_list_sent_again_is_a_new_answer(ledger):
    list_came(ledger, TODAY - 20 * DAY)
    list_came(ledger, TODAY, "repeated")
    assert states(ledger)["secondary_use"] == ""


def test_without_any_list_nobody_is_seen(ledger):
    assert "no list of national data opt-outs has arrived" in states(ledger)["secondary_use"]


def test_a_mesh_error_reply_withholds_everyone_until_a_good_list_comes(ledger):
    """Trap 18: yesterday's list is young enough, but today's reply was an error, so what people want is unknown."""
    list_came(ledger, TODAY - DAY)
    list_came(ledger, TODAY, "refused")
    assert "could not be used, so it is not known who has opted out" in states(ledger)["secondary_use"]
    list_came(ledger, TODAY + DAY)
    assert states(ledger, as_of=TODAY + DAY)["secondary_use"] == ""
    assert states(ledger)["secondary_use"] != "", "a later list says nothing of that day"


def test_an_expired_section_251_approval_closes_risk_stratification(ledger):
    """Trap 19: past its date the identifiable join is refused, whichever of the approved sources has expired."""
    list_came(ledger, TODAY)
    rows = [approval("gp_emis", TODAY + DAY), approval("acute_sus", TODAY)]
    assert states(ledger, rows)["risk_stratification"] == ""
    list_came(ledger, TODAY + DAY)
    told = states(ledger, rows, as_of=TODAY + DAY)
    assert (
        "the approval to join acute_sus for risk stratification is not in force (it ended on 2026-04-08)"
        in told["risk_stratification"]
    )
    assert told["secondary_use"] == ""


def test_without_an_approval_nothing_is_joined_for_risk_stratification(ledger):
    list_came(ledger, TODAY)
    assert "there is no approval" in states(ledger)["risk_stratification"]
