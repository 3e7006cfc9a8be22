"""The engine: the same bytes for the same arguments, deliveries that share out the events, packaging, refusal to mix worlds."""

import csv
import gzip
import hashlib
import io
import json
import zipfile
from datetime import date

import polars as pl
import pytest
from synthetic.generate import GenerationError, generate
from synthetic.packaging import count_records, record_ends
from synthetic.place import make_place
from synthetic.timeline import Window
from synthetic.world import CHUNK_PEOPLE, make_chunk
from village_supplier import SOURCE

END = date(2026, 3, 31)
PEOPLE = CHUNK_PEOPLE + 500


def write(folder, **changes):
    arguments = {"people": PEOPLE, "nights": 2, "seed": 4, "end": END, "workers": 1, "supplier_modules": ["village_supplier"]}
    return generate(folder, **(arguments | changes))


def fingerprints(folder):
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "summary.json")
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("one")
    return folder, write(folder)


def day(folder, when):
    return folder / "landing" / SOURCE / when


def consultations(folder, when):
    with zipfile.ZipFile(day(folder, when) / f"care_{when.replace('-', '')}.zip") as archive:
        return archive.read("consultations.csv").decode("utf-8-sig")


def test_same_arguments_give_the_same_bytes_whatever_the_number_of_workers(made, tmp_path):
    seen = []
    write(tmp_path, workers=2, progress=lambda done, total: seen.append((done, total)))
    assert fingerprints(tmp_path) == fingerprints(made[0])
    assert seen == [(1, 2), (2, 2)]


def test_another_seed_gives_another_place(made, tmp_path):
    write(tmp_path, people=300, seed=5)
    assert not set(fingerprints(tmp_path).values()) & set(fingerprints(made[0]).values())


def test_more_nights_leave_the_bulk_as_it_was(made, tmp_path):
    write(tmp_path, nights=0)
    bulk = {name: mark for name, mark in fingerprints(made[0]).items() if "/2026-03-31/" in name}
    assert {name: mark for name, mark in fingerprints(tmp_path).items() if "/2026-03-31/" in name} == bulk


def test_deliveries_share_out_the_events(made):
    folder, _ = made
    place, window = make_place(4), Window.ending(END, 2)
    events = pl.concat([make_chunk(i, PEOPLE, place, window, 4)["consultations"] for i in range(2)])
    expected = set(events.filter(pl.col("recorded_on") <= date(2026, 4, 2))["consultation_no"].cast(str))
    delivered = []
    for when in ("2026-03-31", "2026-04-01", "2026-04-02"):
        delivered += [row["consultation_no"] for row in csv.DictReader(io.StringIO(consultations(folder, when)))]
    assert len(delivered) == len(set(delivered))
    assert set(delivered) == expected


def test_files_leave_as_their_packaging_says(made):
    folder, _ = made
    people = gzip.decompress((day(folder, "2026-03-31") / "people.csv.gz").read_bytes())
    assert people.startswith(b"local_id,family_name,birth_date\r\n")
    people.decode("cp1252")
    with zipfile.ZipFile(day(folder, "2026-03-31") / "care_20260331.zip") as archive:
        assert archive.namelist() == ["codes.csv", "consultations.csv"]
        assert archive.read("codes.csv").startswith(b"\xef\xbb\xbf")
        assert archive.read("consultations.csv").count(b"consultation_no") == 1
    assert not list(folder.rglob("*.part"))
    assert not (folder / "truth" / "making").exists()


def test_summary_and_truth_agree_with_the_files(made):
    folder, summary = made
    rows = summary.rows[SOURCE]["2026-03-31"]
    assert rows["consultations.csv"] == len(list(csv.DictReader(io.StringIO(consultations(folder, "2026-03-31")))))
    assert rows["codes.csv"] == 48
    facts = json.loads((folder / "truth" / "summary.json").read_text())
    assert facts["n_rows"] == summary.n_rows == sum(n for files in summary.rows[SOURCE].values() for n in files.values())
    people = pl.read_parquet(folder / "truth" / "people.parquet")
    records = pl.read_parquet(folder / "truth" / "records.parquet")
    assert people.height == PEOPLE
    assert people["person_no"].is_unique().all()
    assert records["person_no"].is_in(people["person_no"].implode()).all()
    assert facts["n_records"] == records.height
    faults = pl.read_parquet(folder / "truth" / "faults.parquet")
    assert faults.filter(source=SOURCE, expected="quarantined").height > 50
    for name in ("conditions", "homelessness", "mental_health_risers", "intervention"):
        assert pl.read_parquet(folder / "truth" / f"{name}.parquet").height > 0
    assert facts["planted"]["outlier_practice"]["practice_code"] == "T99017"


def test_a_landing_zone_with_another_world_is_left_alone(made, tmp_path):
    write(tmp_path, people=300, nights=0)
    before = fingerprints(tmp_path)
    with pytest.raises(GenerationError, match="already holds the synthetic place made with"):
        write(tmp_path, people=301, nights=0)
    assert fingerprints(tmp_path) == before
    write(tmp_path, people=301, nights=0, overwrite=True)
    assert pl.read_parquet(tmp_path / "truth" / "people.parquet").height == 301
    write(tmp_path, people=301, nights=0)


def test_deliveries_of_somebody_else_are_left_alone(tmp_path):
    theirs = tmp_path / "landing" / "gp_emis" / "2026-01-01"
    theirs.mkdir(parents=True)
    with pytest.raises(GenerationError, match="were not made here"):
        write(tmp_path, people=300, nights=0)


@pytest.mark.parametrize("wrong", [{"people": 0}, {"nights": -1}])
def test_senseless_arguments_are_refused(tmp_path, wrong):
    with pytest.raises(ValueError, match="at least"):
        write(tmp_path, **wrong)


def test_records_are_counted_across_quoted_newlines():
    body = b'a,"one\ntwo"\nb,"say ""x""\n"\nc,d\n'
    assert count_records("f.csv", body) == 3
    assert record_ends(body)[-1] == len(body) - 1
