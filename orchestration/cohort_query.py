"""A cohort definition against a release: are its codes there, who belongs, why, and how many meet each criterion.

Every value of a definition reaches the database as a parameter or a quoted literal; the rest of the SQL is fixed text. A
definition is one query over everybody alive, whatever its shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from linkage.duck import Limits, connect
from linkage.sql import ident, literal
from linkage.whole_file import written_privately
from orchestration.cohort_definition import CohortError, Criterion, Definition, Document, Where, did_you_mean, leaves

_SEX = {"female": "F", "male": "M"}
_AREA_COLUMNS = {
    "practice": "practice_code",
    "pcn": "pcn_code",
    "place": "place_code",
    "borough": "borough_code",
    "lsoa": "lsoa_code",
}

#: Where the codes of a criterion are found: kind -> query for code and name. `{marts}` is the schema.
_CODES = {
    "condition": "select code, name from {marts}.condition",
    "score": "select code, name from {marts}.score",
    "cohort": "select code, name from {marts}.cohort",
    "scheme": "select distinct scheme, scheme from {marts}.segment",
    "ethnic_group": "select distinct ethnic_group, ethnic_group from {marts}.person where ethnic_group is not null",
    **{
        kind: f"select distinct {column}, {column} from {{marts}}.person where {column} is not null"
        for kind, column in _AREA_COLUMNS.items()
    },
}


@dataclass(frozen=True)
class Step:
    """One criterion: `n_met` people meet it, `n_left` meet it and all before it that must hold (None: it is not one of them)."""

    words: str
    depth: int
    n_met: int
    n_left: int | None
    n_unknown: int


@dataclass(frozen=True)
class Membership:
    """What came out: `n_alive` people were looked at. `overlap` holds shipped cohorts and how many members are in each."""

    n_alive: int
    n_members: int
    n_contacts: int
    cost_gbp: float
    steps: Sequence[Step]
    overlap: Sequence[tuple[str, int]]
    n_joined: int | None = None
    n_left: int | None = None


@dataclass(frozen=True)
class Source:
    """A release's database of one purpose."""

    release_id: str
    as_of: date
    database: Path


@dataclass
class _Compiled:
    """SQL in parts: one sub-select a leaf, whose parameters stand in order, and the rule over them."""

    marts: str
    as_of: date
    names: Mapping[str, Mapping[str, str]]
    parameters: list[Any] = field(default_factory=list)

    def value(self, value: Any) -> str:
        """A placeholder for a value."""
        self.parameters.append(list(value) if isinstance(value, tuple) else value)
        return f"${len(self.parameters)}"

    def is_one_of(self, column: str, values: Sequence[str]) -> str:
        return f"list_contains({self.value(tuple(values))}, {column})"


def check_codes(document: Document, source: Source, bands_seed: Path, limits: Limits) -> None:
    """Does the release know every code of the definition? Raises `CohortError` with each that it does not, and those near it."""
    with _attached(limits, source) as connection:
        known = _known_codes(connection, "release.marts")
        known |= {f"band of {code}": bands for code, bands in _bands(connection, bands_seed).items()}
    faults = [
        document.fault(
            at, f"there is no {kind} {code!r} in release {source.release_id}; {did_you_mean(code, known.get(kind, {}))}"
        )
        for kind, code, at in _codes_used(document.definition.who)
        if code not in known.get(kind, {})
    ]
    if faults:
        raise CohortError("\n".join(faults))


def evaluate(
    definition: Definition, source: Source, limits: Limits, target: Path | None, before: Source | None = None
) -> Membership:
    """Find the members and write them to `target` (.csv or .parquet), whole or not at all.

    One row a member: person_id, cohort, version, as_of, release_id, change, evidence. With an earlier release `before`, `change`
    says joined or stayed, and people who left since have a row as well, with the evidence they had then. Otherwise it is empty.
    """
    with _attached(limits, source, before) as connection:
        steps, n_alive = _find(connection, definition, "release", source.as_of)
        joined_and_left: tuple[int | None, int | None] = (None, None)
        if before is not None:
            _find(connection, definition, "before", before.as_of)
            joined_and_left = connection.execute(
                "select (select count(*) from member_release where person_id not in (select person_id from member_before)), "
                "(select count(*) from member_before where person_id not in (select person_id from member_release))"
            ).fetchall()[0]
        if target is not None:
            _write(connection, definition, source, before, target)
        n_members, n_contacts, cost = _size(connection, source.as_of)
        overlap = connection.execute(
            "select cohort.name, count(*) from release.marts.person_cohort as member "
            "inner join release.marts.cohort as cohort on member.cohort_code = cohort.code "
            "where member.exited_on is null and member.person_id in (select person_id from member_release) "
            "group by cohort.name order by count(*) desc, cohort.name"
        ).fetchall()
    return Membership(n_alive, n_members, n_contacts, cost, steps, overlap, *joined_and_left)


def _size(connection: duckdb.DuckDBPyConnection, as_of: date) -> tuple[int, int, float]:
    """Members, and their contacts and cost in the 12 months to the run's month."""
    return connection.execute(
        "select (select count(*) from member_release), cast(coalesce(sum(n_contacts), 0) as bigint), "
        "cast(coalesce(sum(cost_gbp), 0) as double) from release.marts.person_activity_month "
        "where person_id in (select person_id from member_release) and month_end > last_day(cast($1 as date) - to_months(12))",
        [as_of],
    ).fetchall()[0]


def _find(connection: duckdb.DuckDBPyConnection, definition: Definition, database: str, as_of: date) -> tuple[list[Step], int]:
    """Make `member_<database>` (person_id, evidence) from an attached database. Returns the steps, and how many are alive."""
    marts = f"{ident(database)}.marts"
    compiled = _Compiled(marts, as_of, _known_codes(connection, marts))
    found = [(leaf, is_negated) for leaf, _, is_negated in leaves(definition.who)]
    selects = [_leaf_sql(leaf, compiled) for leaf, _ in found]
    joins = " ".join(f"left join ({sql}) as c{n} on person.person_id = c{n}.person_id" for n, sql in enumerate(selects))
    flags = "".join(f", c{n}.person_id is not null as met_{n}, c{n}.evidence as evidence_{n}" for n in range(len(selects)))
    unknown = "".join(f", {_unknown_sql(leaf)} as unknown_{n}" for n, (leaf, _) in enumerate(found))
    connection.execute(
        f"create temp table met_{database} as select person.person_id{flags}{unknown} from {marts}.person as person {joins} "
        "where person.is_alive",
        compiled.parameters,
    )
    pieces = ", ".join(
        f"case when not met_{n} then {literal(f'not: {_words(leaf, compiled.names)}')} end" if is_negated
        else f"case when met_{n} then evidence_{n} end"
        for n, (leaf, is_negated) in enumerate(found)
    )  # fmt: skip
    told = list(_told(definition.who, iter(range(len(found))), 0))
    connection.execute(
        f"create temp table member_{database} as select person_id, concat_ws('; ', {pieces}) as evidence "
        f"from met_{database} where {told[0].rule}"
    )
    return _steps(connection, told, database, compiled.names)


@dataclass(frozen=True)
class _Told:
    """A criterion, how deep it stands, its SQL over the columns met_0, met_1, ..., and its number when it holds no others."""

    criterion: Criterion
    depth: int
    rule: str
    number: int | None


def _told(criterion: Criterion, numbers: Iterator[int], depth: int) -> Iterator[_Told]:
    """Every criterion from the top, in order; those that hold no others numbered as `leaves` gives them."""
    if not criterion.parts:
        number = next(numbers)
        yield _Told(criterion, depth, f"met_{number}", number)
        return
    inside = [list(_told(part, numbers, depth + 1)) for part in criterion.parts]
    yield _Told(criterion, depth, _joined(criterion, [part[0].rule for part in inside]), None)
    for part in inside:
        yield from part


def _steps(
    connection: duckdb.DuckDBPyConnection, told: Sequence[_Told], database: str, names: Mapping[str, Mapping[str, str]]
) -> tuple[list[Step], int]:
    """How many meet each criterion, the joining ones among them; and how many were looked at."""
    counts = ["count(*)"]
    so_far: list[str] = []
    for each in told:
        must_hold = told[0].criterion.all is not None and each.depth == 1
        so_far += [each.rule] if must_hold else []
        counts.append(f"count(*) filter (where {each.rule})")
        counts.append(f"count(*) filter (where {' and '.join(so_far)})" if must_hold else "null")
        counts.append("0" if each.number is None else f"count(*) filter (where unknown_{each.number})")
    n_alive, *rest = connection.execute(f"select {', '.join(counts)} from met_{database}").fetchall()[0]
    steps = [Step(_words(each.criterion, names), each.depth, *rest[3 * n : 3 * n + 3]) for n, each in enumerate(told)]
    return steps, n_alive


def _joined(criterion: Criterion, rules: Sequence[str]) -> str:
    if criterion.not_ is not None:
        return f"(not {rules[0]})"
    return f"({(' and ' if criterion.all else ' or ').join(rules)})"


def _leaf_sql(leaf: Criterion, compiled: _Compiled) -> str:
    """People who meet a leaf: one row each with person_id and evidence in words."""
    return _LEAVES[leaf.kind](leaf.value, compiled)


def _age_sql(value: Any, compiled: _Compiled) -> str:
    return _person_sql(compiled, _between("age_years", value, compiled), "'aged ' || age_years")


def _sex_sql(value: Any, compiled: _Compiled) -> str:
    rule = compiled.is_one_of("sex", [_SEX[sex] for sex in value])
    return _person_sql(compiled, rule, "case sex when 'F' then 'female' else 'male' end")


def _ethnic_group_sql(value: Any, compiled: _Compiled) -> str:
    return _person_sql(compiled, compiled.is_one_of("ethnic_group", value), "'ethnic group ' || ethnic_group")


def _deprivation_sql(value: Any, compiled: _Compiled) -> str:
    return _person_sql(compiled, _between("imd_decile", value, compiled), "'deprivation decile ' || imd_decile")


def _area_sql(value: Any, compiled: _Compiled) -> str:
    given = [(kind, getattr(value, kind)) for kind in _AREA_COLUMNS if getattr(value, kind) is not None]
    rule = " and ".join(compiled.is_one_of(_AREA_COLUMNS[kind], codes) for kind, codes in given)
    return _person_sql(compiled, rule, " || ', ' || ".join(f"'{kind} ' || {_AREA_COLUMNS[kind]}" for kind, _ in given))


def _registered_sql(value: Any, compiled: _Compiled) -> str:
    rule = f"coalesce(is_registered, false) = {compiled.value(value)}"
    return _person_sql(
        compiled, rule, "case when is_registered then 'registered with ' || practice_code else 'not registered' end"
    )


def _condition_sql(value: Any, compiled: _Compiled) -> str:
    rule = compiled.is_one_of("held.condition_code", value.any_of)
    since = "coalesce(held.active_from, held.onset_date)"
    if value.began_within_months is not None:
        as_of, months = compiled.value(compiled.as_of), compiled.value(value.began_within_months)
        rule += f" and {since} > cast({as_of} as date) - to_months({months})"
    words = f"definition.name || coalesce(' since ' || {since}, '') || ' (' || held.sources || ')'"
    return (
        f"select held.person_id, string_agg({words}, ', ' order by held.condition_code) as evidence "
        f"from {compiled.marts}.person_condition as held "
        f"inner join {compiled.marts}.condition as definition on held.condition_code = definition.code "
        f"where held.is_active and {rule} group by held.person_id having count(*) >= {compiled.value(value.at_least)}"
    )


def _score_sql(value: Any, compiled: _Compiled) -> str:
    rules = [f"scored.score_code = {compiled.value(value.code)}"]
    if value.band is not None:
        rules.append(compiled.is_one_of("scored.band", value.band))
    if value.at_least is not None:
        rules.append(f"scored.value >= {compiled.value(value.at_least)}")
    if value.at_most is not None:
        rules.append(f"scored.value <= {compiled.value(value.at_most)}")
    words = "definition.name || ' ' || round(scored.value, 3) || coalesce(' (' || scored.band || ')', '')"
    return (
        f"select scored.person_id, {words} as evidence from {compiled.marts}.person_score as scored "
        f"inner join {compiled.marts}.score as definition on scored.score_code = definition.code where {' and '.join(rules)}"
    )


def _segment_sql(value: Any, compiled: _Compiled) -> str:
    return (
        f"select person_id, segment_name || ' at ' || month_end as evidence from {compiled.marts}.person_segment "
        f"where scheme = {compiled.value(value.scheme)} and {compiled.is_one_of('segment_code', value.code)} "
        f"and month_end = (select max(month_end) from {compiled.marts}.person_segment)"
    )


def _cohort_sql(value: Any, compiled: _Compiled) -> str:
    words = "definition.name || ' (' || member.evidence || ')'"
    return (
        f"select member.person_id, string_agg({words}, ', ' order by member.cohort_code) as evidence "
        f"from {compiled.marts}.person_cohort as member "
        f"inner join {compiled.marts}.cohort as definition on member.cohort_code = definition.code "
        f"where member.exited_on is null and {compiled.is_one_of('member.cohort_code', value)} group by member.person_id"
    )


def _activity_sql(value: Any, compiled: _Compiled) -> str:
    column = "n_emergency" if value.emergency_only else "n_contacts"
    within = f"month_end > last_day(cast({compiled.value(compiled.as_of)} as date) - to_months({compiled.value(value.months)}))"
    if value.setting is not None:
        within += f" and {compiled.is_one_of('setting', value.setting)}"
    rules = []
    if value.at_least is not None:
        rules.append(f"n >= {compiled.value(value.at_least)}")
    if value.at_most is not None:
        rules.append(f"n <= {compiled.value(value.at_most)}")
    words = f"{literal(f'{_contacts(value)} in {value.months} months: ')} || n"
    return (
        f"select person_id, {words} as evidence from ("
        f"select known.person_id, coalesce(sum(used.{column}), 0) as n from {compiled.marts}.person as known left join ("
        f"select person_id, {column} from {compiled.marts}.person_activity_month where {within}"
        f") as used on known.person_id = used.person_id group by known.person_id) as counted where {' and '.join(rules)}"
    )


_LEAVES: Mapping[str, Callable[[Any, _Compiled], str]] = {
    "age": _age_sql,
    "sex": _sex_sql,
    "ethnic_group": _ethnic_group_sql,
    "deprivation_decile": _deprivation_sql,
    "area": _area_sql,
    "registered": _registered_sql,
    "condition": _condition_sql,
    "score": _score_sql,
    "segment": _segment_sql,
    "cohort": _cohort_sql,
    "activity": _activity_sql,
}

#: Facts of a person that may not be known: kind of leaf -> columns of `person`.
_FACTS = {"age": ("age_years",), "sex": ("sex",), "ethnic_group": ("ethnic_group",), "deprivation_decile": ("imd_decile",)}


def _person_sql(compiled: _Compiled, rule: str, words: str) -> str:
    return f"select person_id, {words} as evidence from {compiled.marts}.person where {rule}"


def _between(column: str, span: Any, compiled: _Compiled) -> str:
    rules = []
    if span.from_ is not None:
        rules.append(f"{column} >= {compiled.value(span.from_)}")
    if span.to is not None:
        rules.append(f"{column} <= {compiled.value(span.to)}")
    return " and ".join(rules)


def _unknown_sql(leaf: Criterion) -> str:
    columns = _FACTS.get(leaf.kind, ())
    if leaf.kind == "area":
        columns = tuple(column for kind, column in _AREA_COLUMNS.items() if getattr(leaf.value, kind) is not None)
    return " or ".join(f"person.{column} is null" for column in columns) or "false"


def _words(criterion: Criterion, names: Mapping[str, Mapping[str, str]]) -> str:
    """A criterion in a few words."""
    value = criterion.value
    if criterion.parts:
        return {"all": "all of:", "any": "any of:", "not": "not:"}[criterion.kind]
    if criterion.kind in ("age", "deprivation_decile"):
        return f"{criterion.kind.replace('_', ' ')} {_span(value.from_, value.to)}"
    if criterion.kind in ("sex", "ethnic_group"):
        return f"{criterion.kind.replace('_', ' ')} {' or '.join(value)}"
    if criterion.kind == "area":
        given = [(kind, getattr(value, kind)) for kind in _AREA_COLUMNS if getattr(value, kind) is not None]
        return " and ".join(f"{kind} {' or '.join(codes)}" for kind, codes in given)
    if criterion.kind == "registered":
        return "registered" if value else "not registered"
    if criterion.kind == "condition":
        listed = " or ".join(names["condition"].get(code, code) for code in value.any_of)
        least = f"at least {value.at_least} of: " if value.at_least > 1 else ""
        began = f", begun within {value.began_within_months} months" if value.began_within_months is not None else ""
        return f"{least}{listed}{began}"
    if criterion.kind == "score":
        asked = [" or ".join(value.band)] if value.band is not None else []
        asked += [_span(value.at_least, value.at_most)] if value.at_least is not None or value.at_most is not None else []
        return f"{names['score'].get(value.code, value.code)} {', '.join(asked)}"
    if criterion.kind == "segment":
        return f"segment {' or '.join(value.code)} of {value.scheme}"
    if criterion.kind == "cohort":
        return f"cohort {' or '.join(names['cohort'].get(code, code) for code in value)}"
    return f"{_contacts(value)} in {value.months} months: {_span(value.at_least, value.at_most)}"


def _contacts(value: Any) -> str:
    kind = "emergency contacts" if value.emergency_only else "contacts"
    return kind if value.setting is None else f"{kind} ({' or '.join(value.setting).replace('_', ' ')})"


def _span(low: float | None, high: float | None) -> str:
    if low is None:
        return f"{high} or less"
    return f"{low} or more" if high is None else f"{low} to {high}"


def _codes_used(criterion: Criterion) -> Iterator[tuple[str, str, Where]]:
    """Kind, code and place of every code of a definition."""
    for leaf, at, _ in leaves(criterion):
        value, here = leaf.value, (*at, leaf.kind)
        if leaf.kind == "condition":
            yield from ((leaf.kind, code, (*here, "any_of", n)) for n, code in enumerate(value.any_of))
        elif leaf.kind in ("cohort", "ethnic_group"):
            yield from ((leaf.kind, code, (*here, n)) for n, code in enumerate(value))
        elif leaf.kind == "score":
            yield "score", value.code, (*here, "code")
            yield from ((f"band of {value.code}", band, (*here, "band", n)) for n, band in enumerate(value.band or ()))
        elif leaf.kind == "segment":
            yield "scheme", value.scheme, (*here, "scheme")
            yield from ((f"segment of {value.scheme}", code, (*here, "code", n)) for n, code in enumerate(value.code))
        elif leaf.kind == "area":
            for kind in _AREA_COLUMNS:
                yield from ((kind, code, (*here, kind, n)) for n, code in enumerate(getattr(value, kind) or ()))


def _known_codes(connection: duckdb.DuckDBPyConnection, marts: str) -> dict[str, dict[str, str]]:
    known = {kind: dict(connection.execute(query.format(marts=marts)).fetchall()) for kind, query in _CODES.items()}
    for scheme, code, name in connection.execute(f"select scheme, code, name from {marts}.segment").fetchall():
        known.setdefault(f"segment of {scheme}", {})[code] = name
    return known


def _bands(connection: duckdb.DuckDBPyConnection, seed: Path) -> dict[str, dict[str, str]]:
    """Bands by score: those of the rules, in which nobody may be today, and those of the release, whose rules may be older."""
    query = (
        f"select score_code, band from read_csv({literal(seed)}, all_varchar = true) "
        "union select score_code, band from release.marts.person_score where band is not null"
    )
    bands: dict[str, dict[str, str]] = {}
    for score, band in connection.execute(query).fetchall():
        bands.setdefault(score, {})[band] = band
    return bands


def _write(
    connection: duckdb.DuckDBPyConnection, definition: Definition, source: Source, before: Source | None, target: Path
) -> None:
    facts = (
        f"{literal(definition.name)} as cohort, {literal(definition.version)} as version, "
        f"cast({literal(source.as_of.isoformat())} as date) as as_of, {literal(source.release_id)} as release_id"
    )
    change = "cast(null as varchar)"
    left = ""
    if before is not None:
        change = "case when person_id in (select person_id from member_before) then 'stayed' else 'joined' end"
        left = (
            f" union all select person_id, {facts}, 'left' as change, evidence from member_before "
            "where person_id not in (select person_id from member_release)"
        )
    rows = f"select person_id, {facts}, {change} as change, evidence from member_release{left} order by person_id"
    form = "parquet, compression zstd" if target.suffix == ".parquet" else "csv, header"
    if not target.parent.is_dir():
        raise CohortError(f"{target} cannot be written: there is no folder {target.parent}")
    try:
        with written_privately(target) as beside:
            connection.execute(f"copy ({rows}) to {literal(beside)} (format {form})")
    except (OSError, duckdb.IOException) as error:
        raise CohortError(f"{target} cannot be written: {error}") from error


@contextmanager
def _attached(limits: Limits, source: Source, before: Source | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the release's database as `release`, and an earlier one's as `before`."""
    with connect(limits) as connection:
        connection.execute(f"attach {literal(source.database)} as release (read_only)")
        if before is not None:
            connection.execute(f"attach {literal(before.database)} as before (read_only)")
        yield connection
