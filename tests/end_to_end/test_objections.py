"""Nights on which people object, change their mind, and agreements end: who is in which release, new and old, afterwards."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import duckdb
import polars as pl
import pytest
from small_place import DELTA, REPOSITORY, Place

from linkage.sql import literal
from orchestration.landing.keys import PseudonymisationKey, token_sql

NIGHT_3, NIGHT_4 = "2026-04-02", "2026-04-03"
ENDED_SOURCE, ENDED_PRACTICE = "housing", "T99002"
#: A practice that is on trial until a later day.
JOINING_PRACTICE, LIVE_FROM = "T99001", "2026-05-01"
LIST = "X26HC036-{}-0001.dat"


def numbers_in_secondary_use(place: Place, release: str) -> set[str]:
    """NHS numbers of everybody in any table of a release's secondary use part, by way of the registry and the key."""
    folder = place.data_dir / "releases" / release / "secondary_use" / "parquet"
    with duckdb.connect() as connection:
        PseudonymisationKey.from_file(place.data_dir / "identifiable" / "keys" / "pseudonymisation.key").install(connection)
        connection.execute(f"attach '{place.data_dir / 'identifiable' / 'registry.duckdb'}' as registry (read_only)")
        tables = [
            f"select distinct person_id from read_parquet('{file}')"
            for file in folder.glob("*.parquet")
            if "person_id" in pl.read_parquet_schema(file)
        ]
        if not tables:
            return set()
        token = token_sql(f"{literal('person|secondary_use|')} || cast(member.person_id as varchar)")
        rows = connection.execute(
            f"""
            with published as ({" union ".join(tables)}),
            member as (select distinct person_id from registry.membership where valid_to is null),
            keyed as (select person_id, {token} as purpose_id from member),
            identity as (
                select record_token, nhs_number
                from read_parquet('{place.data_dir}/identifiable/identity/*/*/*.parquet', union_by_name = true)
                where nhs_number is not null
            )
            select distinct identity.nhs_number
            from published
            inner join keyed on published.person_id = keyed.purpose_id
            inner join registry.membership as membership
                on keyed.person_id = membership.person_id and membership.valid_to is null
            inner join identity on membership.record_token = identity.record_token
            """
        ).fetchall()
    return {number for (number,) in rows}


def write_agreements(path: Path, ended: str) -> None:
    """The demonstration's agreements, those of one source and one practice ended, and one practice not live yet."""
    with (REPOSITORY / "dbt_project" / "agreements" / "demonstration.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["source"] == ENDED_SOURCE or row["organisation_code"] == ENDED_PRACTICE:
            row["valid_to"] = ended
        row["live_from"] = LIVE_FROM if row["organisation_code"] == JOINING_PRACTICE else ""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture(scope="module")
def change(loaded) -> dict[str, str]:
    """Whom the third night changes: one person objects nationally, one locally, and one leaves the national list."""
    seen = numbers_in_secondary_use(loaded, loaded.current)
    listed = loaded.delivered_text("reference", DELTA, "*.dat")[1].replace(",", "").split()
    alone = (
        pl.read_parquet(loaded.data_dir / "truth" / "people.parquet")
        .filter(
            pl.col("type1_dissent_on").is_null() & (pl.col("nhs_number").is_in(listed) | pl.col("nhs_number").is_in(sorted(seen)))
        )["nhs_number"]
        .to_list()
    )
    national, local = [n for n in alone if n in seen and n not in listed][:2]
    return {"national": national, "local": local, "withdrawn": next(n for n in alone if n in listed)}


@pytest.fixture(scope="module")
def third_night(loaded, change, tmp_path_factory) -> tuple[Place, str]:
    folder = tmp_path_factory.mktemp("objections")
    place = loaded.copy(folder / "data")
    listed = loaded.delivered_text("reference", DELTA, "*.dat")[1].replace(",", "").split()
    listed = [number for number in [*listed, change["national"]] if number != change["withdrawn"]]
    place.deliver("reference", NIGHT_3, LIST.format("020426"), "".join(f"{number},\n" for number in listed))
    place.deliver("reference", NIGHT_3, "local_opt_out_20260402.csv", f"NHS_NUMBER,RECORDED_ON\n{change['local']},2026-04-01\n")
    write_agreements(folder / "agreements.csv", ended=DELTA)
    place = Place(place.data_dir, settings={"PHM_SHARING_AGREEMENTS": str(folder / "agreements.csv")})
    ran = place.phm("run", "--as-of", NIGHT_3, "--strict")
    assert ran.returncode == 3, ran.stdout + ran.stderr
    return place, ran.stdout


def objectors(place: Place, change: dict[str, str], day: str) -> set[str]:
    """NHS numbers of all who object on a day, as they are true of the place and as this module changed them."""
    people = pl.read_parquet(place.data_dir / "truth" / "people.parquet").filter(pl.col("nhs_number").is_not_null())
    on = pl.lit(day).str.to_date()
    national = set(people.filter(pl.col("national_data_opt_out_on") <= on)["nhs_number"])
    # a tie on one day is a dissent (trap 22)
    type_1 = (pl.col("type1_dissent_on") <= on) & (
        pl.col("type1_withdrawal_on").is_null()
        | (pl.col("type1_withdrawal_on") > on)
        | (pl.col("type1_withdrawal_on") <= pl.col("type1_dissent_on"))
    )
    dissent = set(people.filter(type_1 & pl.col("known_to_gp"))["nhs_number"])
    return ((national - {change["withdrawn"]}) | {change["national"], change["local"]}) | dissent


def test_nobody_who_objects_is_in_any_secondary_use_output_new_or_retained(third_night, change):
    """Trap 17, exhaustively: every table of every release that is kept, after people have changed their minds both ways."""
    place, _ = third_night
    releases = [path.parent.name for path in (place.data_dir / "releases").glob("[!.c]*/manifest.json")]
    assert len(releases) == 3
    assert change["national"] not in numbers_in_secondary_use(place, place.current)
    for release in releases:
        assert not numbers_in_secondary_use(place, release) & objectors(place, change, NIGHT_3)


def test_who_withdraws_an_objection_is_seen_again(third_night, change, loaded):
    place, _ = third_night
    assert change["withdrawn"] not in numbers_in_secondary_use(loaded, loaded.current)
    assert change["withdrawn"] in numbers_in_secondary_use(place, place.current)


def test_an_earlier_release_that_held_an_objector_keeps_its_direct_care_part_only(third_night, loaded):
    place, _ = third_night
    earlier = place.data_dir / "releases" / loaded.current
    assert not (earlier / "secondary_use").exists()
    assert place.query("select count(*) from marts.person", release=loaded.current)[0][0] > 0
    assert "may no longer be seen" in json.loads((earlier / "manifest.json").read_text())["withheld"]["secondary_use"]


def test_what_is_kept_out_is_counted_by_reason_and_purpose(third_night, change):
    place, _ = third_night
    counts = {(p, r): n for p, r, n in place.query("select purpose, reason, n_people from marts.opt_out_effect", "secondary_use")}
    assert counts["secondary_use", "local_opt_out"] == 1
    assert counts["secondary_use", "national_opt_out"] > 0
    assert counts["secondary_use", "type_1_dissent"] > 0
    everybody = place.query("select count(*) from marts.person")[0][0]
    seen = place.query("select count(*) from marts.person", "secondary_use")[0][0]
    assert counts["secondary_use", "any"] - counts["direct_care", "any"] == everybody - seen


def test_gp_records_that_should_not_have_been_extracted_are_an_incident(third_night):
    place, _ = third_night
    rows = place.query(
        "select source, sum(n_failed) from marts.data_quality_result where rule = 'type_1_dissent_not_extracted' "
        "and status = 'fail' group by source"
    )
    assert {source for source, n_records in rows if n_records > 0} == {"gp_emis", "gp_systmone"}


@pytest.mark.parametrize("purpose", ["direct_care", "secondary_use"])
def test_an_agreement_that_ended_takes_its_data_out_of_the_next_release(third_night, loaded, purpose):
    place, _ = third_night
    sources = "select count(*) from marts.person where list_contains(string_split(sources, ', '), 'housing')"
    assert loaded.query(sources, "direct_care")[0][0] > 0
    assert place.query(sources, purpose) == [(0,)]
    assert place.query("select count(*) from marts.person_activity_month where setting = 'housing'", purpose) == [(0,)]


def test_a_practice_whose_agreement_ended_is_told_of_and_tells_us_of_nobody(third_night):
    place, said = third_night
    status = f"select onboarding_status, n_people from marts.source_coverage where organisation_code = '{ENDED_PRACTICE}'"
    assert place.query(status) == [("agreement_ended", 0)]
    told = f"the sharing agreement for {ENDED_PRACTICE} in gp_systmone (DEMO-GP-02) ended on {DELTA}"
    assert told in said
    assert told in place.phm("status").stdout


def test_a_practice_that_is_not_live_yet_is_compared_and_counts_for_nothing(third_night, loaded):
    place, said = third_night
    coverage = f"marts.source_coverage where organisation_code = '{JOINING_PRACTICE}'"
    status = f"select onboarding_status, n_people, n_on_list > 0 from {coverage}"
    ((before, n_before, _),) = loaded.query(status)
    ((after, n_after, is_listed),) = place.query(status)
    assert (before, n_before > 0) == ("live", True)
    assert (after in ("reconciled", "test_extract"), n_after, is_listed) == (True, 0, True)
    assert f"{JOINING_PRACTICE} in gp_emis goes live on {LIVE_FROM}" in said
    told_by_gp = f"select count(*) from marts.person where practice_code = '{JOINING_PRACTICE}' and contains(sources, 'gp_emis')"
    assert loaded.query(told_by_gp)[0][0] > 0
    assert place.query(told_by_gp) == [(0,)]


@pytest.fixture(scope="module")
def error_reply(third_night) -> tuple[Place, str]:
    place, _ = third_night
    place.deliver("reference", NIGHT_4, LIST.format("030426"), "ERROR: the file holds invalid NHS numbers\n")
    ran = place.phm("run", "--as-of", NIGHT_4)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return place, ran.stdout


def test_a_mesh_error_reply_withholds_everyone_and_direct_care_goes_on(error_reply):
    """Trap 18, from the reply in the landing zone to what is served."""
    place, said = error_reply
    releases = place.data_dir / "releases"
    assert not list(releases.glob("*/secondary_use"))
    assert place.query("select count(*) from marts.person")[0][0] > 0
    assert "nothing for secondary_use: the list of national data opt-outs of 2026-04-03 could not be used" in said
    refused = place.phm("query", "select 1", "--purpose", "secondary_use")
    assert refused.returncode == 2
    assert "it is not known who has opted out" in refused.stderr
    with duckdb.connect(str(place.data_dir / "warehouse" / "build.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from marts_secondary_use.person").fetchall() == [(0,)]
