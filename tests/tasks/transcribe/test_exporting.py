"""The graphs of a transcriber: frames as Kaldi makes them, and the network's answers, whole and in pieces."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch

from gruworks.ops.backend import backend
from gruworks.tasks.transcribe.exporting import FeatureGraph, parts
from gruworks.tasks.transcribe.features import filter_bank
from tests import tolerances
from tests.exported import Exported, exported
from tests.tasks.transcribe.conftest import say, some_text

if backend().name == "torch":
    pytest.skip(backend().reason, allow_module_level=True)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050])
def test_frames_are_kaldis(rate: int) -> None:
    graph = FeatureGraph(rate, 40)
    for seed in range(5):
        samples = say(some_text(seed), seed, rate)
        expected = filter_bank(samples, rate, 40)
        found = graph(torch.from_numpy(samples)[None])[0].numpy()
        assert found.shape == expected.shape
        assert numpy.abs(found - expected).max() < tolerances.KALDI
    silence = numpy.zeros(rate // 4, numpy.float32)
    assert numpy.abs(graph(torch.from_numpy(silence)[None])[0].numpy() - filter_bank(silence, rate, 40)).max() < 1e-5


def answers(one: Exported, frames: list[Any]) -> list[Any]:
    """The network's own, each row cut at its end."""
    codec, net = one.estimator.codec, one.estimator.model
    rows = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(codec.normaliser(f)) for f in frames], batch_first=True)
    with torch.no_grad():
        answer, lengths = net(rows, torch.tensor([len(f) for f in frames]))
    return [row[:length].numpy() for row, length in zip(answer, lengths.tolist(), strict=True)]


@pytest.mark.parametrize("kind", ["transcribe", "transcribe-streaming"])
def test_a_hundred_recordings_in_batches_of_any_size(kind: str) -> None:
    one, rng, seen = exported(kind), numpy.random.default_rng(0), 0
    rate, bands = one.says["rate"], one.says["bands"]
    while seen < 100:
        frames = [
            filter_bank(say(some_text(s), s, rate), rate, bands) for s in rng.integers(200, 999, rng.integers(1, 9))
        ]
        seen += len(frames)
        batch = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(f) for f in frames], batch_first=True).numpy()
        found = one.run("model", frames=batch, lengths=numpy.array([len(f) for f in frames]))
        for row, steps, expected in zip(found["log_probabilities"], found["steps"], answers(one, frames), strict=True):
            assert steps == len(expected)
            assert numpy.abs(row[:steps] - expected).max() < tolerances.EXPORTED


@pytest.mark.parametrize("pieces", [1, 2, 5, 9])
def test_the_stream_is_the_whole(pieces: int) -> None:
    """Two rows of different lengths, `pieces` strides of frames at a time; the shorter ends first, then is silent."""
    one = exported("transcribe-streaming")
    rate, stride = one.says["rate"], one.says["stride"]
    frames = [filter_bank(say(text, 3, rate), rate, one.says["bands"]) for text in ("cad ab", "ab")]
    size, state, got = pieces * stride, one.state("stream", 2), [[], []]
    for start in range(0, len(frames[0]) + 1, size):
        batch = numpy.zeros((2, size, frames[0].shape[1]), numpy.float32)
        lengths = [len(f[start : start + size]) for f in frames]
        for row, f in enumerate(frames):
            batch[row, : lengths[row]] = f[start : start + size]
        last = numpy.array([start <= len(f) < start + size for f in frames])
        answer = one.run("stream", frames=batch, lengths=numpy.array(lengths), last=last, **state)
        state = one.carried("stream", answer)
        for row, f in enumerate(frames):
            if start <= len(f):
                got[row].append(answer["log_probabilities"][row, : answer["steps"][row]])
    for rows, expected in zip(got, answers(one, frames), strict=True):
        assert numpy.abs(numpy.concatenate(rows) - expected).max() < tolerances.EXPORTED


def test_both_directions_have_no_stream() -> None:
    one = exported("transcribe")
    assert set(one.says["graphs"]) == {"model", "features"}
    assert set(exported("transcribe-streaming").says["graphs"]) == {"model", "features", "stream"}
    assert [part.name for part in parts(one.estimator)[0]] == ["model", "features"]
