"""Deliveries may be late, repeated, out of order, partial or missing; the ledger's numbers and windows come out right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from landing_place import HEADER, Place, column, people, table, zipped

MakePlace = Callable[..., Place]


def rows(*ids: int, visits: int = 1) -> bytes:
    return HEADER + b"".join(b"%d,Smith,1980-02-01,,%d\n" % (i, visits) for i in ids)


def loads(place: Place) -> list[tuple[Any, ...]]:
    return place.ledger.rows("select load_seq, delivery_date, file, status from load order by load_seq")


def test_the_same_delivery_is_taken_in_once(place: Place) -> None:
    place.deliver_and_land("2026-03-01", {"people.csv": rows(1, 2)})
    again = place.land()
    assert (again.status, again.files) == ("nothing_new", [])
    assert place.statuses() == ["landed"]


def test_the_same_bytes_in_a_later_delivery_change_nothing(place: Place) -> None:
    place.deliver_and_land("2026-03-01", {"people.csv": rows(1, 2)})
    report = place.deliver_and_land("2026-03-02", {"people_again.csv": rows(1, 2)})
    assert report.status == "nothing_new"
    assert place.statuses() == ["landed", "repeated"]
    assert "2026-03-01/people.csv" in report.files[0].reason
    assert len(place.raw("people")) == 2


def test_a_full_file_that_returns_to_earlier_bytes_is_news(place: Place) -> None:
    for day, content in (("2026-03-01", rows(1)), ("2026-03-02", rows(2)), ("2026-03-03", rows(1))):
        place.deliver_and_land(day, {"people.csv": content})
    assert place.statuses() == ["landed"] * 3


def test_if_one_of_several_files_of_a_window_is_new_all_land_again(place: Place) -> None:
    place.deliver_and_land("2026-03-01", {"people_a.csv": rows(1), "people_b.csv": rows(2)})
    place.deliver_and_land("2026-03-02", {"people_a.csv": rows(1), "people_b.csv": rows(3)})
    assert place.statuses() == ["landed"] * 4
    assert place.windows()[2:] == [(3, "", "full"), (4, "", "delta")]
    assert place.deliver_and_land("2026-03-03", {"people_a.csv": rows(1), "people_b.csv": rows(3)}).status == "nothing_new"


def test_a_corrected_file_for_an_old_date_lands_as_a_new_load(make_place: MakePlace) -> None:
    place = make_place(people(mode="delta"))
    place.deliver_and_land("2026-03-01", {"people.csv": rows(1)})
    place.deliver_and_land("2026-03-01", {"people.csv": rows(1, visits=2)})
    assert [(row["_load_seq"], row["visits"]) for row in place.raw("people")] == [(1, 1), (2, 2)]


def test_deliveries_apply_in_order_of_their_dates(place: Place) -> None:
    place.deliver("2026-03-02", {"people.csv": rows(2)})
    place.deliver("2026-03-01", {"people.csv": rows(1)})
    place.land()
    assert [row[1] for row in loads(place)] == ["2026-03-01", "2026-03-02"]


def test_a_late_full_delivery_does_not_replace_a_newer_one(place: Place) -> None:
    place.deliver_and_land("2026-03-02", {"people.csv": rows(2)})
    report = place.deliver_and_land("2026-03-01", {"people.csv": rows(1)})
    assert place.statuses() == ["landed", "superseded"]
    assert "newer full delivery" in report.files[0].reason
    assert len(place.raw("people")) == 1


def test_late_rows_of_windows_held_newer_are_quarantined_and_the_others_land(make_place: MakePlace) -> None:
    place = make_place(table("people", [column("id"), column("org")], window=["org"]))
    place.deliver_and_land("2026-03-02", {"people.csv": "id,org\n1,A\n"})
    place.deliver_and_land("2026-03-01", {"people.csv": "id,org\n1,A\n2,B\n"})
    assert [(row["id"], row["_window"]) for row in place.raw("people")] == [("1", "A"), ("2", "B")]
    assert [(row["line"], row["reason_code"], row["row_text"]) for row in place.quarantine("people")] == [
        (2, "superseded", "1,A")
    ]
    assert place.windows() == [(1, "A", "full"), (2, "B", "full")]


def test_a_late_delta_lands_with_a_warning(make_place: MakePlace) -> None:
    place = make_place(people(mode="delta"))
    place.deliver_and_land("2026-03-02", {"people.csv": rows(1)})
    report = place.deliver_and_land("2026-03-01", {"people.csv": rows(2)})
    assert report.status == "ok"
    assert any("came after the delivery of 2026-03-02" in message for message in report.messages)


def test_a_delivery_dated_after_the_runs_date_waits(place: Place) -> None:
    place.deliver("2026-03-01", {"people.csv": rows(1)})
    report = place.land(as_of=date(2026, 2, 28))
    assert report.status == "nothing_new"
    assert "waits" in report.messages[0]
    assert place.land().status == "ok"


def test_one_delivery_date_can_be_landed_alone(place: Place) -> None:
    place.deliver("2026-03-01", {"people.csv": rows(1)})
    place.deliver("2026-03-02", {"people.csv": rows(2)})
    place.land(only_date=date(2026, 3, 2))
    assert [row[1] for row in loads(place)] == ["2026-03-02"]


def test_a_refused_file_is_tried_again_when_it_or_the_contract_changes(place: Place) -> None:
    place.deliver_and_land("2026-03-01", {"people.csv": b""})
    assert place.land().status == "nothing_new"
    assert place.deliver_and_land("2026-03-01", {"people.csv": rows(1)}).status == "ok"
    assert place.statuses() == ["landed"]


def test_a_refused_delivery_leaves_the_last_good_one_and_does_not_stop_the_next(place: Place) -> None:
    place.deliver("2026-03-01", {"people.csv": rows(1)})
    place.deliver("2026-03-02", {"people.csv": b""})
    place.deliver("2026-03-03", {"people.csv": rows(3)})
    report = place.land()
    assert report.status == "refused"
    assert [row[3] for row in loads(place)] == ["landed", "refused", "landed"]


def test_a_file_added_to_a_delivery_joins_it(place: Place) -> None:
    place.deliver_and_land("2026-03-01", {"people_a.csv": rows(1)})
    place.deliver_and_land("2026-03-01", {"people_b.csv": rows(2)})
    assert place.statuses() == ["landed", "landed", "landed"]
    assert place.windows()[1:] == [(2, "", "full"), (3, "", "delta")]


# numbered deliveries: EMIS


def emis(**batch: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    pattern = r"(?P<first>\d+)(?:-(?P<last>\d+))?_{}\.csv"
    org = column("org", identity="record_scope")
    gone = {"column": "gone", "values": ["true"]}
    common = {"mode": "bulk_then_delta", "window": ["org"], "deleted": gone}
    patient = [org, column("guid", nullable=False, identity="record_id"), column("gone", "boolean")]
    event = [org, column("event"), column("guid", identity="record_id"), column("gone", "boolean")]
    tables = [
        table("patient", patient, file=pattern.format("patient"), **(common | {"key": ["org", "guid"]})),
        table("event", event, file=pattern.format("event"), **(common | {"key": ["org", "event"]})),
    ]
    return tables, {"batch": {"complete": True, "sequence_from": "first", "sequence_to": "last", **batch}}


@pytest.fixture
def emis_place(make_place: MakePlace) -> Place:
    tables, terms = emis()
    return make_place(*tables, **terms)


def batch(number: str, patients: str = "", events: str = "") -> dict[str, bytes | str]:
    return {f"{number}_patient.csv": f"org,guid,gone\n{patients}", f"{number}_event.csv": f"org,event,guid,gone\n{events}"}


def test_one_guid_in_two_practices_is_two_records(emis_place: Place) -> None:
    emis_place.deliver_and_land("2026-03-01", batch("1", "A,g1,false\nB,g1,false\n", "A,e,g1,false\nB,e,g1,false\n"))
    patients = {row["org"]: row["record_token"] for row in emis_place.raw("patient")}
    assert len(set(patients.values())) == 2
    assert {row["org"]: row["record_token"] for row in emis_place.raw("event")} == patients
    assert emis_place.statuses() == ["landed", "landed"]


def test_a_delta_that_lacks_a_table_is_held_whole(emis_place: Place) -> None:
    emis_place.deliver_and_land("2026-03-01", batch("1", "A,g1,false\n"))
    files = batch("2", "A,g2,false\n")
    late = {"2_event.csv": files.pop("2_event.csv")}
    report = emis_place.deliver_and_land("2026-03-02", files)
    assert report.status == "held"
    assert "no file for event" in report.messages[0]
    emis_place.deliver("2026-03-03", batch("3", "A,g3,false\n"))
    assert emis_place.land().status == "held"
    assert len(emis_place.raw("patient")) == 1
    assert emis_place.deliver_and_land("2026-03-02", late).status == "ok"
    assert len(emis_place.raw("patient")) == 3
    assert set(emis_place.statuses()) == {"landed"}


def test_a_gap_in_the_numbers_stops_the_source_until_it_is_filled(emis_place: Place) -> None:
    emis_place.deliver_and_land("2026-03-01", batch("1-2", "A,g1,false\n"))
    emis_place.deliver("2026-03-03", batch("5", "A,g5,false\n"))
    emis_place.deliver("2026-03-04", batch("6", "A,g6,false\n"))
    report = emis_place.land()
    assert report.status == "gap"
    assert "ids 3 to 4 are missing" in report.messages[0]
    assert {load.status for load in report.files} == {"waiting"}
    emis_place.deliver("2026-03-02", batch("3-4", "A,g3,false\n"))
    assert emis_place.land().status == "ok"
    assert [row["_delivery_date"].day for row in emis_place.raw("patient")] == [1, 2, 3, 4]
    assert set(emis_place.statuses()) == {"landed"}


def test_a_numbered_delivery_sent_again_is_repeated(emis_place: Place) -> None:
    files = batch("1", "A,g1,false\n", "A,e,g1,false\n")
    emis_place.deliver_and_land("2026-03-01", files)
    assert emis_place.deliver_and_land("2026-03-02", files).status == "nothing_new"
    assert emis_place.statuses() == ["landed", "landed", "repeated", "repeated"]


def test_chains_of_different_agreements_do_not_wait_for_each_other(make_place: MakePlace) -> None:
    columns = [column("id", identity="record_id")]
    pattern = r"(?P<first>\d+)_(?P<agreement>[A-Z])_people\.csv"
    place = make_place(
        table("people", columns, file=pattern, mode="delta"), batch={"sequence_from": "first", "chain": ["agreement"]}
    )
    place.deliver_and_land("2026-03-01", {"1_A_people.csv": "id\n1\n", "9_B_people.csv": "id\n2\n"})
    report = place.deliver_and_land("2026-03-02", {"3_A_people.csv": "id\n3\n", "10_B_people.csv": "id\n4\n"})
    assert report.status == "gap"
    assert place.deliver_and_land("2026-03-02", {"2_A_people.csv": "id\n5\n"}).status == "ok"
    assert set(place.statuses()) == {"landed"}


def test_the_first_delivery_of_a_practice_is_its_bulk(emis_place: Place) -> None:
    emis_place.deliver_and_land("2026-03-01", batch("1", "A,g1,false\n"))
    emis_place.deliver_and_land("2026-03-02", batch("2", "A,g2,false\nB,g1,false\n"))
    modes = emis_place.ledger.rows(
        "select l.load_seq, w.window, w.mode from load_window w join load l using (load_seq) "
        "where table_name = 'patient' order by 1, 2"
    )
    assert [(window, mode) for _, window, mode in modes] == [("A", "full"), ("A", "delta"), ("B", "full")]


def test_a_patient_deleted_and_added_again_in_one_file_is_live(emis_place: Place) -> None:
    emis_place.deliver_and_land("2026-03-01", batch("1", "A,g1,false\n"))
    emis_place.deliver_and_land("2026-03-02", batch("2", "A,g1,true\nA,g1,false\n"))
    assert [row["_is_deleted"] for row in emis_place.raw("patient")] == [False, False]
    assert emis_place.quarantine("patient")[0]["reason_code"] == "overtaken"


# deliveries with a manifest, as TPP sends them

MANIFEST = "FileName,IsDelta,DateExtractFrom,DateExtractTo\n"


def tpp(make_place: MakePlace) -> Place:
    org = column("org", header="IDOrganisationVisibleTo", identity="record_scope")
    gone = column("gone", header="RemovedData", required=False)
    common = {"mode": "manifest", "window": ["org"], "deleted": {"column": "gone", "values": ["1"]}, "key": ["org", "row"]}
    columns = [column("row", "bigint", header="RowIdentifier", identity="record_id"), org, column("name", header="Name"), gone]
    manifest = {
        "file": "SRManifest.csv", "encoding": "cp1252", "table_column": "FileName", "delta_column": "IsDelta",
        "from_column": "DateExtractFrom", "to_column": "DateExtractTo", "datetime_format": "%Y%m%d_%H%M",
    }  # fmt: skip
    form = {"format": {"encoding": "cp1252"}}
    return make_place(
        table("patient", columns, file=r"SRPatient\.csv", **common, **form),
        table("code", columns, file=r"SRCode\.csv", **common, **form),
        batch={"manifest": manifest},
    )


def archive(manifest: str, **tables: str) -> dict[str, bytes | str]:
    members: dict[str, bytes | str] = {"SRManifest.csv": MANIFEST + manifest} if manifest else {}
    header = "RowIdentifier,IDOrganisationVisibleTo,Name,RemovedData\n"
    return {"extract.zip": zipped(members | {f"{name}.csv": (header + body).encode("cp1252") for name, body in tables.items()})}


def span(name: str, first: int, last: int, mode: str = "Y") -> str:
    start = f"202603{first:02d}_0200" if mode == "Y" else ""
    return f"{name},{mode},{start},202603{last:02d}_0200\n"


def test_one_row_id_in_two_tables_and_practices_lands_each_time(make_place: MakePlace) -> None:
    place = tpp(make_place)
    manifest = span("SRPatient", 1, 1, "N") + span("SRCode", 1, 1, "N")
    place.deliver_and_land("2026-03-01", archive(manifest, SRPatient="7,A,x,0\n7,B,x,0\n", SRCode="7,A,x,0\n"))
    assert (len(place.raw("patient")), len(place.raw("code"))) == (2, 1)


def test_a_delivery_without_manifest_is_held(make_place: MakePlace) -> None:
    place = tpp(make_place)
    report = place.deliver_and_land("2026-03-01", archive("", SRPatient="1,A,x,0\n"))
    assert report.status == "held"
    assert "no manifest" in report.messages[0]


@pytest.mark.parametrize(
    ("manifest", "words"),
    [(span("SRPatient", 1, 1, "N") + span("SRCode", 1, 1, "N"), "srcode"), (span("SRCode", 1, 1, "N"), "srcode")],
)
def test_what_the_manifest_lists_must_have_arrived(make_place: MakePlace, manifest: str, words: str) -> None:
    report = tpp(make_place).deliver_and_land("2026-03-01", archive(manifest, SRPatient="1,A,x,0\n"))
    assert report.status == "held"
    assert words in report.messages[0]


def test_what_arrived_must_be_listed(make_place: MakePlace) -> None:
    report = tpp(make_place).deliver_and_land("2026-03-01", archive(span("SRPatient", 1, 1, "N"), SRPatient="", SRCode=""))
    assert report.status == "held"
    assert "does not list srcode" in report.messages[0]


def test_a_gap_between_manifests_stops_and_an_overlap_merges(make_place: MakePlace) -> None:
    place = tpp(make_place)
    place.deliver_and_land("2026-03-02", archive(span("SRPatient", 0, 2, "N"), SRPatient="1,A,x,0\n"))
    report = place.deliver_and_land("2026-03-04", archive(span("SRPatient", 3, 4), SRPatient="1,A,y,0\n"))
    assert report.status == "gap"
    assert "2026-03-03T02:00" in report.messages[0]
    assert "2026-03-02T02:00" in report.messages[0]
    assert place.deliver_and_land("2026-03-03", archive(span("SRPatient", 1, 3), SRPatient="1,A,x,0\n2,A,x,0\n")).status == "ok"
    assert [(row["_load_seq"], row["name"]) for row in place.raw("patient") if row["name"] == "y"] == [(4, "y")]
    assert set(place.statuses()) == {"landed"}


def test_a_bulk_table_inside_a_delta_replaces_that_table_of_that_practice_only(make_place: MakePlace) -> None:
    place = tpp(make_place)
    both = span("SRPatient", 0, 1, "N") + span("SRCode", 0, 1, "N")
    place.deliver_and_land("2026-03-01", archive(both, SRPatient="1,A,x,0\n1,B,x,0\n", SRCode="5,A,x,0\n5,B,x,0\n"))
    mixed = span("SRPatient", 1, 2) + span("SRCode", 0, 2, "N")
    place.deliver_and_land("2026-03-02", archive(mixed, SRPatient="2,A,x,0\n", SRCode="6,A,x,0\n"))
    modes = place.ledger.rows(
        "select table_name, w.window, w.mode from load_window w join load l using (load_seq) "
        "where delivery_date = '2026-03-02' order by 1"
    )
    assert modes == [("code", "A", "full"), ("patient", "A", "delta")]


def test_changes_without_a_bulk_before_them_land_with_a_warning(make_place: MakePlace) -> None:
    report = tpp(make_place).deliver_and_land("2026-03-02", archive(span("SRPatient", 1, 2), SRPatient="1,A,Zoë,1\n"))
    assert report.status == "ok"
    assert any("nothing full of patient has landed" in message for message in report.messages)


@pytest.mark.parametrize(
    ("manifest", "word"),
    [("SRPatient,N\n", "cut short"), ("SRPatient,Y,yesterday,20260301_0200\n", "not of the form")],
)
def test_a_manifest_that_cannot_be_read_refuses_the_delivery(make_place: MakePlace, manifest: str, word: str) -> None:
    report = tpp(make_place).deliver_and_land("2026-03-01", archive(manifest, SRPatient="1,A,x,0\n"))
    assert report.status == "refused"
    assert word in report.messages[0]


# windows in file names: CDS bulk replacement, H-CLIC quarters


def test_an_empty_file_of_a_window_empties_it(make_place: MakePlace) -> None:
    pattern = r"(?P<provider>R\w\w)_(?P<month>\d{6})\.csv"
    place = make_place(table("apc", [column("id")], file=pattern, window=["file:provider", "file:month"]))
    place.deliver_and_land("2026-03-01", {"RAA_202601.csv": "id\n1\n", "RAA_202602.csv": "id\n2\n"})
    report = place.deliver_and_land("2026-03-02", {"RAA_202601.csv": "id\n"})
    assert place.windows() == [(1, "RAA|202601", "full"), (2, "RAA|202602", "full"), (3, "RAA|202601", "full")]
    assert any("RAA|202601 is now empty" in message for message in report.messages)


def test_two_windows_emptied_by_the_same_bytes_are_both_emptied(make_place: MakePlace) -> None:
    pattern = r"(?P<provider>R\w\w)_(?P<month>\d{6})\.csv"
    place = make_place(table("apc", [column("id")], file=pattern, window=["file:provider", "file:month"]))
    place.deliver_and_land("2026-03-01", {"RAA_202601.csv": "id\n1\n", "RBB_202601.csv": "id\n2\n"})
    place.deliver_and_land("2026-03-02", {"RAA_202601.csv": "id\n", "RBB_202601.csv": "id\n"})
    assert place.windows()[2:] == [(3, "RAA|202601", "full"), (4, "RBB|202601", "full")]


def test_a_changed_contract_does_not_put_an_old_bulk_above_later_changes(make_place: MakePlace) -> None:
    place = tpp(make_place)
    place.deliver_and_land("2026-03-01", archive(span("SRPatient", 0, 1, "N"), SRPatient="1,A,x,0\n"))
    place.deliver_and_land("2026-03-02", archive(span("SRPatient", 1, 2), SRPatient="1,A,y,0\n"))
    terms = place.source.terms.model_copy(update={"stale_after_days": 9})
    place.source = place.source.model_copy(update={"terms": terms})
    assert place.land().status == "nothing_new"
    assert max((row["_load_seq"], row["name"]) for row in place.raw("patient"))[1] == "y"


def test_versions_of_one_key_that_differ_in_their_order_columns_all_land(make_place: MakePlace) -> None:
    """Replay chooses by applicable date, so that a net change older than the record held is ignored there."""
    place = make_place(table("apc", [column("id"), column("applicable", "date")], mode="delta", order_by=["applicable"]))
    place.deliver_and_land("2026-03-01", {"apc.csv": "id,applicable\n1,2026-02-02\n1,2026-02-01\n1,2026-02-01\n"})
    assert [str(row["applicable"]) for row in place.raw("apc")] == ["2026-02-02", "2026-02-01"]
    assert place.quarantine("apc")[0]["reason_code"] == "duplicate"


def test_repeated_headers_are_read_by_position(make_place: MakePlace) -> None:
    columns = [
        column("id", header="Generated Record Identifier", position=0),
        column("diagnosis_1", header="Diagnosis", position=1),
        column("diagnosis_2", header="Diagnosis", position=2),
    ]
    wide = make_place(table("apc", columns, format={"columns": "by_position", "width": 3}))
    wide.deliver_and_land("2026-03-01", {"apc.csv": "Generated Record Identifier,Diagnosis,Diagnosis\n1,I10X,E112D\n"})
    assert [(row["diagnosis_1"], row["diagnosis_2"]) for row in wide.raw("apc")] == [("I10X", "E112D")]


def test_repeated_headers_read_by_name_are_refused(make_place: MakePlace) -> None:
    place = make_place(table("apc", [column("id"), column("diagnosis")]))
    report = place.deliver_and_land("2026-03-01", {"apc.csv": "id,diagnosis,Diagnosis\n1,a,b\n"})
    assert report.status == "refused"
    assert "appears 2 times" in report.messages[0]


def test_leading_zeros_and_case_of_codes_survive(make_place: MakePlace) -> None:
    place = make_place(table("people", [column("id"), column("status"), column("ctv3")]))
    place.deliver_and_land("2026-03-01", {"people.csv": "id,status,ctv3\n0012,08,XaZ89\n"})
    row = place.raw("people")[0]
    assert (row["id"], row["status"], row["ctv3"]) == ("0012", "08", "XaZ89")


def test_minus_one_means_none_where_the_contract_says_so(make_place: MakePlace) -> None:
    place = make_place(table("code", [column("id"), column("snomed", null_values=["-1"])]))
    place.deliver_and_land("2026-03-01", {"code.csv": "id,snomed\n1,-1\n2,22298006\n"})
    assert [row["snomed"] for row in place.raw("code")] == [None, "22298006"]


def test_a_partial_date_is_padded_and_its_precision_kept(make_place: MakePlace) -> None:
    day = column("day", "date", format=["%Y-%m-%d", "%Y-%m", "%Y"])
    place = make_place(table("obs", [column("id"), day, column("precision")]))
    place.deliver_and_land("2026-03-01", {"obs.csv": "id,day,precision\n1,2010,Y\n2,2010-06,YM\n3,2010-06-05,YMD\n"})
    assert [(str(r["day"]), r["precision"]) for r in place.raw("obs")] == [
        ("2010-01-01", "Y"),
        ("2010-06-01", "YM"),
        ("2010-06-05", "YMD"),
    ]


def test_a_compact_date_must_have_all_its_digits(make_place: MakePlace) -> None:
    place = make_place(table("obs", [column("id"), column("day", "date", format=["%Y%m%d"])]))
    place.deliver_and_land("2026-03-01", {"obs.csv": "id,day\n1,20240115\n2,2024115\n"})
    assert [row["id"] for row in place.raw("obs")] == ["1"]


def test_what_a_held_delivery_waits_for_is_kept_up_to_date(emis_place: Place) -> None:
    emis_place.deliver_and_land("2026-03-01", {"1_patient.csv": "org,guid,gone\n"})
    emis_place.land()
    assert [(status, "event" in reason) for status, reason in emis_place.ledger.rows("select status, reason from load")] == [
        ("held", True)
    ]
    (emis_place.zones.landing / "clinic/2026-03-01/1_patient.csv").unlink()
    emis_place.deliver_and_land("2026-03-01", {"1_event.csv": "org,event,guid,gone\n"})
    reasons = emis_place.ledger.rows("select reason from load where file = '1_event.csv'")
    assert ["no file for patient" in reason for (reason,) in reasons] == [True]
