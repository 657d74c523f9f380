"""The field's scores: sacreBLEU with its signature, chrF, by length, the worst sentences, beside copying the source."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sacrebleu

from gruworks.errors import DataError

__all__ = ["Evaluation", "LengthScore", "Sentence", "score", "tokenizer_for"]

BUCKETS = ((1, 10), (11, 20), (21, 30), (31, 10_000))  # words of the source
CHINESE = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")


@dataclass(frozen=True)
class LengthScore:
    """BLEU of the sentences whose source has so many words (characters in Chinese)."""

    words: str
    sentences: int
    bleu: float


@dataclass(frozen=True)
class Sentence:
    """One sentence with its own chrF."""

    source: str
    reference: str
    answer: str
    chrf: float


@dataclass(frozen=True)
class Evaluation:
    """Scores of a test set, from 0 to 100, with the signatures that make them comparable."""

    bleu: float
    chrf: float
    copy_bleu: float
    copy_chrf: float
    sentences: int
    bleu_signature: str
    chrf_signature: str
    by_length: list[LengthScore]
    worst: list[Sentence]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def tokenizer_for(references: Sequence[str]) -> str:
    """sacreBLEU's tokeniser: "zh" where the references are Chinese, else "13a"."""
    text = "".join(references)
    return "zh" if len(CHINESE.findall(text)) > 0.3 * max(1, len(text.replace(" ", ""))) else "13a"


def score(
    sources: Sequence[str],
    references: Sequence[str],
    answers: Sequence[str],
    tokenize: str = "auto",
    worst: int = 5,
) -> Evaluation:
    """Score `answers` against `references`. With tokenize="zh" blanks are removed from both sides first.

    Raises:
        DataError: nothing to score.
    """
    if not answers:
        raise DataError("expected at least one sentence pair to evaluate on, got none")
    tokenize = tokenizer_for(references) if tokenize == "auto" else tokenize
    if tokenize == "zh":
        references, answers = _without_blanks(references), _without_blanks(answers)
    # force: text that is tokenised already is scored without a warning; what it is stands in the signature.
    bleu, chrf = sacrebleu.BLEU(tokenize=tokenize, force=True), sacrebleu.CHRF()
    whole, characters = bleu.corpus_score(answers, [references]), chrf.corpus_score(answers, [references])
    single = [chrf.sentence_score(a, [r]).score for a, r in zip(answers, references, strict=True)]
    order = sorted(range(len(answers)), key=lambda i: single[i])[:worst]
    return Evaluation(
        bleu=whole.score,
        chrf=characters.score,
        copy_bleu=bleu.corpus_score(list(sources), [references]).score,
        copy_chrf=chrf.corpus_score(list(sources), [references]).score,
        sentences=len(answers),
        bleu_signature=str(bleu.get_signature()),
        chrf_signature=str(chrf.get_signature()),
        by_length=_by_length(bleu, sources, references, answers),
        worst=[Sentence(sources[i], references[i], answers[i], single[i]) for i in order],
    )


def _by_length(
    bleu: Any, sources: Sequence[str], references: Sequence[str], answers: Sequence[str]
) -> list[LengthScore]:
    lengths = [max(len(source.split()), len(CHINESE.findall(source))) for source in sources]
    found = []
    for low, high in BUCKETS:
        places = [i for i, length in enumerate(lengths) if low <= length <= high]
        if places:
            part = bleu.corpus_score([answers[i] for i in places], [[references[i] for i in places]])
            name = f"{low} and more" if high == BUCKETS[-1][1] else f"{low}-{high}"
            found.append(LengthScore(name, len(places), part.score))
    return found


def _without_blanks(texts: Sequence[str]) -> list[str]:
    return ["".join(text.split()) for text in texts]
