"""Search over a trained network: beams, prefixes, samples, copied words, attention, long lines."""

from __future__ import annotations

import math

import pytest
import torch

from gruworks import Translator
from gruworks.nn.decoding.beam_search import beam
from gruworks.nn.decoding.decoder import Ensemble
from gruworks.tasks.translate.config import Options
from gruworks.tasks.translate.data import padded
from gruworks.tasks.translate.decoding import (
    NetDecoder,
    attention,
    cut_line,
    exact,
    log_probability,
    search,
    spellable,
    with_copies,
)
from gruworks.tasks.translate.subwords import BEGIN, END, UNKNOWN, Subwords
from tests.tasks.translate.conftest import toy

LINES = ["eine kleine Katze singt .", "Hund rennt .", "eine große Frau schläft ."]


def ids(translator: Translator, lines: list[str]) -> list[list[int]]:
    assert translator.codec is not None
    return translator.codec.source.encode_all(lines)


def test_a_batch_gives_what_each_line_gives(trained: Translator) -> None:
    options = Options(beam_size=4, n_best=3)
    together = search(NetDecoder(trained.net), padded(ids(trained, LINES)), options)
    for line, found in zip(LINES, together, strict=True):
        (alone,) = search(NetDecoder(trained.net), padded(ids(trained, [line])), options)
        assert [one.tokens for one in found] == [one.tokens for one in alone]
        assert [one.score for one in found] == pytest.approx([one.score for one in alone], abs=1e-4)


def test_the_log_probability_is_that_of_the_whole_sentence(trained: Translator) -> None:
    source = ids(trained, LINES[:1])
    for found in search(NetDecoder(trained.net), padded(source), Options(beam_size=5, n_best=5, length_penalty=0.7))[0]:
        value = log_probability(trained.net, padded(source, [found.tokens]))
        assert found.log_probability == pytest.approx(float(value[0]), abs=1e-4)
        assert found.score == pytest.approx(found.log_probability / (len(found.tokens) + 1) ** 0.7, abs=1e-4)


def test_a_search_in_eight_bits_is_scored_exactly(trained: Translator) -> None:
    source = ids(trained, LINES)
    options = Options(beam_size=5, n_best=3)
    plain = search(NetDecoder(trained.net), padded(source), options)
    quick = search(NetDecoder(trained.net, eight_bits=True), padded(source), options)
    again = exact(trained.net, source, quick, length_penalty=1.0)
    for one, other in zip(plain, again, strict=True):
        assert one[0].tokens == other[0].tokens
        assert one[0].score == pytest.approx(other[0].score, abs=1e-5)
        assert [h.score for h in other] == sorted((h.score for h in other), reverse=True)


def test_a_beam_finds_nothing_less_likely_than_greedy(trained: Translator) -> None:
    batch = padded(ids(trained, LINES))
    greedy = search(NetDecoder(trained.net), batch, Options(beam_size=1, length_penalty=0.0))
    wide = search(NetDecoder(trained.net), batch, Options(beam_size=8, length_penalty=0.0))
    assert all(w[0].log_probability >= g[0].log_probability - 1e-5 for w, g in zip(wide, greedy, strict=True))


def test_a_forced_beginning_is_kept(trained: Translator) -> None:
    assert trained.codec is not None
    forced = trained.codec.target.encode("a big")
    for options in (Options(beam_size=3), Options(sample=True, n_best=2)):
        for found in search(NetDecoder(trained.net), padded(ids(trained, LINES)), options, forced):
            assert all(one.tokens[: len(forced)] == forced for one in found)


def test_samples_follow_the_model_and_the_seed(trained: Translator) -> None:
    batch = padded(ids(trained, LINES[:1]))
    options = Options(sample=True, n_best=200)
    found = [tuple(one.tokens) for one in search(NetDecoder(trained.net), batch, options)[0]]
    assert found == [tuple(one.tokens) for one in search(NetDecoder(trained.net), batch, options)[0]]
    best = search(NetDecoder(trained.net), batch, Options(beam_size=5, length_penalty=0.0))[0][0]
    share = found.count(tuple(best.tokens)) / len(found)
    assert share == pytest.approx(math.exp(best.log_probability), abs=0.15)


@torch.no_grad()
def test_memories_of_finished_sentences_leave(trained: Translator) -> None:
    decoder = NetDecoder(trained.net)
    batch = padded(ids(trained, [LINES[0], LINES[1]]))
    limits = torch.tensor([2, 40])
    beam(decoder, decoder.start(batch), torch.full((2,), BEGIN), END, limits, width=3)
    assert decoder.held.tolist() == [1]
    assert len(decoder.memory["keys"]) == 1


def test_rows_of_sentences_may_come_in_any_order_and_number(trained: Translator) -> None:
    decoder = NetDecoder(trained.net)
    batch = padded(ids(trained, LINES))
    state = decoder.start(batch)
    order = torch.tensor([2, 0, 0, 1])
    mixed = {name: value[order] for name, value in state.items()}
    answer, _ = decoder.step(torch.full((4,), BEGIN), mixed)
    single = NetDecoder(trained.net)
    whole, _ = single.step(torch.full((3,), BEGIN), single.start(batch))
    assert torch.allclose(answer, whole[order], atol=1e-5)


def test_an_ensemble_of_one_twice_is_that_one(trained: Translator) -> None:
    batch = padded(ids(trained, LINES))
    pair = Ensemble([NetDecoder(trained.net), NetDecoder(trained.net)])
    double = search(pair, [batch, batch], Options())
    single = search(NetDecoder(trained.net), batch, Options())
    assert [one[0].tokens for one in double] == [one[0].tokens for one in single]


def test_attention_looks_at_the_word_that_is_translated(trained: Translator) -> None:
    assert trained.codec is not None
    source, target = trained.codec.source.encode(LINES[0]), trained.codec.target.encode("a small cat sings .")
    weights = attention(trained.net, source, target)
    assert weights is not None
    assert weights.shape == (len(target) + 1, len(source) + 1)
    assert torch.allclose(weights.sum(1), torch.ones(len(weights)), atol=1e-5)


def test_unknown_symbols_become_the_word_they_look_at(trained: Translator) -> None:
    assert trained.codec is not None
    blank = trained.codec.target.encode("a")[0]
    line = "Ωμέγα rennt ."
    words = trained.codec.source.words_of(line)
    text = with_copies(trained.net, trained.codec, line, [blank, UNKNOWN, UNKNOWN])
    weights = attention(trained.net, trained.codec.source.encode(line), [blank, UNKNOWN, UNKNOWN])
    assert weights is not None
    assert text == "a" + words[int(weights[1, :-1].argmax())]
    assert with_copies(trained.net, trained.codec, line, [blank]) == "a"


def test_scripts_that_were_not_seen_are_told(trained: Translator) -> None:
    assert trained.codec is not None
    assert spellable(trained.codec.source, "Hund rennt Ω .")
    assert not spellable(trained.codec.source, "Ωμέγα γράμμα .")


@pytest.mark.parametrize(
    ("line", "longest"), [("der Hund. " * 100, 10), ("Hund " * 10_000, 100), ("x" * 500, 20), ("kurz", 4)]
)
def test_long_lines_are_cut_without_loss(line: str, longest: int) -> None:
    subwords = Subwords.learn(["der Hund. x", "kurz Hund x"] * 3)
    line = line.strip()
    pieces = cut_line(subwords, line, longest)
    assert "".join(pieces).replace(" ", "") == line.replace(" ", "")
    assert max(len(subwords.encode(piece)) for piece in pieces) <= longest + 1  # a piece may start with a blank more
    if "." in line:
        assert all(piece.endswith(".") for piece in pieces)
    else:
        assert len(pieces) <= 2 * len(subwords.encode(line)) / longest + 1


def test_many_rows_are_answered_as_few_are(trained: Translator) -> None:
    lines = [line for line, _ in toy(2)]
    decoder, single = NetDecoder(trained.net), NetDecoder(trained.net)
    state = decoder.start(padded(ids(trained, lines)))
    assert len(lines) > 50
    answer, _ = decoder.step(torch.full((len(lines),), BEGIN), state)
    for row in (0, 24, 48, len(lines) - 1):
        alone, _ = single.step(torch.tensor([BEGIN]), single.start(padded(ids(trained, [lines[row]]))))
        assert torch.allclose(answer[row], alone[0], atol=1e-5)
