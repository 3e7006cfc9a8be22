"""Weigh pairs with Splink and say which may be linked without a person looking: `pair` becomes `edge`.

A weight depends on the two groups and the trained numbers only, never on what else arrived that night, so a stored weight stays
exact until one of its groups changes.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import duckdb
from splink import DuckDBAPI, Linker

from linkage.errors import ParametersError
from linkage.model import RAREST, Parameters, level_number, levels, population, settings
from linkage.spec import LinkageSpec

#: Refusals that say "two people" rather than "not enough evidence": no third record may bring the two together either.
TWO_PEOPLE = ("twin", "namesake", "shared_number")


@contextmanager
def splink_warnings_are_errors() -> Iterator[None]:
    """Splink logs an untrained level as a warning and goes on with a default; here that is an error."""
    heard: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    logger = logging.getLogger("splink")
    listener = Listener(level=logging.WARNING)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(listener)
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.removeHandler(listener)
        logger.propagate = propagate
        logger.setLevel(level)
    if heard:
        raise ParametersError(f"Splink warned while scoring, so no weight of this run can be trusted: {' '.join(heard)[:500]}")


def log2_odds(probability: float) -> float:
    """Log2 of the odds, the unit of every match weight (bits)."""
    return math.log2(probability / (1 - probability))


def load_frequencies(connection: duckdb.DuckDBPyConnection, parameters: Parameters) -> None:
    """Make `<column>_frequency` tables of common values from the trained artefact."""
    for column, shares in parameters.frequencies.items():
        connection.execute(f"create or replace temp table {column}_frequency (value varchar, share double)")
        if shares:
            connection.execute(
                f"insert into {column}_frequency select unnest($1::varchar[]), unnest($2::double[])",
                [list(shares), list(shares.values())],
            )


def score(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec, parameters: Parameters, n_groups: int) -> None:
    """Make `edge_new` (left_token, right_token, match_key, evidence, gamma_*) from `pair`.

    `evidence` is the match weight in bits without the prior, to six decimals. Pairs below `spec.review_weight` (prior included)
    are not kept. `n_groups` is the size of the index, which the prior and the crowd at a postcode are measured by.
    """
    (n_pairs,) = connection.execute("select count(*) from pair").fetchone()
    prior = parameters.prior(n_groups)
    gammas = [f"gamma_{name}" for name in levels()]
    if n_pairs == 0:
        columns = "".join(f", 0 as {g}" for g in gammas)
        connection.execute(
            "create or replace temp table edge_new as select uuid() as left_token, uuid() as right_token, 0 as match_key, "
            f"0::double as evidence{columns} where false"
        )
        return
    with splink_warnings_are_errors():
        linker = pair_linker(connection, parameters, n_groups)
        predicted = linker.inference.predict(threshold_match_weight=spec.review_weight)
    connection.execute(f"""
        create or replace temp table edge_new as
        select
            l.rep_token as left_token,
            r.rep_token as right_token,
            cast(p.match_key as integer) as match_key,
            round(p.match_weight - {log2_odds(prior)!r}, 6) as evidence,
            {", ".join(f"cast(p.{g} as tinyint) as {g}" for g in gammas)}
        from {predicted.physical_name} as p
        inner join representative as l on p.rep_id_l = l.rep_id
        inner join representative as r on p.rep_id_r = r.rep_id""")
    drop_linker(connection, linker)


def pair_linker(
    connection: duckdb.DuckDBPyConnection, parameters: Parameters, n_groups: int, *, keep_calculation: bool = False
) -> Linker:
    """A Splink linker that weighs exactly the pairs of `pair`; with `keep_calculation`, it keeps what its charts need."""
    load_frequencies(connection, parameters)
    # Splink takes a term frequency from the input table when the column is there, so frequencies stay those of the artefact
    connection.execute(f"""
        create or replace table splink_input as
        select
            rep.rep_id, rep.nhs_number, rep.typed_number, rep.given_name, rep.given_tokens, rep.given_classes,
            rep.family_name, rep.family_tokens, rep.birth_text, rep.birth_key, rep.postcode, rep.postcodes,
            rep.postcode_sectors, rep.uprn, rep.phones, rep.emails, rep.sex,
            coalesce(given.share, {RAREST["given_name"]}) as tf_given_name,
            coalesce(family.share, {RAREST["family_name"]}) as tf_family_name,
            least(rep.n_people_at_postcode / {population(n_groups)}, 0.5) as tf_postcode
        from representative as rep
        semi join (select join_key_l as rep_id from pair union select join_key_r from pair) as used on rep.rep_id = used.rep_id
        left join given_name_frequency as given on rep.given_name = given.value
        left join family_name_frequency as family on rep.family_name = family.value""")
    connection.execute("create or replace table splink_pair as select match_key, join_key_l, join_key_r from pair")
    api = DuckDBAPI(connection)
    linker = Linker(
        api.register("splink_input", dataset_display_name=f"groups_{uuid4().hex[:8]}"),
        settings(parameters.prior(n_groups), parameters.weights, keep_calculation=keep_calculation),
        log_level=None,
    )
    for column in ("given_name", "family_name", "postcode"):
        linker.table_management.register_term_frequency_lookup(
            api.register(
                connection.sql(f"select {column}, max(tf_{column}) as tf_{column} from splink_input group by 1 limit 0"),
                dataset_display_name=f"tf_{column}_{uuid4().hex[:8]}",
            ),
            column,
        )
    linker.table_management.register_blocked_pairs_for_predict(
        api.register("splink_pair", dataset_display_name=f"pairs_{uuid4().hex[:8]}")
    )
    return linker


def drop_linker(connection: duckdb.DuckDBPyConnection, linker: Linker) -> None:
    """Drop the tables that a linker made and those made for it."""
    linker.table_management.delete_tables_created_by_splink_from_db()
    connection.execute("drop table if exists splink_input; drop table if exists splink_pair")


def judge(connection: duckdb.DuckDBPyConnection, spec: LinkageSpec, prior: float) -> None:
    """Make `edge_judged`: every stored edge with its weight (prior included) and why it may not link by itself, if so.

    Twins share birth date, family name and home; a parent and child can share both names and the home. Each of those pairs
    scores high on everything but the one field that tells them apart, so that field decides.
    """

    def at(comparison: str, *keys: str) -> str:
        return f"gamma_{comparison} in ({', '.join(str(level_number(comparison, key)) for key in keys)})"

    shares_number = at("nhs_number", "exact", "near")
    same_birth = at("birth_date", "exact", "exact_new_year", "day_month_swapped")
    other_birth = at("birth_date", "day_and_month", "year", "different")
    same_place = at("place", "postcode", "property", "postcode_once")
    connection.execute(f"""
        create or replace temp table edge_judged as
        with weighed as (
            select
                edge.*,
                l.rep_id as left_id,
                r.rep_id as right_id,
                round(edge.evidence + {log2_odds(prior)!r}, 6) as match_weight,
                l.is_verified as is_left_verified,
                r.is_verified as is_right_verified,
                case
                    when {at("nhs_number", "exact")} and {at("given_name", "null", "different")} and {other_birth}
                        then 'shared_number'
                    when {shares_number} then null
                    when
                        {at("given_name", "different")} and {same_birth}
                        and ({at("family_name", "exact", "token", "alike")} or {same_place})
                        then 'twin'
                    when {at("given_name", "exact", "alias")} and {at("family_name", "exact", "token")} and {other_birth}
                        then 'namesake'
                    when {at("birth_date", "null", "year_only")} and not ({same_place} or {at("contact", "email", "phone")})
                        then 'no_birth_date'
                end as refusal
            from edge
            inner join representative as l on edge.left_token = l.rep_token
            inner join representative as r on edge.right_token = r.rep_token
        ),

        -- a record without names (mental health, community and social care send none) cannot say which twin it is
        has_twin as (
            select left_id as rep_id from weighed where refusal = 'twin'
            union
            select right_id from weighed where refusal = 'twin'
        ),

        nameless as (
            select w.left_token, w.right_token
            from weighed as w
            semi join has_twin as t on w.left_id = t.rep_id or w.right_id = t.rep_id
            where {at("given_name", "null")} and not {shares_number}
        ),

        -- groups without a verified number, and the numbered groups each of them could belong to
        candidate as (
            select left_id as open_id, right_id as numbered_id, match_weight from weighed
            where not is_left_verified and is_right_verified and refusal is null
            union all
            select right_id, left_id, match_weight from weighed
            where not is_right_verified and is_left_verified and refusal is null
        ),

        ranked as (
            select
                open_id,
                match_weight,
                lead(match_weight) over (partition by open_id order by match_weight desc) as runner_up_weight,
                row_number() over (partition by open_id order by match_weight desc) as place
            from candidate
        ),

        ambiguous as (
            select open_id from ranked
            where place = 1 and match_weight - runner_up_weight < {spec.runner_up_gap}
        )

        select
            weighed.left_token,
            weighed.right_token,
            weighed.left_id,
            weighed.right_id,
            weighed.match_key,
            weighed.match_weight,
            case
                when weighed.refusal is not null then weighed.refusal
                when
                    (not weighed.is_left_verified and weighed.is_right_verified and left_open.open_id is not null)
                    or (not weighed.is_right_verified and weighed.is_left_verified and right_open.open_id is not null)
                    or nameless.left_token is not null
                    -- two nameless records of undecided people say nothing about each other either
                    or (
                        {at("given_name", "null")} and not {shares_number}
                        and (left_open.open_id is not null or right_open.open_id is not null)
                    )
                    then 'ambiguous'
            end as refusal
        from weighed
        left join nameless on weighed.left_token = nameless.left_token and weighed.right_token = nameless.right_token
        left join ambiguous as left_open on weighed.left_id = left_open.open_id
        left join ambiguous as right_open on weighed.right_id = right_open.open_id""")
