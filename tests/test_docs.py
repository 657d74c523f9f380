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


READMES = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md")]


@pytest.mark.parametrize("text", READMES, ids=("en", "zh"))
def test_a_readme_is_short(text: str) -> None:
    assert 110 <= len(text.splitlines()) <= 150


def test_both_readmes_have_one_form() -> None:
    """Levels of headings, code without its comments, rows of tables and pictures, in one order."""
    forms = []
    for text in READMES:
        headings = re.findall(r"^#+(?= )", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
        code = [re.sub(r" *#.*", "", block) for block in re.findall(r"^```.*?^```|^    .*?$", text, re.M | re.DOTALL)]
        forms.append((headings, code, re.findall(r"^\|", text, re.MULTILINE), re.findall(r"!\[.*?\]\((.*?)\)", text)))
    for english, chinese in zip(*forms, strict=True):
        assert english == chinese


def test_the_chart_of_the_readme_shows_the_records() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_speed.py"))
    chart = (ROOT / "docs" / "speed.svg").read_text(encoding="utf-8")
    for title, record in made["panels"]().items():
        assert title in chart
        assert record["machine"] in chart
        for engine in made["ENGINES"].keys() & record["milliseconds"]:
            assert f"{record['milliseconds'][engine]:.3g} ms" in chart


MADE = re.compile(r"<!-- made: .*?<!-- end -->|<!-- value .*?<!-- /value -->", re.DOTALL)
CODE = re.compile(r"^```.*?^```|^    .*?$|`[^`\n]*`|\]\([^)]*\)|arXiv \S+", re.DOTALL | re.MULTILINE)
FIGURE = re.compile(r"(?<![\w.])(?:\d[\d,]*)?\.\d+(?:e-?\d+)?(?!\w)|(?<![\w.])\d+e-\d+|\b\d+(?= %)")
# What is no measurement of ours, page by page: published values, settings, definitions, shares of a data set.
NOT_MEASURED = {
    "translate.md": "46",
    "cho2014.md": "4.1 0.95 1e-6 33.30 33.87 34.64 .95 0.3",
    "generate.md": "1.4697",
    "transcribe.md": "10",
    "lab.md": "0.1 0.9 4.46 8.71 8.13 8.37 2.39 6.27 6.01 7.09 3.46 8.43 5.3e-5 0.0197",
    "verse.md": "2.0 0.06 100",
    "long.md": "0.01 0.5 3.35 1e-5",
}


@pytest.mark.parametrize("page", NOT_MEASURED)
def test_figures_in_prose_are_made_from_records(page: str) -> None:
    """A decimal number or a percentage in prose stands in a value comment (docs/make.py), or in the list above."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    prose = CODE.sub(" ", MADE.sub(" ", text))
    found = set(FIGURE.findall(prose))
    assert found == set(NOT_MEASURED[page].split()), (
        f"{page}: write a figure as <!-- value ID FORMAT --><!-- /value -->"
    )


def test_a_figure_in_prose_is_that_of_its_record(tmp_path: Path) -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make.py"))
    figure, record = next((name, one) for name, one in made["records"]().items() if "minutes" in one)
    page = (
        f"It has <!-- value {figure} .3f -->\n0<!-- /value -->, in <!-- value {figure}:minutes .0f -->1<!-- /value -->"
    )
    renewed = made["VALUE"].sub(made["value"], page)
    assert f"-->{record['value']:.3f}<!--" in renewed
    assert f"-->{record['minutes']:.0f}<!--" in renewed
    assert made["VALUE"].sub(made["value"], renewed) == renewed


def test_no_file_of_the_data_folder_is_here() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    kinds = (".csv", ".gz", ".mat", ".wav", ".ckpt", ".safetensors")
    learnt = ("src/gruworks/ready/", "tests/training/format1/")  # weights, no data
    assert not [name for name in listed.split() if name.endswith(kinds) and not name.startswith(learnt)]


def test_the_table_of_cells_is_current() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_lab.py"))
    assert made["rows"]() in (ROOT / "docs" / "lab.md").read_text(encoding="utf-8")


def test_the_hooks_have_the_pinned_version_of_ruff() -> None:
    hooks, pins = ((ROOT / name).read_text(encoding="utf-8") for name in (".pre-commit-config.yaml", "constraints.txt"))
    pinned = re.findall(r"^ruff==(.*)$", pins, re.MULTILINE)
    assert re.findall(r"ruff-pre-commit\n    rev: v(.*)$", hooks, re.MULTILINE) == pinned


def test_the_files_that_the_architecture_names_are_there() -> None:
    """In its tables of files a name without its folder stands beside the name before it in the same cell."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 250
    rows = re.findall(r"^\| .* \| (.*) \|$", text.split("| I want | file |")[1].split("\n## ")[0], re.MULTILINE)
    assert len(rows) > 50
    for row in rows:
        beside = ROOT
        for name in re.findall(r"`([\w.*/-]+)`", row):
            if "." not in name and "/" not in name:
                continue  # a name in the code
            found = [path for root in (beside, ROOT / "src/gruworks", ROOT) for path in root.glob(name)]
            assert found, f"ARCHITECTURE.md names {name}"
            beside = found[0] if found[0].is_dir() else found[0].parent
