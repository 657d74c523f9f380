"""Heat maps of any number of units and steps show their cells; another reader clears them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
Visit = Callable[..., Any]
# Of each heat map: the share of its picture that is painted, pixels a unit and a step, labels on its axes.
MAPS = """() => Promise.all([...document.querySelectorAll('#panel-inside .chart:has(image)')].map(async (one) => {
  const picture = new Image();
  picture.src = one.querySelector('image').href.baseVal;
  await picture.decode();
  const canvas = Object.assign(document.createElement('canvas'), { width: picture.width, height: picture.height });
  const paper = canvas.getContext('2d');
  paper.drawImage(picture, 0, 0);
  const pixels = paper.getImageData(0, 0, canvas.width, canvas.height).data;
  const painted = pixels.filter((value, at) => at % 4 === 3 && value > 0).length / (pixels.length / 4);
  const { xaxis, yaxis } = one._fullLayout;
  return { painted, unit: yaxis._length / one.data[0].z.length, step: xaxis._length / one.data[0].x.length,
    ticks: one.querySelectorAll('.ytick').length, xticks: one.querySelectorAll('.xtick').length };
}))"""


def maps(page: Any, count: int) -> list[dict[str, float]]:
    expect(page.locator("#panel-inside .chart image")).to_have_count(count)
    found: list[dict[str, float]] = page.evaluate(MAPS)
    return found


@pytest.mark.parametrize("width", [1200, 360])
@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("text=床前明月光&by=ready/verse", 4),
        ("numbers=1,2,3,4,5&by=cells&units=33", 10),
        ("text=" + "abcdefghij" * 25 + "&by=cells&units=64", 10),
    ],
    ids=["model", "33", "long"],
)
def test_every_cell_is_painted_and_few_numbers_stand_beside(visit: Visit, query: str, count: int, width: int) -> None:
    page = visit(f"inside?{query}", viewport={"width": width, "height": 900})
    found = maps(page, count)
    assert len(found) == count
    for one in found:
        assert one["painted"] > 0.9
        assert one["unit"] >= 1
        assert one["step"] >= 1
        assert 3 <= one["ticks"] <= 12
        assert one["xticks"] <= 40
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_another_reader_clears_the_maps_and_a_late_answer_is_not_shown(visit: Visit) -> None:
    page = visit("inside?text=床前明月光&by=ready/verse")
    maps(page, 4)
    held: list[Any] = []
    page.route("**/v1/trace", lambda route: held.append(route))
    page.get_by_role("button", name="Show", exact=True).click()
    page.wait_for_selector("#panel-inside .busy")
    page.locator("#panel-inside").get_by_label("Model").first.select_option("cells")
    expect(page.locator("#panel-inside .chart")).to_have_count(0)
    held[0].continue_()
    page.wait_for_timeout(400)
    expect(page.locator("#panel-inside .chart")).to_have_count(0)
