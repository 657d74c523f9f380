"""The documents stay true: blocks run, links lead somewhere, what is made is made anew, both READMEs have one form."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
BLOCKS = [(page, block) for page in PAGES for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)]


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


@pytest.mark.parametrize(("page", "block"), BLOCKS, ids=lambda value: value.name if isinstance(value, Path) else "")
def test_python_blocks_run(page: Path, block: str) -> None:
    exec(compile(block, str(page), "exec"), {"__name__": "__main__"})


def test_what_is_made_is_current() -> None:
    check = subprocess.run([sys.executable, ROOT / "docs" / "make.py", "--check"], capture_output=True, text=True)
    assert check.returncode == 0, check.stdout + check.stderr


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
    assert not [
        name for name in listed.split() if name.endswith((".csv", ".gz", ".mat", ".wav", ".ckpt", ".safetensors"))
    ]
