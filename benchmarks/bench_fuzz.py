"""Number of 10,000 mutated files that end in anything but a result or a Gruworks error: trust/loader-fuzz/faults.

    python benchmarks/bench_fuzz.py --seed 1

Each mutation is loaded and used in a child with 10 processor seconds and 1 GB (`python -m fuzz`).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from pathlib import Path

import record

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from fuzz.__main__ import Report, fuzz

FIGURE = "trust/loader-fuzz/faults"


def main() -> int:
    """Try the mutations in as many processes as there are cores, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    began = time.monotonic()
    parts = [(given.seed, range(first, given.count, given.jobs)) for first in range(given.jobs)]
    with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
        reports = pool.starmap(_part, parts)
    faults, tried = sum(len(one.faults) for one in reports), sum(one.tried for one in reports)
    minutes = round((time.monotonic() - began) / 60, 1)
    told = {part: sum(one.verdicts[part] for one in reports) for part in ("answered", "refused")}
    note = (
        f"{told['answered']} answered, {told['refused']} refused; at most {max(r.peak for r in reports) >> 20} MB each"
    )
    print(f"{tried} mutations in {minutes} minutes: {faults} faults, {note}")
    if given.count >= 10_000:
        record.write("fuzz", [record.record(FIGURE, faults, tried=tried, minutes=minutes, note=note)])
    return 1 if faults else 0


def _part(seed: int, numbers: range) -> Report:
    return fuzz(seed, iter(numbers))


if __name__ == "__main__":
    sys.exit(main())
