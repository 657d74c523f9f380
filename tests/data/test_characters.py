"""Faults of characters: what points to damaged text, and what doesn't."""

from __future__ import annotations

import pytest

from gruworks.data.characters import HTML, INVISIBLE, MIXED, faults, is_number


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("fish &amp; chips", [HTML]), ("it&#39;s", [HTML]), ("<b>bold</b>", [HTML]), ("AT&T; R&D; a < b > c", []),
        ("co\u00adop", [INVISIBLE]), ("\u200fabc", [INVISIBLE]), ("a\x07b", [INVISIBLE]), ("a\ufffdb", [INVISIBLE]),
        ("می\u200cخواهم 👩\u200d🚀", []), ("Москвa", [MIXED]), ("Москва is a city", []), ("naïve Ωmega", [MIXED]),
        ("日本語とEnglish", []), ("a\tb", []),
    ],
)  # fmt: skip
def test_faults(text: str, kinds: list[str]) -> None:
    assert faults(text) == kinds


@pytest.mark.parametrize(("text", "number"), [("1276", True), ("3.5 %", True), ("a1", False), ("...", False)])
def test_numbers(text: str, number: bool) -> None:
    assert is_number(text) is number
