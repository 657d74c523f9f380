"""Chinese text in one script, with Chinese punctuation and without blanks."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal

from gruworks.errors import require

__all__ = ["Script", "in_script"]

Script = Literal["as-learnt", "simplified", "traditional"]
CONVERTERS = {"simplified": "t2s", "traditional": "s2t"}  # OpenCC's names
WIDE = str.maketrans(".,?!:;", "。，？！：；")
HAN = "\u3400-\u9fff\uf900-\ufaff"
BLANK = re.compile(rf"(?<=[{HAN}。，？！：；“”「」]) +| +(?=[{HAN}。，？！：；“”「」])")
MARK = re.compile(rf"(?<=[{HAN}”」』）》])[.,?!:;]+")


def in_script(text: str, script: Script) -> str:
    """Convert a Chinese text to a script; "as-learnt" leaves it unchanged.

    >>> in_script("我餓了 . 3.5 元,好嗎?", "simplified")
    '我饿了。3.5元，好吗？'
    """
    if script == "as-learnt":
        return text
    converted = str(_converter(CONVERTERS[script]).convert(text))
    close = re.sub(r" +(?=[.,?!:;])", "", converted)
    return BLANK.sub("", MARK.sub(lambda mark: mark[0].translate(WIDE), close))


@lru_cache
def _converter(name: str) -> Any:
    return require("opencc", extra="translate").OpenCC(name)
