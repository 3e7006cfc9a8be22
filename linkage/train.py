"""Train the model: rarely, on purpose, and by itself. A night only predicts.

The result is a small reviewed artefact, numbers in JSON with a model card in Markdown beside it. It holds no person: weights are
averages, and the only names listed are those that many records share.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from uuid import uuid4

import duckdb
from splink import DuckDBAPI, Linker

from linkage.collapse import describe_each_record
from linkage.duck import Limits, connect
from linkage.errors import LinkageError
from linkage.model import RAREST, Parameters, levels, settings, write_parameters
from linkage.spec import LinkageSpec
from linkage.standardise import identity_files, read_identity, standardise

#: A name borne by fewer records than this is not listed in the artefact: its frequency could point at a family.
FEWEST_RECORDS_A_NAME = 10

#: Names kept per column; beyond the few thousand most common the frequency is the floor anyway.
MOST_NAMES = 3_000

#: Smallest u a level may have: what a sample of pairs did not show is at most about this common.
SMALLEST_U = 1e-5

#: Exact agreement that nearly always means one person; used only to count how many matches there are.
_SURE_RULES = (
    "l.nhs_number = r.nhs_number and l.birth_text = r.birth_text",
    "l.given_name = r.given_name and l.family_name = r.family_name and l.birth_text = r.birth_text and l.postcode = r.postcode",
)

#: Share of true pairs that the sure rules find; the prior hardly depends on it (60 or 95 % moves weights by 0.7 bit).
_SURE_RECALL = 0.85

#: Each pass learns m for what it does not block on. The last two do not need a number, so that sources which rarely hold it
#: have their say about every field.
_TRAINING_BLOCKS = (
    "l.nhs_number = r.nhs_number",
    "l.birth_text = r.birth_text and l.sex = r.sex",
    "l.given_name = r.given_name and l.family_name = r.family_name and l.postcode = r.postcode",
)


@dataclass(frozen=True)
class Trained:
    """A trained model and where it was written."""

    parameters: Parameters
    model_path: Path
    card_path: Path


def train(
    identity_dir: Path,
    model_path: Path,
    *,
    spec: LinkageSpec,
    version: str,
    trained_on: str,
    as_of: date,
    limits: Limits,
    most_pairs: int = 2_000_000,
) -> Trained:
    """Learn m, u, the mean number of matches and common name frequencies; write them to `model_path`, the card beside it (`.md`).

    `trained_on` describes the data in a few words for the card. Raises `LinkageError` when a comparison could not be learned,
    and `ParametersError` when the prior is out of range.
    """
    with connect(limits, keeps_order=True) as connection:
        read_identity(connection, identity_files(identity_dir))
        standardise(connection, spec, f"date '{as_of.isoformat()}'")
        describe_each_record(connection, spec)
        (n_records,) = connection.execute("select count(*) from representative").fetchone()
        if n_records < 1_000:
            raise LinkageError(f"{n_records} records are too few to train on; give at least 1,000 from several sources")
        frequencies = {column: _frequencies(connection, column) for column in RAREST}
        matches_per_record = _matches_per_record(connection, n_records)
        with _splink_quiet():
            weights = _learn(connection, spec, matches_per_record / n_records, most_pairs)
        by_source = connection.execute("select source, count(*) from record group by source order by source").fetchall()
    parameters = Parameters(version, trained_on, n_records, matches_per_record, weights, frequencies)
    card_path = model_path.with_suffix(".md")
    write_parameters(parameters, model_path)
    card_path.write_text(_card(parameters, by_source), encoding="utf-8")
    return Trained(parameters, model_path, card_path)


def _frequencies(connection: duckdb.DuckDBPyConnection, column: str) -> dict[str, float]:
    return dict(
        connection.execute(f"""
            select {column}, round(count(*) / sum(count(*)) over (), 7)
            from record
            where {column} is not null
            group by {column}
            qualify count(*) >= {FEWEST_RECORDS_A_NAME}
            order by count(*) desc, {column}
            limit {MOST_NAMES}""").fetchall()
    )


def _matches_per_record(connection: duckdb.DuckDBPyConnection, n_records: int) -> float:
    rules = " union ".join(
        f"select l.rep_id, r.rep_id from representative as l inner join representative as r on l.rep_id < r.rep_id and {rule}"
        for rule in _SURE_RULES
    )
    (n_pairs,) = connection.execute(f"select count(*) from ({rules})").fetchone()
    return 2 * n_pairs / _SURE_RECALL / n_records


def _learn(
    connection: duckdb.DuckDBPyConnection, spec: LinkageSpec, prior: float, most_pairs: int
) -> dict[str, dict[str, tuple[float, float]]]:
    connection.execute("create or replace table training_input as select * from representative order by rep_id")
    api = DuckDBAPI(connection)
    linker = Linker(
        api.register("training_input", dataset_display_name=f"records_{uuid4().hex[:8]}"),
        settings(prior, None),
        log_level=None,
    )
    linker.training.estimate_u_using_random_sampling(max_pairs=most_pairs, seed=spec.seed, min_count_per_level=None)
    for rule in _TRAINING_BLOCKS:
        linker.training.estimate_parameters_using_expectation_maximisation(
            rule, estimate_without_term_frequencies=True, max_pairs=most_pairs, record_sample_proportion=1.0
        )
    learned = {
        comparison["output_column_name"]: {
            level["label_for_charts"]: (level.get("m_probability"), level.get("u_probability"))
            for level in comparison["comparison_levels"]
            if not level.get("is_null_level")
        }
        for comparison in linker.misc.save_model_to_json()["comparisons"]
    }
    linker.table_management.delete_tables_created_by_splink_from_db()
    return {name: _smoothed(name, learned[name], prior) for name in levels()}


@contextmanager
def _splink_quiet() -> Iterator[None]:
    """Splink reports every level that a pass did not meet; what is missing after the last pass is dealt with in `_smoothed`."""
    logger = logging.getLogger("splink")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _smoothed(
    comparison: str, learned: dict[str, tuple[float | None, float | None]], prior: float
) -> dict[str, tuple[float, float]]:
    """Take the true pairs out of u, give levels that training hardly met their floor, and let m and u sum to one again.

    A random pair is a true pair with probability `prior`. That is rare, but not beside agreement on a birth date, which is rarer.
    """
    if all(m is None for m, _ in learned.values()):
        raise LinkageError(f"nothing could be learned about {comparison!r}: too few pairs know it on both sides")
    by_key = {level.key: level for level in levels()[comparison]}
    fixed = {key: level.fixed_u for key, level in by_key.items() if level.fixed_u is not None}
    m = {key: max(m or 0.0, by_key[key].least_m) for key, (m, _) in learned.items()}
    u = {
        key: fixed.get(key) or max(((u or 0.0) - prior * (m or 0.0)) / (1 - prior), SMALLEST_U) for key, (m, u) in learned.items()
    }
    m_total = sum(m.values())
    u_free = sum(value for key, value in u.items() if key not in fixed)
    u_left = 1 - sum(fixed.values())
    return {key: (round(m[key] / m_total, 8), round(fixed.get(key) or u[key] / u_free * u_left, 9)) for key in learned}


def _card(parameters: Parameters, by_source: list[tuple[str, int]]) -> str:
    """The model card: what it was trained on, what it weighs, and what it should not be trusted with."""
    rows = "\n".join(
        f"| {comparison} | {key} | {m:.6f} | {u:.2g} | {math.log2(m / u):+.2f} |"
        for comparison, its_levels in parameters.weights.items()
        for key, (m, u) in its_levels.items()
    )
    sources = ", ".join(f"{source} {n:,}" for source, n in by_source)
    listed = ", ".join(f"{len(shares):,} values of `{column}`" for column, shares in parameters.frequencies.items())
    floors = ", ".join(f"{floor:g} (`{column}`)" for column, floor in RAREST.items())
    return f"""# Linkage model {parameters.version}

Trained on {parameters.trained_on}: {parameters.n_records:,} records ({sources}).

Mean number of matching pairs a record is in: {parameters.matches_per_record:.3f}. The prior of a population is this over its
size, rounded up to a power of two.

| comparison | level | m | u | weight (bits) |
|---|---|---|---|---|
{rows}

Exact names weigh by how common they are. {listed} are listed, each borne by {FEWEST_RECORDS_A_NAME} records or more;
any other counts with a frequency of {floors}. A postcode weighs by the people in the index who live there.

u of agreement on the NHS number, swapped names, property, e-mail and telephone is set by judgement (`linkage/model.py`):
chance agreement is too rare for a sample to show, and households share telephones. Each level has a smallest m, there too.

## Limits

Weights treat fields as independent, which relatives at one address are not; the guards in `linkage/score.py` and the
constraints in `linkage/merge.py` answer for that.

Retrain when a source joins, when a supplier changes how it records identity, or when the evaluation drifts. A new version
scores every pair again, so look at how many ids change before releasing it.
"""
