"""Puts the figures of benchmarks/results/quantised.json into docs/quantised.md, between their marks.

python docs/make_quantised.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "quantised.md"
PRECISIONS = ("float32", "bfloat16", "int8")


def steps(rows: dict[str, dict[str, Any]]) -> str:
    lines = [
        "| H, I | float32, µs | bfloat16 | int8 | error: float32 | bfloat16 | int8 |",
        "|---|---|---|---|---|---|---|",
    ]
    widths = sorted({int(name.split("/")[2][1:]) for name in rows if name.endswith("/us")})
    for H in widths:
        for kind in ("i1", "ih"):
            found = [rows[f"quantised/{p}/h{H}/{kind}/us"] for p in PRECISIONS]
            took = [
                f"{r['value']:.3g}" + (f" ({r['baseline'] / r['value']:.1f} ×)" if i else "")
                for i, r in enumerate(found)
            ]
            wrong = [r["note"].rsplit(" ", 1)[1] for r in found]
            lines.append(f"| {H}, {1 if kind == 'i1' else H} | {' | '.join(took + wrong)} |")
    return "\n".join(lines)


def losses(rows: dict[str, dict[str, Any]]) -> str:
    lines = ["| precision | nats a character | note |", "|---|---|---|"]
    for p in PRECISIONS:
        row = rows[f"quantised/loss/{p}/nats"]
        lines.append(f"| {p} | {row['value']:.5f} | {row['note']} |")
    return "\n".join(lines)


def main() -> None:
    path = ROOT / "benchmarks" / "results" / "quantised.json"
    rows = {r["id"]: r for r in json.loads(path.read_text(encoding="utf-8"))}
    text = PAGE.read_text(encoding="utf-8")
    for name, table in (("steps", steps(rows)), ("losses", losses(rows))):
        begin, end = f"<!-- {name} -->\n", f"<!-- end {name} -->"
        head, rest = text.split(begin)
        text = head + begin + table + "\n" + end + rest.split(end)[1]
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
