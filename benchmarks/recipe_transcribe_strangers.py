"""Digits of speakers who were never heard (FSDD), nested: settings chosen on five speakers, tested on the sixth.

    GRUWORKS_DATA=... python benchmarks/recipe_transcribe_strangers.py --out FOLDER [--until choosing]

The candidates are CANDIDATES draws of settings from RANGES by seed 0, fixed before any of them was fitted; the official
split's recipe gives the rest. Choosing: for each of six triples of speakers, such that any two speakers meet in one,
each candidate learns from the other three speakers in CHOOSING_STEPS steps and is scored on the triple. The settings
for a test speaker are those with the best mean over the other five, each scored by fits that did not hear him, nor the
test speaker. Testing: with them, TESTING_STEPS steps on all recordings of the five, three seeds, scored on the sixth.
The value is the mean over speakers and seeds of the share of recordings whose text is exactly right, under the closed
list of the digits. Within a fit, the epoch is chosen on 4 % of the recordings that it may learn from. The baseline is
a guess among ten digits.

The ranges were written by one who knew the outcome of a search over all six speakers (LOG.md, 25 November): they hold
what it found good beside what it found bad. Finished fits stay in FOLDER/fits.json; the same command goes on with the
rest. About 80 core minutes on a Xeon (family 6).
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy
from recipe_transcribe_fsdd import ANSWER, SETTINGS, unnamed
from record import record, write
from speech import fsdd

from gruworks import Transcriber

RANGES: dict[str, tuple[Any, ...]] = {
    "hidden_size": (48, 96, 160), "channels": (64, 96, 160), "dropout": (0.2, 0.3, 0.5),
    "speed": (0.1, 0.2, 0.3), "tempo": (0.0, 0.2), "warp": (0.0, 0.05, 0.1, 0.2), "gain": (0.0, 10.0, 20.0),
    "noise": (None, 20.0, 10.0, 5.0), "band_masks": (0, 1, 2), "time_masks": (0, 1, 2),
    "normalise": ("corpus", "recording"),
}  # fmt: skip
CANDIDATES, CHOOSING_STEPS, TESTING_STEPS, SEEDS = 6, 600, 1500, 3
TRIPLES = ((0, 1, 2), (0, 1, 3), (0, 4, 5), (1, 4, 5), (2, 3, 4), (2, 3, 5))  # of the speakers in alphabetical order
Scores = dict[str, float]


def candidates() -> list[dict[str, Any]]:
    rng = numpy.random.default_rng(0)
    return [{name: values[rng.integers(len(values))] for name, values in RANGES.items()} for _ in range(CANDIDATES)]


class Bench:
    """Fits whose outcome is kept by name in a folder, so that none is made twice."""

    def __init__(self, folder: Path, rows: list[Any]) -> None:
        self.rows, self.kept = rows, folder / "fits.json"
        folder.mkdir(parents=True, exist_ok=True)
        self.fits: dict[str, dict[str, Any]] = json.loads(self.kept.read_text()) if self.kept.exists() else {}

    def scores(self, name: str, held: list[str], steps: int, seed: int, settings: dict[str, Any]) -> Scores:
        """The share of each held-out speaker's recordings that are right, after a fit on the others."""
        if name not in self.fits:
            begun = time.process_time()
            changed = SETTINGS | settings | {"steps": steps, "seed": seed, "threads": 1, "minutes": 120.0}
            learnt = [one for one, speaker, _ in self.rows if speaker not in held]
            fitted = Transcriber(**changed).fit(unnamed(learnt), quiet=True)
            minutes = (time.process_time() - begun) / 60
            parts = {who: [one for one, speaker, _ in self.rows if speaker == who] for who in held}
            right = {who: float(fitted.evaluate(part, **ANSWER).exact) for who, part in parts.items()}
            parameters = sum(p.numel() for p in fitted.model.parameters())
            self._keep(name, {"right": right, "core_minutes": minutes, "parameters": parameters})
        scores: Scores = self.fits[name]["right"]
        return scores

    def _keep(self, name: str, fit: dict[str, Any]) -> None:
        self.fits[name] = fit
        written = self.kept.with_suffix(".new")
        written.write_text(json.dumps(self.fits, indent=1) + "\n")
        os.replace(written, self.kept)
        print(name, {who: round(share, 3) for who, share in fit["right"].items()}, flush=True)


def chosen(bench: Bench, names: list[str]) -> dict[str, int]:
    """For each test speaker the candidate that is best on the other five."""
    shares: dict[tuple[str, int], dict[str, list[float]]] = {}
    for triple, (number, settings) in product(TRIPLES, enumerate(candidates())):
        held = [names[place] for place in triple]
        name = f"choose-{'-'.join(held)}-{number}"
        right = bench.scores(name, held, CHOOSING_STEPS, 0, settings)
        for test, other in product(held, held):
            if other != test:
                shares.setdefault((test, number), {}).setdefault(other, []).append(right[other])
    means = {key: statistics.mean(map(statistics.mean, by_speaker.values())) for key, by_speaker in shares.items()}
    best = {test: max(range(CANDIDATES), key=lambda number: means[test, number]) for test in names}
    for test, number in best.items():
        print(f"{test}: candidate {number}, {means[test, number]:.3f} on the other five", flush=True)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="finished fits are kept there")
    parser.add_argument("--until", choices=("choosing", "testing"), default="testing")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = fsdd(Path(folder))
        names, bench = sorted({speaker for _, speaker, _ in rows}), Bench(given.out, rows)
        best = chosen(bench, names)
        if given.until == "testing":
            write("transcribe_fsdd", tested(bench, names, best))


def tested(bench: Bench, names: list[str], best: dict[str, int]) -> list[dict[str, Any]]:
    """The record of the fits on five speakers, scored on the sixth."""
    settings, means = candidates(), []
    by_speaker: dict[str, list[float]] = {name: [] for name in names}
    for seed in range(SEEDS):
        for test in names:
            right = bench.scores(f"test-{test}-{seed}", [test], TESTING_STEPS, seed, settings[best[test]])
            by_speaker[test].append(right[test])
        means.append(statistics.mean(shares[-1] for shares in by_speaker.values()))
        print(f"seed {seed}: {means[-1]:.4f}", flush=True)
    fits = [bench.fits[f"test-{test}-{seed}"] for seed in range(SEEDS) for test in names]
    told = ", ".join(
        f"{who} {statistics.mean(shares):.3f} (candidate {best[who]})" for who, shares in by_speaker.items()
    )
    facts = {
        "seeds": SEEDS, "spread": statistics.pstdev(means), "baseline": 0.1, "threads": 1, "tried": CANDIDATES,
        "parameters": max(fit["parameters"] for fit in fits),
        "minutes": statistics.mean(fit["core_minutes"] for fit in fits),
        "note": f"nested: settings chosen on five speakers, tested on the sixth; by speaker: {told}; by seed: "
        f"{', '.join(f'{mean:.4f}' for mean in means)}; minutes are a fit's, of one core",
    }  # fmt: skip
    return [record("transcribe/fsdd-leave-one-out/accuracy", statistics.mean(means), **facts)]


if __name__ == "__main__":
    main()
