"""Seattle's temperatures, head to head: fit time and error beside neuralforecast's GRU and darts' BlockRNNModel.

    python benchmarks/bench_forecast_rivals.py neuralforecast PYTHON [--rounds 2] [--tuned]
    python benchmarks/bench_forecast_rivals.py neuralforecast PYTHON --choose

PYTHON is the rival's own interpreter (benchmarks/requirements-neuralforecast.txt, requirements-darts.txt). Processes
alternate, ours and theirs, one thread each; the value is the median of their fit times over the median of ours, in
seconds of the processor, which don't depend on what else runs. `--choose` tries the settings of GRIDS on the 26
origins of the year before the test's, one fit each, ours and theirs, and keeps the best in forecast_tuned.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from forecast_engines import TUNED
from record import record, write

SCRIPT = Path(__file__).with_name("forecast_engines.py")
GRIDS = {
    "gruworks": [{}, {"hidden_size": 64}, {"dropout": 0.4}, {"batch_size": 16}],
    "neuralforecast": [
        {"input_size": 365, "max_steps": 100},
        {"input_size": 365, "max_steps": 100, "scaler_type": "standard"},
        {"input_size": 56, "max_steps": 200},
        {"input_size": 56, "max_steps": 200, "scaler_type": "standard"},
    ],
    "darts": [
        {"input_chunk_length": 120, "n_epochs": 20},
        {"input_chunk_length": 56, "n_epochs": 20},
        {"input_chunk_length": 56, "n_epochs": 40, "dropout": 0.2},
        {"input_chunk_length": 120, "n_epochs": 20, "hidden_dim": 64},
    ],
}


def run(python: str, engine: str, kind: str, seed: int, *options: str) -> dict:
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    found = subprocess.run(
        [python, str(SCRIPT), engine, kind, str(seed), *options],
        capture_output=True, text=True, env=os.environ | threads,
    )  # fmt: skip
    if found.returncode:
        raise SystemExit(f"{engine} failed:\n{found.stderr[-2000:]}")
    answer = json.loads(next(line for line in reversed(found.stdout.splitlines()) if line.startswith("{")))
    print(answer, flush=True)
    return answer


def choose(python: str, engine: str) -> None:
    """Write the settings with the least error on the year before the test's, and all errors, to TUNED."""
    tried = [run(python, engine, "choose", 0, json.dumps(options)) for options in GRIDS[engine]]
    known = json.loads(TUNED.read_text(encoding="utf-8")) if TUNED.exists() else {}
    best = min(tried, key=lambda one: one["mae"])
    known[engine] = {"chosen": best["options"], "tried": [{"mae": t["mae"], "options": t["options"]} for t in tried]}
    TUNED.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


def compare(rival: str, python: str, kind: str, rounds: int) -> None:
    """Time and score both, and record the ratio."""
    ours, theirs = [], []
    for seed in range(rounds):
        ours.append(run(sys.executable, "gruworks", kind, seed))
        theirs.append(run(python, rival, kind, seed))
    cpu, wall = (
        [statistics.median(o[unit] for o in found) for found in (ours, theirs)] for unit in ("seconds", "wall")
    )
    error = [statistics.mean(one["mae"] for one in found) for found in (ours, theirs)]
    note = (
        f"{kind}: MAE {error[0]:.3f} beside {error[1]:.3f}; fit {cpu[0]:.2f} s of the processor beside {cpu[1]:.2f} s, "
        f"{wall[0]:.1f} s of the clock beside {wall[1]:.1f} s"
    )
    note += "; our error is NOT lower" if error[0] >= error[1] else ""
    if kind == "tuned":
        note += f"; settings: {ours[0]['options'] or 'defaults'} beside {theirs[0]['options']}"
    print(note)
    figure = f"forecast/{rival}/fit-ratio" + ("-tuned" if kind == "tuned" else "")
    write(f"forecast_{rival}", [record(figure, cpu[1] / cpu[0], seeds=rounds, threads=1, note=note)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rival", choices=["neuralforecast", "darts"])
    parser.add_argument("python")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--tuned", action="store_true")
    parser.add_argument("--choose", action="store_true")
    given = parser.parse_args()
    if given.choose:
        choose(given.python, given.rival)
        choose(sys.executable, "gruworks")
    else:
        compare(given.rival, given.python, "tuned" if given.tuned else "default", given.rounds)


if __name__ == "__main__":
    main()
