"""Sentence pairs from line-aligned files, tables, JSON Lines, folders of these, or Python pairs."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gruworks.data.folders import Part, part_of, selected, visible_files
from gruworks.data.reading import decoded, json_objects, mended, read_lines, table_rows
from gruworks.errors import DataError
from gruworks.files import named_path
from gruworks.tasks.translate.columns import aliases, pair_columns

__all__ = ["Pairs", "decoded", "normal", "read", "read_lines"]

TABLES, OBJECTS = (".tsv", ".csv"), (".jsonl", ".json")
Found = list[tuple[str, str]]


@dataclass(frozen=True)
class Pairs:
    """N source sentences and their translations, normalized by `normal`; `name` stands for them in messages."""

    sources: list[str]
    targets: list[str]
    name: str = "the pairs"

    def __len__(self) -> int:
        return len(self.sources)

    def digest(self) -> str:
        """SHA-256 of both sides."""
        text = "\n".join(self.sources) + "\n\n" + "\n".join(self.targets)
        return hashlib.sha256(text.encode()).hexdigest()

    def at(self, places: Sequence[int]) -> Pairs:
        """The pairs at the indices `places`, in that order."""
        return Pairs([self.sources[i] for i in places], [self.targets[i] for i in places], self.name)

    def complete(self) -> Pairs:
        """The pairs with text on both sides."""
        return self.at([i for i in range(len(self)) if self.sources[i] and self.targets[i]])


def normal(text: str) -> str:
    """Normalize a sentence: Unicode NFC, runs of whitespace as one blank, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", mended(text)).split())


def read(
    data: Any, source: str = "src", target: str = "tgt", *, part: Part = "", told: list[str] | None = None
) -> Pairs:
    """Read sentence pairs.

    Args:
        data: a path, two paths of line-aligned files, or pairs of strings. A table (.tsv, .csv, a .txt with tabs) has a
            header with the columns `source` and `target`, or none, and then its first two columns of text are read.
            A .jsonl has one object a line with the keys `source` and `target`, or with these in `translation`. Of a
            folder all tables and .jsonl files are read, and all files NAME.`source` with NAME.`target`. Each file may
            be gzipped (.gz).
        source, target: names of the two languages in columns, keys and file names.
        part: the part of a folder whose names divide it into train, validation and test; "" is all of it. There are no
            pairs where there is no part for validation or test.
        told: a list that lines about columns chosen and files left out are appended to.

    Raises:
        DataError: a file is missing or not UTF-8, files differ in length, a line is no pair, or there are no pairs.
    """
    if isinstance(data, Pairs):
        return data if part in ("", "train") else Pairs([], [])
    told, folder = [] if told is None else told, isinstance(data, str | Path) and Path(data).is_dir()
    if part in ("validation", "test") and not folder:
        return Pairs([], [])
    if isinstance(data, str | Path):
        path = named_path(data)
        found = _folder(path, (source, target), part, told) if folder else _file(path, (source, target), told)
        name = str(data)
    elif _are_two_files(data):
        found, name = _named(Path(data[0]), Path(data[1]), source, target), f"{data[0]} and {data[1]}"
    else:
        found, name = _given(data), "the pairs"
    if not found and part in ("", "train"):
        raise DataError(f"{name}: expected sentence pairs, found none")
    return Pairs([normal(s) for s, _ in found], [normal(t) for _, t in found], name)


def _are_two_files(data: Any) -> bool:
    if not isinstance(data, tuple | list) or len(data) != 2:
        return False
    short = all(isinstance(one, str) and "\n" not in one and len(one) < 1000 for one in data)
    return all(isinstance(one, Path) for one in data) or (short and all(Path(one).is_file() for one in data))


def _file(path: Path, names: tuple[str, str], told: list[str]) -> Found:
    if not path.exists():
        raise DataError(f"there is no file {path}")
    kind = "." + path.name.removesuffix(".gz").rpartition(".")[2].lower()
    if kind in OBJECTS:
        expected = f"an object with the texts {names[0]!r} and {names[1]!r}"
        return [_json_pair(entry, where, names, expected) for where, entry in json_objects(path, expected)]
    if kind in TABLES or (kind == ".txt" and _has_tabs(path)):
        return _table(path, names, told)
    raise DataError(f"{path} is one file: expected a .tsv, .csv, .jsonl, a folder, or two line-aligned files")


def _has_tabs(path: Path) -> bool:
    """True for a text file most of whose lines have a tab, such as the files of manythings.org."""
    lines = [line for line in read_lines(path) if line.strip()]
    return 2 * sum("\t" in line for line in lines) > len(lines)


def _table(path: Path, names: tuple[str, str], told: list[str]) -> Found:
    rows = table_rows(path)
    if not rows:
        return []
    columns = pair_columns(rows, *names)
    told += [columns.told] * bool(columns.told)
    pairs, width = [], len(rows[0][1])
    for where, cells in rows[columns.header :]:
        if len(cells) <= max(columns.source, columns.target) or (columns.header and len(cells) != width):
            many = "one column" if len(cells) == 1 else f"{len(cells)} columns"
            expected = f"{width} columns as in the first line" if width > 2 else "source and target with a tab between"
            raise DataError(f"{where}: expected {expected}, got {many}")
        pairs.append((cells[columns.source], cells[columns.target]))
    return pairs


def _json_pair(entry: dict[str, Any], where: str, names: tuple[str, str], expected: str) -> tuple[str, str]:
    inner = entry.get("translation")
    entry = inner if isinstance(inner, dict) else entry
    lower = {str(key).lower(): key for key in entry}
    keys = [next((lower[one] for one in aliases(n, side) if one in lower), n) for side, n in enumerate(names)]
    texts = [entry.get(key) for key in keys]
    if not all(isinstance(text, str) for text in texts):
        got = ", ".join(f"{key!r}{': null' if value is None else ''}" for key, value in entry.items())
        raise DataError(
            f"{where}: expected {expected}, got {got or 'nothing'}: name the keys with --source and --target"
        )
    return str(texts[0]), str(texts[1])


def _folder(path: Path, names: tuple[str, str], part: Part, told: list[str]) -> Found:
    source, target = names
    files = visible_files(path)
    plain = {one: one.name.removesuffix(".gz") for one in files}
    near = [one for one in files if one.parent == path or part_of(one.relative_to(path))]
    kinds = (".tsv", ".jsonl", f".{source}")
    choices = (
        [one for one in among if plain[one].endswith(ends) and (ends != ".txt" or _has_tabs(one))]
        for among in (near, files)
        for ends in (kinds, (".csv", ".json"), ".txt")
    )
    chosen = next(filter(None, choices), None)
    if not chosen:
        raise DataError(
            f"the folder {path} has no .tsv, no .jsonl and no files NAME.{source} beside NAME.{target}: "
            "name the languages by source and target"
        )
    found: Found = []
    for file in selected(chosen, path, part, told):
        name = plain[file]
        if not name.endswith(f".{source}"):
            found += _file(file, names, told)
            continue
        other = file.with_name(name.removesuffix(f".{source}") + f".{target}" + file.name[len(name) :])
        if not other.is_file():
            raise DataError(f"{file} has no {other.name} beside it: each sentence needs its translation")
        found += _aligned(file, other)
    return found


def _named(first: Path, second: Path, source: str, target: str) -> Found:
    """The pairs of two files, refused where their names end in the other language."""
    ends = [one.name.removesuffix(".gz").rpartition(".")[2] for one in (first, second)]
    if source != target and ends == [target, source]:
        raise DataError(f"{first} and {second} are given as {source} and {target}: give {second} first")
    return _aligned(first, second)


def _aligned(source: Path, target: Path) -> Found:
    left, right = read_lines(source), read_lines(target)
    if len(left) != len(right):
        raise DataError(
            f"{source} has {len(left)} lines and {target} has {len(right)}: line n of one must translate line n of "
            "the other"
        )
    return list(zip(left, right, strict=True))


def _given(data: Iterable[Any]) -> Found:
    if not isinstance(data, Iterable):
        raise DataError(f"expected a path, two paths or pairs of strings, got {type(data).__name__}")
    pairs = []
    for number, pair in enumerate(data, 1):
        parts = list(pair) if isinstance(pair, Sequence) and not isinstance(pair, str) else []
        if len(parts) != 2 or not all(isinstance(text, str) for text in parts):
            raise DataError(f"pair {number}: expected (source, target), two strings, got {pair!r:.80}")
        pairs.append((parts[0], parts[1]))
    return pairs
