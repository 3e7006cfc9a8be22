"""What the rows of the gaps in care promise each other, and the page that explains them."""

from __future__ import annotations

import csv
from collections import defaultdict

import pytest
from raw_zone import PROJECT

PAGE = PROJECT.parent / "docs" / "case_finding.md"


def _seed(name: str) -> list[dict[str, str]]:
    with (PROJECT / "seeds" / "rules" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def criteria() -> dict[str, dict[str, set[str]]]:
    """Gap -> criterion -> what its facts say of `is_absent`."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in _seed("care_gap_criterion"):
        found[row["gap_code"]][row["criterion"]].add(row["is_absent"])
    return found


def test_every_gap_asks_for_something_that_is_there(criteria):
    """Candidates come from facts that are there: a rule of absences alone would find nobody, silently."""
    lost = {
        rule["gap_code"]
        for rule in _seed("care_gap_rule")
        if rule["register_state"] != "on" and {"false"} not in criteria[rule["gap_code"]].values()
    }
    assert lost == set()


def test_the_facts_of_a_criterion_are_all_to_be_there_or_all_to_be_absent(criteria):
    mixed = {(gap, number) for gap, numbers in criteria.items() for number, says in numbers.items() if len(says) > 1}
    assert mixed == set()


def test_the_page_says_every_rule_as_its_row_does():
    said = PAGE.read_text(encoding="utf-8").partition("## Rules")[2].splitlines()
    rules = _seed("care_gap_rule")
    rows = [f"| `{r['gap_code']}` | {r['description']} | {r['limits']} | {r['source']} |" for r in rules]
    missing = [row for row in rows if row not in said]
    assert not missing, "put into docs/case_finding.md:\n" + "\n".join(missing)
    assert sum(line.startswith("| `") for line in said) == len(rows)
