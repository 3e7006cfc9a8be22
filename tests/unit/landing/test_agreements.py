"""Sharing agreements at the door: what no agreement in force covers does not enter, and nothing of it is kept."""

from __future__ import annotations

from datetime import date

import pytest
from landing_place import AS_OF, HEADER, column, people, table

from orchestration.landing.agreements import AGREEMENT_COLUMNS, AgreementError, read_agreements

ROWS = b"1,Ash,1950-01-02,2026-03-01,3\n2,Beech,1960-01-02,2026-03-02,4\n"


def practices(**terms):
    """A table whose rows say which practice they are of."""
    return table(
        "visits",
        [
            column("practice", nullable=False, identity="record_scope"),
            column("local_id", nullable=False, identity="record_id"),
            column("surname", identity="family_name"),
            column("reason"),
        ],
        **{"key": ["practice", "local_id"], "window": ["practice"], "mode": "bulk_then_delta", **terms},
    )


VISITS = "practice,local_id,surname,reason\nA1,1,Ash,cough\nB2,1,Birch,fall\n"


def agreement(**values):
    row = {
        "agreement_id": "S1", "party": "Clinic", "source": "clinic", "organisation_code": "*", "tables": "*",
        "columns": "*", "purposes": "direct_care", "valid_from": "2025-01-01", "valid_to": "", "cross_border_partner": "",
        "legal_basis": "9(2)(h)",
    }  # fmt: skip
    return row | values


def read(place, *rows, any_source=False):
    path = place.root / "agreements.csv"
    lines = [",".join(AGREEMENT_COLUMNS), *(",".join(row[name] for name in AGREEMENT_COLUMNS) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return read_agreements(path, {place.source.name: place.source}, may_cover_any_source=any_source)


def cover(place, *rows, on=AS_OF):
    return read(place, *rows).cover(place.source, on)


def kept(place):
    """Every byte that landing keeps."""
    files = [p for zone in (place.zones.raw, place.zones.identifiable) for p in zone.rglob("*") if p.is_file()]
    return b"".join(p.read_bytes() for p in files)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "there is no sharing agreement for clinic"),
        ([agreement(valid_to="2026-03-30")], "(S1) ended on 2026-03-30"),
        ([agreement(valid_from="2026-04-01")], "(S1) begins on 2026-04-01"),
        ([agreement(tables="visits")], "does not cover table people"),
    ],
)
def test_without_an_agreement_in_force_a_source_does_not_enter_and_its_files_stay(make_place, rows, why):
    place = make_place(people(), practices())
    folder = place.deliver("2026-03-31", {"people.csv": HEADER + ROWS})
    report = place.land(cover=cover(place, *rows))
    assert report.status == "refused"
    assert why in report.messages[0]
    assert [load.status for load in report.files] == ["refused"]
    assert not list(place.zones.raw.rglob("*.parquet"))
    assert b"Beech" not in kept(place)
    assert (folder / "people.csv").exists()


def test_what_waited_for_an_agreement_lands_with_it(place):
    place.deliver_and_land("2026-03-30", {"people.csv": HEADER + ROWS}, cover=cover(place))
    assert place.land(cover=cover(place, agreement())).status == "ok"
    assert len(place.raw("people")) == 2


def test_of_a_file_of_many_practices_only_those_with_an_agreement_enter(make_place):
    """Rows of the others are counted with their reason; nothing of them is kept, not even in quarantine."""
    place = make_place(practices(), organisation="practice")
    place.deliver("2026-03-30", {"visits.csv": VISITS})
    report = place.land(cover=cover(place, agreement(organisation_code="A1")))
    assert [row["practice"] for row in place.raw("visits")] == ["A1"]
    assert (report.rows_in, report.rows_landed, report.rows_quarantined) == (2, 1, 1)
    (counted,) = [load.bad_rows for load in report.files]
    assert [code for _, code, _ in counted] == ["no_agreement"]
    assert [(row["row_text"], row["row_identity"]) for row in place.quarantine("visits")] == [(None, None)]
    assert {row["family_name"] for row in place.identity("visits")} == {"Ash"}


def test_a_practice_that_signs_later_brings_what_was_delivered_before_and_disturbs_nobody(make_place):
    place = make_place(practices(), organisation="practice")
    first = cover(place, agreement(organisation_code="A1"))
    place.deliver_and_land("2026-03-29", {"visits.csv": VISITS}, cover=first)
    later = "practice,local_id,surname,reason\nA1,1,Ash,better\nB2,1,Birch,worse\n"
    place.deliver_and_land("2026-03-30", {"visits.csv": later}, cover=first)
    place.land(cover=cover(place, agreement(organisation_code="A1"), agreement(organisation_code="B2")))
    assert [(row["practice"], row["reason"]) for row in place.raw("visits")] == [
        ("A1", "cough"), ("A1", "better"), ("B2", "fall"), ("B2", "worse"),
    ]  # fmt: skip
    assert [mode for _, window, mode in place.windows() if window == "B2"] == ["full", "delta"]
    again = place.land(cover=cover(place, agreement(organisation_code="A1"), agreement(organisation_code="B2")))
    assert again.status == "nothing_new"


def test_a_practice_is_known_by_its_code_where_the_supplier_has_its_own_ids(make_place):
    names = table("names", [column("guid", nullable=False), column("code")])
    terms = {"organisation": "practice", "organisation_names": {"table": "names", "id": "guid", "code": "code"}}
    place = make_place(practices(), names, **terms)
    place.deliver("2026-03-30", {"visits.csv": VISITS, "names.csv": "guid,code\nA1,T1\nB2,T2\n"})
    place.land(cover=cover(place, agreement(organisation_code="T2")))
    assert [row["practice"] for row in place.raw("visits")] == ["B2"]


def test_a_column_that_is_not_shared_enters_blank(place):
    place.deliver("2026-03-30", {"people.csv": HEADER + ROWS})
    place.land(cover=cover(place, agreement(columns="people.surname;people.seen")))
    assert {(row["visits"], row["birth_month"]) for row in place.raw("people")} == {(None, None)}
    assert {row["family_name"] for row in place.identity("people")} == {"Ash", "Beech"}


def test_rows_that_name_an_organisation_decide_for_it(place):
    agreements = read(place, agreement(), agreement(agreement_id="S2", organisation_code="A1", valid_to="2025-12-31"))
    assert agreements.standing("clinic", "A1", AS_OF).state == "expired"
    assert agreements.standing("clinic", "B2", AS_OF).state == "in_force"
    assert agreements.standing("clinic", "A1", date(2025, 12, 31)).state == "in_force"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (agreement(source="elsewhere"), "line 2: there is no source 'elsewhere'; the sources are clinic"),
        (agreement(source="*"), "only a demonstration may do"),
        (agreement(tables="peoples"), "clinic has no table peoples"),
        (agreement(columns="people.shoe_size"), "clinic.people has no column shoe_size"),
        (agreement(columns="shoe_size"), "is not table.column"),
        (agreement(purposes="curiosity"), "purpose curiosity is not known; the purposes are direct_care"),
        (agreement(valid_from="1/4/2025"), "valid_from '1/4/2025' is not a date; write it as 2026-04-01"),
        (agreement(valid_to="2024-01-01"), "valid_to 2024-01-01 is before valid_from"),
        (agreement(legal_basis=""), "legal_basis is blank"),
    ],
)
def test_a_row_that_cannot_be_used_is_told_by_line(place, row, message):
    with pytest.raises(AgreementError, match="line 2") as told:
        read(place, row)
    assert message in str(told.value)


def test_a_missing_file_is_told_with_what_to_do(place):
    with pytest.raises(AgreementError, match="PHM_SHARING_AGREEMENTS"):
        read_agreements(place.root / "none.csv", {}, may_cover_any_source=False)


def list_of_numbers():
    form = {"kind": "csv", "header": False, "columns": "by_position", "width": 2}
    number = column("nhs_number", position=0, nullable=False, identity=["record_id", "nhs_number"])
    return table("opted_out", [number], file=r"reply\.dat", format=form, all_or_nothing=True)


@pytest.mark.parametrize(
    "reply",
    ["Invalid NHS numbers found\n", "The file holds invalid NHS numbers,\n", "9990000018,\n1234567890,\n", ""],
    ids=["message", "message with a comma", "one invalid number", "nothing"],
)
def test_a_mesh_error_reply_is_no_list(make_place, reply):
    """Trap 18: what stands instead of the list, one line about invalid NHS numbers, must not pass for an empty list."""
    place = make_place(list_of_numbers(), legal_basis="reference")
    place.deliver_and_land("2026-03-29", {"reply.dat": "9990000018,\n"})
    assert place.deliver_and_land("2026-03-30", {"reply.dat": reply}).status == "refused"
    assert len(place.raw("opted_out")) == 1


@pytest.mark.parametrize(("live_from", "is_live"), [("", True), ("2026-03-31", True), ("2026-04-01", False)])
def test_what_an_organisation_sends_lands_at_once_and_counts_from_its_day_on(make_place, live_from, is_live):
    place = make_place(people())
    path = place.root / "agreements.csv"
    row = agreement(live_from=live_from)
    path.write_text(f"{','.join(row)}\n{','.join(row.values())}\n")
    agreements = read_agreements(path, {place.source.name: place.source}, may_cover_any_source=False)
    standing = agreements.standing("clinic", "X", AS_OF)
    assert (standing.state, standing.is_live(AS_OF)) == ("in_force", is_live)
    assert agreements.cover(place.source, AS_OF).why_not("people", None) == ""


def test_a_day_of_going_live_that_is_no_date_is_refused(make_place):
    place = make_place(people())
    path = place.root / "agreements.csv"
    row = agreement(live_from="soon")
    path.write_text(f"{','.join(row)}\n{','.join(row.values())}\n")
    with pytest.raises(AgreementError, match=r"line 2: live_from 'soon' is not a date"):
        read_agreements(path, {place.source.name: place.source}, may_cover_any_source=False)
