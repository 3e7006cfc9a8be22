"""dbt: everything from raw to marts, as one child process."""

import json
from collections.abc import Iterator, Mapping, Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets

from orchestration.dbt import PARSED, dbt_child_executable, standing
from orchestration.defs.resources import DAILY, Night, explained
from orchestration.orphans import remembered
from orchestration.settings import Settings, load_settings, without_secrets

MARTS = "marts"
#: Seeds are files of the project: their tests belong to the project's tests, not to every night.
_SEED_TESTS = "path:seeds,resource_type:test"
#: What follows from the project alone, and stands once it was made.
_STANDING = "config.materialized:view resource_type:seed"


class Translator(DagsterDbtTranslator):
    """Groups models by layer; asset keys stay dbt's own, so that sources meet what landing makes without configuration."""

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        node = manifest["nodes"].get(unique_id)
        if node is None:
            return spec
        is_mart = node["resource_type"] == "model" and layer(node) == MARTS
        return spec.replace_attributes(group_name=layer(node), freshness_policy=DAILY if is_mart else None)


def layer(node: Mapping[str, Any]) -> str:
    """The first folder a model or seed lives in: `staging`, `core`, `marts`, `seeds`, ..."""
    return "seeds" if node["resource_type"] == "seed" else node["fqn"][1]


def warehouse_assets(manifest: Path) -> dg.AssetsDefinition:
    """One asset per dbt model and seed, one blocking check per dbt test of severity error."""
    marts = mart_keys(json.loads(manifest.read_text(encoding="utf-8")))

    @dbt_assets(manifest=manifest, dagster_dbt_translator=Translator(), name="warehouse")
    def warehouse(context: dg.AssetExecutionContext, dbt: DbtCliResource, night: Night) -> Iterator[Any]:
        settings = load_settings()
        target = settings.dbt_target_dir / f"{context.run.run_id}-{context.op_execution_context.op.name}"
        arguments = ["build", "--vars", json.dumps({"as_of": night.as_of}), "--exclude-resource-type", "unit_test"]
        with standing(settings, anew=night.full_refresh) as stands:
            if night.full_refresh:
                arguments.append("--full-refresh")
            arguments += ["--exclude", f"{_SEED_TESTS} {_STANDING}" if stands else _SEED_TESTS]
            with without_secrets():
                invocation = dbt.cli(arguments, context=context, target_path=target)
            with explained(), remembered(settings.child_path, invocation.process.pid):
                yield from invocation.stream()
            if stands:  # a mart is a view, which shows tonight's rows without being made again
                yield from (dg.MaterializeResult(asset_key=key) for key in marts)

    return warehouse


class DbtInAChild(DbtCliResource):
    """dbt in its own process only.

    dagster-dbt would start dbt in ours as well, which takes seconds, for its own questions about rows and columns: none is asked.
    """

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:  # noqa: ARG002
        return None


def dbt_resource(settings: Settings) -> DbtCliResource:
    """dbt as installed beside this interpreter."""
    return DbtInAChild(
        project_dir=str(settings.dbt_project_dir),
        profiles_dir=str(settings.dbt_project_dir),
        dbt_executable=dbt_child_executable(),
        global_config_flags=["--parsed", str(settings.dbt_target_dir / PARSED)],
    )


def mart_keys(manifest: Mapping[str, Any]) -> list[dg.AssetKey]:
    """Asset keys of every model in `marts`, each after those that it is made from."""
    translator = Translator()
    made_from = {
        unique_id: manifest["parent_map"][unique_id]
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and layer(node) == MARTS
    }
    in_order = (unique_id for unique_id in TopologicalSorter(made_from).static_order() if unique_id in made_from)
    return [translator.get_asset_spec(manifest, unique_id, None).key for unique_id in in_order]
