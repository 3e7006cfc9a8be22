"""Cohorts that people define in a file: what a file may say, who belongs by it, and why."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from linkage.duck import Limits
from orchestration.cohort_definition import CohortError, Definition, did_you_mean, read_definition
from orchestration.cohort_file import new_definition, run_definition
from orchestration.cohort_query import Source, check_codes, evaluate

REPOSITORY = Path(__file__).parents[3]
AS_OF = date(2025, 4, 1)
BANDS = REPOSITORY / "dbt_project" / "seeds" / "rules" / "score_band.csv"

#: Forty people: id -> facts, in which every combination that matters occurs and some are not known.
PEOPLE = {
    n: {
        "age": None if n % 13 == 0 else (n * 7) % 95,
        "sex": (None, "F", "M")[n % 3],
        "decile": None if n % 11 == 0 else n % 10 + 1,
        "practice": None if n % 9 == 0 else f"P{n % 3}",
        "alive": n % 17 != 0,
        "conditions": {c for k, c in enumerate(("diabetes", "copd", "asthma")) if (n >> k) % 3 == 1},
        "frailty": (n % 10) / 20,
        "segment": ("healthy", "frailty_and_dementia")[n % 4 == 1],
        "cohorts": {c for k, c in enumerate(("homeless", "diabetes")) if n % (k + 4) == 0},
        "visits": {"gp": n % 5, "emergency_department": (n % 7) // 3},
    }
    for n in range(1, 41)
}


def make_release(path: Path, people: dict[int, dict], as_of: date = AS_OF) -> None:
    """A release's database of one purpose, with what a definition can ask for."""

    def rows(values: list[tuple]) -> str:
        return ", ".join("(" + ", ".join("null" if v is None else repr(v) for v in row) + ")" for row in values) or "(null)"

    def person_id(n: int) -> str:
        return f"00000000-0000-0000-0000-{n:012d}"

    facts = [
        (person_id(n), p["age"], p["sex"], p["decile"], p["practice"], p["practice"] is not None, p["alive"])
        for n, p in people.items()
    ]
    held = [(person_id(n), c) for n, p in people.items() for c in p["conditions"]]
    scored = [(person_id(n), p["frailty"], "severe" if p["frailty"] > 0.36 else "fit") for n, p in people.items()]
    segments = [(person_id(n), p["segment"]) for n, p in people.items()]
    members = [(person_id(n), c) for n, p in people.items() for c in p["cohorts"]]
    used = [(person_id(n), setting, count) for n, p in people.items() for setting, count in p["visits"].items()]
    this_month, long_ago = f"last_day(date '{as_of}')", f"last_day(date '{as_of}' - interval 20 months)"
    with duckdb.connect(str(path)) as con:
        for statement in (
            "create schema marts",
            "create table marts.person as select cast(person_id as uuid) as person_id, age_years::integer as age_years, sex, "
            "imd_decile::integer as imd_decile, practice_code, practice_code as pcn_code, practice_code as place_code, "
            "practice_code as borough_code, practice_code as lsoa_code, is_registered, is_alive, "
            "case when sex = 'F' then 'Asian' end as ethnic_group "
            f"from (values {rows(facts)}) as t(person_id, age_years, sex, imd_decile, practice_code, is_registered, is_alive)",
            "create table marts.condition as select * from (values ('diabetes', 'Diabetes'), ('copd', 'COPD'), "
            "('asthma', 'Asthma'), ('palliative_care', 'Palliative care'), ('depression', 'Depression'), "
            "('anxiety', 'Anxiety')) as t(code, name)",
            "create table marts.person_condition as select cast(person_id as uuid) as person_id, condition_code, "
            "true as is_active, date '2020-01-01' as active_from, date '2020-01-01' as onset_date, 'gp_emis' as sources "
            f"from (values {rows(held)}) as t(person_id, condition_code)",
            "create table marts.score as select * from (values ('electronic_frailty_index', 'Frailty index'), "
            "('polypharmacy', 'Medicines')) as t(code, name)",
            "create table marts.person_score as select cast(person_id as uuid) as person_id, "
            f"'electronic_frailty_index' as score_code, value::double as value, band "
            f"from (values {rows(scored)}) as t(person_id, value, band)",
            "create table marts.segment as select 'bridges_to_health_style' as scheme, * from (values ('healthy', 'Healthy'), "
            "('frailty_and_dementia', 'Frailty and dementia')) as t(code, name)",
            "create table marts.person_segment as select cast(person_id as uuid) as person_id, "
            "'bridges_to_health_style' as scheme, date '2025-03-31' as month_end, segment_code, segment_code as segment_name "
            f"from (values {rows(segments)}) as t(person_id, segment_code)",
            "create table marts.cohort as select * from (values ('homeless', 'Homeless'), ('diabetes', 'Diabetes'), "
            "('frailty', 'Frailty')) as t(code, name)",
            "create table marts.person_cohort as select cast(person_id as uuid) as person_id, cohort_code, "
            f"'a reason' as evidence, cast(null as date) as exited_on from (values {rows(members)}) as t(person_id, cohort_code)",
            "create table marts.person_activity_month as select cast(person_id as uuid) as person_id, setting, month_end, "
            "n::integer as n_contacts, 0 as n_emergency, 10.0 * n as cost_gbp "
            f"from (values {rows(used)}) as t(person_id, setting, n) "
            f"cross join (values ({this_month}), ({long_ago})) as month(month_end)",
        ):
            con.execute(statement)


@pytest.fixture(scope="module")
def limits(tmp_path_factory):
    return Limits("512MB", 1, "1GB", tmp_path_factory.mktemp("spill"))


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    path = tmp_path_factory.mktemp("release") / "secondary_use.duckdb"
    make_release(path, PEOPLE)
    return Source("r1", AS_OF, path)


def members_of(who, source, limits, tmp_path, before=None):
    """Number of a person -> evidence."""
    target = tmp_path / "members.csv"
    found = evaluate(Definition.model_validate({"name": "n", "version": "1", "who": who}), source, limits, target, before)
    with target.open(newline="") as file:
        rows = {int(row["person_id"][-12:]): row for row in csv.DictReader(file)}
    assert found.n_members == sum(row["change"] != "left" for row in rows.values())
    return rows, found


def is_between(value, span) -> bool:
    return value is not None and span.get("from", 0) <= value <= span.get("to", 999)


def has_visits(person, asked) -> bool:
    # every visit is there twice: this month, and twenty months ago
    n = sum(person["visits"][setting] for setting in asked["setting"]) * (2 if asked["months"] > 20 else 1)
    return asked.get("at_least", 0) <= n <= asked.get("at_most", 999)


#: The same in plain Python: what a criterion says of one person.
MEANS = {
    "all": lambda person, parts: all(belongs(person, part) for part in parts),
    "any": lambda person, parts: any(belongs(person, part) for part in parts),
    "not": lambda person, part: not belongs(person, part),
    "age": lambda person, span: is_between(person["age"], span),
    "deprivation_decile": lambda person, span: is_between(person["decile"], span),
    "sex": lambda person, sexes: person["sex"] in [{"female": "F", "male": "M"}[sex] for sex in sexes],
    "area": lambda person, area: person["practice"] in area["practice"],
    "registered": lambda person, yes: (person["practice"] is not None) == yes,
    "condition": lambda person, asked: len(person["conditions"] & set(asked["any_of"])) >= asked["at_least"],
    "score": lambda person, asked: person["frailty"] >= asked["at_least"],
    "segment": lambda person, asked: person["segment"] in asked["code"],
    "cohort": lambda person, codes: bool(person["cohorts"] & set(codes)),
    "activity": has_visits,
}


def belongs(person, who) -> bool:
    ((kind, value),) = who.items()
    return MEANS[kind](person, value)


def one_or_more(values):
    return st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True)


LEAF = st.one_of(
    st.builds(lambda low, more: {"age": {"from": low, "to": low + more}}, st.integers(0, 90), st.integers(0, 60)),
    st.builds(lambda high: {"deprivation_decile": {"to": high}}, st.integers(1, 10)),
    st.builds(lambda sexes: {"sex": sexes}, one_or_more(["female", "male"])),
    st.builds(lambda codes: {"area": {"practice": codes}}, one_or_more(["P0", "P1", "P2"])),
    st.builds(lambda yes: {"registered": yes}, st.booleans()),
    st.builds(
        lambda codes, least: {"condition": {"any_of": codes, "at_least": min(least, len(codes))}},
        one_or_more(["diabetes", "copd", "asthma"]), st.integers(1, 3),
    ),
    st.builds(lambda least: {"score": {"code": "electronic_frailty_index", "at_least": least / 20}}, st.integers(0, 10)),
    st.builds(
        lambda codes: {"segment": {"scheme": "bridges_to_health_style", "code": codes}},
        one_or_more(["healthy", "frailty_and_dementia"]),
    ),
    st.builds(lambda codes: {"cohort": codes}, one_or_more(["homeless", "diabetes"])),
    st.builds(
        lambda settings_, bound, n, months: {"activity": {"setting": settings_, bound: n, "months": months}},
        one_or_more(["gp", "emergency_department"]), st.sampled_from(["at_least", "at_most"]), st.integers(0, 5),
        st.sampled_from([1, 12, 24]),
    ),
)  # fmt: skip
WHO = st.recursive(
    LEAF,
    lambda part: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(part, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(part, min_size=1, max_size=3)),
        st.builds(lambda inner: {"not": inner}, part),
    ),
    max_leaves=6,
)


@settings(max_examples=30, deadline=None)
@given(who=WHO)
def test_whoever_meets_the_definition_belongs_and_nobody_else(source, limits, tmp_path_factory, who):
    rows, found = members_of(who, source, limits, tmp_path_factory.mktemp("out"))
    alive = {n for n, person in PEOPLE.items() if person["alive"]}
    assert set(rows) == {n for n in alive if belongs(PEOPLE[n], who)}
    assert found.n_alive == len(alive)
    assert found.steps[0].n_met == found.n_members


def test_the_reason_is_told_for_every_member(source, limits, tmp_path):
    who = {
        "all": [{"condition": "diabetes"}, {"any": [{"age": {"from": 60}}, {"sex": "female"}]}, {"not": {"cohort": "homeless"}}]
    }
    rows, found = members_of(who, source, limits, tmp_path)
    assert rows
    for n, row in rows.items():
        assert "Diabetes since 2020-01-01 (gp_emis)" in row["evidence"]
        assert row["evidence"].endswith("; not: cohort Homeless")
        assert (f"aged {PEOPLE[n]['age']}" in row["evidence"]) == (PEOPLE[n]["age"] is not None and PEOPLE[n]["age"] >= 60)
        assert (row["as_of"], row["release_id"], row["change"]) == ("2025-04-01", "r1", "")
    funnel = [step.n_left for step in found.steps if step.depth == 1]
    assert funnel == sorted(funnel, reverse=True)
    assert funnel[-1] == found.n_members
    assert found.steps[3].n_unknown == sum(p["age"] is None for p in PEOPLE.values() if p["alive"])


def test_joiners_and_leavers_since_an_earlier_release(source, limits, tmp_path):
    changed = {n: dict(person) for n, person in PEOPLE.items() if n != 5}
    for n in (1, 2, 3):
        changed[n]["conditions"] = PEOPLE[n]["conditions"] ^ {"diabetes"}
    path = tmp_path / "before.duckdb"
    make_release(path, changed, AS_OF - timedelta(days=31))
    now = {n for n, p in PEOPLE.items() if p["alive"] and "diabetes" in p["conditions"]}
    then = {n for n, p in changed.items() if p["alive"] and "diabetes" in p["conditions"]}
    rows, found = members_of({"condition": "diabetes"}, source, limits, tmp_path, Source("r0", AS_OF, path))
    assert {n for n, row in rows.items() if row["change"] == "joined"} == now - then
    assert {n for n, row in rows.items() if row["change"] == "left"} == then - now
    assert (found.n_joined, found.n_left) == (len(now - then), len(then - now))


INJECTIONS = ["x'; drop table marts.person; --", "') or true --", '"; select 1', "$1", "diabetes' or '1'='1"]


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_value_is_never_taken_for_sql(source, limits, tmp_path, text):
    who = {
        "any": [
            {"cohort": text},
            {"area": {"practice": text}},
            {"not": {"not": {"condition": text}}},
            {"score": {"code": text, "at_least": 0}},
        ]
    }
    rows, _ = members_of(who, source, limits, tmp_path)
    assert rows == {}
    named = Definition.model_validate({"name": text, "version": text, "who": {"age": {"from": 0}}})
    assert evaluate(named, source, limits, tmp_path / "n.csv").n_members > 0
    with (tmp_path / "n.csv").open(newline="") as file:
        assert {row["cohort"] for row in csv.DictReader(file)} == {text}


def test_only_the_owner_reads_the_members_and_both_forms_hold_the_same(source, limits, tmp_path):
    definition = Definition.model_validate({"name": "n", "version": 1, "who": {"sex": "female"}})
    for name in ("m.csv", "m.parquet"):
        evaluate(definition, source, limits, tmp_path / name)
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    read = "select cast(person_id as varchar) as person_id, evidence from '{}/m.{}'"
    same = f"select count(*) from ({read.format(tmp_path, 'csv')} except {read.format(tmp_path, 'parquet')})"
    assert duckdb.sql(same).fetchall() == [(0,)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.csv", "m.parquet"]


HEAD = "name: n\nversion: 1\nwho:\n"
FAULTS = {
    "  conditon: diabetes\n": "line 4, column 3: there is no key 'conditon' here; did you mean condition?",
    "  all:\n    - age: {form: 65}\n": "line 5, column 13: there is no key 'form' here; did you mean from?",
    "  age: {from: 80, to: 60}\n": "line 4, column 3: `from` (80) is above `to` (60)",
    "  age: {from: old}\n": "line 4, column 9: a whole number is expected",
    "  sex: women\n": "line 4, column 3: 'female' or 'male' is expected",
    "  cohort: 123\n": "line 4, column 3: text is expected; write a code that looks like a number, a date or yes/no in quotes",
    "  cohort: no\n": "line 4, column 3: text is expected; write a code that looks like a number, a date or yes/no in quotes",
    "  all: []\n": "line 4, column 3: at least one value is expected",
    "  age: {from: 1}\n  sex: male\n": "line 3, column 1: one criterion is expected here, found age and sex; join several with",
    "  age: {from: 1}\n  age: {from: 2}\n": "line 5, column 3: 'age' is there twice",
    "  any: &a\n    - age: {from: 1}\n    - any: *a\n": "references (& and *) are not allowed here",
    "  score: {code: x}\n": "say `band`, `at_least` or `at_most`",
    "  activity: {at_least: 1}\n": "the key 'months' must be there, and is not",
    "  activity: {setting: hospital, at_least: 1, months: 2}\n": "line 4, column 14: 'gp', 'emergency_department'",
    "  condition: {any_of: [a, b], at_least: 3}\n": "`at_least` is 3, and any_of names 2",
    "  all:\n\t- age: {from: 1}\n": "line 5, column 1: found character '\\t' that cannot start any token",
    "  age: !!python/object/apply:os.system ['ls']\n": "line 4, column",
    "  " + "{not: " * 30 + "{registered: true}" + "}" * 30 + "\n": "too deep or too long",
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_is_told_with_its_place_and_what_to_do(tmp_path, text):
    file = tmp_path / "mine.yaml"
    file.write_text(HEAD + text)
    with pytest.raises(CohortError) as fault:
        read_definition(file)
    assert str(fault.value).startswith("mine.yaml, line ")
    assert FAULTS[text] in str(fault.value)


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "no cohort definition"), (b"- a\n", "no cohort definition"), (b"\xff\xfe\x00", "not UTF-8")]
)
def test_what_is_no_definition_is_refused(tmp_path, content, said):
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    with pytest.raises(CohortError, match=said):
        read_definition(file)


@settings(max_examples=60, deadline=None)
@given(text=st.text(alphabet=st.sampled_from(list("wo:ageall{}[]-&*!'\"\n #1fromany,|>%@")), max_size=60))
def test_any_text_is_read_or_refused_in_words(tmp_path_factory, text):
    file = tmp_path_factory.mktemp("t") / "mine.yaml"
    file.write_text(HEAD + "  " + text)
    try:
        read_definition(file)
    except CohortError as fault:
        said = str(fault)
    else:
        said = "mine.yaml is a definition"
    assert "mine.yaml" in said


def test_codes_that_the_release_does_not_know_are_told_with_those_near(tmp_path, source, limits):
    file = tmp_path / "mine.yaml"
    file.write_text(
        HEAD + "  all:\n    - condition: [diabetes, diabetis]\n    - cohort: homless\n    - area: {practice: P9}\n"
        "    - score: {code: electronic_frailty_index, band: sever}\n    - segment: {scheme: bridges_to_health, code: healthy}\n"
    )
    with pytest.raises(CohortError) as fault:
        check_codes(read_definition(file), source, BANDS, limits)
    assert str(fault.value).splitlines()[:4] == [
        "mine.yaml, line 5, column 29: there is no condition 'diabetis' in release r1; did you mean diabetes?",
        "mine.yaml, line 6, column 7: there is no cohort 'homless' in release r1; did you mean homeless?",
        "mine.yaml, line 7, column 14: there is no practice 'P9' in release r1; there are P0, P1, P2",
        "mine.yaml, line 8, column 47: there is no band of electronic_frailty_index 'sever' in release r1; did you mean severe?",
    ]
    assert "did you mean bridges_to_health_style?" in str(fault.value)


def test_names_near_a_word():
    assert did_you_mean("Diabets", ["diabetes", "copd"]) == "did you mean diabetes?"
    assert did_you_mean("x", []) == "there are none"


@pytest.fixture
def place(tmp_path, source, limits):
    """Settings of a data directory whose release being served holds `source`."""
    release = tmp_path / "releases" / "r1" / "secondary_use"
    release.mkdir(parents=True)
    (release / "secondary_use.duckdb").symlink_to(source.database)
    manifest = {"release_id": "r1", "as_of": "2025-04-01", "built_at": "", "tables": {}, "withheld": {"direct_care": "closed"}}
    (tmp_path / "releases" / "r1" / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "releases" / "current").symlink_to("r1")
    return SimpleNamespace(
        releases_dir=tmp_path / "releases",
        dbt_project_dir=REPOSITORY / "dbt_project",
        limits=limits,
        disclosure_policy="hes_style",
    )


def run(place, file, **options):
    said = Console(file=io.StringIO(), width=200)
    arguments = {"purpose": "secondary_use", "output": file.with_suffix(".csv"), "since": None} | options
    run_definition(place, file, **arguments, console=said)
    return said.file.getvalue()


def test_a_new_definition_runs_as_it_is_and_so_does_every_line_that_is_commented_out(place, tmp_path):
    file = new_definition("Street-based lives: 'A&E'", tmp_path)
    assert file.name == "street-based-lives-a-e.yaml"
    assert "everybody alive" in run(place, file)
    with pytest.raises(CohortError, match="is there already"):
        new_definition("street based lives a e", tmp_path)
    text = file.read_text().replace("QZZ-999", "P1").replace("[Black, Asian]", "Asian")
    file.write_text(re.sub(r"^(    )# - ", r"\1- ", text, flags=re.MULTILINE))
    assert len(yaml.safe_load(file.read_text())["who"]["all"]) == 13
    assert "Nobody." in run(place, file)


def test_a_small_number_comes_with_a_warning_and_an_empty_result_with_its_funnel(place, tmp_path):
    file = tmp_path / "few.yaml"
    file.write_text(HEAD + "  all:\n    - condition: [diabetes, copd]\n    - age: {from: 90}\n")
    said = run(place, file)
    assert re.search(r"^[1-7] members", said, flags=re.MULTILINE)
    assert "Fewer than 8 people: do not publish" in said
    file.write_text(HEAD + "  age: {from: 200}\n")
    assert "Nobody." in run(place, file)
    assert file.with_suffix(".csv").read_text().count("\n") == 1


def test_a_purpose_that_is_closed_or_unknown_and_a_wrong_ending_are_refused(place, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(HEAD + "  registered: true\n")
    for options, said in (
        ({"purpose": "direct_care"}, "nothing for direct_care: closed"),
        ({"purpose": "open"}, "no purpose 'open' with people"),
        ({"output": tmp_path / "x.xlsx"}, "neither .csv nor .parquet"),
        ({"since": "r7"}, "no release 'r7'; the releases are: r1"),
    ):
        with pytest.raises(CohortError, match=re.escape(said)):
            run(place, file, **options)
    assert not file.with_suffix(".csv").exists()


def test_the_guide_shows_what_runs(place, tmp_path):
    """Every definition of the guide, on this release's codes."""
    guide = (REPOSITORY / "docs" / "cohorts.md").read_text(encoding="utf-8")
    blocks = [block for block in re.findall(r"```yaml\n(.*?)```", guide, flags=re.DOTALL) if block.startswith("name:")]
    assert blocks
    for n, block in enumerate(blocks):
        file = tmp_path / f"guide-{n}.yaml"
        file.write_text(block)
        assert "everybody alive" in run(place, file)
