"""The suppliers outside health write what their contracts describe, with their own bad habits."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from synthetic.emission import Emission
from synthetic.place import MOVED_PRACTICE, Place, make_place
from synthetic.suppliers import demographics_pds, housing, reference, social_care_cld, voluntary_sector
from synthetic.timeline import Window
from synthetic.world import make_chunk
from synthetic.world_schema import Chunk, Delivery, Part

from orchestration.landing.contract import Source, read_contract

STAGING = Path(__file__).parents[3] / "dbt_project" / "models" / "staging"
SUPPLIERS = (social_care_cld, housing, voluntary_sector, demographics_pds, reference)
BULK = Delivery(0, date(2026, 3, 31), None)
NIGHT = Delivery(1, date(2026, 4, 1), BULK.date)
LATER = Delivery(2, date(2026, 4, 20), NIGHT.date)
DELIVERIES = [BULK, NIGHT, LATER]
ABODE = "ZZ99 3VZ"


@pytest.fixture(scope="module")
def place() -> Place:
    return make_place(7)


@pytest.fixture(scope="module")
def chunk(place: Place) -> Chunk:
    return make_chunk(0, 3000, place, Window.ending(BULK.date, 20), 7)


@pytest.fixture(scope="module")
def sent(chunk: Chunk, place: Place) -> dict[str, Emission]:
    emissions = {}
    for supplier in SUPPLIERS:
        emission = supplier.emit(chunk, place, DELIVERIES, np.random.default_rng(7))
        emission.parts += supplier.emit_once(place, DELIVERIES, np.random.default_rng(8)).parts
        emissions[supplier.SOURCE] = emission
    return emissions


def rows(part: Part) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((part.header + part.body).decode(), newline="")))


def parts(emission: Emission, pattern: str, delivery: Delivery) -> list[Part]:
    return [p for p in emission.parts if p.delivery == delivery.index and re.fullmatch(pattern, p.file)]


def contract(source: str) -> Source:
    return read_contract(STAGING / source / f"_{source}__sources.yml")


@pytest.mark.parametrize("supplier", SUPPLIERS, ids=lambda module: module.SOURCE)
def test_every_file_answers_to_a_contract(supplier, sent) -> None:
    source = contract(supplier.SOURCE)
    fed = set()
    elements = b"".join(part.body for part in sent[supplier.SOURCE].parts)
    for part in sent[supplier.SOURCE].parts:
        tables = [t for t in source.tables if t.terms.pattern.fullmatch(part.file)]
        assert tables, part.file
        for table in tables:
            fed.add(table.name)
            if not part.body:
                continue
            if table.terms.format.kind == "xml":
                assert f"<{table.terms.format.row_element}".encode() in elements
            elif table.terms.format.header:
                header = {h.casefold() for h in next(csv.reader(io.StringIO(part.header.decode())))}
                absent = [c.header for c in table.columns if c.terms.required and not header & {h.casefold() for h in c.headers}]
                assert not absent, (part.file, absent)
            else:
                assert {len(row) for row in csv.reader(io.StringIO(part.body.decode()))} == {table.terms.format.width}
    assert fed == {t.name for t in source.tables}


@pytest.mark.parametrize("supplier", SUPPLIERS, ids=lambda module: module.SOURCE)
def test_the_same_seed_gives_the_same_bytes(supplier, chunk, place, sent) -> None:
    again = supplier.emit(chunk, place, DELIVERIES, np.random.default_rng(7))
    assert again.parts == sent[supplier.SOURCE].parts[: len(again.parts)]
    assert again.faults == sent[supplier.SOURCE].faults


@pytest.mark.parametrize("supplier", SUPPLIERS, ids=lambda module: module.SOURCE)
def test_truth_knows_one_person_for_each_local_id(supplier, sent) -> None:
    records = sent[supplier.SOURCE].records
    assert records.height > 0
    assert records["local_id"].n_unique() == records.height


def test_client_level_data_is_cumulative_and_quarterly(sent) -> None:
    emission = sent["social_care_cld"]
    assert not parts(emission, ".*", LATER), "nothing new within a quarter"
    (before,) = parts(emission, r"CLD_998_20251231_.*", BULK)
    (after,) = parts(emission, r"CLD_998_20260331_.*", NIGHT)
    bad = {fault.row_identity for fault in emission.faults}

    def people(part: Part) -> set[str]:
        return {row["LA Person Unique Identifier"] for row in rows(part)} - bad - {""}

    assert people(before) <= people(after)
    assert len(rows(after)) > len(rows(before))


def test_client_level_data_repeats_an_event_mis_cased_in_three_periods(sent) -> None:
    frame = pl.DataFrame([row for part in parts(sent["social_care_cld"], ".*", NIGHT) for row in rows(part)])
    key = ["LA Code", "LA Person Unique Identifier", "Event Reference", "Event Start Date"]
    events = (
        frame.filter(pl.col("Event Reference") != "")
        .group_by(key)
        .agg(pl.col("Reporting Period End Date").n_unique().alias("periods"), pl.col("Event Type").n_unique().alias("spellings"))
    )
    assert events.filter((pl.col("periods") == 3) & (pl.col("spellings") == 2)).height > 0
    assert frame.filter(pl.col("Event Reference") == "").height > 0


def test_social_care_lacks_about_one_nhs_number_in_seven(sent) -> None:
    people = {
        row["LA Person Unique Identifier"]: row["NHS Number"]
        for p in parts(sent["social_care_cld"], ".*", NIGHT)
        for row in rows(p)
    }
    missing = sum(not number for number in people.values()) / len(people)
    assert 0.07 < missing < 0.28


def test_h_clic_sends_a_case_for_the_quarters_in_which_it_is_open(sent, chunk) -> None:
    emission = sent["housing"]
    assert {p.file for p in parts(emission, r"HCLIC_.*", NIGHT)} == {"HCLIC_E09000098_2026Q1.xml", "HCLIC_E09000099_2026Q1.xml"}
    met: dict[str, list[str]] = {}
    for part in parts(emission, r"HCLIC_.*", BULK):
        submission = ET.fromstring(part.header + part.body + part.footer)
        assert submission.get("Council") in part.file
        for case in submission.iter("Case"):
            met.setdefault(case.get("CaseReference"), []).append(submission.get("Quarter"))
            assert case.find("People/Person").get("PersonReference") == case.get("ApplicantReference")
            if case.findtext("AccommodationAtApplication") in ("no fixed abode", "rough sleeping"):
                assert case.findtext("People/Person/Postcode") == ABODE
    assert any(len(quarters) > 1 for quarters in met.values())
    # a case recorded after its duty had ended stands in no quarter's file
    cases = chunk["homelessness_cases"].filter(pl.col("recorded_on").is_between(date(2024, 1, 1), date(2025, 12, 31)))
    open_when_recorded = pl.col("duty_ended_on").is_null() | (pl.col("duty_ended_on") >= pl.col("recorded_on"))
    assert len(met) >= cases.filter(open_when_recorded).height > 0


def test_core_lettings_carry_the_tenancy_codes_and_no_names(sent) -> None:
    emission = sent["housing"]
    tenancies = {row["Tenancy Code"] for p in parts(emission, r"TENANCY_.*", BULK) for row in rows(p)}
    lettings = [row for p in parts(emission, r"CORE_.*", BULK) for row in rows(p)]
    spoilt = {fault.row_identity for fault in emission.faults}
    assert {row["tenancycode"] for row in lettings} <= tenancies | spoilt
    assert not {"forename", "surname", "first name", "nhs number"} & {name.casefold() for name in lettings[0]}


def test_voluntary_sector_identifiers_are_weak(sent, chunk) -> None:
    referrals = [row for p in parts(sent["voluntary_sector"], r".*_referrals_.*", BULK) for row in rows(p)]
    missing = sum(not row["nhs_number"] for row in referrals) / len(referrals)
    assert missing > 0.5
    assert any(row["postcode"] == ABODE and row["accommodation_status"] != "settled" for row in referrals)
    homeless = set(chunk["people"].filter("is_homeless_ever")["person_no"])
    assert homeless, "the world has homeless people"


def test_pds_sends_everything_once_and_then_what_changed(sent, chunk) -> None:
    emission = sent["demographics_pds"]
    (bulk,) = parts(emission, r"PDS_Person_\d+\.csv", BULK)
    (later,) = parts(emission, r"PDS_Person_\d+\.csv", LATER)
    people = chunk["people"].filter(pl.col("nhs_number").is_not_null() & ~pl.col("is_test_patient"))
    assert len(rows(bulk)) >= people.filter(pl.col("recorded_on") <= BULK.date).height
    assert 0 < len(rows(later)) < len(rows(bulk)) / 10
    died = people.filter((pl.col("death_date") > NIGHT.date) & (pl.col("death_date") <= LATER.date))
    told = {row["NHS Number"] for row in rows(later) if row["Date of Death"]}
    assert set(died["nhs_number"]) <= told
    for part in (bulk, later):
        keys = [(r["NHS Number"], r["Person Business Effective From Date"]) for r in rows(part) if r["NHS Number"]]
        assert len(keys) == len(set(keys))


def test_pds_withholds_the_address_and_practice_of_restricted_people(sent, chunk) -> None:
    restricted = set(chunk["people"].filter("is_sensitive")["nhs_number"])
    emission = sent["demographics_pds"]
    for pattern in (r"PDS_Address_.*", r"PDS_Patient_Care_Practice_.*"):
        assert not restricted & {row["NHS Number"] for p in parts(emission, pattern, BULK) for row in rows(p)}
    marked = {
        row["NHS Number"]
        for p in parts(emission, r"PDS_Person_\d+\.csv", BULK)
        for row in rows(p)
        if row["Confidentiality Code"] == "S"
    }
    assert marked <= restricted
    assert bool(marked) == bool(restricted)


def test_superseded_numbers_are_merged_into_the_number_in_use(sent, chunk) -> None:
    changed = chunk["people"].filter((pl.col("superseded_on") <= BULK.date) & ~pl.col("is_test_patient"))
    pairs = {
        (row["NHS Number"], row["Superseded NHS Number"])
        for p in parts(sent["demographics_pds"], r"PDS_Person_Merger_.*", BULK)
        for row in rows(p)
    }
    assert set(changed.select("nhs_number", "superseded_nhs_number").iter_rows()) <= pairs


def test_deaths_come_registered_and_some_are_cancelled(sent) -> None:
    (part,) = parts(sent["demographics_pds"], r"ONS_Deaths_.*", LATER)
    deaths = rows(part)
    assert all(row["REG_DATE_OF_DEATH"] < row["REG_DATE"] <= "20260420" for row in deaths)
    entries = [(r["REG_DISTRICT_CODE"], r["REG_NUMBER"], r["REG_ENTRY_NUMBER"]) for r in deaths]
    assert len(entries) == len(set(entries))


def test_opt_out_list_is_a_number_and_a_comma_a_line(sent, chunk) -> None:
    (bulk,) = parts(sent["reference"], r".*\.dat", BULK)
    assert bulk.file == "X26HC036-310326-0001.dat"
    assert bulk.header == b""
    assert re.fullmatch(rb"(\d{10},\n)+", bulk.body)
    opted_out = chunk["people"].filter((pl.col("national_data_opt_out_on") <= BULK.date) & pl.col("nhs_number").is_not_null())
    assert bulk.body.count(b"\n") == opted_out.height


def test_a_practice_that_moved_has_two_dated_pcn_memberships(sent) -> None:
    (part,) = parts(sent["reference"], r"epcncorepartnerdetails\.csv", BULK)
    memberships = [row for row in csv.reader(io.StringIO(part.body.decode())) if row[0] == MOVED_PRACTICE]
    assert [(row[4], row[8], row[9]) for row in memberships] == [
        ("U99903", "20190701", "20250331"),
        ("U99904", "20250401", ""),
    ]


def test_imd_2019_sits_on_lsoas_that_2021_no_longer_has(sent) -> None:
    (imd,) = parts(sent["reference"], r"IMD_2019\.csv", BULK)
    (mapping,) = parts(sent["reference"], r"LSOA11_.*\.csv", BULK)
    of_2011 = {row["LSOA_CODE_2011"] for row in rows(imd)}
    pairs = [(row["LSOA11CD"], row["LSOA21CD"]) for row in rows(mapping)]
    assert of_2011 == {old for old, _ in pairs}
    assert of_2011 - {new for _, new in pairs}, "some LSOAs were split"
