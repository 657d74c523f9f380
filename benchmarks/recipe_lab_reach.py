"""Distance over which each cell learns: copy memory and adding at growing length, and docs/lab-reach.png.

    python benchmarks/recipe_lab_reach.py --out runs/reach [--jobs 2]

RNN, LSTM, GRU and minGRU of about 10,000 parameters, 1,000 steps each at T = 50 to 400, one seed; the gated ones also
with gates whose biases start with memories of up to T steps. A figure is the longest T at which the test loss is below
half of what knowing nothing costs, 0 where it is at none. Called again with the same --out it goes on.
"""

import argparse
from pathlib import Path

import numpy
from record import ROOT, record, write

from gruworks.lab.compare import run_all
from gruworks.lab.experiment import problem
from gruworks.lab.settings import Experiment, LabFit, Study
from gruworks.nn.cells import hidden_size_for
from gruworks.plots.curves import Curve, Panel, draw_curves

LENGTHS = (50, 100, 200, 400)
CELLS = ("rnn", "lstm", "gru", "mingru")
FIT = LabFit(steps=1000, learning_rate=4e-3, rate_floor=0.01, averaged_steps=50)


def planned(out: Path) -> dict[tuple[str, str, int], tuple[Experiment, Path]]:
    """By task, cell's name and length: what is run, and where."""
    plan = {}
    for task in ("copy", "adding"):
        for length in LENGTHS:
            for cell in CELLS:
                for memory in (0, length) if cell != "rnn" else (0,):
                    study = Study(task=task, length=length, memory=memory, test_rows=500, training=FIT)
                    posed = problem(study)
                    width = hidden_size_for(cell, posed.inputs, 10_000, posed.outputs)
                    name = f"{cell}, long memory" if memory else cell
                    plan[task, name, length] = Experiment.of(study, cell, width), out / f"{task}-{length}-{name}"
    return plan


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    plan = planned(given.out)
    results = dict(zip(plan, run_all(list(plan.values()), given.jobs), strict=True))
    panels, records = [], []
    for task in ("copy", "adding"):
        curves = {}
        for name in dict.fromkeys(name for other, name, _ in plan if other == task):
            runs = [results[task, name, length] for length in LENGTHS]
            shares = [one["test"] / one["chance"] for one in runs]
            curves[name] = Curve(numpy.array(LENGTHS, float), numpy.array(shares))
            reached = max((T for T, share in zip(LENGTHS, shares, strict=True) if share < 0.5), default=0)
            told = ", ".join(f"{T}: {share:.2g}" for T, share in zip(LENGTHS, shares, strict=True))
            note = f"{runs[0]['hidden']} units; test loss over chance at T = {told}"
            print(f"{task} {name}: {reached}; {note}")
            figure = f"lab/reach/{task}/{name.replace(', ', '-').replace(' ', '-')}"
            minutes = sum(one["minutes"] for one in runs)
            facts = {"parameters": runs[0]["parameters"], "seeds": 1, "threads": 1, "minutes": minutes}
            records.append(record(figure, reached, **facts, note=note))
        panels.append(Panel(f"{task}: test loss over chance", curves, x_axis="T", levels={"chance": 1.0}, lowest=0.01))
    draw_curves(
        panels, ROOT / "docs" / "lab-reach.png", "1,000 steps, 10,000 parameters: how far back each cell reaches"
    )
    write("lab_reach", records)


if __name__ == "__main__":
    main()
