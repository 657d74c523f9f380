"""Imports: no circle between the modules of the package and of fuzz/, and no name in scripts that is gone.

Imports inside functions count for circles, those for type checking don't. Upward imports are left to lint-imports:
pyproject.toml alone holds the layers. Imports by name (importlib) stay unseen.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
from pathlib import Path

import grimp
import pytest
from grimp import ImportGraph


def circles(graph: ImportGraph) -> list[str]:
    """Each edge that closes a circle, with the chain that leads back: `a.py:3 imports b; b -> c -> a`."""
    found = []
    for importer in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(importer)):
            back = graph.find_shortest_chain(importer=imported, imported=importer)
            if back is not None:
                line = graph.get_import_details(importer=importer, imported=imported)[0]["line_number"]
                found.append(f"{importer}, line {line}, imports {imported}; {' -> '.join(back)}")
    return found


def test_no_import_circle() -> None:
    graph = grimp.build_graph("gruworks", "fuzz", exclude_type_checking_imports=True, cache_dir=None)
    if found := circles(graph):
        pytest.fail("edges that close a circle:\n" + "\n".join(found))


ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = sorted(
    file for folder in ("benchmarks", "docs", "examples", "fuzz") for file in (ROOT / folder).rglob("*.py")
)


def imported(file: Path) -> list[tuple[str, str]]:
    """Modules of the package and names in them that a script imports."""
    nodes = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.ImportFrom)]
    ours = [node for node in nodes if (node.module or "").split(".")[0] == "gruworks"]
    return [(node.module or "", name.name) for node in ours for name in node.names]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_scripts_import_names_that_exist(script: Path) -> None:
    """Recipes run for hours and seldom: a renamed class would be found late."""
    for module, name in imported(script):
        there = hasattr(importlib.import_module(module), name) or importlib.util.find_spec(f"{module}.{name}")
        assert there, f"{module} has no {name}"
