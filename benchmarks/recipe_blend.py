"""The blending weight on foreign series: how often it opens without skill, what it promises, and what it misses.

    python benchmarks/recipe_blend.py [--part choosing] [--draws 200]

The series are those of blend_bench.py, named before the first score: the constants of combination/blending.py were
chosen on CHOOSING and on draws of other seeds, REPORTING is scored with them. Each series is fitted with the defaults
before each of its two cuts, and scored at origins a horizon apart after it.

False openings: share of draws (walks and noise of 300 rows, horizon 8, networks of 150 steps, without smoothing) whose
network gets a weight above .1. Promise: median of max(p/g, g/p), p the gain over the combination without the network
that the fit states, g the gain on the scored rows, 10 where g is not above 0; over the cuts at which the blend opens.
Missed: geometric mean of the combination's MAE over that of the better of network and naive forecast, in hindsight.
"""

from __future__ import annotations

import argparse
import time

import numpy
from blend_bench import CHOOSING, REPORTING, Case, draws
from record import record, write

from gruworks import Forecaster
from gruworks.tasks.forecast.features.naive import naive_forecasts, or_last
from gruworks.tasks.forecast.series.reading import read

OPEN = 0.1
CHOSEN = 10_000  # first seed of the draws; the constants were chosen on draws of lower ones


def cut(case: Case, fit, whole) -> dict:
    """Weight, promised and found gain, and the MAE over the better of network and naive forecast."""
    forecaster = Forecaster(horizon=case.horizon).fit(fit, quiet=True)
    predictor, K = forecaster.predictor, case.horizon
    (one,) = read(whole, forecaster.config).series
    rows = numpy.arange(len(fit) - 1, len(whole) - K, K)
    truth, blend = one.y[rows[:, None] + numpy.arange(1, K + 1)], forecaster.blend
    network = predictor.own(one, rows, 0)[..., 1]
    naive = or_last(naive_forecasts(one, forecaster.codec, rows, K), blend.naive)
    smoothed = predictor.smoothed(one, rows, blend)
    rest = max(1 - blend.weight, 1e-9)
    shares = {name: share / rest for name, share in blend.smoothing.items()}
    without = (1 - sum(shares.values())) * naive + sum(share * smoothed[name] for name, share in shares.items())
    mixed = blend.weight * network + (1 - blend.weight) * without
    medians = {"network": network, "naive": naive, "without": without, "mixed": mixed}
    mae = {name: float(numpy.nanmean(numpy.abs(median - truth))) for name, median in medians.items()}
    return {
        "weight": blend.weight, "t": blend.t, "promised": 0.0 if blend.ratio is None else 1 - blend.ratio,
        "gain": 1 - mae["mixed"] / mae["without"], "missed": mae["mixed"] / min(mae["network"], mae["naive"]), **mae,
    }  # fmt: skip


def promise(one: dict) -> float:
    """The larger of p/g and g/p; 10 where there is no gain."""
    p, g = one["promised"], one["gain"]
    return 10.0 if g <= 0 else max(p / g, g / p)


def opened(count: int) -> list[str]:
    """Names of the draws on which the blend opens."""
    found = []
    for name, table in draws(CHOSEN, count):
        forecaster = Forecaster(horizon=8, steps=150, validate_every=15, smoothing=False).fit(table, quiet=True)
        if forecaster.blend.weight > OPEN:
            found.append(name)
            print(f"{name}: {forecaster.blend}", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["choosing", "reporting"], default="reporting")
    parser.add_argument("--draws", type=int, default=200)
    given = parser.parse_args()
    begun, found = time.process_time(), {}
    for case in REPORTING if given.part == "reporting" else CHOOSING:
        for at, (fit, whole) in enumerate(case.cuts()):
            found[f"{case.name}, cut {at + 1}"] = one = cut(case, fit, whole)
            print(f"{case.name}, cut {at + 1}: " + ", ".join(f"{k} {v:.3f}" for k, v in one.items() if v is not None),
                  flush=True)  # fmt: skip
    open_cuts = {name: promise(one) for name, one in found.items() if one["promised"] > 0}
    missed = float(numpy.exp(numpy.mean([numpy.log(one["missed"]) for one in found.values()])))
    note = "; ".join(f"{n}: w {o['weight']:.2f}, p {o['promised']:.3f}, g {o['gain']:.3f}" for n, o in found.items())
    print(f"promise {numpy.median(list(open_cuts.values())) if open_cuts else float('nan'):.2f}, missed {missed:.3f}")
    names = opened(given.draws)
    share = len(names) / max(1, given.draws)
    print(f"false openings: {share:.3f}")
    if given.part == "choosing":
        return
    facts = {"threads": 1, "minutes": (time.process_time() - begun) / 60}
    records = [
        record("learning/blend-missed/ratio", missed, note=note, tried=len(found), **facts),
        record("learning/blend-false-openings/share", share, note=", ".join(names), tried=given.draws, **facts),
    ]
    if open_cuts:
        ratio = float(numpy.median(list(open_cuts.values())))
        records.append(record("learning/blend-promise/ratio", ratio, note=note, tried=len(open_cuts), **facts))
    write("blend", records)


if __name__ == "__main__":
    main()
