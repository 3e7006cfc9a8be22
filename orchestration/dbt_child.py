"""The `dbt` that the night runs: dbt itself, given the project as it was parsed before.

dbt parses the whole project again whenever a variable has changed, and the run's date changes every night. A variable changes no
part of what parsing finds out here, so the parsed project is handed over, and a night saves those seconds. dbt writes each of its
thousands of debug events as JSON before it finds that nobody listens; here only what is heard is written.

    phm-dbt --parsed <partial_parse.msgpack> <dbt's own arguments>
    phm-dbt --version
"""

from __future__ import annotations

import sys
import threading
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbt_common.events.base_types import EventMsg

_SAID = frozenset({"info", "warn", "error"})
_SAYING = threading.Lock()


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
    quietly = ["--log-level", "none", "--log-level-file", "none"]
    result = dbtRunner(manifest=manifest, callbacks=[_say]).invoke([*arguments, *quietly])
    if result.exception:
        print(result.exception, file=sys.stderr)
        return 2
    return 0 if result.success else 1


def _say(event: EventMsg) -> None:
    """Events of level info and above, a line of JSON each, as dagster-dbt reads them."""
    from dbt_common.events.functions import msg_to_json

    if event.info.level in _SAID:
        line = msg_to_json(event)
        with _SAYING:  # dbt's threads must not write into each other's lines
            print(line, flush=True)


if __name__ == "__main__":
    main()
