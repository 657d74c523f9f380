"""Reproduction of tables of papers: published and measured values side by side, with the differences in protocol."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gruworks.errors import OptionError
from gruworks.lab.compare import markdown, run_all
from gruworks.lab.settings import FIT, Experiment
from gruworks.lab.tracking import table as tracking
from gruworks.training.runs import write_atomically

__all__ = ["PAPERS", "Paper", "Row", "reproduce"]


@dataclass(frozen=True)
class Row:
    """A row of a table: published losses and hidden sizes by cell, and the experiment, in full and shortened."""

    name: str
    measure: str
    published: dict[str, float]
    hidden: dict[str, int]
    full: Experiment
    quick: Experiment


@dataclass(frozen=True)
class Paper:
    """A table of a paper: title, rows, and notes on differences between its protocol and ours."""

    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = field(repr=False)


def _music(name: str, length: int, steps: int, quick: int, **changes: Any) -> tuple[Experiment, Experiment]:
    fit = replace(FIT, steps=steps, batch_size=16, learning_rate=1e-2, averaged_steps=200, patience=6)
    own = {key: changes.pop(key) for key in list(changes) if key.endswith(("dropout_in", "dropout_out", "_dropout"))}
    full = Experiment(task=name, length=length, training=replace(fit, **changes), **own)
    # A quick fit averages over fewer steps, so that early weights don't dominate.
    return full, replace(full, training=replace(full.training, steps=quick, averaged_steps=50))


def _captions(steps: int, quick: int) -> tuple[Experiment, Experiment]:
    fit = replace(FIT, steps=steps, learning_rate=4e-3, averaged_steps=200, patience=8, validate_every=200)
    full = Experiment(task="captions", dropout_out=0.3, training=fit)
    return full, replace(full, training=replace(fit, steps=quick, averaged_steps=50))


def _chung(rnn: float, gru: float, lstm: float) -> dict[str, float]:
    return {"rnn": rnn, "gru": gru, "gru-before": gru, "lstm": lstm}


def _drawn(
    task: str, lengths: tuple[int, int], first: int, steps: tuple[int, int], memory: int, **fit: Any
) -> tuple[Experiment, Experiment]:
    test_rows = fit.pop("test_rows", 1000)
    training = replace(FIT, steps=steps[0], warm_up=50, **fit)
    full = Experiment(
        task=task, length=lengths[0], first_length=first, memory=memory, test_rows=test_rows, training=training
    )
    quick = replace(full, length=lengths[1], memory=lengths[1], training=replace(training, steps=steps[1]))
    return full, quick


def _boulanger(rnn: float, rnn_rbm: float, rnn_nade: float | None = None) -> dict[str, float]:
    return {"rnn": rnn, "rnn-rbm": rnn_rbm} | ({} if rnn_nade is None else {"rnn-nade": rnn_nade})


# The paper's unit has the "before" form; both are trained, and the form is chosen by validation loss.
SOURCE_UNITS = {"gru": 170}
CHUNG_UNITS = {"rnn": 100, "gru": 46, "gru-before": 46, "lstm": 36}
MUSIC_MEASURE = "nats per predicted step"

PAPERS = {
    "chung2014": Paper(
        "Chung et al. 2014, arXiv 1412.3555, table 2: polyphonic music, about 20 k parameters",
        (
            Row("nottingham", MUSIC_MEASURE, _chung(3.13, 3.23, 3.20), CHUNG_UNITS,
                *_music("nottingham", 200, 2500, 500, learning_rate=2e-2)),
            Row("jsb", MUSIC_MEASURE, _chung(9.10, 8.54, 8.67), CHUNG_UNITS,
                *_music("jsb", 120, 1500, 400, dropout_in=0.1, dropout_out=0.1, weight_decay=0.3)),
            Row("muse", MUSIC_MEASURE, _chung(6.23, 5.99, 6.23), CHUNG_UNITS,
                *_music("muse", 200, 2500, 500, learning_rate=2e-2)),
            Row("piano", MUSIC_MEASURE, _chung(9.03, 8.82, 9.03), CHUNG_UNITS,
                *_music("piano", 200, 1500, 400, dropout_in=0.2, dropout_out=0.2)),
        ),
        (
            "Loss: mean nats per predicted step of the split; zero initial state for each piece, whose first step is "
            "given and not predicted.",
            "Our files have 88 notes per step, the paper's data sets 93 to 108: other data, so that the published "
            "values are no target for them. The table boulanger2012 has the values of the files' own source.",
            "gru has the reset gate after the matrix product, gru-before is the paper's form; hyperparameters were "
            "chosen by the GRU's validation loss and used unchanged for the other cells.",
            "The paper: RMSProp, weight noise, early stopping. Ours: AdamW, cosine schedule, gradient clipping at 1, "
            "dropout, averaged weights, early stopping; training on segments of at most `length` steps; the readout "
            "bias is initialized to the log-odds of the notes.",
        ),
    ),
    "boulanger2012": Paper(
        "Boulanger-Lewandowski et al. 2012, arXiv 1206.6392, table 1: polyphonic music, the source of the files",
        (
            Row("nottingham", MUSIC_MEASURE, _boulanger(4.46, 2.39, 2.31), SOURCE_UNITS,
                *_music("nottingham", 200, 4000, 300, learning_rate=5e-3, patience=10, dropout_in=0.1, dropout_out=0.2,
                        recurrent_dropout=0.1, weight_dropout=0.1)),
            Row("jsb", MUSIC_MEASURE, _boulanger(8.71, 6.27), SOURCE_UNITS,
                *_music("jsb", 120, 6000, 300, learning_rate=3e-3, patience=12, dropout_in=0.2, dropout_out=0.4,
                        recurrent_dropout=0.3, weight_dropout=0.4)),
            Row("muse", MUSIC_MEASURE, _boulanger(8.13, 6.01), SOURCE_UNITS,
                *_music("muse", 200, 4000, 300, learning_rate=5e-3, patience=10, dropout_in=0.1, dropout_out=0.2,
                        recurrent_dropout=0.2, weight_dropout=0.2)),
            Row("piano", MUSIC_MEASURE, _boulanger(8.37, 7.09), SOURCE_UNITS,
                *_music("piano", 200, 2500, 300, learning_rate=5e-3, patience=10, dropout_in=0.2, dropout_out=0.3,
                        recurrent_dropout=0.2, weight_dropout=0.3)),
        ),
        (
            "Published, in nats (the paper has the log-likelihood, with the other sign): an RNN with 4.46 (Nottingham),"
            " 8.71 (JSB), 8.13 (MuseData) and 8.37 (Piano-midi); its RNN-RBM 2.39, 6.27, 6.01 and 7.09; an RNN-NADE "
            "with 2.31 on Nottingham. RNN-RBM and RNN-NADE model notes of a step jointly, RNN and GRU each by itself: "
            "the RNN's values are the like for like ones.",
            "The same data sets, in the .mat files of Bai et al. 2018: 88 notes per step, the split inside the files. "
            "The paper has 88 notes, too.",
            "The first step of a piece is given here and not predicted; the loss is the sum over all predicted steps "
            "of the split, over their number. Whether the paper's average has the first step is not known here.",
            "One GRU of 170 units, at most 150 k parameters with its readout; settings and step chosen on validation. "
            "AdamW, cosine schedule, dropout, recurrent dropout, DropConnect and averaged weights are ours.",
        ),
    ),
    "cho2014": Paper(
        "Cho et al. 2014, arXiv 1406.1078, table 1: the RNN Encoder-Decoder and its gated unit",
        (
            Row("captions", "nats per word", {}, {"rnn": 449, "gru": 200, "gru-before": 200, "lstm": 157},
                *_captions(3000, 600)),
        ),
        (
            "The paper's tables are BLEU of a phrase-based system on English-French WMT'14, 33.30 without and 33.87 "
            "with the model's scores. Its phrase table and corpus are not available here; docs/cho2014.md has the "
            "published model, its translations and its scores in a log-linear ranking. This table tests the paper's "
            "claim about the unit: a tanh unit without gates gave no meaningful result.",
            "gru-before is the paper's unit. One cell encodes German captions of Multi30k and decodes English ones, "
            "word by word, from its state alone; the paper has a cell for each.",
            "About 2.2 M parameters each, a vocabulary of the 1,500 most frequent words per language and an unknown "
            "token (6 % of the target words); the paper has 15,000 words. Loss: nats per target word, the end token "
            "included, on test 2016. AdamW, cosine schedule, dropout, averaged weights; the paper: Adadelta.",
        ),
    ),
    "bai2018": Paper(
        "Bai et al. 2018, arXiv 1803.01271, table 1: GRU, LSTM and plain RNN beside their TCN",
        (
            Row("adding", "mean squared error", {"gru": 5.3e-5, "lstm": 0.164, "rnn": 0.177, "tcn": 5.8e-5},
                {"gru": 150, "lstm": 130, "rnn": 262},
                *_drawn("adding", (600, 100), 50, (5000, 800), 300, learning_rate=4e-3, averaged_steps=100,
                        rate_floor=0.005)),
            Row("copy", "nats per step, all T + 20", {"gru": 0.0197, "lstm": 0.0204, "rnn": 0.0202, "tcn": 3.5e-5},
                {"gru": 66, "lstm": 56, "rnn": 116},
                *_drawn("copy", (1000, 100), 10, (8000, 1000), 1000, learning_rate=3e-3, averaged_steps=50,
                        rate_floor=0.02, validate_every=200, test_rows=500)),
            Row("jsb", MUSIC_MEASURE, {"gru": 8.43, "lstm": 8.45, "rnn": 8.91, "tcn": 8.10},
                {"gru": 262, "lstm": 223, "rnn": 466},
                *_music("jsb", 120, 7000, 100, learning_rate=3e-3, patience=12, dropout_in=0.2, dropout_out=0.4,
                        recurrent_dropout=0.3, weight_dropout=0.4)),
            Row("nottingham", MUSIC_MEASURE, {"gru": 3.46, "lstm": 3.29, "rnn": 4.05, "tcn": 3.07},
                {"gru": 521, "lstm": 447, "rnn": 915},
                *_music("nottingham", 200, 2000, 60, learning_rate=3e-3, dropout_in=0.1, dropout_out=0.4)),
        ),
        (
            "Hidden sizes give cell and readout about the paper's number of parameters: 70 k for adding, "
            "16 k for copy, 300 k for JSB, 1 M for Nottingham.",
            "Copy: T = 1000 blanks, mean over all T + 20 steps, chance .0204; input symbols are one-hot vectors, "
            "in the paper one number. 1,000 test sequences for adding, 500 for copy.",
            "Adding and copy: chrono initialization of the gate biases (Tallec and Ollivier 2018; not for the plain "
            "RNN), and training sequences that grow to full length over the first 70 % of the steps; the test is at "
            "full length. AdamW, cosine schedule, averaged weights.",
            "Music: as in the notes on Chung's table; the paper has the same loss over whole pieces. On JSB only the "
            "GRU has recurrent dropout and DropConnect: not a comparison of cells.",
            "TCN: published values only; it is not trained here.",
        ),
    ),
}  # fmt: skip


def reproduce(
    name: str, out: Path, quick: bool = False, only: Sequence[str] = (), cells: Sequence[str] = (), jobs: int = 2
) -> dict[str, Any]:
    """Train the cells of a paper's table in out/ROW-CELL, and write out/papers.json and out/papers.md.

    Args:
        name: a key of PAPERS, or "tracking", which has its own table (`gruworks.lab.tracking.table`).
        out: folder of the runs; finished ones are not repeated.
        quick: fewer steps and shorter sequences, for the ranking of the cells instead of the published values.
        only: rows to train; all if empty.
        cells: cells to train; all if empty.
        jobs: number of processes, of one thread each.

    Returns:
        The contents of papers.json: "paper", "title", "quick", "rows" and "notes".

    Raises:
        OptionError: an unknown paper, row or cell. DataError: a missing data set.
    """
    if name == "tracking":
        return tracking.reproduce(out, quick, only, cells, jobs)
    if name not in PAPERS:
        raise OptionError(f"there is no paper {name!r}; there are: {', '.join(PAPERS)}, tracking")
    paper = PAPERS[name]
    rows = [row for row in paper.rows if not only or row.name in only]
    known = {row.name for row in paper.rows}, {cell for row in paper.rows for cell in row.hidden}
    for given, names in zip((only, cells), known, strict=True):
        if set(given) - names:
            raise OptionError(f"{name} has no {', '.join(set(given) - names)}; it has: {', '.join(sorted(names))}")
    planned = [
        (Experiment.of(row.quick if quick else row.full, cell, row.hidden[cell]), out / f"{row.name}-{cell}", row, cell)
        for row in rows
        for cell in row.hidden
        if not cells or cell in cells
    ]
    found = run_all([(settings, folder) for settings, folder, _, _ in planned], jobs)
    table = [_line(row, cell, one) for (_, _, row, cell), one in zip(planned, found, strict=True)]
    result = {"paper": name, "title": paper.title, "quick": quick, "rows": table, "notes": _notes(paper, quick)}
    write_atomically(out / "papers.json", (json.dumps(result, indent=1) + "\n").encode())
    write_atomically(out / "papers.md", _page(result).encode())
    return result


def _line(row: Row, cell: str, one: dict[str, Any]) -> dict[str, Any]:
    published = row.published.get(cell)
    return {
        "task": row.name, "T": one["length"] if row.full.first_length else "whole", "cell": cell, "H": one["hidden"],
        "parameters": one["parameters"], "measure": row.measure, "published": published, "ours": one["test"],
        "ours - published": None if published is None else one["test"] - published, "validation": one["valid"],
        "steps": one["best_step"], "ended by": one["ended_by"], "minutes": one["minutes"],
    }  # fmt: skip


def _notes(paper: Paper, quick: bool) -> list[str]:
    said = "Quick: fewer steps, synthetic sequences of T = 100; the published values are for the full experiment."
    return [*([said] if quick else []), *paper.notes]


def _page(result: dict[str, Any]) -> str:
    notes = "".join(f"- {note}\n" for note in result["notes"])
    return f"# {result['title']}\n\n{markdown(result['rows'])}\n{notes}"
