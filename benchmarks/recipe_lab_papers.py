"""The papers' tables on music, adding, copy memory and captions: trains them in full, and records the GRU's figures.

    python benchmarks/recipe_lab_papers.py chung2014 --out runs/chung2014 [--only jsb,piano] [--cells gru] [--jobs 2]

The same as `gruworks lab papers ... --full`; called again with the same --out it goes on. One seed; the value is on the
test part, at the step that validated best; of the GRU's two forms the one that validated better gives the figure.
"""

import argparse
from pathlib import Path
from typing import Any

from record import record, write

from gruworks.lab.papers import PAPERS, reproduce

FIGURES = {
    ("chung2014", "nottingham"): "lab/chung-nottingham/nll",
    ("chung2014", "jsb"): "lab/chung-jsb/nll",
    ("chung2014", "muse"): "lab/chung-muse/nll",
    ("chung2014", "piano"): "lab/chung-piano/nll",
    ("bai2018", "jsb"): "lab/bai-jsb/nll",
    ("bai2018", "nottingham"): "lab/bai-nottingham/nll",
    ("bai2018", "adding"): "lab/adding-600/mse",
    ("bai2018", "copy"): "lab/copy-1000/loss",
    ("cho2014", "captions"): "lab/cho-captions/nats",
}


def names(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def best_forms(rows: list[dict[str, Any]]) -> dict[str, str]:
    """For each task the form of the GRU that validated best."""
    units = sorted((row for row in rows if row["cell"].startswith("gru")), key=lambda row: -row["validation"])
    return {row["task"]: row["cell"] for row in units}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paper", choices=PAPERS)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", type=names, default=[])
    parser.add_argument("--cells", type=names, default=[])
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    result = reproduce(given.paper, given.out, only=given.only, cells=given.cells, jobs=given.jobs)
    records = []
    best = best_forms(result["rows"])
    for row in result["rows"]:
        print(f"{row['task']} {row['cell']}: {row['ours']:.5g}, published {row['published']}")
        figure = FIGURES[given.paper, row["task"]]
        facts = {
            "parameters": row["parameters"], "seeds": 1, "threads": 1, "baseline": row["published"],
            "minutes": row["minutes"],
            "note": f"{row['cell']}, {row['H']} units; validation {row['validation']:.5g} at step {row['steps']}, "
            f"fit ended: {row['ended by']}" + ("; baseline is the paper's" if row["published"] else ""),
        }  # fmt: skip
        # The figures are the GRU's; all cells stand beside them under ids of their own.
        records.append(record(f"{figure}/{row['cell']}", row["ours"], **facts))
        if best.get(row["task"]) == row["cell"]:
            records.append(record(figure, row["ours"], **facts))
    write("lab_papers", records)


if __name__ == "__main__":
    main()
