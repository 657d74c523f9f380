"""Documents of text files, JSON Lines, tables and folders of these."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gruworks.data.folders import Part, selected, visible_files
from gruworks.data.reading import json_objects, mended, read_text, table_rows
from gruworks.errors import DataError
from gruworks.files import named_path

__all__ = ["Document", "Layout", "digest", "read_documents", "without_licence"]

TEXTS, TABLES = (
    (".txt", ".jsonl", ".txt.gz", ".jsonl.gz"),
    (".csv", ".tsv", ".json", ".csv.gz", ".tsv.gz", ".json.gz"),
)
CHATS = ("messages", "conversations")
SPEAKER, SPOKEN = ("role", "from"), ("content", "value")
# The markers of Project Gutenberg's files, since 2004 and before.
BEGIN = re.compile(r"^\*\*\* ?START OF TH\w+ PROJECT GUTENBERG.*\n|^\*END[* ]+THE SMALL PRINT.*\n", re.M | re.I)
END = re.compile(r"^(?:\*\*\* ?END OF TH\w+ PROJECT GUTENBERG|End of (?:the |this )?Project Gutenberg)", re.M | re.I)


@dataclass(frozen=True)
class Document:
    """A text and its title, if it has one."""

    text: str
    title: str = ""


@dataclass(frozen=True)
class Layout:
    """Division of files into documents.

    Args:
        lines: each line of a text file is a document.
        paragraphs: blank lines divide a text file into documents.
        text: the key or column of the text in JSON Lines and tables.
    """

    lines: bool = False
    paragraphs: bool = False
    text: str = "text"


def read_documents(
    source: Path | str | Sequence[Document],
    lines: bool = False,
    *,
    layout: Layout | None = None,
    part: Part = "",
    told: list[str] | None = None,
) -> list[Document]:
    """Read the documents of a .txt file (one), a .jsonl or table (one a line), or of a folder of such files.

    A line of a .jsonl file is an object with `text`, with `lines`, a list of the lines of the text, or with `messages`
    (or `conversations`), a list of {"role": ..., "content": ...}; and optionally with `title`. A .csv or .tsv has a
    header with these columns. Files may be gzipped. Line ends become "\\n", and a byte order mark is dropped. The
    licence of a Project Gutenberg file is left out.

    Args:
        source: a path, or a list of documents.
        lines: `Layout(lines=lines)`, where no `layout` is given.
        layout: division of files into documents.
        part: the part of a folder whose names divide it into train, validation and test; "" is all of it. The list is
            empty where there is no part for validation or test.
        told: a list that lines about what is left out are appended to.

    Raises:
        DataError: a missing or empty file, or bytes that aren't UTF-8; tells the file and the line.
    """
    layout, told = layout or Layout(lines=lines), [] if told is None else told
    if not isinstance(source, str | Path):
        return _not_empty([Document(mended(one.text), mended(one.title)) for one in source], "the list of documents")
    path = named_path(source)
    files = _files(path, part, told)
    documents = [document for one in files for document in _read(one, layout, told)]
    return _not_empty(documents, str(path)) if files else []


def digest(documents: Sequence[Document]) -> str:
    """Sha256 of titles and texts."""
    found = hashlib.sha256()
    for one in documents:
        found.update(json.dumps([one.title, one.text]).encode())
    return found.hexdigest()


def without_licence(text: str) -> str:
    """The text of a Project Gutenberg file without header and licence; other texts as they are."""
    begins = list(BEGIN.finditer(text))
    start = begins[-1].end() if begins else 0
    end = END.search(text, start)
    if not begins and not end:
        return text
    return text[start : end.start() if end else len(text)].strip("\n") + "\n"


def _files(path: Path, part: Part, told: list[str]) -> list[Path]:
    if not path.is_dir():
        if not path.is_file():
            raise DataError(f"there is no file {path}")
        return [path] if part in ("", "train") else []
    found = visible_files(path)
    files, tables = ([one for one in found if one.name.lower().endswith(ends)] for ends in (TEXTS, TABLES))
    if not files and not tables:
        raise DataError(f"{path} holds no {', '.join(TEXTS + TABLES)} file")
    if files and tables:
        told.append(f"{path}: {len(tables)} tables beside the texts are left out: {tables[0].name} ...")
    return selected(files or tables, path, part, told)


def _not_empty(documents: list[Document], name: str) -> list[Document]:
    kept = [one for one in documents if one.text]
    if not kept:
        raise DataError(f"{name} is empty: expected a file with training text")
    return kept


def _read(path: Path, layout: Layout, told: list[str]) -> Iterator[Document]:
    kind = path.name.lower().removesuffix(".gz").rpartition(".")[2]
    if kind in ("jsonl", "json"):
        objects = json_objects(path, "an object with 'text', or with 'lines', a list of lines")
        yield from (_document(values, where, layout) for where, values in objects)
    elif kind in ("csv", "tsv"):
        yield from _table(path, layout)
    else:
        yield from _divided(_plain(path, told), layout)


def _plain(path: Path, told: list[str]) -> str:
    text = read_text(path).replace("\r", "\n")
    kept = without_licence(text)
    if kept != text:
        told.append(f"{path}: left out {len(text) - len(kept)} characters of Project Gutenberg's header and licence")
    return kept


def _divided(text: str, layout: Layout) -> Iterator[Document]:
    if layout.lines:
        yield from (Document(line) for line in text.split("\n") if line.strip())
    elif layout.paragraphs:
        yield from (Document(one.strip("\n") + "\n") for one in re.split(r"\n(?:[^\S\n]*\n)+", text) if one.strip())
    else:
        yield Document(text)


def _table(path: Path, layout: Layout) -> Iterator[Document]:
    rows = table_rows(path)
    header = [name.strip() for name in rows[0][1]] if rows else []
    if layout.text not in header:
        raise DataError(
            f"{path}: expected a header with the column {layout.text!r}, got {', '.join(header)!r}: name the column of "
            "the text, for example --text review"
        )
    for where, cells in rows[1:]:
        if len(cells) != len(header):
            raise DataError(f"{where}: {len(cells)} fields, the header has {len(header)}")
        entry = dict(zip(header, cells, strict=True))
        yield Document(entry[layout.text].replace("\r\n", "\n"), entry.get("title", "").strip())


def _document(values: dict[str, Any], where: str, layout: Layout) -> Document:
    title = values.get("title") or ""
    chat = next((values[name] for name in CHATS if values.get(name) is not None), None)
    text = values.get(layout.text)
    if text is None and values.get("lines") is not None:
        text = _lines(values["lines"], where)
    elif text is None and chat is not None:
        text = _chat(chat, where)
    elif layout.text in values and text is None:
        raise DataError(f"{where}: {layout.text!r} is null: expected a text; leave the line out")
    elif layout.text not in values:
        raise DataError(
            f"{where} must be an object with {layout.text!r}, with 'lines', a list of lines, or with 'messages'; it "
            f"has {', '.join(map(repr, values)) or 'nothing'}: name the key of the text with --text"
        )
    if not isinstance(text, str) or not isinstance(title, str):
        raise DataError(f"{where}: {layout.text!r} and 'title' must be texts")
    return Document(text.replace("\r\n", "\n"), title)


def _lines(entries: Any, where: str) -> str:
    if not isinstance(entries, list) or not all(isinstance(one, str) for one in entries):
        raise DataError(f"{where}: 'lines' must be a list of texts, not {entries!r}")
    return "".join(f"{one}\n" for one in entries)


def _chat(messages: Any, where: str) -> str:
    """The messages of a chat, one after the other, each after its role and a colon."""
    found = []
    for one in messages if isinstance(messages, list) else [None]:
        role = next((one[name] for name in SPEAKER if name in one), None) if isinstance(one, dict) else None
        spoken = next((one[name] for name in SPOKEN if name in one), None) if isinstance(one, dict) else None
        if isinstance(spoken, list):  # parts, of which those of text have a text
            spoken = "".join(part["text"] for part in spoken if isinstance(part, dict) and "text" in part)
        if not isinstance(role, str) or not isinstance(spoken, str):
            raise DataError(f"{where}: a message must have the texts 'role' and 'content', not {one!r:.80}")
        found.append(f"{role}: {spoken}\n")
    return "".join(found)
