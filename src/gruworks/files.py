"""Bounded reading of files that may be damaged or hostile: regular files, JSON, members of zip archives, gzip.

Each function compares the stated size with a limit before memory is allocated, and raises the caller's class `error`
with the name of the file in its message.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from gruworks.errors import DataError, GruworksError

__all__ = [
    "MIB",
    "MOST_TEXT",
    "bounded_gunzip",
    "bounded_member",
    "bounded_zip",
    "named_path",
    "read_bytes",
    "read_json",
    "regular_file",
]

MIB = 1 << 20
MOST_TEXT = 2048 * MIB  # of one gzipped text, uncompressed
DEPTH = 64  # of nested lists and objects in a JSON file
Failure = type[GruworksError]

_TOKENS = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{\]}]', re.DOTALL)  # strings, whose brackets don't count; brackets
_SURROGATE = re.compile(r"\\u[dD][89abAB]")
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # zipfile unpacks the others without a bound


def regular_file(path: str | Path, error: Failure = DataError) -> Path:
    """The path of a readable regular file; a folder, pipe, device or socket is refused before it is opened.

    Raises:
        error: no readable regular file.
    """
    path = Path(path)
    try:
        mode = path.stat().st_mode
    except FileNotFoundError as missing:
        raise error(f"{path} is not a file: nothing is there") from missing
    except (OSError, ValueError) as failure:
        raise error(f"{path!s:.200} is not a file that can be read ({failure})") from failure
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe, socket or device"
        raise error(f"{path} is not a file: it is {kind}")
    if not os.access(path, os.R_OK):
        raise error(f"{path} may not be read by this user")
    return path


def named_path(source: str | Path) -> Path:
    """The path `source`, whether it exists or not.

    Raises:
        DataError: a text that can't be the name of a file, for example one that is too long.
    """
    path = Path(source)
    try:
        path.exists()
    except OSError as failure:
        told = f"{path!s:.60}... ({len(str(path)):,} characters)"
        raise DataError(f"{told} can't be the name of a file: {failure.strerror}; give a path") from failure
    return path


def read_bytes(path: str | Path, limit: int, error: Failure = DataError) -> bytes:
    """Content of a regular file of at most `limit` bytes."""
    path = regular_file(path, error)
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as failure:
        raise error(f"{path} can't be read: {failure.strerror or failure}") from failure
    if len(content) > limit:
        raise error(f"{path} has {path.stat().st_size:,} bytes; at most {limit:,} are read")
    return content


def read_json(
    source: str | Path | bytes,
    limit_bytes: int = 64 * MIB,
    *,
    error: Failure = DataError,
    name: str = "",
    nan: bool = False,
) -> Any:
    """Value of a JSON file, or of the content of one, which messages call `name`.

    >>> read_json(b'{"rows": [1, 2]}', name="config.json")
    {'rows': [1, 2]}

    Raises:
        error: more than `limit_bytes`, lists and objects nested deeper than DEPTH, invalid UTF-8 or JSON, half of a
            surrogate pair, an integer of thousands of digits; NaN and infinities, unless `nan`.
    """
    content = source if isinstance(source, bytes) else read_bytes(source, limit_bytes, error)
    name = name or ("the JSON text" if isinstance(source, bytes) else str(source))
    if len(content) > limit_bytes:
        raise error(f"{name} has {len(content):,} bytes; at most {limit_bytes:,} are read")
    _check_depth(content, name, error)
    try:
        text = content.decode("utf-8-sig")
        number = None if nan else _finite
        value = json.loads(text, parse_constant=number, parse_float=number)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as failure:
        raise error(f"{name} is not UTF-8 text: {failure.reason} at byte {failure.start}") from failure
    except UnicodeEncodeError as failure:
        raise error(f"{name} holds half of a surrogate pair (\\u{ord(failure.object[failure.start]):04x})") from failure
    except (ValueError, RecursionError, MemoryError) as failure:
        raise error(f"{name} is not JSON that can be read: {failure or type(failure).__name__}") from failure
    return value


@contextmanager
def bounded_zip(
    source: str | Path | IO[bytes], name: str = "", error: Failure = DataError, kind: str = "zip archive"
) -> Iterator[zipfile.ZipFile]:
    """An open zip archive; exceptions of the archive, also while it is in use, are raised as `error`."""
    name = name or str(source)
    if isinstance(source, str | Path):
        regular_file(source, error)
    try:
        with zipfile.ZipFile(source) as archive:
            yield archive
    except GruworksError:
        raise
    except Exception as failure:  # zipfile lets struct's, zlib's, codecs' and its own errors out
        raise error(f"{name} is not a complete {kind} ({failure or type(failure).__name__})") from failure


def bounded_member(archive: zipfile.ZipFile, name: str, limit: int, error: Failure = DataError) -> bytes:
    """Content of one member, of at most `limit` bytes both as stated in the archive and when decompressed."""
    where = f"{name} in {archive.filename or 'the archive'}"
    try:
        entry = archive.getinfo(name)
    except KeyError as missing:
        raise error(f"{archive.filename or 'the archive'} has no member {name}") from missing
    if entry.file_size > limit:
        raise error(f"{where} unpacks to {entry.file_size:,} bytes; at most {limit:,} are read")
    if entry.compress_type not in _METHODS:
        raise error(f"{where} is compressed by method {entry.compress_type}; stored and deflated members are read")
    try:
        with archive.open(entry) as member:
            content = member.read(entry.file_size + 1)
    except Exception as failure:  # as above
        raise error(f"{where} can't be unpacked: {failure or type(failure).__name__}") from failure
    if len(content) != entry.file_size:
        raise error(f"{where} states {entry.file_size:,} bytes and has {len(content):,}")
    return content


def bounded_gunzip(source: bytes | IO[bytes], limit: int, name: str = "") -> bytes:
    """Content of gzipped bytes or of a stream of them, at most `limit` bytes when decompressed.

    >>> bounded_gunzip(gzip.compress(b"text"), limit=10)
    b'text'
    """
    name = name or "the gzip file"
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(source) if isinstance(source, bytes) else source) as stream:
            content = stream.read(limit + 1)
    except (OSError, EOFError, zlib.error) as failure:
        raise DataError(f"{name} is not a complete gzip file: {failure}") from failure
    if len(content) > limit:
        raise DataError(f"{name} unpacks to more than {limit:,} bytes")
    return content


def _check_depth(content: bytes, name: str, error: Failure) -> None:
    depth = 0
    for token in _TOKENS.finditer(content):
        first = token[0][:1]
        depth += (first in b"[{") - (first in b"]}")
        if depth > DEPTH:
            raise error(f"{name} nests lists and objects deeper than {DEPTH}")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:40]} is no finite number")
    return number
