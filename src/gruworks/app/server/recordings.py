"""Recordings with transcripts from an uploaded archive, checked before a fit."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from gruworks.app.server.archives import unzip
from gruworks.app.server.limits import Limits
from gruworks.app.server.responses import RequestError
from gruworks.data.folders import Part, visible_files
from gruworks.errors import DataError

__all__ = ["unpack"]

TRANSCRIPTS = (".csv", ".tsv", ".jsonl", ".json", ".txt")
PARTS: tuple[Part, ...] = ("train", "validation", "test")
LAYOUTS = (
    "expected a folder that `gruworks transcribe fit` reads, as a .zip: recordings with a table or JSON file of their "
    "names and transcripts (metadata.csv with the columns audio and text), or with a .txt file of the same name each, "
    "or LibriSpeech's .trans.txt"
)


def unpack(file: BinaryIO, folder: Path, limits: Limits) -> None:
    """Unpack an archive of recordings into `folder`, and check each recording and transcript that a fit reads.

    Files that only ffmpeg decodes are left out: no other program runs on what a request brings.

    Raises:
        RequestError: the archive or something in it can't be used.
    """
    from gruworks.tasks.transcribe.audio import AUDIO_FILES, FFMPEG_FILES

    audio = tuple(one for one in AUDIO_FILES if one not in FFMPEG_FILES)
    folder.mkdir(parents=True)
    unzip(file, folder, (*audio, *TRANSCRIPTS), limits)
    suffixes = {one.suffix.lower() for one in visible_files(folder)}
    if not suffixes & set(audio):
        raise RequestError(400, f"no recordings in the archive, in {', '.join(audio)}", "archive", "no-recordings")
    if not suffixes & set(TRANSCRIPTS):
        raise RequestError(400, f"no transcripts in the archive: {LAYOUTS}", "archive", "no-transcripts")
    try:
        _check(folder)
    except DataError as error:
        told = str(error).replace(f"{folder}/", "").replace(str(folder), "the archive")
        raise RequestError(400, f"{told}; {LAYOUTS}", "archive", "bad-recordings", why=told[:300]) from None


def _check(folder: Path) -> None:
    """Refuse recordings outside the folder, missing ones, and files that are no audio."""
    from gruworks.tasks.transcribe.audio import header
    from gruworks.tasks.transcribe.manifest import read_manifest

    home, seen = folder.resolve(), set[Path]()
    for one in (one for part in PARTS for one in read_manifest(folder, part=part)):
        if one.path in seen:
            continue
        seen.add(one.path)
        place = one.where.replace(f"{folder}/", "")
        if not one.path.resolve().is_relative_to(home) or not one.path.is_file():
            text = f"{place}: the recording is not in the archive"
            raise RequestError(400, text, "archive", "recording-missing", place=place)
        try:
            header(one.path)
        except DataError:
            text, name = f"{place}: {one.path.name} can't be read as a recording", one.path.name
            raise RequestError(400, text, "archive", "not-a-recording", name=name) from None
