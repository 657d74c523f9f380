"""Subtitles of a transcript in the formats SRT and WebVTT."""

from __future__ import annotations

import html
from collections.abc import Iterator

from gruworks.tasks.transcribe.decoding import TimedWord, Transcript

__all__ = ["srt", "vtt"]

LONGEST_LINE = 42  # characters, as in common subtitle guidelines
LONGEST_SHOWN = 6.0  # seconds
SHORTEST_SHOWN = 1.0  # seconds, unless the next cue begins earlier


def srt(transcript: Transcript) -> str:
    """Format a transcript as SRT: numbered cues, a comma before the milliseconds."""
    cues = enumerate(_cues(transcript), 1)  # SRT has no entities: the text stands as it is
    return "".join(f"{n}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{text}\n\n" for n, (start, end, text) in cues)


def vtt(transcript: Transcript) -> str:
    """Format a transcript as WebVTT subtitles."""
    cues = [
        f"{_clock(start, '.')} --> {_clock(end, '.')}\n{html.escape(text, quote=False)}\n\n"
        for start, end, text in _cues(transcript)
    ]
    return "WEBVTT\n\n" + "".join(cues)


def _cues(transcript: Transcript) -> Iterator[tuple[float, float, str]]:
    """Start, end and text of each cue; short cues are extended to `SHORTEST_SHOWN`."""
    lines = list(_lines(transcript))
    begins = [line[0].start for line in lines] + [float("inf")]
    for line, next_start in zip(lines, begins[1:], strict=True):
        start, end = line[0].start, line[-1].end
        text = " ".join(word.text for word in line)
        yield start, max(end, min(start + SHORTEST_SHOWN, next_start)), text


def _lines(transcript: Transcript) -> Iterator[list[TimedWord]]:
    for segment in transcript.segments:
        line: list[TimedWord] = []
        for word in segment.words:
            width = len(" ".join(one.text for one in [*line, word]))
            if line and (width > LONGEST_LINE or word.end - line[0].start > LONGEST_SHOWN):
                yield line
                line = []
            line.append(word)
        if line:
            yield line


def _clock(seconds: float, mark: str) -> str:
    minutes, milliseconds = divmod(round(1000 * seconds), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}{mark}{milliseconds % 1000:03}"
