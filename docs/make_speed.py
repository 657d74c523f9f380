"""Chart of the README: time of a GRU in Gruworks, torch, ONNX Runtime, JAX and oneDNN.

python docs/make_speed.py     writes docs/speed.svg from benchmarks/results/recurrence.json
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
RESULTS = DOCS.parent / "benchmarks" / "results" / "recurrence.json"
ENGINES = {
    "gruworks": "gruworks.GRU",
    "onednn": "oneDNN",
    "onnxruntime": "ONNX Runtime",
    "jax": "JAX",
    "torch": "torch",
}
PANELS = {
    "fwd/1000,1,128,128": "forward: batch 1, 1000 steps, 128 units",
    "fwd/200,32,256,256": "forward: batch 32, 200 steps, 256 units",
    "train/1000,1,128,128": "training step: batch 1, 1000 steps, 128 units",
    "train/200,32,256,256": "training step: batch 32, 200 steps, 256 units",
}
STYLE = {
    "font.family": "sans-serif",
    "font.size": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "gruworks",
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def panels() -> dict[str, dict[str, Any]]:
    """The record of each panel by its title."""
    records = {one["id"]: one for one in json.loads(RESULTS.read_text(encoding="utf-8"))}
    return {title: records[f"recurrence-table/after/{name}"] for name, title in PANELS.items()}


def bars(axes: Any, title: str, record: dict[str, Any]) -> None:
    """Draw one panel: a bar for each engine that was measured, with its milliseconds."""
    times = {label: record["milliseconds"][name] for name, label in ENGINES.items() if name in record["milliseconds"]}
    colours = ["tab:blue" if label.startswith("gruworks") else "0.75" for label in times]
    drawn = axes.barh(list(times), list(times.values()), color=colours)
    axes.bar_label(drawn, [f"{time:.3g} ms" for time in times.values()], padding=3)
    axes.set_title(title, fontsize=9, loc="left")
    axes.set(xlim=(0, 1.25 * max(times.values())), xticks=[])
    axes.invert_yaxis()


def main() -> None:
    import matplotlib.pyplot as pyplot

    with pyplot.rc_context(STYLE):
        figure, axes = pyplot.subplots(2, 2, figsize=(8.5, 4.2))
        for place, (title, record) in zip(axes.flat, panels().items(), strict=True):
            bars(place, title, record)
        figure.supxlabel(f"float32, {record['threads']} threads, {record['machine']}. Lower is better.", fontsize=9)
        figure.tight_layout()
        figure.savefig(DOCS / "speed.svg", metadata={"Date": None}, facecolor="white")


if __name__ == "__main__":
    main()
