"""The papers' tables on music, adding, copy memory and captions: trains them in full, and records the GRU's figures.

    python benchmarks/recipe_lab_papers.py boulanger2012 --out runs/source [--only jsb,piano] [--cells gru] [--jobs 2]

The same as `gruworks lab papers ... --full`; called again with the same --out it goes on. One seed; the value is on the
test part, at the step that validated best; of the GRU's two forms, where a table has both, the one that validated
better gives the figure. A paper's published values, table and differences stand in `gruworks.lab.papers`.

Music, all three papers: the files are {JSB_Chorales,Nottingham,MuseData,Piano_midi}.mat of Bai et al. 2018, 88 notes a
step, train, validation and test as inside. The first step of a piece is given and not predicted; the loss is the sum
over all predicted steps of a part over their number, in nats. Like for like are: Bai's values (the same files and
loss), and Boulanger-Lewandowski's RNN (the same data; whether his average has the first step isn't known here). Not
like for like: Chung's values (data of 93 to 108 notes; trained here, not quoted until run anew in fresh folders), and
RNN-RBM and RNN-NADE, which model the notes of a step jointly.

Settings were chosen on validation, but some trials of 25 November on JSB, MuseData and Piano-midi printed the test
loss as well (LOG.md): bai2018 and chung2014 stand on them. Those of boulanger2012 were set on 30 November from that
log's validation losses, before any of its rows was run, and not searched since. For boulanger2012 the baseline of a
record is the paper's RNN.
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
    ("boulanger2012", "nottingham"): "lab/boulanger-nottingham/nll",
    ("boulanger2012", "jsb"): "lab/boulanger-jsb/nll",
    ("boulanger2012", "muse"): "lab/boulanger-muse/nll",
    ("boulanger2012", "piano"): "lab/boulanger-piano/nll",
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
    rnns = {row.name: row.published.get("rnn") for row in PAPERS[given.paper].rows}
    for row in result["rows"]:
        published = rnns[row["task"]] if given.paper == "boulanger2012" else row["published"]
        print(f"{row['task']} {row['cell']}: {row['ours']:.5g}, published {published}")
        figure = FIGURES[given.paper, row["task"]]
        facts = {
            "parameters": row["parameters"], "seeds": 1, "threads": 1, "baseline": published,
            "minutes": row["minutes"],
            "note": f"{row['cell']}, {row['H']} units; validation {row['validation']:.5g} at step {row['steps']}, "
            f"fit ended: {row['ended by']}" + ("; baseline is the paper's" if published else ""),
        }  # fmt: skip
        # The figures are the GRU's; all cells stand beside them under ids of their own.
        records.append(record(f"{figure}/{row['cell']}", row["ours"], **facts))
        if best.get(row["task"]) == row["cell"]:
            records.append(record(figure, row["ours"], **facts))
    write("lab_papers", records)


if __name__ == "__main__":
    main()
