"""Accessibility rules of axe-core in every view, with its answer, in both languages and looks: none serious broken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

axe_playwright = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
Visit = Callable[..., Any]
SERIOUS = ("serious", "critical")
ANSWERS = {  # of each view: the part that shows that it is whole
    "start": "#panel-start .chip.answer",
    "forecast?go=1": "#panel-forecast svg.drawing",
    "write?form=jueju5&seed=3": "#panel-write .poem",
    "translate?example=lines": "#panel-translate .translation",
    "listen": "#panel-listen h1",
    "inside?numbers=1,2,3,4,5&by=gru": "#panel-inside .heat",
}
LOOKS: dict[str, dict[str, Any]] = {
    "light, English": {},
    "dark, Chinese, phone": {"color_scheme": "dark", "locale": "zh-CN", "viewport": {"width": 390, "height": 800}},
}


def broken(page: Any) -> list[str]:
    """Rules of serious impact that the page breaks, each with the first element that does."""
    found = axe_playwright.Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in SERIOUS]


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("view", ANSWERS)
def test_no_serious_rule_is_broken(view: str, look: str, visit: Visit) -> None:
    page = visit(view, **LOOKS[look])
    page.wait_for_selector(ANSWERS[view])
    assert broken(page) == []
