"""Compilation time of torch.compile for torch's own LSTM, RNN and GRU, with Gruworks imported and without.

    python benchmarks/bench_compile_neighbours.py [--rounds 5]

Fresh processes in turn, the compiler's cache off, T = 40, inference and training; medians and their ratio. A ratio
above 1.3 ends with exit status 1. The control compares the processes without it with each other.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from typing import Any

PROGRAM = """
import json, sys, time
import torch
if sys.argv[1] == "with":
    from gruworks import GRU
import torch._dynamo

torch.compile(torch.nn.Linear(2, 2))(torch.ones(1, 2))  # starts the compiler
times = {}
for kind in (torch.nn.LSTM, torch.nn.RNN, torch.nn.GRU):
    for training in (False, True):
        torch._dynamo.reset()
        model = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.ReLU(), kind(8, 16)).train(training)
        begun = time.perf_counter()
        with torch.set_grad_enabled(training):
            result = torch.compile(model)(torch.ones(40, 2, 8))[0].sum()
            if training:
                result.backward()
        times[f"{kind.__name__} {'training' if training else 'inference'}"] = time.perf_counter() - begun
print(json.dumps(times))
"""
LIMIT = 1.3


def seconds(given: str) -> dict[str, float]:
    surroundings = os.environ | {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}
    done = subprocess.run([sys.executable, "-c", PROGRAM, given], capture_output=True, check=True, env=surroundings)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    rounds: Any = parser.parse_args().rounds
    runs: dict[str, list[dict[str, float]]] = {"without": [], "with": [], "control": []}
    for _ in range(rounds):
        for given, found in runs.items():
            found.append(seconds(given))
    worst = 0.0
    for case in runs["without"][0]:
        without, beside, control = (statistics.median(one[case] for one in found) for found in runs.values())
        worst = max(worst, beside / without)
        print(f"{case:16} {without:7.2f} s   with {beside / without:5.2f}   control {control / without:5.2f}")
    return int(worst > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
