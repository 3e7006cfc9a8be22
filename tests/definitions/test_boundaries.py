"""Who may import whom: the dependency direction of `docs/architecture.md`."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.settings import PROJECT_DIR

OURS = {"orchestration", "linkage", "expectations", "synthetic"}
PACKAGES = {
    "orchestration": PROJECT_DIR / "orchestration",
    "linkage": PROJECT_DIR / "linkage",
    "expectations": PROJECT_DIR / "expectations",
    "synthetic": PROJECT_DIR / "data" / "synthetic",
}
ALLOWED = {"orchestration": {"linkage", "expectations"}, "linkage": set(), "expectations": set(), "synthetic": set()}
#: The command that plays the suppliers and the benchmark that links their people are the only code of ours that may know them.
PLAYS_SUPPLIERS = ("orchestration/demo.py", "orchestration/bench_linkage.py")
MODULES = sorted((package, path) for package, folder in PACKAGES.items() for path in folder.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Top-level names of the packages that a module imports, wherever it does."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def relative(path: Path) -> str:
    return path.relative_to(PROJECT_DIR).as_posix()


@pytest.mark.parametrize(("package", "path"), MODULES, ids=[relative(path) for _, path in MODULES])
def test_a_package_imports_only_what_it_may(package, path):
    foreign = imported(path) & OURS - {package} - ALLOWED[package]
    assert not foreign or (relative(path) in PLAYS_SUPPLIERS and foreign == {"synthetic"})


def test_only_the_definitions_import_dagster():
    importers = {relative(path) for _, path in MODULES if {"dagster", "dagster_dbt"} & imported(path)}
    assert {name for name in importers if not name.startswith("orchestration/defs/")} == {"orchestration/definitions.py"}


def test_only_the_settings_read_the_environment():
    readers = {relative(path) for _, path in MODULES if "os.environ" in path.read_text() or "getenv" in path.read_text()}
    # The others hand the environment on to a child process; none reads a setting.
    assert readers <= {
        "orchestration/settings.py",
        "orchestration/dbt.py",
        "orchestration/cli.py",
        "orchestration/bench.py",
        "data/synthetic/generate.py",
    }


@pytest.mark.parametrize("package", ["linkage.link", "expectations", "synthetic", "orchestration.cli", "orchestration.landing"])
def test_importing_it_does_not_import_dagster(package):
    """Checked by importing, because what a package imports may import more."""
    code = f"import sys, {package}; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
