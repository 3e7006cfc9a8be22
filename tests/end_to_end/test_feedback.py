"""What goes back to each supplier, set beside the faults that the synthetic suppliers planted."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import duckdb
import pytest
from small_place import Place


@pytest.fixture(scope="module")
def place(after_bulk, tmp_path_factory) -> Place:
    """A place after its first night, when no fault can have been mended, with its packs."""
    place = after_bulk.copy(tmp_path_factory.mktemp("feedback") / "data")
    made = place.phm("feedback")
    assert made.returncode == 0, made.stderr
    return place


def packs(place: Place) -> Path:
    return place.data_dir / "identifiable" / "feedback"


def rows_of(pack: Path, name: str = "rows") -> list[dict[str, str]]:
    with (pack / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def all_packs(place: Place) -> list[Path]:
    return sorted(path.parent for path in packs(place).rglob("rows.csv"))


def test_every_planted_fault_is_in_its_supplier_s_pack_and_nowhere_else(place):
    truth = place.data_dir / "truth" / "faults.parquet"
    planted = duckdb.execute(f"select source, file, row_identity from '{truth}' where expected = 'quarantined'").fetchall()
    told = [
        (pack.relative_to(packs(place)).parts[0], Path(row["file"]).name.removesuffix(".gz"), row)
        for pack in all_packs(place)
        for row in rows_of(pack)
        if row["line"] and not row["kind"].startswith(("in_set", "between", "not_in_future"))
    ]
    assert Counter((source, file) for source, file, _ in told) == Counter((s, f.removesuffix(".gz")) for s, f, _ in planted)
    # a blank key is what some faults are; everybody else is named by the key that the supplier gave the row
    named = {(source, file, part.partition("=")[2]) for source, file, row in told for part in row["row_identity"].split("|")}
    blank = sum("=|" in f"{row['row_identity']}|" or not row["row_identity"] for _, _, row in told)
    missing = [fault for fault in planted if (fault[0], fault[1].removesuffix(".gz"), fault[2]) not in named]
    assert len(missing) <= blank


def test_faults_are_ranked_by_the_people_whom_mending_would_change(place):
    for pack in all_packs(place):
        faults = rows_of(pack, "faults")
        assert [int(fault["rank"]) for fault in faults] == list(range(1, len(faults) + 1))
        changed = [float(fault["n_people_changed"]) for fault in faults]
        assert changed == sorted(changed, reverse=True)
        assert all(fault["fix"] and float(fault["n_people_changed"]) <= int(fault["n_people"]) for fault in faults)
        assert Counter(row["rank"] for row in rows_of(pack)) == {fault["rank"]: int(fault["n_rows"]) for fault in faults}


def test_a_pack_holds_its_own_practice_s_records_only_and_is_private(place):
    kept = {path.stat().st_mode & 0o777 for path in packs(place).rglob("*") if path.is_file()}
    folders = {path.stat().st_mode & 0o777 for path in [packs(place), *packs(place).rglob("*")] if path.is_dir()}
    assert (kept, folders) == ({0o600}, {0o700})
    practices = [pack for pack in all_packs(place) if pack.parent.name == "gp_systmone"]
    assert practices
    for pack in practices:
        assert {row["local_id"].partition("|")[0] for row in rows_of(pack)} <= {pack.name, ""}
        page = (pack / "feedback.html").read_text()
        assert not [other.name for other in practices if other != pack and f">{other.name}<" in page]


def test_practices_see_what_their_records_hold_and_whether_their_list_is_right(place):
    live = place.query(
        "select n_on_list, n_expected_on_list, is_list_reconciled from marts.source_coverage "
        "where starts_with(source, 'gp_') and n_on_list is not null"
    )
    assert live
    assert all(agrees == (abs(ours - theirs) < 5 or abs(ours - theirs) < 0.02 * theirs) for ours, theirs, agrees in live)
    shares = place.query("select item_code, sum(n_recorded) / sum(n_people) from marts.practice_recording group by all")
    assert {item for item, _ in shares} == {"ethnicity", "blood_pressure", "smoking"}
    assert all(0.3 < share <= 1 for _, share in shares)
