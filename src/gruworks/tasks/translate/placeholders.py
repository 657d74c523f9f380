"""Placeholders for strings that a translation copies: addresses, codes, numbers, words in a third script."""

from __future__ import annotations

import re

from gruworks.tasks.translate.reading import Pairs

__all__ = ["MARKS", "mask", "mask_pairs", "restored"]

MARKS = tuple(chr(0xE000 + i) for i in range(9))  # private use characters, one for each string of a sentence
COPIED = re.compile(
    r"""https?://[^\s<>"'，。]*[^\s<>"'，。.,;:!?)\]]   # addresses of pages
    | www\.[^\s<>"'，。]*[^\s<>"'，。.,;:!?)\]]
    | [\w.+-]+@[\w-]+(?:\.[\w-]+)+                     # and of people
    | (?<!\w)(?=[\w-]*\d)(?=[\w-]*[A-Z])[A-Z0-9](?:-?[A-Za-z0-9]+)+(?!\w)    # codes of capital letters and digits
    | (?<![\w.,:/-])\d(?:[\d.,:/-]*\d)(?![\w])         # numbers of two digits or more, times, dates
    """,
    re.VERBOSE | re.ASCII,
)


def mask(text: str, most: int = len(MARKS)) -> tuple[str, list[str]]:
    """Replace the first `most` strings to copy by placeholders; equal ones by the same.

    >>> mask("Call 555-0199 at 10:45, or 555-0199.")[1]
    ['555-0199', '10:45']
    """
    found: list[str] = []

    def mark(match: re.Match[str]) -> str:
        if match[0] not in found and len(found) < most:
            found.append(match[0])
        return MARKS[found.index(match[0])] if match[0] in found else match[0]

    return COPIED.sub(mark, text), found


def restored(text: str, copied: list[str]) -> str:
    """The text with its placeholders replaced by what they stand for; those of nothing are left out."""
    for place, character in enumerate(MARKS):
        if character in text:
            text = text.replace(character, copied[place] if place < len(copied) else "")
    return " ".join(text.split())


def mask_pairs(pairs: Pairs) -> tuple[Pairs, int]:
    """Replace the strings that stand on both sides of a pair by placeholders.

    Returns:
        The pairs, and the number of pairs with placeholders.
    """
    masked = [_masked(s, t) for s, t in zip(pairs.sources, pairs.targets, strict=True)]
    count = sum(s != before for (s, _), before in zip(masked, pairs.sources, strict=True))
    return Pairs([s for s, _ in masked], [t for _, t in masked], pairs.name), count


def _masked(source: str, target: str) -> tuple[str, str]:
    copied = [one for one in dict.fromkeys(COPIED.findall(source)) if one in COPIED.findall(target)][: len(MARKS)]
    if not copied:
        return source, target
    marks = dict(zip(copied, MARKS, strict=False))
    both = (COPIED.sub(lambda match: marks.get(match[0], match[0]), side) for side in (source, target))
    return next(both), next(both)
