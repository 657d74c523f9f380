"""Output tokens of the network: characters, words or subwords and their numbers; 0 is the CTC blank."""

from __future__ import annotations

import json
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
    """A word and the range of its tokens, `first` to `end` - 1."""

    text: str
    first: int
    end: int


def tidy(text: str, lower: bool) -> str:
    """Normalize a transcript: Unicode NFC, single spaces and, if `lower`, lower case."""
    plain = " ".join(unicodedata.normalize("NFC", text).split())
    return plain.lower() if lower else plain


class Alphabet:
    """Vocabulary of the output tokens; encoding and decoding of texts.

    >>> alphabet = Alphabet.of(["a cab"], "character")
    >>> alphabet.encode("cab"), alphabet.decode([4, 2, 3])
    ([4, 2, 3], 'cab')

    Args:
        token: "character" (including the space), "word" or "subword".
        symbols: the tokens, numbered from 1.
        merges: the BPE merges of subword tokens.
    """

    def __init__(self, token: str, symbols: Sequence[str], merges: Sequence[Sequence[str]] = ()) -> None:
        self.token, self.symbols, self.merges = token, list(symbols), [tuple(pair) for pair in merges]
        self.numbers = {symbol: number for number, symbol in enumerate(self.symbols, 1)}
        vocabulary = {symbol: number - 1 for symbol, number in self.numbers.items()}
        self._bpe = _tokenizer(vocabulary, self.merges) if token == "subword" else None

    @classmethod
    def of(cls, texts: Iterable[str], token: str, size: int = 200) -> Alphabet:
        """Build the vocabulary of `texts`; `size` is the vocabulary size of subwords."""
        if token == "subword":
            return cls(token, *_learn_bpe(texts, size))
        parts = (text.split() if token == "word" else text for text in texts)
        return cls(token, sorted({symbol for part in parts for symbol in part}))

    def grown(self, texts: Iterable[str]) -> Alphabet:
        """This alphabet, and after its tokens those of `texts` that it lacks; of subwords, the characters."""
        new = sorted({symbol for text in texts for symbol in self.unseen(text)})
        return Alphabet(self.token, [*self.symbols, *new], self.merges)

    def __len__(self) -> int:
        """Vocabulary size V, including the blank."""
        return len(self.symbols) + 1

    @property
    def space(self) -> int | None:
        """The number of the space; None if there is none or tokens are words or subwords."""
        return self.numbers.get(" ") if self.token == "character" else None

    def split(self, text: str) -> list[str]:
        """Split a text into tokens, including unknown ones."""
        if self._bpe is not None:
            return list(self._bpe.encode(text).tokens) if text else []
        return text.split() if self.token == "word" else list(text)

    def encode(self, text: str, where: str = "") -> list[int]:
        """Encode a text as token numbers.

        Raises:
            DataError: an unknown token; the message begins with `where`, or with the text.
        """
        unseen = ", ".join(map(repr, self.unseen(text)))
        if unseen:
            raise DataError(f"{where or repr(text)}: {unseen} not in the vocabulary of the training transcripts")
        return [self.numbers[symbol] for symbol in self.split(text)]

    def unseen(self, text: str) -> list[str]:
        """The tokens (of subwords: characters) of `text` that are not in the vocabulary, sorted."""
        if self._bpe is not None:
            known = {character for symbol in self.symbols for character in symbol}
            return sorted({character for character in "".join(text.split()) if character not in known})
        return sorted({symbol for symbol in self.split(text) if symbol not in self.numbers})

    def decode(self, numbers: Iterable[int]) -> str:
        """Decode token numbers without blanks to a text."""
        return " ".join(word.text for word in self.words(list(numbers)))

    def words(self, numbers: Sequence[int]) -> list[Word]:
        """Split token numbers without blanks into words."""
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
        """Build an alphabet from the values of `to_dict`, already checked by ALPHABET.

        Raises:
            RunError: repeated symbols, or merges of unknown symbols.
        """
        symbols, known = values["symbols"], set(values["symbols"])
        if len(known) < len(symbols) or (values["token"] == "character" and any(len(one) != 1 for one in symbols)):
            raise RunError("codec/codec.json: alphabet.symbols must be distinct, and characters if token is character")
        if any(not {left, right, left + right} <= known for left, right in values["merges"]):
            raise RunError("codec/codec.json: alphabet.merges must join symbols to symbols")
        return cls(values["token"], symbols, values["merges"])


def _learn_bpe(texts: Iterable[str], size: int) -> tuple[list[str], list[tuple[str, str]]]:
    """Train BPE on texts: the tokens in order of their numbers, and the merges."""
    tokenizer = _tokenizer()
    trainer = require("tokenizers", extra="transcribe").trainers.BpeTrainer(vocab_size=size, show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return sorted(model["vocab"], key=model["vocab"].__getitem__), [tuple(pair) for pair in model["merges"]]


def _tokenizer(*vocabulary_and_merges: Any) -> Any:
    tokenizers = require("tokenizers", extra="transcribe")
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE(*vocabulary_and_merges))
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Metaspace(START_OF_WORD)
    return tokenizer
