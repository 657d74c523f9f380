"""Heat maps of any number of units and steps show their cells; another reader clears them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
Visit = Callable[..., Any]
# Of each heat map: the share of its canvas that is painted, and its height.
MAPS = """() => [...document.querySelectorAll('#panel-inside .heat canvas')].map((canvas) => {
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const painted = pixels.filter((value, at) => at % 4 === 3 && value > 0).length / (pixels.length / 4);
  return { painted, height: canvas.clientHeight, width: canvas.clientWidth };
})"""


def maps(page: Any, count: int) -> list[dict[str, float]]:
    expect(page.locator("#panel-inside .heat canvas")).to_have_count(count)
    page.wait_for_timeout(300)
    found: list[dict[str, float]] = page.evaluate(MAPS)
    return found


@pytest.mark.parametrize("width", [1200, 360])
@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("text=床前明月光&by=ready/verse", 4),
        ("numbers=1,2,3,4,5&by=cells&units=33", 11),
        ("text=" + "abcdefghij" * 25 + "&by=cells&units=64", 11),
    ],
    ids=["model", "33", "long"],
)
def test_every_cell_is_painted_and_few_numbers_stand_beside(visit: Visit, query: str, count: int, width: int) -> None:
    page = visit(f"inside?{query}", viewport={"width": width, "height": 900})
    found = maps(page, count)
    assert len(found) == count
    for one in found:
        assert one["painted"] > 0.6
        assert one["height"] > 100
        assert one["width"] > 150
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_another_reader_clears_the_maps_and_a_late_answer_is_not_shown(visit: Visit) -> None:
    page = visit("inside?text=床前明月光&by=ready/verse")
    maps(page, 4)
    held: list[Any] = []
    page.route("**/v1/trace", lambda route: held.append(route))
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_selector("#panel-inside .busy")
    page.locator("#panel-inside").get_by_label("Model").first.select_option("cells")
    expect(page.locator("#panel-inside .heat")).to_have_count(0)
    held[0].continue_()
    page.wait_for_timeout(400)
    expect(page.locator("#panel-inside .heat")).to_have_count(0)
