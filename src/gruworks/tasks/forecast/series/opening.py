"""Content of a table file, told by its first bytes: compressed or plain text, Parquet, Arrow, or a workbook."""

from __future__ import annotations

import bz2
import codecs
import io
import lzma
import re
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gruworks.data.reading import line_ends
from gruworks.errors import DataError, OptionError, require
from gruworks.files import MOST_TEXT, bounded_gunzip, bounded_member, bounded_zip
from gruworks.tasks.forecast.config import Reading

__all__ = ["STDIN", "Content", "file_bytes", "opened"]

STDIN = Path("-")
MAGIC = {
    b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip",
    b"PAR1": "parquet", b"ARROW1": "arrow", b"\xd0\xcf\x11\xe0": "xls",
}  # fmt: skip
PARQUET = (".parquet", ".pq")
MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
CANDIDATES = ("gb18030", "shift_jis", "euc_kr", "big5", "cp1251", "cp1250")


@dataclass
class Content:
    """Text, or a frame of pandas or polars; `understood` tells what was guessed."""

    text: str | None = None
    frame: Any = None
    understood: list[str] = field(default_factory=list)


def file_bytes(path: Path) -> bytes:
    """Bytes of a file, or of standard input for the path "-".

    Raises:
        DataError: no file, a folder, or one that can't be read.
    """
    try:
        if path == STDIN:
            return sys.stdin.buffer.read()
        if not path.is_file():
            raise DataError(f"{path} is a folder, not a CSV file" if path.is_dir() else f"there is no file {path}")
        with path.open("rb") as file:
            return file.read()
    except OSError as error:
        raise DataError(f"can't read {path}: {error.strerror}") from error


def opened(content: bytes, path: Path, reading: Reading) -> Content:
    """The table in `content`, decompressed and decoded; `path` is for messages.

    Raises:
        DataError: damage, an unsupported or unknown format, an encoding that can't be told.
    """
    kind = _kind(content)
    if path.suffix.lower() in PARQUET and kind != "parquet":
        raise DataError(f"{path} is not a Parquet file that can be read: it doesn't begin with PAR1")
    if kind == "zip" and _is_workbook(content, path):
        return _workbook(content, path, reading)
    if kind in ("gzip", "bzip2", "xz", "zip"):
        return opened(_unpacked(content, kind, path), path.with_suffix(""), reading)
    if kind in ("parquet", "arrow"):
        return Content(frame=_columnar(content, kind, path))
    if kind == "zstd":
        raise DataError(f"{path} is compressed by zstd, which is not read: unpack it first, or use gzip")
    if kind == "xls":
        raise DataError(f"{path} is a workbook of the old binary format: save it as .xlsx or as CSV")
    text, note = _decoded(content, path, reading.encoding)
    return Content(line_ends(text), understood=[note] if note else [])


def _kind(content: bytes) -> str:
    return next((kind for magic, kind in MAGIC.items() if content.startswith(magic)), "text")


def _unpacked(content: bytes, kind: str, path: Path) -> bytes:
    """The decompressed content, of a zip archive its only file."""
    if kind == "gzip":
        return bounded_gunzip(content, MOST_TEXT, str(path))
    if kind == "zip":
        with bounded_zip(io.BytesIO(content), str(path)) as archive:
            files = [one for one in archive.namelist() if not one.endswith("/") and not one.startswith("__MACOSX")]
            if len(files) != 1:
                listed = ", ".join(files[:5])
                raise DataError(f"expected one file in the archive {path}, got {len(files)} ({listed}): unpack one")
            return bounded_member(archive, files[0], MOST_TEXT)
    unpack: Any = bz2.BZ2File if kind == "bzip2" else lzma.LZMAFile
    try:
        with unpack(io.BytesIO(content)) as stream:
            found: bytes = stream.read(MOST_TEXT + 1)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise DataError(f"{path} is not a complete {kind} file: {error}") from error
    if len(found) > MOST_TEXT:
        raise DataError(f"{path} unpacks to more than {MOST_TEXT:,} bytes")
    return found


def _is_workbook(content: bytes, path: Path) -> bool:
    with bounded_zip(io.BytesIO(content), str(path)) as archive:
        if sum(one.file_size for one in archive.infolist()) > MOST_TEXT:
            raise DataError(f"{path} unpacks to more than {MOST_TEXT:,} bytes")
        return "xl/workbook.xml" in archive.namelist()


def _columnar(content: bytes, kind: str, path: Path) -> Any:
    """The frame in a Parquet or Arrow file."""
    polars, named = require("polars", extra="parquet"), {"parquet": "Parquet", "arrow": "Arrow"}[kind]
    read = polars.read_parquet if kind == "parquet" else polars.read_ipc
    try:
        return read(io.BytesIO(content))
    except Exception as error:  # polars' own errors have no common base that says "not Parquet"
        if type(error).__module__.split(".")[0] not in ("polars", "builtins"):
            raise
        raise DataError(f"{path} is not a {named} file that can be read: {error}") from error


def _workbook(content: bytes, path: Path, reading: Reading) -> Content:
    """The sheet that `reading` names, or the first, as the text of a CSV: title and units rows are treated alike."""
    import pandas

    require("openpyxl", extra="excel")
    try:
        sheets = pandas.ExcelFile(io.BytesIO(content), engine="openpyxl")
    except (ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a workbook that can be read: {error}") from error
    names = [str(one) for one in sheets.sheet_names]
    sheet = names[0] if reading.sheet is None else reading.sheet
    if sheet not in names:
        raise DataError(f"{path} has no sheet {sheet!r}; it has: {', '.join(names)}. Name one: --sheet NAME")
    cells = pandas.read_excel(
        sheets, sheet_name=sheet, header=None, dtype=object, keep_default_na=False, na_filter=False
    )
    told = [f"sheet {sheet!r}"] if len(names) > 1 and reading.sheet is None else []
    return Content(cells.to_csv(index=False, header=False), understood=told)


def _decoded(content: bytes, path: Path, encoding: str | None) -> tuple[str, str]:
    """The text, and a note where its encoding was guessed."""
    if encoding is not None:
        try:
            return content.decode(encoding), ""
        except LookupError:
            raise OptionError(f"expected the name of an encoding, such as cp1252, got {encoding!r}") from None
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not {encoding} text (byte {error.start}): name another encoding") from error
    for mark, name in MARKS.items():
        if content.startswith(mark):
            return _strictly(content, name, path), f"encoding {name.upper()}"
    if wide := _wide(content[:4096]):
        return _strictly(content, wide, path), f"encoding {wide.upper()}"
    if b"\0" in content:
        raise DataError(f"{path} is a binary file, not a CSV")
    try:
        return content.decode("utf-8-sig"), ""
    except UnicodeDecodeError as error:
        return _guessed(content, path, error.start)


def _strictly(content: bytes, encoding: str, path: Path) -> str:
    try:
        return content.decode(encoding).lstrip("\ufeff")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not complete {encoding.upper()} text (byte {error.start})") from error


def _wide(head: bytes) -> str | None:
    """UTF-16 without a byte order mark: every second byte of ASCII text is 0."""
    if len(head) < 8 or head.count(0) < len(head) // 3:
        return None
    even, odd = head[::2].count(0), head[1::2].count(0)
    return "utf-16-le" if even == 0 and odd else "utf-16-be" if odd == 0 and even else None


def _guessed(content: bytes, path: Path, first: int) -> tuple[str, str]:
    """Text that is not UTF-8: cp1252 where the accented letters stand alone, as in Western Europe, else refused."""
    runs = re.findall(rb"[\x80-\xff]+", content)
    if sum(len(one) == 1 for one in runs) > 0.7 * len(runs):
        try:
            return content.decode("cp1252"), "encoding cp1252"
        except UnicodeDecodeError:
            pass
    able = ", ".join(one for one in CANDIDATES if _decodes(content, one))
    hint = f" It could be {able}." if able else ""
    raise DataError(
        f"{path} is not UTF-8 text (byte {first}): save it as UTF-8, or name its encoding: --encoding NAME, in Python "
        f"encoding=NAME.{hint}"
    )


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
