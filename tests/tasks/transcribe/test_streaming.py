"""Streams: the same text however the samples are cut, alone or together, and segments that end in silence."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruworks import Transcriber
from gruworks.errors import DataError, OptionError
from gruworks.tasks.transcribe.streaming import accept_together, finish_together
from tests.tasks.transcribe.conftest import RATE, say, some_text

CUTS = st.lists(st.integers(0, 5000), min_size=0, max_size=12)


@pytest.mark.parametrize("beam", [1, 4])
@given(cuts=CUTS, seed=st.integers(0, 5))
def test_the_text_does_not_depend_on_the_cuts(streaming: Transcriber, beam: int, cuts: list[int], seed: int) -> None:
    samples = say(some_text(seed), seed)
    whole = streaming.transcribe(samples, rate=RATE, beam_size=beam)
    stream, at, stable, finals = streaming.stream(beam_size=beam), 0, "", []
    for count in [*cuts, len(samples)]:
        update = stream.accept(samples[at : at + count])
        at += count
        assert update.partial.startswith(update.stable)
        if not update.final:
            assert update.stable.startswith(stable)
            stable = update.stable
        else:
            finals.append(update.final)
    last = stream.finish()
    assert last.final.startswith(stable) or finals
    assert " ".join(filter(None, [*finals, last.final])) == whole.text
    assert [word for one in stream.segments for word in one.words] == whole.words


def test_partial_texts_come_before_the_end(streaming: Transcriber) -> None:
    stream, partial = streaming.stream(), []
    for piece in numpy.array_split(say("bad cad", 1), 20):
        partial.append(stream.accept(piece).partial)
    assert partial[0] == ""
    assert "bad" in partial
    assert stream.finish().final == "bad cad"


def test_streams_go_together(streaming: Transcriber) -> None:
    recordings = [say(some_text(seed), seed) for seed in range(5)]
    alone = [streaming.transcribe(samples, rate=RATE).text for samples in recordings]
    streams = [streaming.stream() for _ in recordings]
    rng = numpy.random.default_rng(0)
    while any(len(samples) for samples in recordings):
        counts = rng.integers(0, 3000, len(streams))
        accept_together(streams, [s[:n] for s, n in zip(recordings, counts, strict=True)])
        recordings = [s[n:] for s, n in zip(recordings, counts, strict=True)]
    finish_together(streams)
    assert [" ".join(one.text for one in stream.segments) for stream in streams] == alone
    with pytest.raises(OptionError, match="one piece for each stream"):
        accept_together(streams, [])


def test_silence_ends_a_segment(streaming: Transcriber) -> None:
    pause = 0.001 * numpy.random.default_rng(0).standard_normal(RATE).astype(numpy.float32)
    stream = streaming.stream(silence=0.5)
    updates = [stream.accept(piece) for piece in (say("dab", 1), pause, say("ca", 2), pause)]
    assert [update.final for update in updates] == ["", "dab", "", "ca"]
    assert [update.partial for update in updates][1::2] == ["", ""]
    first, second = stream.segments
    assert first.words[0].end < 0.6 < 1.5 < second.words[0].start
    assert stream.finish().final == ""
    patient = streaming.stream(silence=5.0)
    for piece in (say("dab", 1), pause, say("ca", 2)):
        assert patient.accept(piece).final == ""
    assert patient.finish().final == "dab ca"


def test_a_segment_ends_when_it_is_long(streaming: Transcriber) -> None:
    stream = streaming.stream(longest=1.0)
    for _ in range(4):
        stream.accept(say("dab ca", 1))
    assert len(stream.segments) >= 2
    assert all(word.end - one.words[0].start <= 1.0 for one in stream.segments for word in one.words)


def test_another_rate_is_resampled_whatever_the_cuts(streaming: Transcriber) -> None:
    samples = say("bad ca", 3, 16_000)
    texts = []
    for count in (1, 37):
        stream = streaming.stream(rate=16_000)
        for piece in numpy.array_split(samples, count):
            stream.accept(piece)
        stream.finish()
        texts.append([one.text for one in stream.segments])
    assert texts[0] == texts[1]
    assert "".join(texts[0]).replace(" ", "") == "badca"


def test_integers_and_channels_are_heard_too(streaming: Transcriber) -> None:
    samples = (32767 * say("bad", 3)).astype(numpy.int16)
    stream = streaming.stream()
    stream.accept(numpy.stack([samples, samples], 1))
    assert stream.finish().final == "bad"


def test_what_can_not_be_heard_is_refused(streaming: Transcriber) -> None:
    stream = streaming.stream()
    with pytest.raises(DataError, match="sample 1 is nan"):
        stream.accept(numpy.array([0.0, numpy.nan]))
    with pytest.raises(DataError, match="expected samples"):
        stream.accept("abc")
    with pytest.raises(DataError, match=r"use accept\(samples\)"):
        stream.accept_features(numpy.zeros((3, 16)))
    stream.finish()
    with pytest.raises(DataError, match="has been finished"):
        stream.accept(numpy.zeros(10))
    with pytest.raises(DataError, match="has been finished"):
        stream.finish()


def test_nothing_heard_is_nothing_said(streaming: Transcriber, spoken: Path) -> None:
    stream = streaming.stream()
    assert stream.finish() == ("", "", "")
    assert stream.segments == []


def test_partial_texts_of_a_closed_list_have_whole_listed_words(streaming: Transcriber) -> None:
    stream = streaming.stream(beam_size=8, words=("cad", "dab"))
    samples = numpy.concatenate([numpy.zeros(4 * RATE, numpy.float32), say("cad dab cad", 3)])
    partials = [stream.accept(samples[i : i + 800]) for i in range(0, len(samples), 800)]
    assert {word for one in partials for word in one.partial.split()} <= {"cad", "dab"}
    assert not any(one.partial for one in partials[:38])
    assert any(one.partial for one in partials)
    assert all(one.partial.startswith(one.stable) for one in partials)
