"""A source takes one contract and one staging model a table, and nothing else: an eleventh one, added as a user would add it."""

from __future__ import annotations

import shutil

import duckdb
import pytest
from small_place import DELTA, REPOSITORY, Place

PROGRAM = ("orchestration", "linkage", "expectations", "dbt_project", "pages", "dagster.yaml", "pyproject.toml")

CONTRACT = """
version: 2
sources:
  - name: hospice
    description: Referrals of a fictional hospice.
    config:
      meta:
        contract:
          supplier: Fictional hospice
          steward: hospice@phm.example
          legal_basis: direct_care
          cadence: weekly
          stale_after_days: 14
    tables:
      - name: referral
        description: One row per referral.
        config:
          meta:
            contract:
              file: referrals\\.csv
              key: [referral_id]
              mode: full
        columns:
          - {name: referral_id, description: Referral., data_type: varchar, config: {meta: {contract: {nullable: false}}}}
          - {name: patient_ref, description: The hospice's own number., data_type: varchar,
             config: {meta: {contract: {nullable: false, identity: record_id}}}}
          - {name: nhs_number, description: NHS number., data_type: varchar, config: {meta: {contract: {identity: nhs_number}}}}
          - {name: surname, description: Surname., data_type: varchar, config: {meta: {contract: {identity: family_name}}}}
          - {name: forename, description: Forename., data_type: varchar, config: {meta: {contract: {identity: given_name}}}}
          - {name: born, description: Date of birth., data_type: date,
             config: {meta: {contract: {identity: birth_date, format: "%Y-%m-%d"}}}}
          - {name: referred_on, description: Day of referral., data_type: date, config: {meta: {contract: {format: "%Y-%m-%d"}}}}
"""

STAGING = """
{{ config(unique_key=['referral_id']) }}

select
    rows.referral_id,
    rows.record_token,
    rows.nhs_number_state,
    rows.birth_month,
    rows.referred_on,
    rows._load_seq,
    rows._changed_seq,
    rows._delivery_date,
    rows._window,
    rows._row_hash,
    rows.is_deleted
from {{ current_rows('hospice', 'referral') }} as rows
"""


@pytest.fixture(scope="module")
def place(after_bulk, tmp_path_factory) -> Place:
    """A place with an eleventh source: three people of the place referred to a hospice, and one row that cannot be right."""
    program = tmp_path_factory.mktemp("program")
    for name in PROGRAM:
        source = REPOSITORY / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, program / name)
    folder = program / "dbt_project" / "models" / "staging" / "hospice"
    folder.mkdir()
    (folder / "_hospice__sources.yml").write_text(CONTRACT, encoding="utf-8")
    (folder / "stg_hospice__referral.sql").write_text(STAGING, encoding="utf-8")

    place = Place(after_bulk.copy(tmp_path_factory.mktemp("hospice") / "data").data_dir, program)
    people = duckdb.sql(
        f"""
        select nhs_number, family_name, given_name, birth_date
        from read_parquet('{place.data_dir}/truth/people.parquet')
        where nhs_number is not null and known_to_gp and death_date is null
        order by person_no limit 3
        """
    ).fetchall()
    lines = ["referral_id,patient_ref,nhs_number,surname,forename,born,referred_on"]
    lines += [f"R{n},H{n},{number},{family},{given},{born},2026-03-30" for n, (number, family, given, born) in enumerate(people)]
    lines.append("R9,H9,,Nobody,Ann,1950-01-01,31/02/2026")
    place.deliver("hospice", DELTA, "referrals.csv", "\n".join(lines) + "\n")
    ran = place.phm("run", "--as-of", DELTA)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return place


def test_its_rows_land_and_a_bad_one_is_set_aside(place):
    sql = (
        f"select rows_in, rows_landed, rows_quarantined from read_parquet('{place.data_dir}/raw/operations/delivery/*.parquet') "
    )
    assert place.query(sql + "where source = 'hospice'") == [(4, 3, 1)]


def test_its_rows_are_staged(place):
    with duckdb.connect(str(place.data_dir / "warehouse" / "build.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select referral_id, nhs_number_state from staging.stg_hospice__referral order by all"
        ).fetchall()
    assert rows == [("R0", "valid"), ("R1", "valid"), ("R2", "valid")]


def test_its_people_are_found_among_those_already_known(place):
    assert place.query("select count(*) from marts.person where list_contains(string_split(sources, ', '), 'hospice')") == [(3,)]


def test_it_is_checked_against_its_contract(place):
    rules = place.query("select distinct rule from marts.data_quality_result where source = 'hospice' and status = 'pass'")
    assert ("unique:referral_id+_load_seq",) in rules
