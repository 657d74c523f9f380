"""The documents stay true: blocks run, links lead somewhere, both READMEs have one form."""

from __future__ import annotations

import re
import runpy
import subprocess
from pathlib import Path

import pytest

from gruworks.ops import equations

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
BLOCKS = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
    for target, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", text):
        headings = (page.parent / target if target else page).read_text(encoding="utf-8")
        slugs = [
            re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-") for h in re.findall(r"^#+ (.*)", headings, re.M)
        ]
        assert anchor in slugs, f"{page.name} links to {target}#{anchor}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_blocks_run(page: Path) -> None:
    """In order, in one namespace; a traceback shows the page's own line."""
    text, namespace = page.read_text(encoding="utf-8"), {"__name__": "__main__"}
    for block in BLOCKS.finditer(text):
        exec(compile("\n" * (text.count("\n", 0, block.start()) + 1) + block[1], str(page), "exec"), namespace)


def test_the_four_lines_are_those_of_the_code() -> None:
    page = (ROOT / "docs" / "equations.md").read_text(encoding="utf-8")
    lines = re.findall(r"^    (?:update gate|reset gate|candidate|new state)  .*", page, re.MULTILINE)
    assert len(lines) == 4
    assert all(line in equations.__doc__ for line in lines)


def test_both_readmes_have_one_form() -> None:
    english, chinese = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))
    for pattern in (r"^#+ ", r"^    \S.*", r"```python\n.*?```", r"^\|.*\|$", r"!\[", r"<!-- made: .*? -->"):
        counts = [
            len(re.findall(pattern, text, re.MULTILINE | re.DOTALL if "`" in pattern else re.MULTILINE))
            for text in (english, chinese)
        ]
        assert counts[0] == counts[1], pattern


def test_no_file_of_the_data_folder_is_here() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    kinds = (".csv", ".gz", ".mat", ".wav", ".ckpt", ".safetensors")
    ready = "src/gruworks/ready/"  # weights that were learnt, no data
    assert not [name for name in listed.split() if name.endswith(kinds) and not name.startswith(ready)]


def test_the_table_of_cells_is_current() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_lab.py"))
    assert made["rows"]() in (ROOT / "docs" / "lab.md").read_text(encoding="utf-8")
