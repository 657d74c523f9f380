"""The reading rule of all tasks: files as text, lines, JSON objects and table rows; errors name file and line."""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gruworks.errors import DataError
from gruworks.files import MOST_TEXT, bounded_gunzip

__all__ = [
    "Row",
    "decoded",
    "json_objects",
    "line_ends",
    "mended",
    "read_content",
    "read_lines",
    "read_text",
    "table_delimiter",
    "table_rows",
]

Row = tuple[str, list[str]]  # file and line, cells
GZIP = b"\x1f\x8b"
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
DELIMITERS = ",;\t|"
EXCEL = re.compile(r"sep=.\n")  # a first line that tells Excel the delimiter
LONGEST_CELL = 1 << 30  # characters


def read_content(path: Path) -> bytes:
    """Read the bytes of a text file, decompressed if it is gzipped, without a byte order mark.

    Raises:
        DataError: the file can't be read, or is no whole gzip file.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"can't read {path}: {error.strerror or error}") from error
    if path.suffix == ".gz" or content.startswith(GZIP):
        content = bounded_gunzip(content, MOST_TEXT, name=str(path))
    return content.removeprefix(codecs.BOM_UTF8)


def read_text(path: Path) -> str:
    r"""Read a text file as UTF-8, or as UTF-16 if it begins with that byte order mark.

    Line ends become "\n": "\r\n" everywhere, "\r" in a file that has no "\n".

    Raises:
        DataError: a zero byte, or bytes that aren't UTF-8; names the line.
    """
    content = read_content(path)
    if content.startswith(UTF_16):
        text = _utf_16(content, path)
    else:
        if b"\0" in content:
            told = f"{path} is a binary file, not a text: byte {content.index(0)} is zero"
            raise DataError(f"{told}; convert UTF-16 text to UTF-8")
        text = _utf_8(content, path)
    return line_ends(text)


def line_ends(text: str) -> str:
    r"""The text with "\n" for each line end: for "\r\n" everywhere, for "\r" in a text that has no "\n".

    >>> line_ends("a\r\nb\r\n"), line_ends("a\rb\r")
    ('a\nb\n', 'a\nb\n')
    """
    text = text.replace("\r\n", "\n")
    return text if "\n" in text else text.replace("\r", "\n")


def read_lines(path: Path) -> list[str]:
    r"""Read the lines of a text file; only line ends divide lines, not U+2028, U+0085 or "\v"."""
    lines = read_text(path).split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.rstrip("\r") for line in lines]


def decoded(line: bytes, where: str) -> str:
    """Decode one line and strip its carriage return; `where` is its place in the error."""
    try:
        return line.decode().rstrip("\r")
    except UnicodeDecodeError as error:
        place = f"{where}: not UTF-8 (byte {line[error.start]:#04x} at column {error.start + 1})"
        raise DataError(f"{place}: convert the text to UTF-8, for example with iconv -f GB18030 -t UTF-8") from None


def mended(text: str) -> str:
    r"""The text with U+FFFD for each half of a surrogate pair.

    >>> mended("a\ud83d") == "a\ufffd"
    True
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def json_objects(path: Path, expected: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield place and value of each JSON object of a file; blank lines are left out.

    The file has one object a line or, as a whole, a list of objects, an object `{"data": [...]}`, or an object of
    objects, whose keys become the entry "ID". Halves of surrogate pairs become U+FFFD.

    Args:
        expected: description of an object, for error messages.

    Raises:
        DataError: no JSON, or a value that is no object; names the line or the entry.
    """
    for where, value in _values(path):
        if not isinstance(value, dict):
            raise DataError(f"{where}: expected {expected}, got {type(value).__name__}")
        yield where, value


def table_rows(path: Path) -> list[Row]:
    """Read the rows of a table, without blank ones.

    The cells of a .tsv are divided by tabs and not quoted, unless quotation marks are doubled inside quoted cells. In
    other tables the delimiter is the first comma, semicolon, tab or vertical bar (then without quotation) of the file.
    Quoted cells may hold line breaks.

    Raises:
        DataError: a quoted cell that isn't closed, or text after its end; names the line at which the row begins.
    """
    text, delimiter = read_text(path), table_delimiter(path)
    if EXCEL.match(text):
        text = "\n" + text.partition("\n")[2]  # its place keeps the numbers of the lines
    lines = text.split("\n")
    if delimiter == "|" or (delimiter == "\t" and not _quotes(lines)):
        split = ((number, line.rstrip("\r").split(delimiter)) for number, line in enumerate(lines, 1))
        return [(f"{path}, line {number}", cells) for number, cells in split if any(map(str.strip, cells))]
    return list(_quoted(path, text, delimiter))


def table_delimiter(path: Path) -> str:
    """The delimiter of a table: tab for a .tsv, else the first comma, semicolon, tab or vertical bar of the file."""
    tabs = path.name.removesuffix(".gz").lower().endswith(".tsv")
    return "\t" if tabs else _delimiter(read_text(path))


def _utf_8(content: bytes, path: Path) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        begin = content.rfind(b"\n", 0, error.start) + 1
        line = content[begin:].partition(b"\n")[0]
        return decoded(line, f"{path}, line {content.count(bytes([10]), 0, error.start) + 1}")


def _utf_16(content: bytes, path: Path) -> str:
    try:
        return content.decode("utf-16")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} begins as UTF-16 and is none at byte {error.start}: convert it to UTF-8") from error


def _values(path: Path) -> Iterator[tuple[str, Any]]:
    text = read_text(path)
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    whole = _whole(text) if lines and (".json" in path.suffixes or _json(lines[0][1]) is None) else None
    if whole is not None:
        yield from ((f"{path}, entry {number}", value) for number, value in enumerate(whole, 1))
        return
    for number, line in lines:
        try:
            yield f"{path}, line {number}", _loaded(line)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{path}, line {number}: not JSON ({error})") from error


def _whole(text: str) -> list[Any] | None:
    """The entries of a text that is one JSON value; None for another text."""
    value = _json(text)
    if isinstance(value, dict) and isinstance(value.get("data"), list):
        value = value["data"]
    if isinstance(value, dict) and value and all(isinstance(one, dict) for one in value.values()) and len(value) > 1:
        return [{"ID": key, **one} for key, one in value.items()]
    return value if isinstance(value, list) else None


def _json(text: str) -> Any:
    try:
        return _loaded(text)
    except (ValueError, RecursionError):
        return None


def _loaded(text: str) -> Any:
    value = json.loads(text)
    return _mended(value) if SURROGATE.search(text) else value


def _mended(value: Any) -> Any:
    if isinstance(value, str):
        return mended(value)
    if isinstance(value, list):
        return [_mended(one) for one in value]
    return {mended(key): _mended(one) for key, one in value.items()} if isinstance(value, dict) else value


def _delimiter(text: str) -> str:
    first = next((line for line in text.split("\n") if line.strip()), "")
    bare = re.sub(r'"[^"]*"', "", first)
    return next((character for character in bare if character in DELIMITERS), ",")


def _quotes(lines: list[str]) -> bool:
    """True for a tab-separated file that was written with quotation: each mark begins, ends or is doubled in a cell."""
    doubled = False
    for cell in (cell for line in lines if '"' in line for cell in line.rstrip("\r").split("\t") if '"' in cell):
        inner = cell[1:-1]
        if len(cell) < 2 or cell[0] != '"' or cell[-1] != '"' or inner.replace('""', "").count('"'):
            return False
        doubled = doubled or '""' in inner
    return doubled


def _quoted(path: Path, text: str, delimiter: str) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_CELL)
    source = io.StringIO(text.replace("\r", " "), newline="\n")
    reader = csv.reader(source, delimiter=delimiter, strict=True, skipinitialspace=True)
    begin, width = 1, 0
    try:
        for cells in reader:
            where = f"{path}, line {begin}"
            width = width or len(cells)
            if any(_swallowed(cell, delimiter, width) for cell in cells if "\n" in cell):
                raise DataError(
                    f"{where}: a quoted cell holds lines that look like rows: close its quotation mark, or remove it"
                )
            if any(map(str.strip, cells)):
                yield where, cells
            begin = reader.line_num + 1
    except csv.Error as error:
        unclosed = "end of data" in str(error)
        told = "a quotation mark is not closed" if unclosed else f"text after a quoted cell ({error})"
        expected = 'expected a cell as one, or as "one" with quotes doubled'
        raise DataError(f"{path}, line {begin}: {told}: {expected}") from error


def _swallowed(cell: str, delimiter: str, width: int) -> bool:
    """True where every line inside a cell has the delimiters of a row, none of them before a blank."""
    inner = cell.split("\n")[1:-1]
    row = re.compile(re.escape(delimiter) + r"(?! )")
    return width > 1 and bool(inner) and all(len(row.findall(line)) == width - 1 for line in inner)
