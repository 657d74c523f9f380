"""Cost of starting: `import gruworks`, `from gruworks import GRU` over `import torch`, and `gruworks --help`.

    python benchmarks/bench_startup.py          fresh processes, alternating; medians of 9

No figure of the project's list is measured here; the budgets stand in BUDGETS and a miss ends with exit status 1.
"""

import statistics
import subprocess
import sys
import time

STARTS = {
    "python": "pass",
    "gruworks": "import gruworks",
    "torch": "import torch",
    "GRU": "from gruworks import GRU",
    "help": "import sys; sys.argv = ['gruworks', '--help']; from gruworks.app.cli.main import run; run()",
}
BUDGETS = {"gruworks over python": 0.05, "GRU over torch": 0.3, "help": 1.0}  # seconds
ROUNDS = 9


def seconds(code: str) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main() -> int:
    times = {name: [seconds(code)] for name, code in STARTS.items()}  # the first round warms the disk's cache
    for _ in range(ROUNDS):
        for name, code in STARTS.items():
            times[name].append(seconds(code))
    median = {name: statistics.median(rounds[1:]) for name, rounds in times.items()}
    found = {
        "gruworks over python": median["gruworks"] - median["python"],
        "GRU over torch": median["GRU"] - median["torch"],
        "help": median["help"],
    }
    for name, value in found.items():
        print(f"{name:24}{value:8.3f} s   budget {BUDGETS[name]:.2f} s")
    return int(any(value > BUDGETS[name] for name, value in found.items()))


if __name__ == "__main__":
    sys.exit(main())
