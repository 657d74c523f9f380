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
PAGES = {  # heads of the columns, text of a table without records, of the picture
    "tracking.md": ("model", "parameters", "minutes", "Not measured yet.", "Accuracy of the worst seed by length"),
    "tracking.zh-CN.md": ("模型", "参数量", "分钟", "尚未测量。", "最差种子的准确率随字长的变化"),
}
SHOWN = (40, 80, 400, 1000, 4000)

Records = dict[str, dict[str, Any]]


def table(task: str, records: Records, texts: tuple[str, ...]) -> str:
    """A model a row: accuracy of all seeds by length, parameters, minutes of all seeds together."""
    model, parameters, minutes, unmeasured, _ = texts
    lines = [f"| {model} | {' | '.join(map(str, SHOWN))} | {parameters} | {minutes} |", "|---" * (len(SHOWN) + 3) + "|"]
    for name in MODELS:
        its = [records.get(f"lab/tracking-{task}/{length}/{name}") for length in SHOWN]
        if its[0] is None:
            continue
        seeds = [one["note"].partition("seeds: ")[2] for one in its if one]
        lines.append(f"| `{name}` | {' | '.join(seeds)} | {its[0]['parameters']:,} | {its[0]['minutes']:.1f} |")
    return "\n".join(lines) if len(lines) > 2 else unmeasured


def panel(task: str, records: Records) -> Panel:
    """The worst seed of each model by length."""
    curves = {}
    for name in MODELS:
        found = {T: records[key] for T in LENGTHS if (key := f"lab/tracking-{task}/{T}/{name}") in records}
        if found:
            values = numpy.array([one["value"] for one in found.values()], float)
            curves[name] = Curve(numpy.array([*found], float), values)
    chance = {"chance": 1 / AUTOMATA[task].labels}
    return Panel(task, curves, "T", "accuracy, worst seed", logarithmic=False, levels=chance, ticks=SHOWN)


def replaced(text: str, mark: str, part: str) -> str:
    """`text` with `part` between <!-- mark --> and <!-- end mark -->."""
    head, rest = text.split(f"<!-- {mark} -->\n")
    return f"{head}<!-- {mark} -->\n\n{part}\n\n<!-- end {mark} -->{rest.split(f'<!-- end {mark} -->', 1)[1]}"


def main() -> None:
    listed = json.loads(RECORDS.read_text(encoding="utf-8")) if RECORDS.exists() else []
    records = {one["id"]: one for one in listed}
    panels = [made for task in AUTOMATA if (made := panel(task, records)).curves]
    if panels:
        draw_curves(panels, DOCS / "tracking.png", "Label after T steps, trained on words of up to 40 steps")
    for page, texts in PAGES.items():
        text = (DOCS / page).read_text(encoding="utf-8")
        text = replaced(text, "picture", f"![{texts[-1]}](tracking.png)" if panels else texts[-2])
        for task in AUTOMATA:
            text = replaced(text, task, table(task, records, texts))
        (DOCS / page).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
