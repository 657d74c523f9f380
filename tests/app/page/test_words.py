"""Both languages say the same things; text stands out from its ground in both looks."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest

import gruworks
from gruworks.app.server.schemas import form
from gruworks.tasks import registry

PAGE = Path(gruworks.__file__).parent / "app" / "page"
CSS = (PAGE / "page.css").read_text(encoding="utf-8")
READABLE = 4.5  # WCAG 2.2, AA


def keys(name: str) -> dict[str, set[str]]:
    """Each sentence's key and the names in it."""
    text = (PAGE / f"words-{name}.js").read_text(encoding="utf-8")
    found = re.findall(r'(?:^|[\s,{])(\w+|"[^"]+"): "((?:[^"\\]|\\.)*)"', text)
    return {key: set(re.findall(r"\{(\w+)\}", said)) for key, said in found if not key.startswith('"')}


def quoted(name: str) -> dict[str, set[str]]:
    """Sentences for what the server names, such as errors, with the names in them."""
    text = (PAGE / f"words-{name}.js").read_text(encoding="utf-8")
    found = re.findall(r'"([\w -]+)": "((?:[^"\\]|\\.)*)"', text)
    return {key: set(re.findall(r"\{(\w+)\}", said)) for key, said in found}


def test_every_sentence_is_there_in_both_languages_with_the_same_values() -> None:
    assert keys("en") == keys("zh")
    assert len(keys("en")) > 80


def test_every_error_and_note_is_there_in_both_languages() -> None:
    """Values may be left out of a sentence, but none may be wanted that the other language does not know."""
    english, chinese = quoted("en"), quoted("zh")
    wanted = {key for key in english | chinese if not key.startswith("named ")}
    assert len(wanted) > 40
    for key in wanted:
        assert chinese[key] <= english[key], key


def codes(path: Path) -> set[str]:
    """The codes that errors and notes of a module have."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [one for one in ast.walk(tree) if isinstance(one, ast.Call)]
    raising = {"RequestError", "DataError", "TooShortError", "refuse"}
    raised = [one for one in calls if raising & {getattr(one.func, "id", ""), getattr(one.func, "attr", "")}]
    values = [
        part.value for one in raised for arg in one.args for part in ast.walk(arg) if isinstance(part, ast.Constant)
    ]
    return {value for value in values if isinstance(value, str) and re.fullmatch("[a-z]+(-[a-z]+)+|horizon", value)}


def test_every_code_of_the_server_has_a_sentence() -> None:
    root = PAGE.parents[1]
    files = [*(root / "app" / "server").rglob("*.py"), *(root / "tasks" / "forecast").rglob("*.py")]
    found = set().union(*map(codes, files))
    assert len(found) > 20
    assert found - {key.partition(" ")[2] for key in quoted("en")} == set()


def test_every_key_that_is_used_is_a_sentence() -> None:
    used = set()
    for script in PAGE.glob("*.js"):
        text = script.read_text(encoding="utf-8")
        used |= set(re.findall(r'\bsay(?:Label)?[:(] ?"(\w+)"(?! \+)', text)) | set(re.findall(r'field\("(\w+)"', text))
    used |= set(re.findall(r'data-say(?:-label)?="(\w+)"', (PAGE / "index.html").read_text(encoding="utf-8")))
    assert used
    assert used - set(keys("en")) == set()


def colours(block: str) -> dict[str, tuple[int, ...]]:
    text = CSS[CSS.index(block) :].partition("}")[0]
    return {
        name: tuple(int(one[i : i + 2], 16) for i in (0, 2, 4))
        for name, one in re.findall(r"--([\w-]+): #(\w{6})", text)
    }


def luminance(colour: tuple[int, ...]) -> float:
    parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


@pytest.mark.parametrize("look", [":root {", ':root[data-theme="dark"] {'])
def test_text_stands_out_from_its_ground(look: str) -> None:
    found = colours(look)
    pairs = [(text, ground) for text in ("ink", "soft", "accent", "wrong") for ground in ("paper", "card", "field")]
    for text, ground in [*pairs, ("on-accent", "accent"), ("ink", "wash")]:
        light, dark = sorted((luminance(found[text]), luminance(found[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= READABLE, (text, ground)


def test_no_script_stands_in_the_page_and_nothing_is_made_of_html() -> None:
    html = (PAGE / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*src=)", html) == []
    assert re.findall(r"\son\w+=", html) == []
    for script in PAGE.glob("*.js"):
        text = script.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")  # the namespace of SVG
        assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|https?://", text) == [], (
            script
        )


def settings_in_chinese() -> dict[str, str]:
    """The Chinese sentences of settings."""
    text = (PAGE / "settings-zh.js").read_text(encoding="utf-8")
    found: dict[str, str] = json.loads(text[text.index("{") :].rstrip().rstrip(";"))
    return found


def settings_of_forms() -> dict[str, tuple[str, str, str]]:
    """Task, kind and name of every field that the page makes, by the longest key of its sentence."""
    return {
        f"{task} {kind} {one['name']}": (task, kind, one["name"])
        for task in registry.TASKS
        for kind in ("Config", "Options")
        for one in form(task, kind, {})
    }


def test_every_setting_has_a_chinese_sentence_and_no_sentence_is_left_over() -> None:
    chinese, fields = settings_in_chinese(), settings_of_forms()
    keys = {full: [full, f"{task} {name}", name] for full, (task, _, name) in fields.items()}
    assert [full for full, tried in keys.items() if not any(key in chinese for key in tried)] == []
    assert set(chinese) - {next(key for key in tried if key in chinese) for tried in keys.values()} == set()
    assert [key for key, sentence in chinese.items() if not re.search("[\u4e00-\u9fff]", sentence)] == []


def test_settings_of_the_machine_are_no_fields() -> None:
    names = set(settings_of_forms())
    for task in registry.TASKS:
        for kind in ("Config", "Options"):
            assert not {f"{task} {kind} {name}" for name in registry.settings(task, kind).local_names()} & names
