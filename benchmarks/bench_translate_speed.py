"""Sentences a second at beam 5, batches of 1 and 64, against joeynmt's GRU of the same size: alternating processes.

    python -m venv /tmp/joeynmt && /tmp/joeynmt/bin/pip install -r benchmarks/requirements-joeynmt.txt
    python benchmarks/bench_translate_speed.py --rival /tmp/joeynmt/bin/python [--rounds 5]

Both have 8,000 subwords, embeddings and states of 256, a bidirectional encoder, additive attention and tied output;
what each engine does is in translate_engines.py. The value is the ratio of the best rounds; joeynmt computes in
float32, ours in float32 but for the product with the output embedding, in 8 bits.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from record import record, write

ENGINES = Path(__file__).with_name("translate_engines.py")


def measure(python: str, engine: str, batch: int, threads: int) -> dict[str, float]:
    command = [python, str(ENGINES), engine, "--batch", str(batch), "--threads", str(threads)]
    return dict(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rival", required=True, help="the python of joeynmt's environment")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    records = []
    for batch in (1, 64):
        ours, theirs = [], []
        for _ in range(args.rounds):
            ours.append(measure(sys.executable, "gruworks", batch, args.threads))
            theirs.append(measure(args.rival, "joeynmt", batch, args.threads))
        speeds = [[one["speed"] for one in runs] for runs in (ours, theirs)]
        best = [max(values) for values in speeds]
        ratios = [a / b for a, b in zip(*speeds, strict=True)]
        print(f"batch {batch}: {best[0]:.1f} and {best[1]:.1f} sentences/s; by round: {[f'{r:.2f}' for r in ratios]}")
        facts = {
            "threads": args.threads,
            "spread": statistics.pstdev(ratios),
            "parameters": int(ours[0]["parameters"]),
            "baseline": best[1],
            "note": f"best of {args.rounds} rounds: {best[0]:.0f} and {best[1]:.0f} sentences/s; ratios by round "
            f"{min(ratios):.2f} to {max(ratios):.2f}, median {statistics.median(ratios):.2f}; joeynmt's model has "
            f"{int(theirs[0]['parameters'])} parameters; random weights, equal numbers of steps",
        }
        records.append(record(f"translate/joeynmt/speed-ratio-b{batch}", best[0] / best[1], **facts))
    write("translate_speed", records)


if __name__ == "__main__":
    main()
