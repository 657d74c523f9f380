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
# A Chinese page of docs/ has the code of the English one, as a test below says; the tutorials differ.
WITH_CODE = [page for page in PAGES if not page.match("docs/*.zh-CN.md") or page.name == "tutorial.zh-CN.md"]
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


@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.name)
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


USER_PAGES = sorted(
    page
    for page in (ROOT / "docs").glob("*.md")
    if page.name.split(".")[0] not in {"figures", "tree", "dataflow", "tutorial"}
)
MADE = re.compile(
    r"<!-- made: .*?<!-- end -->|<!-- value .*?<!-- /value -->|<!-- ([a-z0-9-]+) -->.*?<!-- end \1 -->", re.DOTALL
)
FENCE = re.compile(r"^```.*?^```|^    .*?$", re.DOTALL | re.MULTILINE)
CODE = re.compile(rf"{FENCE.pattern}|`[^`\n]*`|\]\([^)]*\)|arXiv \S+", re.DOTALL | re.MULTILINE)
UNIT = r"(?:%|ms|µs|ns|s|GB|MB|kB|GFLOP/s|seconds|minutes|秒|分钟)(?![\w/])"
FIGURE = re.compile(
    rf"(?<![\w.])(?:\d[\d,]*)?\.\d+(?:e-?\d+)?(?![\w.])|(?<![\w.])\d+e-\d+|(?<![\w.])\d[\d,]*(?= ?{UNIT})"
)
# What is no measurement of ours, page by page, in either language: published values, versions, settings, definitions,
# tolerances that tests hold, shares of a data set.
NOT_MEASURED = {
    "cho2014": "4.1 0.95 1e-6 33.30 33.87 34.64 .95 0.3",
    "edge": "80 0.1 1e-6 2e-7 1e-15 1e-4",
    "exchange": "1.6 2.15 0.2 1e-5 1.32 0.001 1.5",
    "forecast": "80 95 15 1e-5 0 2 1.6",
    "generate": "1.4697 95",
    "install": "3.11 3.12",
    "lab": "0.1 0.9 4.46 8.71 8.13 8.37 2.39 6.27 6.01 7.09 3.46 8.43 5.3e-5 0.0197",
    "long": "0.01 0.5 3.35 1e-5 2",
    "migrating": "2e-6 2.13",
    "serve": "11.4 64 2.0 4.0",
    "tracking": ".003 .01 0.003 0.01",
    "transcribe": "10 25 100",
    "translate": "46",
    "verse": "2.0 0.06 100",
}


@pytest.mark.parametrize("page", USER_PAGES, ids=lambda page: page.name)
def test_figures_in_prose_are_made_from_records(page: Path) -> None:
    """A decimal number, or one with a unit, stands in a value comment (docs/make.py) or in the list above."""
    prose = CODE.sub(" ", MADE.sub(" ", page.read_text(encoding="utf-8")))
    allowed = NOT_MEASURED.get(page.name.split(".")[0], "").split()
    found = sorted({figure for figure in FIGURE.findall(prose) if figure not in allowed})
    assert not found, f"{page.name}: write a figure as <!-- value ID FORMAT --><!-- /value -->"


@pytest.mark.parametrize("page", USER_PAGES, ids=lambda page: page.name)
def test_a_user_page_shows_no_dictionaries_and_no_ids(page: Path) -> None:
    shown = re.sub(r"<!--.*?-->", "", FENCE.sub("", page.read_text(encoding="utf-8")), flags=re.DOTALL)
    assert not re.findall(r"\{'.*?\}", shown)
    ids = runpy.run_path(str(ROOT / "docs" / "make_tables.py"))["records"]()
    assert not [figure for figure in ids if re.search(rf"(?<![\w/]){re.escape(figure)}(?![\w/])", shown)]


def test_the_page_of_all_figures_has_every_record_and_no_dictionary() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_tables.py"))
    for name in ("figures.md", "figures.zh-CN.md"):
        text = (ROOT / "docs" / name).read_text(encoding="utf-8")
        assert not [figure for figure in made["records"]() if f"`{figure}`" not in text]
        assert "{'" not in text


def test_every_figure_has_a_name_in_both_languages() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_tables.py"))
    unnamed = [figure for figure in made["records"]() if made["found"](figure) is None]
    assert not unnamed, "name them in docs/names.toml"
    for one in made["records"]().values():
        english, chinese = (made["say"](one, language) + made["compared"](one, language) for language in (False, True))
        assert not re.search(r"[一-鿿]", re.sub("[五七][絕律]|红楼梦", "", english))
        assert re.search(r"[一-鿿]", chinese), one["id"]


def test_the_languages_of_a_table_have_the_same_values() -> None:
    make = runpy.run_path(str(ROOT / "docs" / "make.py"))
    for page in USER_PAGES:
        if page.name.endswith(".zh-CN.md"):
            english = page.with_name(page.name.replace(".zh-CN", "")).read_text(encoding="utf-8")
            asked = [[match["what"], match["which"]] for match in make["PART"].finditer(english)]
            chinese = page.read_text(encoding="utf-8")
            assert [[match["what"], match["which"]] for match in make["PART"].finditer(chinese)] == asked


@pytest.mark.parametrize(
    "page", [one for one in USER_PAGES if one.name.endswith(".zh-CN.md")], ids=lambda one: one.name
)
def test_a_chinese_page_has_the_form_of_the_english_one(page: Path) -> None:
    """Levels of headings, rows of tables, pictures, and code without its comments, in one order."""
    english = page.with_name(page.name.replace(".zh-CN", ""))
    assert form(page.read_text(encoding="utf-8")) == form(english.read_text(encoding="utf-8"))


def form(text: str) -> list[list[str]]:
    text = text.replace(".zh-CN", "")
    code = [re.sub(r"(^|\s+)(#|//) .*", "", block) for block in re.findall(r"^```.*?^```", text, re.M | re.DOTALL)]
    commands = [re.sub(r"\s+# .*", "", line) for line in re.findall(r"^    gruworks .*", text, re.M)]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return [
        re.findall(r"^#+(?= )", prose, re.M),
        code,
        commands,
        re.findall(r"^ *\|", prose, re.M),
        re.findall(r"!\[.*?\]\((.*?)\)", prose),
    ]


def test_every_user_page_is_in_chinese() -> None:
    names = {page.name for page in USER_PAGES}
    english = {name for name in names if not name.endswith(".zh-CN.md")}
    assert {name.replace(".md", ".zh-CN.md") for name in english} == names - english


def test_a_figure_in_prose_is_that_of_its_record(tmp_path: Path) -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make.py"))
    records = made["make_tables"].records()
    figure, record = next((name, one) for name, one in records.items() if "minutes" in one)
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
    synthetic = "src/gruworks/data/samples/spoken/"  # made by scripts/sample-digits
    assert not [name for name in listed.split() if name.endswith(kinds) and not name.startswith((*learnt, synthetic))]


def test_the_table_of_cells_is_current() -> None:
    made = runpy.run_path(str(ROOT / "docs" / "make_lab.py"))
    for name, chinese in made["PAGES"].items():
        assert made["rows"](chinese) in (ROOT / "docs" / name).read_text(encoding="utf-8")


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
