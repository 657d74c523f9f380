"""Subwords: there and back, size by corpus, what can't be spelt, BPE-dropout by seed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruworks.errors import RunError
from gruworks.tasks.translate.reading import normal
from gruworks.tasks.translate.subwords import BEGIN, END, PAD, SUBWORDS, UNKNOWN, Dropout, Subwords, vocabulary_size

TEXTS = [
    "der Hund , der ( gestern ) schlief .",
    "Der Mann, der $5 hat, kauft <b> & mehr!",
    "don't stop 我喜欢狗，不是猫。",
] * 3


@pytest.fixture(scope="module")
def subwords() -> Subwords:
    return Subwords.learn(TEXTS)


@pytest.mark.parametrize("text", TEXTS[:3])
def test_text_comes_back(subwords: Subwords, text: str) -> None:
    assert subwords.decode(subwords.encode(text)) == text
    assert subwords.encode_all([text, text]) == [subwords.encode(text)] * 2


@given(st.text(alphabet="derHunMa ,.(我狗", max_size=30))
def test_any_text_of_the_alphabet_comes_back(text: str) -> None:
    assert LEARNT.decode(LEARNT.encode(normal(text))) == normal(text)


LEARNT = Subwords.learn(TEXTS)


def test_a_tokenised_mark_takes_one_subword(subwords: Subwords) -> None:
    assert subwords.pieces("Hund , ( 狗。") == ["▁Hund", "▁,", "▁(", "▁狗", "。"]


def test_lower_case_is_part_of_the_vocabulary() -> None:
    lower = Subwords.learn(TEXTS, lowercase=True)
    assert lower.encode("DER HUND") == lower.encode("der hund")
    assert lower.decode(lower.encode("DER HUND")) == "der hund"


def test_what_cannot_be_spelt_is_unknown(subwords: Subwords) -> None:
    assert UNKNOWN in subwords.encode("Ω")
    assert subwords.decode(subwords.encode("der Ω")) == "der <unk>"
    assert UNKNOWN in Subwords.learn(["ab ab abq"] * 1).encode("q")  # seen once only


def test_special_symbols_in_a_text_are_text(subwords: Subwords) -> None:
    assert not {PAD, BEGIN, END} & set(subwords.encode("<pad> <s> </s>"))


def test_the_size_grows_as_the_root_of_the_corpus() -> None:
    assert len(Subwords.learn(TEXTS)) <= vocabulary_size(TEXTS)
    small, large = vocabulary_size(["ab " * 1000]), vocabulary_size(["ab " * 4000])
    assert (large - 7) == pytest.approx(2 * (small - 7), abs=1)  # four special symbols, a, b and the blank
    assert len(Subwords.learn(TEXTS, size=60)) == 60


def test_it_goes_through_json(subwords: Subwords) -> None:
    again = Subwords.from_dict(subwords.to_dict())
    assert again.encode(TEXTS[0] + " <s>") == subwords.encode(TEXTS[0] + " <s>")
    values = subwords.to_dict()
    SUBWORDS(values, "")
    vocabulary = values["model"]["vocab"]
    for model, message in (
        ({"vocab": vocabulary | {"<pad>": 1}}, "must number its subwords from 0, each once"),
        ({"vocab": vocabulary | {"<pad>": 1, "<unk>": 0}}, "must begin with <pad>, <unk>, <s>, </s>"),
        ({"merges": [["a", "never"]]}, "merges must join subwords to subwords"),
    ):
        with pytest.raises(RunError, match=message):
            Subwords.from_dict(values | {"model": values["model"] | model})


def test_each_subword_knows_its_word(subwords: Subwords) -> None:
    text = "der Ωμ, Mann"
    words = subwords.words_of(text)
    assert list(dict.fromkeys(words)) == ["der", "Ωμ,", "Mann"]
    assert len(words) == len(subwords.encode(text))


def test_without_dropout_the_spelling_is_the_tokenizers(subwords: Subwords) -> None:
    plain = Dropout(subwords, 0.0, seed=0)
    for text in [*TEXTS[:3], "Hund Ωμ der"]:
        assert plain.spell(plain.words(text), random.Random(0)) == subwords.encode(text)


def test_dropout_spells_anew_by_the_seed(subwords: Subwords) -> None:
    text = TEXTS[0]
    dropout = Dropout(subwords, 0.5, seed=1)
    rng = random.Random(2)
    spelt = [dropout.spell(dropout.words(text), rng) for _ in range(20)]
    assert len({tuple(ids) for ids in spelt}) > 5
    assert {subwords.decode(ids) for ids in spelt} == {text}
    assert min(map(len, spelt)) >= len(subwords.encode(text))
    again, rng = Dropout(subwords, 0.5, seed=1), random.Random(2)
    again.words(TEXTS[1])  # the order in which words are met is nothing to it
    assert [again.spell(again.words(text), rng) for _ in range(20)] == spelt
    other = Dropout(subwords, 0.5, seed=3)
    rng = random.Random(2)
    assert [other.spell(other.words(text), rng) for _ in range(20)] != spelt


def test_an_unknown_character_of_a_script_without_blanks_is_copied_alone() -> None:
    subwords = Subwords.learn(["我们的猫", "你们的猫"] * 3)
    line = "我们的龘猫"
    words = subwords.words_of(line)
    assert words[subwords.encode(line).index(UNKNOWN)] == "龘"
