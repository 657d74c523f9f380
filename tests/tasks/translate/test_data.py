"""Dirty pairs are dropped by rule and counted; batches hold every pair once, by length, and follow the seed."""

from __future__ import annotations

import itertools

import numpy
import pytest
import torch

from gruworks.errors import DataError
from gruworks.tasks.translate.config import Config
from gruworks.tasks.translate.data import Batches, Codec, clean, cut, padded, split, validation_batches
from gruworks.tasks.translate.reading import Pairs, read
from gruworks.tasks.translate.subwords import BEGIN, END, PAD
from tests.tasks.translate.conftest import TINY, toy

CONFIG = Config.from_flat(TINY)


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    return read(toy())


@pytest.fixture(scope="module")
def codec(pairs: Pairs) -> Codec:
    return Codec.of(pairs, CONFIG)


def test_dirty_pairs_are_dropped_and_counted(pairs: Pairs, codec: Codec) -> None:
    dirty = [
        ("", "a dog"),
        ("Hund", " "),
        ("Hund " * 10_000, "dog"),
        ("Hund " * 150, "dog " * 150),
        ("Hund", "dog " * 50),
        ("Hund " * 50, "dog"),
    ]
    kept, dropped = clean(read([*toy(), *dirty]), codec, CONFIG)
    assert (kept.sources, kept.targets) == (pairs.sources, pairs.targets)
    assert (dropped.empty, dropped.long, dropped.ratio, dropped.total) == (2, 2, 2, 6)
    assert str(dropped) == (
        f"dropped 6 of {len(pairs) + 6} pairs: 2 with an empty side, 2 too long, 2 with lengths out of ratio"
    )
    assert str(clean(pairs, codec, CONFIG)[1]) == ""


def test_nothing_left_is_an_error(codec: Codec) -> None:
    with pytest.raises(DataError, match="none has text on both sides"):
        Codec.of(read([("", "a"), ("b", "")]), CONFIG)
    with pytest.raises(DataError, match="no pair is left to learn from; dropped 1 of 1 pairs: 1 too long"):
        clean(read([("Hund " * 200, "dog")]), codec, CONFIG)


def test_separate_vocabularies_know_their_side_only(pairs: Pairs, codec: Codec) -> None:
    apart = Codec.of(pairs, Config.from_flat(TINY | {"shared": False}))
    assert codec.shared
    assert not apart.shared
    assert "▁Katze" not in apart.target.symbols(range(len(apart.target)))
    again = Codec.from_dict(apart.to_dict(), apart.profile)
    assert again.target.encode("a dog") == apart.target.encode("a dog")
    with pytest.raises(ValueError, match="profile must be integers"):
        Codec.from_dict(apart.to_dict(), apart.profile[:, 1:])


def test_the_codec_tells_the_languages_apart(codec: Codec) -> None:
    assert codec.leaning(["eine kleine Katze schläft ."]) > 0.5
    assert codec.leaning(["a small cat sleeps ."]) < -0.5
    assert codec.leaning([]) == 0.0


def test_a_split_keeps_a_source_on_one_side(pairs: Pairs) -> None:
    train, held = split(pairs, 0.2, seed=0)
    assert len(set(held.sources)) == round(0.2 * len(set(pairs.sources)))
    assert not set(train.sources) & set(held.sources)
    assert len(train) + len(held) == len(pairs)
    assert split(pairs, 0.2, seed=0)[1].sources == held.sources
    assert split(pairs, 0.2, seed=1)[1].sources != held.sources
    with pytest.raises(DataError, match="at least two different source sentences, got 1"):
        split(read([("a", "b"), ("a", "c")]), 0.5, 0)


def test_a_pass_holds_every_pair_once(pairs: Pairs, codec: Codec) -> None:
    batches = Batches(pairs, codec, CONFIG)
    batches.draw(0, 0)
    rows = numpy.concatenate(batches.passes[0])
    assert sorted(rows.tolist()) == list(range(len(pairs)))
    spread = [numpy.ptp(batches.lengths[rows, 1]) for rows in batches.passes[0]]
    assert numpy.mean(spread) < numpy.ptp(batches.lengths[:, 1]) / 2
    assert max(map(len, batches.passes[0])) <= CONFIG.training.batch_size


def test_batches_are_a_function_of_seed_epoch_and_index(pairs: Pairs, codec: Codec) -> None:
    one, other = Batches(pairs, codec, CONFIG), Batches(pairs, codec, CONFIG)
    places = list(itertools.product(range(2), range(3)))
    expected = {place: one.draw(*place) for place in places}
    for place in reversed(places):  # in any order
        assert all(torch.equal(value, expected[place][name]) for name, value in other.draw(*place).items())
    seeded = Batches(pairs, codec, Config.from_flat(TINY | {"seed": 1})).draw(0, 0)
    assert seeded["source"].shape != expected[0, 0]["source"].shape or not torch.equal(
        seeded["source"], expected[0, 0]["source"]
    )


def test_the_passes_go_on_where_the_last_one_ends(pairs: Pairs, codec: Codec) -> None:
    batches = Batches(pairs, codec, CONFIG)
    count = len(batches.passes[0]) if batches.passes else len(batches._pass(0))
    for index in range(count + 1):
        batches.draw(0, index)
    assert len(batches.passes) == 2
    assert [list(rows) for rows in batches.passes[0]] != [list(rows) for rows in batches.passes[1]]


def test_cut_keeps_to_rows_and_tokens() -> None:
    lengths = numpy.array([1, 2, 3, 4, 50])
    pieces = cut(numpy.arange(5), lengths, tokens=8, rows=2)
    assert [piece.tolist() for piece in pieces] == [[0, 1], [2, 3], [4]]


def test_validation_batches_are_spelt_the_usual_way(pairs: Pairs, codec: Codec) -> None:
    found = validation_batches(pairs, codec, CONFIG)
    rows = [row[row != PAD].tolist() for batch in found for row in batch["target"]]
    assert sorted(rows) == sorted([BEGIN, *ids, END] for ids in codec.target.encode_all(pairs.targets))


def test_padding_and_ends() -> None:
    batch = padded([[5], [6, 7]], [[8, 9], []])
    assert batch["source"].tolist() == [[5, END, PAD], [6, 7, END]]
    assert batch["source_lengths"].tolist() == [2, 3]
    assert batch["target"].tolist() == [[BEGIN, 8, 9, END], [BEGIN, END, PAD, PAD]]
