"""Purposes of models: what each may reach, checked on the parsed dbt project before anything is built.

A model states its purpose in `config.meta.purpose` (by folder, in dbt_project.yml). `warehouse` is read by nobody but the models
after it; the others are what people, or a service for them, may see.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

#: Purpose -> purposes of the models it may read.
MAY_READ: dict[str, frozenset[str]] = {
    "warehouse": frozenset({"warehouse"}),
    "risk_stratification": frozenset({"warehouse", "risk_stratification"}),
    "direct_care": frozenset({"warehouse", "risk_stratification", "direct_care"}),
    "secondary_use": frozenset({"warehouse", "risk_stratification", "secondary_use"}),
    "open": frozenset({"warehouse", "secondary_use", "open"}),
}

#: A model of the warehouse with one of these columns holds people.
_PEOPLE = ("person_id", "record_token")
#: A model of the warehouse with this column counts the people of each purpose apart.
_COUNTED_FOR = "counted_for"
_FOR_PURPOSE = "macro.phm.for_purpose"
_COUNTS_FOR_PURPOSE = "macro.phm.counts_for_purpose"
_PURPOSE_ARGUMENT = re.compile(r"for_purpose\([^}]*,\s*['\"](\w+)['\"]\s*\)")
#: Sources that are not about care: our own steps', and lists of organisations and places.
_NOT_CARE = ("linkage", "operations", "reference", "stratification")

AllowedColumns = Mapping[tuple[str, str], frozenset[str]]


class PurposeError(Exception):
    """A model reaches what its purpose may not see; the message says which, what and what to do, one line each."""


def read_allowed_columns(path: Path) -> AllowedColumns:
    """The allow-list of published columns, seed `purpose_column`: (table, column) -> purposes."""
    with path.open(encoding="utf-8", newline="") as file:
        return {(r["table_name"], r["column_name"]): frozenset(r["purposes"].split(";")) for r in csv.DictReader(file)}


def check_purposes(manifest: Mapping[str, Any], allowed: AllowedColumns, approved_sources: frozenset[str]) -> None:
    """Walk the parsed project. `approved_sources` are those that the risk stratification approval covers.

    Raises `PurposeError` with every fault found.
    """
    faults = list(find_faults(manifest, allowed, approved_sources))
    if faults:
        raise PurposeError("The models reach what their purpose may not see (docs/governance.md):\n" + "\n".join(faults))


def find_faults(manifest: Mapping[str, Any], allowed: AllowedColumns, approved_sources: frozenset[str]) -> Iterator[str]:
    """Every fault, in words."""
    models = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}
    for model in models.values():
        purpose = _purpose(model)
        if purpose not in MAY_READ:
            known = ", ".join(MAY_READ)
            yield f"{model['name']} states the purpose {purpose!r}; set meta.purpose to one of {known}."
            continue
        yield from _forbidden_reads(model, models, purpose)
        yield from _people_without_permission(model, models, purpose)
        if model["fqn"][1] == "marts":
            yield from _unlisted_columns(model, allowed, purpose)
        if purpose == "risk_stratification":
            yield from _unapproved_sources(model, models, manifest["sources"], approved_sources)


def _purpose(model: Mapping[str, Any]) -> str | None:
    return model["config"].get("meta", {}).get("purpose")


def _forbidden_reads(model: Mapping[str, Any], models: Mapping[str, Any], purpose: str) -> Iterator[str]:
    for key in model["depends_on"]["nodes"]:
        if key in models and (other := _purpose(models[key])) not in MAY_READ[purpose]:
            yield (
                f"{model['name']} serves {purpose} and reads {models[key]['name']}, which serves {other}; read "
                f"{' or '.join(sorted(MAY_READ[purpose]))} models instead."
            )


def _people_without_permission(model: Mapping[str, Any], models: Mapping[str, Any], purpose: str) -> Iterator[str]:
    if purpose == "warehouse":
        return
    for named in set(_PURPOSE_ARGUMENT.findall(model["raw_code"])) - {purpose}:
        yield f"{model['name']} serves {purpose} but takes the people of {named}; write for_purpose(..., '{purpose}')."
    macros = model["depends_on"]["macros"]
    if _FOR_PURPOSE in macros:
        return
    for key in model["depends_on"]["nodes"]:
        if key in models and _COUNTED_FOR in models[key]["columns"] and _COUNTS_FOR_PURPOSE not in macros:
            yield (
                f"{model['name']} serves {purpose} and reads {models[key]['name']}, which counts the people of every purpose; "
                "take its own through macro counts_for_purpose."
            )
        if key in models and _purpose(models[key]) == "warehouse" and any(c in models[key]["columns"] for c in _PEOPLE):
            yield (
                f"{model['name']} serves {purpose} and reads the people of {models[key]['name']}, opted out or not; take them "
                "through macro for_purpose."
            )


def _unlisted_columns(model: Mapping[str, Any], allowed: AllowedColumns, purpose: str) -> Iterator[str]:
    for column in model["columns"]:
        if purpose not in allowed.get((model["alias"], column), ()):
            yield (
                f"{model['name']} publishes column {column}, which {purpose} is not allowed; leave it out, or list it in "
                "seeds/governance/purpose_column.csv when the information governance team has agreed."
            )


def _unapproved_sources(
    model: Mapping[str, Any], models: Mapping[str, Any], sources: Mapping[str, Any], approved: frozenset[str]
) -> Iterator[str]:
    """Sources of care that the model reaches beyond the approval. The patient index (meta.patient_index) says who is who, not
    what care they had: what lies behind it is not looked at."""
    reached: set[str] = set()
    seen: set[str] = set()
    waiting = list(model["depends_on"]["nodes"])
    while waiting:
        key = waiting.pop()
        if key in seen:
            continue
        seen.add(key)
        if key in sources:
            reached.add(sources[key]["source_name"])
        elif key in models and not models[key]["config"].get("meta", {}).get("patient_index"):
            waiting += models[key]["depends_on"]["nodes"]
    for source in sorted(reached - approved - set(_NOT_CARE)):
        yield (
            f"{model['name']} joins {source} for risk stratification, which the approval does not cover; read approved sources "
            "only, or add the approval to the sharing agreements."
        )
