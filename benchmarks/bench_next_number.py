"""lab/next-number/error: how far off one trained unit is on 1..5 → 6 and 20 other number lines that it never read.

    python benchmarks/bench_next_number.py [--seeds 10]

For each seed and reset form one unit of 8 states is trained, on lines none of which starts within 0.25 of any of the
21 lines' starts or steps within 0.1 of any of their steps, and answers for all 21. The unit reads the numbers as they
stand here: no line is shifted, scaled or differenced, and nothing is added to its readout. The figure is the largest
of the 21 errors, each in units of its line's step, in the worst seed of the mission's form (reset before).
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy
import torch
from record import record, write

from gruworks.lab.number_lines.unit import train_unit
from gruworks.ops.weights import Reset

LENGTH = 5
RUNS = [  # start and step; the first is 1 2 3 4 5
    (1, 1), (6, 1), (2, 2), (1, 2), (0, 3), (5, -1), (10, -2), (3, 4), (-4, 1), (-9, 4), (0, 0.5),
    (7, 0.5), (-1, -1), (-3, -3), (8, -4), (4, 2.5), (-7, 1.5), (9, 3), (2.5, -0.5), (-5, -1.5), (-8, -2.5),
]  # fmt: skip


def worst_error(reset: Reset, seed: int) -> float:
    """The largest error of one unit over the 21 lines, in units of each line's step."""
    starts, steps = numpy.array(RUNS, float).T
    trained = train_unit(starts.tolist(), steps.tolist(), LENGTH, reset, seed)
    numbers = starts + steps * numpy.arange(LENGTH)[:, None]
    with torch.no_grad():
        answers = trained.unit(torch.from_numpy(numbers)[:, :, None]).numpy()
    errors = numpy.abs(answers - (starts + LENGTH * steps)) / numpy.abs(steps)
    print(
        f"reset {reset:6} seed {seed}: worst {errors.max():.2e} at {RUNS[int(errors.argmax())]}, 1..5 {errors[0]:.2e}"
    )
    return float(errors.max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    seeds = parser.parse_args().seeds
    begun = time.perf_counter()
    before = [worst_error("before", seed) for seed in range(seeds)]
    minutes = (time.perf_counter() - begun) / 60
    after = [worst_error("after", seed) for seed in range(seeds)]
    note = (
        f"worst of seeds 0 to {seeds - 1} and of 21 lines of 5 numbers, reset before, 8 units, float64, "
        f"no autoregression, no normalisation; "
        f"median of the seeds {statistics.median(before):.2g}; reset after: worst {max(after):.2g}, "
        f"median {statistics.median(after):.2g}; spread is the standard deviation over seeds; minutes are for all seeds"
    )
    facts = {"seeds": seeds, "spread": statistics.pstdev(before), "parameters": 3 * 8 * (1 + 8 + 2) + 9}
    # train_unit uses one thread, whatever torch may.
    facts |= {"minutes": round(minutes, 2), "threads": 1, "note": note}
    print(write("next_number", [record("lab/next-number/error", max(before), **facts)]))


if __name__ == "__main__":
    main()
