"""Open data: aggregates with small numbers hidden, safe beside every table and every release before.

The build database holds true counts, totals included (schema `marts_open`). All tables of one month are controlled together, as
one system: a total that two tables share is one count, and a part of a whole brings the rest that subtraction would give. A month
of a table is published once. Later releases show it as it was, so that a person who joins, leaves or opts out in between shows in
no difference; a correction waits for the next month. Months of one population are compared with all others: a figure that still
holds is taken as known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import polars as pl

from linkage.sql import ident
from orchestration.publishing.disclosure import UNLIMITED, Counts, DisclosureError, Equations, Policy, protect, shown_range
from orchestration.publishing.disclosure_ledger import LEDGER_COLUMNS, DisclosureLedger

TOTAL = "all"
PERIOD = "month_end"

_PARENT_TYPE = {"practice": "pcn", "pcn": "place", "place": TOTAL}


@dataclass(frozen=True)
class Measure:
    """A count of a table.

    Counts of one `population` in one area are the same count in whichever table they stand. `over` names the dimensions beside
    the area that divide it. `part_of` names a measure of the same row that contains it, `follows` the count of people behind it.
    """

    name: str
    population: str
    over: tuple[str, ...] = ()
    part_of: str | None = None
    follows: str | None = None

    @property
    def hidden_flag(self) -> str:
        return f"is_{self.name}_hidden"


@dataclass(frozen=True)
class Ratio:
    """`per` times one measure over another, from the figures as they are shown: a rate, for which a denominator may be too small,
    or a mean.
    """

    name: str
    of: str
    over: str
    per: int = 1
    is_rate: bool = True


@dataclass(frozen=True)
class OpenTable:
    """A table of open data: one row per month end, area and value of each dimension; `all` is the total of a dimension.

    `is_stock` says that people stay from one month to the next, so that months can be compared; events are others each month.
    """

    name: str
    dimensions: tuple[str, ...]
    measures: tuple[Measure, ...]
    ratios: tuple[Ratio, ...] = ()
    is_stock: bool = True


OPEN_TABLES = (
    OpenTable("agg_population", ("age_band", "sex"), (Measure("n_people", "registered", over=("age_band", "sex")),)),
    OpenTable("agg_deprivation", ("imd_quintile",), (Measure("n_people", "registered", over=("imd_quintile",)),)),
    OpenTable("agg_segment", ("segment_code",), (Measure("n_people", "registered", over=("segment_code",)),)),
    OpenTable(
        "agg_condition",
        ("condition_code",),
        (
            Measure("n_patients", "on_register", over=("condition_code",), part_of="n_registered"),
            Measure("n_registered", "registered"),
        ),
        (Ratio("percent_on_register", "n_patients", "n_registered", per=100),),
    ),
    OpenTable(
        "agg_activity",
        ("setting",),
        (
            Measure("n_people", "in_contact", over=("setting",)),
            Measure("n_contacts", "contact", over=("setting",), follows="n_people"),
        ),
        (Ratio("contacts_per_person", "n_contacts", "n_people", is_rate=False),),
        is_stock=False,
    ),
)

#: Tables of open data that hold knowledge and nobody (seed rows, in words): published as they are.
OPEN_DEFINITIONS = ("definition", "definition_rule", "definition_link")


def control(
    tables: Mapping[str, pl.DataFrame],
    policy: Policy,
    ledger: DisclosureLedger,
    release_id: str,
    specifications: Sequence[OpenTable] = OPEN_TABLES,
) -> dict[str, pl.DataFrame]:
    """The tables as they may be published, by name, from the true counts in `tables`.

    Months that the ledger holds are given as they were published; others are controlled and written to the ledger, pending.
    Raises `DisclosureError` when totals are not the sums of their parts, or two tables disagree on a count.
    """
    earlier = {table.name: ledger.published(table.name) for table in specifications}
    facts = [_facts(table, rows) for table in specifications if (rows := earlier[table.name]) is not None]
    fresh = {table.name: _fresh(table, tables[table.name], earlier[table.name]) for table in specifications}
    made: dict[str, list[pl.DataFrame]] = {table.name: [] for table in specifications}
    for month in sorted(set().union(*(rows[PERIOD].unique() for rows in fresh.values()))):
        of_month = {table: fresh[table.name].filter(pl.col(PERIOD) == month) for table in specifications}
        of_month = {table: rows for table, rows in of_month.items() if rows.height}
        for table, rows in _control_month(of_month, policy, month, facts).items():
            made[table.name].append(rows)
            facts.append(_facts(table, ledger.marked(rows, release_id, policy)))
    published = {}
    for table in specifications:
        new = pl.concat(made[table.name]) if made[table.name] else fresh[table.name].clear()
        if new.height:
            ledger.add(release_id, policy, table.name, new)
        old = earlier[table.name]
        shown = new if old is None else pl.concat([old.drop(LEDGER_COLUMNS), new], how="diagonal")
        published[table.name] = _with_ratios(table, shown, policy).select(tables[table.name].columns).sort(_keys(table))
    return published


def read_true_counts(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, pl.DataFrame]:
    """The tables of `schema` that open data is made of, by name.

    Raises `DisclosureError` naming the first that is missing.
    """
    tables = {}
    for table in OPEN_TABLES:
        try:
            tables[table.name] = connection.sql(f"select * from {schema}.{ident(table.name)}").pl()
        except duckdb.CatalogException as error:
            raise DisclosureError(f"There is no table {table.name} in {schema}: the dbt build did not finish.") from error
    return tables


def read_policy(connection: duckdb.DuckDBPyConnection, seed: str, code: str) -> Policy:
    """The policy `code` from the seed table `seed`.

    Raises `DisclosureError` when there is none, naming those there are, or when it contradicts itself.
    """
    columns = ", ".join(ident(name) for name in Policy.__dataclass_fields__)
    rows = connection.execute(f"select {columns} from {seed} order by code").fetchall()
    policies = {row[0]: row for row in rows}
    if code not in policies:
        raise DisclosureError(f"There is no disclosure policy {code!r}; the policies are {', '.join(policies)}.")
    return Policy(*policies[code])


def _keys(table: OpenTable) -> list[str]:
    return [PERIOD, "area_type", "area_code", *table.dimensions]


def _fresh(table: OpenTable, true_counts: pl.DataFrame, earlier: pl.DataFrame | None) -> pl.DataFrame:
    """Rows of the months that were never published, with a row of zeros for each area and value that nobody has."""
    if earlier is not None:
        true_counts = true_counts.join(earlier.select(PERIOD).unique(), on=PERIOD, how="anti")
    grid = true_counts.select(PERIOD, "area_type", "area_code", "parent_area_code").unique()
    for dimension in table.dimensions:
        grid = grid.join(true_counts.select(PERIOD, dimension).unique(), on=PERIOD)
    counted = true_counts.drop("parent_area_code")
    names = [measure.name for measure in table.measures]
    return grid.join(counted, on=_keys(table), how="left").with_columns(pl.col(names).fill_null(0))


def _cell(table: OpenTable, measure: Measure, replaced: str | None = None) -> pl.Expr:
    """The name of a count, the same in every table and every month; with `replaced`, of the total over that dimension."""
    area_type, area_code = pl.col("area_type"), pl.col("area_code")
    if replaced == "area":
        area_type, area_code = area_type.replace(_PARENT_TYPE), pl.col("parent_area_code")
    area = pl.when(area_type == TOTAL).then(pl.lit("")).otherwise(pl.format("|{}={}", area_type, area_code))
    divided = [
        pl.when(pl.col(name) == TOTAL).then(pl.lit("")).otherwise(pl.format(f"|{name}={{}}", pl.col(name)))
        for name in table.dimensions
        if name in measure.over and name != replaced
    ]
    return pl.concat_str([pl.lit(measure.population), area, *divided])


def _cells(table: OpenTable, rows: pl.DataFrame) -> pl.DataFrame:
    """One row per count of the rows of one month: its name, its value, and the count of people it follows."""
    people = {measure.name: measure for measure in table.measures}
    parts = [
        rows.select(
            cell=_cell(table, measure),
            value=pl.col(measure.name).cast(pl.Int64),
            follows=_cell(table, people[measure.follows]) if measure.follows else pl.lit(None, dtype=pl.String),
        )
        for measure in table.measures
    ]
    return pl.concat(parts).unique()


def _entries(table: OpenTable, rows: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """One row per equation and count in it: a total and its parts along each dimension, a whole and its part."""
    entries = []
    for measure in table.measures:
        totalled = [name for name in measure.over if (rows[name] == TOTAL).any()]
        for dimension in ["area", *totalled]:
            is_part = pl.col("area_type" if dimension == "area" else dimension) != TOTAL
            pairs = rows.filter(is_part).select(part=_cell(table, measure), total=_cell(table, measure, dimension)).unique()
            equation = pl.format(f"{table.name}|{dimension}|{{}}", "total")
            entries.append(pairs.select(equation=equation, cell="part", sign=pl.lit(1)))
            entries.append(pairs.select("total").unique().select(equation=equation, cell="total", sign=pl.lit(-1)))
        if measure.part_of:
            (whole,) = (other for other in table.measures if other.name == measure.part_of)
            near = rows.filter(_is_nearly_whole(measure, policy))
            pairs = near.select(part=_cell(table, measure), whole=_cell(table, whole)).unique()
            for cell, sign in ((pl.col("part"), 1), (pl.col("whole"), -1), (_rest(pl.col("part")), 1)):
                entries.append(pairs.select(equation=pl.format("rest|{}", "part"), cell=cell, sign=pl.lit(sign)))
    return pl.concat(entries)


def _is_nearly_whole(measure: Measure, policy: Policy) -> pl.Expr:
    """True where a part leaves few of its whole over, or the whole is small: there subtraction tells of few people."""
    whole = pl.col(measure.part_of)
    return (whole - pl.col(measure.name)).is_between(1, policy.hidden_to) | (whole <= policy.hidden_to)


def _rest(part: pl.Expr) -> pl.Expr:
    return pl.format("rest|{}", part)


def _rests(table: OpenTable, rows: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Counts that no table holds and subtraction gives."""
    parts = [
        rows.filter(_is_nearly_whole(measure, policy)).select(
            cell=_rest(_cell(table, measure)),
            value=(pl.col(measure.part_of) - pl.col(measure.name)).cast(pl.Int64),
            follows=pl.lit(None, dtype=pl.String),
        )
        for measure in table.measures
        if measure.part_of
    ]
    return pl.concat(parts).unique() if parts else _cells(table, rows.clear())


def _facts(table: OpenTable, rows: pl.DataFrame) -> pl.DataFrame:
    """What published rows tell of each count: month, least, most. `rows` carry the policy's `hidden_to` and `round_base`."""
    hidden_to, round_base = rows["hidden_to"].to_numpy(), rows["round_base"].to_numpy()
    parts = []
    for measure in table.measures:
        figures = rows[measure.name].cast(pl.Int64).fill_null(0).to_numpy()
        least, most = shown_range(figures, hidden_to, round_base)
        is_hidden = rows[measure.hidden_flag].to_numpy()
        parts.append(
            rows.select(
                PERIOD,
                cell=_cell(table, measure),
                least=pl.Series(np.where(is_hidden, 0, least)),
                most=pl.Series(np.where(is_hidden, UNLIMITED, most)),
                is_stock=pl.lit(table.is_stock),
            )
        )
    return pl.concat(parts).unique()


def _control_month(
    tables: Mapping[OpenTable, pl.DataFrame], policy: Policy, month: date, facts: Sequence[pl.DataFrame]
) -> dict[OpenTable, pl.DataFrame]:
    """Rows of one month of every table that publishes it, with small numbers hidden and the others rounded."""
    cells = pl.concat([_cells(table, rows) for table, rows in tables.items()]).unique().with_columns(is_published=pl.lit(True))
    rests = (
        pl.concat([_rests(table, rows, policy) for table, rows in tables.items()])
        .unique()
        .with_columns(is_published=pl.lit(False))
    )
    cells = pl.concat([cells, rests]).with_row_index("index")
    if cells["cell"].is_duplicated().any():
        disputed = cells.filter(pl.col("cell").is_duplicated())["cell"].unique().sort()
        raise DisclosureError(f"{month}: {len(disputed)} counts differ from table to table, among them {disputed[0]!r}.")
    entries = pl.concat([_entries(table, rows, policy) for table, rows in tables.items()])
    try:
        hidden = protect(_system(cells, entries, month, facts), policy)[: cells.height]
    except DisclosureError as error:
        raise DisclosureError(f"{month}: {error}") from error
    shown = policy.rounded(cells["value"].to_numpy())
    outcome = cells.select("cell", hidden=pl.Series(hidden), shown=pl.Series(shown))
    return {table: _shown(table, rows, outcome) for table, rows in tables.items()}


def _shown(table: OpenTable, rows: pl.DataFrame, outcome: pl.DataFrame) -> pl.DataFrame:
    for measure in table.measures:
        of_row = rows.select(cell=_cell(table, measure)).join(outcome, on="cell", how="left", maintain_order="left")
        kept = rows.schema[measure.name]
        figures = pl.when(~of_row["hidden"]).then(of_row["shown"]).cast(kept)
        rows = rows.with_columns(figures.alias(measure.name), of_row["hidden"].alias(measure.hidden_flag))
    return rows


def _system(cells: pl.DataFrame, entries: pl.DataFrame, month: date, facts: Sequence[pl.DataFrame]) -> Counts:
    """The counts and equations of one month, with what other publications tell of them."""
    n = cells.height
    told = None
    if facts:
        comparable = pl.concat(facts).filter(pl.col("is_stock") | (pl.col(PERIOD) == month))
        told = comparable.group_by(PERIOD, "cell").agg(pl.max("least"), pl.min("most")).filter(pl.col("least") <= pl.col("most"))
    known = _still_true(cells, told)
    entries = entries.join(cells.select("cell", "index"), on="cell")
    old_entries, fixed = _equations_of_other_months(cells, entries, told, n)
    everything = pl.concat([entries.select("equation", "index", "sign"), old_entries])
    index = dict(cells.select("cell", "index").iter_rows())
    follows = np.array([-1 if name is None else index[name] for name in cells["follows"]] + [-1] * fixed.height)
    ours, theirs = np.zeros(n, dtype=bool), np.ones(fixed.height, dtype=bool)
    return Counts(
        value=np.concatenate([cells["value"].to_numpy(), fixed["least"].to_numpy()]),
        equations=Equations(
            everything["equation"].rank("dense").to_numpy().astype(np.int64) - 1,
            everything["index"].to_numpy().astype(np.int64),
            everything["sign"].to_numpy().astype(np.int64),
        ),
        is_published=np.concatenate([cells["is_published"].to_numpy(), theirs]),
        is_fixed=np.concatenate([ours, theirs]),
        known_least=np.concatenate([known["least"].to_numpy(), fixed["least"].to_numpy()]),
        known_most=np.concatenate([known["most"].to_numpy(), fixed["most"].to_numpy()]),
        follows=follows,
    )


_HOLDS = pl.col("value").is_between(pl.col("least"), pl.col("most"))


def _still_true(cells: pl.DataFrame, told: pl.DataFrame | None) -> pl.DataFrame:
    """For each count, in order, the range left by the figures that still fit it: a reader may know that it stood still."""
    if told is None:
        return cells.select(least=pl.lit(0, dtype=pl.Int64), most=pl.lit(UNLIMITED, dtype=pl.Int64))
    held = cells.join(told, on="cell").filter(_HOLDS).group_by("index").agg(pl.max("least"), pl.min("most"))
    return (
        cells.select("index")
        .join(held, on="index", how="left", maintain_order="left")
        .select(pl.col("least").fill_null(0), pl.col("most").fill_null(UNLIMITED))
    )


def _equations_of_other_months(
    cells: pl.DataFrame, entries: pl.DataFrame, told: pl.DataFrame | None, n: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Equations of other months in which some counts stood still and others changed.

    A count that changed has the range that was published, and stands for itself, from index `n` on; an equation of which every
    count stood still is that of this month. Returns entries, and ranges.
    """
    nothing = entries.select("equation", "index", "sign").clear(), pl.DataFrame(schema={"least": pl.Int64, "most": pl.Int64})
    if told is None:
        return nothing
    then = entries.join(cells.select("cell", "value"), on="cell").join(told, on="cell")
    then = then.with_columns(equation=pl.format("{}|{}", pl.col(PERIOD).cast(pl.String), "equation"), holds=_HOLDS)
    size = entries.group_by("equation").len("n_entries")
    then = then.join(size.rename({"equation": "now"}), left_on=pl.col("equation").str.slice(11), right_on="now")
    then = then.filter((pl.len() == pl.col("n_entries")).over("equation"))
    # Where the rest does not add up, a count that was hidden has changed too: any one of them, each for itself.
    broken = then.filter(~_may_hold())
    was_hidden = broken.filter(pl.col("holds") & (pl.col("most") >= UNLIMITED)).select("equation", changed="index")
    freed = broken.join(was_hidden, on="equation").with_columns(
        equation=pl.format("{}|{}", "equation", "changed"), holds=pl.col("holds") & (pl.col("index") != pl.col("changed"))
    )
    then = pl.concat([then.filter(_may_hold()), freed.drop("changed").filter(_may_hold())])
    then = then.filter((~pl.col("holds")).any().over("equation"), pl.col("holds").any().over("equation"))
    changed = then.filter(~pl.col("holds")).with_row_index("own")
    stood = then.filter("holds").select("equation", "index", "sign")
    own = changed.select("equation", (pl.col("own") + n).cast(stood.schema["index"]).alias("index"), "sign")
    return pl.concat([stood, own]), changed.select("least", "most")


def _may_hold() -> pl.Expr:
    """True for an equation of another month that can hold: counts that stood still as they are, others in their range."""
    now, is_part = pl.col("value"), pl.col("sign") > 0
    low = pl.when("holds").then(now).when(is_part).then("least").otherwise("most") * pl.col("sign")
    high = pl.when("holds").then(now).when(is_part).then("most").otherwise("least") * pl.col("sign")
    return ((low.sum() <= 0) & (high.sum() >= 0)).over("equation")


def _with_ratios(table: OpenTable, rows: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Rates and means from the figures as they are shown; NULL where a figure is hidden or the denominator too small."""
    for ratio in table.ratios:
        least = policy.min_denominator if ratio.is_rate else 1
        is_hidden = pl.col(ratio.of).is_null() | pl.col(ratio.over).is_null() | (pl.col(ratio.over).is_between(1, least - 1))
        value = (ratio.per * pl.col(ratio.of) / pl.col(ratio.over)).round(1)
        rows = rows.with_columns(
            pl.when(~is_hidden & (pl.col(ratio.over) > 0)).then(value).alias(ratio.name),
            is_hidden.alias(f"is_{ratio.name}_hidden"),
        )
    return rows
