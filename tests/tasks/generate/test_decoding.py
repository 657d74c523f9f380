"""Pieces of text, stop strings, the decoder's start, and reading in chunks."""

from __future__ import annotations

import numpy
import pytest
import torch

from gruworks.data.text import Document
from gruworks.data.vocabulary import Vocabulary
from gruworks.tasks.generate import decoding
from gruworks.tasks.generate.config import Config
from gruworks.tasks.generate.data import Codec
from gruworks.tasks.generate.decoding import NetDecoder, Pieces, log_probabilities
from gruworks.tasks.generate.model import LanguageNet


def written(text: str, token: str = "character", stop: str | None = None) -> list[str]:
    codec = Codec.of([Document(text)], Config.from_flat({"token": token, "vocabulary_size": 300}))
    pieces = Pieces(codec, stop)
    shown = []
    for number in codec.vocabulary.encode(text):
        shown.append(pieces.add(int(number)))
        if pieces.done:
            break
    return [*shown, pieces.rest()]


@pytest.mark.parametrize("token", ["character", "byte", "subword"])
def test_pieces_are_the_text(token: str) -> None:
    text = "ab 红楼 cd\nab 红"
    shown = written(text, token)
    assert "".join(shown) == text
    assert not any("�" in piece for piece in shown)


def test_bytes_that_never_make_a_character_are_shown_in_the_end() -> None:
    pieces = Pieces(Codec(Vocabulary.of([""], "byte"), apart=False, many=False))
    assert "".join(pieces.add(4 + 0xE7) for _ in range(8)) == "�" * 8


def test_text_ends_before_the_stop_text() -> None:
    assert "".join(written("one\ntwo\n\nthree", stop="\n\n")) == "one\ntwo"
    assert written("aab", stop="ab") == ["", "a", "", ""]
    assert "".join(written("one\ntwo\n", stop="\n\n")) == "one\ntwo\n"


@torch.no_grad()
def test_reading_in_chunks_is_reading_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    net, read = LanguageNet(7, 8).eval(), numpy.random.default_rng(0).integers(0, 7, 23)
    features, _ = net(torch.from_numpy(read[:-1, None]))
    expected = net.scores(features[:, 0]).log_softmax(1).gather(1, torch.from_numpy(read[1:, None]))[:, 0]
    for chunk in (512, 5):
        monkeypatch.setattr(decoding, "CHUNK", chunk)
        torch.testing.assert_close(torch.from_numpy(log_probabilities(net, read)), expected)
        state = NetDecoder(net).start(torch.from_numpy(read))
        torch.testing.assert_close(state, net(torch.from_numpy(read[:-1, None]))[1])
    assert len(log_probabilities(net, read[:1])) == 0


def test_banned_symbols_are_never_written() -> None:
    torch.manual_seed(0)
    decoder = NetDecoder(LanguageNet(7, 8), banned=[0, 3])
    answer, _ = decoder.step(torch.tensor([1, 2]), decoder.model.empty(2))
    assert (answer[:, [0, 3]] == -torch.inf).all()
    assert answer.exp().sum(1).tolist() == pytest.approx([1, 1])


@pytest.mark.parametrize("between", ["none", "convolution", "attention"])
def test_a_text_may_begin_with_nothing_read(between: str) -> None:
    """A context of one symbol leaves none to be read before the first step."""
    net = LanguageNet(7, 8, 2, between=between, heads=2)  # type: ignore[arg-type]
    state = NetDecoder(net).start(torch.tensor([3]))
    assert all(bool((state[name] == value).all()) for name, value in net.empty(1).items())
