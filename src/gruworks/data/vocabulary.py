"""Vocabularies: encoding of characters, bytes or subwords as token ids, and decoding."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy
from numpy.typing import NDArray

from gruworks.data.reading import mended
from gruworks.errors import DataError, require
from gruworks.files import read_json

__all__ = ["BEGIN", "END", "SPECIALS", "TITLE", "UNKNOWN", "Token", "Vocabulary"]

Token = Literal["character", "byte", "subword"]
Ids = NDArray[numpy.int64]

UNKNOWN, BEGIN, TITLE, END = range(4)  # TITLE ends a title
SPECIALS = ("<unknown>", "<begin>", "<title>", "<end>")


class Vocabulary:
    """Tokens by id: the four SPECIALS, then characters, bytes or subwords, the most frequent ones first.

    >>> vocabulary = Vocabulary.of(["abba b"])
    >>> vocabulary.encode("bax").tolist(), vocabulary.decode([4, 5])
    ([4, 5, 0], 'ba')

    `counts` are the frequencies of the tokens in the training text, with those of all rare tokens at UNKNOWN.
    """

    def __init__(self, token: Token, symbols: Sequence[str], counts: Sequence[int], merges: str | None = None) -> None:
        self.token, self.symbols, self.counts, self.merges = token, tuple(symbols), tuple(counts), merges
        if self.symbols[: len(SPECIALS)] != SPECIALS or len(self.symbols) != len(self.counts):
            raise ValueError(f"a vocabulary begins with {SPECIALS} and has a count for each token")
        self._numbers = {symbol: number for number, symbol in enumerate(self.symbols)}
        self._tokenizer = None if merges is None else _restored(self.symbols, merges)

    @classmethod
    def of(cls, texts: Iterable[str], token: Token = "character", min_count: int = 1, size: int = 1000) -> Vocabulary:
        """Build the vocabulary of `texts`.

        Args:
            token: kind of the tokens.
            min_count: least frequency of a character; rarer ones become UNKNOWN.
            size: vocabulary size of subwords (byte-level BPE).

        Raises:
            DataError: no character has the least frequency.
        """
        if token == "byte":
            seen = Counter(byte for text in texts for byte in mended(text).encode())
            return cls(token, [*SPECIALS, *map(_byte, range(256))], [0] * 4 + [seen[byte] for byte in range(256)])
        if token == "subword":
            return cls._bpe(list(map(mended, texts)), size)
        found: Counter[str] = Counter()
        for text in texts:
            found.update(text)
        kept = sorted((one for one in found.items() if one[1] >= min_count), key=lambda one: (-one[1], one[0]))
        if not kept:
            told = f"no character occurs {min_count} times or more in the text of {found.total()} characters"
            raise DataError(f"{told}: lower min_count, or give a longer text")
        left_out = found.total() - sum(count for _, count in kept)
        return cls(token, [*SPECIALS, *(c for c, _ in kept)], [left_out, 0, 0, 0, *(count for _, count in kept)])

    @classmethod
    def _bpe(cls, texts: list[str], size: int) -> Vocabulary:
        library = _tokenizers()
        tokenizer = _byte_level(library.models.BPE())
        trainer = library.trainers.BpeTrainer(
            vocab_size=size, special_tokens=list(SPECIALS), show_progress=False,
            initial_alphabet=sorted(library.pre_tokenizers.ByteLevel.alphabet()),
        )  # fmt: skip
        tokenizer.train_from_iterator(texts, trainer)
        seen = Counter(number for one in tokenizer.encode_batch(texts, add_special_tokens=False) for number in one.ids)
        symbols = [tokenizer.id_to_token(number) for number in range(tokenizer.get_vocab_size())]
        return cls("subword", symbols, [seen[number] for number in range(len(symbols))], tokenizer.to_str())

    def grown(self, texts: Sequence[str], min_count: int = 1) -> Vocabulary:
        """This vocabulary, and after its tokens the characters of `texts` that it lacks; bytes and subwords lack none.

        Args:
            min_count: least frequency of a new character.
        """
        if self.token != "character":
            return self
        found: Counter[str] = Counter()
        for text in texts:
            found.update(text)
        counts = [count + found.pop(symbol, 0) for symbol, count in zip(self.symbols, self.counts, strict=True)]
        new = {character: count for character, count in found.most_common() if count >= min_count}
        counts[UNKNOWN] += found.total() - sum(new.values())
        return Vocabulary(self.token, [*self.symbols, *new], [*counts, *new.values()])

    def __len__(self) -> int:
        return len(self.symbols)

    def encode(self, text: str) -> Ids:
        """Token ids of a text; characters that aren't in the vocabulary are UNKNOWN."""
        text = mended(text)
        if self._tokenizer is not None:
            return numpy.asarray(self._tokenizer.encode(text, add_special_tokens=False).ids, numpy.int64)
        if self.token == "byte":
            return numpy.frombuffer(text.encode(), numpy.uint8).astype(numpy.int64) + len(SPECIALS)
        get = self._numbers.get
        return numpy.fromiter((get(c, UNKNOWN) for c in text), numpy.int64, len(text))

    def decode(self, numbers: Iterable[int]) -> str:
        """Text of token ids, without special tokens; invalid UTF-8 becomes U+FFFD."""
        kept = [int(number) for number in numbers if number >= len(SPECIALS)]
        if self._tokenizer is not None:
            return str(self._tokenizer.decode(kept))
        if self.token == "byte":
            return bytes(number - len(SPECIALS) for number in kept).decode("utf-8", "replace")
        return "".join(self.symbols[number] for number in kept)

    def unknown(self, text: str) -> str:
        """Distinct characters of `text` that aren't in the vocabulary, in order."""
        if self.token != "character":
            return ""
        return "".join(dict.fromkeys(c for c in text if c not in self._numbers))

    def to_dict(self) -> dict[str, Any]:
        """Plain values for a JSON file."""
        values = {"token": self.token, "symbols": list(self.symbols), "counts": list(self.counts)}
        return values if self.merges is None else values | {"merges": self.merges}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Vocabulary:
        """The vocabulary of the values of `to_dict`."""
        return cls(values["token"], values["symbols"], values["counts"], values.get("merges"))


def _byte_level(model: Any) -> Any:
    library = _tokenizers()
    tokenizer = library.Tokenizer(model)
    tokenizer.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = library.decoders.ByteLevel()
    return tokenizer


def _restored(symbols: Sequence[str], merges: str) -> Any:
    """The tokenizer of `_bpe` from the merges in its JSON."""
    pairs = read_json(merges.encode(), name="merges", error=DataError)["model"]["merges"]
    model = _tokenizers().models.BPE({symbol: number for number, symbol in enumerate(symbols)}, list(map(tuple, pairs)))
    tokenizer = _byte_level(model)
    tokenizer.add_special_tokens(list(SPECIALS))
    return tokenizer


def _byte(number: int) -> str:
    return f"0x{number:02x}"


def _tokenizers() -> Any:
    return require("tokenizers", extra="generate")
