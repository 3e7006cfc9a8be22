"""The `dbt` that the night runs: dbt itself, given the project as it was parsed before.

dbt parses the whole project again whenever a variable has changed, and the run's date changes every night. A variable changes no
part of what parsing finds out here, so the parsed project is handed over, and a night saves those seconds.

    phm-dbt --parsed <partial_parse.msgpack> <dbt's own arguments>
    phm-dbt --version
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path


def main() -> None:
    """Exit as dbt does: 0 done, 1 a node failed, 2 dbt could not run."""
    match sys.argv[1:]:
        case ["--version"]:  # asked by dagster-dbt before every command; importing dbt to answer takes seconds
            print(version("dbt-core"))
        case ["--parsed", parsed, *arguments]:
            sys.exit(_invoke(Path(parsed), arguments))
        case _:
            sys.exit(__doc__)


def _invoke(parsed: Path, arguments: list[str]) -> int:
    from dbt.cli.main import dbtRunner
    from dbt.contracts.graph.manifest import Manifest

    manifest = Manifest.from_msgpack(parsed.read_bytes())
    manifest.build_flat_graph()  # what macros read as `graph`
    result = dbtRunner(manifest=manifest).invoke(arguments)
    if result.exception:
        print(result.exception, file=sys.stderr)
        return 2
    return 0 if result.success else 1


if __name__ == "__main__":
    main()
