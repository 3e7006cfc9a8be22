"""The local risk model with this warehouse's people, paths and limits: train one, put one to use, hand them to the night."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np

from linkage.duck import connect
from linkage.sql import literal
from linkage.whole_file import written_whole
from orchestration.duck import attach_warehouse
from orchestration.landing.errors import LandingError
from orchestration.past_build import built_as_of
from orchestration.settings import Settings
from orchestration.stratification.errors import RiskModelError
from orchestration.stratification.model import RiskModel, Term, read_model, write_model
from orchestration.stratification.people import People

# scikit-learn costs seconds to import: only training does.

SCORE = "local_emergency_admission_12m"
OUTCOME_MONTHS = 12
HISTORY_MONTHS = 24

#: Divides people into those trained on and those held out. Another one would give other figures, not better ones.
_SEED = 20250401

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_IN_USE = "in_use"
_SCHEME = "bridges_to_health_style"


@dataclass(frozen=True)
class Trained:
    """A trained model and where it was written."""

    model: RiskModel
    model_path: Path
    card_path: Path


@dataclass(frozen=True)
class Window:
    """The days of a training: described as of `index_date`, admitted after it up to `outcome_to`."""

    index_date: date
    outcome_to: date
    #: First day that the features look at, and first day with hospital contacts.
    history_needed_from: date
    history_from: date | None


def train_risk_model(settings: Settings, version: str, trained_on: str, index_date: date | None) -> Trained:
    """Train on people as they were on `index_date` (a year before the last night when None); write the model and its card.

    Hold the run lock. It is compared with the model in use, else with the last version. Raises `RiskModelError` when there is no
    warehouse yet, the 12 months after the index date are not over, the version exists, or there are too few outcomes.
    """
    from orchestration.stratification.card import card
    from orchestration.stratification.train import train

    if not _VERSION.fullmatch(version):
        raise RiskModelError(
            f"{version!r} cannot name a version: use letters, digits, dots, hyphens or underscores, such as 2026.1."
        )
    path = _model_dir(settings) / f"{version}.json"
    if path.exists():
        raise RiskModelError(
            f"Version {version} exists ({path}) and published scores may name it: give the new one another name."
        )
    earlier = risk_models(settings)
    in_use = version_in_use(settings)
    compared_with = next((model for model in earlier if model.version == in_use), earlier[-1] if earlier else None)
    window = _window(settings, index_date)
    with built_as_of(settings, window.index_date, "risk_term_value") as past:
        people = _people(settings, past, window)
    model = train(people, score_code=SCORE, version=version, trained_on=trained_on, compared_with=compared_with, seed=_SEED)
    card_path = path.with_suffix(".md")
    path.parent.mkdir(parents=True, exist_ok=True)
    card_path.write_text(card(model), encoding="utf-8")
    write_model(model, path)  # last: a version that is there has its card
    return Trained(model, path, card_path)


def risk_models(settings: Settings) -> list[RiskModel]:
    """Every version that was trained here, in order of their names. Raises `RiskModelError` for a file that is not a model."""
    return [read_model(path) for path in sorted(_model_dir(settings).glob("*.json"))]


def version_in_use(settings: Settings) -> str | None:
    """The version that scores people; None while there is none."""
    try:
        return (_model_dir(settings) / _IN_USE).read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None


def use_risk_model(settings: Settings, version: str) -> None:
    """Let `version` score people from the next run on. Raises `RiskModelError` when there is no such version."""
    known = [model.version for model in risk_models(settings)]
    if version not in known:
        raise RiskModelError(f"There is no version {version!r}; trained here: {', '.join(known) or 'none'}.")
    with written_whole(_model_dir(settings) / _IN_USE) as beside:
        beside.write_text(version + "\n", encoding="utf-8")


def export_risk_models(settings: Settings) -> tuple[int, str | None]:
    """Write the models to `raw/stratification` for dbt. Returns how many there are, and the version in use.

    Raises `RiskModelError` when a file is not a model, or when the version in use is gone.
    """
    from orchestration.stratification.tables import write_tables

    models, in_use = risk_models(settings), version_in_use(settings)
    if in_use is not None and in_use not in [model.version for model in models]:
        raise RiskModelError(
            f"Version {in_use} is in use, but {_model_dir(settings)} does not hold it. Put the file back, or choose another "
            "with `phm risk use`."
        )
    try:
        write_tables(models, in_use, settings.raw_dir / "stratification")
    except OSError as error:
        raise LandingError(f"cannot write to {settings.raw_dir}: {error}; check free space and permissions") from error
    return len(models), in_use


def _model_dir(settings: Settings) -> Path:
    return settings.models_dir / SCORE


def _window(settings: Settings, index_date: date | None) -> Window:
    with _warehouse(settings) as connection:
        (last_night, history_from) = connection.execute("""
            select
                (select max(as_of) from build.scores.risk_feature),
                (select cast(min(started_at) as date) from build.core.encounter where setting = 'inpatient')""").fetchone()
        (index_date, outcome_to, history_needed_from) = connection.execute(
            f"""
            select
                index_date,
                cast(index_date + interval {OUTCOME_MONTHS} month as date),
                cast(index_date - interval {HISTORY_MONTHS} month as date) + 1
            from (select cast(coalesce($1, $2 - interval {OUTCOME_MONTHS} month) as date) as index_date) as chosen""",
            [index_date, last_night],
        ).fetchone()
    if last_night is None or outcome_to > last_night:
        raise RiskModelError(
            f"The {OUTCOME_MONTHS} months after {index_date} end on {outcome_to}, and the last night was as of {last_night}: "
            "nobody knows yet who will be admitted. Give an earlier index date."
        )
    return Window(index_date, outcome_to, history_needed_from, history_from)


def _people(settings: Settings, past: Path, window: Window) -> People:
    with _warehouse(settings) as connection:
        connection.execute(f"attach {literal(past)} as past (read_only)")
        _describe(connection, window)
        columns = connection.execute("select * exclude (person_id) from described order by row_number").fetchnumpy()
        terms = _terms(connection)
        values = _values(connection, len(columns["row_number"]), len(terms))
    if not len(values):
        raise RiskModelError(
            "Nobody may be trained on: nobody registered then may be seen for secondary use. `phm status` says whether that "
            "purpose is open."
        )
    outcome = np.asarray(columns["is_admitted"], dtype=bool)
    return People(
        index_date=window.index_date,
        outcome_to=window.outcome_to,
        terms=terms,
        values=values,
        outcome=outcome,
        groups={name[6:]: np.asarray(group, dtype=str) for name, group in columns.items() if name.startswith("group_")},
        n_died=int(np.sum(columns["is_dead"] & ~outcome)),
        n_left=int(np.sum(columns["is_gone"] & ~outcome)),
        history_from=window.history_from,
        history_needed_from=window.history_needed_from,
    )


def _describe(connection: duckdb.DuckDBPyConnection, window: Window) -> None:
    """Table `described`: a row a person who may be trained on, in order of their ids, with outcome and groups.

    Who objects today is not trained on, whatever they said on the index date.
    """
    index_date, outcome_to = (f"date {literal(day.isoformat())}" for day in (window.index_date, window.outcome_to))
    connection.execute(f"""
        create temp table described as
        with admitted as (
            select distinct person_record.person_id
            from build.core.encounter as encounter
            inner join build.core.person_record as person_record
                on encounter.record_token = person_record.record_token
            where encounter.setting = 'inpatient'
                and encounter.is_emergency
                and cast(encounter.started_at as date) > {index_date}
                and cast(encounter.started_at as date) <= {outcome_to}
        ),

        still_registered as (
            select distinct person_id
            from build.core.person_registration
            where (valid_from is null or valid_from <= {outcome_to})
                and (valid_to is null or valid_to >= {outcome_to})
        ),

        segment as (
            select
                person_id,
                segment_name
            from build.segments.person_segment
            where scheme = {literal(_SCHEME)}
                and month_end = (
                    select max(month_end)
                    from build.segments.person_segment
                    where month_end <= {index_date}
                )
        )

        select
            feature.person_id,
            row_number() over (order by feature.person_id) - 1 as row_number,
            admitted.person_id is not null as is_admitted,
            coalesce(person.death_date <= {outcome_to}, false) as is_dead,
            (person.death_date is null or person.death_date > {outcome_to})
            and still_registered.person_id is null as is_gone,
            case
                when feature.age_years < 18 then '00-17'
                when feature.age_years < 45 then '18-44'
                when feature.age_years < 65 then '45-64'
                when feature.age_years < 80 then '65-79'
                else '80+'
            end as group_age,
            coalesce(person.sex, 'Not known') as group_sex,
            coalesce(person.ethnic_group, 'Not known') as group_ethnic_group,
            coalesce(cast((feature.imd_decile + 1) // 2 as varchar), 'Not known') as group_deprivation_quintile,
            coalesce(segment.segment_name, 'Not known') as group_segment
        from past.scores.risk_feature as feature
        inner join build.core.person as person
            on feature.person_id = person.person_id
        inner join build.core.person_permission as permission
            on feature.person_id = permission.person_id
            and permission.is_secondary_use_permitted
        left join admitted
            on feature.person_id = admitted.person_id
        left join still_registered
            on feature.person_id = still_registered.person_id
        left join segment
            on feature.person_id = segment.person_id""")


def _terms(connection: duckdb.DuckDBPyConnection) -> tuple[Term, ...]:
    rows = connection.execute("select term_code, feature, lower, upper from build.seeds.risk_term order by term_code").fetchall()
    return tuple(Term(*row) for row in rows)


def _values(connection: duckdb.DuckDBPyConnection, n_people: int, n_terms: int) -> np.ndarray:
    values = np.zeros((n_people, n_terms))
    cells = connection.execute("""
        select
            described.row_number,
            term.place,
            cast(value.value as double) as value
        from past.scores.risk_term_value as value
        inner join described
            on value.person_id = described.person_id
        inner join (
            select
                term_code,
                row_number() over (order by term_code) - 1 as place
            from build.seeds.risk_term
        ) as term
            on value.term_code = term.term_code""").fetchnumpy()
    values[cells["row_number"], cells["place"]] = cells["value"]
    return values


@contextmanager
def _warehouse(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the night's warehouse attached as `build`, for reading."""
    if not settings.build_database.exists():
        raise RiskModelError("There is no warehouse yet: run `phm run` first.")
    with connect(settings.limits, keeps_order=True) as connection:
        attach_warehouse(connection, settings.build_database)
        try:
            yield connection
        except duckdb.CatalogException as error:
            raise RiskModelError("The warehouse was built by an earlier version of this program: run `phm run` first.") from error
