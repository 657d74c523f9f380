"""Symbols: texts to numbers and back, words in their places."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruworks.errors import DataError
from gruworks.tasks.transcribe.alphabet import Alphabet, tidy

TEXTS = ["a cab", "back a cab", "abba"]


@pytest.mark.parametrize("token", ["character", "word", "subword"])
@given(st.lists(st.sampled_from(" ".join(TEXTS).split()), max_size=5))
def test_what_is_encoded_comes_back(token: str, words: list[str]) -> None:
    alphabet = Alphabet.of(TEXTS, token, 12)
    alphabet = Alphabet.from_dict(alphabet.to_dict())
    text = " ".join(words)
    numbers = alphabet.encode(text)
    assert 0 not in numbers
    assert all(0 < number < len(alphabet) for number in numbers)
    assert alphabet.decode(numbers) == text
    found = alphabet.words(numbers)
    assert [word.text for word in found] == words
    assert [alphabet.decode(numbers[word.first : word.end]) for word in found] == words


def test_spaces_too_many_are_none() -> None:
    alphabet = Alphabet.of(TEXTS, "character")
    space, a = alphabet.numbers[" "], alphabet.numbers["a"]
    assert alphabet.decode([space, a, space, space, a, space]) == "a a"
    assert alphabet.decode([space]) == alphabet.decode([]) == ""


@pytest.mark.parametrize(("token", "unseen"), [("character", "'x'"), ("word", "'xa'"), ("subword", "'x'")])
def test_what_was_never_seen_is_named(token: str, unseen: str) -> None:
    alphabet = Alphabet.of(TEXTS, token, 12)
    with pytest.raises(DataError, match=f"line 3: {unseen} not in the vocabulary of the training transcripts"):
        alphabet.encode("a xa", "line 3")


def test_byte_pairs_are_fewer_than_characters() -> None:
    texts = ["seven eleven seventy"] * 5
    pairs, characters = (Alphabet.of(texts, token, 20) for token in ("subword", "character"))
    assert len(pairs) <= 21
    assert len(pairs.encode(texts[0])) < len(characters.encode(texts[0]))


def test_one_form_of_a_text() -> None:
    assert tidy("  Cafe\u0301\tNOIR \n", lower=True) == "café noir"
    assert tidy("  Ja ", lower=False) == "Ja"
