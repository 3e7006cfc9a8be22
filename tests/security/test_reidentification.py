"""Names are told to whoever cares for somebody now, to nobody else, and never without a line in the audit log."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from small_place import Place

AS_GP = ("--requester", "DEMO-GP", "--role", "general practitioner", "--reason", "Reviews of this month")


@pytest.fixture(scope="module")
def place(loaded, tmp_path_factory) -> Place:
    """A loaded place of our own, and two practices with people."""
    return loaded.copy(tmp_path_factory.mktemp("asked") / "data")


@pytest.fixture(scope="module")
def practices(place) -> list[str]:
    sql = "select practice_code from marts.person where is_registered group by all order by count(*) desc, practice_code limit 2"
    return [code for (code,) in place.query(sql)]


def people_of(place: Place, practice: str) -> set[str]:
    return {
        str(person_id)
        for (person_id,) in place.query(
            f"select person_id from marts.person where practice_code = '{practice}' and is_registered"
        )
    }


def ask(place: Place, people: set[str], organisation: str, *arguments: str):
    file = place.data_dir.parent / "people.csv"
    file.write_text("\n".join(["person_id", *sorted(people)]) + "\n")
    return place.phm("reidentify", str(file), "--organisation", organisation, *(arguments or AS_GP))


def lists(place: Place, organisation: str) -> list[Path]:
    return sorted((place.data_dir / "identifiable" / "reidentified" / organisation).glob("*.csv"))


def audit(place: Place) -> list[dict]:
    return [json.loads(line) for line in (place.data_dir / "identifiable" / "audit" / "audit.jsonl").read_text().splitlines()]


def test_a_practice_is_told_of_its_own_people_only_and_every_id_is_logged(place, practices):
    one, other = practices
    mine, theirs = people_of(place, one), people_of(place, other)
    asked = ask(place, mine | theirs, one)
    assert asked.returncode == 0, asked.stderr
    (path,) = lists(place, one)
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["person_id"] for row in rows} == mine
    assert all(row["nhs_number"] or row["family_name"] for row in rows)
    entry = audit(place)[-1]
    assert {person["person_id"]: person["told"] for person in entry["people"]} == {p: p in mine for p in mine | theirs}
    assert entry["organisation_code"] == one
    assert entry["reason"] == "Reviews of this month"


def test_the_names_are_those_of_the_practices_own_records(place, practices):
    """Whoever the truth says is behind a local id has that NHS number."""
    (path,) = lists(place, practices[0])
    with path.open(encoding="utf-8-sig", newline="") as file:
        told = {row["local_id"]: row["nhs_number"] for row in csv.DictReader(file) if row["nhs_number"]}
    true = dict(
        place.query(
            f"""
            select record.local_id, person.nhs_number
            from read_parquet('{place.data_dir}/truth/records.parquet') as record
            inner join read_parquet('{place.data_dir}/truth/people.parquet') as person
                on record.person_no = person.person_no
            where record.source in ('gp_emis', 'gp_systmone')"""
        )
    )
    known = {local_id for local_id in told if local_id in true}
    assert len(known) > 0.9 * len(told)
    assert sum(told[local_id] == true[local_id] for local_id in known) >= 0.95 * len(known)


@pytest.mark.parametrize(
    ("arguments", "because"),
    [
        (("--requester", "NOBODY", "--role", "general practitioner", "--reason", "Reviews of this month"), "not in the register"),
        (("--requester", "DEMO-GP", "--role", "analyst", "--reason", "Reviews of this month"), "not in the register"),
    ],
)
def test_whoever_is_not_in_the_register_is_refused_and_logged(place, practices, arguments, because):
    before = lists(place, practices[0])
    asked = ask(place, people_of(place, practices[0]), practices[0], *arguments)
    assert asked.returncode == 1
    assert because in asked.stderr
    assert lists(place, practices[0]) == before
    assert audit(place)[-1]["outcome"] == "refused"


def test_another_practices_people_are_nobody(place, practices):
    one, other = practices
    asked = ask(place, people_of(place, one), other)
    assert asked.returncode == 1
    assert not lists(place, other)
    assert audit(place)[-1]["outcome"] == "refused"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((*AS_GP[:-1], "why"), "Say why"),
        ((*AS_GP[:-1], "Review of 999 123 4567"), "looks like an NHS number"),
        ((*AS_GP, "--days", "400"), "days"),
    ],
)
def test_a_request_that_cannot_be_answered_for_an_auditor_is_not_asked(place, practices, arguments, complaint):
    n_lines = len(audit(place))
    asked = ask(place, people_of(place, practices[0]), practices[0], *arguments)
    assert asked.returncode == 2
    assert complaint in asked.stderr
    assert len(audit(place)) == n_lines


def test_a_line_that_is_no_id_is_named(place, practices):
    asked = ask(place, {"9991234567"}, practices[0])
    assert asked.returncode == 2
    assert "row 1" in asked.stderr
    assert "9991234567" not in asked.stderr


def test_a_list_does_not_outlive_its_day(place, practices):
    (path,) = lists(place, practices[0])
    past = (datetime.now(UTC) - timedelta(days=2)).date()
    path.rename(path.with_name(f"{past}{path.name[10:]}"))
    assert ask(place, people_of(place, practices[0]), practices[0]).returncode == 0
    assert [found.name[:10] > str(past) for found in lists(place, practices[0])] == [True]
    assert "expire" in {entry["event"] for entry in audit(place)}


def test_a_changed_audit_log_is_seen_and_nothing_is_told_any_more(place, practices):
    assert place.phm("audit", "verify").returncode == 0
    path = place.data_dir / "identifiable" / "audit" / "audit.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-1]))
    before = lists(place, practices[0])
    assert place.phm("audit", "verify").returncode == 1
    assert place.phm("doctor").returncode == 1
    assert ask(place, people_of(place, practices[0]), practices[0]).returncode == 1
    assert lists(place, practices[0]) == before
    path.write_text("".join(lines))
    assert place.phm("audit", "verify").returncode == 0
