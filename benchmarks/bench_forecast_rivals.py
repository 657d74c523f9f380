"""Seattle's temperatures, head to head: fit time and error beside neuralforecast's GRU and darts' BlockRNNModel.

    python benchmarks/bench_forecast_rivals.py neuralforecast PYTHON [--rounds 2] [--tuned]

PYTHON is the rival's own interpreter (benchmarks/requirements-neuralforecast.txt, requirements-darts.txt). Processes
alternate, ours and theirs, one thread each; the value is the median of their fit times over the median of ours.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from record import record, write

SCRIPT = Path(__file__).with_name("forecast_engines.py")


def run(python: str, engine: str, kind: str, seed: int) -> dict:
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    found = subprocess.run(
        [python, str(SCRIPT), engine, kind, str(seed)], capture_output=True, text=True, env=os.environ | threads
    )
    if found.returncode:
        raise SystemExit(f"{engine} failed:\n{found.stderr[-2000:]}")
    answer = json.loads(next(line for line in reversed(found.stdout.splitlines()) if line.startswith("{")))
    print(answer, flush=True)
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rival", choices=["neuralforecast", "darts"])
    parser.add_argument("python")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--tuned", action="store_true")
    given = parser.parse_args()
    kind = "tuned" if given.tuned else "default"
    ours, theirs = [], []
    for seed in range(given.rounds):
        ours.append(run(sys.executable, "gruworks", kind, seed))
        theirs.append(run(given.python, given.rival, kind, seed))
    median = {
        name: statistics.median(one["seconds"] for one in found) for name, found in (("ours", ours), ("theirs", theirs))
    }
    error = {name: statistics.mean(one["mae"] for one in found) for name, found in (("ours", ours), ("theirs", theirs))}
    note = (
        f"{kind}: MAE {error['ours']:.3f} beside {error['theirs']:.3f}; "
        f"fit {median['ours']:.1f} s beside {median['theirs']:.1f} s"
    )
    if error["ours"] >= error["theirs"]:
        note += "; our error is NOT lower"
    print(note)
    figure = f"forecast/{given.rival}/fit-ratio" + ("-tuned" if given.tuned else "")
    ratio = median["theirs"] / median["ours"]
    write(f"forecast_{given.rival}", [record(figure, ratio, seeds=given.rounds, threads=1, note=note)])


if __name__ == "__main__":
    main()
