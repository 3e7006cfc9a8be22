"""Where each published table comes from, read from the parsed dbt project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Lineage:
    """What one table is made of."""

    #: Tables that it reads, `schema.table`, sorted.
    upstream_tables: tuple[str, ...] = ()
    #: Suppliers' tables at the beginning of every way to it, `source.table`, sorted.
    sources: tuple[str, ...] = ()


#: (schema of the build database, table) -> what it is made of.
LineageByTable = Mapping[tuple[str, str], Lineage]


def read_lineage(manifest: Mapping[str, Any]) -> dict[tuple[str, str], Lineage]:
    """The lineage of every model of a dbt `manifest.json`. Seeds, which are definitions, are upstream tables and no sources."""
    nodes = {key: node for key, node in manifest["nodes"].items() if node["resource_type"] in ("model", "seed")}
    sources: dict[str, frozenset[str]] = {
        key: frozenset({f"{source['source_name']}.{source['name']}"}) for key, source in manifest["sources"].items()
    }

    def sources_of(key: str) -> frozenset[str]:
        if key not in sources:
            parents = nodes[key].get("depends_on", {}).get("nodes", []) if key in nodes else []
            sources[key] = frozenset().union(*map(sources_of, parents))
        return sources[key]

    return {
        (node["schema"], node["alias"]): Lineage(
            tuple(sorted(f"{nodes[p]['schema']}.{nodes[p]['alias']}" for p in node["depends_on"]["nodes"] if p in nodes)),
            tuple(sorted(sources_of(key))),
        )
        for key, node in nodes.items()
        if node["resource_type"] == "model"
    }
