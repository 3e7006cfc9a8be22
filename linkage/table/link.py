"""`phm link FILE`: a table linked to itself, or to another table, by a model learned from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np

from linkage.duck import Limits, connect
from linkage.errors import LinkageError
from linkage.spec import LinkageSpec
from linkage.sql import literal
from linkage.table.alike import gather_copies
from linkage.table.columns import Columns, recognise
from linkage.table.fields import Field, choose_fields
from linkage.table.learn import REFUSED, Compared, Model, compare, draw_random_pairs, learn, shares, weigh
from linkage.table.pairs import Blocking, choose_pairs
from linkage.table.partition import partition
from linkage.table.read import Table, header, read
from linkage.whole_file import written_privately

#: Pairs of at least this weight (bits, prior included) may link: more likely one person than two.
LINK_WEIGHT = 0.0

#: Pairs from this weight up that did not link are for somebody to look at.
REVIEW_WEIGHT = -4.0

#: Two groups of records are one person only when the mean weight across them is at least this.
LEAST_MEAN_WEIGHT = -2.0

#: What a pair that was not even chosen for comparison says.
WEIGHT_UNCOMPARED = -6.0

#: A file holds people more than once when more than this share of its records, and more than a few, surely have another in it.
SHARE_OF_DUPLICATES = 0.01
FEWEST_DUPLICATES = 4

#: Frequencies and chance agreement are counted in people, who are known better after a first round.
ROUNDS = 2


@dataclass(frozen=True)
class TableReport:
    """What was done. Counts only, nothing about anybody. `bands` counts records: linked, review, separate, unlinkable."""

    n_records: int
    n_clusters: int
    largest_cluster: int
    bands: dict[str, int]
    blocking: Blocking
    #: Which fields were compared, in the order of `weights`: field -> level -> weight in bits.
    weights: dict[str, dict[str, float]]
    expected_matches: float
    notes: tuple[str, ...]


def link_table(
    table: Table,
    columns: Columns,
    output: Path,
    *,
    other: tuple[Table, Columns] | None = None,
    spec: LinkageSpec,
    as_of: date,
    limits: Limits,
) -> TableReport:
    """Link the records of `table`, to one another or, with `other`, to those of another table, and write who is who.

    `output` is CSV or Parquet by its ending, readable by its owner only: record_id (and file, where there are two), cluster_id,
    weight (bits), band, reason. Records of one `cluster_id` are one person. Raises `LinkageError` when a table cannot be read
    or linked, and then writes nothing.
    """
    with connect(limits, keeps_order=True) as connection:
        tables, notes = [], []
        for one, mapping in [(table, columns), *([other] if other else [])]:
            recognised = recognise(header(connection, one.path), mapping)
            tables.append((one, recognised.columns))
            notes += [f"{one.name}: {note}" for note in recognised.notes]
        read(connection, tables, spec, as_of)
        (n_records,) = connection.execute("select count(*) from subject").fetchone()
        if n_records == 1:
            raise LinkageError(f"{table.path} has one record, and nothing to link it to; name another file with --to")
        fields, said = choose_fields(connection)
        if not fields:
            raise LinkageError(f"{table.path}: no column tells people apart: {'; '.join(said) or 'all are empty'}")
        entry = gather_copies(connection, fields)
        known = " or ".join(f'"{field.value}" is not null' for field in fields)
        subjects = connection.execute(f"select file_no, {known} as is_known from subject order by n").fetchnumpy()
        file_no, is_known = np.asarray(subjects["file_no"]), np.asarray(subjects["is_known"], dtype=bool)
        linked = _link(connection, fields, file_no, is_known, spec.seed)
        bands = _write(connection, fields, linked, entry, is_known, tables, output)
    sizes = np.bincount(linked.cluster[entry])
    return TableReport(
        n_records=n_records,
        n_clusters=int((sizes > 0).sum()),
        largest_cluster=int(sizes.max()),
        bands=bands,
        blocking=linked.blocking,
        weights=_weights(fields, linked.model),
        expected_matches=linked.model.prior * linked.blocking.n_possible,
        notes=(*notes, *said, *linked.notes),
    )


@dataclass(frozen=True)
class _Linked:
    cluster: np.ndarray
    compared: Compared
    weight: np.ndarray
    model: Model
    blocking: Blocking
    notes: tuple[str, ...]


def _link(
    connection: duckdb.DuckDBPyConnection, fields: list[Field], file_no: np.ndarray, is_known: np.ndarray, seed: int
) -> _Linked:
    n, two_files = len(file_no), bool(file_no.any())
    # records that say nothing make no pairs, so they are not among the possible ones either
    n_known = [int((is_known & (file_no == number)).sum()) for number in (0, 1)]
    blocking = choose_pairs(connection, fields)
    # an entry of several copies is a pair with itself: known matches to learn from, weighed like any other pair
    connection.execute("insert into pair select entry, entry from record group by entry having count(*) > 1")
    compared = compare(connection, fields)
    draw_random_pairs(connection, file_no, seed=seed)
    by_chance = compare(connection, fields, "random_pair")
    across = file_no[compared.left] != file_no[compared.right] if two_files else np.ones(len(compared.left), dtype=bool)
    n_across = max(n_known[0] * n_known[1] if two_files else n_known[0] * (n_known[0] - 1) // 2, 1)
    cluster = np.arange(n)
    notes: tuple[str, ...] = ()
    model = None
    for _ in range(ROUNDS):
        model = learn(
            fields,
            compared.only(across),
            by_chance,
            shares(connection, fields, cluster),
            cluster,
            int(is_known.sum()),
            n_across,
            model,
        )
        weight = weigh(model, fields, compared)
        used, once = across & (compared.left != compared.right), None
        if two_files:
            used, once, notes = _duplicates(file_no, compared, weight, across)
        cluster = partition(
            n,
            compared.left[used],
            compared.right[used],
            weight[used],
            least_weight=LINK_WEIGHT,
            least_mean=LEAST_MEAN_WEIGHT,
            unknown=WEIGHT_UNCOMPARED,
            once=once,
        )
    used |= compared.left == compared.right
    return _Linked(cluster, compared.only(used), weight[used], model, blocking, notes)


def _duplicates(
    file_no: np.ndarray, compared: Compared, weight: np.ndarray, across: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Which pairs count, and who may appear once only: a file without duplicates gives each person one record at most."""
    once = -1 - np.arange(len(file_no))
    used = across.copy()
    notes = []
    for number in (0, 1):
        within = ~across & (file_no[compared.left] == number)
        sure = within & (weight >= np.log2(0.95 / 0.05))
        doubled = np.unique(np.concatenate([compared.left[sure], compared.right[sure]]))
        members = file_no == number
        if len(doubled) > max(SHARE_OF_DUPLICATES * members.sum(), FEWEST_DUPLICATES):
            used |= within
            notes.append(f"file {number + 1} holds some people more than once, so its records are linked to one another too")
        else:
            once[members] = number
            notes.append(f"file {number + 1} holds people once, so a person is given one of its records at most")
    return used, once, tuple(notes)


def _weights(fields: Sequence[Field], model: Model) -> dict[str, dict[str, float]]:
    return {
        field.name: {level.key: round(float(w), 2) for level, w in zip(field.levels, np.log2(m / u), strict=True)}
        for field, m, u in zip(fields, model.m, model.u, strict=True)
    }


def _write(
    connection: duckdb.DuckDBPyConnection,
    fields: list[Field],
    linked: _Linked,
    entry: np.ndarray,
    is_known: np.ndarray,
    tables: list[tuple[Table, Columns]],
    output: Path,
) -> dict[str, int]:
    """Write one row a record, and count the bands."""
    n = len(linked.cluster)
    left, right, weight = linked.compared.left, linked.compared.right, linked.weight
    same = linked.cluster[left] == linked.cluster[right]
    inside, outside = _best(n, left, right, weight, same), _best(n, left, right, weight, ~same & (weight >= REVIEW_WEIGHT))
    refused = _best(n, left, right, -weight, ~same & (weight <= 1 - REFUSED))
    chosen = np.where(inside >= 0, inside, np.where(outside >= 0, outside, refused))
    is_refused = (inside < 0) & (outside < 0) & (refused >= 0)
    band = np.select([~is_known, inside >= 0, chosen >= 0], ["unlinkable", "linked", "review"], default="separate")
    has = chosen >= 0
    partner, weighs = np.full(n, -1), np.full(n, np.nan)
    partner[has] = np.where(left[chosen[has]] == np.flatnonzero(has), right[chosen[has]], left[chosen[has]])
    weighs[has & ~is_refused] = weight[chosen[has & ~is_refused]]
    connection.register(
        "judged",
        {
            "n": np.arange(len(entry)),
            "cluster": linked.cluster[entry],
            "partner": partner[entry],
            "weight": weighs[entry],
            "band": band[entry].astype(str),
            "words": _in_words(fields, linked.compared.level, chosen)[entry].astype(str),
            "is_refused": is_refused[entry],
        },
    )
    names = ", ".join(f"({number}, {literal(table.name)})" for number, (table, _) in enumerate(tables))
    file_column = "file.name as file," if len(tables) > 1 else ""
    # a copy names the copy before it, and the first of them the last
    query = f"""
        with named as (
            select
                judged.*, record.file_no, record.record_id,
                case
                    when judged.partner = record.entry
                        then coalesce(lag(record.record_id) over copies, last_value(record.record_id) over copies)
                    else partner.record_id
                end as partner_id
            from judged
            inner join record using (n)
            left join subject as partner on judged.partner = partner.n
            window copies as (
                partition by record.entry order by record.n rows between unbounded preceding and unbounded following
            )
        )

        select
            {file_column}
            named.record_id,
            'c' || dense_rank() over (order by named.cluster) as cluster_id,
            case when not isnan(named.weight) then round(named.weight, 2) end as weight,
            named.band,
            case named.band
                when 'unlinkable' then 'nothing in this record says who it is about'
                when 'separate' then 'no other record is enough like it'
                when 'linked' then 'as ' || named.partner_id || ': ' || named.words
                else case when named.is_refused then 'perhaps a twin of ' else 'perhaps the same person as ' end
                    || named.partner_id || ': ' || named.words
            end as reason
        from named
        inner join (values {names}) as file (file_no, name) on named.file_no = file.file_no
        order by named.n"""
    write_private(connection, query, output)
    connection.unregister("judged")
    kinds, counts = np.unique(band[entry], return_counts=True)
    return dict(zip(kinds.tolist(), counts.tolist(), strict=True))


def write_private(connection: duckdb.DuckDBPyConnection, query: str, output: Path) -> None:
    """Write a query's rows to a CSV or Parquet file that only its owner can read, whole or not at all."""
    form = "format parquet, compression zstd" if output.suffix.lower() in (".parquet", ".pq") else "format csv, header true"
    with written_privately(output) as beside:
        connection.execute(f"copy ({query}) to {literal(beside)} ({form})")


def _best(n: int, left: np.ndarray, right: np.ndarray, weight: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """The heaviest chosen pair of each record, -1 for none."""
    best = np.full(n, -1, dtype=np.int64)
    order = np.flatnonzero(chosen)
    order = order[np.argsort(weight[order], kind="stable")]
    best[left[order]] = order
    mirrored = np.full(n, -1, dtype=np.int64)
    mirrored[right[order]] = order
    heavier = (mirrored >= 0) & ((best < 0) | (weight[mirrored] > weight[best])) if len(weight) else mirrored >= 0
    return np.where(heavier, mirrored, best)


def _in_words(fields: list[Field], level: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """What the chosen pair of each record agrees on, in words; empty for none."""
    words = np.full(len(chosen), "", dtype=object)
    has = chosen >= 0
    if has.any():
        patterns, which = np.unique(level[chosen[has]], axis=0, return_inverse=True)
        texts = np.array(
            [
                "; ".join(f"{field.name} {field.levels[at].key}" for field, at in zip(fields, pattern, strict=True) if at >= 0)
                for pattern in patterns.tolist()
            ],
            dtype=object,
        )
        words[has] = texts[which.ravel()]
    return words
