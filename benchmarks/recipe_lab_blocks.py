"""The GRU alone, with a convolution before it, with attention over it: five tasks at equal parameters.

    python benchmarks/recipe_lab_blocks.py --out runs/blocks [--only look-up] [--jobs 2]

Adding at T = 2,000 is long, Dyck-2 brackets and the look-up of pairs are tangled: what belongs together doesn't stand
together. ETTh1 from 720 hours and AN4's letters are what people have. Widths are solved for; every cell gets the same
steps and settings, two seeds (adding one). The value is the mean test loss. A step's time is measured
afterwards, forward and backward on one thread. Called again with the same --out it goes on.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from record import record, write

from gruworks.lab.compare import compare
from gruworks.lab.settings import LabFit, Study

CELLS = ["gru", "gru+convolution", "gru+attention"]
FIT = LabFit(steps=2000, learning_rate=4e-3, rate_floor=0.01, averaged_steps=50)
STUDIES = {
    "adding": (
        70_000,
        Study(task="adding", length=2000, first_length=50, memory=1000, training=replace(FIT, steps=1200)),
    ),
    "dyck2": (10_000, Study(task="dyck2", length=100, training=FIT)),
    "etth1": (
        30_000,
        Study(task="etth1", length=720, dropout_out=0.2, training=replace(FIT, steps=1000, learning_rate=2e-3)),
    ),
    "an4": (300_000, Study(task="an4", dropout_in=0.1, dropout_out=0.3, training=replace(FIT, batch_size=16))),
    "look-up": (30_000, Study(task="look-up", length=64, training=replace(FIT, steps=5000))),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", choices=STUDIES, default=None)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    records = []
    for task in [given.only] if given.only else STUDIES:
        parameters, study = STUDIES[task]
        seeds = 1 if task == "adding" else 2  # an hour of one core for all as it is
        result = compare(study, CELLS, seeds, parameters, given.out / task, given.jobs)
        for name, cell in result["cells"].items():
            cost = cell["costs"][-1]["microseconds"]
            note = (
                f"T = {study.length}, {cell['hidden']} units, {cost:.0f} µs a step of 32 rows; test "
                f"{', '.join(f'{x:.3g}' for x in cell['test'])}; knowing nothing {result['chance']:.3g}"
            )
            print(f"{task} {name}: {cell['mean']:.4g}; {note}")
            facts = {"parameters": cell["parameters"], "seeds": seeds, "threads": 1}
            figure = f"lab/blocks/{task}/{name}"
            facts |= {"spread": cell["spread"], "baseline": result["chance"], "note": note}
            records.append(record(figure, cell["mean"], **facts))
    write("lab_blocks", records)


if __name__ == "__main__":
    main()
