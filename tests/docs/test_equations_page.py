"""docs/equations.md: every Python block runs, in order, in one namespace, and the links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "equations.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCKS = [
    (TEXT.count("\n", 0, m.start()) + 1, m.group(1)) for m in re.finditer(r"^```python\n(.*?)^```", TEXT, re.M | re.S)
]


def test_the_page_has_blocks_with_checks_in_them():
    assert len(BLOCKS) >= 6
    assert sum("assert" in block for _, block in BLOCKS) >= len(BLOCKS) - 1  # all but the definition


def test_every_block_runs():
    namespace: dict[str, object] = {}
    for line, block in BLOCKS:
        exec(compile("\n" * line + block, str(PAGE), "exec"), namespace)  # the page's own line in a traceback


def test_the_four_lines_are_those_of_the_code():
    from gruworks.ops import equations

    lines = [
        line for line in TEXT.splitlines() if re.match(r"    (update gate|reset gate|candidate|new state)  ", line)
    ]
    assert len(lines) == 4
    assert all(line in equations.__doc__ for line in lines)


@pytest.mark.parametrize("target", re.findall(r"\]\((?!https?:)([^)#]+)", TEXT))
def test_links_within_the_tree_lead_to_files(target):
    assert (PAGE.parent / target).is_file()
