"""A place's own lists: kept, replaced, taken out, compared, and never changed in place."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
import yaml

from orchestration.codelist_library import LoadRequest, difference, library, load, read_offer, remove, version_in_name
from orchestration.codelists.comparing import compare, measure
from orchestration.codelists.library import Codelist
from orchestration.codelists.reading import CodelistError, Entry
from orchestration.settings import Settings

ASTHMA, RESOLVED, ACUTE = "195967001", "162660004", "304527002"
REFSET = (
    "Cluster_ID\tCluster_Description\tSNOMED_code\tSNOMED_code_description\tPCD_Refset_ID\tService_and_Ruleset\n"
    f"AST_COD\tAsthma\t{ASTHMA}\tAsthma\t^1\tQOF\n"
    f"AST_COD\tAsthma\t{ACUTE}\tAcute asthma\t^1\tQOF\n"
    f"ASTRES_COD\tResolved\t{RESOLVED}\tAsthma resolved\t^2\tQOF\n"
    "DEM_COD\tDementia\t52448006\tDementia\t^3\tQOF\n"
    "DM_COD\tDiabetes\t73211009\tDiabetes mellitus\t^4\tQOF\n"
    "FLU_COD\tInfluenza\t6142004\tInfluenza\t^5\tES\n"
)


@pytest.fixture
def place(tmp_path) -> Settings:
    return Settings(data_dir=tmp_path / "data", environment="demo")


@pytest.fixture
def file(tmp_path):
    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def load_list(place, path, **options):
    return load(place, read_offer(place, LoadRequest(path, **options)))


def test_a_reference_set_makes_the_lists_whose_clusters_it_has(place, file):
    path = file("20251201_PCD_Refset_Content.txt", REFSET)
    offer = read_offer(place, LoadRequest(path))
    assert {found.name for found in load(place, offer)} == {"snomed_asthma@2025-12-01", "snomed_dementia@2025-12-01"}
    in_use = library(place).in_use()
    assert {(e.code, e.category) for e in in_use["snomed_asthma"].entries} == {
        (ASTHMA, "INCLUSION"),
        (ACUTE, "INCLUSION"),
        (RESOLVED, "RESOLUTION"),
    }
    assert in_use["snomed_diabetes"].is_shipped
    told = "\n".join(offer.remarks)
    assert "snomed_diabetes is left as it is: it also needs DMRES_COD" in told
    assert "FLU_COD" in told


def test_a_cluster_can_make_a_list_of_ones_own(place, file):
    path = file("20251201_refset.txt", REFSET)
    load_list(place, path, codelist_id="snomed_influenza", clusters=("flu_cod",))
    assert [e.code for e in library(place).in_use()["snomed_influenza"].entries] == ["6142004"]


def test_the_same_file_twice_changes_nothing_and_other_codes_need_another_version(place, file):
    path = file("asthma.csv", f"code,term\n{ASTHMA},Asthma\n")
    assert load_list(place, path, codelist_id="snomed_asthma", version="1")
    assert load_list(place, path, codelist_id="snomed_asthma", version="1") == []
    other = file("asthma.csv", f"code,term\n{ACUTE},Acute asthma\n")
    with pytest.raises(CodelistError, match="another --version"):
        load_list(place, other, codelist_id="snomed_asthma", version="1")
    assert load_list(place, other, codelist_id="snomed_asthma", version="2")
    # the first again: back to it
    assert load_list(place, file("asthma.csv", f"code,term\n{ASTHMA},Asthma\n"), codelist_id="snomed_asthma", version="1")
    assert [e.code for e in library(place).in_use()["snomed_asthma"].entries] == [ASTHMA]


def test_a_version_taken_out_leaves_the_one_before(place, file):
    path = file("asthma.csv", f"code,term\n{ASTHMA},Asthma\n")
    load_list(place, path, codelist_id="snomed_asthma", version="1")
    assert remove(place, "snomed_asthma@1") == "snomed_asthma@shipped"
    with pytest.raises(CodelistError, match="is shipped"):
        remove(place, "snomed_asthma")


def test_a_list_without_the_resolutions_of_the_one_in_use_is_remarked(place, file):
    path = file("asthma.csv", f"code,term\n{ASTHMA},Asthma\n")
    assert "--resolution" in read_offer(place, LoadRequest(path, "snomed_asthma", "1")).remarks[0]
    resolved = file("resolved.csv", f"code,term\n{RESOLVED},Asthma resolved\n")
    offer = read_offer(place, LoadRequest(path, "snomed_asthma", "1", resolved))
    assert offer.remarks == ()
    assert [e.category for e in offer.codelists[0].entries] == ["INCLUSION", "RESOLUTION"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "Say with --list"),
        ({"codelist_id": "asthma"}, "cannot name a codelist"),
        ({"codelist_id": "snomed_asthma", "clusters": ("AST_COD",)}, "has no clusters"),
        ({"codelist_id": "snomed_asthma", "version": None}, "tells no version"),
    ],
)
def test_what_is_asked_wrongly_is_said(place, file, options, told):
    path = file("asthma.csv", f"code,term\n{ASTHMA},Asthma\n")
    with pytest.raises(CodelistError, match=told):
        read_offer(place, LoadRequest(path, **{"version": "1", **options}))


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("20251201_PCD_Refset_Content.txt", "2025-12-01"),
        ("opensafely-asthma-diagnosis-2020-04-15.csv", "2020-04-15"),
        ("nhsd-primary-care-domain-refsets-ast_cod-7eac259d.csv", "7eac259d"),
    ],
)
def test_a_files_name_tells_its_version(name, version):
    assert version_in_name(Path(name)) == version


def test_what_is_kept_has_the_columns_of_the_contract(place, file):
    load_list(place, file("a.csv", f"code\n{ASTHMA}\n"), codelist_id="snomed_asthma", version="1")
    library(place).ensure()
    contract = place.staging_dir / "codelist_library" / "_codelist_library__sources.yml"
    (table,) = yaml.safe_load(contract.read_text())["sources"][0]["tables"]
    promised = [(column["name"], column["data_type"]) for column in table["columns"]]
    for path in sorted((place.raw_dir / "codelist_library" / "entry").glob("*.parquet")):
        with duckdb.connect() as connection:
            found = connection.execute(
                f"select column_name, lower(column_type) from (describe select * from '{path}')"
            ).fetchall()
        assert found == promised
        assert pq.read_table(path).num_rows == (0 if path.stem == "00000000" else 1)


def listed(system, version, **codes) -> Codelist:
    return Codelist(f"{system}_x", version, [Entry(c, t, k) for c, (t, k) in codes.items()], "file")


def test_a_difference_names_every_kind_of_change():
    on, off = "INCLUSION", "RESOLUTION"
    old = listed("icd10", "1", J45=("Asthma", on), J46=("Status asthmaticus", on), E10=("Type 1", on), E11=("Type 2", on))
    new = listed("icd10", "2", J45=("Asthma", on), E10=("Type one", on), E11=("Type 2", off), E12=("Other", on))
    found = compare(old, new)
    assert {change.code: change.kind for change in found.changes} == {
        "J46": "removed",
        "E10": "other term",
        "E11": "other category",
        "E12": "added",
    }


@pytest.fixture
def build(place):
    """Events of three people in a build database."""
    place.build_database.parent.mkdir(parents=True)
    place.spill_dir.mkdir()
    with duckdb.connect(str(place.build_database)) as connection:
        connection.execute("create schema core")
        people = "(values (1, 10), (2, 10), (3, 30)) as t(record_token, person_id)"
        connection.execute(f"create table core.person_record as select * from {people}")
        events = (
            "(values ('icd10', 'J459', 1), ('icd10', 'J459', 2), ('icd10', 'J46', 3), ('icd10', 'E119', 3), "
            "('icd10', 'Z312', 1), "
            f"('snomed', '{ASTHMA}', 1), ('snomed', '{ACUTE}', 3)) as t(code_system, code, record_token)"
        )
        connection.execute(f"create table core.condition_event as select * from {events}")
        connection.execute("create schema seeds")
        restricted = "'icd10' as code_system, 'Z31' as code, 'legally_restricted' as restriction"
        connection.execute(f"create table seeds.sensitive_code as select {restricted}")
        for table in ("observation", "medication"):
            connection.execute(f"create table core.{table} as select * from core.condition_event where false")
    return place


def test_a_change_is_measured_in_events_and_people(build):
    on = "INCLUSION"
    old = listed("icd10", "1", J45=("Asthma", on))
    new = listed("icd10", "2", J459=("Asthma, unspecified", on), J46=("Status asthmaticus", on), E10=("Type 1", on))
    found = measure(compare(old, new), build.build_database, build.limits)
    touched = {change.code: (change.n_events, change.n_people) for change in found.changes}
    # J45.9 belonged to the list before and belongs to it now
    assert touched == {"J45": (0, 0), "J459": (0, 0), "J46": (1, 1), "E10": (0, 0)}
    assert (found.n_events, found.n_people) == (1, 1)
    gone = measure(compare(new, listed("icd10", "3", E10=("Type 1", on))), build.build_database, build.limits)
    assert (gone.n_events, gone.n_people) == (3, 2)
    conceived = listed("icd10", "4", J45=("Asthma", on), Z31=("Assisted conception", on))
    restricted = measure(compare(old, conceived), build.build_database, build.limits)
    assert (restricted.n_events, restricted.n_people) == (0, 0)


def test_a_build_that_did_not_finish_is_said(build):
    with duckdb.connect(str(build.build_database)) as connection:
        connection.execute("drop table core.person_record")
    with pytest.raises(CodelistError, match="did not finish"):
        difference(build, "snomed_asthma", "snomed_copd")


def test_versions_are_compared_by_name(build, file):
    load_list(build, file("a.csv", f"code\n{ASTHMA}\n{RESOLVED}\n{ACUTE}\n"), codelist_id="snomed_own", version="1")
    load_list(build, file("b.csv", f"code\n{RESOLVED}\n"), codelist_id="snomed_own", version="2")
    found = difference(build, "snomed_own@1", "snomed_own")
    assert [(change.code, change.kind) for change in found.changes] == [(ASTHMA, "removed"), (ACUTE, "removed")]
    assert (found.n_events, found.n_people) == (2, 2)
    with pytest.raises(CodelistError, match=r"there are snomed_own@1, snomed_own@2"):
        difference(build, "snomed_own@3", "snomed_own")
    with pytest.raises(CodelistError, match="two code systems"):
        difference(build, "snomed_own", "icd10_asthma")
