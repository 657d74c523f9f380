"""Knowledge of language in a scorer: Cho et al. 2014 on pairs of test 2016, as they are and spoilt.

    python benchmarks/recipe_translate_scores.py --judge runs/cho2014

German to English, the first 1,000 pairs of at least four words. A figure is the share of pairs whose log p(target |
source) falls when two neighbouring words of the target change places, when one word is put in place of another that is
as frequent, and when the target is another caption of as many words.
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy
from record import record, write
from translation import multi30k

from gruworks import Translator

PAIRS = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--judge", type=Path, required=True)
    judge = Translator.load(parser.parse_args().judge)
    test, _ = multi30k(judge.config.source, judge.config.target, "test_2016_flickr")
    lines = [line.split() for line in test.targets]
    chosen = [i for i, line in enumerate(lines) if len(line) >= 4][:PAIRS]
    rng = numpy.random.default_rng(0)
    frequent = [word for word, _ in Counter(word for line in lines for word in line).most_common()]
    rank = {word: i for i, word in enumerate(frequent)}

    def swapped(i: int) -> list[str]:
        line = list(lines[i])
        places = [k for k in range(len(line) - 1) if line[k] != line[k + 1]]
        k = int(rng.choice(places))
        line[k], line[k + 1] = line[k + 1], line[k]
        return line

    def replaced(i: int) -> list[str]:
        line = list(lines[i])
        k = int(rng.integers(len(line)))
        place = rank[line[k]]
        line[k] = frequent[place + 1 if place + 1 < len(frequent) else place - 1]
        return line

    def another(i: int) -> list[str]:
        same = [j for j in range(len(lines)) if len(lines[j]) == len(lines[i]) and j != i] or [(i + 1) % len(lines)]
        return lines[int(rng.choice(same))]

    sources = [test.sources[i] for i in chosen]
    right = numpy.array(judge.score([(test.sources[i], test.targets[i]) for i in chosen]))
    records = []
    for name, spoil in (("order", swapped), ("word", replaced), ("caption", another)):
        spoilt = numpy.array(
            judge.score([(source, " ".join(spoil(i))) for source, i in zip(sources, chosen, strict=True)])
        )
        share, drop = float((spoilt < right).mean()), float(numpy.median(right - spoilt))
        note = f"of {len(chosen)} pairs; median loss {drop:.1f} nats, of {-float(numpy.median(right)):.1f} a caption"
        print(f"{name}: {share:.3f}; {note}")
        records.append(record(f"translate/cho2014-score/{name}", share, note=note))
    write("translate_scores", records)


if __name__ == "__main__":
    main()
