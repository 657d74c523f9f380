"""Output tokens of the network: characters, words or subwords as numbers; 0 is CTC's blank."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from gruworks.errors import DataError, RunError, require
from gruworks.training.checked import choice, items, record, string

__all__ = ["ALPHABET", "BLANK", "Alphabet", "Word", "tidy"]

BLANK = 0
START_OF_WORD = "▁"
ALPHABET = record(
    token=choice("character", "word", "subword"),
    symbols=items(string(1000), least=1, most=1_000_000),
    merges=items(items(string(1000), 2, 2), most=1_000_000),
)


class Word(NamedTuple):
    """A word and where its symbols stand, from `first` up to but not including `end`."""

    text: str
    first: int
    end: int


def tidy(text: str, lower: bool) -> str:
    """One form of Unicode (NFC), single spaces, lower case if wished."""
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    return plain.lower() if lower else plain


class Alphabet:
    """Symbols by number, texts to numbers and back.

    >>> alphabet = Alphabet.of(["a cab"], "character")
    >>> alphabet.encode("cab"), alphabet.decode([4, 2, 3])
    ([4, 2, 3], 'cab')

    Args:
        token: "character" (the space among them), "word" or "subword". symbols: number 1 and so on; 0 is the blank.
        merges: the merges of subwords.
    """

    def __init__(self, token: str, symbols: Sequence[str], merges: Sequence[Sequence[str]] = ()) -> None:
        self.token, self.symbols, self.merges = token, list(symbols), [tuple(pair) for pair in merges]
        self.numbers = {symbol: number for number, symbol in enumerate(self.symbols, 1)}
        self._pairs = _pairs(self.numbers, self.merges) if token == "subword" else None

    @classmethod
    def of(cls, texts: Iterable[str], token: str, size: int = 200) -> Alphabet:
        """The symbols that `texts` need."""
        if token == "subword":
            return cls(token, *_learn_pairs(texts, size))
        parts = (text.split() if token == "word" else text for text in texts)
        return cls(token, sorted({symbol for part in parts for symbol in part}))

    def __len__(self) -> int:
        """V, the blank counted."""
        return len(self.symbols) + 1

    @property
    def space(self) -> int | None:
        """The number of the space between words; None where symbols are words or byte pairs."""
        return self.numbers.get(" ") if self.token == "character" else None

    def split(self, text: str) -> list[str]:
        """The symbols of a text, known or not."""
        if self._pairs is not None:
            return list(self._pairs.encode(text).tokens) if text else []
        return text.split() if self.token == "word" else list(text)

    def encode(self, text: str, where: str = "") -> list[int]:
        """A text's numbers. Raises DataError, naming `where`, for a symbol that isn't there."""
        unseen = self.unseen(text)
        if unseen:
            never = ", ".join(map(repr, unseen))
            raise DataError(f"{where or repr(text)}: {never} never came in the fit's transcripts")
        return [self.numbers[symbol] for symbol in self.split(text)]

    def unseen(self, text: str) -> list[str]:
        """The symbols of `text` that the fit's transcripts never had."""
        if self._pairs is not None:
            known = {character for symbol in self.symbols for character in symbol}
            return sorted({character for character in "".join(text.split()) if character not in known})
        return sorted({symbol for symbol in self.split(text) if symbol not in self.numbers})

    def decode(self, numbers: Iterable[int]) -> str:
        """The text of a sequence without blanks."""
        return " ".join(word.text for word in self.words(list(numbers)))

    def words(self, numbers: Sequence[int]) -> list[Word]:
        """The words of a sequence without blanks, each with its place in it."""
        symbols = [self.symbols[number - 1] for number in numbers]
        if self.token == "word":
            return [Word(symbol, place, place + 1) for place, symbol in enumerate(symbols)]
        words, first, text = [], 0, ""
        for place, symbol in enumerate([*symbols, " "]):
            begins = symbol.startswith(START_OF_WORD) if self.token == "subword" else False
            if symbol == " " or begins:
                if text:
                    words.append(Word(text, first, place))
                first, text = (place, symbol[1:]) if begins else (place + 1, "")
            else:
                text += symbol
        return words

    def to_dict(self) -> dict[str, Any]:
        return {"token": self.token, "symbols": self.symbols, "merges": [list(pair) for pair in self.merges]}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Alphabet:
        """The reverse of `to_dict`, for values that ALPHABET takes.

        Raises:
            RunError: symbols that stand twice, or that a merge of byte pairs has no number for.
        """
        symbols, known = values["symbols"], set(values["symbols"])
        if len(known) < len(symbols) or (values["token"] == "character" and any(len(one) != 1 for one in symbols)):
            raise RunError(
                "codec/codec.json: alphabet.symbols must be distinct, and characters where token is character"
            )
        if any(not {left, right, left + right} <= known for left, right in values["merges"]):
            raise RunError("codec/codec.json: alphabet.merges must join symbols to symbols")
        return cls(values["token"], symbols, values["merges"])


def _learn_pairs(texts: Iterable[str], size: int) -> tuple[list[str], list[tuple[str, str]]]:
    import json

    tokenizers = require("tokenizers", extra="transcribe")
    tokenizer = _tokenizer(tokenizers.models.BPE())
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=size, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return sorted(model["vocab"], key=model["vocab"].__getitem__), [tuple(pair) for pair in model["merges"]]


def _pairs(numbers: dict[str, int], merges: list[Any]) -> Any:
    models = require("tokenizers", extra="transcribe").models
    return _tokenizer(models.BPE({symbol: number - 1 for symbol, number in numbers.items()}, merges))


def _tokenizer(model: Any) -> Any:
    tokenizers = require("tokenizers", extra="transcribe")
    tokenizer = tokenizers.Tokenizer(model)
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace(START_OF_WORD)
    return tokenizer
