"""Subtitles from a transcript: SRT and WebVTT."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gruworks.tasks.transcribe.decoding import TimedWord, Transcript

__all__ = ["srt", "vtt"]

LONGEST_LINE = 42  # characters, as subtitle editors have it
LONGEST_SHOWN = 6.0  # seconds


def srt(transcript: Transcript) -> str:
    """SubRip: numbered cues with a comma before the milliseconds."""
    cues = enumerate(_cues(transcript), 1)
    return "".join(f"{n}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{text}\n\n" for n, (start, end, text) in cues)


def vtt(transcript: Transcript) -> str:
    """WebVTT: a header, and cues with a full stop before the milliseconds."""
    cues = [f"{_clock(start, '.')} --> {_clock(end, '.')}\n{text}\n\n" for start, end, text in _cues(transcript)]
    return "WEBVTT\n\n" + "".join(cues)


def _cues(transcript: Transcript) -> Iterator[tuple[float, float, str]]:
    for segment in transcript.segments:
        line: list[TimedWord] = []
        for word in segment.words:
            if line and (_width([*line, word]) > LONGEST_LINE or word.end - line[0].start > LONGEST_SHOWN):
                yield _cue(line)
                line = []
            line.append(word)
        if line:
            yield _cue(line)


def _cue(line: Sequence[TimedWord]) -> tuple[float, float, str]:
    text = " ".join(word.text for word in line)
    # "-->" would end the text of a cue, & and < would begin a tag.
    return line[0].start, line[-1].end, text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _width(words: Sequence[TimedWord]) -> int:
    return sum(len(word.text) + 1 for word in words) - 1


def _clock(seconds: float, mark: str) -> str:
    minutes, milliseconds = divmod(round(1000 * seconds), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}{mark}{milliseconds % 1000:03}"
