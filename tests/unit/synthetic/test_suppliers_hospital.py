"""The hospital, community and mental health suppliers write what their contracts describe, with their own bad habits."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from synthetic import nhs_numbers
from synthetic.emission import Emission
from synthetic.place import Place, make_place
from synthetic.suppliers import _sus_wide as wide
from synthetic.suppliers import acute_sus, community_csds, mental_health_mhsds
from synthetic.timeline import Window
from synthetic.world import make_chunk
from synthetic.world_schema import Chunk, Delivery, Part

from orchestration.landing.contract import Source, Table, read_contract

STAGING = Path(__file__).parents[3] / "dbt_project" / "models" / "staging"
SUPPLIERS = (acute_sus, community_csds, mental_health_mhsds)
SOURCES = [supplier.SOURCE for supplier in SUPPLIERS]
BULK = Delivery(0, date(2026, 3, 31), None)
NIGHT = Delivery(1, date(2026, 4, 1), BULK.date)
SECOND = Delivery(2, date(2026, 4, 2), NIGHT.date)
DELIVERIES = [BULK, NIGHT, SECOND]


@pytest.fixture(scope="module")
def place() -> Place:
    return make_place(7)


@pytest.fixture(scope="module")
def chunk(place: Place) -> Chunk:
    return make_chunk(0, 3000, place, Window.ending(BULK.date, 2), 7)


@pytest.fixture(scope="module")
def sent(chunk: Chunk, place: Place) -> dict[str, Emission]:
    emissions = {}
    for supplier in SUPPLIERS:
        emission = supplier.emit(chunk, place, DELIVERIES, np.random.default_rng(7))
        emission.parts += supplier.emit_once(place, DELIVERIES, np.random.default_rng(8)).parts
        emissions[supplier.SOURCE] = emission
    return emissions


def contract(source: str) -> Source:
    return read_contract(STAGING / source / f"_{source}__sources.yml")


def table_of(source: Source, part: Part) -> Table:
    (table,) = [t for t in source.tables if t.terms.pattern.fullmatch(part.file)]
    return table


def records(source: Source, part: Part) -> list[dict[str, str]]:
    """Rows of a part by our column names, as landing finds them: by header or by position."""
    table = table_of(source, part)
    header, *rows = csv.reader(io.StringIO((part.header + part.body).decode(), newline=""))
    if table.terms.format.columns == "by_position":
        place = {c.name: c.terms.position for c in table.columns}
    else:
        place = {c.name: header.index(c.header) for c in table.columns if c.header in header}
    return [{name: row[at] for name, at in place.items()} for row in rows]


def all_records(emission: Emission, source: str, table: str, delivery: Delivery, period: str = "") -> list[dict[str, str]]:
    described = contract(source)
    parts = [p for p in emission.parts if p.delivery == delivery.index and (not period or f"_{period}_" in p.file)]
    return [row for part in parts if table_of(described, part).name == table for row in records(described, part)]


@pytest.mark.parametrize("source", SOURCES)
def test_every_file_is_one_table_of_the_contract_and_every_record_has_its_width(sent: dict[str, Emission], source: str) -> None:
    described = contract(source)
    for part in sent[source].parts:
        table = table_of(described, part)
        header, *rows = csv.reader(io.StringIO((part.header + part.body).decode(), newline=""))
        assert {len(row) for row in rows} <= {len(header)}, part.file
        if table.terms.format.columns == "by_position":
            assert len(header) == table.terms.format.width
            named = [c for c in table.columns if c.terms.header]
            assert [header[c.terms.position] for c in named] == [c.header for c in named]
        else:
            assert {c.header for c in table.columns if c.terms.required} <= set(header) <= {c.header for c in table.columns}


@pytest.mark.parametrize("supplier", SUPPLIERS, ids=SOURCES)
def test_more_nights_do_not_change_the_deliveries_before(chunk: Chunk, place: Place, sent, supplier) -> None:
    fewer = supplier.emit(chunk, place, DELIVERIES[:2], np.random.default_rng(7))
    before = {(p.delivery, p.file): p.body for p in sent[supplier.SOURCE].parts}
    assert {(p.delivery, p.file): p.body for p in fewer.parts}.items() <= before.items()


@pytest.mark.parametrize("source", SOURCES)
def test_truth_names_every_record_that_was_sent_and_no_other(sent: dict[str, Emission], source: str) -> None:
    described = contract(source)
    local_ids = set()
    for part in sent[source].parts:
        table = table_of(described, part)
        if table.has_records:
            scope, own = (table.with_role(role)[0].name for role in ("record_scope", "record_id"))
            local_ids |= {f"{row[scope]}|{row[own]}" for row in records(described, part) if row[own]}
    # a provider code that was spoilt takes its record with it
    assert {i for i in local_ids if not i.startswith("|")} == set(sent[source].records["local_id"])


@pytest.mark.parametrize(("source", "table", "share"), [
    ("acute_sus", "op", 0.01), ("community_csds", "cyp001_mpi", 0.02), ("mental_health_mhsds", "mhs001_mpi", 0.03),
])  # fmt: skip
def test_nhs_numbers_are_missing_as_often_as_in_practice(sent, source: str, table: str, share: float) -> None:
    numbers = {(row["local_patient_id"] if "local_patient_id" in row else row["local_patient_identifier"]): row["nhs_number"]
               for row in all_records(sent[source], source, table, BULK)}  # fmt: skip
    missing = sum(not number for number in numbers.values()) / len(numbers)
    assert share / 3 < missing < share * 3


def test_open_months_come_whole_every_night_and_an_empty_month_has_its_header(sent: dict[str, Emission], chunk: Chunk) -> None:
    march = [len(all_records(sent["acute_sus"], "acute_sus", "op", night, "202603")) for night in DELIVERIES]
    recorded = chunk["outpatient_attendances"].filter(pl.col("appointment_date").is_between(date(2026, 3, 1), date(2026, 3, 31)))
    assert march == [recorded.filter(pl.col("recorded_on") <= night.date).height for night in DELIVERIES]
    april = [p for p in sent["acute_sus"].parts if p.delivery == NIGHT.index and p.file.startswith("OP_RZA_202604")]
    assert [(p.header != b"", p.body) for p in april] == [(True, b"")]


def test_every_event_is_in_one_period(sent: dict[str, Emission], chunk: Chunk) -> None:
    described = contract("acute_sus")
    parts = [p for p in sent["acute_sus"].parts if p.delivery == BULK.index and p.file.startswith("APC")]
    ids = Counter(row["generated_record_identifier"] for part in parts for row in records(described, part))
    assert ids.most_common(1)[0][1] == 1
    assert len(ids) == chunk["inpatient_episodes"].filter(pl.col("recorded_on") <= BULK.date).height


def test_names_and_address_come_only_without_a_valid_nhs_number(sent: dict[str, Emission]) -> None:
    rows = pl.DataFrame(all_records(sent["acute_sus"], "acute_sus", "op", BULK)).select(
        "family_name", "usual_address", valid=nhs_numbers.is_valid(pl.col("nhs_number"))
    )
    named = pl.col("family_name") != ""
    assert rows.filter(named)["valid"].sum() == 0
    assert rows.filter(~pl.col("valid") & ~named).height == 0
    assert rows.filter(named & (pl.col("usual_address") != "")).height > 0
    assert rows.filter(~named & (pl.col("usual_address") != "")).height == 0


def test_codes_are_padded_and_leading_zeros_survive(sent: dict[str, Emission]) -> None:
    rows = all_records(sent["acute_sus"], "acute_sus", "apc", BULK)
    codes = {row[f"diagnosis_{i:02d}"] for row in rows for i in range(1, 25)} - {""}
    assert "I10X" in codes
    assert min(map(len, codes)) == 4
    assert {row["nhs_number_trace_status"] for row in rows} - {""} <= {"01", "02", "07", "08"}
    assert any(row["local_patient_identifier"].startswith("0") for row in rows)
    procedures = [row for row in rows if row["procedure_01"]]
    assert all(
        row["procedure_01_date"] == row["episode_start_date"] for row in procedures if row["episode_start_date"][4:] != "0231"
    )


def test_babies_have_status_08(sent: dict[str, Emission], chunk: Chunk) -> None:
    rows = [row for row in all_records(sent["acute_sus"], "acute_sus", "apc", BULK) if row["admission_method"] == "82"]
    assert rows
    assert {row["nhs_number_trace_status"] for row in rows if row["birth_date"][:6] == row["spell_start_date"][:6]} == {"08"}


def test_episodes_of_a_spell_share_patient_and_have_one_dominant_episode(sent: dict[str, Emission]) -> None:
    rows = pl.DataFrame(all_records(sent["acute_sus"], "acute_sus", "apc", BULK))
    spells = rows.group_by("organisation_code_of_provider", "hospital_provider_spell_number").agg(
        pl.col("local_patient_identifier").n_unique().alias("patients"), (pl.col("spell_core_hrg") != "").sum().alias("dominant")
    )
    assert spells["patients"].max() == 1
    assert spells["dominant"].unique().to_list() == [1]


def test_the_delete_log_takes_back_what_was_entered_twice(sent: dict[str, Emission], chunk: Chunk) -> None:
    rows = all_records(sent["acute_sus"], "acute_sus", "ecds_emergency_care", BULK)
    deleted = {row["primarykey_id"] for row in all_records(sent["acute_sus"], "acute_sus", "ecds_insert_delete_log", BULK)}
    live = [row for row in rows if row["primarykey_id"] not in deleted]
    since = chunk["emergency_attendances"].filter(pl.col("recorded_on") <= BULK.date)
    doubled_today = {row["primarykey_id"] for row in live if row["primarykey_id"].startswith("831")}
    assert deleted
    assert len(live) - len(doubled_today) == since.height


@pytest.mark.parametrize(
    ("source", "referral", "contact", "contact_id", "referral_id"),
    [
        (
            "community_csds",
            "cyp101_referral",
            "cyp201_care_contact",
            "unique_care_contact_identifier",
            "unique_service_request_identifier",
        ),
        ("mental_health_mhsds", "mhs101_referral", "mhs201_care_contact", "uniq_care_cont_id", "uniq_serv_req_id"),
    ],
)
def test_the_first_of_a_month_resubmits_the_month_before_and_opens_the_new_one(
    sent, source: str, referral: str, contact: str, contact_id: str, referral_id: str
) -> None:
    assert all_records(sent[source], source, referral, SECOND) == []
    first = all_records(sent[source], source, contact, BULK, "202603")
    again = all_records(sent[source], source, contact, NIGHT, "202603")
    assert {row[contact_id] for row in first} <= {row[contact_id] for row in again}
    ids = Counter(row[contact_id] for row in all_records(sent[source], source, contact, BULK))
    assert ids.most_common(1)[0][1] == 1
    march = {row[referral_id] for row in all_records(sent[source], source, referral, NIGHT, "202603") if _is_open(row)}
    april = {row[referral_id] for row in all_records(sent[source], source, referral, NIGHT, "202604")}
    assert march <= april
    named = {row[referral_id] for row in all_records(sent[source], source, referral, BULK)}
    assert {row[referral_id] for row in first} - {""} <= named


def _is_open(row: dict[str, str]) -> bool:
    return row["service_discharge_date"] == ""


def test_later_submissions_have_greater_numbers(sent: dict[str, Emission]) -> None:
    headers = [
        all_records(sent["mental_health_mhsds"], "mental_health_mhsds", "mhs000_header", night, "202603")
        for night in DELIVERIES[:2]
    ]
    (first,), (again,) = headers
    assert first["uniq_submission_id"] < again["uniq_submission_id"]


@pytest.mark.parametrize("source", SOURCES)
def test_bad_rows_are_rare_told_and_never_in_a_young_month(sent: dict[str, Emission], source: str) -> None:
    emission = sent[source]
    rows = sum(part.body.count(b"\n") for part in emission.parts if part.delivery == BULK.index)
    assert 0 < len(emission.faults) < rows * 0.003
    assert {fault.expected for fault in emission.faults} == {"quarantined"}
    assert all("-" in fault.file for fault in emission.faults)


def test_a_coded_block_fills_its_fields_exactly() -> None:
    frame = pl.DataFrame({"codes": [["A", "B"], [], None, ["C"] * 5], "day": ["20250101"] * 4})
    fields, text = wide.coded_block(pl.col("codes"), repeats=3, fields=2)
    assert frame.select(text.alias("t"))["t"].to_list() == ["A,,B,,,", ",,,,,", ",,,,,", "C,,C,,C,"]
    assert fields == 6
    fields, text = wide.coded_block(pl.col("codes"), 2, 3, dated=pl.col("day"))
    assert frame.select(text.alias("t"))["t"].to_list()[:2] == ["A,20250101,,B,20250101,", ",,,,,"]
    assert fields == 6
