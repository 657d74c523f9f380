"""Time of the recurrence in one environment over another's: the check that a change costs nothing.

    python benchmarks/bench_guard.py --old ENV --new ENV [--rounds 20] [--limit 1.02] [--threads 1]

ENV is an environment's folder (or its interpreter) with one version of gruworks and the same torch. Every round starts
a fresh process of each and a second one of the old: old over old is the control, whose spread says how far a ratio
moves by chance on this machine. Within a round the three run in short turns, one at a time and in an order drawn anew,
so that all of them see the machine at the same speeds. The ratio is that of the medians over all turns. Exit status 1
where a ratio exceeds the limit plus the control's spread (half of the 90 % interval of the control's ratio, by
resampling its rounds).
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
NAMES = ("old", "new", "again")
TURNS = 6  # of each process in a round
SECONDS = 0.03  # a turn, at least
RESAMPLES = 1000
Times = list[list[float]]  # seconds a call, by round and turn

CHILD = """
import json, statistics, sys, time
import torch
from gruworks import GRU

cases, seconds, threads = json.loads(sys.argv[1])
torch.set_num_threads(threads)
torch.manual_seed(0)


def made(T, B, I, H, training):
    gru, x, seed = GRU(I, H), torch.randn(T, B, I), torch.randn(T, B, H)

    def call():
        if training:
            gru.zero_grad()
            gru(x)[0].backward(seed)
        else:
            gru(x)

    return call


calls = [made(*case) for case in cases]
for line in sys.stdin:
    case = int(line)
    times = []
    with torch.set_grad_enabled(cases[case][4]):
        calls[case]()
        end = time.perf_counter() + seconds
        while not times or time.perf_counter() < end:
            begun = time.perf_counter()
            calls[case]()
            times.append(time.perf_counter() - begun)
    print(statistics.median(times), flush=True)
"""


class Measured:
    """A process of one environment, which times a case when it is told to."""

    def __init__(self, python: str, threads: int) -> None:
        work = json.dumps([CASES, SECONDS, threads])
        self.process = subprocess.Popen(
            [python, "-c", CHILD, work], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def turn(self, case: int) -> float:
        """Median seconds of a call."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{case}\n")
        self.process.stdin.flush()
        told = self.process.stdout.readline()
        if not told:
            raise SystemExit("bench_guard: a process ended; its error stands above")
        return float(told)

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


def interpreter(environment: str) -> str:
    """The Python of an environment's folder, or the interpreter itself."""
    path = Path(environment)
    python = path / "bin" / "python" if path.is_dir() else path
    if not python.exists():
        raise SystemExit(f"bench_guard: no interpreter at {python}: give an environment's folder")
    return str(python.absolute())


def measured(old: str, new: str, rounds: int, threads: int) -> list[dict[str, Times]]:
    """For each case, times of the new, the old and the old once more."""
    found: list[dict[str, Times]] = [{name: [] for name in NAMES} for _ in CASES]
    for _ in range(rounds):
        processes = {name: Measured(new if name == "new" else old, threads) for name in NAMES}
        for case, times in enumerate(found):
            for name in NAMES:
                processes[name].turn(case)  # warms up
                times[name].append([])
            for _ in range(TURNS):
                for name in random.sample(NAMES, len(NAMES)):
                    times[name][-1].append(processes[name].turn(case))
        for process in processes.values():
            process.close()
    return found


def ratio(over: Times, under: Times, rounds: list[int]) -> float:
    """Medians over all turns of these rounds, one over the other."""
    medians = [statistics.median(time for r in rounds for time in times[r]) for times in (over, under)]
    return medians[0] / medians[1]


def spread(over: Times, under: Times) -> float:
    """Half of the 90 % interval of `ratio`, the rounds drawn anew."""
    every = range(len(over))
    draws = sorted(ratio(over, under, random.choices(every, k=len(every))) for _ in range(RESAMPLES))
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
    found = measured(interpreter(asked.old), interpreter(asked.new), asked.rounds, asked.threads)
    print(f"{machine()}, {asked.threads} threads, {asked.rounds} rounds")
    print(f"{'T, B, I, H':24}{'':10}{'old, us':>10}{'new/old':>9}{'old/old':>9}{'spread':>8}")
    worst, every = 0.0, list(range(asked.rounds))
    for (T, B, inputs, hidden, training), times in zip(CASES, found, strict=True):
        changed, control = ratio(times["new"], times["old"], every), ratio(times["again"], times["old"], every)
        by_chance = spread(times["again"], times["old"])
        worst = max(worst, changed - by_chance)
        name, kind = f"({T}, {B}, {inputs}, {hidden})", "training" if training else "forward"
        old = 1e6 * statistics.median(time for turns in times["old"] for time in turns)
        print(f"{name:24}{kind:10}{old:10.1f}{changed:9.3f}{control:9.3f}{by_chance:8.3f}")
    return int(worst > asked.limit)


if __name__ == "__main__":
    sys.exit(main())
