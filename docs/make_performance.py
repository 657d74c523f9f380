"""The roofline of docs/performance.md, docs/performance.png, from benchmarks/results/recurrence.json.

python docs/make_performance.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
RESULTS = DOCS.parent / "benchmarks" / "results" / "recurrence.json"


def roofline(rows: dict[str, dict[str, Any]], path: Path) -> None:
    """Each shape's rate over its arithmetic per byte of weights, under the cache's and the multiplier's roofs."""
    import matplotlib.pyplot as pyplot

    limits = rows["recurrence-table/limits"]["limits"]
    figure, axes = pyplot.subplots(figsize=(7, 4.2))
    intensities = [2**k / 4 for k in range(1, 11)]
    for kib, label in (("393", "L2"), ("3145", "L3")):
        roof = [min(limits["fma"], i * limits["read"][kib]) for i in intensities]
        axes.plot(
            intensities, roof, color="0.5", linestyle="-" if label == "L2" else "--", label=f"{label} and FMA roof"
        )
    for kind, colour in (("fwd", "tab:blue"), ("train", "tab:orange")):
        chosen = {n: r for n, r in rows.items() if n.startswith(f"recurrence-table/after/{kind}/")}
        batch = [int(n.rsplit("/", 1)[1].split(",")[1]) for n in chosen]
        axes.scatter([b / 2 for b in batch], [r["gigaflops"] for r in chosen.values()], color=colour, label=kind)
    axes.set(xscale="log", yscale="log", xlabel="FLOP per byte of recurrent weights (B / 2)", ylabel="GFLOP/s")
    axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    rows = {row["id"]: row for row in json.loads(RESULTS.read_text(encoding="utf-8"))}
    roofline(rows, DOCS / "performance.png")


if __name__ == "__main__":
    main()
