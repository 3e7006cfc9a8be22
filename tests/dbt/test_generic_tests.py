"""Our own generic dbt tests, tested: each passes on a good table and fails on every way of being bad that it is there for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from dbt.cli.main import dbtRunner

REPOSITORY = Path(__file__).resolve().parents[2]

PEOPLE = "select * from (values (1, true), (2, true), (3, false)) as t(person_id, is_permitted)"
POPULATION = "select * from (values (1, date '2025-03-31'), (2, date '2025-03-31')) as t(person_id, month_end)"
SCHEMES = "select * from (values ('s', 'a'), ('s', 'b')) as t(scheme, segment_code)"

#: generic test -> (its arguments, good table, {what is wrong: bad table}); a table is (columns, rows)
CASES: dict[str, tuple[dict, tuple[str, str], dict[str, tuple[str, str]]]] = {
    "unique_combination": (
        {"columns": ["a", "b"]},
        ("a, b", "(1, 1), (1, 2)"),
        {"repeated": ("a, b", "(1, 1), (1, 1)"), "repeated_nothing": ("a, b", "(1, null), (1, null)")},
    ),
    "one_primary_segment": (
        {"population": "ref('population')", "schemes": "ref('schemes')"},
        ("person_id, month_end, scheme", "(1, date '2025-03-31', 's'), (2, date '2025-03-31', 's')"),
        {
            "two_segments": (
                "person_id, month_end, scheme",
                "(1, date '2025-03-31', 's'), (2, date '2025-03-31', 's'), (2, date '2025-03-31', 's')",
            ),
            "no_segment": ("person_id, month_end, scheme", "(1, date '2025-03-31', 's')"),
            "not_in_the_population": (
                "person_id, month_end, scheme",
                "(1, date '2025-03-31', 's'), (2, date '2025-03-31', 's'), (3, date '2025-03-31', 's')",
            ),
        },
    ),
    "every_person_once": (
        {"population": "ref('people')", "permission": "is_permitted"},
        ("person_id", "(1), (2)"),
        {
            "missing": ("person_id", "(1)"),
            "twice": ("person_id", "(1), (2), (2)"),
            "not_permitted": ("person_id", "(1), (2), (3)"),
        },
    ),
    "periods_do_not_overlap": (
        {"entity": "person_id"},
        (
            "person_id, valid_from, valid_to",
            "(1, null, date '2020-01-31'), (1, date '2020-02-01', null), (2, date '2019-01-01', null)",
        ),
        {
            "same_day": (
                "person_id, valid_from, valid_to",
                "(1, date '2020-01-01', date '2020-02-01'), (1, date '2020-02-01', null)",
            ),
            "open_before_the_next": (
                "person_id, valid_from, valid_to",
                "(1, date '2020-01-01', null), (1, date '2021-01-01', null)",
            ),
            "two_without_a_beginning": (
                "person_id, valid_from, valid_to",
                "(1, null, date '2020-01-31'), (1, null, null)",
            ),
        },
    ),
}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory) -> dict[tuple[str, str], str]:
    """(generic test, table) -> pass or fail."""
    root = tmp_path_factory.mktemp("generic")
    (root / "models").mkdir()
    shutil.copytree(REPOSITORY / "dbt_project" / "tests" / "generic", root / "tests" / "generic")
    config = {"name": "trial", "version": "1.0.0", "profile": "trial", "flags": {"require_generic_test_arguments_property": True}}
    profile = {"target": "t", "outputs": {"t": {"type": "duckdb", "path": str(root / "trial.duckdb")}}}
    (root / "dbt_project.yml").write_text(yaml.safe_dump(config))
    (root / "profiles.yml").write_text(yaml.safe_dump({"trial": profile}))
    for name, sql in (("people", PEOPLE), ("population", POPULATION), ("schemes", SCHEMES)):
        (root / "models" / f"{name}.sql").write_text(sql)
    models = []
    for test, (arguments, good, bad) in CASES.items():
        for case, (columns, rows) in {"good": good, **bad}.items():
            (root / "models" / f"{test}__{case}.sql").write_text(f"select * from (values {rows}) as t({columns})")
            models.append(
                {"name": f"{test}__{case}", "data_tests": [{test: {"name": f"check__{test}__{case}", "arguments": arguments}}]}
            )
    (root / "models" / "models.yml").write_text(yaml.safe_dump({"models": models}))
    places = ["--project-dir", str(root), "--profiles-dir", str(root)]
    result = dbtRunner().invoke(["--quiet", "build", *places])
    assert result.exception is None, result.exception
    found = {}
    for outcome in result.result.results:
        if outcome.node.resource_type == "test":
            _, test, case = outcome.node.name.split("__")
            found[test, case] = outcome.status.value
    return found


def test_every_generic_test_has_a_case():
    files = (REPOSITORY / "dbt_project" / "tests" / "generic").glob("*.sql")
    assert {path.stem for path in files} == CASES.keys()


@pytest.mark.parametrize("test", CASES)
def test_a_good_table_passes(outcomes, test):
    assert outcomes[test, "good"] == "pass"


@pytest.mark.parametrize(("test", "case"), [(test, case) for test, (_, _, bad) in CASES.items() for case in bad])
def test_a_bad_table_fails(outcomes, test, case):
    assert outcomes[test, case] == "fail"
