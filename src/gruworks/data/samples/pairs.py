"""English sentences with Chinese translations, from templates without inflection on the Chinese side."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

from gruworks.data.samples.files import rows

__all__ = ["pairs"]

SUBJECTS = (
    ("I", "我"), ("You", "你"), ("We", "我们"), ("They", "他们"), ("He", "他"), ("She", "她"),
    ("My mother", "我妈妈"), ("My friend", "我的朋友"), ("The teacher", "老师"), ("The children", "孩子们"),
)  # fmt: skip
THIRD = ("He", "She", "My mother", "My friend", "The teacher")
THINGS = (  # singular, plural, Chinese, measure word
    ("book", "books", "书", "本"), ("apple", "apples", "苹果", "个"), ("cat", "cats", "猫", "只"),
    ("car", "cars", "汽车", "辆"), ("chair", "chairs", "椅子", "把"), ("letter", "letters", "信", "封"),
    ("photo", "photos", "照片", "张"), ("key", "keys", "钥匙", "把"),
)  # fmt: skip
NUMBERS = (("two", "两"), ("three", "三"), ("four", "四"), ("five", "五"), ("ten", "十"))
WANTED = (("want", "wants", "要"), ("have", "has", "有"), ("see", "sees", "看见"), ("need", "needs", "需要"))
DRINKS = (("tea", "茶"), ("coffee", "咖啡"), ("water", "水"), ("milk", "牛奶"), ("beer", "啤酒"))
DRINKING = (("drink", "drinks", "喝"), ("like", "likes", "喜欢"), ("buy", "buys", "买"))
TIMES = (("today", "今天"), ("tomorrow", "明天"), ("every day", "每天"), ("on Sunday", "星期天"))


def pairs(folder: Path) -> Path:
    """pairs.tsv: English and Chinese sentences, columns en and zh."""
    made = sorted({*_counted(), *_drinks(), *_questions()})
    random.Random(4).shuffle(made)
    return rows(folder / "pairs.tsv", [("en", "zh"), *made[:1200]], "\t")


def _verb(subject: str, plain: str, third: str) -> str:
    return third if subject in THIRD else plain


def _counted() -> list[tuple[str, str]]:
    return [
        (f"{en} {_verb(en, *verb[:2])} {number} {thing[1]}.", f"{zh}{verb[2]}{count}{thing[3]}{thing[2]}。")
        for (en, zh), verb, (number, count), thing in itertools.product(SUBJECTS, WANTED, NUMBERS, THINGS)
    ]


def _drinks() -> list[tuple[str, str]]:
    found = []
    for (en, zh), verb, (drink, name), (time, when) in itertools.product(SUBJECTS, DRINKING, DRINKS, TIMES):
        found.append((f"{en} {_verb(en, *verb[:2])} {drink} {time}.", f"{zh}{when}{verb[2]}{name}。"))
        no = "does not" if en in THIRD else "do not"
        found.append((f"{en} {no} {verb[0]} {drink}.", f"{zh}不{verb[2]}{name}。"))
    return found


def _questions() -> list[tuple[str, str]]:
    return [
        (f"Where is the {singular}?", f"{name}在哪里？") for singular, _, name, _ in THINGS
    ] + [
        (f"Do you {verb[0]} {drink}?", f"你{verb[2]}{name}吗？")
        for verb, (drink, name) in itertools.product(DRINKING, DRINKS)
    ]  # fmt: skip
