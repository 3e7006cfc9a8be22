"""What may be told of each record without saying who it is: how it was described, and whether it could be placed at all."""

from __future__ import annotations

import math
import re

import duckdb

from linkage.model import RAREST, Level, Parameters, levels, population
from linkage.score import load_frequencies, log2_odds
from linkage.spec import LinkageSpec

#: A row's own columns in the names that the model's levels are written in.
_SIDES = re.compile(r"\b([a-z_]+?)_[lr]\b")


def describe_records(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec, parameters: Parameters, n_groups: int) -> None:
    """Make `record_described` (record_token, has_number, is_register, name_structure, birth_date_state, postcode_state,
    is_unlinkable) from `record`.

    A record is unlinkable when, its NHS number apart, even a record that says the very same would not reach the link weight: it
    says too little (Splink's "unlinkables"). Reads `postcode_people`, which `collapse` makes.
    """
    load_frequencies(connection, parameters)
    prior = log2_odds(parameters.prior(n_groups))
    connection.execute(f"""
        create or replace temp table record_described as
        with compared as (
            select
                record.* exclude (nhs_number, typed_number),
                cast(null as varchar) as nhs_number,
                cast(null as varchar) as typed_number,
                record.nhs_number is not null as has_number,
                treatment.is_number_register as is_register,
                strftime(record.birth_date, '%Y%m%d') as birth_text,
                strftime(record.birth_date, '%Y%m%d') as birth_key,
                record.postcodes as postcode_sectors,
                coalesce(given.share, {RAREST["given_name"]}) as tf_given_name,
                coalesce(family.share, {RAREST["family_name"]}) as tf_family_name,
                least(postcode_people.n_people / {population(n_groups)}, 0.5) as tf_postcode
            from record
            inner join treatment on record.source = treatment.source
            left join given_name_frequency as given on record.given_name = given.value
            left join family_name_frequency as family on record.family_name = family.value
            left join postcode_people on record.postcode = postcode_people.postcode
        )

        select
            record_token,
            has_number,
            is_register,
            name_structure,
            birth_date_state,
            postcode_state,
            {prior!r} + {own_weight_sql(parameters)} < {spec.link_weight} as is_unlinkable
        from compared""")


def own_weight_sql(parameters: Parameters) -> str:
    """SQL: the weight in bits, without the prior, of a row against itself, from the model's own levels."""
    return " + ".join(
        f"case {' '.join(_branch(level, parameters.weights[name]) for level in its_levels)} end"
        for name, its_levels in levels().items()
    )


def _branch(level: Level, weights: dict[str, tuple[float, float]]) -> str:
    own = _SIDES.sub(r"compared.\1", level.sql)
    met = "else" if level.sql == "else" else f"when {own} then"
    if level.key == "null":
        return f"{met} 0"
    m, u = weights[level.key]
    return f"{met} {math.log2(m / u)!r}" if level.frequency is None else f"{met} log2({m!r} / tf_{level.frequency})"
