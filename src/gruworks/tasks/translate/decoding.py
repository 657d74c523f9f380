"""Decoding of a translation network: beam search, sampling, forced prefixes, copied words, attention."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gruworks.nn.decoding.beam_search import Hypothesis, beam
from gruworks.nn.decoding.decoder import Decoder
from gruworks.nn.decoding.sampling import Sampling, sample
from gruworks.nn.state import State, select
from gruworks.tasks.translate.config import Options
from gruworks.tasks.translate.data import Batch, Codec, padded
from gruworks.tasks.translate.fused_decoder import FusedAttentionDecoder
from gruworks.tasks.translate.model import AttentionNet, TranslationNet
from gruworks.tasks.translate.subwords import BEGIN, END, PAD, UNKNOWN, Subwords

__all__ = [
    "NetDecoder", "Translation", "attention", "cut_line", "exact", "log_probability", "search", "spellable",
    "translations", "with_copies",
]  # fmt: skip

STOPS = ".!?。！？…;；"  # punctuation at the end of a sentence
FEW = 32  # rows: up to here one thread is faster than several
LONGER, MORE = 2, 20  # a translation has at most LONGER · (source subwords) + MORE subwords


@dataclass(frozen=True)
class Translation:
    """One translation: text, score (log-probability normalized by length) and log p(text | source) in nats."""

    text: str
    score: float
    log_probability: float


class NetDecoder(Decoder):
    """Decoder of a translation network.

    It holds the encoder output (`memory`) once for each sentence, and the state's `sentence` [N] maps rows to
    sentences: all hypotheses of a sentence read the same memory, and a finished sentence's memory is dropped.

    Args:
        net: the network. eight_bits: compute the output layer in 8 bits if the fused decoder supports the network.
    """

    @torch.no_grad()
    def __init__(self, net: TranslationNet, eight_bits: bool = False) -> None:
        self.net, self.eight_bits, self.fused = net, eight_bits, None
        if isinstance(net, AttentionNet) and FusedAttentionDecoder.serves(net):
            self.fused = FusedAttentionDecoder(net, eight_bits)
        self.memory: State = {}
        self.held = self.asked = torch.empty(0, dtype=torch.long)  # sentences in memory; rows of the last step

    @torch.no_grad()
    def start(self, context: Batch) -> State:
        self.memory = (self.fused or self.net).encode(context["source"], context["source_lengths"])
        self.held = self.asked = torch.arange(len(context["source"]))
        return self.net.start(self.memory) | {"sentence": self.held}

    def threads(self, rows: int) -> int:
        return 1 if rows <= FEW and not self.fused else 0

    @torch.no_grad()
    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        own = self._own(state)
        if self.fused:
            answer, after = self.fused.step(tokens, own, self.memory)
        else:
            features, after = self.net.step(tokens, own, self.memory)
            answer = self.net.scores(features).log_softmax(-1)
        return answer, after | {"sentence": state["sentence"]}

    @torch.no_grad()
    def best(self, tokens: Tensor, state: State, count: int) -> tuple[Tensor, Tensor, State]:
        if not self.fused:
            return super().best(tokens, state, count)
        values, symbols, after = self.fused.best(tokens, self._own(state), self.memory, count)
        return values, symbols, after | {"sentence": state["sentence"]}

    def _own(self, state: State) -> State:
        """The network's part of the state; the memory is brought into the order of its rows."""
        if not torch.equal(state["sentence"], self.asked):
            self._hold(state["sentence"])
        return {name: value for name, value in state.items() if name != "sentence"}

    def _hold(self, sentence: Tensor) -> None:
        """Reorder the memory: one entry per run of rows of a sentence, or one per row if runs differ in length."""
        runs, counts = torch.unique_consecutive(sentence, return_counts=True)
        if len(counts) and not bool((counts == counts[0]).all()):
            runs = sentence
        if not torch.equal(runs, self.held):
            place = {int(one): i for i, one in enumerate(self.held)}
            self.memory = select(self.memory, torch.tensor([place[int(one)] for one in runs], dtype=torch.long))
            self.held = runs
        self.asked = sentence


@torch.no_grad()
def search(
    decoder: Decoder, contexts: Batch | Sequence[Batch], options: Options, forced: Sequence[int] = ()
) -> list[list[Hypothesis]]:
    """Beam search or sampling: `options.n_best` hypotheses for each sentence of a batch, best first.

    Args:
        contexts: a batch with `source` [B, S]; for an ensemble one batch for each decoder.
        forced: tokens that every hypothesis begins with.
    """
    batch: Batch = contexts if isinstance(contexts, dict) else contexts[0]
    count = len(batch["source"])
    state = decoder.start(contexts)
    limit = batch["source_lengths"] * LONGER + MORE + len(forced)
    if options.sample:
        return _samples(decoder, state, limit, options, forced)
    prefix = torch.tensor([list(forced)]).expand(count, -1) if forced else None
    begin = torch.full((count,), BEGIN)
    width = max(options.beam_size, options.n_best)
    return beam(decoder, state, begin, END, limit, width, options.n_best, options.length_penalty, prefix)


@torch.no_grad()
def log_probability(net: TranslationNet, batch: Batch) -> Tensor:
    """log p(target | source) of each pair of a batch in nats, end token included: [B]."""
    target = batch["target"]
    features, _ = net.read(net.encode(batch["source"], batch["source_lengths"]), target[:, :-1])
    wanted = target[:, 1:].T
    there = wanted != PAD
    losses = torch.nn.functional.cross_entropy(net.scores(features[there]), wanted[there], reduction="none")
    whole = torch.zeros(wanted.shape, dtype=torch.float64)
    whole[there] = losses.double()
    return -whole.sum(0)


def exact(
    net: TranslationNet, sources: list[list[int]], found: list[list[Hypothesis]], length_penalty: float
) -> list[list[Hypothesis]]:
    """Hypotheses with log-probabilities and scores computed in float32, best first.

    Those of samples are missing, and those of an 8-bit search are approximate. A truncated hypothesis is scored as if
    the end token followed.
    """
    pairs = [(source, one.tokens) for source, answers in zip(sources, found, strict=True) for one in answers]
    values = iter(log_probability(net, padded([s for s, _ in pairs], [t for _, t in pairs])).tolist())

    def scored(one: Hypothesis) -> Hypothesis:
        value = next(values)
        return Hypothesis(one.tokens, value, value / (len(one.tokens) + 1) ** length_penalty, one.ended)

    return [sorted(map(scored, answers), key=lambda one: (not one.ended, -one.score)) for answers in found]


def _samples(
    decoder: Decoder, state: State, limit: Tensor, options: Options, forced: Sequence[int]
) -> list[list[Hypothesis]]:
    """`n_best` samples for each sentence, with NaN as scores."""
    count = len(limit)
    state = select(state, torch.arange(count).repeat_interleave(options.n_best))
    tokens = torch.full((count * options.n_best,), BEGIN)
    for token in forced:
        _, state = decoder.step(tokens, state)
        tokens = torch.full_like(tokens, token)
    generator = torch.Generator().manual_seed(options.seed)
    how = Sampling(temperature=options.temperature)
    drawn = sample(decoder, state, tokens, how, generator, end=END)
    rows = torch.stack(list(itertools.islice(drawn, int(limit.max()))), 1).tolist()
    texts = [[*forced, *itertools.takewhile(lambda token: token != END, row)] for row in rows]
    answers = [Hypothesis(text, float("nan"), float("nan"), True) for text in texts]
    return [answers[i * options.n_best : (i + 1) * options.n_best] for i in range(count)]


@torch.no_grad()
def attention(net: TranslationNet, source: list[int], target: list[int]) -> Tensor | None:
    """Attention weights [T, S] of the target tokens over the source tokens, end tokens included; None without one."""
    batch = padded([source], [target])
    _, weights = net.read(net.encode(batch["source"], batch["source_lengths"]), batch["target"][:, :-1])
    return None if weights is None else weights[0]


def translations(net: TranslationNet, codec: Codec, line: str, found: list[Hypothesis]) -> list[Translation]:
    """Hypotheses as text, best first; of several with the same text (BPE is ambiguous) the first."""
    best: dict[str, Translation] = {}
    for one in found:
        text = with_copies(net, codec, line, one.tokens)
        best.setdefault(text, Translation(text, one.score, one.log_probability))
    return list(best.values())


def with_copies(net: TranslationNet, codec: Codec, line: str, target: list[int]) -> str:
    """Detokenize `target`; each run of unknown tokens becomes the source word with the largest attention weight.

    Without attention, the words of `line` that the source vocabulary lacks are inserted in their order.
    """
    if UNKNOWN not in target:
        return codec.target.decode(target)
    source = codec.source.encode(line)
    words = codec.source.words_of(line)
    weights = attention(net, source, target)
    unspelt = [word for word, _ in itertools.groupby(w for w, i in zip(words, source, strict=True) if i == UNKNOWN)]
    parts: list[str] = []
    for unknown, run in itertools.groupby(enumerate(target), key=lambda place: place[1] == UNKNOWN):
        places = [i for i, _ in run]
        if not unknown:
            parts.append("".join(codec.target.symbols([target[i] for i in places])))
        elif weights is None:
            parts.append(unspelt.pop(0) if unspelt else "")
        elif words:
            parts.append(words[int(weights[places[0], : len(words)].argmax())])
    return "".join(parts).replace("▁", " ").strip()


def spellable(subwords: Subwords, line: str) -> bool:
    """True if the vocabulary covers at least half of the characters of `line`, blanks not counted."""
    ids = subwords.encode(line)
    known = sum(len(symbol.strip("▁")) for symbol, i in zip(subwords.symbols(ids), ids, strict=True) if i != UNKNOWN)
    return known >= ids.count(UNKNOWN)


def cut_line(subwords: Subwords, line: str, longest: int) -> list[str]:
    """Split a line of more than `longest` subwords into its sentences, and longer sentences before a word."""
    encoding = subwords.tokenizer.encode(line, add_special_tokens=False)
    symbols = encoding.tokens
    if len(symbols) <= longest:
        return [line]
    starts = [start for start, _ in encoding.offsets] + [len(line)]
    pieces, begin = [], 0
    while begin < len(symbols):
        end = _cut(symbols, begin, longest)
        pieces.append(line[starts[begin] : starts[end]].strip())
        begin = end
    return [piece for piece in pieces if piece]


def _cut(symbols: list[str], begin: int, longest: int) -> int:
    """The end of the part that begins at `begin`: after a sentence, before a word, or at the limit."""
    limit = min(begin + longest, len(symbols))
    stops = (i + 1 for i in range(begin, limit) if symbols[i].strip("▁") and symbols[i].strip("▁") in STOPS)
    words = (i for i in range(limit, begin + longest // 2, -1) if i == len(symbols) or symbols[i].startswith("▁"))
    return next(stops, next(words, limit))
