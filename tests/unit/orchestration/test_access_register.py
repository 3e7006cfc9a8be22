"""Who may ask for names."""

from __future__ import annotations

from datetime import date

import pytest

from orchestration.access_register import COLUMNS, AccessError, read_access, why_not

TODAY = date(2026, 4, 1)
HEADER = ",".join(COLUMNS)


def register(tmp_path, *lines):
    path = tmp_path / "access.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
    return path


def test_only_a_row_in_force_for_the_organisation_and_the_role_lets_somebody_ask(tmp_path):
    path = register(
        tmp_path,
        "U1,T99001,General practitioner,2026-01-01,",
        "U2,T99001,nurse,2025-01-01,2026-03-31",
        "U3,T99001,nurse,2026-04-02,",
    )
    rows = read_access(path, may_speak_for_any=False)

    def may(requester, organisation="T99001", role="nurse"):
        return why_not(rows, requester, organisation, role, TODAY) == ""

    assert may("U1", role="general practitioner")
    assert not may("U1")
    assert not may("U1", "T99002", "general practitioner")
    assert not may("U2")
    assert not may("U3")
    assert not may("U4")


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("U1,*,nurse,2026-01-01,", "line 2, column organisation_code"),
        ("U1,T99001,nurse,01/01/2026,", "line 2, column valid_from: '01/01/2026' is not a date"),
        ("U1,T99001,,2026-01-01,", "line 2, column role: it is empty"),
        ("U1,T99001,nurse,2026-01-01,,more", "line 2: it has more values"),
        ("U1,T99001,nurse,2026-01-01,31 March", "line 2, column valid_to"),
    ],
)
def test_a_faulty_line_is_named(tmp_path, line, complaint):
    with pytest.raises(AccessError, match=complaint.replace("*", r"\*")):
        read_access(register(tmp_path, line), may_speak_for_any=False)


def test_a_missing_or_unreadable_register_is_an_error_that_says_so(tmp_path):
    with pytest.raises(AccessError, match="there is no register"):
        read_access(tmp_path / "none.csv", may_speak_for_any=False)
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("who,what\n")
    with pytest.raises(AccessError, match="the columns must be"):
        read_access(wrong, may_speak_for_any=False)
    wrong.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AccessError, match="cannot be read"):
        read_access(wrong, may_speak_for_any=False)
