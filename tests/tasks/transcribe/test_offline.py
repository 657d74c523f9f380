"""Whole recordings: blocks as one, cuts where it is quiet."""

from __future__ import annotations

import numpy
import pytest

from gruworks import Transcriber
from gruworks.errors import DataError, TooShortError
from gruworks.tasks.transcribe.offline import frame_blocks, pieces
from tests.tasks.transcribe.conftest import RATE, say


def test_pieces_are_the_whole_and_no_longer_than_said() -> None:
    rng = numpy.random.default_rng(0)
    whole = rng.normal(size=(1234, 3)).astype(numpy.float32)
    found = list(pieces(numpy.array_split(whole, 7), 200))
    assert numpy.array_equal(numpy.concatenate([frames for _, frames in found]), whole)
    assert [begun for begun, _ in found] == [0, *numpy.cumsum([len(frames) for _, frames in found])[:-1]]
    assert all(len(frames) <= 200 for _, frames in found)
    assert all(len(frames) >= 133 for _, frames in found[:-1])


def test_cuts_are_where_it_is_quiet() -> None:
    whole = numpy.ones((300, 2), numpy.float32)
    whole[[90, 170, 290]] = -1
    assert [begun for begun, _ in pieces([whole], 100)] == [0, 90, 170, 237]


def test_a_long_recording_is_cut_and_put_together(offline: Transcriber) -> None:
    gap = numpy.zeros(RATE // 2, numpy.float32)
    samples = numpy.concatenate([part for seed in range(5) for part in (say("bad cab", seed), gap)])
    found = offline.transcribe(samples, rate=RATE, longest=2.0)
    assert len(found.segments) >= 3
    assert " ".join(one.text for one in found.segments) == found.text
    times = [word.start for word in found.words]
    assert times == sorted(times)
    assert times[-1] > 4.0


def test_what_can_not_be_read_is_told(offline: Transcriber) -> None:
    codec, config = offline.codec, offline.config
    with pytest.raises(TooShortError, match="the recording is shorter than one frame"):
        list(frame_blocks(numpy.zeros(10, numpy.float32), RATE, codec, config))
    with pytest.raises(DataError, match=r"a\.mfc: expected audio as in the fit, got features"):
        list(frame_blocks("a.mfc", None, codec, config))
