"""Division of lines into sentences by rules, and joining of their translations."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

__all__ = ["join_sentences", "split_sentences", "without_blanks"]

STOPS = re.compile(r"""(?:(?P<wide>[。！？]+)|[.!?…؟۔।]+)(?:["'”’»)\]」』】》]|\s»)*""")
CLOSING = "\"'”’"
OPENING = "\"'“‘«„¿¡([–—-「『【《"
NEAR = 20  # characters after a stop that are looked at
# Scripts that are written without blanks between words.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3000-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uff65]"
)
_ABBREVIATIONS = """
mr mrs ms dr prof sr jr st mt ft vs etc inc ltd co corp dept est approx fig vol pp ed eds gen col sgt capt lt rev hon
jan feb mar apr jun jul aug sep sept oct nov dec z.b d.h u.a usw bzw ca evtl ggf inkl nr str bd hrsg m mme mlle mm av
art p ex sra srta ud uds ing sig sigg dott avv dhr mevr bijv ул г т д р стр см
"""
_ORDINALS = "de da nb nn no sv fi is cs sk sl hr sr bs pl hu et lv lt tr"
ABBREVIATIONS = frozenset(_ABBREVIATIONS.split())
BEFORE_NUMBERS = frozenset({"no", "nos", "nr", "nrs", "n", "p", "s", "art", "sec", "ch", "op"})
ORDINALS = frozenset(_ORDINALS.split())  # languages that write "3. Mai"


def split_sentences(text: str, language: str = "") -> list[str]:
    """Split a line into sentences.

    A sentence ends after a full stop, question or exclamation mark with closing quotes, if a blank and then the begin
    of a sentence follow (after Chinese and Japanese marks without a blank). Abbreviations, initials, list numbers and,
    in languages such as German, ordinal numbers end none: in doubt, a line stays whole.

    >>> split_sentences("I met Dr. Smith. Where is he? 你好。再见。")
    ['I met Dr. Smith.', 'Where is he?', '你好。', '再见。']
    """
    found, begin = [], 0
    for stop in STOPS.finditer(text):
        if _ends(text, begin, stop, language):
            found.append(text[begin : stop.end()].strip())
            begin = stop.end()
    return [one for one in [*found, text[begin:].strip()] if one] or [text]


def join_sentences(parts: Sequence[str]) -> str:
    """Join translations with blanks, except in scripts without blanks.

    >>> join_sentences(["Hello.", "Bye."]), join_sentences(["你好。", "再见。"])
    ('Hello. Bye.', '你好。再见。')
    """
    joined = ""
    for part in (one for one in parts if one):
        near = without_blanks(joined.rstrip(CLOSING)[-1:]) and without_blanks(part.lstrip(OPENING)[:1])
        joined += part if near or not joined else f" {part}"
    return joined


def without_blanks(text: str) -> bool:
    """True for a text with characters of a script that is written without blanks (Chinese, Japanese, Thai ...)."""
    return UNSPACED.search(text) is not None


def _ends(text: str, begin: int, stop: re.Match[str], language: str) -> bool:
    """True where a sentence that begins at `begin` ends with this match."""
    after = text[stop.end() : stop.end() + NEAR]
    if stop["wide"]:
        return bool(after.strip())
    following = after.lstrip()
    if not following or following == after or not _begins(following):
        return False
    return stop[0][0] != "." or stop[0][:2] == ".." or not _abbreviated(text[begin : stop.start()], following, language)


def _begins(text: str) -> bool:
    """True for an upper-case letter, one of a script without cases, a digit, or opening punctuation before one."""
    first = text.lstrip(OPENING + " ")[:1]
    return bool(first) and (unicodedata.category(first) in ("Lu", "Lt", "Lo") or first.isdigit())


def _abbreviated(before: str, following: str, language: str) -> bool:
    """True where a full stop after `before` belongs to its last word."""
    word = before.split(" ")[-1].lstrip(OPENING)
    lower = word.lower()
    if word.isdigit():
        return word == before.strip() or (language.lower() in ORDINALS and len(word) <= 2)
    if lower in BEFORE_NUMBERS and following[:1].isdigit():
        return True
    return lower in ABBREVIATIONS or "." in word or (len(word) == 1 and word.isupper() and word != "I")
