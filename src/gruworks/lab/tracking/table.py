"""The table of state tracking: every model on every task, all seeds, by length of the test words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gruworks.errors import OptionError
from gruworks.lab.compare import markdown, run_all
from gruworks.lab.problems.automata import AUTOMATA
from gruworks.lab.settings import FIT
from gruworks.lab.tracking.models import MIXERS, MODELS
from gruworks.lab.tracking.trial import Trial, run
from gruworks.training.runs import write_atomically

__all__ = ["SEEDS", "TRIALS", "reproduce"]

SEEDS = 3
ATTENTION_ROWS = 100  # test words of the Transformer, whose time grows with the square of their length
TITLE = "State tracking: trained on words of up to 40 steps, accuracy of the label after as many steps as the head says"
NOTES = (
    "Each entry has one value a seed, none left out. Labels at every step in training; validation on words of 80 "
    "steps; the test words are fresh and stand in neither.",
    "addition is modulo 5. In a5 and s5 the input is any of the 60 or 120 elements of the group, and the label is the "
    "product so far. In flip-flop one of four values is written, kept, or the last change undone.",
    "About the same number of parameters a task. gru, gru-before, lstm and rnn: one layer and a linear readout. "
    "mingru, diagonal and transformer: two pre-norm residual layers with feed-forward networks between.",
    f"The transformer is tested on {ATTENTION_ROWS} words, the others on 1,000.",
)

SMALL = Trial(
    parameters=10_000,
    training=replace(FIT, steps=1500, batch_size=64, learning_rate=1e-2, weight_decay=0.01, averaged_steps=50,
                     warm_up=100, rate_floor=0.02),
)  # fmt: skip
LARGE = replace(
    SMALL, parameters=136_000, noise=0.05, first_symbols=5,
    training=replace(SMALL.training, steps=16_000, learning_rate=3e-3, warm_up=200),
)  # fmt: skip
TRIALS = {"parity": SMALL, "addition": SMALL, "flip-flop": SMALL, "a5": LARGE, "s5": LARGE}
LOW_RATE = 3e-3  # of models without gates on their own state


def reproduce(
    out: Path, quick: bool = False, only: Sequence[str] = (), models: Sequence[str] = (), jobs: int = 2
) -> dict[str, Any]:
    """Train the models in out/TASK-MODEL-SEED, and write out/papers.json and out/papers.md.

    Args:
        out: folder of the runs; finished ones are not repeated.
        quick: one seed, a third of the steps, 100 test words of 400 steps.
        only: tasks; all if empty.
        models: models; all if empty.
        jobs: number of processes, of one thread each.

    Returns:
        The contents of papers.json: "paper", "title", "quick", "rows", "notes", and "trials", the metrics of each.

    Raises:
        OptionError: an unknown task or model.
    """
    for given, known in ((only, AUTOMATA), (models, MODELS)):
        if unknown := set(given) - set(known):
            raise OptionError(f"tracking has no {', '.join(sorted(unknown))}; it has: {', '.join(known)}")
    pairs = [
        (task, model) for task in AUTOMATA if not only or task in only for model in MODELS
        if not models or model in models
    ]  # fmt: skip
    planned = [
        (_trial(task, model, seed, quick), out / f"{task}-{model}-{seed}")
        for task, model in pairs
        for seed in range(1 if quick else SEEDS)
    ]
    trials = run_all(planned, jobs, run)
    rows = [_line([one for one in trials if (one["task"], one["model"]) == pair]) for pair in pairs]
    said = ["Quick: one seed, a third of the steps, 100 test words of 400 steps."] if quick else []
    notes = [*said, *NOTES]
    result = {
        "paper": "tracking", "title": TITLE, "quick": quick, "rows": rows, "notes": notes, "trials": trials
    }  # fmt: skip
    write_atomically(out / "papers.json", (json.dumps(result, indent=1) + "\n").encode())
    listed = "".join(f"- {note}\n" for note in notes)
    write_atomically(out / "papers.md", f"# {TITLE}\n\n{markdown(rows)}\n{listed}".encode())
    return result


def _trial(task: str, model: str, seed: int, quick: bool) -> Trial:
    trial = TRIALS[task]
    training = replace(trial.training, seed=seed)
    if model in ("rnn", *MIXERS):
        training = replace(training, learning_rate=LOW_RATE)
    if model == "transformer":
        trial = replace(trial, test_rows=ATTENTION_ROWS)
    if quick:
        trial, training = replace(trial, test_length=400, test_rows=100), replace(training, steps=training.steps // 3)
    return replace(trial, task=task, model=model, training=training)


def _line(trials: list[dict[str, Any]]) -> dict[str, Any]:
    """A row of the table: accuracies of all seeds by length."""
    one = trials[0]
    return {
        "task": one["task"], "model": one["model"], "H": one["hidden"], "parameters": one["parameters"],
        **{T: " ".join(f"{trial['accuracy'][T]:.3f}" for trial in trials) for T in one["accuracy"]},
        "minutes": sum(trial["minutes"] for trial in trials),
    }  # fmt: skip
