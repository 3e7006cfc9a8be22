"""The audit log: whatever is done to it is seen, and what a kill does to it is mended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.audit_log import AuditError, AuditLog, Head

N_LINES = 5


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple[bytes, bytes, Head]:
    """A log of five lines, its head file, and the head after the third."""
    log = AuditLog(tmp_path_factory.mktemp("audit") / "audit.jsonl")
    heads = [log.append("reidentify", requester=f"U{number}", reason="Zoë's review", people=[]) for number in range(N_LINES)]
    return log.path.read_bytes(), log.path.with_suffix(".head").read_bytes(), heads[2]


def put(folder: Path, log: bytes, head: bytes) -> AuditLog:
    (folder / "audit.jsonl").write_bytes(log)
    (folder / "audit.head").write_bytes(head)
    return AuditLog(folder / "audit.jsonl")


def test_a_log_that_nobody_touched_is_whole_and_private(written, tmp_path):
    log = put(tmp_path, *written[:2])
    assert log.verify(written[2]).n_entries == N_LINES
    fresh = AuditLog(tmp_path / "new" / "audit.jsonl")
    fresh.append("reidentify")
    assert {path.stat().st_mode & 0o777 for path in fresh.path.parent.iterdir()} == {0o600}


@given(place=st.integers(min_value=0), change=st.integers(min_value=1, max_value=255))
def test_one_changed_byte_is_seen(written, tmp_path_factory, place, change):
    text = bytearray(written[0])
    text[place % len(text)] ^= change
    with pytest.raises(AuditError):
        put(tmp_path_factory.mktemp("changed"), bytes(text), written[1]).verify()


@given(order=st.lists(st.integers(min_value=0, max_value=N_LINES - 1)).filter(lambda order: order != list(range(N_LINES))))
def test_lines_taken_out_put_in_or_moved_are_seen(written, tmp_path_factory, order):
    lines = written[0].splitlines(keepends=True)
    with pytest.raises(AuditError):
        put(tmp_path_factory.mktemp("moved"), b"".join(lines[place] for place in order), written[1]).verify()


def test_a_log_rewritten_with_its_head_is_seen_by_whoever_kept_a_head(written, tmp_path):
    forged = AuditLog(tmp_path / "audit.jsonl")
    for number in range(N_LINES):
        forged.append("reidentify", requester=f"U{number}", reason="Something else", people=[])
    forged.verify()
    with pytest.raises(AuditError, match="replaced or cut off"):
        forged.verify(written[2])


@given(cut=st.integers(min_value=1))
def test_half_a_line_of_a_killed_process_is_taken_off_and_the_log_goes_on(written, tmp_path_factory, cut):
    lines = written[0].splitlines(keepends=True)
    before = json.loads(lines[3])
    half = lines[4][: 1 + cut % (len(lines[4]) - 1)]
    log = put(tmp_path_factory.mktemp("killed"), b"".join(lines[:4]) + half, f"4:{before['hash']}\n".encode())
    if half.endswith(b"\n"):
        return
    assert log.append("reidentify").n_entries == 5
    assert log.verify().n_entries == 5


def test_a_line_that_a_kill_left_unnoted_is_noted(written, tmp_path):
    before = json.loads(written[0].splitlines()[3])
    log = put(tmp_path, written[0], f"4:{before['hash']}\n".encode())
    assert log.append("reidentify").n_entries == N_LINES + 1
    assert log.verify().n_entries == N_LINES + 1


def test_nothing_is_added_to_a_log_that_was_cut_off(written, tmp_path):
    lines = written[0].splitlines(keepends=True)
    log = put(tmp_path, b"".join(lines[:3]), written[1])
    with pytest.raises(AuditError, match="does not end where it ended"):
        log.append("reidentify")
    assert log.path.read_bytes() == b"".join(lines[:3])


@pytest.mark.parametrize("text", ["", "5", "x:" + "0" * 64, "5:abc"])
def test_what_is_no_head_is_refused(text):
    with pytest.raises(AuditError, match="not the head"):
        Head.parse(text)
