"""The site: the command line's page is whole, links out of docs/ lead to pages, languages and tutorials agree."""

from __future__ import annotations

import ast
import re
import runpy
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
BLOCKS = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    pytest.importorskip("mkdocs", reason="the docs extra is not installed")
    monkeypatch.setattr(sys, "path", list(sys.path))
    return runpy.run_path(str(DOCS / "make_site.py"))


def test_the_page_of_the_command_line_has_every_command() -> None:
    page = runpy.run_path(str(DOCS / "make_cli.py"))["page"]()
    for command in ("forecast predict", "generate verse", "translate run", "transcribe run", "lab trace", "doctor"):
        assert f"## gruworks {command}\n" in page
    part = page.split("## gruworks lab trace\n")[1].split("\n## ")[0]
    assert "| `--fresh` | Use an untrained GRU for the numbers. |" in part
    assert "gruworks lab trace [OPTIONS]" in part


def test_the_api_reference_has_a_page_for_every_part_of_the_list(site: dict[str, Any]) -> None:
    pages = site["reference"]()
    assert set(pages) == set(re.findall(r"reference/\w+\.md", (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8")))
    assert "# Layer\n\n::: gruworks.GRU\n    options:\n      members: ['forward']\n" in pages["reference/layer.md"]


def test_the_navigation_has_every_page_of_the_list() -> None:
    listed = tomllib.loads((DOCS / "api.toml").read_text(encoding="utf-8"))
    named = re.findall(r"reference/(\w+)\.md", (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8"))
    assert named == list(listed)


def test_links_out_of_the_folder_lead_to_pages(site: dict[str, Any]) -> None:
    def turned(text: str, place: str) -> str:
        return str(site["on_page_markdown"](text, SimpleNamespace(file=SimpleNamespace(src_uri=place))))

    assert turned("[a](../src/gruworks/errors.py)", "lab.md") == "[a](source/src/gruworks/errors.py.md)"
    assert turned("[a](../LOG.md#lab)", "samples/x.md") == "[a](../LOG.md#lab)"  # no such file: the build says so
    assert turned("[a](../LOG.md#lab)", "lab.md") == "[a](source/LOG.md#lab)"
    assert turned("[a](docs/lab.md)", "source/ARCHITECTURE.md") == "[a](../lab.md)"
    assert turned("[a](lab.md#cells) [b](#here)", "long.md") == "[a](lab.md#cells) [b](#here)"


@pytest.fixture
def languages(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    pytest.importorskip("mkdocs", reason="the docs extra is not installed")
    return runpy.run_path(str(DOCS / "make_languages.py"))


def a_page(name: str) -> Any:
    return SimpleNamespace(file=SimpleNamespace(src_uri=name), meta={}, is_homepage=False)


def test_each_language_has_its_own_navigation_and_leads_to_the_other(languages: dict[str, Any]) -> None:
    from mkdocs.structure.nav import Navigation, Section

    pages = {name: a_page(name) for name in ("lab.md", "lab.zh-CN.md")}
    nav = Navigation([pages["lab.md"], Section("中文", [pages["lab.zh-CN.md"]])], list(pages.values()))
    config = SimpleNamespace(theme={}, extra={})
    for name, language in (("lab.md", "en"), ("lab.zh-CN.md", "zh")):
        context = languages["on_page_context"]({}, pages[name], config, nav)
        assert context["nav"].items == [pages[name]]
        assert config.theme["language"] == language
        assert [one["link"] for one in config.extra["alternate"]] == ["lab.html", "lab.zh-CN.html"]
    api = a_page("reference/layer.md")
    languages["on_page_context"]({}, api, config, nav)
    assert [one["link"] for one in config.extra["alternate"]] == ["reference/layer.html", "index.zh-CN.html"]


def test_the_site_has_the_colours_of_the_page(languages: dict[str, Any]) -> None:
    made, page = languages["colours"](), (languages["PAGE"] / "page.css").read_text(encoding="utf-8")
    for accent in re.findall(r"--accent: #\w+", page):
        assert accent in made
    assert '[data-md-color-scheme="slate"] {' in made


def test_every_chinese_page_is_in_the_navigation() -> None:
    named = set(re.findall(r"[\w-]+\.zh-CN\.md", (DOCS.parent / "mkdocs.yml").read_text(encoding="utf-8")))
    assert named == {page.name for page in DOCS.glob("*.zh-CN.md")}


def test_both_tutorials_run_the_same_code() -> None:
    """But for what they print: text in strings is each language's own."""

    def trees(name: str) -> list[str]:
        text = (DOCS / name).read_text(encoding="utf-8")
        return [re.sub(r"Constant\(value='[^']*'\)", "Text", ast.dump(ast.parse(b))) for b in BLOCKS.findall(text)]

    english, chinese = trees("tutorial.md"), trees("tutorial.zh-CN.md")
    assert len(english) == len(chinese) == 12
    for ours, theirs in zip(english, chinese, strict=True):
        assert sorted(re.findall(r"id='\w+'", ours)) == sorted(re.findall(r"id='\w+'", theirs))
        assert re.findall(r"value=[\d.]+", ours) == re.findall(r"value=[\d.]+", theirs)


def test_every_picture_of_the_tutorial_is_made_by_its_script() -> None:
    script = (DOCS / "make_tutorial.py").read_text(encoding="utf-8")
    for name in re.findall(r"\]\(tutorial-(\w+)\.png\)", (DOCS / "tutorial.md").read_text(encoding="utf-8")):
        assert f"def {name}(path" in script
        assert (DOCS / f"tutorial-{name}.png").stat().st_size > 5_000
