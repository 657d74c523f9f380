"""Reach of gradients at T = 200 on the adding problem: figures, and docs/lab-gradients.png.

    python benchmarks/recipe_lab_gradients.py --out runs/gradients [--jobs 2]

RNN, LSTM and GRU of 32 units, 2,000 steps on sequences that grow from 20 to 200, one seed. Called again with the same
--out it goes on. A figure is ‖∂L/∂s_0‖ over ‖∂L/∂s_T‖ of the loss on a test sequence, after training: it depends on
what one seed learnt, and says no more than whether a gradient arrives at all.
"""

import argparse
import json
from pathlib import Path

from record import ROOT, record, write

from gruworks.app.cli.lab.experiments import panels_of_reach
from gruworks.lab.gradient_study import reaches
from gruworks.lab.settings import LabFit, Study
from gruworks.plots.curves import draw_curves

STUDY = Study(
    task="adding",
    length=200,
    first_length=20,
    training=LabFit(steps=2000, learning_rate=4e-3, rate_floor=0.01, averaged_steps=50),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    found = reaches(STUDY, ["rnn", "lstm", "gru"], 32, given.out, jobs=given.jobs)
    (given.out / "gradients.json").write_text(json.dumps(found) + "\n")
    title = "Adding problem, T = 200, 32 units: how far gradients reach"
    draw_curves(panels_of_reach(found), ROOT / "docs" / "lab-gradients.png", title)
    records = []
    for cell in ("rnn", "lstm", "gru"):
        one = found["reaches"][cell]
        shares = {when: one[when]["loss"][-1] / one[when]["loss"][0] for when in ("initial", "trained")}
        state = {when: one[when]["task"]["mean"][-1] for when in ("initial", "trained")}
        note = (
            f"‖∂L/∂s_0‖ / ‖∂L/∂s_T‖ after training; at initialisation {shares['initial']:.2g}; "
            f"‖∂s_T/∂s_0‖ {state['initial']:.2g} at initialisation, {state['trained']:.2g} after; "
            f"test error {one['test']:.3g}"
        )
        print(cell, note)
        records.append(record(f"lab/gradient-reach-200/{cell}", shares["trained"], seeds=1, threads=1, note=note))
    write("lab_gradients", records)


if __name__ == "__main__":
    main()
