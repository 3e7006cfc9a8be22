"""Themed pages say what the tables say, asked another way; tokens stay on lists for direct care; empty places read sensibly."""

from __future__ import annotations

import html
import re

import pytest
from small_place import DELTA

PEOPLE_PURPOSES = ("direct_care", "secondary_use")
THEMES = {
    "population",
    "segmentation",
    "segmentation-leeds-nine",
    "segmentation-bridges-to-health-style",
    "segmentation-icb-age-and-complexity",
    "inequalities",
    "neighbourhoods",
    "frailty",
    "cvd-and-diabetes",
    "care-diabetes",
    "care-hypertension",
    "care-gaps",
    "practices",
    "mental-health",
    "homelessness",
    "sources",
    "data-quality",
    "linkage",
    "risk",
    "tables",
    "table-person",
}
OPEN_THEMES = {"population", "prevalence", "activity", "tables", "table-agg-population"}
TOKEN = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")

ON_REGISTER = """
    select count(*) from marts.person_condition inner join marts.person using (person_id)
    where condition_code = '{0}' and is_active and is_registered
"""
#: Page, words with the figure in them, and an independent way to the figure.
HEADLINES = {
    "population": (
        r"([\d,]+) people were registered with a practice",
        "select count(*) from marts.person where practice_code is not null",
    ),
    "sources": (
        r"([\d,]+) organisations sent data",
        "select count(distinct organisation_code) from marts.source_coverage where onboarding_status = 'live'",
    ),
    "data-quality": (r"made ([\d,]+) checks", f"select count(*) from marts.data_quality_result where as_of = '{DELTA}'"),
    "segmentation-leeds-nine": (
        r"([\d,]+) people were each in one",
        "select count(distinct person_id) from marts.person_segment where scheme = 'leeds_nine' "
        "and month_end = (select max(month_end) from marts.person_segment)",
    ),
    "care-hypertension": (r"([\d,]+) registered people were on the register", ON_REGISTER.format("hypertension")),
    "care-diabetes": (
        r"([\d,]+) more probably have it",
        "select count(distinct person_id) from marts.person_care_gap anti join "
        "(from marts.person_condition where condition_code = 'diabetes' and is_active) using (person_id) "
        "where condition_code = 'diabetes' and is_probable_diagnosis",
    ),
    "frailty": (
        r"([\d,]+) registered people of 65 or over were in the cohort",
        "select count(*) from marts.person_cohort inner join marts.person using (person_id) "
        "where cohort_code = 'frailty' and exited_on is null and is_registered",
    ),
    "mental-health": (
        r"([\d,]+) registered people were on the register of serious",
        ON_REGISTER.format("serious_mental_illness"),
    ),
    "homelessness": (
        r"some list said of ([\d,]+) people",
        "select count(*) from marts.person_cohort where cohort_code = 'homeless' and exited_on is null",
    ),
    "care-gaps": (
        r"([\d,]+) people probably had a disease",
        "select count(distinct person_id) from marts.person_care_gap semi join marts.care_gap as g "
        "on gap_code = g.code and g.is_probable_diagnosis",
    ),
    "tables": (r"has ([\d,]+) tables", "select count(distinct table_name) from duckdb_tables() where schema_name = 'marts'"),
}


def text_of(page: str) -> str:
    """What a reader of a page sees, its white space narrowed."""
    shown = re.sub(r"<(script|style)\b.*?</\1>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", shown)).split())


@pytest.fixture(scope="module")
def site(loaded):
    def read(purpose: str) -> dict[str, str]:
        folder = loaded.data_dir / "releases" / "current" / purpose / "site"
        return {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.html")}

    return {purpose: read(purpose) for purpose in (*PEOPLE_PURPOSES, "open")}


@pytest.mark.parametrize("purpose", PEOPLE_PURPOSES)
def test_headlines_are_what_the_tables_say(site, loaded, purpose):
    for name, (words, sql) in HEADLINES.items():
        said = re.search(words, text_of(site[purpose][name]))
        ((counted,),) = loaded.query(sql, purpose)
        # Where nobody probably has a disease the page says so in words.
        figure = int(said.group(1).replace(",", "")) if said else 0
        assert figure == counted, name


def test_a_neighbourhood_counts_its_own_people(site, loaded):
    people = loaded.query("select lower(pcn_code), count(*) from marts.person where is_registered group by pcn_code")
    assert len(people) > 3
    for network, n_people in people:
        assert f"{n_people:,} people are registered" in text_of(site["direct_care"][f"neighbourhood-{network}"])


def test_every_theme_is_in_every_site(site, loaded):
    for purpose in PEOPLE_PURPOSES:
        assert site[purpose].keys() >= THEMES, purpose
        practices = loaded.query("select distinct lower(practice_code) from marts.practice_funnel", purpose)
        assert site[purpose].keys() >= {f"practice-{code}" for (code,) in practices}
    assert site["open"].keys() >= OPEN_THEMES


def test_a_place_with_hardly_anybody_reads_sensibly(site):
    for purpose, pages in site.items():
        for name, page in pages.items():
            text = text_of(page)
            assert not re.search(r"\bnan\b|\binf\b|\{\{|\{%|\bNone (people|per|of every)|\bNone%", text), (purpose, name)


def test_tokens_are_on_lists_for_direct_care_only(site):
    with_tokens = {purpose: {name for name, page in pages.items() if TOKEN.search(page)} for purpose, pages in site.items()}
    assert any(name.startswith("work-list-") for name in with_tokens["direct_care"])
    assert all(name.startswith(("work-list-", "rising-contacts")) for name in with_tokens["direct_care"])
    assert with_tokens["secondary_use"] == with_tokens["open"] == set()


def test_open_pages_show_rounded_counts_and_say_what_is_hidden(site):
    themes = {
        name: page for name, page in site["open"].items() if name in ("population", "prevalence", "activity") or "area-" in name
    }
    counts = re.compile(r"<td class=number[^>]*>([\d,]+)</td>")
    shown = {int(cell.replace(",", "")) for page in themes.values() for cell in counts.findall(page)}
    assert shown
    assert all(n == 0 or (n >= 10 and n % 5 == 0) for n in shown), sorted(shown)[:9]
    assert sum(page.count(">hidden</td>") for page in themes.values()) > 0
