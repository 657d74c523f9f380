"""Subword vocabulary: byte pair encoding by `tokenizers`, a default size by corpus, and seeded BPE-dropout."""

from __future__ import annotations

import itertools
import json
import math
import random
import unicodedata
from collections import Counter
from collections.abc import Sequence
from typing import Any

import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, trainers

from gruworks.errors import RunError
from gruworks.tasks.translate.sentences import without_blanks
from gruworks.training.checked import items, mapping, named, string, value, whole

__all__ = ["BEGIN", "END", "PAD", "SUBWORDS", "UNKNOWN", "Dropout", "Subwords", "vocabulary_size"]

SPECIAL = ("<pad>", "<unk>", "<s>", "</s>")
PAD, UNKNOWN, BEGIN, END = range(4)
BLANK = "▁"  # begins each word, in place of a blank
# Punctuation and a blank before it are one piece, so that tokenized text has no more subwords than raw text.
PUNCTUATION = tokenizers.Regex(BLANK + r"?[\p{P}\p{S}&&[^" + BLANK + "]]")
LARGEST = 32_000

_MODEL = named(
    {"vocab": mapping(whole(0, 1_000_000)), "merges": items(items(string(1000), 2, 2), most=1_000_000)}, others=True
)
SUBWORDS = named({"normalizer": value, "model": _MODEL}, others=True)


def vocabulary_size(texts: Sequence[str]) -> int:
    """Default vocabulary size of a corpus: its alphabet, and four merges times the square root of its characters.

    This gives about 8,200 for 29,000 image captions and their translations, and 2,400 for 2,000 of them.
    """
    counts = _characters(texts)
    merges = round(4 * math.sqrt(sum(counts.values())))
    return min(LARGEST, len(SPECIAL) + len(_alphabet(counts)) + merges)


class Subwords:
    """A BPE vocabulary learnt from texts; characters that it lacks become UNKNOWN.

    >>> subwords = Subwords.learn(["der Mann", "der Hund", "dem Mann"] * 2)
    >>> subwords.decode(subwords.encode("der Mann")), len(subwords.encode("Ωμέγα"))
    ('der Mann', 6)
    """

    def __init__(self, tokenizer: tokenizers.Tokenizer) -> None:
        self.tokenizer = tokenizer
        tokenizer.encode_special_tokens = True  # "</s>" in a user's text is three characters, not the end

    @classmethod
    def learn(cls, texts: Sequence[str], size: int = 0, lowercase: bool = False) -> Subwords:
        """Learn BPE from `texts`, without the characters that occur only once.

        Args:
            size: vocabulary size; 0: `vocabulary_size(texts)`. lowercase: lower-case every text first.
        """
        if lowercase:
            texts = [text.lower() for text in texts]
        tokenizer = _tokenizer(models.BPE(unk_token=SPECIAL[UNKNOWN]), lowercase)
        trainer = trainers.BpeTrainer(
            vocab_size=size or vocabulary_size(texts),
            special_tokens=list(SPECIAL),
            min_frequency=2,
            limit_alphabet=len({BLANK, *_alphabet(_characters(texts))}),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer)

    def grown(self, texts: Sequence[str]) -> Subwords:
        """This vocabulary, and after its subwords the characters of `texts` that it lacks and that occur twice."""
        values = self.to_dict()
        normal = [self.tokenizer.normalizer.normalize_str(text) for text in texts]
        vocabulary = values["model"]["vocab"]
        for character in sorted({*_alphabet(_characters(normal))} - vocabulary.keys()):
            vocabulary[character] = len(vocabulary)
        return Subwords.from_dict(values)

    def __len__(self) -> int:
        return int(self.tokenizer.get_vocab_size())

    def encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        return [list(one.ids) for one in self.tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def decode(self, ids: Sequence[int]) -> str:
        """Detokenize `ids`: UNKNOWN becomes "<unk>", the other special tokens are left out."""
        kept = [i for i in ids if i not in (PAD, BEGIN, END)]
        return str(self.tokenizer.decode(kept, skip_special_tokens=False)).strip()

    def symbols(self, ids: Sequence[int]) -> list[str]:
        """The subwords as the vocabulary lists them, with ▁ at the beginning of a word."""
        return [str(self.tokenizer.id_to_token(i)) for i in ids]

    def words_of(self, text: str) -> list[str]:
        """For each subword of `text`, the word that contains it: up to blanks, or itself in a script without blanks."""
        found = []
        for start, end in self.tokenizer.encode(text, add_special_tokens=False).offsets:
            inside = end - len(text[start:end].lstrip())
            word = text[text.rfind(" ", 0, inside) + 1 :].partition(" ")[0]
            found.append(text[start:end].strip() or word if without_blanks(word) else word)
        return found

    def pieces(self, text: str) -> list[str]:
        """Pre-tokenize `text` into the pieces that BPE merges within: words with their ▁, and punctuation."""
        normal = self.tokenizer.normalizer.normalize_str(text)
        return [piece for piece, _ in self.tokenizer.pre_tokenizer.pre_tokenize_str(normal)]

    def to_dict(self) -> dict[str, Any]:
        return dict(json.loads(self.tokenizer.to_str()))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Subwords:
        """Restore a vocabulary from the values of `to_dict`, which SUBWORDS has checked.

        Raises:
            RunError: the numbers of the subwords are not 0 to V - 1, or a merge has subwords without a number.
        """
        model = values["model"]
        vocabulary, normalizer = model["vocab"], json.dumps(values["normalizer"])
        if sorted(vocabulary.values()) != list(range(len(vocabulary))):
            raise RunError("codec/codec.json: model.vocab must number its subwords from 0, each once")
        if [vocabulary.get(one) for one in SPECIAL] != list(range(len(SPECIAL))):
            raise RunError(f"codec/codec.json: model.vocab must begin with {', '.join(SPECIAL)}")
        if any(not {left, right, left + right} <= vocabulary.keys() for left, right in model["merges"]):
            raise RunError("codec/codec.json: model.merges must join subwords to subwords")
        bpe = models.BPE(vocabulary, [(left, right) for left, right in model["merges"]], unk_token=SPECIAL[UNKNOWN])
        tokenizer = _tokenizer(bpe, lowercase='"Lowercase"' in normalizer)
        tokenizer.add_special_tokens(list(SPECIAL))
        return cls(tokenizer)


def _tokenizer(model: Any, lowercase: bool) -> tokenizers.Tokenizer:
    tokenizer = tokenizers.Tokenizer(model)
    steps = [normalizers.NFC(), *([normalizers.Lowercase()] if lowercase else [])]
    tokenizer.normalizer = normalizers.Sequence(steps)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(BLANK), pre_tokenizers.Split(PUNCTUATION, "isolated")]
    )
    tokenizer.decoder = decoders.Metaspace(BLANK)
    return tokenizer


class Dropout:
    """BPE-dropout (Provilkov et al. 2020): at every step each possible merge is left out with probability `share`.

    The BPE-dropout of `tokenizers` can't be seeded. Here `variants` segmentations of each distinct word are sampled
    once, from the seed; texts choose among them.
    """

    def __init__(self, subwords: Subwords, share: float, seed: int, variants: int = 16) -> None:
        model = subwords.to_dict()["model"]
        self.subwords, self.share, self.seed = subwords, share, seed
        self.variants = variants if share else 1
        self.ids: dict[str, int] = model["vocab"]
        self.ranks = {tuple(pair): rank for rank, pair in enumerate(model["merges"])}
        self.known: dict[str, int] = {}
        self.spellings: list[list[list[int]]] = []  # subwords, by word and variant

    def words(self, text: str) -> list[int]:
        """Word numbers of `text`, which `spell` turns into subwords."""
        return [self._number(piece) for piece in self.subwords.pieces(text)]

    def spell(self, words: Sequence[int], rng: random.Random | None = None) -> list[int]:
        """Subwords of a text: of each word a random variant, or the first one without `rng`."""
        if rng is None or self.variants == 1:
            return [i for word in words for i in self.spellings[word][0]]
        draw, count = rng.random, self.variants
        return [i for word in words for i in self.spellings[word][int(draw() * count)]]

    def _number(self, piece: str) -> int:
        if piece not in self.known:
            self.known[piece] = len(self.spellings)
            rng = random.Random(f"{self.seed} {piece}")
            self.spellings.append([self._merge(piece, rng) for _ in range(self.variants)])
        return self.known[piece]

    def _merge(self, piece: str, rng: random.Random) -> list[int]:
        parts = list(piece)
        while len(parts) > 1:
            ranked = [
                (self.ranks[pair], i)
                for i, pair in enumerate(itertools.pairwise(parts))
                if pair in self.ranks and (not self.share or rng.random() >= self.share)
            ]
            if not ranked:
                break
            _, i = min(ranked)
            parts[i : i + 2] = [parts[i] + parts[i + 1]]
        return [self.ids.get(part, UNKNOWN) for part in parts]


def _characters(texts: Sequence[str]) -> Counter[str]:
    normalized = (unicodedata.normalize("NFC", text).replace(" ", BLANK) for text in texts)
    return Counter(itertools.chain.from_iterable(normalized))


def _alphabet(counts: Counter[str]) -> list[str]:
    """Characters that occur at least twice: the others, as UNKNOWN, teach the model to copy words that it lacks."""
    return [character for character, count in counts.items() if count > 1 or character == BLANK]
