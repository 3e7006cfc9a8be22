"""The two councils' housing departments play their part: H-CLIC cases (XML), tenancy extracts and CORE lettings (CSV).

The H-CLIC specification is not public: element names are our own, sections and wording follow the published tables. A case is
sent for every quarter in which it is open, as it stood at the end of that quarter.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import numpy as np
import polars as pl

from synthetic import dirt
from synthetic.emission import Emission
from synthetic.place import Place
from synthetic.suppliers import _council as council
from synthetic.world_schema import Chunk, Delivery, Packaging, Part

SOURCE = "housing"
PACKAGING = (Packaging(pattern=r"^HCLIC_.*\.xml$"), Packaging(pattern=r"^(TENANCY|CORE_lettings)_.*\.csv$", crlf=True))

_QUARTERS_IN_BULK = 8
_YEARS_IN_BULK = 3
_APPLICANT_SALT, _TENANT_SALT = 998_002, 998_003
_NO_FIXED_ABODE = "ZZ99 3VZ"
_STREET = ("no fixed abode", "rough sleeping")
_NONE = pl.lit(None, pl.String)


def emit(chunk: Chunk, place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:
    """The rows of one chunk of people in every file that falls due."""
    emission = Emission()
    codes = dict(place.boroughs.select("council_code", "borough_code").iter_rows())
    people = council.identities(
        chunk,
        pl.concat([chunk["homelessness_cases"]["person_no"], chunk["tenancies"]["person_no"]]),
        deliveries, dirt.HOUSING, rng,
    )  # fmt: skip
    cases = _cases(chunk, people, codes)
    tenancies = _tenancies(chunk, people, codes)
    emission.records = pl.concat(
        [
            council.truth(SOURCE, cases, pl.col("council"), pl.col("applicant")),
            council.truth(SOURCE, tenancies, pl.col("council"), pl.col("tenancy_code")),
        ]
    )
    for delivery in deliveries:
        _emit_cases(emission, cases, codes.values(), delivery, rng)
        if council.sends_monthly(delivery):
            _emit_tenancies(emission, tenancies, codes.values(), delivery, rng)
            _emit_lettings(emission, tenancies, codes.values(), delivery)
    return emission


def emit_once(place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:  # noqa: ARG001
    """Housing departments send nothing that does not depend on people."""
    return Emission()


def _area(codes: dict[str, str]) -> pl.Expr:
    """The council as housing systems name it: the ONS code of its area."""
    return pl.col("council_code").replace(codes)


# -- homelessness cases


def _cases(chunk: Chunk, people: pl.DataFrame, codes: dict[str, str]) -> pl.DataFrame:
    """One row per case with its applicant as the homelessness system holds them."""
    on_the_street = pl.col("accommodation_at_application").str.to_lowercase().is_in(_STREET)
    return (
        chunk["homelessness_cases"]
        .join(people, on="person_no", how="inner", maintain_order="left", suffix="_of_person")
        .with_columns(
            _area(codes).alias("council"),
            pl.concat_str(pl.lit("A"), council.local_number(pl.col("person_no"), _APPLICANT_SALT)).alias("applicant"),
            pl.concat_str(pl.lit("H"), council.local_number(pl.col("person_no"), _APPLICANT_SALT), pl.lit("-"), "case_no").alias(
                "case_reference"
            ),
            pl.when(on_the_street).then(pl.lit(_NO_FIXED_ABODE)).otherwise(pl.col("postcode")).alias("postcode"),
        )
    )


def _quarters(delivery: Delivery) -> list[date]:
    """Ends of the quarters that a delivery reports: two years of them in the bulk, then one when it is over."""
    newest = council.new_quarter(delivery)
    if newest is None:
        return []
    ends = [newest]
    while delivery.is_bulk and len(ends) < _QUARTERS_IN_BULK:
        ends.append(council.quarter_end_before(ends[-1]))
    return ends[::-1]


def _emit_cases(
    emission: Emission, cases: pl.DataFrame, councils: Iterable[str], delivery: Delivery, rng: np.random.Generator
) -> None:
    ends = _quarters(delivery)
    for end in ends:
        name = council.quarter_name(end)
        start = council.quarter_start(end)
        ended = pl.max_horizontal("duty_ended_on", "temporary_accommodation_to")
        is_open = pl.col("duty_ended_on").is_null() | (ended >= start)
        standing = cases.filter((pl.col("recorded_on") <= end) & is_open)
        for code in councils:
            file = f"HCLIC_{code}_{name}.xml"
            texts = _case_texts(standing.filter(pl.col("council") == code), end)
            texts, faults = council.spoil(
                texts, rng, {"application_date": "31 February"}, delivery, SOURCE, file, "case_reference", "yyyy-MM-dd"
            )
            if texts.is_empty() and end != ends[-1]:
                continue  # a past quarter without cases was never sent
            body = texts.select(_case_xml()).to_series().str.join("").item() or ""
            header = f'<?xml version="1.0" encoding="UTF-8"?>\n<Submission Council="{code}" Quarter="{name}">\n'
            emission.parts.append(Part(delivery.index, SOURCE, file, header.encode(), body.encode(), b"</Submission>\n"))
            emission.faults += faults


def _case_texts(cases: pl.DataFrame, end: date) -> pl.DataFrame:
    """The values of each case as text, as they stood at the end of a quarter."""
    placed = council.until("temporary_accommodation_from", end)
    return cases.select(
        "case_reference", "applicant", "duty", "outcome", "reason_for_loss", "accommodation_at_application", "support_needs",
        "nhs_number", "given_name", "family_name", "ethnic_category_code", "postcode", "temporary_accommodation_type",
        council.iso("applied_on").alias("application_date"),
        council.iso("duty_started_on").alias("duty_start_date"),
        council.until("duty_ended_on", end).dt.strftime("%Y-%m-%d").alias("duty_end_date"),
        pl.col("household_size").cast(pl.String),
        council.iso("birth_date").alias("birth_date"),
        pl.col("sex").fill_null("X"),
        pl.col("mobile_phone").alias("phone"),
        placed.dt.strftime("%Y-%m-%d").alias("placed_on"),
        council.until("temporary_accommodation_to", end).dt.strftime("%Y-%m-%d").alias("left_on"),
    )  # fmt: skip


def _escaped(value: pl.Expr) -> pl.Expr:
    return value.str.replace_all("&", "&amp;", literal=True).str.replace_all("<", "&lt;", literal=True)


def _element(name: str, value: pl.Expr) -> pl.Expr:
    """`<name>value</name>`, or nothing where there is no value."""
    return pl.concat_str(pl.lit(f"<{name}>"), _escaped(value), pl.lit(f"</{name}>")).fill_null("")


def _case_xml() -> pl.Expr:
    """A case with its people, support needs and placements, from the columns of `_case_texts`."""
    has_ended = pl.col("duty_end_date").is_not_null()
    person = pl.concat_str(
        pl.lit('<People>\n<Person PersonReference="'), "applicant", pl.lit('"><MainApplicant>true</MainApplicant>'),
        _element("NHSNumber", pl.col("nhs_number")), _element("Forename", pl.col("given_name")),
        _element("Surname", pl.col("family_name")), _element("DateOfBirth", pl.col("birth_date")), _element("Sex", pl.col("sex")),
        _element("EthnicCategory", pl.col("ethnic_category_code")), _element("Postcode", pl.col("postcode")),
        _element("Telephone", pl.col("phone")), pl.lit("</Person>\n</People>\n"),
    )  # fmt: skip
    need = pl.format("<SupportNeed><Need>{}</Need></SupportNeed>\n", _escaped(pl.element()))
    listed = pl.col("support_needs").list.unique(maintain_order=True).list.eval(need).list.join("")
    needs = (
        pl.when(listed.str.len_bytes() > 0).then(pl.format("<SupportNeeds>\n{}</SupportNeeds>\n", listed)).otherwise(pl.lit(""))
    )
    placement = pl.concat_str(
        pl.lit('<TemporaryAccommodation>\n<Placement PlacementReference="1">'),
        _element("AccommodationType", pl.col("temporary_accommodation_type")),
        pl.lit("<PlacedOn>"), "placed_on", pl.lit("</PlacedOn>"), _element("LeftOn", pl.col("left_on")),
        pl.lit("</Placement>\n</TemporaryAccommodation>\n"),
    ).fill_null("")  # fmt: skip
    return pl.concat_str(
        pl.lit('<Case CaseReference="'), "case_reference", pl.lit('" ApplicantReference="'), "applicant", pl.lit('">\n'),
        _element("ApplicationDate", pl.col("application_date")), _element("DutyOwed", pl.col("duty")),
        _element("DutyStartDate", pl.col("duty_start_date")), _element("DutyEndDate", pl.col("duty_end_date")),
        _element("DutyEndReason", pl.when(has_ended).then(pl.col("outcome"))),
        _element("ReasonForLossOfHome", pl.col("reason_for_loss")),
        _element("AccommodationAtApplication", pl.col("accommodation_at_application")),
        _element("HouseholdSize", pl.col("household_size")), pl.lit("\n"), person,
        needs, placement, pl.lit("</Case>\n"),
    ).alias("xml")  # fmt: skip


# -- tenancies and lettings


def _tenancies(chunk: Chunk, people: pl.DataFrame, codes: dict[str, str]) -> pl.DataFrame:
    """One row per tenancy with its main tenant, and the address of the home: where the tenant lived on its first days."""
    homes = chunk["addresses"].filter(pl.col("address_type") == "home").sort("person_no", "valid_from")
    address = homes.select(
        "person_no", "valid_from", "house", "street", "town", pl.col("postcode").alias("home_postcode"), "uprn"
    )
    who = people.drop("house", "street", "town", "uprn")
    return (
        chunk["tenancies"]
        .join(who, on="person_no", how="inner", maintain_order="left", suffix="_of_person")
        .sort("started_on")
        .join_asof(
            address.sort("valid_from"), left_on="started_on", right_on="valid_from", by="person_no", check_sortedness=False
        )
        .sort("person_no", "tenancy_no")
        .with_columns(
            _area(codes).alias("council"),
            pl.concat_str(pl.lit("T"), council.local_number(pl.col("person_no"), _TENANT_SALT), pl.lit("/"), "tenancy_no").alias(
                "tenancy_code"
            ),
            # what the system holds may be mistyped; a mistake in the tenant's postcode is one in the home's
            pl.when(pl.col("postcode").is_null()).then(_NONE).otherwise(pl.col("home_postcode")).alias("home_postcode"),
        )
    )


def _emit_tenancies(
    emission: Emission, tenancies: pl.DataFrame, councils: Iterable[str], delivery: Delivery, rng: np.random.Generator
) -> None:
    held = tenancies.filter(pl.col("recorded_on") <= delivery.date)
    disrepair = pl.when("has_disrepair").then(pl.lit("true")).otherwise(pl.lit("false"))
    frame = held.select(
        pl.col("council").alias("Council Code"),
        pl.col("tenancy_code").alias("Tenancy Code"),
        pl.col("title").alias("Title"),
        pl.col("given_name").alias("First Name"),
        pl.col("family_name").alias("Surname"),
        council.uk("birth_date").alias("Date of Birth"),
        pl.col("sex").fill_null("U").alias("Gender"),
        pl.col("ethnic_category_code").alias("Ethnic Origin"),
        pl.col("nhs_number").alias("NHS Number"),
        pl.concat_str("house", pl.lit(" "), "street").alias("Address Line 1"),
        pl.col("town").alias("Address Line 2"),
        pl.col("home_postcode").alias("Postcode"),
        pl.col("uprn").alias("UPRN"),
        pl.col("mobile_phone").alias("Telephone"),
        pl.col("email").alias("Email"),
        council.uk("started_on").alias("Tenancy Start"),
        council.until("ended_on", delivery.date).dt.strftime("%d/%m/%Y").alias("Tenancy End"),
        pl.col("tenancy_type").alias("Tenancy Type"),
        pl.col("bedrooms").cast(pl.String).alias("Bedrooms"),
        pl.col("arrears_gbp").round(2).cast(pl.String).alias("Arrears"),
        disrepair.alias("Disrepair"),
    )
    bad = {"Tenancy Start": "31 February", "Arrears": "letters in a number", "Tenancy Code": "blank"}
    for code in councils:
        file = f"TENANCY_{code}_{delivery.date:%Y%m%d}.csv"
        rows, faults = council.spoil(
            frame.filter(pl.col("Council Code") == code), rng, bad, delivery, SOURCE, file, "Tenancy Code", "dd/MM/yyyy"
        )
        emission.add(delivery, SOURCE, file, rows)
        emission.faults += faults


def _emit_lettings(emission: Emission, tenancies: pl.DataFrame, councils: Iterable[str], delivery: Delivery) -> None:
    """CORE logs of lettings by collection year (April to March): every year in the bulk, then the present one."""
    present = _collection_year(delivery.date)
    let = tenancies.filter(pl.col("recorded_on") <= delivery.date).with_columns(
        (pl.col("started_on").dt.year() - (pl.col("started_on").dt.month() < 4).cast(pl.Int32)).alias("year")
    )
    for year in range(present - (_YEARS_IN_BULK - 1 if delivery.is_bulk else 0), present + 1):
        of_year = let.filter(pl.col("year") == year)
        for code in councils:
            rows = of_year.filter(pl.col("council") == code)
            emission.add(delivery, SOURCE, f"CORE_lettings_{year}_{code}.csv", _letting_rows(rows, year))


def _collection_year(day: date) -> int:
    return day.year - (day.month < 4)


def _letting_rows(lettings: pl.DataFrame, year: int) -> pl.DataFrame:
    """A selection of the columns of a CORE log; more than landing keeps, as the real one has."""
    age = (pl.col("started_on") - pl.col("birth_date")).dt.total_days() // 365.25
    return lettings.select(
        pl.concat_str(pl.lit("L"), "tenancy_code").alias("id"),
        pl.lit("completed").alias("status"),
        pl.lit("bulk upload").alias("creation_method"),
        pl.lit(str(year)).alias("collection_start_year"),
        pl.col("council").alias("owning_organisation_name"),
        pl.lit("1").alias("needstype"),
        pl.lit("1").alias("lettype"),
        pl.lit("0").alias("renewal"),
        council.iso("started_on").alias("startdate"),
        pl.lit("1").alias("renttype"),
        pl.col("tenancy_code").alias("tenancycode"),
        pl.lit("1").alias("uprn_known"),
        pl.col("uprn"),
        pl.col("home_postcode").alias("postcode_full"),
        pl.col("council").alias("la"),
        pl.lit("6").alias("rsnvac"),
        pl.col("bedrooms").cast(pl.String).alias("beds"),
        _NONE.alias("voiddate"),
        pl.lit("1").alias("hhmemb"),
        pl.when(age.is_between(15, 120)).then(age).cast(pl.Int64).cast(pl.String).alias("age1"),
        pl.col("sex").fill_null("R").alias("sex1"),
        pl.lit("2").alias("armedforces"),
        pl.lit("2").alias("illness"),
        pl.lit("2").alias("housingneeds"),
        _NONE.alias("reason"),
        _NONE.alias("prevten"),
        pl.lit("1").alias("homeless"),
        pl.lit("1").alias("referral"),
    )
