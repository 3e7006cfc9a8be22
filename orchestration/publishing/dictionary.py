"""The data dictionary, generated from dbt's manifest and the source contracts, so that it cannot drift from either.

One Markdown document: what is published, what it is made of, and what suppliers send. Unit tests of a model are printed under it
as its specification.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from orchestration.landing.contract import Column, Source, Table

_LAYERS = [
    ("marts", "Marts", "What a release holds, by lawful purpose. These names and columns are the public interface."),
    ("segments", "Segments", "Grouping the population by need."),
    ("registers", "Registers", "Who has which condition, by rule."),
    ("core", "Core", "One table a subject, all sources together."),
]


def render_dictionary(manifest: Mapping[str, Any], sources: Mapping[str, Source]) -> str:
    """The dictionary as Markdown, from a parsed dbt `manifest.json` and the contracts by source name."""
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    tests = _unit_tests(manifest)
    parts = [
        "# Data dictionary",
        "Generated from the models and contracts by `make dictionary`; edit those, not this page.",
    ]
    for folder, title, text in _LAYERS:
        members = sorted((m for m in models if m["fqn"][1] == folder), key=lambda m: (m["fqn"], m["name"]))
        parts += [f"## {title}", text] if members else []
        parts += [_model(model, tests.get(model["name"], [])) for model in members]
    parts += ["## Sources", "What suppliers send, and what happens to each column at the door."]
    parts += [_source(source) for source in sources.values()]
    return "\n\n".join(parts) + "\n"


def _unit_tests(manifest: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    by_model: dict[str, list[Mapping[str, Any]]] = {}
    for test in manifest.get("unit_tests", {}).values():
        by_model.setdefault(test["model"], []).append(test)
    return by_model


def _model(model: Mapping[str, Any], tests: Iterable[Mapping[str, Any]]) -> str:
    name = model.get("alias") or model["name"]
    purpose = model["config"].get("meta", {}).get("purpose")
    heading = f"### {name}" + (f" ({purpose})" if purpose and model["fqn"][1] == "marts" else "")
    columns = [
        (f"`{column['name']}`", column.get("data_type") or "", column.get("description", ""))
        for column in model["columns"].values()
    ]
    parts = [heading, _one_line(model["description"]), _rows(("column", "type", "meaning"), columns)]
    specification = [f"- {_one_line(test['description'] or test['name'])}" for test in sorted(tests, key=lambda t: t["name"])]
    if specification:
        parts += ["Specification, each line a test:", "\n".join(specification)]
    return "\n\n".join(part for part in parts if part)


def _source(source: Source) -> str:
    terms = source.terms
    facts = f"Supplier: {terms.supplier}. Arrives: {terms.cadence}. Stale after {terms.stale_after_days} days."
    return "\n\n".join([f"### {source.name}", _one_line(source.description), facts, *map(_table, source.tables)])


def _table(table: Table) -> str:
    rows = [(f"`{c.name}`", c.header, c.data_type, _at_the_door(c), c.description) for c in table.columns]
    return "\n\n".join(
        [
            f"#### {table.source}.{table.name}",
            f"{_one_line(table.description)} Key: {', '.join(f'`{name}`' for name in table.terms.key)}.",
            _rows(("column", "supplier's name", "type", "at the door", "meaning"), rows),
        ]
    )


def _at_the_door(column: Column) -> str:
    if column.terms.drop:
        return "dropped"
    if column.is_identity_only:
        return "identity"
    return "content, shared with linkage" if column.roles else "content"


def _rows(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(_one_line(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _one_line(text: str) -> str:
    return " ".join(str(text).split())
