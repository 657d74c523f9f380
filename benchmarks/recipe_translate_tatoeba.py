"""Tatoeba English → Chinese: sacreBLEU tok:zh without blanks, as given, and chrF.

    python benchmarks/recipe_translate_tatoeba.py --out runs/en-zh [--minutes 110] [--steps 9000] [--seed 0]

The references mix traditional and simplified script; with opencc installed, BLEU with both sides mapped to simplified
stands in the note. Beam (at most 10) and alpha are chosen on the validation part.
"""

import importlib.util

import sacrebleu
from translation import arguments, best_search, bleu, conclude, fitted, tatoeba


def main() -> None:
    args = arguments(__doc__, 9000)
    train, held, test = (tatoeba(part) for part in ("train", "dev", "test"))
    translator = fitted(
        args, train, held, source="en", target="zh", lowercase=False, shared=False, embedding_size=256,
        hidden_size=256, attention_size=128, dropout=0.3, word_dropout=0.1, weight_dropout=0.1, smoothing=0.1,
        bpe_dropout=0.1, learning_rate=2e-3, validate_every=200, patience=16,
    )  # fmt: skip
    chosen = best_search(translator, held, "zh")
    answers = translator.translate(test.sources, beam_size=chosen["beam_size"], length_penalty=chosen["length_penalty"])
    answers = ["".join(answer.split()) for answer in answers]
    note = f"chrF {sacrebleu.CHRF().corpus_score(answers, [test.targets]).score:.2f}" + simplified(
        answers, test.targets
    )
    copied = bleu(test.sources, test.targets, "zh")
    value = bleu(answers, test.targets, "zh")
    conclude("translate_en-zh", "translate/tatoeba-en-zh/bleu-zh", value, translator, chosen, args, note, copied)


def simplified(answers: list[str], references: list[str]) -> str:
    if importlib.util.find_spec("opencc") is None:
        return "; both sides in simplified script: not measured, opencc is not installed"
    from opencc import OpenCC

    convert = OpenCC("t2s").convert
    value = bleu([convert(a) for a in answers], [convert(r) for r in references], "zh")
    return f"; both sides in simplified script: {value:.2f}"


if __name__ == "__main__":
    main()
