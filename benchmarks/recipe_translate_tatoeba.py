"""Tatoeba English → Chinese: sacreBLEU tok:zh, both sides in simplified script, without sources seen in training.

    python benchmarks/recipe_translate_tatoeba.py --out runs/en-zh [--minutes 110] [--steps 9000] [--seed 0]

The references mix traditional and simplified script: answers and references are mapped to simplified script by OpenCC
(t2s) for the figure, the network learns from the texts as they are. Test sentences whose English side, but for case and
blanks, stands in the training part are left out. Beam (at most 10) and alpha are chosen on the validation part by the
same measure, with the training part's sources left out of it, too. Beside it the whole test part as given, in mixed
script, which was the figure until 29 November. Settings were changed once after BLEU on the validation part (LOG.md,
25 November). A packaged model can stand for the run that it was made from (--out src/gruworks/ready/english-chinese):
its weights have 8 and 16 bits.
"""

import argparse
from typing import Any

import sacrebleu
from opencc import OpenCC
from record import record, write
from translation import arguments, best_search, bleu, conclude, fitted, tatoeba

from gruworks import Translator
from gruworks.tasks.translate.reading import Pairs

FIGURE = "translate/tatoeba-en-zh/bleu-zh"


def main() -> None:
    args = arguments(__doc__, 9000)
    train, held, test = (tatoeba(part) for part in ("train", "dev", "test"))
    translator = fitted(
        args, train, held, source="en", target="zh", lowercase=False, shared=False, embedding_size=256,
        hidden_size=256, attention_size=128, dropout=0.3, word_dropout=0.1, weight_dropout=0.1, smoothing=0.1,
        bpe_dropout=0.1, learning_rate=2e-3, validate_every=200, patience=16,
    )  # fmt: skip
    chosen = best_search(translator, unseen(held, train), "zh", simplified)
    answers = translator.translate(test.sources, beam_size=chosen["beam_size"], length_penalty=chosen["length_penalty"])
    answers = ["".join(answer.split()) for answer in answers]
    fresh = places(test, train)
    ours, references = (simplified([side[i] for i in fresh]) for side in (answers, test.targets))
    note = (
        f"both sides simplified; {len(fresh)} of {len(test.sources)} test sources, without those that training has; "
        f"chrF {sacrebleu.CHRF().corpus_score(ours, [references]).score:.2f}"
    )
    copied = bleu([test.sources[i] for i in fresh], references, "zh")
    conclude("translate_en-zh", FIGURE, bleu(ours, references, "zh"), translator, chosen, args, note, copied)
    if args.pairs is None:
        write("translate_en-zh", as_given(translator, answers, test, args))


def as_given(translator: Translator, answers: list[str], test: Pairs, args: argparse.Namespace) -> list[dict[str, Any]]:
    """The whole test part in mixed script, and simplified."""
    mixed = bleu(answers, test.targets, "zh")
    both = bleu(simplified(answers), simplified(test.targets), "zh")
    facts = {"seeds": 1, "parameters": translator.metrics["parameters"]}
    return [
        record(f"{FIGURE}-as-given", mixed, **facts, note="the whole test part, mixed script"),
        record(f"{FIGURE}-simplified", both, **facts, note="the whole test part, both sides simplified"),
    ]


def simplified(texts: list[str]) -> list[str]:
    return list(map(OpenCC("t2s").convert, texts))


def places(pairs: Pairs, train: Pairs) -> list[int]:
    """The pairs whose source is not in the training part, case and blanks aside."""
    known = set(map(_plain, train.sources))
    return [place for place, source in enumerate(pairs.sources) if _plain(source) not in known]


def unseen(pairs: Pairs, train: Pairs) -> Pairs:
    return pairs.at(places(pairs, train))


def _plain(source: str) -> str:
    return "".join(source.split()).casefold()


if __name__ == "__main__":
    main()
