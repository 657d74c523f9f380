"""Cho et al. 2014 as a scorer: n-best lists of the attention model, German → English, ranked anew with its scores.

    python benchmarks/recipe_translate_rerank.py --writer runs/de-en --judge runs/cho2014 [--judge runs/en-de]

The runs are those of recipe_translate_multi30k.py. The weights of the features (log p by each run, number of subwords)
are tuned on the validation part; the figure is BLEU on test 2016 as in that recipe, beside the search's own answers,
whose beam is the lists' length and whose alpha is 1: another search than the one that recipe chooses. A judge of the
opposite direction gives log p(source | target).
"""

import argparse
from pathlib import Path

from record import record, write
from translation import bleu, multi30k

from gruworks.tasks.translate.config import Options
from gruworks.tasks.translate.reranking import Reranker


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writer", type=Path, required=True)
    parser.add_argument("--judge", type=Path, action="append", required=True)
    parser.add_argument("--lists", type=int, default=20)
    args = parser.parse_args()
    reranker = Reranker(args.writer, args.judge, Options(n_best=args.lists, length_penalty=1.0))
    source, target = reranker.translator.config.source, reranker.translator.config.target
    held, test = (multi30k(source, target, part)[0] for part in ("val", "test_2016_flickr"))
    reranker.tune(held, "none")
    first = bleu(reranker.translator.translate(test.sources, options=reranker.options), test.targets, "none")
    value = bleu(reranker.translate(test.sources), test.targets, "none")
    judges = " and ".join(judge.name for judge in args.judge)
    weights = ", ".join(f"{weight:.2f}" for weight in reranker.weights)
    assert reranker.tuned is not None
    note = (
        f"judged by {judges}, lists of {args.lists}; validation {reranker.tuned.before:.2f} to "
        f"{reranker.tuned.after:.2f}; weights {weights}; the search alone {first:.2f} on the test set"
    )
    print(f"{value:.2f}; {note}")
    name = "-".join(judge.name for judge in args.judge)
    figure = f"translate/multi30k-{source}-{target}-by-{name}/bleu"
    write(f"translate_rerank_{name}", [record(figure, value, seeds=1, baseline=first, note=note)])


if __name__ == "__main__":
    main()
