"""The graphs of a translator: its memory, its log-probabilities, and step by step what the reader reads at once."""

from __future__ import annotations

import json

import numpy
import pytest
import tokenizers
import torch

from gruworks.ops.backend import backend
from gruworks.tasks.translate.data import padded
from tests import tolerances
from tests.exported import Exported, exported
from tests.tasks.translate.conftest import toy

if backend().name == "torch":
    pytest.skip(backend().reason, allow_module_level=True)

KINDS = ["translate", "translate-cho2014"]


def encoded(one: Exported, batch: dict[str, torch.Tensor]) -> dict[str, numpy.ndarray]:
    return one.run("encoder", source=batch["source"].numpy(), lengths=batch["source_lengths"].numpy())


def stepped(one: Exported, memory: dict[str, numpy.ndarray], tokens: numpy.ndarray) -> numpy.ndarray:
    """Log-probabilities [B, T, V] after each of the tokens [B, T], one hypothesis a sentence."""
    graph, rows = one.says["graphs"]["decoder"], []
    state = {name: memory[name][:, None] for name in graph["carried"].values()}
    kept = {name: memory[name] for name in graph["inputs"] if name in memory and name not in state}
    for step in tokens.T:
        answer = one.run("decoder", tokens=step[:, None], **kept, **state)
        rows.append(answer["log_probabilities"][:, 0])
        state = one.carried("decoder", answer)
    return numpy.stack(rows, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_hundred_pairs_in_batches_of_any_size(kind: str) -> None:
    one, rng, pairs = exported(kind), numpy.random.default_rng(0), toy(2)
    codec, seen = one.estimator.codec, 0
    while seen < 100:
        chosen = [pairs[i] for i in rng.integers(0, len(pairs), rng.integers(1, 9))]
        seen += len(chosen)
        batch = padded(*([side.encode(text) for text in column] for side, column in
                         zip((codec.source, codec.target), zip(*chosen, strict=True), strict=True)))  # fmt: skip
        tokens = batch["target"][:, :-1]
        with torch.no_grad():
            features, _ = one.estimator.net.read(
                one.estimator.net.encode(batch["source"], batch["source_lengths"]), tokens
            )
            expected = one.estimator.net.scores(features).log_softmax(-1).transpose(0, 1).numpy()
        memory = encoded(one, batch)
        assert numpy.abs(stepped(one, memory, tokens.numpy()) - expected).max() < tolerances.EXPORTED
        if kind == "translate":
            graph = one.says["graphs"]["reader"]
            whole = one.run("reader", tokens=tokens.numpy(), **{n: memory[n] for n in memory if n in graph["inputs"]})
            assert numpy.abs(whole["log_probabilities"] - expected).max() < tolerances.EXPORTED
            assert numpy.abs(whole["attention"].sum(-1) - 1).max() < tolerances.EXPORTED


@pytest.mark.parametrize("kind", KINDS)
def test_hypotheses_beside_each_other_are_as_alone(kind: str) -> None:
    one = exported(kind)
    source = numpy.random.default_rng(0).integers(4, len(one.says["source"]["symbols"]), (3, 6))
    memory = one.run("encoder", source=source, lengths=numpy.array([6, 6, 6]))
    graph = one.says["graphs"]["decoder"]
    state = {name: memory[name][:, None] for name in graph["carried"].values()}
    kept = {name: memory[name] for name in graph["inputs"] if name in memory and name not in state}
    tokens = numpy.array([[2, 5, 7, 9]] * 3)
    wide = {name: value.repeat(4, 1) for name, value in state.items()}
    together = one.run("decoder", tokens=tokens, **kept, **wide)["log_probabilities"]
    for w in range(4):
        alone = one.run("decoder", tokens=tokens[:, w : w + 1], **kept, **state)["log_probabilities"]
        assert numpy.abs(together[:, w : w + 1] - alone).max() < tolerances.EXPORTED


def test_facts_make_the_tokenizer_again() -> None:
    one = exported("translate")
    says, codec = one.says, one.estimator.codec
    again = tokenizers.Tokenizer.from_str(json.dumps(says["source"]["tokenizer"]))
    for line, _ in toy(1):
        assert again.encode(line, add_special_tokens=False).ids == codec.source.encode(line)
    assert len(says["target"]["symbols"]) == len(codec.target)
    assert says["target"]["symbols"][says["specials"]["end"]] == "</s>"
