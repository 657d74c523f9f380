"""Rhyme groups and tones, level (平) or oblique (仄), of Chinese characters by 平水韻."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from gruworks.errors import OptionError

__all__ = ["LEVEL_GROUPS", "RhymeTable", "rhyme_table"]

LEVEL_GROUPS = 30  # of 106 groups, the first ones: those of the level tone, in which regulated verse rhymes


@dataclass(frozen=True)
class RhymeTable:
    """Names of the 106 rhyme groups, and the groups of the readings of each of 19,108 characters."""

    names: tuple[str, ...]
    readings: dict[str, tuple[int, ...]]

    def groups(self, character: str) -> tuple[int, ...]:
        """Level groups, 0 to 29, in which a character rhymes."""
        return tuple(number for number in self.readings.get(character, ()) if number < LEVEL_GROUPS)

    def tones(self, character: str) -> str:
        """Tones of a character: "平", "仄", "平仄" for readings of both, "" for an unknown character."""
        found = {"平" if number < LEVEL_GROUPS else "仄" for number in self.readings.get(character, ())}
        return "".join(tone for tone in "平仄" if tone in found)

    def group(self, name: str) -> int:
        """Index of a level group by its name or by the end of its name.

        >>> rhyme_table().group("上平聲十一真"), rhyme_table().group("真")
        (10, 10)
        """
        found = [number for number, one in enumerate(self.names[:LEVEL_GROUPS]) if name and one.endswith(name)]
        if len(found) != 1:
            known = " ".join(one[-1] for one in self.names[:LEVEL_GROUPS])
            raise OptionError(f"there is no rhyme group {name!r} of the level tone; there are: {known}")
        return found[0]


@lru_cache(1)
def rhyme_table() -> RhymeTable:
    """Load the table made by docs/make_rhyme.py; cached."""
    values = json.loads(resources.files(__package__).joinpath("rhyme.json").read_text(encoding="utf-8"))
    found: dict[str, list[int]] = {}
    for source in ("pingshui", "guangyun"):
        for number, characters in enumerate(values[source]):
            for character in characters:
                found.setdefault(character, []).append(number)
    readings = {character: tuple(numbers) for character, numbers in found.items()}
    readings |= {variant: readings[standard] for variant, standard in zip(*values["variants"], strict=True)}
    return RhymeTable(tuple(values["names"]), readings)
