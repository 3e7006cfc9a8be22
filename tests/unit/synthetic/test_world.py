"""The world itself: who lives in it, that its frames fit together, and that what is planted can be found."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from synthetic import care, clinical_model, names, views
from synthetic.hospital_care import hospital_frames
from synthetic.nhs_numbers import is_valid, nhs_numbers
from synthetic.people import make_population
from synthetic.place import CLOSED_ON, CLOSED_PRACTICE, OUTLIER_PRACTICE, make_place
from synthetic.timeline import Window
from synthetic.world import CHUNK_PEOPLE, make_chunk
from synthetic.world_schema import SCHEMA, Chunk

SEED, END = 20260331, date(2026, 3, 31)
WINDOW = Window.ending(END, 1)
CHUNKS = 8
PEOPLE = CHUNKS * CHUNK_PEOPLE


@pytest.fixture(scope="module")
def place():
    return make_place(SEED)


@pytest.fixture(scope="module")
def world(place):
    """Chunks joined: 20,000 people."""
    chunks = [make_chunk(i, PEOPLE, place, WINDOW, SEED) for i in range(CHUNKS)]
    return Chunk(0, {table: pl.concat([c[table] for c in chunks]) for table in SCHEMA})


@pytest.fixture(scope="module")
def registered(world):
    """People alive and registered at the end, with their age."""
    here = views.identities(world, END)
    return here.filter(
        pl.col("practice_code").is_not_null() & pl.col("deregistered_on").is_null() & pl.col("death_date").is_null()
    ).with_columns(age=(pl.lit(END) - pl.col("birth_date")).dt.total_days() / 365.25)


def test_nhs_numbers_are_valid_unique_and_never_issued():
    numbers = nhs_numbers(np.arange(950_000), seed=5)
    frame = pl.DataFrame({"n": numbers})
    assert frame.select(is_valid(pl.col("n")).all()).item()
    assert frame["n"].n_unique() == 950_000
    assert frame["n"].head(899_991).str.starts_with("999").all()
    assert frame["n"].tail(50_000).str.contains("^5").all()
    with pytest.raises(ValueError, match="NHS numbers exist"):
        nhs_numbers(np.array([60_000_000]), seed=5)


@pytest.mark.parametrize(
    ("number", "expected"), [("9434765919", True), ("9434765918", False), ("1111111111", False), ("94347659", False)]
)
def test_check_digit(number, expected):
    assert pl.DataFrame({"n": [number]}).select(is_valid(pl.col("n"))).item() is expected


def test_no_two_people_share_a_true_nhs_number(world):
    people = world["people"]
    numbers = pl.concat([people["nhs_number"], people["superseded_nhs_number"]]).drop_nulls()
    assert numbers.is_unique().all()
    assert people["superseded_nhs_number"].count() > 50
    assert 0 < people["nhs_number"].null_count() < people.height * 0.02


def test_frames_have_the_schema_and_are_sorted(world):
    for table, columns in SCHEMA.items():
        assert dict(world[table].schema) == columns, table
        assert world[table].height > 0, table
        assert world[table]["recorded_on"].null_count() == 0, table


def test_every_row_belongs_to_a_person_and_every_child_row_to_its_parent(world):
    people = world["people"]["person_no"]
    assert people.is_unique().all()
    for table in SCHEMA:
        assert world[table]["person_no"].is_in(people.implode()).all(), table
    for child, parent, key in (
        ("community_contacts", "community_referrals", "referral_no"),
        ("mental_health_contacts", "mental_health_referrals", "referral_no"),
        ("mental_health_spells", "mental_health_referrals", "referral_no"),
        ("voluntary_contacts", "voluntary_referrals", "referral_no"),
        ("gp_measurements", "consultations", "consultation_no"),
        ("gp_codes", "consultations", "consultation_no"),
    ):
        assert world[parent][key].is_unique().all(), parent
        orphans = world[child].filter(pl.col(key).is_not_null()).join(world[parent], on=["person_no", key], how="anti")
        assert orphans.is_empty(), child
    for column in ("mother_no", "twin_of", "household_no"):
        assert world["people"][column].drop_nulls().is_in(people.implode()).all(), column


def test_codes_are_known_to_the_tables(world, place):
    assert world["gp_codes"]["snomed_code"].is_in(list(clinical_model.SNOMED_TERMS)).all()
    assert world["gp_medications"]["drug"].is_in(list(clinical_model.DRUGS)).all()
    assert world["gp_measurements"]["kind"].is_in(list(clinical_model.MEASUREMENTS)).all()
    homes = world["addresses"].filter(pl.col("address_type") != "no_fixed_abode")
    assert homes["postcode"].is_in(place.postcodes["postcode"].implode()).all()
    assert world["addresses"].filter(address_type="no_fixed_abode")["postcode"].unique().to_list() == ["ZZ99 3VZ"]


def test_nothing_happens_to_the_dead_the_unborn_or_the_unregistered(world):
    people = world["people"].select("person_no", "birth_date", "death_date")
    for table, day in (
        ("consultations", "recorded_on"),
        ("outpatient_attendances", "appointment_date"),
        ("gp_medications", "issued_on"),
    ):
        events = world[table].join(people, on="person_no")
        assert events.filter((pl.col(day) > pl.col("death_date")) | (pl.col(day) < pl.col("birth_date"))).is_empty(), table
    visits = world["consultations"].join(world["registrations"], on=["person_no", "practice_code"])
    during = (pl.col("recorded_on") >= pl.col("valid_from")) & (pl.col("recorded_on") <= pl.col("valid_to").fill_null(date.max))
    assert visits.filter(during)["consultation_no"].n_unique() == world["consultations"].height
    closed = world["consultations"].filter(practice_code=CLOSED_PRACTICE)
    assert closed.height > 100
    assert closed["recorded_on"].max() <= CLOSED_ON


def test_population_has_the_english_shape(registered):
    age = registered["age"]
    assert 0.18 < (age < 18).mean() < 0.23
    assert 0.16 < (age >= 65).mean() < 0.21
    assert 0.018 < (age >= 85).mean() < 0.035
    assert 0.49 < (registered["sex"] == "F").mean() < 0.53


def test_families_hang_together(world):
    people = world["people"]
    mothers = people.select(
        pl.col("person_no").alias("mother_no"), pl.col("birth_date").alias("mother_born"), pl.col("sex").alias("mother_sex")
    )
    children = people.filter(pl.col("mother_no").is_not_null()).join(mothers, on="mother_no")
    gap = (children["birth_date"] - children["mother_born"]).dt.total_days() / 365.25
    assert gap.min() > 14
    assert gap.max() < 50
    assert (children["mother_sex"] == "F").all()
    twins = people.filter(pl.col("twin_of").is_not_null()).join(people, left_on="twin_of", right_on="person_no", suffix="_twin")
    assert twins.height > 60
    assert (twins["birth_date"] == twins["birth_date_twin"]).all()
    assert (twins["twin_of_twin"] == twins["person_no"]).all()
    assert (twins["given_name"] == twins["given_name_twin"]).mean() < 0.02
    fathers = people.filter(sex="M").select(
        "household_no", "given_name", "family_name", pl.col("birth_date").alias("father_born")
    )
    namesakes = people.filter(sex="M").join(fathers, on=["household_no", "given_name", "family_name"])
    assert namesakes.filter(pl.col("birth_date") > pl.col("father_born") + pl.duration(days=15 * 365)).height > 5


def test_people_move_marry_and_cross_borders(world, registered, place):
    assert (world["people"]["family_name_changed_on"] > WINDOW.start).sum() > 30
    assert 0.1 < world["addresses"].group_by("person_no").len().select((pl.col("len") > 1).mean()).item() < 0.4
    where = registered.join(
        place.practices.select("practice_code", pl.col("borough_code").alias("practice_borough")), on="practice_code"
    )
    assert 0.02 < (where["borough_code"] != where["practice_borough"]).mean() < 0.2
    in_homes = world["addresses"].filter(address_type="care_home")
    assert in_homes["person_no"].n_unique() > in_homes["uprn"].n_unique() * 2
    only_known_there = world["people"].filter("known_to_voluntary_sector", ~pl.col("known_to_gp"))
    assert only_known_there.height > 20
    assert only_known_there["nhs_number"].null_count() > 5


#: Condition -> lowest age of the register's list, and the band (per cent) that published QOF prevalence lies in.
BANDS = {
    "hypertension": (0, 12.5, 17),
    "diabetes_type_2": (17, 5.5, 8.5),
    "asthma": (6, 5.4, 7.6),
    "coronary_heart_disease": (0, 2.2, 3.6),
    "chronic_kidney_disease": (18, 3.4, 5.4),
    "atrial_fibrillation": (0, 1.7, 2.8),
    "copd": (0, 1.4, 2.4),
    "heart_failure": (0, 0.6, 1.5),
    "dementia": (0, 0.5, 1.05),
    "depression": (18, 11, 16),
    "serious_mental_illness": (0, 0.7, 1.3),
    "learning_disability": (0, 0.4, 0.8),
    "epilepsy": (18, 0.6, 1.15),
    "cancer": (0, 2.9, 4.4),
    "rheumatoid_arthritis": (16, 0.55, 1.1),
}


@pytest.mark.parametrize("condition", BANDS)
def test_coded_prevalence_is_of_the_published_order(world, registered, condition):
    youngest, low, high = BANDS[condition]
    coded = world["conditions"].filter(
        (pl.col("condition") == condition) & (pl.col("coded_on") <= END) & ~(pl.col("resolved_on") <= END).fill_null(False)
    )
    people = registered.filter(pl.col("age") >= youngest)
    assert low < 100 * people["person_no"].is_in(coded["person_no"].implode()).mean() < high


@pytest.mark.parametrize(
    ("condition", "kind", "test"),
    [("hypertension", "bp", pl.col("value") >= 140), ("diabetes_type_2", "hba1c", pl.col("value") >= 48),
     ("chronic_kidney_disease", "egfr", pl.col("value") < 60)],
)  # fmt: skip
def test_undiagnosed_disease_shows_in_the_measurements(world, registered, condition, kind, test):
    """The undiagnosed have a result beyond the threshold; people without the disease do not."""
    everyone = world["conditions"]
    true = everyone.filter(pl.col("condition") == condition, pl.col("onset_date") < pl.lit(END).dt.offset_by("-1y"))
    hidden = true.filter(pl.col("coded_on").is_null()).join(registered, on="person_no", how="semi")
    results = world["gp_measurements"].filter(pl.col("kind") == kind)
    assert hidden.height > 50
    assert hidden["person_no"].is_in(results.filter(test)["person_no"].implode()).mean() > 0.9
    explained = everyone.filter(pl.col("condition").is_in([condition, "diabetes_type_1", "end_stage_renal_disease"]))
    free = registered.join(explained, on="person_no", how="anti")
    assert results.join(free, on="person_no", how="semi").select(test.mean()).item() == 0


def test_undiagnosed_atrial_fibrillation_leaves_traces(world, registered):
    hidden = world["conditions"].filter((pl.col("condition") == "atrial_fibrillation") & pl.col("coded_on").is_null())
    hidden = hidden.join(registered, on="person_no", how="semi")
    irregular = world["gp_codes"].filter(snomed_code=clinical_model.STATUS_CODES["irregular_pulse"][0])
    assert hidden["person_no"].is_in(irregular["person_no"].implode()).mean() > 0.7


def test_homelessness_is_larger_than_the_official_list(world):
    truly = set(world["people"].filter("is_homeless_ever")["person_no"])
    official = set(world["homelessness_cases"].filter(pl.col("duty") != "prevention")["person_no"])
    assert len(truly) > 100
    assert official < truly
    assert len(official) < 0.65 * len(truly)


def test_mental_health_contacts_of_the_risers_rise(world):
    risers = world["people"].filter("is_mental_health_riser")
    contacts = world["mental_health_contacts"].join(risers, on="person_no", how="semi")
    months = (pl.lit(END) - pl.col("contact_date")).dt.total_days() // 91
    quarters = (
        contacts.filter(pl.col("contact_date") <= END)
        .group_by(months.alias("quarters_ago"))
        .len()
        .sort("quarters_ago")["len"]
        .to_list()
    )
    assert risers.height > 20
    assert quarters[0] > 2 * quarters[3]


def test_outlier_practice_has_more_emergencies_and_fewer_reviews(world, registered):
    attended = world["emergency_attendances"].group_by("person_no").len("attendances")
    reviews = [clinical_model.STATUS_CODES[f"{of}_review"][0] for of in ("hypertension", "diabetes", "asthma", "copd")]
    reviewed = world["gp_codes"].filter(pl.col("snomed_code").is_in(reviews)).group_by("person_no").len("reviews")
    people = registered.join(attended, on="person_no", how="left").join(reviewed, on="person_no", how="left").fill_null(0)
    rates = people.group_by(pl.col("practice_code") == OUTLIER_PRACTICE).agg(pl.col("attendances", "reviews").mean())
    ours, others = rates.sort("practice_code", descending=True).rows()
    assert ours[1] > 1.3 * others[1]
    assert ours[2] < 0.75 * others[2]


def test_intervention_spares_emergency_admissions(place):
    """Admissions a day of those served and alive to the end, after the referral against before, over many small worlds."""
    admissions, days = np.zeros(2), np.zeros(2)
    for seed in range(20):
        population = make_population(0, 0, CHUNK_PEOPLE, place, WINDOW, seed)
        health = care.make_health(0, population, place, WINDOW, seed)
        served = np.flatnonzero(~np.isnat(health.intervention_on) & np.isnat(population.death))
        since = health.intervention_on[served]
        days += (since - population.alive_from[served]).astype(int).sum(), (population.alive_to[served] - since).astype(int).sum()
        spells = hospital_frames(health, seed)["inpatient_episodes"].filter(
            pl.col("admission_method_code").str.starts_with("2"), pl.col("episode_number") == 1
        )
        linked = spells.join(pl.DataFrame({"person_no": served, "since": since}), on="person_no")
        later = (linked["admitted_on"] >= linked["since"]).sum()
        admissions += linked.height - later, later
    before, after = admissions / days
    assert 0.55 < after / before < 0.9


def test_about_forty_rows_a_person_and_year(world, registered):
    events = sum(world[t].height for t in SCHEMA if t not in ("people", "addresses", "registrations", "conditions"))
    assert 33 < events / registered.height / (WINDOW.days / 365.25) < 48


def test_world_does_not_depend_on_the_chunks_before_or_the_number_of_nights(place, world):
    alone = make_chunk(3, PEOPLE, place, Window.ending(END, 30), SEED)
    first, last = 3 * CHUNK_PEOPLE, 4 * CHUNK_PEOPLE - 1
    for table in SCHEMA:
        assert alone[table].equals(world[table].filter(pl.col("person_no").is_between(first, last))), table


def test_views_show_what_a_supplier_knew_on_the_day(world):
    changed = world["people"].filter(pl.col("family_name_changed_on").is_between(WINDOW.start, END, closed="right"))
    earlier = views.identities(world, WINDOW.start)
    seen = earlier.join(changed.select("person_no", was="previous_family_name"), on="person_no")
    assert (seen["family_name"] == seen["was"]).all()
    assert seen["previous_family_name"].null_count() == seen.height
    assert earlier.filter(pl.col("death_date") > WINDOW.start).is_empty()


def test_every_ethnic_category_has_names():
    groups = {group for shares in names.GROUPS_BY_ETHNICITY.values() for group in shares}
    for group in groups - {"english"}:
        assert {group} <= names.GIVEN_M.keys() & names.GIVEN_F.keys() & names.FAMILY.keys()
