"""Files of a folder: those that are read, and the parts for training, validation and test that names tell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

__all__ = ["Part", "part_of", "selected", "visible_files"]

Part = Literal["", "train", "validation", "test", "other"]
NAMES: dict[str, Part] = {
    "train": "train", "training": "train", "tr": "train",
    "val": "validation", "valid": "validation", "validation": "validation", "dev": "validation",
    "development": "validation", "test": "test", "testing": "test", "tst": "test", "eval": "test",
    "evaluation": "test", "heldout": "test", "newstest": "test",
    "validated": "other", "invalidated": "other", "other": "other", "reported": "other",  # of Common Voice
}  # fmt: skip


def visible_files(folder: Path) -> list[Path]:
    """All files below a folder in order of name, without hidden ones (also macOS's ._NAME and __MACOSX)."""
    found = sorted(one for one in folder.rglob("*") if one.is_file())
    return [one for one in found if not any(_hidden(name) for name in one.relative_to(folder).parts)]


def part_of(name: str | Path) -> Part:
    """The part that a file name or a relative path tells, or ""; "other" is in none of the three.

    >>> part_of("test_2016_flickr.en"), part_of("dev-clean/84/a.flac"), part_of("novel.txt")
    ('test', 'validation', '')
    """
    words = re.split(r"[^a-z]+", str(name).lower())
    found = {NAMES[word] for word in words if word in NAMES}
    return found.pop() if len(found) == 1 else ""


def selected(
    files: Sequence[Path], folder: Path, part: Part, told: list[str] | None = None, folders_only: bool = False
) -> list[Path]:
    """The files of one part, where names divide the folder into a training part and others; otherwise all of them.

    Args:
        part: "train" takes files of no part too; "" takes all files. A part that is absent has no files.
        told: a list that a line about the files left out is appended to.
        folders_only: the names of folders alone tell the part.
    """
    names = {one: one.relative_to(folder) for one in files}
    parts = {one: part_of(name.parent if folders_only else name) for one, name in names.items()}
    kinds = set(parts.values())
    if not part or "train" not in kinds or not kinds & {"validation", "test", "other"}:
        return list(files) if part in ("", "train") else []
    kept = [one for one, own in parts.items() if own == part or (part == "train" and not own)]
    if told is not None:
        counts = Counter(own for one, own in parts.items() if one not in set(kept))
        others = ", ".join(f"{count} of {own or 'no part'}" for own, count in sorted(counts.items()))
        told.append(f"{folder}: {len(kept)} files of the {part} part; left out: {others}")
    return kept


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
