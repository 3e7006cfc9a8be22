"""Areas, practices and groups compared, against scipy and against a second computation from the people themselves.

The people are those of the synthetic place, with its planted outlier, put straight into the tables that the comparisons read.
"""

from __future__ import annotations

from datetime import date

import duckdb
import jinja2
import numpy as np
import polars as pl
import pytest
from dbt_warehouse import AS_OF, Warehouse
from raw_zone import PROJECT
from scipy import stats
from synthetic.care import NAMES, make_health
from synthetic.hospital_care import hospital_frames
from synthetic.people import make_population
from synthetic.place import OUTLIER_PRACTICE, Place, make_place
from synthetic.timeline import Window

PEOPLE = 20_000
SEED = 1
#: Measures that are compared; the others of the project would only take time.
CONDITIONS = ("hypertension", "moderate_or_severe_frailty", "osteoarthritis")
LATEST_MONTH = date(2025, 3, 31)


# The statistics, as SQL expressions over columns of a table of numbers.


def _macros(file: str):
    """The macros of a file that need nothing of dbt's."""
    return jinja2.Environment().from_string((PROJECT / "macros" / file).read_text(encoding="utf-8")).module


def _evaluate(expression: str, **columns) -> np.ndarray:
    frame = pl.DataFrame({name: np.asarray(values, dtype=float) for name, values in columns.items()})
    with duckdb.connect() as connection:
        connection.register("given", frame.to_arrow())
        return connection.execute(f"select {expression} as value from given").fetchnumpy()["value"]


def test_byars_limits_are_the_exact_ones_of_a_poisson_count_within_a_hundredth():
    n = np.arange(10, 3_000)
    macros = _macros("standardisation.sql")
    assert _evaluate(macros.byar_low("n"), n=n) == pytest.approx(stats.chi2.ppf(0.025, 2 * n) / 2, rel=0.01)
    assert _evaluate(macros.byar_high("n"), n=n) == pytest.approx(stats.chi2.ppf(0.975, 2 * (n + 1)) / 2, rel=0.01)
    assert _evaluate(macros.byar_low("n"), n=[0]) == [0]


def test_the_normal_tail_and_wilsons_limits_are_scipys():
    z = np.linspace(-6, 6, 200)
    assert _evaluate(_macros("statistics.sql").normal_upper_tail("z"), z=z) == pytest.approx(stats.norm.sf(z), abs=1e-7)
    cases = [(0, 20), (1, 29), (15, 148), (81, 263), (148, 148)]
    limits = [stats.binomtest(k, n).proportion_ci(method="wilson") for k, n in cases]
    k, n = zip(*cases, strict=True)
    macros = _macros("proportion.sql")
    assert _evaluate(macros.wilson_low("k", "n"), k=k, n=n) == pytest.approx([limit.low for limit in limits], abs=1e-6)
    assert _evaluate(macros.wilson_high("k", "n"), k=k, n=n) == pytest.approx([limit.high for limit in limits], abs=1e-6)


@pytest.mark.parametrize("share", [1e-6, 0.05, 0.5, 0.9])
@pytest.mark.parametrize("z", [1.959963985, 3.090232306])
def test_the_funnel_is_passed_as_often_as_chance_says(share, z):
    """The limit against the exact distribution, in which half the probability of a count lies on either side of it."""
    expected = np.geomspace(5, 400, 40)
    people = np.round(expected / share)
    expected = people * share
    chance = stats.binom(people, share)
    moments = {
        "expected": expected,
        "variance": expected * (1 - share),
        "third_moment": expected * (1 - share) * (1 - 2 * share),
    }
    macros = _macros("standardisation.sql")
    for side, tail in ((z, stats.norm.sf(z)), (-z, stats.norm.cdf(-z))):
        limit = _evaluate(macros.funnel_limit("expected", "variance", "third_moment", str(side)), **moments)
        counts = np.arange(0, 3_000)[:, None]
        middle = chance.cdf(counts) - chance.pmf(counts) / 2
        wanted = 1 - tail if side > 0 else tail
        exact = np.array([np.interp(wanted, middle[:, i], counts[:, 0]) for i in range(expected.size)])
        # within what one person makes
        assert np.abs(limit - exact).max() < 0.75
        bend = moments["third_moment"] / (6 * moments["variance"] ** 1.5)
        reached = (limit > 0) & (np.abs(2 * bend * side) < 1)
        assert reached.mean() > 0.8
        back = _evaluate(macros.funnel_z("n", "expected", "variance", "third_moment"), n=limit, **moments)
        assert back[reached] == pytest.approx(side, abs=1e-6)


# The models, over people.


@pytest.fixture(scope="module")
def place() -> Place:
    return make_place(SEED)


@pytest.fixture(scope="module")
def world(place) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Everybody alive and registered, with what they are compared by; and who of them (`person_no`) counts in which measure."""
    window = Window.ending(LATEST_MONTH, 0)
    population = make_population(0, 0, PEOPLE, place, window, SEED)
    health = make_health(0, population, place, window, SEED)
    hospital = hospital_frames(health, SEED)
    registered = population.registrations.filter(pl.col("valid_to").is_null(), pl.col("registration_type") == "regular")
    latest = registered.unique("person_no", keep="last", maintain_order=True)
    lsoas = place.lsoas.select("lsoa_code", "imd_decile").with_columns(lsoa=pl.int_range(pl.len()))
    people = (
        population.people.with_columns(lsoa=pl.Series(population.lsoa, dtype=pl.Int64))
        .filter(pl.col("death_date").is_null(), pl.col("birth_date") <= LATEST_MONTH)
        .join(latest.select("person_no", "practice_code"), on="person_no")
        .join(place.practices.select("practice_code", "pcn_code", "lcp_code", "borough_code"), on="practice_code")
        .join(lsoas, on="lsoa")
        .select(
            "person_no", "sex", "ethnic_category_code", "practice_code", "lsoa_code", "imd_decile",
            birth_month=pl.col("birth_date").dt.truncate("1mo"),
            pcn=pl.col("pcn_code"), lcp=pl.col("lcp_code"), place=pl.col("borough_code"), ics=pl.lit("ICS"),
            # some object to planning
            is_planned_for=pl.col("person_no") % 10 > 0,
        )
    )  # fmt: skip
    in_year = pl.col("day").is_between(date(2024, 4, 1), LATEST_MONTH)
    admissions = hospital["inpatient_episodes"].filter(pl.col("admission_method_code").str.starts_with("2"))
    events = {
        "activity:emergency_attendance": hospital["emergency_attendances"].with_columns(day=pl.col("arrived_at").dt.date()),
        "activity:emergency_admission": admissions.with_columns(day="admitted_on"),
    }
    counted = {measure: frame.filter(in_year)["person_no"].unique().to_numpy() for measure, frame in events.items()}
    for condition in CONDITIONS:
        affected = health.onset[:, NAMES.index(condition)] <= window.bulk
        counted[f"condition:{condition}"] = np.flatnonzero(affected)
    members = pl.concat(pl.DataFrame({"measure_id": m, "person_no": who}) for m, who in counted.items())
    return people, members.join(people.select("person_no"), on="person_no")


@pytest.fixture(scope="module")
def compared(warehouse, place, world, tmp_path_factory) -> Warehouse:
    """The models' comparisons of these people, on tables made as the rooms before them make theirs."""
    people, members = world
    built = Warehouse(tmp_path_factory.mktemp("comparisons"), manifest=warehouse.manifest)
    (built.data_dir / "warehouse").mkdir()
    built.invoke("seed", "--select", "european_standard_population", "activity_measure", "ethnic_category", "score_band")
    above = pl.concat(
        people.select(
            organisation_code="practice_code",
            organisation_type=pl.lit("practice"),
            ancestor_code=kind,
            ancestor_type=pl.lit(kind),
        ).unique()
        for kind in ("pcn", "lcp", "place", "ics")
    )
    with duckdb.connect(str(built.data_dir / "warehouse" / "build.duckdb")) as connection:
        for name, frame in {"people": people, "members": members, "above": above, "lsoas": place.lsoas}.items():
            connection.register(name, frame.to_arrow())
        connection.execute(_UPSTREAM)
    built.invoke("run", "--select", "path:models/comparisons", "--exclude", "practice_recording", "practice_coverage+")
    return built


#: What the comparisons read, from the registered frames: no segments, no scores, and one period for everything.
_UPSTREAM = f"""
    create schema core; create schema registers; create schema cohorts; create schema segments; create schema scores;
    create temp macro id(person_no) as cast('00000000-0000-0000-0000-' || lpad(cast(person_no as varchar), 12, '0') as uuid);
    create temp table ever as select cast(null as date) as valid_from, cast(null as date) as valid_to;

    create table core.person as
        select id(person_no) as person_id, birth_month, date_diff('month', birth_month, date '{AS_OF}') // 12 as age_years, sex,
            ethnic_group, imd_decile, false as is_no_fixed_abode, cast(null as date) as death_date
        from people left join seeds.ethnic_category using (ethnic_category_code);
    create table core.person_registration as select id(person_no) as person_id, practice_code, ever.* from people, ever;
    create table core.person_address as
        select id(person_no) as person_id, lsoa_code, 'home' as residence_type, ever.* from people, ever;
    create table core.person_permission as
        select id(person_no) as person_id, true as is_direct_care_permitted, is_planned_for as is_secondary_use_permitted
        from people;
    create table core.lsoa as select lsoa_code, imd_decile from lsoas;
    create table core.organisation_hierarchy as select above.*, ever.* from above, ever;
    create table core.organisation as
        select distinct organisation_code, 'practice' as type, 'Practice ' || organisation_code as name, ever.* from above, ever;
    create table core.person_activity_month as
        select id(person_no) as person_id, date '{LATEST_MONTH}' as month_end, setting, 1 as n_contacts, 1 as n_emergency,
            0 as cost_gbp
        from members inner join seeds.activity_measure on measure_id = 'activity:' || measure_code;

    create table registers.condition as select unnest({list(CONDITIONS)}) as code, code as name;
    create table registers.person_condition as
        select id(person_no) as person_id, code as condition_code, true as is_active
        from members inner join registers.condition on measure_id = 'condition:' || code;
    create table cohorts.cohort as select 'frailty' as code, 'Frailty' as name;
    create table cohorts.person_cohort as
        select person_id, 'frailty' as cohort_code, cast(null as date) as exited_on
        from registers.person_condition where condition_code = 'moderate_or_severe_frailty';

    create table segments.segment_month as select date '{LATEST_MONTH}' as month_end;
    create table segments.segment (scheme varchar, code varchar, name varchar);
    create table segments.person_segment (person_id uuid, scheme varchar, month_end date, segment_code varchar);
    create table scores.person_score (person_id uuid, score_code varchar, band varchar, is_within_limits boolean);
"""


def test_the_planted_outlier_is_found_and_hardly_anybody_else(compared):
    outside = compared.query(
        "select measure_code, practice_code, position, ratio from comparisons.practice_funnel "
        "where measure_kind = 'activity' and counted_for = 'direct_care' and position in ('high_998', 'low_998')"
    )
    found = {measure: ratio for measure, practice, position, ratio in outside if practice == OUTLIER_PRACTICE}
    assert found.keys() == {"emergency_attendance", "emergency_admission"}
    assert all(1.2 < ratio < 2.2 for ratio in found.values())
    # 47 practices and two measures: chance alone puts 0.2 of the 94 outside
    assert len(outside) - len(found) <= 2
    elsewhere = compared.query("select count(*) from comparisons.practice_funnel where measure_kind <> 'activity'")
    beyond = compared.query(
        "select count(*) from comparisons.practice_funnel where measure_kind <> 'activity' and position <> 'within'"
    )
    assert beyond[0][0] < 0.1 * elsewhere[0][0]


def _standardised(people: pl.DataFrame, counts: np.ndarray) -> tuple[float, float, int]:
    """Rate, variance and number, by the textbook: one stratum after the other. None of these people is of unknown age or sex."""
    esp = [5000, 5500, 5500, 5500, 6000, 6000, 6500, 7000, 7000, 7000, 7000, 6500, 6000, 5500, 5000, 4000, 2500, 1500, 1000]
    born = people["birth_month"]
    year, month, _ = (int(part) for part in AS_OF.split("-"))
    age = ((year - born.dt.year()) * 12 + month - born.dt.month()).to_numpy() // 12
    band = np.minimum(age // 5, 18)
    is_woman = (people["sex"] == "F").to_numpy()
    rate = variance = covered = 0.0
    for b, weight in enumerate(esp):
        strata = [s for s in ((band == b) & is_woman, (band == b) & ~is_woman) if s.any()]
        shares = [counts[s].mean() for s in strata]
        if strata:
            covered += weight
            rate += weight * np.mean(shares)
            pairs = zip(shares, strata, strict=True)
            variance += (weight / len(strata)) ** 2 * sum(p * (1 - p) / s.sum() for p, s in pairs)
    return rate / covered, variance / covered**2, int(counts.sum())


@pytest.mark.parametrize("purpose", ["direct_care", "secondary_use"])
def test_a_rate_is_the_one_worked_out_from_the_people(compared, world, purpose):
    people, members = world
    people = people.filter(pl.lit(purpose == "direct_care") | pl.col("is_planned_for"))
    given = {
        row[:3]: row[3:]
        for row in compared.query(
            "select measure_id, area_type, area_code, n, population, standardised_rate_per_1000, standardised_rate_low, "
            f"standardised_rate_high from comparisons.area_rate where counted_for = '{purpose}'"
        )
    }
    asked = [("ics", "ICS"), *(("lcp", code) for code in people["lcp"].unique()), ("place", people["place"][0])]
    asked += [("pcn", people["pcn"][0])]
    for condition in CONDITIONS:
        measure = f"condition:{condition}"
        for kind, code in asked:
            group = people.filter(pl.col(kind) == code)
            counts = group["person_no"].is_in(members.filter(pl.col("measure_id") == measure)["person_no"].implode()).to_numpy()
            rate, variance, n = _standardised(group, counts)
            stretch = np.sqrt(variance / n)
            limits = stats.chi2.ppf(0.025, 2 * n) / 2, stats.chi2.ppf(0.975, 2 * (n + 1)) / 2
            low, high = (rate + stretch * (limit - n) for limit in limits)
            assert given[measure, kind, code][:2] == (n, group.height)
            assert given[measure, kind, code][2] == pytest.approx(1000 * rate, abs=0.001)
            assert given[measure, kind, code][3:] == pytest.approx((1000 * low, 1000 * high), rel=0.005)


def test_the_slope_and_its_interval_are_those_of_a_weighted_regression(compared, world):
    """The interval is the spread of slopes fitted again and again to rates drawn from their sampling error."""
    people, members = world
    draw = np.random.default_rng(1)
    for condition in CONDITIONS:
        who = members.filter(pl.col("measure_id") == f"condition:{condition}")["person_no"].implode()
        share, rates, variances = [], [], []
        for decile in range(10, 0, -1):
            group = people.filter(pl.col("imd_decile") == decile)
            rate, variance, _ = _standardised(group, group["person_no"].is_in(who).to_numpy())
            share.append(group.height / people.height)
            rates.append(rate)
            variances.append(variance)
        share = np.array(share)
        rank = np.cumsum(share) - share / 2
        drawn = draw.normal(rates, np.sqrt(variances), (20_000, 10))
        slope, start = np.polyfit(rank, np.array([rates, *drawn]).T, 1, w=np.sqrt(share))
        relative = (start + slope) / start
        (row,) = compared.query(
            "select slope_index_per_1000, relative_index, slope_index_low, slope_index_high, relative_index_low, "
            "relative_index_high from comparisons.inequality "
            f"where measure_id = 'condition:{condition}' and area_type = 'ics' and counted_for = 'direct_care'"
        )
        assert row[:2] == pytest.approx((1000 * slope[0], relative[0]), abs=0.001)
        spread = 1000 * np.quantile(slope[1:], [0.025, 0.975])
        assert row[2:4] == pytest.approx(spread, abs=0.03 * (spread[1] - spread[0]))
        spread = np.log(np.quantile(relative[1:], [0.025, 0.975]))
        assert np.log(row[4:6]) == pytest.approx(spread, abs=0.06 * (spread[1] - spread[0]))


def test_traits_are_tested_as_scipy_does_and_false_discoveries_controlled(compared):
    """Every trait of everybody in one partnership, of the frail and of all, against the rest of the ICS."""
    cells = {row[:-1]: row[-1] for row in compared.query(
        "select measure_id, area_type, area_code, trait_kind, trait_code, n from comparisons.trait_cell "
        f"where counted_for = 'direct_care' and counted_on = date '{AS_OF}' and area_type in ('lcp', 'ics')"
    )}  # fmt: skip
    area = min(code for _, kind, code, *_ in cells if kind == "lcp")
    tests = {}
    for group, kind, _, *trait in cells:
        size = cells[group, "lcp", area, "all", "all"]
        rest = cells[group, "ics", "ICS", "all", "all"] - size
        if kind != "ics" or trait == ["all", "all"]:
            continue
        whole = cells[group, "ics", "ICS", *trait]
        found = cells.get((group, "lcp", area, *trait), 0)
        share = whole / (size + rest)
        if min(size, rest) * min(share, 1 - share) >= 5 and f"{trait[0]}:{trait[1]}" != group:
            table = [[found, size - found], [whole - found, rest - (whole - found)]]
            tests[group, *trait] = stats.chi2_contingency(table, correction=False).pvalue
    q = dict(zip(tests, stats.false_discovery_control(list(tests.values())), strict=True))
    shown = compared.query(
        "select measure_id, trait_kind, trait_code, p_value, q_value, is_different, n_tested from comparisons.area_trait "
        f"where counted_for = 'direct_care' and compared_with = 'same_group_elsewhere' and area_code = '{area}'"
    )
    assert {row[0] for row in shown} == {"everyone", "cohort:frailty"}
    for *key, p_value, q_value, is_different, n_tested in shown:
        assert p_value == pytest.approx(tests[tuple(key)], abs=1e-6)
        assert q_value == pytest.approx(q[tuple(key)], abs=1e-5)
        assert is_different == (q[tuple(key)] <= 0.05)
        assert n_tested == len(tests)
