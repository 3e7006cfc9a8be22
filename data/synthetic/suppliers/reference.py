"""Publishers of reference data play their part: organisations, postcodes, deprivation, list sizes, and the opt-out list.

Every file is whole, in the bulk and again on the first delivery of a month; the opt-out list comes with every delivery. Files of
the Organisation Data Service have no header. List sizes are those of the place at full size, of which the people are a sample.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from synthetic.emission import Emission
from synthetic.place import DOMAINS, Place
from synthetic.suppliers import _council as council
from synthetic.world_schema import Chunk, Delivery, Packaging, Part

SOURCE = "reference"
PACKAGING = (Packaging(pattern=r"^e\w+\.csv$", crlf=True), Packaging(pattern=r"^(?!e).*\.csv$"), Packaging(pattern=r"^.*\.dat$"))

#: Mailbox of the service that answers with the list.
MAILBOX = "X26HC036"

#: One person in so many has objected to the ICS itself, by a list of its own.
LOCAL_OPT_OUT_EVERY = 800
LOCAL_OPT_OUT_SINCE = "2025-06-01"

_ICS_FROM = date(2022, 7, 1)
_LCP_FROM, _SECOND_LCP_FROM, _LCP_LEFT = date(2021, 4, 1), date(2023, 4, 1), date(2024, 9, 30)
_TRUST_TYPES = {"acute": "acute_trust", "community": "community_trust", "mental_health": "mental_health_trust"}
_MEAN_LIST = 8_700
_DOMAIN_NAMES_2019 = {
    "income": "INCOME", "employment": "EMPLOYMENT", "education": "EDUCATION_SKILLS_AND_TRAINING",
    "health": "HEALTH_DEPRIVATION_AND_DISABILITY", "crime": "CRIME", "housing": "BARRIERS_TO_HOUSING_AND_SERVICES",
    "environment": "LIVING_ENVIRONMENT",
}  # fmt: skip
_DOMAIN_NAMES_2025 = {
    "income": "INCOME", "employment": "EMPLOYMENT", "education": "EDUCATION", "health": "HEALTH", "crime": "CRIME",
    "housing": "BARRIERS_TO_HOUSING", "environment": "LIVING_ENVIRONMENT",
}  # fmt: skip
_NONE = pl.lit(None, pl.String)


def emit(chunk: Chunk, place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:  # noqa: ARG001
    """The opt-out lists: the people of one chunk who have opted out by each delivery, nationally (a number and a comma a line) or
    with the ICS itself.
    """
    emission = Emission()
    objects_locally = pl.col("person_no") % LOCAL_OPT_OUT_EVERY == LOCAL_OPT_OUT_EVERY // 2
    people = chunk["people"].filter(
        (pl.col("national_data_opt_out_on").is_not_null() | objects_locally) & pl.col("nhs_number").is_not_null()
    )
    emission.records = council.truth(SOURCE, people, pl.col("nhs_number"))
    local = people.filter(objects_locally).select(
        pl.col("nhs_number").alias("NHS_NUMBER"), pl.lit(LOCAL_OPT_OUT_SINCE).alias("RECORDED_ON")
    )
    for delivery in deliveries:
        listed = people.filter(pl.col("national_data_opt_out_on") <= delivery.date)
        body = listed.select(pl.concat_str("nhs_number", pl.lit(",\n")).str.join("")).item() or ""
        emission.parts.append(Part(delivery.index, SOURCE, f"{MAILBOX}-{delivery.date:%d%m%y}-0001.dat", b"", body.encode()))
        emission.add(delivery, SOURCE, f"local_opt_out_{delivery.date:%Y%m%d}.csv", local)
    return emission


def emit_once(place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:  # noqa: ARG001
    """Everything else, in full, whenever it is published."""
    emission = Emission()
    imd_2019 = _imd_2019(place)
    for delivery in filter(council.sends_monthly, deliveries):
        emission.add(delivery, SOURCE, "epraccur.csv", _practices(place), header=False, quote_all=True)
        emission.add(delivery, SOURCE, "etr.csv", _trusts(place), header=False, quote_all=True)
        emission.add(delivery, SOURCE, "epcncorepartnerdetails.csv", _core_partners(place), header=False, quote_all=True)
        emission.add(delivery, SOURCE, "local_organisation.csv", _local_organisations(place))
        emission.add(delivery, SOURCE, "local_care_partnership.csv", _local_care_partnerships(place))
        emission.add(delivery, SOURCE, f"ONSPD_{_onspd_release(delivery.date)}_UK.csv", _postcodes(place))
        emission.add(delivery, SOURCE, "IMD_2019.csv", imd_2019)
        emission.add(delivery, SOURCE, "IMD_2025.csv", _imd_2025(place))
        emission.add(delivery, SOURCE, "LSOA11_LSOA21_LAD22_EW_LU.csv", _lsoa_mapping(place))
        emission.add(delivery, SOURCE, "gp-reg-pat-prac-all.csv", _list_sizes(place, delivery.date))
    return emission


def _compact(column: str) -> pl.Expr:
    return pl.col(column).dt.strftime("%Y%m%d")


def _ods(frame: pl.DataFrame, values: dict[int, pl.Expr]) -> pl.DataFrame:
    """The 27 columns of an Organisation Data Service report, by position from 1; the others are blank."""
    return frame.select(values.get(position, _NONE).alias(str(position)) for position in range(1, 28))


def _practices(place: Place) -> pl.DataFrame:
    return _ods(
        place.practices,
        {
            1: pl.col("practice_code"),
            2: pl.col("name").str.to_uppercase(),
            3: pl.lit("Y99"),
            4: pl.lit(place.icb_code),
            5: pl.col("address_1").str.to_uppercase(),
            6: pl.col("address_2").str.to_uppercase(),
            8: pl.col("town").str.to_uppercase(),
            10: pl.col("postcode"),
            11: _compact("open_date"),
            12: _compact("close_date"),
            13: pl.when(pl.col("close_date").is_null()).then(pl.lit("A")).otherwise(pl.lit("C")),
            14: pl.lit("B"),
            15: pl.lit(place.sub_icb_code),
            16: pl.lit(f"{_ICS_FROM:%Y%m%d}"),
            18: pl.col("phone"),
            22: pl.lit("0"),
            24: pl.lit(place.sub_icb_code),
            26: pl.lit("4"),
        },
    )


def _trusts(place: Place) -> pl.DataFrame:
    return _ods(
        place.providers,
        {
            1: pl.col("provider_code"),
            2: pl.col("name").str.to_uppercase(),
            3: pl.lit("Y99"),
            4: pl.lit(place.icb_code),
            5: pl.col("address_1").str.to_uppercase(),
            8: pl.col("town").str.to_uppercase(),
            10: pl.col("postcode"),
            11: _compact("open_date"),
            13: pl.lit("A"),
            22: pl.lit("0"),
        },
    )


def _core_partners(place: Place) -> pl.DataFrame:
    """The 11 columns of the PCN core partner report."""
    pcns = place.pcns.select("pcn_code", pl.col("name").alias("pcn_name"), "sub_icb_code")
    names = place.practices.select("practice_code", "name")
    frame = place.practice_pcns.join(names, on="practice_code", how="left", maintain_order="left")
    return frame.join(pcns, on="pcn_code", how="left", maintain_order="left").select(
        pl.col("practice_code").alias("1"),
        pl.col("name").str.to_uppercase().alias("2"),
        pl.lit(place.sub_icb_code).alias("3"),
        pl.lit(place.sub_icb_name).alias("4"),
        pl.col("pcn_code").alias("5"),
        pl.col("pcn_name").alias("6"),
        pl.col("sub_icb_code").alias("7"),
        pl.lit(place.sub_icb_name).alias("8"),
        _compact("valid_from").alias("9"),
        _compact("valid_to").alias("10"),
        pl.lit("true").alias("11"),
    )


def _local_organisations(place: Place) -> pl.DataFrame:
    """The ICS's own list: itself, a place for each borough, PCNs by place, trusts, councils and services."""
    ics = place.icb_code
    place_code = pl.concat_str(pl.lit(f"{ics}-"), "council_code")
    by_borough = place.boroughs.select("borough_code", place_code.alias("place_code"))

    def rows(frame: pl.DataFrame, code: pl.Expr, name: str, kind: pl.Expr, parent: pl.Expr, area: pl.Expr) -> pl.DataFrame:
        return frame.select(
            code.alias("organisation_code"),
            pl.col(name).alias("name"),
            kind.alias("type"),
            parent.alias("parent_code"),
            area.alias("area_code"),
            pl.lit(f"{_ICS_FROM:%Y-%m-%d}").alias("valid_from"),
            _NONE.alias("valid_to"),
        )

    itself = pl.DataFrame({"code": [ics], "name": [place.icb_name]})
    pcns = place.pcns.join(by_borough, on="borough_code", how="left", maintain_order="left")
    trust_type = pl.col("provider_type").replace_strict(_TRUST_TYPES)
    borough, above = pl.col("borough_code"), pl.lit(ics)
    return pl.concat(
        [
            rows(itself, pl.col("code"), "name", pl.lit("ics"), _NONE, _NONE),
            rows(place.boroughs, place_code, "name", pl.lit("place"), above, borough),
            rows(pcns, pl.col("pcn_code"), "name", pl.lit("pcn"), pl.col("place_code"), borough),
            rows(place.providers, pl.col("provider_code"), "name", trust_type, above, _NONE),
            rows(place.boroughs, pl.col("council_code"), "council_name", pl.lit("council"), above, borough),
            rows(place.voluntary_services, pl.col("service_code"), "name", pl.lit("voluntary_sector"), above, borough),
        ]
    )


def _local_care_partnerships(place: Place) -> pl.DataFrame:
    """Every practice in one partnership, every sixth in a second one as well; one practice in twelve has left its second."""
    lcps = place.lcps["lcp_code"].to_list()
    after = dict(zip(lcps, lcps[1:] + lcps[:1], strict=True))
    index = pl.int_range(pl.len())
    codes = ("practice_code", "lcp_code")
    first = place.practices.select(*codes, pl.lit(_LCP_FROM).alias("from"), pl.lit(None, pl.Date).alias("to"))
    left = pl.when(index % 2 == 1).then(pl.lit(_LCP_LEFT)).alias("to")
    second = (
        place.practices.filter(index % 6 == 0)
        .with_columns(pl.col("lcp_code").replace_strict(after))
        .select(*codes, pl.lit(_SECOND_LCP_FROM).alias("from"), left)
    )
    names = place.lcps.select("lcp_code", pl.col("name").alias("lcp_name"))
    frame = pl.concat([first, second]).join(names, on="lcp_code", how="left", maintain_order="left")
    dates = council.iso("from").alias("valid_from"), council.iso("to").alias("valid_to")
    return frame.select("lcp_code", "lcp_name", "practice_code", *dates)


def _onspd_release(day: date) -> str:
    """`FEB_2026`: the newest quarterly release of the postcode directory by `day`."""
    month = max((m for m in (2, 5, 8, 11) if m <= day.month), default=11)
    year = day.year if month <= day.month else day.year - 1
    return f"{date(year, month, 1):%b}_{year}".upper()


def _postcodes(place: Place) -> pl.DataFrame:
    return place.postcodes.select(
        pl.col("postcode").str.replace(" ", "", literal=True).alias("pcd7"),
        pl.col("postcode").alias("pcd8"),
        pl.col("postcode").alias("pcds"),
        pl.col("introduced_on").dt.strftime("%Y%m").alias("dointr"),
        pl.col("terminated_on").dt.strftime("%Y%m").alias("doterm"),
        pl.lit("0").alias("usrtypind"),
        pl.col("easting").alias("east1m"),
        pl.col("northing").alias("north1m"),
        pl.lit("1").alias("gridind"),
        pl.col("borough_code").alias("lad25cd"),
        pl.col("ward_code").alias("wd25cd"),
        pl.col("lsoa_code").alias("lsoa21cd"),
        pl.col("msoa_code").alias("msoa21cd"),
        pl.lit("E54000099").alias("icb23cd"),
        pl.col("latitude").alias("lat"),
        pl.col("longitude").alias("long"),
    )


def _with_borough(frame: pl.DataFrame, header: str, place: Place) -> pl.DataFrame:
    """`frame` with the name of its borough under the given header."""
    names = place.boroughs.select("borough_code", pl.col("name").alias(header))
    return frame.join(names, on="borough_code", how="left", maintain_order="left")


def _imd_2019(place: Place) -> pl.DataFrame:
    """Indices of 2019 on the LSOAs of 2011; an LSOA that was split later has the mean of its parts."""
    deciles = [pl.col(f"{domain}_decile").mean().round().cast(pl.Int64) for domain in DOMAINS]
    merged = place.lsoas.group_by("lsoa_2011_code", maintain_order=True).agg(
        pl.col("name", "borough_code").first(),
        pl.col("imd_score").mean().round(3),
        # ranks of 2019 run to 32,844
        (pl.col("imd_rank").mean() * 0.973).round().cast(pl.Int64).clip(1, 32_844),
        pl.col("imd_decile").mean().round().cast(pl.Int64),
        *deciles,
    )
    return _with_borough(merged, "borough", place).select(
        pl.col("lsoa_2011_code").alias("LSOA_CODE_2011"),
        pl.col("name").alias("LSOA_NAME_2011"),
        pl.col("borough_code").alias("LOCAL_AUTHORITY_DISTRICT_CODE_2019"),
        pl.col("borough").alias("LOCAL_AUTHORITY_DISTRICT_NAME_2019"),
        pl.col("imd_score").alias("INDEX_OF_MULTIPLE_DEPRIVATION_SCORE"),
        pl.col("imd_rank").alias("INDEX_OF_MULTIPLE_DEPRIVATION_RANK"),
        pl.col("imd_decile").alias("INDEX_OF_MULTIPLE_DEPRIVATION_DECILE"),
        *(pl.col(f"{domain}_decile").alias(f"{_DOMAIN_NAMES_2019[domain]}_DECILE") for domain in DOMAINS),
        pl.lit("1650").alias("TOTAL_POPULATION_MID_2015"),
    )


def _imd_2025(place: Place) -> pl.DataFrame:
    return _with_borough(place.lsoas, "borough", place).select(
        pl.col("lsoa_code").alias("LSOA_CODE_2021"),
        pl.col("name").alias("LSOA_NAME_2021"),
        pl.col("borough_code").alias("LOCAL_AUTHORITY_DISTRICT_CODE_2024"),
        pl.col("borough").alias("LOCAL_AUTHORITY_DISTRICT_NAME_2024"),
        pl.col("imd_score").alias("IMD25_SCORE"),
        pl.col("imd_rank").alias("IMD25_RANK"),
        pl.col("imd_decile").alias("IMD25_DECILE"),
        *(pl.col(f"{domain}_decile").alias(f"{_DOMAIN_NAMES_2025[domain]}_DOMAIN_DECILE") for domain in DOMAINS),
    )


def _lsoa_mapping(place: Place) -> pl.DataFrame:
    is_same = pl.col("lsoa_2011_code") == pl.col("lsoa_code")
    return _with_borough(place.lsoas, "LAD22NM", place).select(
        pl.col("lsoa_2011_code").alias("LSOA11CD"),
        pl.col("name").alias("LSOA11NM"),
        pl.col("lsoa_code").alias("LSOA21CD"),
        pl.col("name").alias("LSOA21NM"),
        pl.when(is_same).then(pl.lit("U")).otherwise(pl.lit("S")).alias("CHGIND"),
        pl.col("borough_code").alias("LAD22CD"),
        "LAD22NM",
    )


def _list_sizes(place: Place, day: date) -> pl.DataFrame:
    """Registered patients of the practices that are open on the first of the month."""
    first = day.replace(day=1)
    is_open = pl.col("close_date").is_null() | (pl.col("close_date") >= first)
    share = pl.col("list_weight") / pl.col("list_weight").mean()
    return place.practices.filter(is_open).select(
        pl.lit("GP_PRAC_PAT_LIST").alias("PUBLICATION"),
        pl.lit(f"{first:%d%b%Y}".upper()).alias("EXTRACT_DATE"),
        pl.lit("GP").alias("TYPE"),
        pl.lit(place.sub_icb_code).alias("CCG_CODE"),
        pl.lit("E38000999").alias("ONS_CCG_CODE"),
        pl.col("practice_code").alias("CODE"),
        pl.col("postcode").alias("POSTCODE"),
        pl.lit("ALL").alias("SEX"),
        pl.lit("ALL").alias("AGE"),
        (share * _MEAN_LIST).round().cast(pl.Int64).alias("NUMBER_OF_PATIENTS"),
    )
