"""Download of known data sets, checked by their sha256."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
import tempfile
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gruworks.data.catalogue import SETS, DataSet, File, cache_folder, locate
from gruworks.errors import DataError, OptionError, require
from gruworks.files import MOST_TEXT, bounded_gunzip

__all__ = ["content_sha256", "fetch", "gather_tang", "repack"]

FILES = "https://raw.githubusercontent.com"
ARCHIVES = "https://codeload.github.com"
TANG_PARTS = range(0, 58_000, 1000)
TANG_MARKS = "，。！？；、"
TANG_FORMS = {(4, 5): "五絕", (4, 7): "七絕", (8, 5): "五律", (8, 7): "七律"}

Download = Callable[[str], bytes]  # from a URL to its content


def fetch(name: str, download: Download | None = None) -> list[Path]:
    """Download the files of a set that are not on this machine, and return the paths of all.

    Raises:
        OptionError: an unknown set.
        DataError: a failed download, or content of another sha256, which is not kept.
    """
    if name not in SETS:
        raise OptionError(f"there is no data set {name!r}; there are: {', '.join(SETS)}")
    return [locate(file) or _bring(SETS[name], file, download or _retrieve) for file in SETS[name].files]


def content_sha256(name: str, content: bytes) -> str:
    """Sha256 as in the catalogue: of the uncompressed content, or of the sums and names of a .tar.gz file's members."""
    if name.endswith(".tar.gz"):
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            files = {member.name: archive.extractfile(member) for member in archive if member.isfile()}
            lines = [
                f"{hashlib.sha256(file.read()).hexdigest()}  {name}\n" for name, file in sorted(files.items()) if file
            ]
        return hashlib.sha256("".join(lines).encode()).hexdigest()
    if name.endswith(".gz"):
        content = bounded_gunzip(content, MOST_TEXT, name=name)
    return hashlib.sha256(content).hexdigest()


def gather_tang(parts: list[list[dict[str, Any]]]) -> str:
    """Distinct poems of regulated form (4 or 8 lines of 5 or 7 characters), as JSON Lines."""
    seen, lines = set(), []
    for poem in (poem for part in parts for poem in part):
        body = "".join(poem["paragraphs"])
        verses = body.translate(dict.fromkeys(map(ord, TANG_MARKS), "\n")).split()
        shape = (len(verses), len(verses[0]) if verses else 0)
        pure = all(len(verse) == shape[1] and all(map(_is_ideograph, verse)) for verse in verses)
        if shape in TANG_FORMS and pure and body not in seen:
            seen.add(body)
            entry = {"form": TANG_FORMS[shape], "title": poem["title"], "author": poem["author"], "lines": verses}
            lines.append(json.dumps(entry, ensure_ascii=False) + "\n")
    return "".join(lines)


def _is_ideograph(character: str) -> bool:
    return unicodedata.name(character, "").startswith("CJK UNIFIED IDEOGRAPH")


def repack(archive: bytes, folder: str) -> bytes:
    """Files of one folder of a repository's archive, as a .tar.gz with that folder at its root."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(archive)) as source, tarfile.open(fileobj=packed, mode="w:gz") as target:
        for member in source:
            name = member.name.partition("/")[2]  # the archive's root is named after the repository and commit
            content = source.extractfile(member) if member.isfile() and name.startswith(f"{folder}/") else None
            if content is not None:
                entry = tarfile.TarInfo(name)
                entry.size = member.size
                target.addfile(entry, content)
    return packed.getvalue()


def _bring(data: DataSet, file: File, download: Download) -> Path:
    content = _content(data, file, download)
    if content_sha256(file.path, content) != file.sha256:
        raise DataError(
            f"{file.path} from {data.repository} at commit {data.commit[:12]} is not the file of the catalogue "
            "(its sha256 differs): nothing was kept"
        )
    path = cache_folder() / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as temporary:
        temporary.write(content)
    return Path(temporary.name).replace(path)


def _content(data: DataSet, file: File, download: Download) -> bytes:
    root = f"{FILES}/{data.repository}/{data.commit}"
    if data.form == "folder":
        return repack(download(f"{ARCHIVES}/{data.repository}/tar.gz/{data.commit}"), file.upstream)
    if data.form == "tang":
        parts = [json.loads(download(f"{root}/{file.upstream.format(start)}")) for start in TANG_PARTS]
        return gzip.compress(gather_tang(parts).encode(), mtime=0)
    content = download(f"{root}/{file.upstream}")
    if file.path.endswith(".gz") and not file.upstream.endswith(".gz"):
        return gzip.compress(content, mtime=0)
    return content


def _retrieve(address: str) -> bytes:
    pooch = require("pooch", extra="data")
    log = pooch.get_logger()
    level = log.level
    log.setLevel("ERROR")
    try:
        with tempfile.TemporaryDirectory(prefix="gruworks-") as folder:
            return Path(pooch.retrieve(address, known_hash=None, path=folder)).read_bytes()
    except OSError as error:  # requests' errors are OSErrors
        raise DataError(f"can't fetch {address} ({type(error).__name__}): is this machine online?") from error
    finally:
        log.setLevel(level)  # for downloads by other packages
