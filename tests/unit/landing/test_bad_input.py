"""Whatever a supplier sends: a clear message, nothing lost, and the good rows landed or the whole delivery refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from landing_place import HEADER, Place, column, gzipped, people, table, zipped

GOOD = b"1,Smith,1980-02-01,2026-01-01,3\n"
DAY = "2026-03-01"
MakePlace = Callable[..., Place]


def land(place: Place, content: bytes, name: str = "people.csv") -> str:
    """Deliver one file; the messages of the run as one text."""
    return "\n".join(place.deliver_and_land(DAY, {name: content}).messages)


def assert_refused(place: Place, message: str, *words: str) -> None:
    assert place.reports[-1].status == "refused"
    assert place.raw("people") == []
    assert place.identity("people") == []
    for word in words:
        assert word in message


def assert_reasons(place: Place, *expected: tuple[int, str]) -> None:
    """Quarantined lines with their reason code; every row is accounted for."""
    rows = place.quarantine("people")
    assert [(row["line"], row["reason_code"]) for row in rows] == list(expected)
    assert all(row["reason"] and row["file"].startswith("people") for row in rows)
    report = place.reports[-1]
    assert report.rows_in == report.rows_landed + report.rows_quarantined
    assert len(place.raw("people")) == report.rows_landed


def test_an_empty_file_is_refused(place: Place) -> None:
    assert_refused(place, land(place, b""), "people.csv", "0 bytes", "ask for it again")


def test_a_header_alone_lands_no_rows_and_is_no_fault(place: Place) -> None:
    land(place, HEADER)
    assert place.reports[-1].status == "ok"
    assert place.statuses() == ["landed"]
    assert place.windows() == [(1, "", "full")]


def test_a_file_without_header_is_refused(place: Place) -> None:
    assert_refused(place, land(place, GOOD * 2), "line 1", "no header", "LocalId")


def test_a_missing_required_column_is_named(place: Place) -> None:
    assert_refused(place, land(place, b"LocalId,Surname,Born,Seen\n1,Smith,1980-02-01,\n"), "'Visits'", "is missing")


def test_a_renamed_column_is_named_with_its_new_name(place: Place) -> None:
    message = land(place, HEADER.replace(b"Visits", b"Attendances") + GOOD)
    assert_refused(place, message, "'Visits'", "Attendances", "add an alias")


def test_an_alias_answers_for_a_renamed_column(make_place: MakePlace) -> None:
    place = make_place(table("people", [column("id"), column("visits", "integer", header="Visits", aliases=["Attendances"])]))
    land(place, b"id,attendances\n1,4\n")
    assert [row["visits"] for row in place.raw("people")] == [4]


def test_a_missing_optional_column_is_null(make_place: MakePlace) -> None:
    place = make_place(table("people", [column("id"), column("note", required=False)]))
    land(place, b"id\n1\n")
    assert place.raw("people")[0]["note"] is None


def test_columns_in_another_order_and_case_land_the_same(place: Place) -> None:
    land(place, b"VISITS,born,Seen,SURNAME,localid\n3,1980-02-01,2026-01-01,Smith,1\n")
    row = place.raw("people")[0]
    assert (row["visits"], row["seen"], row["birth_month"]) == (3, date(2026, 1, 1), date(1980, 2, 1))


def test_a_header_that_runs_on_into_a_row_is_not_told(place: Place) -> None:
    """What stands in it is a row's; no message and no line of the ledger repeats it."""
    place.deliver_and_land(DAY, {"people.csv": HEADER.rstrip() + b"," + GOOD + GOOD})
    (message, *_) = place.reports[-1].messages
    assert "5 whose names are not shown" in message
    assert place.ledger.rows("select count(*) from load where header like '%Smith%'") == [(0,)]


def test_an_extra_column_is_kept_out_and_reported(place: Place) -> None:
    message = land(place, HEADER.replace(b"\n", b",Nickname\n") + GOOD.replace(b"\n", b",Smudge\n"))
    assert "Nickname" in message
    assert "Smudge" not in message
    assert place.reports[-1].files[0].n_extra_columns == 1
    assert "Nickname" not in place.raw("people")[0]


def test_the_wrong_delimiter_is_recognised(place: Place) -> None:
    assert_refused(place, land(place, (HEADER + GOOD).replace(b",", b";")), "separated by ';'", "','")


def test_ragged_rows_are_quarantined_alone(place: Place) -> None:
    land(place, HEADER + GOOD + b"2,Short\n" + b"3,Long,1980-02-01,,1,,x\n" + GOOD.replace(b"1,", b"4,", 1))
    assert_reasons(place, (3, "ragged_row"), (4, "ragged_row"))
    assert [row["_line"] for row in place.raw("people")] == [2, 5]


def test_delimiters_at_the_end_of_a_row_are_no_fault(place: Place) -> None:
    land(place, HEADER + GOOD.replace(b"\n", b",,\n"))
    assert place.reports[-1].rows_landed == 1


def test_an_unclosed_quote_costs_one_row_only(place: Place) -> None:
    rows = [f"{i},Name{i},1980-02-01,,1\n".encode() for i in range(10)]
    rows[3] = b'3,"Open,1980-02-01,,1\n'
    land(place, HEADER + b"".join(rows))
    assert_reasons(place, (5, "unclosed_quote"))
    assert [row["_line"] for row in place.raw("people")] == [2, 3, 4, 6, 7, 8, 9, 10, 11]


def test_a_nul_byte_is_quarantined(place: Place) -> None:
    land(place, HEADER + GOOD + b"2,Sm\0ith,1980-02-01,,1\n")
    assert_reasons(place, (3, "nul_byte"))


def test_a_nul_byte_costs_one_row_of_a_table_with_text_that_is_dropped(make_place: MakePlace) -> None:
    with_note = people()
    with_note["columns"].append(column("note", header="Note", required=False, drop=True))
    place = make_place(with_note)
    rows = b"1,Sm\0ith,1980-02-01,2026-01-01,3,x\n2,Smith,1980-02-01,2026-01-01,3,y\n"
    place.deliver_and_land(DAY, {"people.csv": HEADER.rstrip() + b",Note\n" + rows})
    assert [row["reason_code"] for row in place.quarantine("people")] == ["nul_byte"]
    assert len(place.raw("people")) == 1


def test_invalid_utf8_is_quarantined(place: Place) -> None:
    land(place, HEADER + GOOD + b"2,M\xfcller,1980-02-01,,1\n" + b"3,M\xc3\xbcller,1980-02-01,,1\n")
    assert_reasons(place, (3, "invalid_encoding"))
    assert place.quarantine("people")[0]["row_text"] == "2,M\\xfcller,1980-02-01,,1"
    assert "Müller" in {row["family_name"] for row in place.identity("people")}


def test_cp1252_is_decoded(make_place: MakePlace) -> None:
    place = make_place(people(format={"encoding": "cp1252"}))
    land(place, HEADER + GOOD + "2,Zoë O’Hara,1980-02-01,,1\n".encode("cp1252") + b"3,B\x81d,1980-02-01,,1\n")
    assert "Zoë O’Hara" in {row["family_name"] for row in place.identity("people")}
    assert_reasons(place, (4, "invalid_encoding"))


def test_a_byte_order_mark_is_not_part_of_the_first_header(place: Place) -> None:
    land(place, b"\xef\xbb\xbf" + HEADER + GOOD)
    assert place.reports[-1].rows_landed == 1


def test_a_byte_order_mark_before_a_headerless_file(make_place: MakePlace) -> None:
    form = {"header": False, "columns": "by_position", "width": 2}
    place = make_place(table("people", [column("code", position=0), column("name", position=1)], format=form))
    land(place, b"\xef\xbb\xbfA1,First\nA2,Second\n")
    assert [row["code"] for row in place.raw("people")] == ["A1", "A2"]


def test_utf16_is_refused(place: Place) -> None:
    assert_refused(place, land(place, (HEADER + GOOD).decode().encode("utf-16")), "UTF-16")


@pytest.mark.parametrize("quoted", ["Smith", '"Smith\r\nJones"', '"Smith\nJones"'])
def test_crlf_line_ends_count_as_one(place: Place, quoted: str) -> None:
    lines = [f"{i},{quoted if i == 1 else 'X'},1980-02-01,,1" for i in range(3)] + ["9,bad"]
    land(place, HEADER.replace(b"\n", b"\r\n") + "".join(f"{line}\r\n" for line in lines).encode())
    extra = "\n" in quoted
    assert [row["_line"] for row in place.raw("people")] == [2, 3, 4 + extra]
    assert_reasons(place, (5 + extra, "ragged_row"))


def test_a_gzip_file_is_read(place: Place) -> None:
    land(place, gzipped(HEADER + GOOD), "people.csv.gz")
    assert place.reports[-1].rows_landed == 1


def test_a_gzip_file_cut_short_is_refused(place: Place) -> None:
    content = gzipped(HEADER + b"".join(GOOD.replace(b"1,", f"{i},".encode(), 1) for i in range(500)))
    assert_refused(place, land(place, content[: len(content) // 2], "people.csv.gz"), "people.csv.gz", "cut short")


def test_a_plain_file_cut_short_is_refused(place: Place) -> None:
    rows = b"".join(b"%d,Smith,1980-02-01,2026-01-01,3\n" % i for i in range(50))
    assert_refused(place, land(place, (HEADER + rows)[:-12]), "line 51", "cut short")


def test_a_last_row_without_line_end_is_no_fault(place: Place) -> None:
    land(place, HEADER + GOOD.rstrip())
    assert place.reports[-1].rows_landed == 1


@pytest.mark.parametrize("member", ["../people.csv", "/etc/people.csv", "a/../../people.csv", "C:\\people.csv", "..\\people.csv"])
def test_a_zip_that_climbs_out_is_refused(place: Place, member: str) -> None:
    message = land(place, zipped({member: HEADER + GOOD}), "people.zip")
    assert_refused(place, message, "people.zip", "points outside")
    assert not list(place.root.glob("**/people.csv"))


def test_a_damaged_zip_is_refused(place: Place) -> None:
    assert_refused(place, land(place, zipped({"people.csv": HEADER + GOOD})[:-30], "people.zip"), "people.zip", "cut short")


def test_a_damaged_member_of_a_zip_is_refused(place: Place) -> None:
    content = bytearray(zipped({"people.csv": HEADER + GOOD * 50}))
    content[60] ^= 0xFF
    assert_refused(place, land(place, bytes(content), "people.zip"), "people.zip/people.csv", "damaged")


def test_a_zip_compressed_in_an_unknown_way_is_refused(place: Place) -> None:
    content = bytearray(zipped({"people.csv": HEADER + GOOD}))
    # the method stands in the local header and again in the central directory (APPNOTE 4.3.7 and 4.3.12); 97 is WavPack
    for mark, offset in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = content.index(mark) + offset
        content[at : at + 2] = (97).to_bytes(2, "little")
    assert_refused(place, land(place, bytes(content), "people.zip"), "people.zip/people.csv", "use deflate")


@pytest.mark.parametrize(
    ("mark", "offset", "value"),
    [
        (b"PK\x01\x02", 6, 99),  # needs a version of zip that there is not
        (b"PK\x01\x02", 28, 0),  # a member without a name
        (b"PK\x05\x06", 16, 255),  # the directory begins elsewhere
    ],
)
def test_a_zip_with_a_damaged_directory_is_refused_and_stops_nothing(place: Place, mark: bytes, offset: int, value: int) -> None:
    content = bytearray(zipped({"people.csv": HEADER + GOOD}))
    content[content.index(mark) + offset] = value
    assert_refused(place, land(place, bytes(content), "people.zip"), "people.zip")


def test_a_bzip2_member_that_is_damaged_is_refused(place: Place) -> None:
    """Its decompressor raises `OSError`, as a broken disk does."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("people.csv", HEADER + GOOD * 50)
    content = bytearray(out.getvalue())
    content[content.index(b"BZh") + 12] ^= 0xFF
    assert_refused(place, land(place, bytes(content), "people.zip"), "people.zip/people.csv", "damaged")


def test_two_files_of_one_table_that_disagree_refuse_the_delivery(place: Place) -> None:
    other = b"LocalId,Surname,Born,Seen,Visits,More\n9,X,1980-02-01,,1,z\n"
    report = place.deliver_and_land(DAY, {"people_a.csv": HEADER + GOOD, "people_b.csv": other})
    assert_refused(place, report.messages[0], "people_a.csv", "people_b.csv", "more", "same columns")
    assert place.statuses() == ["refused", "refused"]


def test_files_of_different_senders_need_not_have_the_same_columns(make_place: MakePlace) -> None:
    place = make_place(table("visit", [column("id")], file=r"visits_(?P<service>\w)\.csv", window=["file:service"]))
    report = place.deliver_and_land(DAY, {"visits_a.csv": b"id\n1\n", "visits_b.csv": b"id,note\n2,x\n"})
    assert report.status == "ok"
    assert place.statuses() == ["landed", "landed"]


def test_two_files_of_one_table_that_agree_are_two_loads_of_one_window(place: Place) -> None:
    place.deliver_and_land(DAY, {"people_a.csv": HEADER + GOOD, "people_b.csv": HEADER + GOOD.replace(b"1,", b"2,", 1)})
    assert len(place.raw("people")) == 2
    assert place.windows() == [(1, "", "full"), (2, "", "delta")]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("2026-02-31", "bad_date"),
        ("12345", "implausible_date"),
        ("20260101", "implausible_date"),
        ("0001-01-01", "implausible_date"),
        ("9999-12-31", "implausible_date"),
        ("1849-12-31", "implausible_date"),
        ("2029-01-01", "implausible_date"),
        ("soon", "bad_date"),
    ],
)
def test_what_is_not_a_date_is_quarantined(place: Place, value: str, code: str) -> None:
    land(place, HEADER + GOOD + f"2,Smith,1980-02-01,{value},1\n".encode())
    row = place.quarantine("people")[0]
    assert (row["line"], row["column_name"], row["row_identity"]) == (3, "seen", "local_id=2")
    assert row["reason_code"] in (code, "bad_date")
    assert value not in row["reason"]


def test_an_open_end_that_the_contract_lists_is_null(make_place: MakePlace) -> None:
    place = make_place(table("people", [column("id"), column("ends", "date", null_values=["9999-12-31"])]))
    land(place, b"id,ends\n1,9999-12-31\n")
    assert place.raw("people")[0]["ends"] is None


@pytest.mark.parametrize("born", ["1900-01-01", "1811-11-11", "1800-01-01", "9999-12-31"])
def test_a_birth_date_that_means_unknown_is_null_and_kept_as_text(place: Place, born: str) -> None:
    land(place, HEADER + f"1,Smith,{born},,1\n".encode())
    assert place.raw("people")[0]["birth_month"] is None
    identity = place.identity("people")[0]
    assert (identity["birth_date"], identity["birth_date_text"]) == (None, born)


@pytest.mark.parametrize(
    ("data_type", "good", "bad"),
    [
        ("integer", {"7": 7, "-2": -2, "007": 7}, ["1.5", "1e3", "x", "99999999999"]),
        ("bigint", {"99999999999": 99999999999}, ["1.0", "9" * 30]),
        ("double", {"1.5": 1.5, "-2": -2.0}, ["x", "nan", "inf", "1,5"]),
        ("boolean", {"TRUE": True, "n": False, "1": True, "No": False}, ["2", "maybe"]),
        ("timestamp", {"2026-01-02": None}, ["2026-13-01"]),
    ],
)
def test_values_are_typed_or_quarantined(make_place: MakePlace, data_type: str, good: dict[str, object], bad: list[str]) -> None:
    place = make_place(table("people", [column("id"), column("v", data_type)], format={"delimiter": ";"}))
    values = [*good, *bad]
    land(place, b"id;v\n" + "".join(f"{i};{v}\n" for i, v in enumerate(values)).encode())
    landed = [row["v"] for row in place.raw("people")]
    assert len(landed) == len(good)
    if data_type != "timestamp":
        assert landed == list(good.values())
    assert {row["reason_code"] for row in place.quarantine("people")} <= {f"bad_{data_type}", "bad_integer"}


def test_blank_is_null_and_a_required_value_that_is_missing_is_quarantined(place: Place) -> None:
    land(place, HEADER + b"1, ,,,\n" + b" ,Smith,1980-01-01,,\n")
    assert_reasons(place, (3, "missing_value"))
    assert place.raw("people")[0]["visits"] is None


def test_a_delete_may_carry_its_key_only(make_place: MakePlace) -> None:
    columns = [column("id", nullable=False), column("name", nullable=False), column("gone", "boolean")]
    place = make_place(table("people", columns, mode="delta", deleted={"column": "gone", "values": ["true"]}))
    land(place, b"id,name,gone\n1,,TRUE\n2,,false\n,,true\n")
    assert [(row["id"], row["_is_deleted"]) for row in place.raw("people")] == [("1", True)]
    assert [(row["line"], row["reason_code"]) for row in place.quarantine("people")] == [
        (3, "missing_value"),
        (4, "missing_value"),
    ]


def test_of_identical_rows_the_first_stays(place: Place) -> None:
    land(place, HEADER + GOOD * 3)
    assert_reasons(place, (3, "duplicate"), (4, "duplicate"))
    assert place.raw("people")[0]["_line"] == 2


def test_of_differing_rows_for_one_key_the_last_stays(place: Place) -> None:
    land(place, HEADER + GOOD + b"1,Jones,1980-02-01,,4\n" + b"1,Smith-Jones,1980-02-01,,5\n")
    assert_reasons(place, (2, "overtaken"), (3, "overtaken"))
    assert place.quarantine("people")[0]["row_text"] == "1,Smith,1980-02-01,2026-01-01,3"
    assert place.raw("people")[0]["visits"] == 5


def test_a_change_and_a_delete_of_unknown_keys_are_legal(make_place: MakePlace) -> None:
    columns = [column("id"), column("gone")]
    place = make_place(table("people", columns, mode="delta", deleted={"column": "gone", "values": ["Y"]}))
    land(place, b"id,gone\nnever-seen,N\nnever-seen-either,y\n")
    assert [row["_is_deleted"] for row in place.raw("people")] == [False, True]


def test_a_folder_that_is_not_a_date_is_reported_and_left_alone(place: Place) -> None:
    folder = place.deliver("2026-02-30", {"people.csv": HEADER + GOOD})
    place.deliver("latest", {"people.csv": HEADER + GOOD})
    report = place.land()
    assert len(report.messages) == 2
    assert "2026-02-30 is not a delivery" in report.messages[0]
    assert place.raw("people") == []
    assert (folder / "people.csv").exists()


def test_a_file_no_contract_knows_is_reported_and_the_rest_lands(place: Place) -> None:
    report = place.deliver_and_land(DAY, {"people.csv": HEADER + GOOD, "notes.docx": b"hello"})
    assert report.status == "ok"
    assert any("notes.docx" in message and "file pattern" in message for message in report.messages)
    assert place.statuses() == ["unknown", "landed"]


def test_a_file_still_in_transfer_is_not_read(place: Place) -> None:
    report = place.deliver_and_land(DAY, {"people.csv.part": HEADER, ".people.csv": HEADER})
    assert (report.status, report.files) == ("nothing_new", [])


def test_too_many_bad_rows_refuse_the_delivery(make_place: MakePlace) -> None:
    place = make_place(max_bad_row_share=0.1)
    rows = [b"%d,Smith,1980-02-01,%s,3\n" % (i, b"x" if i < 5 else b"") for i in range(30)]
    assert_refused(place, land(place, HEADER + b"".join(rows)), "16.7%", "10.0%", "Seen is not a date", "lines 2, 3, 4, 5, 6")
    assert place.ledger.rows("select reason_code, n_rows from bad_row_count") == [("bad_date", 5)]


def test_a_refused_file_refuses_every_file_of_its_delivery(make_place: MakePlace) -> None:
    place = make_place(people(), table("other", [column("id")]))
    report = place.deliver_and_land(DAY, {"people.csv": b"", "other.csv": "id\n1\n"})
    assert report.status == "refused"
    assert place.raw("other") == []
    assert not list((place.root / "data").glob("**/*.tmp"))


def test_a_very_long_row_is_quarantined(place: Place) -> None:
    land(place, HEADER + GOOD + b"2," + b"x" * 1_100_000 + b",,,\n" + GOOD.replace(b"1,", b"3,", 1))
    assert_reasons(place, (3, "too_long"))
    assert [row["_line"] for row in place.raw("people")] == [2, 4]


def test_blank_lines_are_not_rows(place: Place) -> None:
    land(place, HEADER + GOOD + b"\n" + GOOD.replace(b"1,", b"3,", 1) + b"\n\n")
    assert [row["_line"] for row in place.raw("people")] == [2, 4]
    assert place.reports[-1].rows_in == 2


def test_text_that_must_not_leave_landing_is_nowhere(make_place: MakePlace) -> None:
    place = make_place(table("people", [column("id", nullable=False), column("note", drop=True), column("n", "integer")]))
    land(place, b"id,note,n\n1,secret words,2\n2,secret words,x\n3,secret words\n")
    assert "note" not in place.raw("people")[0]
    assert [row["row_text"] for row in place.quarantine("people")] == ["2,x", None]
    assert not [p for p in (place.root / "data").glob("[ir]*/**/*.parquet") if b"secret words" in p.read_bytes()]


XML = '<?xml version="1.0"?>\n<Case_File Council="E1">\n'


def cases() -> list[dict[str, object]]:
    form = {"kind": "xml", "row_element": "Case", "inherit": {"Council": "Case_File"}}
    need = {"kind": "xml", "row_element": "Need", "inherit": {"Reference": "Case"}}
    file = {"file": r"cases\.xml"}
    return [
        table("people", [column("reference", header="Reference"), column("council", header="Council")], format=form, **file),
        table("need", [column("reference", header="Reference"), column("kind", header="Kind")], format=need,
              **file | {"key": ["reference", "kind"]}),
    ]  # fmt: skip


def test_xml_rows_inherit_from_the_elements_around_them(make_place: MakePlace) -> None:
    place = make_place(*cases())
    needs = "<Need><Kind>Debt</Kind></Need><Need><Kind>Drugs</Kind></Need>"
    body = f'<Case Reference="A">{needs}</Case>\n<Case><Reference>B</Reference></Case>'
    land(place, f"{XML}{body}</Case_File>".encode(), "cases.xml")
    assert [(r["reference"], r["council"], r["_line"]) for r in place.raw("people")] == [("A", "E1", 3), ("B", "E1", 4)]
    assert [(r["reference"], r["kind"]) for r in place.raw("need")] == [("A", "Debt"), ("A", "Drugs")]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ('<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>', "document type declaration"),
        ('<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>', "document type declaration"),
        (f'{XML}<Case Reference="A"><Need>', "not well-formed"),
    ],
)
def test_xml_that_is_dangerous_or_broken_is_refused(make_place: MakePlace, content: str, word: str) -> None:
    place = make_place(*cases())
    assert_refused(place, land(place, content.encode(), "cases.xml"), "cases.xml, line", word)


def test_a_file_read_by_position_must_have_its_columns_in_place(make_place: MakePlace) -> None:
    columns = [column("id", header="Id", position=0), column("code", header="Dx", position=2)]
    place = make_place(table("people", columns, format={"columns": "by_position", "width": 3}))
    message = land(place, b"Id,Dx,Note\n1,a,b\n")
    assert_refused(place, message, "column 2 is 'Note'", "'Dx'")
    assert_refused(place, land(place, b"Id,Note\n1,a\n"), "2 columns", "says 3")


def test_nothing_in_the_landing_zone_is_changed(place: Place) -> None:
    folder = place.deliver(DAY, {"people.csv": b"\xef\xbb\xbf" + HEADER + GOOD, "a.zip": zipped({"people_2.csv": HEADER})})
    before = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    place.land()
    assert {path.name: path.read_bytes() for path in Path(folder).iterdir()} == before
