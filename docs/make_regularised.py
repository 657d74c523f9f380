"""Write the table of docs/regularised.md from benchmarks/results/regularised.json.

python docs/make_regularised.py
"""

from __future__ import annotations

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "regularised.md"


def costs(rows: dict[str, float]) -> str:
    """Table of relative training times, by shape and regularization."""
    forms = list(dict.fromkeys(name.split("/")[3] for name in rows))
    lines = ["| shape, form | " + " | ".join(forms) + " |", "|---" * (len(forms) + 1) + "|"]
    for place in dict.fromkeys(name.split("/")[2] for name in rows):
        found = [f"{rows[f'recurrence/regularised/{place}/{form}']:.2f}" for form in forms]
        batch, hidden, reset = (part.lstrip("bh") if part[1:].isdigit() else part for part in place.split("-"))
        lines.append(f"| B = {batch}, H = {hidden}, {reset} | " + " | ".join(found) + " |")
    return "\n".join(lines)


def main() -> None:
    records = json.loads((ROOT / "benchmarks" / "results" / "regularised.json").read_text())
    rows = {r["id"]: r["value"] for r in records if not r["id"].endswith(("/cost", "/plain"))}
    before, _, rest = PAGE.read_text().partition("<!-- costs -->")
    _, _, after = rest.partition("<!-- end costs -->")
    PAGE.write_text(f"{before}<!-- costs -->\n{costs(rows)}\n<!-- end costs -->{after}")


if __name__ == "__main__":
    main()
