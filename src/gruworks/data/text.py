"""Reading of documents from text files, JSON Lines and folders of these."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gruworks.errors import DataError
from gruworks.files import MOST_TEXT, bounded_gunzip, named_path

__all__ = ["Document", "digest", "read_content", "read_documents"]

SUFFIXES = (".txt", ".jsonl", ".txt.gz", ".jsonl.gz")


@dataclass(frozen=True)
class Document:
    """A text and its title, if it has one."""

    text: str
    title: str = ""


def read_documents(source: Path | str | Sequence[Document], lines: bool = False) -> list[Document]:
    """Read the documents of a .txt file (one), a .jsonl file (one a line), or a folder of such files in order of name.

    A line of a .jsonl file is an object with `text`, or with `lines`, a list of the lines of the text, and optionally
    with `title`. Files may be gzipped. Line ends become "\\n", and a byte order mark is dropped.

    Args:
        source: a path, or a list of documents, which is returned unchanged.
        lines: True for one document in each line of a .txt file.

    Raises:
        DataError: a missing or empty file, or bytes that aren't UTF-8; tells the file and the offset or line.
    """
    if not isinstance(source, str | Path):
        return _not_empty(list(source), "the list of documents")
    path = named_path(source)
    if path.is_dir():
        files = sorted(one for one in path.rglob("*") if one.is_file() and one.name.endswith(SUFFIXES))
        if not files:
            raise DataError(f"{path} holds no {', '.join(SUFFIXES)} file")
        return _not_empty([document for one in files for document in _read(one, lines)], str(path))
    if not path.is_file():
        raise DataError(f"there is no file {path}")
    return _not_empty(list(_read(path, lines)), str(path))


def digest(documents: Sequence[Document]) -> str:
    """Sha256 of titles and texts."""
    found = hashlib.sha256()
    for one in documents:
        found.update(json.dumps([one.title, one.text]).encode())
    return found.hexdigest()


def read_content(path: Path) -> bytes:
    """Read the bytes of a text file, decompressed if its name ends in .gz, without a byte order mark.

    Raises:
        DataError: the file can't be read, or is no whole gzip file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"can't read {path}: {error.strerror or error}") from error
    if path.suffix == ".gz":
        content = bounded_gunzip(content, MOST_TEXT, name=str(path))
    return content.removeprefix(b"\xef\xbb\xbf")


def _not_empty(documents: list[Document], name: str) -> list[Document]:
    kept = [one for one in documents if one.text]
    if not kept:
        raise DataError(f"{name} is empty: expected a file with training text")
    return kept


def _read(path: Path, lines: bool) -> Iterator[Document]:
    text = _decode(path)
    if path.name.endswith((".jsonl", ".jsonl.gz")):
        for number, line in enumerate(text.split("\n"), 1):
            if line.strip():
                yield _from_json(line, f"{path}, line {number}")
    elif lines:
        yield from (Document(line) for line in text.split("\n") if line.strip())
    else:
        yield Document(text)


def _decode(path: Path) -> str:
    content = read_content(path)
    if b"\0" in content:
        raise DataError(f"{path} is a binary file, not a text: byte {content.index(0)} is zero")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path} is not UTF-8: byte 0x{content[error.start]:02x} at offset {error.start} (line {line}); "
            "convert the file, for example with iconv -f GB18030 -t UTF-8"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _from_json(line: str, place: str) -> Document:
    try:
        values: Any = json.loads(line)
    except ValueError as error:
        raise DataError(f"{place} is not JSON: {error}") from error
    if not isinstance(values, dict) or not ({"text", "lines"} & set(values)):
        raise DataError(f"{place} must be an object with 'text', or with 'lines', a list of lines")
    text, title = values.get("text"), values.get("title", "")
    if text is None:
        entries = values["lines"]
        if not isinstance(entries, list) or not all(isinstance(one, str) for one in entries):
            raise DataError(f"{place}: 'lines' must be a list of texts, not {entries!r}")
        text = "".join(f"{one}\n" for one in entries)
    if not isinstance(text, str) or not isinstance(title, str):
        raise DataError(f"{place}: 'text' and 'title' must be texts")
    return Document(text, title)
