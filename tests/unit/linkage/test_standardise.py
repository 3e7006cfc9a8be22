"""Each standardisation rule, alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import duckdb
import linkage_people as people
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from linkage.spec import ISSUED_NUMBER_PREFIXES, default_spec
from linkage.standardise import create_macros, words

Apply = Callable[..., object]


@pytest.fixture(scope="module")
def rule() -> Iterator[Apply]:
    with duckdb.connect() as connection:
        create_macros(connection, default_spec(accept_test_numbers=True))
        # the rules as a row passes through them
        connection.execute("""
            create temp macro nhs_number_state(x) as digits_state(digits_of(x));
            create temp macro nhs_number_of(x) as number_of(digits_of(x), nhs_number_state(x));
            create temp macro typed_number(x) as typed_number_of(digits_of(x), nhs_number_state(x));
            create temp macro postcode(x) as postcode_of(postcode_letters(x));
            create temp macro state_of_postcode(x) as postcode_state(postcode_letters(x), postcode(x));
        """)
        yield lambda name, *values: connection.execute(f"select {name}({', '.join('?' * len(values))})", values).fetchone()[0]


def is_mod_11(digits: str) -> bool:
    """The published arithmetic, written the long way."""
    remainder = sum(int(d) * w for d, w in zip(digits, range(10, 1, -1), strict=False)) % 11
    check = {11: 0}.get(11 - remainder, 11 - remainder)
    return check != 10 and check == int(digits[9])


@given(st.from_regex(r"[0-9]{10}", fullmatch=True))
@example("9990000018")
@settings(max_examples=80, deadline=None)
def test_a_number_is_valid_only_with_its_check_digit_and_in_range(rule: Apply, digits: str) -> None:
    state = rule("nhs_number_state", digits)
    if state == "valid":
        assert is_mod_11(digits)
        prefix = int(digits[:3])
        assert any(low <= prefix <= high for low, high in (*ISSUED_NUMBER_PREFIXES, (500, 599), (999, 999)))
    elif len(set(digits)) > 1 and not is_mod_11(digits):
        assert state in ("invalid", "placeholder")


@given(st.integers(0, 50_000), st.sampled_from(["{}{}{} {}{}{} {}{}{}{}", "{}{}{}-{}{}{}-{}{}{}{}", " {}{}{}{}{}{}{}{}{}{}\t"]))
@settings(max_examples=60, deadline=None)
def test_spacing_never_changes_a_number(rule: Apply, start: int, layout: str) -> None:
    number = people.nhs_numbers(1, start)[0]
    assert rule("nhs_number_of", layout.format(*number)) == number


@given(st.integers(0, 50_000), st.integers(0, 9), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_one_wrong_digit_is_never_a_valid_number_but_is_kept_for_comparison(rule: Apply, start: int, place: int, by: int) -> None:
    number = people.nhs_numbers(1, start)[0]
    wrong = number[:place] + str((int(number[place]) + by) % 10) + number[place + 1 :]
    assert rule("nhs_number_of", wrong) is None
    assert rule("typed_number", wrong) in (wrong, None if len(set(wrong)) == 1 else wrong)


@given(st.integers(0, 50_000), st.integers(0, 8))
@settings(max_examples=60, deadline=None)
def test_two_neighbouring_digits_swapped_are_never_a_valid_number(rule: Apply, start: int, place: int) -> None:
    """With the rule above: two verified numbers are never one slip apart, so the merge may take them for two people."""
    number = people.nhs_numbers(1, start)[0]
    slipped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert slipped == number or rule("nhs_number_state", slipped) != "valid"


@pytest.mark.parametrize("number", [d * 10 for d in "0123456789"] + ["1234567890", "987 654 3210", "943 476 5919"])
def test_placeholder_numbers_are_not_numbers(rule: Apply, number: str) -> None:
    assert rule("nhs_number_of", number) is None
    assert rule("typed_number", number) is None


def test_test_numbers_are_refused_unless_asked_for() -> None:
    with duckdb.connect() as connection:
        create_macros(connection, default_spec())
        states = connection.execute(
            "select digits_state('9990000018'), digits_state(?), digits_state('4010232137')", people.nhs_numbers(1)
        ).fetchone()
    assert states == ("out_of_range", "out_of_range", "valid")


@given(st.text(max_size=40))
@settings(max_examples=80, deadline=None)
def test_names_become_bare_words_and_stay_so(rule: Apply, name: str) -> None:
    once = rule("given_words", name)
    assert all(word and word == word.strip() and not any(c.isdigit() or c in " -'.," for c in word) for word in once)
    assert rule("given_words", " ".join(once)) == once


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("José", ["jose"]),
        ("Łukasz Ørsted", ["lukasz", "orsted"]),
        ("O'Brien", ["obrien"]),
        ("O’Brien", ["obrien"]),
        ("Anne-Marie", ["anne", "marie"]),
        ("Mrs Joan", ["joan"]),
        ("Margaret (known as Peggy)", ["margaret"]),
        ("Baby", []),
        ("Twin One", []),
        ("TEST", []),
        ("محمد", ["محمد"]),
        ("Оксана", ["оксана"]),
        ("", []),
        ("  - ", []),
    ],
)
def test_given_names(rule: Apply, name: str, expected: list[str]) -> None:
    assert rule("given_words", name) == expected


def test_particles_go_only_when_a_name_is_left(rule: Apply) -> None:
    assert rule("without_particles", ["van", "der", "berg"]) == ["berg"]
    assert rule("without_particles", ["ben"]) == ["ben"]


@given(st.dates(date(1850, 1, 1), date(2035, 1, 1)))
@settings(max_examples=60, deadline=None)
def test_a_birth_date_is_valid_when_somebody_alive_could_have_it(rule: Apply, day: date) -> None:
    as_of = date(2026, 1, 1)
    state = rule("birth_date_state", day, as_of)
    if day > as_of:
        assert state == "future"
    elif day in (date(1900, 1, 1), date(1901, 1, 1), date(1899, 12, 30)):
        assert state == "sentinel"
    elif as_of - day < timedelta(days=119 * 365):
        assert state == "valid"
    elif as_of - day > timedelta(days=121 * 366):
        assert state == "too_old"


outcodes = st.from_regex(r"[A-PR-UWYZ][A-HK-Y]?[1-9][0-9]?", fullmatch=True)
incodes = st.from_regex(r"[0-9][ABD-HJLNP-UW-Z]{2}", fullmatch=True)


@given(outcodes, incodes, st.sampled_from(["", " ", "  ", "-"]), st.booleans())
@example("ZZ99", "3VZ", " ", False)
@settings(max_examples=60, deadline=None)
def test_a_postcode_reads_the_same_however_it_is_spaced(rule: Apply, out: str, inward: str, gap: str, lower: bool) -> None:
    text = f" {out}{gap}{inward} "
    found = rule("postcode", text.lower() if lower else text)
    assert found == (None if out.startswith("ZZ") else f"{out} {inward}")


@pytest.mark.parametrize(
    ("text", "postcode", "state"),
    [
        ("SWIA OAA", "SW1A 0AA", "valid"),
        ("MI IAE", "M1 1AE", "valid"),
        ("LSI 4AP", "LS1 4AP", "valid"),
        ("ZZ99 3VZ", None, "no_fixed_abode"),
        ("zz993vz", None, "no_fixed_abode"),
        ("ZZ99 3WZ", None, "unknown"),
        ("ZZ99 1AB", None, "overseas"),
        ("N/K", None, "invalid"),
        ("75008", None, "invalid"),
        (" ", None, "missing"),
        (None, None, "missing"),
    ],
)
def test_postcodes(rule: Apply, text: str | None, postcode: str | None, state: str) -> None:
    assert (rule("postcode", text), rule("state_of_postcode", text)) == (postcode, state)


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("07700 900123", "07700900123"),
        ("+44 7700 900123", "07700900123"),
        ("+44 (0)7700 900123", "07700900123"),
        ("0044 7700 900123", "07700900123"),
        ("(01632) 960123", "01632960123"),
        ("00000000000", None),
        ("07000000000", None),
        ("123", None),
        ("none", None),
    ],
)
def test_phones(rule: Apply, text: str, phone: str | None) -> None:
    assert rule("phone_of", text) == phone


@pytest.mark.parametrize(
    ("text", "email"),
    [
        (" Jo@Example.ORG ", "jo@example.org"),
        ("reception@surgery.example", None),
        ("none", None),
        ("a@b", None),
        ("a b@c.org", None),
    ],
)
def test_emails(rule: Apply, text: str, email: str | None) -> None:
    assert rule("email_of", text) == email


def test_aliases_have_one_spelling_and_no_placeholder() -> None:
    lists = words()
    names = [name for base, others in lists["alias_classes"].items() for name in (base, *others)]
    assert all(name.isalpha() and name == name.lower() for name in names)
    assert not set(names) & set(lists["placeholder_given"])
