"""Translation metrics: sacreBLEU and chrF with signatures, BLEU by length, worst sentences, a copying baseline."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import sacrebleu

from gruworks.errors import DataError
from gruworks.tasks.translate.sentences import without_blanks

__all__ = ["Evaluation", "LengthScore", "Sentence", "score", "tokenizer_for"]

BUCKETS = {"1-10": (1, 10), "11-20": (11, 20), "21-30": (21, 30), "31 and more": (31, 10_000)}  # words of the source
SCRIPTS = {  # of languages whose BLEU needs a tokenizer of its own, by the share of such characters that tells them
    "ja": (re.compile(r"[\u3040-\u30ff]"), 0.02),
    "zh": (re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]"), 0.3),
    "ko": (re.compile(r"[\uac00-\ud7af]"), 0.3),
    "th": (re.compile(r"[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff]"), 0.3),  # and its neighbours
}
LANGUAGES = {
    "zh": "zh", "zho": "zh", "cmn": "zh", "chi": "zh", "chinese": "zh", "yue": "zh", "zh-cn": "zh", "zh-tw": "zh",
    "ja": "ja", "jpn": "ja", "japanese": "ja", "ko": "ko", "kor": "ko", "korean": "ko",
    **dict.fromkeys(("th", "tha", "thai", "lo", "lao", "km", "khm", "khmer", "my", "mya", "burmese", "bo"), "th"),
}  # fmt: skip
MECAB = {"ja": ("ja-mecab", "MeCab"), "ko": ("ko-mecab", "mecab_ko")}  # tokenizers and the modules that they need


@dataclass(frozen=True)
class LengthScore:
    """BLEU of the sentences whose source length in words is in the range `words`; without blanks, in characters."""

    words: str
    sentences: int
    bleu: float


@dataclass(frozen=True)
class Sentence:
    """A sentence with its reference, its translation (`answer`) and its chrF."""

    source: str
    reference: str
    answer: str
    chrf: float


@dataclass(frozen=True)
class Evaluation:
    """Metrics of a test set, from 0 to 100, with sacreBLEU's signatures.

    Args:
        bleu, chrf: of the translations. copy_bleu, copy_chrf: of the baseline that copies the source.
        sentences: number of sentences.
        bleu_signature, chrf_signature: the settings that make scores comparable.
        by_length: BLEU by source length. worst: the sentences with the lowest chrF.
    """

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


def tokenizer_for(references: Sequence[str], language: str = "") -> str:
    """Choose sacreBLEU's tokenizer by the language of the references.

    Chinese has "zh", Japanese and Korean "ja-mecab" and "ko-mecab" where these are installed, otherwise "char"; Thai,
    Lao, Khmer, Burmese and Tibetan have "char", all others "13a".

    Args:
        language: its name or code; if it isn't one of these languages, the scripts of the references decide.
    """
    found = LANGUAGES.get(language.lower().replace("_", "-")) or _script("".join(references))
    if found == "zh":
        return "zh"
    name, module = MECAB.get(found, ("char", ""))
    if found == "ko" and importlib.util.find_spec(module) is None:
        return "13a"  # Korean has blanks between words
    return "13a" if not found else name if not module or importlib.util.find_spec(module) else "char"


def _script(text: str) -> str:
    size = max(1, len(text.replace(" ", "")))
    return next((name for name, (script, share) in SCRIPTS.items() if len(script.findall(text)) > share * size), "")


def score(
    sources: Sequence[str],
    references: Sequence[str],
    answers: Sequence[str],
    tokenize: str = "auto",
    worst: int = 5,
    language: str = "",
) -> Evaluation:
    """Compute the metrics of translations.

    Args:
        sources, references, answers: sentences, their references and translations [N].
        tokenize: sacreBLEU's tokenizer, or "auto". With "zh", "ja-mecab" and "char", blanks are removed from
            references and translations.
        worst: number of sentences with the lowest chrF to list.
        language: the language of the references, for `tokenizer_for`.

    Raises:
        DataError: there are no sentences.
    """
    if not answers:
        raise DataError("expected at least one sentence pair to evaluate on, got none")
    tokenize = tokenizer_for(references, language) if tokenize == "auto" else tokenize
    if tokenize in ("zh", "ja-mecab", "char"):
        references, answers = (["".join(text.split()) for text in texts] for texts in (references, answers))
    # force: no warning about text that is tokenized already; the signature says how it was scored.
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
    lengths = [max(len(source.split()), sum(map(without_blanks, source))) for source in sources]
    found = []
    for name, (low, high) in BUCKETS.items():
        places = [i for i, length in enumerate(lengths) if low <= length <= high]
        if places:
            part = bleu.corpus_score([answers[i] for i in places], [[references[i] for i in places]])
            found.append(LengthScore(name, len(places), part.score))
    return found
