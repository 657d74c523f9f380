"""Characters that point to damaged text: HTML entities, invisible characters, words of mixed scripts."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter

__all__ = ["HTML", "INVISIBLE", "MIXED", "faults", "is_number", "script_of"]

HTML, INVISIBLE, MIXED = "has HTML entities or tags", "has invisible characters", "has a word of mixed scripts"
ENTITY = re.compile(r"&(?:#\d+|#x[0-9a-fA-F]+|[A-Za-z]\w*);|</?(?:b|i|u|p|br|em|strong|span|div|font|a)\b[^<>]*>", re.I)
JOINERS = "\u200c\u200d"  # letters of Persian, Indic scripts and emoji sequences need them
ALIKE = ("LATIN", "CYRILLIC", "GREEK")  # scripts with letters of the same shape
WORD = re.compile(r"[^\W\d_]+")


def faults(text: str) -> list[str]:
    """The kinds of faults in a text: HTML, INVISIBLE, MIXED.

    >>> faults("fish &amp; chips"), faults("co\u00adop"), faults("fish & chips")
    (['has HTML entities or tags'], ['has invisible characters'], [])
    """
    found = []
    if any(one.group().startswith("<") or html.unescape(one.group()) != one.group() for one in ENTITY.finditer(text)):
        found.append(HTML)
    if text.isascii():
        return found + [INVISIBLE] * any(ord(c) < 32 and c not in "\t\n\r" for c in text)
    if any(_invisible(character) for character in text):
        found.append(INVISIBLE)
    if any(_mixed(word) for word in WORD.findall(text)):
        found.append(MIXED)
    return found


def script_of(text: str) -> str:
    """The script of most letters of a text, as in their Unicode names; "" without letters.

    >>> script_of("Привет, Tom!"), script_of("我的电脑"), script_of("12")
    ('CYRILLIC', 'CJK', '')
    """
    letters = [character for character in text if character.isalpha()]
    if text.isascii():
        return "LATIN" if letters else ""
    names = (unicodedata.name(letter, "").partition(" ")[0] for letter in letters)
    counts = Counter("CJK" if name in ("HIRAGANA", "KATAKANA") else name for name in names)  # Japanese has all three
    return counts.most_common(1)[0][0] if counts else ""


def is_number(text: str) -> bool:
    """True for a text of digits and punctuation, with at least one digit and without a letter."""
    return any(map(str.isdigit, text)) and not any(map(str.isalpha, text))


def _invisible(character: str) -> bool:
    if character in JOINERS or character in "\t\n\r":
        return False
    return character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cf", "Co")


def _mixed(word: str) -> bool:
    if word.isascii():
        return False
    names = {unicodedata.name(character, "").partition(" ")[0] for character in word}
    return len(names & set(ALIKE)) > 1
