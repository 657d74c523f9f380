"""The tables and the roofline of docs/performance.md, from benchmarks/results/recurrence.json.

python docs/make_performance.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
RESULTS = DOCS.parent / "benchmarks" / "results" / "recurrence.json"
SWEEP = RESULTS.with_name("recurrence_sweep.json")
ENOUGH = 0.7  # of the limit; points below it are named
ENGINES = ("gruworks", "kernel", "torch", "onnxruntime", "jax", "onednn")


def table(rows: dict[str, dict[str, Any]], reset: str, kind: str) -> str:
    """Milliseconds of every engine at every shape, and ours against the best other."""
    lines = [
        "| T, B, I, H | gruworks.GRU | kernel alone | torch | ONNX Runtime | JAX | oneDNN | ratio to best | GFLOP/s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        if name.startswith(f"recurrence-table/{reset}/{kind}/"):
            times = row["milliseconds"]
            cells = [f"{times[e]:.3g}" if e in times else "–" for e in ENGINES]
            others = [times[e] for e in ENGINES[2:] if e in times]
            ratio = f"{min(others) / times['gruworks']:.2f}" if others else "–"
            shape = name.rsplit("/", 1)[1].replace(",", ", ")
            lines.append(f"| {shape} | {' | '.join(cells)} | {ratio} | {row['gigaflops']:.0f} |")
    return "\n".join(lines)


def sweep(rows: list[dict[str, Any]], build: str, kind: str) -> str:
    """Percent of the limit over batches and widths, points below ENOUGH in bold and named again below."""
    prefix = f"recurrence-sweep{build}/after/{kind}/"
    points = {(r["parameters"]["H"], r["parameters"]["B"]): r for r in rows if r["id"].startswith(prefix)}
    if not points:
        return "Not measured yet on a quiet machine."
    widths, batches = (sorted({point[axis] for point in points}) for axis in (0, 1))
    lines = [f"| H \\ B | {' | '.join(map(str, batches))} |", "|---" * (len(batches) + 1) + "|"]
    for H in widths:
        shares = [points[H, B]["value"] for B in batches]
        cells = [f"{s:.0%}" if s >= ENOUGH else f"**{s:.0%}**" for s in shares]
        lines.append(f"| {H} | {' | '.join(cells)} |")
    low = [f"H {H} B {B}: {p['note']}" for (H, B), p in sorted(points.items()) if p["value"] < ENOUGH]
    return "\n".join([*lines, "", f"Below {ENOUGH:.0%}: {'; '.join(low) or 'none'}."])


def figures(rows: dict[str, dict[str, Any]]) -> str:
    lines = ["| figure | value | note |", "|---|---|---|"]
    for name, row in rows.items():
        if name.startswith("recurrence/"):
            lines.append(f"| {name.removeprefix('recurrence/')} | {row['value']:.3g} | {row['note']} |")
    return "\n".join(lines)


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
    text = (DOCS / "performance.md").read_text(encoding="utf-8")
    parts = {"figures": figures(rows)}
    parts |= {f"{r}-{k}": table(rows, r, k) for r in ("after", "before") for k in ("fwd", "train")}
    points = json.loads(SWEEP.read_text(encoding="utf-8")) if SWEEP.exists() else []
    parts |= {f"sweep{b}-{k}": sweep(points, b, k) for b in ("", "-avx2") for k in ("fwd", "train")}
    for name, made in parts.items():
        start, end = f"<!-- {name} -->\n", f"\n<!-- end {name} -->"
        before, rest = text.split(start)
        text = before + start + made + end + rest.split(end, 1)[1]
    (DOCS / "performance.md").write_text(text, encoding="utf-8")
    roofline(rows, DOCS / "performance.png")


if __name__ == "__main__":
    main()
