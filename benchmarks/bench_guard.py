"""Time of the recurrence in one environment over another's: the check that a change costs nothing.

    python benchmarks/bench_guard.py --old ENV --new ENV [--rounds 20] [--limit 1.02] [--threads 1]

ENV is an environment's folder (or its interpreter) with one version of gruworks and the same torch. Every round starts
a fresh process of each, in an order drawn anew, and a second one of the old: old over old is the control, whose spread
says how far a ratio moves by chance on this machine. Each process times every case and gives the median of its calls;
the ratio is that of the medians over the rounds. Exit status 1 where a ratio exceeds the limit plus the control's
spread (half of the 90 % interval of the control's ratio, by resampling its rounds).
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
from pathlib import Path

from record import machine

CASES = [  # T, B, I, H, training
    (100, 1, 64, 64, False),
    (1, 1, 64, 64, False),
    (200, 32, 256, 256, False),
    (100, 1, 64, 64, True),
    (1, 1, 64, 64, True),
    (200, 32, 256, 256, True),
]
SECONDS = 0.25  # of calls for each case, after as long a time to warm up
RESAMPLES = 1000
Times = list[list[float]]  # seconds a call, by round and case

CHILD = """
import json, statistics, sys, time
import torch
from gruworks import GRU

cases, seconds, threads = json.loads(sys.argv[1])
torch.set_num_threads(threads)
torch.manual_seed(0)


def medians(T, B, I, H, training):
    gru, x = GRU(I, H), torch.randn(T, B, I)
    seed = torch.randn(T, B, H)

    def call():
        if training:
            gru.zero_grad()
            gru(x)[0].backward(seed)
        else:
            gru(x)

    with torch.set_grad_enabled(training):
        times = []
        for part in range(2):
            times, end = [], time.perf_counter() + seconds
            while time.perf_counter() < end or len(times) < 5:
                begun = time.perf_counter()
                call()
                times.append(time.perf_counter() - begun)
    return statistics.median(times)


print(json.dumps([medians(*case) for case in cases]))
"""


def interpreter(environment: str) -> str:
    """The Python of an environment's folder, or the interpreter itself."""
    path = Path(environment)
    python = path / "bin" / "python" if path.is_dir() else path
    if not python.exists():
        raise SystemExit(f"bench_guard: no interpreter at {python}: give an environment's folder")
    return str(python.absolute())


def timed(python: str, threads: int) -> list[float]:
    """Seconds a call of each case, in a fresh process."""
    work = json.dumps([CASES, SECONDS, threads])
    done = subprocess.run([python, "-c", CHILD, work], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"bench_guard: {python} failed:\n{done.stderr}")
    times: list[float] = json.loads(done.stdout)
    return times


def measured(old: str, new: str, rounds: int, threads: int) -> dict[str, Times]:
    """Times of the new, the old and the old once more, in every round in another order."""
    times: dict[str, Times] = {"old": [], "new": [], "again": []}
    for turn in range(rounds + 1):  # the first one warms the disk's cache
        for name in random.sample(list(times), len(times)):
            found = timed(new if name == "new" else old, threads)
            if turn:
                times[name].append(found)
    return times


def ratio(over: Times, under: Times, case: int) -> float:
    """Medians over the rounds, one over the other."""
    return statistics.median(t[case] for t in over) / statistics.median(t[case] for t in under)


def spread(over: Times, under: Times, case: int) -> float:
    """Half of the 90 % interval of `ratio`, the rounds drawn anew."""
    draws = sorted(
        ratio(random.choices(over, k=len(over)), random.choices(under, k=len(under)), case) for _ in range(RESAMPLES)
    )
    return (draws[int(0.95 * RESAMPLES)] - draws[int(0.05 * RESAMPLES)]) / 2


def main() -> int:
    """The table of ratios, and whether one of them is too large."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--old", required=True)
    parser.add_argument("--new", required=True)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--limit", type=float, default=1.02)
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    times = measured(interpreter(asked.old), interpreter(asked.new), asked.rounds, asked.threads)
    print(f"{machine()}, {asked.threads} threads, {asked.rounds} rounds")
    print(f"{'T, B, I, H':24}{'':10}{'old, us':>10}{'new/old':>9}{'old/old':>9}{'spread':>8}")
    worst = 0.0
    for case, (T, B, inputs, hidden, training) in enumerate(CASES):
        found, control = ratio(times["new"], times["old"], case), ratio(times["again"], times["old"], case)
        by_chance = spread(times["again"], times["old"], case)
        worst = max(worst, found - by_chance)
        name, kind = f"({T}, {B}, {inputs}, {hidden})", "training" if training else "forward"
        old = 1e6 * statistics.median(t[case] for t in times["old"])
        print(f"{name:24}{kind:10}{old:10.1f}{found:9.3f}{control:9.3f}{by_chance:8.3f}")
    return int(worst > asked.limit)


if __name__ == "__main__":
    sys.exit(main())
