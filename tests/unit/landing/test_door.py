"""What the door lets through: tokens and states in raw, identity in the identifiable zone, nothing of the one in the other."""

from __future__ import annotations

import hashlib
import hmac
import pickle
import stat
import uuid
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from landing_place import KEY, Place, column, table

from orchestration.landing.door import IDENTITY_COLUMNS, nhs_number_state_sql, postcode_state_sql
from orchestration.landing.errors import LandingError
from orchestration.landing.keys import PseudonymisationKey, token_sql

MakePlace = Callable[..., Place]
SECRET = bytes(range(32))


def evaluate(expression: str, value: str | None) -> object:
    with duckdb.connect() as con:
        return con.execute(f"select {expression} from (select $1::varchar as v)", [value]).fetchone()[0]


@settings(max_examples=30, deadline=None)
@given(
    key=st.binary(min_size=32, max_size=100),
    messages=st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), max_size=5),
)
def test_a_token_in_sql_is_the_hmac_of_the_message(key: bytes, messages: list[str]) -> None:
    secret = PseudonymisationKey(key)
    with duckdb.connect() as con:
        secret.install(con)
        tokens = con.execute(f"select {token_sql('m')} from (select unnest($1::varchar[]) as m)", [messages]).fetchall()
    expected = [uuid.UUID(bytes=hmac.new(key, m.encode(), hashlib.sha256).digest()[:16]) for m in messages]
    assert [token for (token,) in tokens] == expected == [secret.token(m) for m in messages]


def test_a_key_shows_its_id_only() -> None:
    text = f"{KEY!r} {KEY}"
    assert KEY.key_id == hashlib.sha256(SECRET).hexdigest()[:8]
    assert KEY.key_id in text
    assert SECRET.hex() not in text
    assert str(SECRET) not in text
    with pytest.raises(TypeError):
        pickle.dumps(KEY)


@pytest.mark.parametrize("text", [SECRET.hex(), SECRET.hex().upper() + "\n", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="])
def test_a_key_is_read_from_hexadecimal_or_base64(text: str) -> None:
    assert PseudonymisationKey.from_text(text).key_id == KEY.key_id


@pytest.mark.parametrize("text", ["", "abcd", "00" * 31, "not a key!"])
def test_a_short_or_unreadable_key_is_refused(text: str) -> None:
    with pytest.raises(LandingError, match="pseudonymisation key"):
        PseudonymisationKey.from_text(text)


def test_a_key_file_is_private_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "pseudonymisation.key"
    key = PseudonymisationKey.create_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert PseudonymisationKey.from_file(path).key_id == key.key_id
    with pytest.raises(LandingError, match="never overwritten"):
        PseudonymisationKey.create_file(path)
    path.chmod(0o640)
    with pytest.raises(LandingError, match="open to others"):
        PseudonymisationKey.from_file(path)


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (None, "missing"),
        ("9434765919", "valid"),
        ("943 476 5919", "valid"),
        ("943-476-5919", "valid"),
        ("9434765918", "invalid"),
        ("9990000000", "invalid"),
        ("943476591", "invalid"),
        ("94347659190", "invalid"),
        ("943476591X", "invalid"),
        ("0000000000", "placeholder"),
        ("9999999999", "placeholder"),
    ],
)
def test_the_state_of_an_nhs_number(number: str | None, state: str) -> None:
    assert evaluate(nhs_number_state_sql("v"), number) == state


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**10 - 1))
def test_the_check_digit_follows_modulus_11(value: int) -> None:
    number = f"{value:010d}"
    check = 11 - sum(int(d) * (10 - i) for i, d in enumerate(number[:9])) % 11
    is_valid = check != 10 and check % 11 == int(number[9]) and len(set(number)) > 1
    assert (evaluate(nhs_number_state_sql("v"), number) == "valid") is is_valid


@pytest.mark.parametrize(
    ("postcode", "state"),
    [
        (None, "missing"),
        ("SW1A 1AA", "valid"),
        ("sw1a1aa", "valid"),
        ("M1 1AE", "valid"),
        ("GIR 0AA", "valid"),
        ("ZZ99 3VZ", "no_fixed_abode"),
        ("ZZ993WZ", "unknown"),
        ("ZZ99 3CZ", "unknown"),
        ("ZZ99 6DZ", "overseas"),
        ("SW1A", "invalid"),
        ("none", "invalid"),
    ],
)
def test_the_state_of_a_postcode(postcode: str | None, state: str) -> None:
    assert evaluate(postcode_state_sql("v"), postcode) == state


def everything() -> dict[str, object]:
    """A table with every role."""
    return table(
        "people",
        [
            column("local_id", header="LocalId", nullable=False, identity="record_id"),
            column("org", identity=["record_scope", "practice_code"]),
            column("mother", identity="related_record_id"),
            column("nhs", identity="nhs_number"),
            column("old_nhs", identity="superseded_nhs_number"),
            column("nhs_status", identity="nhs_number_status"),
            column("title", identity="title"),
            column("given", identity="given_name"),
            column("family", identity="family_name"),
            column("born", "date", identity="birth_date"),
            column("died", "date", identity="death_date"),
            column("line_1", identity="address_line"),
            column("line_2", identity="address_line"),
            column("postcode", identity="postcode"),
            column("uprn", identity="uprn"),
            column("home", identity="phone"),
            column("mobile", identity="phone"),
            column("mail", identity="email"),
            column("sex", identity="sex"),
            column("category", identity="ethnic_category_code"),
            column("moved_in", "timestamp", identity="identity_valid_from"),
            column("note", drop=True),
            column("height", "double"),
        ],
        key=["org", "local_id"],
    )


VALUES = {
    "LocalId": "L77", "org": "A1", "mother": "L12", "nhs": "943 476 5919", "old_nhs": "999-123-4567", "nhs_status": "08",
    "title": "Ms", "given": "Zoraida", "family": "Quillfeather", "born": "1984-07-23", "died": "2025-11-30",
    "line_1": "14 Gosling Row", "line_2": "Larkbeck",
    "postcode": "QX7 4ZY", "uprn": "000123456789", "home": "01632960123", "mobile": "07700900123",
    "mail": "zq@example.org", "sex": "F", "category": "A", "moved_in": "2020-05-06", "note": "lives alone", "height": "1.62",
}  # fmt: skip


@pytest.fixture
def full_place(make_place: MakePlace) -> Place:
    place = make_place(everything())
    place.deliver_and_land("2026-03-01", {"people.csv": ",".join(VALUES) + "\n" + ",".join(VALUES.values()) + "\n"})
    return place


def test_raw_holds_tokens_states_and_content(full_place: Place) -> None:
    row = full_place.raw("people")[0]
    assert row == {
        "record_token": KEY.token("record|clinic|A1|L77"),
        "mother_token": KEY.token("record|clinic|A1|L12"),
        "nhs_number_state": "valid",
        "birth_month": date(1984, 7, 1),
        "postcode_token": KEY.token("postcode|QX74ZY"),
        "postcode_state": "valid",
        "address_token": KEY.token("uprn|123456789"),
        "org": "A1", "nhs_status": "08", "died": date(2025, 11, 30), "sex": "F", "category": "A", "moved_in": row["moved_in"],
        "height": 1.62, "_load_seq": 1, "_delivery_date": date(2026, 3, 1), "_window": "", "_line": 2,
        "_row_hash": row["_row_hash"], "_is_deleted": False,
    }  # fmt: skip
    assert list(row) == list(full_place.source.table("people").raw_columns)


def test_identity_has_its_fixed_shape(full_place: Place) -> None:
    row = full_place.identity("people")[0]
    assert list(row) == list(IDENTITY_COLUMNS)
    assert row == {
        "record_token": KEY.token("record|clinic|A1|L77"), "source": "clinic", "table_name": "people", "load_seq": 1,
        "is_deleted": False, "nhs_number": "9434765919", "superseded_nhs_number": "9991234567", "nhs_number_status": "08",
        "title": "Ms", "given_name": "Zoraida", "middle_names": None, "family_name": "Quillfeather", "previous_family_name": None,
        "birth_date": date(1984, 7, 23), "birth_date_text": "1984-07-23", "sex": "F", "death_date": date(2025, 11, 30),
        "postcode": "QX7 4ZY", "address_lines": "14 Gosling Row, Larkbeck", "uprn": "000123456789",
        "phones": ["01632960123", "07700900123"], "email": "zq@example.org", "practice_code": "A1", "ethnic_category_code": "A",
        "identity_valid_from": date(2020, 5, 6), "identity_valid_to": None,
    }  # fmt: skip


def test_local_ids_say_what_a_token_stands_for(full_place: Place) -> None:
    (row,) = full_place.local_ids("people")
    assert (row["record_token"], row["local_id"]) == (KEY.token("record|clinic|A1|L77"), "A1|L77")


def test_no_identifier_is_found_below_raw(full_place: Place) -> None:
    """Compression could hide a value, so every value of every file is looked at, as text."""
    secret = {VALUES[c.header] for c in full_place.source.table("people").columns if c.is_identity_only or c.terms.drop}
    secret |= {"9434765919", "9991234567", "QX74ZY"}
    files = list(full_place.zones.raw.glob("**/*.parquet"))
    assert files
    with duckdb.connect() as con:
        for path in files:
            text = "\n".join(str(row) for row in con.execute(f"select * from '{path}'").fetchall())
            assert not [value for value in secret if value in text]


def test_only_the_owner_may_enter_the_identifiable_zone(full_place: Place) -> None:
    assert stat.S_IMODE(full_place.zones.identifiable.stat().st_mode) == 0o700


def test_tables_that_share_ids_share_tokens(make_place: MakePlace) -> None:
    patient = table("patient", [column("row", "bigint", identity="record_id"), column("name", identity="given_name")])
    event = table("event", [column("event"), column("patient", "bigint", identity="record_id")])
    place = make_place(patient, event)
    place.deliver_and_land("2026-03-01", {"patient.csv": "row,name\n7,Jo\n", "event.csv": "event,patient\ne,007\nf,\n"})
    assert [row["record_token"] for row in place.raw("event")] == [place.raw("patient")[0]["record_token"], None]
    assert place.identity("event") == place.local_ids("event") == []


def test_an_nhs_number_that_is_the_record_id_gives_one_token_however_it_is_written(make_place: MakePlace) -> None:
    place = make_place(
        table("person", [column("nhs", identity=["record_id", "nhs_number"]), column("from")], key=["nhs", "from"])
    )
    place.deliver_and_land("2026-03-01", {"person.csv": "nhs,from\n943 476 5919,a\n9434765919,b\n"})
    assert len({row["record_token"] for row in place.raw("person")}) == 1


def test_a_postcode_that_is_a_key_is_covered_by_its_token(make_place: MakePlace) -> None:
    place = make_place(table("onspd", [column("pcds", nullable=False, identity="postcode"), column("lsoa")]))
    assert place.source.table("onspd").raw_key == ("postcode_token",)
    place.deliver_and_land("2026-03-01", {"onspd.csv": "pcds,lsoa\nQX7 4ZY,E01\nQX7 4ZX,E02\n"})
    assert {row["postcode_token"]: row["lsoa"] for row in place.raw("onspd")}[KEY.token("postcode|QX74ZY")] == "E01"
