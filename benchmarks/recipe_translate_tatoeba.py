"""Tatoeba English → Chinese: sacreBLEU tok:zh, both sides in simplified script, without sources seen in training.

    python benchmarks/recipe_translate_tatoeba.py --out runs/en-zh [--minutes 110] [--steps 9000] [--seed 0]

The Chinese side mixes traditional and simplified script: training targets, answers and references are mapped to
simplified script by OpenCC (t2s). The English side has its contractions written out ("do not"): training pairs with one
are given a second time in the short form, for people who write so. Test sentences whose English side, but for case and
blanks, stands in the training part are left out. Beam (at most 10) and alpha are chosen on the validation part by the
same measure, with the training part's sources left out of it, too. Beside it the whole test part against the references
as given, in mixed script, and simplified. Settings were changed once after BLEU on the validation part (LOG.md,
25 November); lower case, simplified targets and contractions came on 1 December, before any figure of them. A packaged
model can stand for the run that it was made from (--out src/gruworks/ready/english-chinese): its weights have 8 and 16
bits.
"""

import argparse
import html
import re
from typing import Any

import sacrebleu
from opencc import OpenCC
from record import record, write
from translation import arguments, best_search, bleu, conclude, fitted, tatoeba

from gruworks import Translator
from gruworks.tasks.translate.reading import Pairs

FIGURE = "translate/tatoeba-en-zh/bleu-zh"
CONTRACTIONS = (
    (r"\b(do|does|did|is|are|was|were|has|have|had|could|should|would|must|need) not\b", r"\1n't"),
    (r"\b([Cc]an) ?not\b", r"\1't"),
    (r"\b([Ww])ill not\b", r"\1on't"),
    (r"\b(I) am\b", r"\1'm"),
    (r"\b([Yy]ou|[Ww]e|[Tt]hey) are\b", r"\1're"),
    (r"\b([Ii]t|[Ss]?[Hh]e|[Tt]hat|[Tt]?[Hh]ere|[Ww]h(?:at|o|ere)|[Hh]ow) is\b", r"\1's"),
    (r"\b(I|[Yy]ou|[Ss]?[Hh]e|[Ww]e|[Tt]hey|[Ii]t) will\b", r"\1'll"),
    (r"\b(I|[Yy]ou|[Ww]e|[Tt]hey) have\b", r"\1've"),
    (r"\b([Ll]et) us\b", r"\1's"),
    (r"\b(I|[Yy]ou|[Ss]?[Hh]e|[Ww]e|[Tt]hey) would\b", r"\1'd"),
)


def main() -> None:
    args = arguments(__doc__, 9000)
    train, held, test = (unescaped(tatoeba(part)) for part in ("train", "dev", "test"))
    learnt = with_contractions(of_one_script(train))
    translator = fitted(
        args, learnt, of_one_script(held), source="en", target="zh", lowercase=True, shared=False, embedding_size=256,
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


def unescaped(pairs: Pairs) -> Pairs:
    """English without HTML entities."""
    return Pairs(list(map(html.unescape, pairs.sources)), pairs.targets, pairs.name)


def of_one_script(pairs: Pairs) -> Pairs:
    return Pairs(pairs.sources, simplified(pairs.targets), pairs.name)


def with_contractions(pairs: Pairs) -> Pairs:
    """The pairs, and after them those whose English has a short form, in it."""
    short = [(contracted(source), target) for source, target in zip(pairs.sources, pairs.targets, strict=True)]
    more = [pair for pair, source in zip(short, pairs.sources, strict=True) if pair[0] != source]
    sources, targets = ([pair[side] for pair in more] for side in (0, 1))
    return Pairs(pairs.sources + sources, pairs.targets + targets, pairs.name)


def contracted(source: str) -> str:
    """
    >>> contracted("I do not know what is there , and I will not go .")
    "I don't know what's there , and I won't go ."
    """
    for long, short in CONTRACTIONS:
        source = re.sub(long, short, source)
    return source


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
