"""`python -m fuzz`: mutate files, load and use them within limits, report what is no Gruworks error."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from fuzz import exchange, runs
from fuzz.sandbox import Outcome, trial
from fuzz.seeds import TASKS, make, seeds

__all__ = ["Report", "fuzz", "main"]

EXCHANGE = "exchange"  # beside the tasks: files of PyTorch, Keras, ONNX, Flax and Equinox


class Report:
    """Counts of trials by their end, and the faults."""

    def __init__(self) -> None:
        self.verdicts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.peak = 0

    def add(self, seed: int, number: int, what: str, outcome: Outcome) -> None:
        self.verdicts["fault" if outcome.fault else outcome.verdict] += 1
        self.peak = max(self.peak, outcome.peak)
        if outcome.fault:
            again = f"python -m fuzz --seed {seed} --only {number}"
            self.faults.append(f"{again}\n  {what}\n  {outcome.verdict}, {outcome.peak >> 20} MB\n{outcome.told}")

    @property
    def tried(self) -> int:
        return self.verdicts.total()

    def __str__(self) -> str:
        told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(self.verdicts.items()))
        return f"{self.tried} mutations: {told}; at most {self.peak >> 20} MB each"


def fuzz(seed: int, numbers: Iterator[int], tell: Callable[[str], object] = print, verbose: bool = False) -> Report:
    """Try the mutations of these numbers; each is a function of the seed and its number alone."""
    report = Report()
    with tempfile.TemporaryDirectory(prefix="gruworks-fuzz-") as place:
        starts = _prepare(Path(place))
        files = exchange.seeds(Path(place) / "exchange")
        for one in files:
            exchange.use(Path(shutil.copy(one, place)))
        for number in numbers:
            folder = Path(place) / str(number)
            rng = random.Random(f"{seed} {number}")
            kind = (*TASKS, EXCHANGE)[number % (len(TASKS) + 1)]
            if kind == EXCHANGE:
                what, use = _mutated_file(rng, rng.choice(files), folder)
            else:
                start = rng.choices(starts[kind], (5, 5, 1))[0]
                what = runs.mutate(rng, start, [one for several in starts.values() for one in several], folder)
                use = partial(runs.use, kind, folder)
            outcome = trial(use)
            report.add(seed, number, what, outcome)
            if outcome.fault:
                tell(report.faults[-1])
            elif verbose:
                tell(f"{number} {what}\n  {outcome.verdict} {outcome.told}")
            shutil.rmtree(folder)
    return report


def _mutated_file(rng: random.Random, start: Path, folder: Path) -> tuple[str, Callable[[], None]]:
    """A damaged copy of a file of an exchange format: what was done, and its use."""
    folder.mkdir()
    path = Path(shutil.copy(start, folder))
    return f"{path.name}: {exchange.mutate(path, rng)}", partial(exchange.use, path)


def _prepare(place: Path) -> dict[str, tuple[Path, ...]]:
    """The run folders to start from, each used once here: a forked child then has all that it imports."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    make(place)
    starts = {task: seeds(place, task) for task in TASKS}
    for task, several in starts.items():
        for one in several:
            runs.use(task, one)
    return starts


def main(arguments: list[str] | None = None) -> int:
    """Run the command; 1 where there was a fault."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long, where --count and --only are not given")
    parser.add_argument("--count", type=int, help="how many mutations")
    parser.add_argument("--only", type=int, help="the one mutation of this number, to see a fault again")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--verbose", action="store_true", help="tell of every mutation")
    given = parser.parse_args(arguments)
    report = fuzz(
        given.seed, _numbers(given.seconds, given.count, given.only), verbose=given.verbose or given.only is not None
    )
    print(report)
    return 1 if report.faults else 0


def _numbers(seconds: float, count: int | None, only: int | None) -> Iterator[int]:
    if only is not None:
        yield only
    elif count is not None:
        yield from range(count)
    else:
        end, number = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            yield number
            number += 1


if __name__ == "__main__":
    sys.exit(main())
