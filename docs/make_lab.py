"""The table of cells in docs/lab.md, counted as they run.

python docs/make_lab.py
"""

from __future__ import annotations

import re
from pathlib import Path

from gruworks.nn.cells import CELLS
from gruworks.nn.flops import cost

PAGE = Path(__file__).parent / "lab.md"
PART = re.compile(r"(\|---\|---\|---\|---\|---\|\n).*?(\n<!-- end cells -->)", re.DOTALL)


def rows() -> str:
    """A cell a row: name, whose, parameters and operations of a step at I = 88, H = 46."""
    lines = []
    for name, kind in CELLS.items():
        counted = cost(name, 88, 46)
        sizes = f"{counted.parameters:,} | {counted.products:,} | {counted.elements:,}"
        lines.append(f"| `{name}` | {kind.description} | {sizes} |\n")
    return "".join(lines)


def main() -> None:
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(PART.sub(lambda match: f"{match[1]}{rows()}{match[2]}", text), encoding="utf-8")


if __name__ == "__main__":
    main()
