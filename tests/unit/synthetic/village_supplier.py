"""A small supplier for tests of the engine: one delta file of consultations and one full file of people, dirty on purpose."""

import polars as pl
from synthetic import dirt, views
from synthetic.emission import RECORD_TRUTH, Emission, csv_part, due
from synthetic.world_schema import Packaging

SOURCE = "village"
PACKAGING = (
    Packaging(r"^people", encoding="cp1252", crlf=True, gzip=True),
    Packaging(r"^(consultations|codes)", bom=True, zip_into="care_{date:%Y%m%d}.zip"),
)


def emit(chunk, place, deliveries, rng):
    emission = Emission()
    people = dirt.identity(views.identities(chunk, deliveries[0].date), dirt.VOLUNTARY_SECTOR, rng)
    ids = pl.format("P{}", "person_no").alias("local_id")
    emission.records = people.select(pl.lit(SOURCE).alias("source"), ids, "person_no").cast(RECORD_TRUTH)
    for delivery in deliveries:
        rows = people.select(ids, "family_name", pl.col("birth_date").cast(pl.String))
        rows, faults = dirt.bad_rows(
            rows,
            0.01,
            rng,
            {"birth_date": "31 February"},
            delivery=delivery,
            source=SOURCE,
            file="people.csv",
            identity="local_id",
        )
        emission.faults += faults
        emission.add(delivery, SOURCE, "people.csv", rows)
        care = due(chunk["consultations"], delivery).select("consultation_no", "mode", pl.lit('a "quoted"\nnote').alias("note"))
        emission.add(delivery, SOURCE, "consultations.csv", care)
    return emission


def emit_once(place, deliveries, rng):
    codes = place.practices.select("practice_code")
    return Emission(parts=[csv_part(delivery, SOURCE, "codes.csv", codes) for delivery in deliveries if delivery.is_bulk])
