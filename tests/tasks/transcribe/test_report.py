"""Subtitles."""

from __future__ import annotations

from gruworks.tasks.transcribe.decoding import TimedWord, Transcript
from gruworks.tasks.transcribe.report import srt, vtt


def said(*words: tuple[str, float, float]) -> Transcript:
    timed = [TimedWord(text, start, end, 1.0) for text, start, end in words]
    one = Transcript(" ".join(word.text for word in timed), timed, 0.0, [], [])
    return Transcript(one.text, timed, 0.0, [], [one] if words else [])


def test_both_forms() -> None:
    whole = said(("one", 0.5, 0.75), ("<two>", 0.75, 3661.5))
    assert srt(said(("one", 0.5, 1.75))) == "1\n00:00:00,500 --> 00:00:01,750\none\n\n"
    assert vtt(whole).startswith("WEBVTT\n\n00:00:00.500 --> 00:00:00.750\none\n\n")
    assert vtt(whole).endswith("00:00:00.750 --> 01:01:01.500\n&lt;two&gt;\n\n")
    assert srt(said(("a&b", 0.5, 1.75), ("<i>", 1.75, 1.8))).split("\n")[2] == "a&b <i>"
    assert (srt(said()), vtt(said())) == ("", "WEBVTT\n\n")


def test_cues_are_short_and_numbered() -> None:
    words = [(f"word{i:04}", i * 0.4, i * 0.4 + 0.3) for i in range(20)]
    cues = srt(said(*words)).strip().split("\n\n")
    assert [cue.split("\n")[0] for cue in cues] == [str(n) for n in range(1, len(cues) + 1)]
    assert all(len(cue.split("\n")[2]) <= 42 for cue in cues)
    assert " ".join(cue.split("\n")[2] for cue in cues) == " ".join(word for word, _, _ in words)
    slow = [(f"w{i}", i * 2.0, i * 2.0 + 1) for i in range(9)]
    assert len(srt(said(*slow)).strip().split("\n\n")) == 3


def test_short_cues_stay_until_they_can_be_read() -> None:
    ends = [
        cue.split("\n")[1].split(" --> ")[1]
        for cue in srt(said(("a", 0.5, 0.52), ("b" * 42, 1.2, 1.3))).split("\n\n")[:2]
    ]
    assert ends == ["00:00:01,200", "00:00:02,200"]
