"""The two GP suppliers write what their contracts describe, night after night, with their own bad habits."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest
from synthetic.clinical_model import MEASUREMENTS
from synthetic.emission import Emission
from synthetic.place import Place, make_place
from synthetic.suppliers import _gp, gp_emis, gp_systmone
from synthetic.timeline import Window
from synthetic.world import make_chunk
from synthetic.world_schema import Chunk, Delivery

from orchestration.landing.contract import Source, read_contract

STAGING = Path(__file__).parents[3] / "dbt_project" / "models" / "staging"
SUPPLIERS = (gp_emis, gp_systmone)
BULK = Delivery(0, date(2026, 3, 31), None)
NIGHT = Delivery(1, date(2026, 4, 1), BULK.date)
LATER = Delivery(2, date(2026, 4, 20), NIGHT.date)
DELIVERIES = [BULK, NIGHT, LATER]
Row = dict[str, str]


@pytest.fixture(scope="module")
def place() -> Place:
    return make_place(7)


@pytest.fixture(scope="module")
def chunk(place: Place) -> Chunk:
    return make_chunk(0, 2500, place, Window.ending(BULK.date, 20), 7)


def play(supplier: ModuleType, chunk: Chunk, place: Place) -> Emission:
    """Everything a supplier sends."""
    emission = supplier.emit(chunk, place, DELIVERIES, np.random.default_rng(7))
    once = supplier.emit_once(place, DELIVERIES, np.random.default_rng(8))
    emission.parts += once.parts
    emission.faults += once.faults
    return emission


@pytest.fixture(scope="module")
def emis(chunk: Chunk, place: Place) -> Emission:
    return play(gp_emis, chunk, place)


@pytest.fixture(scope="module")
def systmone(chunk: Chunk, place: Place) -> Emission:
    return play(gp_systmone, chunk, place)


def contract(supplier: ModuleType) -> Source:
    return read_contract(STAGING / supplier.SOURCE / f"_{supplier.SOURCE}__sources.yml")


def rows(emission: Emission, table: str, delivery: Delivery, *, spoilt: bool = False) -> list[Row]:
    """The rows of a table (the supplier's name) in a delivery, without those planted as bad."""
    name = f"{table}.csv" if emission.parts[0].source == "gp_systmone" else gp_emis.file_name(delivery, table)
    parts = [part for part in emission.parts if part.delivery == delivery.index and part.file == name]
    found = list(csv.DictReader(io.StringIO((parts[0].header + b"".join(part.body for part in parts)).decode())))
    bad = {fault.row_identity for fault in emission.faults if fault.file == name and fault.delivery == delivery.index}
    return [row for row in found if spoilt or (key_of(row) and key_of(row) not in bad)]


def key_of(row: Row) -> str:
    """What names a row: its own GUID, row identifier or code, the first column of every table."""
    return next(iter(row.values()))


def is_deleted(row: Row) -> bool:
    return row.get("Deleted") == "true" or row.get("RemovedData") == "1"


@pytest.mark.parametrize("supplier", SUPPLIERS, ids=lambda s: s.SOURCE)
def test_every_file_has_the_columns_of_one_contract_table(
    supplier: ModuleType, request: pytest.FixtureRequest, chunk: Chunk, place: Place
) -> None:
    emission = request.getfixturevalue("emis" if supplier is gp_emis else "systmone")
    source = contract(supplier)
    seen: dict[int, set[str]] = {delivery.index: set() for delivery in DELIVERIES}

    for part in emission.parts:
        tables = [table for table in source.tables if table.terms.pattern.match(part.file)]
        if part.file == "SRManifest.csv":
            continue
        assert len(tables) == 1, part.file
        (header,) = csv.reader([part.header.decode()])
        assert header == [column.header for column in tables[0].columns], part.file
        seen[part.delivery].add(tables[0].name)

    # every delivery brings every table, if only its header
    assert all(names == {table.name for table in source.tables} for names in seen.values())


@pytest.mark.parametrize("supplier", SUPPLIERS, ids=lambda s: s.SOURCE)
def test_the_same_arguments_give_the_same_bytes(
    supplier: ModuleType, request: pytest.FixtureRequest, chunk: Chunk, place: Place
) -> None:
    emission = request.getfixturevalue("emis" if supplier is gp_emis else "systmone")
    again = play(supplier, chunk, place)

    assert again.parts == emission.parts
    assert again.faults == emission.faults
    assert again.records.equals(emission.records)


@pytest.mark.parametrize(
    ("fixture", "tables"),
    [
        ("emis", ["Admin_Patient", "CareRecord_Observation", "Appointment_Slot", "Prescribing_IssueRecord"]),
        ("systmone", ["SRPatient", "SRPatientAddressHistory", "SRCode", "SREvent", "SRAppointment", "SRPrimaryCareMedication"]),
    ],
)
def test_keys_are_unique_within_a_practice_and_the_bulk_deletes_nothing(
    fixture: str, tables: list[str], request: pytest.FixtureRequest
) -> None:
    emission = request.getfixturevalue(fixture)
    for table in tables:
        bulk = rows(emission, table, BULK)
        practice = "OrganisationGuid" if fixture == "emis" else "IDOrganisationVisibleTo"
        assert len(bulk) > 1_000
        assert max(Counter((row[practice], key_of(row)) for row in bulk).values()) == 1, table
        assert not any(is_deleted(row) for row in bulk), table


@pytest.mark.parametrize("fixture", ["emis", "systmone"])
def test_every_patient_row_is_a_record_of_the_truth(fixture: str, request: pytest.FixtureRequest) -> None:
    emission = request.getfixturevalue(fixture)
    known = set(emission.records["local_id"])
    practice, patient = ("OrganisationGuid", "PatientGuid") if fixture == "emis" else ("IDOrganisationVisibleTo", "RowIdentifier")
    table = "Admin_Patient" if fixture == "emis" else "SRPatient"
    sent = {f"{row[practice]}|{row[patient]}" for delivery in DELIVERIES for row in rows(emission, table, delivery)}

    assert emission.records["local_id"].is_unique().all()
    assert sent <= known


@pytest.mark.parametrize(
    ("fixture", "table", "entered"),
    [("emis", "CareRecord_Observation", "EnteredDate"), ("systmone", "SRCode", "DateEventRecorded")],
)
def test_a_delta_brings_only_what_was_recorded_since(
    fixture: str, table: str, entered: str, request: pytest.FixtureRequest
) -> None:
    emission = request.getfixturevalue(fixture)
    new = [row for row in rows(emission, table, LATER) if not is_deleted(row)]
    printed = {date(2026, 4, day).strftime("%Y-%m-%d" if fixture == "emis" else "%d %b %Y 09:30:00") for day in range(2, 21)}

    assert len(new) > 100
    assert {row[entered] for row in new} <= printed


@pytest.mark.parametrize(("fixture", "table"), [("emis", "CareRecord_Observation"), ("systmone", "SRCode")])
def test_a_removed_statement_comes_as_a_delete_that_carries_keys_only(
    fixture: str, table: str, request: pytest.FixtureRequest
) -> None:
    emission = request.getfixturevalue(fixture)
    sent = {key_of(row) for row in rows(emission, table, BULK, spoilt=True)}
    deletes = [row for delivery in (NIGHT, LATER) for row in rows(emission, table, delivery) if is_deleted(row)]
    keys = {
        "ObservationGuid",
        "RowIdentifier",
        "OrganisationGuid",
        "PatientGuid",
        "Deleted",
        "ProcessingId",
        "IDOrganisationVisibleTo",
        "RemovedData",
    }

    assert deletes
    assert {key_of(row) for row in deletes} <= sent | {fault.row_identity for fault in emission.faults}
    assert all(not value for row in deletes for column, value in row.items() if column not in keys)


def leaving(chunk: Chunk, gp_system: str, n: int) -> Chunk:
    """The same people, of whom `n` of those registered throughout leave on the night's date."""
    registrations = chunk["registrations"]
    stays = pl.col("valid_to").is_null() & (pl.col("valid_from") < BULK.date) & (pl.col("gp_system") == gp_system)
    leavers = registrations.filter(stays, pl.col("registration_type") == "regular").head(n)["person_no"]
    is_leaver = stays & pl.col("person_no").is_in(leavers.to_list())
    end = pl.when(is_leaver).then(pl.lit(NIGHT.date)).otherwise(pl.col("valid_to")).alias("valid_to")
    return Chunk(chunk.index, chunk.frames | {"registrations": registrations.with_columns(end)})


def test_emis_leavers_are_sent_again_as_inactive_or_leave_the_extract(chunk: Chunk, place: Place) -> None:
    emission = play(gp_emis, leaving(chunk, "emis", 200), place)
    night = rows(emission, "Admin_Patient", NIGHT)
    inactive = [row for row in night if row["DateofDeactivation"] == "2026-04-01"]
    gone = [row for row in night if is_deleted(row)]

    assert len(inactive) > 150
    assert 5 <= len(gone) <= 50
    assert {row["Surname"] for row in gone} == {""}
    # who has left is not sent a third time
    left = {(row["OrganisationGuid"], row["PatientGuid"]) for row in inactive + gone}
    assert not left & {(row["OrganisationGuid"], row["PatientGuid"]) for row in rows(emission, "Admin_Patient", LATER)}


def test_systmone_leavers_end_their_registration_under_the_same_key(chunk: Chunk, place: Place) -> None:
    emission = play(gp_systmone, leaving(chunk, "systmone", 200), place)
    bulk = {row["RowIdentifier"]: row for row in rows(emission, "SRPatientRegistration", BULK, spoilt=True)}
    ended = [row for row in rows(emission, "SRPatientRegistration", NIGHT) if row["DateDeRegistration"].startswith("01 Apr 2026")]

    assert len(ended) > 150
    open_before = [bulk[row["RowIdentifier"]]["DateDeRegistration"] == "" for row in ended if row["RowIdentifier"] in bulk]
    assert len(open_before) > 150
    assert all(open_before)
    assert any(is_deleted(row) for row in rows(emission, "SRPatient", NIGHT))


def test_a_practice_keeps_its_mistakes(chunk: Chunk, place: Place) -> None:
    records = _gp.patient_records(chunk, _gp.practices(place, "emis"))
    truth = records.join(chunk["people"].select("person_no", "given_name"), on="person_no", how="left", maintain_order="left")
    before, after = (_gp.state(chunk, records, day, 5)["given_name"] for day in (BULK.date, LATER.date))
    is_wrong = before != truth["given_name"]

    assert is_wrong.sum() > 5
    assert before.filter(is_wrong).equals(after.filter(is_wrong))


def test_an_emis_guid_is_shared_by_practices_for_some_people_only() -> None:
    frame = pl.DataFrame({"person_no": [20, 20, 21, 21], "practice_no": [1, 2, 1, 2]})
    merged_1, merged_2, other_1, other_2 = gp_emis._patient_guids(frame, np.zeros(4)).to_list()

    assert merged_1 == merged_2
    assert other_1 != other_2
    assert all(len(guid) == 38 and guid == guid.upper() for guid in (merged_1, other_1, other_2))


def test_an_emis_blood_pressure_is_a_heading_with_two_children(emis: Emission, chunk: Chunk) -> None:
    codes = {row["CodeId"]: row["SnomedCTConceptId"] for row in rows(emis, "Coding_ClinicalCode", BULK)}
    observations = rows(emis, "CareRecord_Observation", BULK)
    by_guid = {row["ObservationGuid"]: row for row in observations}
    children = [row for row in observations if row["ParentObservationGuid"] in by_guid]
    bp = MEASUREMENTS["bp"]
    pairs: dict[str, dict[str, Row]] = {}
    for row in children:
        if codes[by_guid[row["ParentObservationGuid"]]["CodeId"]] == bp.parent_snomed:
            pairs.setdefault(row["ParentObservationGuid"], {})[codes[row["CodeId"]]] = row

    assert len(pairs) > 500
    assert {concept for pair in pairs.values() for concept in pair} == {bp.snomed, bp.second_snomed}
    assert all(not by_guid[heading]["Value"] for heading in pairs)
    whole = [pair for pair in pairs.values() if len(pair) == 2]
    assert len(whole) > 0.95 * len(pairs)
    assert np.mean([float(pair[bp.snomed]["Value"]) > float(pair[bp.second_snomed]["Value"]) for pair in whole]) > 0.99


def test_partial_dates_are_padded_and_keep_their_precision(emis: Emission) -> None:
    observations = rows(emis, "CareRecord_Observation", BULK)
    years = [row["EffectiveDate"] for row in observations if row["EffectiveDatePrecision"] == "Y"]
    months = [row["EffectiveDate"] for row in observations if row["EffectiveDatePrecision"] == "YM"]

    assert years
    assert months
    assert all(day.endswith("-01-01") for day in years)
    assert all(day.endswith("-01") for day in months)


def test_systmone_leaves_some_statements_unmapped_and_its_map_minds_case(systmone: Emission) -> None:
    mapped = {row["Ctv3Code"]: row["SnomedCode"] for row in rows(systmone, "SRCtv3ToSnomed", BULK)}
    codes = rows(systmone, "SRCode", BULK)
    unmapped = [row for row in codes if row["SNOMEDCode"] == "-1"]

    assert 0.08 < len(unmapped) / len(codes) < 0.12
    assert all(row["CTV3Code"] in mapped for row in unmapped)
    assert all(mapped[row["CTV3Code"]] == row["SNOMEDCode"] for row in codes if row["SNOMEDCode"] != "-1")
    assert mapped["XaZ89"] == "827241000000103"
    assert len({code.lower() for code in mapped}) < len(mapped)


def test_systmone_names_fit_windows_1252_and_some_need_it(systmone: Emission) -> None:
    patients = rows(systmone, "SRPatient", BULK)
    names = {row[column] for row in patients for column in ("FirstName", "MiddleNames", "Surname", "PreviousSurname")}

    assert all(name.encode("cp1252") for name in names if name)
    assert any(not name.isascii() for name in names)
    assert gp_systmone._fit_cp1252("Łukasz Ștefan Siân") == "Lukasz Stefan Siân"


def test_the_manifest_of_a_delta_begins_where_the_last_delivery_ended(systmone: Emission) -> None:
    manifests = [rows(systmone, "SRManifest", delivery, spoilt=True) for delivery in DELIVERIES]
    files = {row["FileName"] for row in manifests[1]}

    assert {row["IsDelta"] for row in manifests[0]} == {"N"}
    assert {row["DateExtractFrom"] for row in manifests[0]} == {""}
    assert {row["DateExtractFrom"] for row in manifests[1] if row["IsDelta"] == "Y"} == {"20260331_0200"}
    assert {row["DateExtractTo"] for row in manifests[1]} == {"20260401_0200"}
    assert {"SRManifest", "SRMapping"}.isdisjoint(files)
    assert {"SRPatient", "SRCode"} <= files


@pytest.mark.parametrize("supplier", SUPPLIERS, ids=lambda s: s.SOURCE)
def test_bad_rows_are_about_one_in_a_thousand_and_never_sink_a_file(supplier: ModuleType, request: pytest.FixtureRequest) -> None:
    emission = request.getfixturevalue("emis" if supplier is gp_emis else "systmone")
    n_rows = sum(part.body.count(b"\n") for part in emission.parts)
    per_file = Counter((fault.delivery, fault.file) for fault in emission.faults)

    assert 0.0005 < len(emission.faults) / n_rows < 0.0015
    assert {fault.expected for fault in emission.faults} == {"quarantined"}
    assert {"31 February", "letters in a number", "blank"} <= {fault.fault.split(": ")[-1] for fault in emission.faults}
    for part in emission.parts:
        assert per_file[part.delivery, part.file] <= 1 + part.body.count(b"\n") / 200


def test_quoted_line_breaks_are_sent(emis: Emission, systmone: Emission) -> None:
    assert any("\n" in row["ContactComments"] for row in rows(emis, "Admin_Patient", BULK))
    assert any("\n" in row["TextualEventDoneBy"] for row in rows(systmone, "SREvent", BULK))
