"""Both languages say the same things; text stands out from its ground in both looks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gruworks

PAGE = Path(gruworks.__file__).parent / "app" / "page"
CSS = (PAGE / "page.css").read_text(encoding="utf-8")
READABLE = 4.5  # WCAG 2.2, AA


def keys(name: str) -> dict[str, set[str]]:
    """Each sentence's key and the names in it."""
    text = (PAGE / f"words-{name}.js").read_text(encoding="utf-8")
    found = re.findall(r'(?:^|[\s,{])(\w+|"[^"]+"): "((?:[^"\\]|\\.)*)"', text)
    return {key: set(re.findall(r"\{(\w+)\}", said)) for key, said in found if not key.startswith('"')}


def test_every_sentence_is_there_in_both_languages_with_the_same_values() -> None:
    assert keys("en") == keys("zh")
    assert len(keys("en")) > 80


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
        text = script.read_text(encoding="utf-8")
        assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|https?://", text) == [], (
            script
        )
