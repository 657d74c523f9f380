"""Many series: what a fit on 10,000 series of 1,000 daily rows keeps in memory, and how fast it steps.

    python benchmarks/bench_forecast_scale.py [--series 10000] [--rows 1000] [--steps 100]

Random walks with a week in them, one pandas frame, 14 days ahead, defaults; one thread. The value is the peak memory
of the process in GB; the note says how much of it stood before the fit (libraries and the frame), how much all windows
would have taken, and the steps a second, validations left out.
"""

import argparse
import resource
import time

import lightning.pytorch  # noqa: F401  so that its import counts as library, not as fit
import numpy
import pandas
import torch
from record import record, write

from gruworks import Forecaster
from gruworks.tasks.forecast.data import Windows

HORIZON = 14


def series(count: int, rows: int) -> pandas.DataFrame:
    rng, t = numpy.random.default_rng(0), numpy.arange(rows)
    y = rng.normal(size=(count, rows)).cumsum(1) + 5 * numpy.sin(2 * numpy.pi * t / 7)
    return pandas.DataFrame({
        "unique_id": numpy.repeat([f"series {i}" for i in range(count)], rows),
        "ds": numpy.tile(pandas.date_range("2020-01-01", periods=rows).to_numpy(), count),
        "y": y.ravel(),
    })  # fmt: skip


def peak() -> float:
    """The largest resident memory of this process so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


class Clock:
    """Processor times of the draws, from which the time of a step is told."""

    def __init__(self, draw) -> None:
        self.draw, self.times, self.bytes = draw, [], 0

    def __call__(self, windows: Windows, epoch: int, index: int):
        self.times.append(time.process_time())
        batch = self.draw(windows, epoch, index)
        self.bytes = sum(array.nbytes for array in batch.values()) / len(batch["weight"])
        return batch


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=1_000)
    parser.add_argument("--steps", type=int, default=100)
    given = parser.parse_args()
    torch.set_num_threads(1)
    frame = series(given.series, given.rows)
    before, begun = peak(), time.process_time()
    clock = Clock(Windows.draw)
    Windows.draw = lambda *place: clock(*place)
    forecaster = Forecaster(horizon=HORIZON, steps=given.steps, validate_every=given.steps)
    forecaster.fit(frame, quiet=True)
    seconds = time.process_time() - begun
    speed = 1 / float(numpy.median(numpy.diff(clock.times)))
    starts = given.series * max(1, given.rows - forecaster.config.window + 1)
    note = (
        f"{given.series} series of {given.rows} rows: {before:.1f} GB before the fit, with the frame; all {starts} "
        f"windows stored would take {starts * clock.bytes / 1e9:.0f} GB; {speed:.0f} steps a second of "
        f"{forecaster.config.training.batch_size} windows of {forecaster.config.window} rows; reading, encoding, "
        f"{given.steps} steps, validation and blending took {seconds:.0f} s of the processor"
    )
    print(f"{peak():.2f} GB at most; {note}")
    write("forecast_scale", [record("forecast/scale/peak-gb", peak(), threads=1, note=note)])


if __name__ == "__main__":
    main()
