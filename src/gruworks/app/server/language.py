"""The language of a sentence, as far as script and frequent words tell; for warnings, never to refuse a request."""

from __future__ import annotations

import re

__all__ = ["note", "tell"]

SCRIPTS = {  # a share of the letters in these ranges tells the language
    "ja": "\u3040-\u30ff", "ko": "\uac00-\ud7af", "zh": "\u4e00-\u9fff", "ru": "\u0400-\u04ff", "ar": "\u0600-\u06ff",
    "el": "\u0370-\u03ff",
}  # fmt: skip
WORDS = {  # frequent words that the other languages here lack, or have less often
    "en": "the a is are am to of and in it you i he she we they that this was for on with my your have has not do does "
    "what where how who when can will there be at his her no please good want like",
    "de": "der die das ist und ich du er sie wir ihr ein eine nicht mit auf für zu den dem bin bist sind hat habe wie "
    "wo was wer kann mein dein im von es auch guten",
    "fr": "le la les est et je tu il elle nous vous un une des du pas avec pour dans que qui suis es sont ai as "
    "ont mon où comment bonjour ce cette au",
    "es": "el los las es y yo tú él ella nosotros un una no con para en que quién soy eres son he ha mi tu dónde cómo "
    "está estoy buenos tengo",
    "it": "il lo gli è e io tu lui lei noi un una non con per in che chi sono sei ho ha mio dove come buongiorno della",
    "nl": "de het een is en ik jij hij zij wij niet met op voor te ben bent zijn heeft heb hoe waar wat wie mijn goede",
    "pt": "o os as é e eu tu ele ela nós um uma não com para em que quem sou és são meu onde como está bom",
}
FREQUENT = {language: set(words.split()) for language, words in WORDS.items()}


def tell(text: str) -> str | None:
    """The language of a text, as an ISO 639-1 code; None where there is no telling.

    >>> tell("Ich bin hungrig."), tell("I am hungry."), tell("我饿了"), tell("GRU")
    ('de', 'en', 'zh', None)
    """
    letters = [sign for sign in text if sign.isalpha()]
    for language, signs in SCRIPTS.items():
        if letters and sum(bool(re.match(f"[{signs}]", one)) for one in letters) > 0.3 * len(letters):
            return language
    words = re.findall(r"[^\W\d_]+", text.lower())
    counts = {language: sum(word in frequent for word in words) for language, frequent in FREQUENT.items()}
    best = max(counts, key=lambda one: counts[one])
    others = max(count for language, count in counts.items() if language != best)
    return best if counts[best] > others else None


def note(text: str, wanted: str) -> list[dict[str, object]]:
    """A note, as a code with values, where `text` is of another language than `wanted`."""
    if wanted not in FREQUENT and wanted not in SCRIPTS:
        return []
    found = tell(text)
    return [] if found in (None, wanted) else [{"code": "other-language", "values": {"found": found, "wanted": wanted}}]
