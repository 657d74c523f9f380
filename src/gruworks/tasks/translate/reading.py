"""Sentence pairs from line-aligned files, TSV, JSONL, folders of these, or Python pairs."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gruworks.data.text import read_content
from gruworks.errors import DataError
from gruworks.files import named_path

__all__ = ["Pairs", "normal", "read", "read_lines"]


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
    return " ".join(unicodedata.normalize("NFC", text).split())


def read(data: Any, source: str = "src", target: str = "tgt") -> Pairs:
    """Read sentence pairs.

    Args:
        data: a path, two paths of line-aligned files, or pairs of strings. A .tsv has source and target in its first
            two columns, a .jsonl one object a line with the keys `source` and `target`. Of a folder all .tsv and .jsonl
            files are read, and all files NAME.`source` with NAME.`target`. Each file may be gzipped (.gz).
        source, target: names of the two languages in keys and file names.

    Raises:
        DataError: a file is missing or not UTF-8, files differ in length, a line is no pair, or there are no pairs.
    """
    if isinstance(data, Pairs):
        return data
    if isinstance(data, str | Path):
        found, name = _from_path(named_path(data), source, target), str(data)
    elif _are_two_files(data):
        found, name = _aligned(Path(data[0]), Path(data[1])), f"{data[0]} and {data[1]}"
    else:
        found, name = _given(data), "the pairs"
    if not found:
        raise DataError(f"{name}: expected sentence pairs, found none")
    return Pairs([normal(s) for s, _ in found], [normal(t) for _, t in found], name)


def read_lines(path: Path) -> list[str]:
    """Read the lines of a UTF-8 file, gzipped (.gz) or not; the error names the first line that is not UTF-8."""
    lines = read_content(path).split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [decoded(line, f"{path}, line {number}") for number, line in enumerate(lines, 1)]


def decoded(line: bytes, where: str) -> str:
    """Decode one line and strip its carriage return; `where` is its place in the error."""
    try:
        return line.decode().rstrip("\r")
    except UnicodeDecodeError as error:
        where += f": not UTF-8 (byte {line[error.start]:#04x} at column {error.start + 1})"
        raise DataError(f"{where}: convert the text to UTF-8") from None


def _are_two_files(data: Any) -> bool:
    if not isinstance(data, tuple | list) or len(data) != 2:
        return False
    short = all(isinstance(one, str) and "\n" not in one and len(one) < 1000 for one in data)
    return all(isinstance(one, Path) for one in data) or (short and all(Path(one).is_file() for one in data))


def _from_path(path: Path, source: str, target: str) -> list[tuple[str, str]]:
    if path.is_dir():
        return _folder(path, source, target)
    kind = path.name.removesuffix(".gz").rpartition(".")[2]
    if kind in ("tsv", "jsonl", "json"):
        parse = _tsv_pair if kind == "tsv" else partial(_json_pair, keys=(source, target))
        return [parse(line, f"{path}, line {number}") for number, line in enumerate(read_lines(path), 1)]
    if not path.exists():
        raise DataError(f"there is no file {path}")
    raise DataError(f"{path} is one file: expected a .tsv, a .jsonl, a folder, or two line-aligned files")


def _folder(path: Path, source: str, target: str) -> list[tuple[str, str]]:
    parts = []
    for file in sorted(path.iterdir()):
        name = file.name.removesuffix(".gz")
        packed = file.name[len(name) :]
        if name.endswith((".tsv", ".jsonl")):
            parts.append(_from_path(file, source, target))
        elif name.endswith(f".{source}"):
            other = file.with_name(name.removesuffix(f".{source}") + f".{target}" + packed)
            if not other.is_file():
                raise DataError(f"{file} has no {other.name} beside it: each sentence needs its translation")
            parts.append(_aligned(file, other))
    if not parts:
        raise DataError(
            f"the folder {path} has no .tsv, no .jsonl and no files NAME.{source} beside NAME.{target}: "
            "name the languages by source and target"
        )
    return [pair for part in parts for pair in part]


def _aligned(source: Path, target: Path) -> list[tuple[str, str]]:
    left, right = read_lines(source), read_lines(target)
    if len(left) != len(right):
        raise DataError(
            f"{source} has {len(left)} lines and {target} has {len(right)}: line n of one must translate line n of "
            "the other"
        )
    return list(zip(left, right, strict=True))


def _tsv_pair(line: str, where: str) -> tuple[str, str]:
    columns = line.split("\t")
    if len(columns) < 2:
        raise DataError(f"{where}: expected source and target with a tab between, got one column")
    return columns[0], columns[1]


def _json_pair(line: str, where: str, keys: tuple[str, str]) -> tuple[str, str]:
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise DataError(f"{where}: not JSON ({error})") from error
    if not isinstance(entry, dict) or not all(isinstance(entry.get(key), str) for key in keys):
        got = ", ".join(map(repr, entry)) if isinstance(entry, dict) else type(entry).__name__
        raise DataError(f"{where}: expected an object with the texts {keys[0]!r} and {keys[1]!r}, got {got}")
    return entry[keys[0]], entry[keys[1]]


def _given(data: Iterable[Any]) -> list[tuple[str, str]]:
    if not isinstance(data, Iterable):
        raise DataError(f"expected a path, two paths or pairs of strings, got {type(data).__name__}")
    pairs = []
    for number, pair in enumerate(data, 1):
        parts = list(pair) if isinstance(pair, Sequence) and not isinstance(pair, str) else []
        if len(parts) != 2 or not all(isinstance(text, str) for text in parts):
            raise DataError(f"pair {number}: expected (source, target), two strings, got {pair!r:.80}")
        pairs.append((parts[0], parts[1]))
    return pairs
