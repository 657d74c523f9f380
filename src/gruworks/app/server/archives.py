"""Zip archives: folders sent to a client, and those of a request, unpacked within limits."""

from __future__ import annotations

import contextlib
import io
import re
import stat
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from gruworks.app.server.limits import Limits
from gruworks.app.server.responses import RequestError, at_most

__all__ = ["unzip", "zipped"]

BLOCK = 1 << 16  # bytes
ENTRY = 512  # bytes of the archive's own directory for one file
LONGEST = 200  # bytes of one name; characters of a path
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # those of which a block is unpacked without the next ones
UNUSABLE = re.compile(r"[\x00-\x1f:]")  # in a path; a colon begins a stream of a file on Windows
UTF_8 = 0x800  # flag of an entry
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError)


def zipped(path: Path) -> bytes:
    """The files of a folder; the checkpoints of a run are for resuming only and stay out."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path.rglob("*")):
            inside = file.relative_to(path)
            if file.is_file() and not file.is_symlink() and "checkpoints" not in inside.parts:
                archive.write(file, path.name / inside)
    return content.getvalue()


def unzip(file: BinaryIO, folder: Path, suffixes: Collection[str], limits: Limits) -> None:
    """Write the files of an archive whose names end in `suffixes` below `folder`; others and hidden ones are left out.

    Sizes are counted while the files are unpacked.

    Raises:
        RequestError: no zip archive, a path out of the folder, a link, too many files, or too much content.
    """
    directory = max(2 * BLOCK, ENTRY * limits.archive_files)
    try:
        with zipfile.ZipFile(_ShortReads(file, directory)) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir()]
            at_most(limits.archive_files, len(entries), "files in an archive", "archive", code="archive-files")
            paths = [_path(one) for one in entries]
            left = limits.archive_content
            for one, path in zip(entries, paths, strict=True):
                hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
                if path.suffix.lower() in suffixes and not hidden:
                    left -= _write(archive, one, folder / path, left, limits)
    except UNREADABLE:
        text = "expected a .zip archive without a password, got a file that can't be read as one"
        raise RequestError(400, text, "archive", "not-an-archive") from None


class _ShortReads:
    """A file for `zipfile`, which reads the directory of an archive at once, whatever size the archive states."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self.file, self.most = file, most
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        found = self.file.read(self.most + 1 if size < 0 else min(size, self.most + 1))
        if len(found) > self.most:
            raise zipfile.BadZipFile("the directory is too large")
        return found

    def seekable(self) -> bool:
        return True


def _path(entry: zipfile.ZipInfo) -> PurePosixPath:
    """The path of an entry below the folder.

    Raises:
        RequestError: a path that leads out of the folder or can't be written, or an entry that is no regular file.
    """
    name = _name(entry).replace("\\", "/")
    path = PurePosixPath(name)
    long = len(name) > LONGEST or any(len(part.encode()) > LONGEST for part in path.parts)
    if path.is_absolute() or ".." in path.parts or not path.parts or long or UNUSABLE.search(name):
        raise _refused(name, "archive-path", "a path out of it, or one that can't be written")
    if entry.compress_type not in METHODS:
        raise zipfile.BadZipFile("another compression")
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        raise _refused(name, "archive-link", "a link or another entry that is no file")
    return path


def _name(entry: zipfile.ZipInfo) -> str:
    """The name of an entry, as macOS (UTF-8) and Windows in Chinese (GBK) write it without saying so."""
    if not entry.flag_bits & UTF_8:
        content = entry.filename.encode("cp437")
        for encoding in ("utf-8", "gb2312"):
            with contextlib.suppress(UnicodeDecodeError):
                return content.decode(encoding)
    return entry.filename


def _refused(name: str, code: str, what: str) -> RequestError:
    shown = name.encode("utf-8", "replace").decode()[:80]
    return RequestError(400, f"the archive holds {what}: {shown!r}", "archive", code, name=shown)


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, most: int, limits: Limits) -> int:
    """Unpack one file of at most `most` bytes; its size."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        target = path.open("xb")
    except (FileExistsError, NotADirectoryError):
        raise _refused(path.name, "archive-path", "a path twice") from None
    count = 0
    with target, archive.open(entry) as source:
        while block := source.read(BLOCK):
            count += len(block)
            if count > most:
                text = f"expected files of at most {limits.archive_content} bytes in the archive, got more"
                raise RequestError(413, text, "archive", "archive-size", most=limits.archive_content / 10**6)
            target.write(block)
    return count
