"""Three voluntary-sector services play their part: a whole file of referrals and one of contacts each week, kept by hand.

Identifiers are weak: names as heard, most without an NHS number, birth dates estimated as 1 January. A client who comes back is
sometimes given a second reference. Files come from a spreadsheet: byte order mark, CRLF, notes with line breaks.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from synthetic import dirt
from synthetic.emission import Emission, known
from synthetic.place import Place
from synthetic.suppliers import _council as council
from synthetic.world_schema import Chunk, Delivery, Packaging

SOURCE = "voluntary_sector"
PACKAGING = (Packaging(pattern=r"^VCS_.*\.csv$", bom=True, crlf=True),)

_SECOND_REFERENCE = 0.05
_SALT = 998_004
_SEXES = {"M": "Male", "F": "Female"}
_BAD = {
    "referrals": {"referral_date": "31 February", "wellbeing_score": "letters in a number", "client_ref": "blank"},
    "contacts": {"contact_date": "31 February", "client_ref": "blank"},
}


def emit(chunk: Chunk, place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:
    """The rows of one chunk of people in every weekly file that falls due."""
    emission = Emission()
    referrals = _referrals(chunk, deliveries, rng)
    contacts = _contacts(chunk, referrals, rng)
    emission.records = council.truth(SOURCE, referrals, pl.col("service_code"), pl.col("client_ref"))
    for delivery in deliveries:
        if not council.sends_weekly(delivery):
            continue
        for kind, rows, identity in (("referrals", referrals, "referral_ref"), ("contacts", contacts, "contact_ref")):
            held = known(rows, delivery).drop("person_no", "recorded_on", "referral_no")
            for service in place.voluntary_services["service_code"]:
                file = f"VCS_{service}_{kind}_{delivery.date:%Y%m%d}.csv"
                frame, faults = council.spoil(
                    held.filter(pl.col("service_code") == service),
                    rng,
                    _BAD[kind],
                    delivery,
                    SOURCE,
                    file,
                    identity,
                    "yyyy-MM-dd",
                )
                emission.add(delivery, SOURCE, file, frame)
                emission.faults += faults
    return emission


def emit_once(place: Place, deliveries: list[Delivery], rng: np.random.Generator) -> Emission:  # noqa: ARG001
    """The services send nothing that does not depend on people."""
    return Emission()


def _referrals(chunk: Chunk, deliveries: list[Delivery], rng: np.random.Generator) -> pl.DataFrame:
    """One row per referral as the service wrote it down, every value text."""
    events = chunk["voluntary_referrals"]
    people = council.identities(chunk, events["person_no"], deliveries, dirt.VOLUNTARY_SECTOR, rng)
    frame = events.join(people, on="person_no", how="inner", maintain_order="left", suffix="_of_person")
    n = frame.height
    number = council.local_number(pl.col("person_no"), _SALT)
    copy = pl.when(pl.Series(rng.random(n) < _SECOND_REFERENCE)).then(pl.lit("b")).otherwise(pl.lit(""))
    is_homeless = (pl.col("homeless_from") <= pl.col("referred_on")) & (
        pl.col("homeless_to").is_null() | (pl.col("homeless_to") >= pl.col("referred_on"))
    )
    outside = pl.Series(np.array(["rough sleeping", "hostel", "sofa surfing"])[rng.choice(3, n, p=[0.45, 0.3, 0.25])])
    stays = (
        pl.when(is_homeless)
        .then(outside)
        .when("is_asylum_seeker")
        .then(pl.lit("asylum accommodation"))
        .when(pl.Series(rng.random(n) < 0.15))
        .then(pl.lit("unknown"))
        .otherwise(pl.lit("settled"))
    )
    return frame.select(
        "person_no",
        "recorded_on",
        "referral_no",
        "service_code",
        pl.concat_str(pl.lit("R"), number, pl.lit("-"), "referral_no").alias("referral_ref"),
        pl.concat_str(pl.lit("C"), number, copy).alias("client_ref"),
        council.iso("referred_on").alias("referral_date"),
        "nhs_number",
        "given_name",
        "family_name",
        council.iso("birth_date").alias("date_of_birth"),
        pl.col("sex").replace_strict(_SEXES, default=None).alias("gender"),
        pl.col("ethnic_category_code").alias("ethnicity"),
        pl.when(is_homeless.fill_null(False)).then(pl.lit("ZZ99 3VZ")).otherwise(pl.col("postcode")).alias("postcode"),
        pl.col("mobile_phone").alias("phone"),
        stays.alias("accommodation_status"),
        pl.col("referrer_code").alias("referrer_ods_code"),
        "need_category",
        "outcome",
        pl.col("wellbeing_score").cast(pl.String),
    )


def _contacts(chunk: Chunk, referrals: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One row per contact under the client reference of its referral; notes are free text, sometimes of two lines."""
    frame = chunk["voluntary_contacts"].join(
        referrals.select("person_no", "service_code", "referral_no", "referral_ref", "client_ref"),
        on=["person_no", "service_code", "referral_no"],
        how="inner",
        maintain_order="left",
    )
    two_lines = pl.Series(rng.random(frame.height) < 0.02)
    return frame.select(
        "person_no",
        "recorded_on",
        "referral_no",
        "service_code",
        pl.concat_str("referral_ref", pl.lit("-"), "contact_no").alias("contact_ref"),
        "referral_ref",
        "client_ref",
        council.iso("contact_date").alias("contact_date"),
        "contact_type",
        pl.when(two_lines).then(pl.lit('Seen at the centre, said "better".\nWill come back.')).alias("notes"),
    )
