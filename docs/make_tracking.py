"""The tables and the picture of docs/tracking.md and its Chinese page, from benchmarks/results/lab_tracking.json.

python docs/make_tracking.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy

from gruworks.lab.problems.automata import AUTOMATA
from gruworks.lab.tracking.models import MODELS
from gruworks.lab.tracking.trial import LENGTHS
from gruworks.plots.curves import Curve, Panel, draw_curves

DOCS = Path(__file__).resolve().parent
RECORDS = DOCS.parent / "benchmarks" / "results" / "lab_tracking.json"
PAGES = {"tracking.md": ("model", "parameters", "minutes"), "tracking.zh-CN.md": ("模型", "参数量", "分钟")}
SHOWN = (40, 80, 400, 1000, 4000)

Records = dict[str, dict[str, Any]]


def table(task: str, records: Records, heads: tuple[str, str, str]) -> str:
    """A model a row: accuracy of all seeds by length, parameters, minutes of all seeds together."""
    model, parameters, minutes = heads
    lines = [f"| {model} | {' | '.join(map(str, SHOWN))} | {parameters} | {minutes} |", "|---" * (len(SHOWN) + 3) + "|"]
    for name in MODELS:
        its = [records.get(f"lab/tracking-{task}/{length}/{name}") for length in SHOWN]
        if its[0] is None:
            continue
        seeds = [one["note"].partition("seeds: ")[2] for one in its if one]
        lines.append(f"| `{name}` | {' | '.join(seeds)} | {its[0]['parameters']:,} | {its[0]['minutes']:.1f} |")
    return "\n".join(lines)


def panel(task: str, records: Records) -> Panel:
    """The worst seed of each model by length."""
    curves = {}
    for name in MODELS:
        found = {T: records[key] for T in LENGTHS if (key := f"lab/tracking-{task}/{T}/{name}") in records}
        if found:
            values = numpy.array([one["value"] for one in found.values()], float)
            curves[name] = Curve(numpy.log10(numpy.array([*found], float)), values)
    chance = 1 / AUTOMATA[task].labels
    return Panel(task, curves, "log10 T", "accuracy, worst seed", logarithmic=False, levels={"chance": chance})


def main() -> None:
    records = {one["id"]: one for one in json.loads(RECORDS.read_text(encoding="utf-8"))}
    tasks = [task for task in AUTOMATA if any(name.startswith(f"lab/tracking-{task}/") for name in records)]
    for page, heads in PAGES.items():
        text = (DOCS / page).read_text(encoding="utf-8")
        for task in tasks:
            begin, end = f"<!-- {task} -->\n", f"<!-- end {task} -->"
            head, rest = text.split(begin)
            text = f"{head}{begin}\n{table(task, records, heads)}\n\n{end}{rest.split(end, 1)[1]}"
        (DOCS / page).write_text(text, encoding="utf-8")
    panels = [panel(task, records) for task in tasks]
    draw_curves(panels, DOCS / "tracking.png", "Label after T steps, trained on words of up to 40 steps")


if __name__ == "__main__":
    main()
