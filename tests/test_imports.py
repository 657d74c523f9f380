"""No import circle between the modules of the package; imports inside functions count, those for type checking don't.

Upward imports are left to lint-imports: pyproject.toml alone holds the layers. Imports by name (importlib) stay unseen.
"""

from __future__ import annotations

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
    graph = grimp.build_graph("gruworks", exclude_type_checking_imports=True, cache_dir=None)
    if found := circles(graph):
        pytest.fail("edges that close a circle:\n" + "\n".join(found))
