"""Linking any table: what is recognised, what is linked, what is refused."""

from __future__ import annotations

import random
import stat
from datetime import date
from pathlib import Path

import duckdb
import linkage_people as people
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linkage_index import AS_OF, Index

from linkage.duck import Limits
from linkage.errors import LinkageError
from linkage.spec import default_spec
from linkage.table.columns import Columns, columns_from_document, parse_columns, recognise
from linkage.table.encode import encode, link_encodings, make_secret, read_secret
from linkage.table.index import link_to_index
from linkage.table.link import TableReport, link_table
from linkage.table.partition import partition
from linkage.table.read import Table, read

SPEC = default_spec(accept_test_numbers=True)
NAMES = {"given_name": ("given_name",), "family_name": ("family_name",), "birth_date": ("birth_date",)}


class Desk:
    """Somebody with files to link."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.output = folder / "out.csv"
        self.limits = Limits("1GB", 2, "10GB", folder / "spill")

    def file(self, rows: list[dict[str, object]] | pl.DataFrame, name: str = "people.csv") -> Table:
        path = self.folder / name
        frame = rows if isinstance(rows, pl.DataFrame) else pl.DataFrame(rows, infer_schema_length=None)
        frame.write_parquet(path) if path.suffix == ".parquet" else frame.write_csv(path)
        return Table(path, path.stem)

    def link(self, table: Table, columns: Columns | None = None, other: Table | None = None) -> tuple[pl.DataFrame, TableReport]:
        report = link_table(
            table,
            columns or {},
            self.output,
            other=(other, columns or {}) if other else None,
            spec=SPEC,
            as_of=AS_OF,
            limits=self.limits,
        )
        return pl.read_csv(self.output, infer_schema_length=0), report


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def family_names(n: int) -> list[str]:
    parts = ["ba", "den", "kor", "lim", "mar", "nos", "pel", "rus", "sol", "tav", "vin", "wes"]
    return [f"{a}{b}{c}".capitalize() for a in parts for b in parts for c in parts][:n]


def register(n: int = 120, seed: int = 1) -> list[dict[str, object]]:
    """Each person twice: once as they are, once with a slip in one thing."""
    rng = random.Random(seed)
    given_names = ["Anna", "Boris", "Carla", "David", "Elena", "Frank", "Greta", "Hugo", "Irene", "Jonas", "Katya", "Louis"]
    rows = []
    for i, family in enumerate(family_names(n)):
        born = date(1930 + i % 80, 1 + i % 12, 1 + i * 7 % 28)
        first, town = rng.choice(given_names), f"Town{i % 40}"
        row = {"given_name": first, "family_name": family, "birth_date": born.isoformat(), "town": town}
        slip = dict(row)
        kind = i % 4
        if kind == 0:
            slip["family_name"] = family[:2] + family[3:]
        elif kind == 1:
            slip["birth_date"] = born.replace(year=born.year + 1).isoformat()
        elif kind == 2:
            slip["town"] = None
        rows += [{**row, "id": f"{i}-a"}, {**slip, "id": f"{i}-b"}]
    return rows


def _n_pairs(groups: pl.DataFrame) -> int:
    size = groups["len"].cast(pl.Int64)
    return int((size * (size - 1)).sum())


def test_a_mapping_is_read_from_words_and_from_yaml():
    assert parse_columns("given_name=fname+mname, text:job=occ") == {"given_name": ("fname", "mname"), "text:job": ("occ",)}
    assert columns_from_document({"given_name": ["fname", "mname"], "text:job": "occ"}) == parse_columns(
        "given_name=fname+mname,text:job=occ"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [("given_name", "role=column"), ("shoe=x", "'shoe' is not a role"), ("sex=a,sex=b", "twice"), ("sex=a+b", "one column")],
)
def test_a_mapping_that_cannot_be_read_names_the_part(text: str, said: str):
    with pytest.raises(LinkageError, match=said):
        parse_columns(text)


def test_obvious_names_are_recognised_and_doubt_is_said_aloud():
    found = recognise([" Given_Name", "Surname", "DOB", "date of birth", "shoe size"], {})
    assert found.columns == {"given_name": (" Given_Name",), "family_name": ("Surname",)}
    notes = " / ".join(found.notes)
    assert "'DOB', 'date of birth' could each be the birth_date" in notes
    assert "'shoe size'" in notes


def test_numbered_parts_of_a_name_belong_together():
    assert recognise(["fname_c1", "fname_c2", "lname_c1", "by"], {}).columns["given_name"] == ("fname_c1", "fname_c2")


@given(days=st.lists(st.dates(date(1900, 1, 1), date(2025, 12, 31)), min_size=1, max_size=30, unique=True))
@settings(max_examples=5, deadline=None)
def test_a_birth_date_reads_the_same_however_it_is_written(days: list[date], tmp_path_factory: pytest.TempPathFactory):
    path = tmp_path_factory.mktemp("dates") / "dates.parquet"
    forms = ["%Y-%m-%d", "%Y%m%d", "%d/%m/%Y", "%d %B %Y", "%b %d, %Y", "%Y-%m-%d 00:00:00"]
    written = [day.strftime(form) for day in days for form in forms]
    pl.DataFrame({"birth_date": [*written, "31/12/1999"]}).write_parquet(path)
    with duckdb.connect() as connection:
        read(connection, [(Table(path, "dates"), {"birth_date": ("birth_date",)})], SPEC, AS_OF)
        read_back = connection.execute("select birth from subject order by n").fetchall()
    assert read_back[:-1] == [(f"{day:%Y%m%d}",) for day in days for _ in forms]


def test_month_first_dates_are_recognised_by_the_days_past_twelve(desk: Desk):
    table = desk.file([{"dob": "04/25/1950"}, {"dob": "04/03/1950"}])
    with duckdb.connect() as connection:
        read(connection, [(table, {"birth_date": ("dob",)})], SPEC, AS_OF)
        assert connection.execute("select birth from subject order by n").fetchall() == [("19500425",), ("19500403",)]


def test_slips_are_linked_and_strangers_are_not(desk: Desk):
    rows, report = desk.link(desk.file(register()))
    clusters = rows.group_by("cluster_id").agg(
        pl.col("record_id").str.split("-").list.first().n_unique().alias("people"), pl.len()
    )
    assert (clusters["people"] == 1).mean() > 0.98
    assert (clusters["len"] == 2).mean() > 0.96
    assert report.bands["linked"] == rows.filter(pl.col("band") == "linked").height
    first = rows.filter(pl.col("record_id") == "0-a").row(0, named=True)
    assert first["reason"] == "as 0-b: given name the same; family name one slip apart; birth date the same; town the same"


def test_the_order_of_rows_decides_nothing(desk: Desk):
    rows = register(60)
    straight = desk.link(desk.file(rows))[0]
    random.Random(5).shuffle(rows)
    shuffled = desk.link(desk.file(rows, "shuffled.csv"))[0]

    def groups(found: pl.DataFrame) -> set[tuple[str, ...]]:
        return set(map(tuple, found.sort("record_id").group_by("cluster_id").agg("record_id")["record_id"].to_list()))

    assert groups(straight) == groups(shuffled)


def test_twins_and_namesakes_of_a_place_stay_apart(desk: Desk):
    place = people.make_place(600, seed=3)
    rows = place.rows.join(place.truth, on="record_token").filter(pl.col("family_name").is_not_null())
    table = desk.file(
        rows.select("record_token", "given_name", "family_name", pl.col("birth_date").cast(pl.String), "sex", "postcode"),
        "place.parquet",
    )
    found = desk.link(table, {"record_id": ("record_token",)})[0].join(
        rows.select("record_token", "person_no"), left_on="record_id", right_on="record_token"
    )
    cells = found.group_by("cluster_id", "person_no").len()
    linked = _n_pairs(found.group_by("cluster_id").len())
    true, right = _n_pairs(found.group_by("person_no").len()), _n_pairs(cells)
    assert right / linked > 0.98
    assert right / true > 0.98


def test_a_file_that_holds_people_once_gives_each_at_most_one_record(desk: Desk):
    rows = register(100)
    left = [row for row in rows if str(row["id"]).endswith("a")]
    right = [row for row in rows if str(row["id"]).endswith("b")]
    # a namesake born the same day in the second file cannot be the same person too
    right.append({**left[2], "id": "2-c", "town": "Elsewhere"})
    found, report = desk.link(desk.file(left, "left.csv"), None, desk.file(right, "right.csv"))
    assert found.group_by("cluster_id", "file").len()["len"].max() == 1
    assert (found["band"] == "linked").mean() > 0.95
    assert "holds people once" in " ".join(report.notes)


def test_full_names_and_years_of_birth_are_enough(desk: Desk):
    rows = [
        {"name": f"{r['given_name']} {r['family_name']}", "yob": str(r["birth_date"])[:4], "text": r["town"], "id": r["id"]}
        for r in register()
    ]
    found, _ = desk.link(desk.file(rows), {"text:town": ("text",)})
    assert (found["band"] == "linked").mean() > 0.9


def test_a_crowd_of_test_patients_is_neither_linked_nor_compared(desk: Desk):
    crowd = [{"given_name": "Test", "family_name": "Patient", "birth_date": "1900-01-01", "id": f"t{i}"} for i in range(10_000)]
    found, report = desk.link(desk.file([{k: v for k, v in r.items() if k != "town"} for r in register(50)] + crowd))
    assert report.blocking.n_pairs < 200_000
    assert report.largest_cluster == 2
    assert set(found.filter(pl.col("record_id").str.starts_with("t"))["band"]) == {"unlinkable"}
    assert (found.filter(~pl.col("record_id").str.starts_with("t"))["band"] == "linked").mean() > 0.9


def test_people_of_one_name_are_not_one_giant_person(desk: Desk):
    born = [f"19{i % 90:02d}-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(3_000)]
    rows = [{"given_name": "John", "family_name": "Smith", "birth_date": day, "town": f"T{i}"} for i, day in enumerate(born)]
    _, report = desk.link(desk.file([*rows, {**rows[0], "given_name": "Mary"}]))
    assert report.largest_cluster <= 2


@pytest.mark.parametrize(
    ("content", "columns", "said"),
    [
        ("", {}, "is empty"),
        ("given_name,family_name\n", {}, "a header and no records"),
        ("given_name,family_name\nAnn,Lee\n", {}, "one record"),
        ("shoe,hat\n1,2\n3,4\n", {}, "no column says who somebody is"),
        ("given_name\nAnn\nBob\n", {"family_name": ("surname",)}, "names 'surname', which the table has not"),
        ("id,given_name\n1,Ann\n1,Bob\n", {}, "repeated in 1"),
        ("birth_date\n1950-01-01\n1950-01-01\n", {}, "the same for everybody"),
        ("given_name,dob\nAnn,1950-01-01\nBob,1950-01-01,x,y\nCy\n", {}, "do not all have as many fields"),
    ],
)
def test_what_cannot_be_linked_says_why_and_writes_nothing(desk: Desk, content: str, columns: Columns, said: str):
    path = desk.folder / "bad.csv"
    path.write_text(content)
    with pytest.raises(LinkageError, match=said):
        desk.link(Table(path, "bad"), columns)
    assert not desk.output.exists()


def test_a_file_that_is_not_utf_8_says_so(desk: Desk):
    path = desk.folder / "latin.csv"
    path.write_bytes("given_name,family_name\nRené,Lée\nAnn,Lee\n".encode("latin-1"))
    with pytest.raises(LinkageError, match="not UTF-8"):
        desk.link(Table(path, "latin"))


def test_a_stray_quote_loses_no_record(desk: Desk):
    path = desk.folder / "quotes.csv"
    path.write_text("id,given_name,family_name\n1,Ann,'Lee\n2,Bo,O'Neil\n3,Cy,Ek\n")
    assert desk.link(Table(path, "quotes"))[0]["record_id"].to_list() == ["1", "2", "3"]


ANN = {"given_name": "Ann", "family_name": "Lee", "birth_date": "1950-03-04"}


@pytest.mark.parametrize(
    ("other", "band"),
    [
        ({}, "linked"),
        ({"family_name": "Leee"}, "linked"),
        ({"birth_date": "1950-03-05"}, "linked"),
        ({"given_name": "Anne"}, "linked"),
        # twins, for all that two records can say
        ({"given_name": "Robert"}, "review"),
        ({"given_name": "Robert", "family_name": "King", "birth_date": "1981-09-30"}, "separate"),
    ],
)
def test_two_records_are_judged_as_a_person_would(desk: Desk, other: dict[str, str], band: str):
    found, _ = desk.link(desk.file([ANN, {**ANN, **other}]))
    assert found["band"].to_list() == [band, band]


def test_a_person_recorded_many_times_is_one_entry(desk: Desk):
    rows = register(80)
    often = [{**rows[0], "id": f"0-copy{i}"} for i in range(300)]
    found, report = desk.link(desk.file([*rows, *often]))
    assert report.blocking.n_possible < 200 * 200 / 2
    assert report.largest_cluster == 302
    copies = found.filter(pl.col("record_id").str.starts_with("0-copy"))
    assert set(copies["band"]) == {"linked"}
    assert all(row["reason"].split(":")[0] != f"as {row['record_id']}" for row in copies.to_dicts())


def test_what_brothers_share_does_not_make_them_one(desk: Desk):
    rng = random.Random(4)
    first = ["Adam", "Bernard", "Conrad", "Dominic", "Edgar", "Fergus"]
    rows = []
    for i, family in enumerate(family_names(150)):
        village = f"Village{rng.randrange(60)}"
        for k, name in enumerate(rng.sample(first, 3)):
            born = 1800 + i % 40 + 3 * k
            said = {"given_name": name, "family_name": family, "birth_year": born, "birth_place": village}
            rows += [{**said, "id": f"{i}.{k}-{copy}", "birth_year": born + copy} for copy in range(2)]
    found, _ = desk.link(desk.file(rows))
    people_in = found.group_by("cluster_id").agg(pl.col("record_id").str.split("-").list.first().n_unique().alias("n"))
    assert (people_in["n"] > 1).mean() < 0.02
    assert (found["band"] == "linked").mean() > 0.9


def test_a_shared_initial_is_no_other_first_name(desk: Desk):
    rows = [{**row, "middle_name": "QXZ"[i % 3]} for i, row in enumerate(register(100))]
    sister = {**rows[0], "given_name": "Wilhelmina", "birth_date": "1931-05-17", "id": "sister"}
    found, _ = desk.link(desk.file([*rows, sister]))
    assert found.filter(pl.col("record_id") == "sister")["band"].item() != "linked"


def test_numbers_kept_as_floats_and_words_for_nothing_are_read_as_meant(desk: Desk):
    table = desk.file(
        [{"zip": "27000.0", "phone": 7700900123.0, "email": "NA"}, {"zip": "27000", "phone": None, "email": "a@b.c"}]
    )
    with duckdb.connect() as connection:
        read(connection, [(table, {"postcode": ("zip",), "phone": ("phone",), "email": ("email",)})], SPEC, AS_OF)
        said = connection.execute("select postcode, phone_0, email from subject order by n").fetchall()
    assert said == [("27000", "7700900123", None), ("27000", None, "a@b.c")]


@given(order=st.permutations(range(24)), columns=st.permutations(["given_name", "family_name", "birth_date", "town", "id"]))
@settings(max_examples=4, deadline=None)
def test_rows_columns_and_letters_case_decide_nothing(
    order: list[int], columns: list[str], tmp_path_factory: pytest.TempPathFactory
):
    desk = Desk(tmp_path_factory.mktemp("invariance"))
    rows = register(12)
    changed = [
        {**{c: str(rows[i][c]).upper() if c != "id" and rows[i][c] else rows[i][c] for c in columns}, "shoe_size": i}
        for i in order
    ]

    def groups(found: pl.DataFrame) -> set[tuple[str, ...]]:
        return set(map(tuple, found.sort("record_id").group_by("cluster_id").agg("record_id")["record_id"].to_list()))

    assert groups(desk.link(desk.file(rows))[0]) == groups(desk.link(desk.file(changed, "changed.csv"))[0])


def test_an_empty_column_is_left_out_and_said(desk: Desk):
    rows = [{**row, "suburb": None} for row in register(60)]
    _, report = desk.link(desk.file(rows))
    assert any("suburb" in note and "empty" in note for note in report.notes)


def test_only_its_owner_can_read_the_result(desk: Desk):
    desk.link(desk.file(register(60)))
    assert stat.S_IMODE(desk.output.stat().st_mode) == 0o600


def test_a_weak_bridge_does_not_join_two_groups():
    # 0-1-2 and 3-4-5 are sure; 2-3 is likely, and every other pair across is against it
    sure = [(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5)]
    across = [(i, j) for i in (0, 1, 2) for j in (3, 4, 5)]
    pairs = np.array(sure + across)
    weight = np.array([20.0] * len(sure) + [5.0 if pair == (2, 3) else -9.0 for pair in across])
    found = partition(6, pairs[:, 0], pairs[:, 1], weight, least_weight=0.0, least_mean=-2.0, unknown=-6.0)
    assert found.tolist() == [0, 0, 0, 3, 3, 3]


def test_a_table_is_linked_to_the_people_of_the_index(index: Index, desk: Desk):
    place = people.make_place(800, seed=21)
    people.write(place.rows, index.identity)
    index.run()
    before = index.registry.read_bytes()
    pds = place.rows.filter(pl.col("source") == "demographics_pds")
    rows = pds.head(60).select("record_token", "given_name", "family_name", "birth_date", "postcode")
    stranger = {"record_token": "new", "given_name": "Zebedee", "family_name": "Quartermain", "birth_date": date(1961, 7, 3)}
    nobody = {"record_token": "nobody"}
    table = desk.file(
        pl.concat([rows, pl.DataFrame([stranger, nobody], schema_overrides=rows.schema)], how="diagonal"), "list.parquet"
    )
    report = link_to_index(
        table,
        {"record_id": ("record_token",)},
        desk.output,
        identity_dir=index.identity,
        registry_path=index.registry,
        spec=index.spec,
        parameters=index.parameters,
        as_of=AS_OF,
        limits=desk.limits,
    )
    found = pl.read_csv(desk.output)
    known = index.persons()
    linked = found.filter(pl.col("band") == "linked")
    assert linked.height > 50
    assert np.mean([known[r["record_id"]] == r["person_id"] for r in linked.to_dicts()]) > 0.98
    assert found.filter(pl.col("record_id") == "new")["band"].item() == "separate"
    assert found.filter(pl.col("record_id") == "nobody")["band"].item() == "unlinkable"
    assert sum(report.bands.values()) == 62
    assert index.registry.read_bytes() == before
    assert not list((desk.folder / "spill").glob("**/*.parquet"))


def test_encodings_find_people_for_review_and_a_wrong_secret_finds_nobody(index: Index, desk: Desk):
    place = people.make_place(400, seed=22)
    people.write(place.rows, index.identity)
    index.run()
    columns = ("record_token", "given_name", "family_name", "birth_date", "sex", "postcode")
    table = desk.file(place.rows.filter(pl.col("source") == "demographics_pds").head(50).select(columns), "list.parquet")
    mapping = {"record_id": ("record_token",)}
    found = {}
    for name in ("ours", "other"):
        make_secret(desk.folder / name)
        encoded = desk.folder / f"{name}.csv"
        encode(table, mapping, encoded, secret=read_secret(desk.folder / name), spec=index.spec, as_of=AS_OF, limits=desk.limits)
        assert "Smith" not in encoded.read_text()
        link_encodings(
            encoded,
            desk.output,
            secret=read_secret(desk.folder / "ours"),
            threshold=0.85,
            identity_dir=index.identity,
            registry_path=index.registry,
            spec=index.spec,
            as_of=AS_OF,
            limits=desk.limits,
        )
        found[name] = pl.read_csv(desk.output)
    known = index.persons()
    review = found["ours"].filter(pl.col("band") == "review").to_dicts()
    assert len(review) > 45
    assert all(known[row["record_id"]] == row["candidate_person_id"] for row in review)
    assert set(found["other"]["band"]) == {"separate"}
    assert found["other"]["candidate_person_id"].null_count() == 50


def test_a_secret_that_could_be_guessed_or_is_there_already_is_refused(tmp_path: Path):
    short = tmp_path / "short"
    short.write_text("abc")
    with pytest.raises(LinkageError, match="shorter than 32 bytes"):
        read_secret(short)
    with pytest.raises(LinkageError, match="cannot be made"):
        make_secret(short)
