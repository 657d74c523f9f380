"""Subtitles from a transcript: SRT and WebVTT."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gruworks.tasks.transcribe.decoding import TimedWord, Transcript

__all__ = ["srt", "vtt"]

LONGEST_LINE = 42  # characters, as subtitle editors have it
LONGEST_SHOWN = 6.0  # seconds
SHORTEST_SHOWN = 1.0  # unless the next cue comes before


def srt(transcript: Transcript) -> str:
    """SubRip: numbered cues with a comma before the milliseconds."""
    cues = enumerate(_cues(transcript), 1)
    return "".join(f"{n}\n{_clock(start, ',')} --> {_clock(end, ',')}\n{text}\n\n" for n, (start, end, text) in cues)


def vtt(transcript: Transcript) -> str:
    """WebVTT: a header, and cues with a full stop before the milliseconds."""
    cues = [f"{_clock(start, '.')} --> {_clock(end, '.')}\n{text}\n\n" for start, end, text in _cues(transcript)]
    return "WEBVTT\n\n" + "".join(cues)


def _cues(transcript: Transcript) -> Iterator[tuple[float, float, str]]:
    """Start, end and text of each cue, shown long enough to be read where there is time for it."""
    lines = list(_lines(transcript))
    begins = [line[0].start for line in lines] + [float("inf")]
    for line, next_start in zip(lines, begins[1:], strict=True):
        start, end = line[0].start, line[-1].end
        text = " ".join(word.text for word in line)
        # "-->" would end the text of a cue, & and < would begin a tag.
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        yield start, max(end, min(start + SHORTEST_SHOWN, next_start)), escaped


def _lines(transcript: Transcript) -> Iterator[list[TimedWord]]:
    for segment in transcript.segments:
        line: list[TimedWord] = []
        for word in segment.words:
            if line and (_width([*line, word]) > LONGEST_LINE or word.end - line[0].start > LONGEST_SHOWN):
                yield line
                line = []
            line.append(word)
        if line:
            yield line


def _width(words: Sequence[TimedWord]) -> int:
    return sum(len(word.text) + 1 for word in words) - 1


def _clock(seconds: float, mark: str) -> str:
    minutes, milliseconds = divmod(round(1000 * seconds), 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{milliseconds // 1000:02}{mark}{milliseconds % 1000:03}"
