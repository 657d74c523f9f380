"""The attention network: padding is nothing to it, a step is a row of the whole, dropout only in training."""

from __future__ import annotations

import pytest
import torch

from gruworks.tasks.translate.model import AttentionNet
from gruworks.tasks.translate.subwords import PAD
from tests import tolerances

SOURCE = torch.tensor([[4, 5, 6, 3], [7, 3, PAD, PAD]])
LENGTHS = torch.tensor([4, 2])
TARGET = torch.tensor([[2, 8, 9, 10], [2, 11, 3, PAD]])


def net(**changes: object) -> AttentionNet:
    torch.manual_seed(0)
    sizes: dict[str, object] = {"embedding_size": 6, "hidden_size": 5, "attention_size": 4, "layers": 2}
    return AttentionNet(12, 12, **(sizes | changes)).eval()  # type: ignore[arg-type]


@pytest.mark.parametrize("reset", ["after", "before"])
def test_padding_changes_nothing(reset: str) -> None:
    model = net(reset=reset)
    whole, weights = model.read(model.encode(SOURCE, LENGTHS), TARGET)
    alone, alone_weights = model.read(model.encode(SOURCE[1:, :2], LENGTHS[1:]), TARGET[1:])
    assert torch.allclose(whole[:, 1], alone[:, 0], atol=tolerances.FLOAT32_OUTPUT)
    assert torch.allclose(weights[1, :, :2], alone_weights[0], atol=tolerances.FLOAT32_OUTPUT)
    assert bool((weights[1, :, 2:] == 0).all())
    assert torch.allclose(weights.sum(-1), torch.ones(2, 4))


def test_steps_give_what_the_whole_gives() -> None:
    model = net()
    memory = model.encode(SOURCE, LENGTHS)
    whole, _ = model.read(memory, TARGET)
    state = model.start(memory)
    for t in range(TARGET.shape[1]):
        features, state = model.step(TARGET[:, t], state, memory)
        assert torch.allclose(features, whole[t], atol=tolerances.FLOAT32_OUTPUT)


def test_rows_beside_each_other_share_a_memory() -> None:
    model = net()
    memory = model.encode(SOURCE, LENGTHS)
    state = {name: value.repeat_interleave(3, 0) for name, value in model.start(memory).items()}
    tokens = torch.tensor([4, 5, 6, 7, 8, 9])
    features, _ = model.step(tokens, state, memory)
    for row in range(6):
        own = {name: value[row // 3 : row // 3 + 1] for name, value in memory.items()}
        single, _ = model.step(tokens[row : row + 1], {n: v[row : row + 1] for n, v in state.items()}, own)
        assert torch.allclose(features[row], single[0], atol=tolerances.FLOAT32_OUTPUT)


def test_nothing_of_the_future_is_read() -> None:
    model = net()
    memory = model.encode(SOURCE, LENGTHS)
    changed = TARGET.clone()
    changed[:, 2:] = 5
    first, _ = model.read(memory, TARGET)
    second, _ = model.read(memory, changed)
    assert torch.equal(first[:2], second[:2])
    assert not torch.equal(first[2:], second[2:])


def test_every_weight_has_a_gradient_with_all_regularisation() -> None:
    model = net(dropout=0.2, word_dropout=0.2, weight_dropout=0.2, shared=False).train()
    features, _ = model.read(model.encode(SOURCE, LENGTHS), TARGET)
    model.scores(features).logsumexp(-1).sum().backward()
    assert not [name for name, p in model.named_parameters() if p.grad is None or not bool(p.grad.abs().sum() > 0)]


@pytest.mark.parametrize("kind", ["dropout", "word_dropout", "weight_dropout"])
def test_each_dropout_acts_in_training_alone(kind: str) -> None:
    model = net(**{kind: 0.5})
    still = [model.read(model.encode(SOURCE, LENGTHS), TARGET)[0] for _ in range(2)]
    assert torch.equal(*still)
    assert torch.equal(still[0], net().read(net().encode(SOURCE, LENGTHS), TARGET)[0])
    model.train()
    moved = [model.read(model.encode(SOURCE, LENGTHS), TARGET)[0] for _ in range(2)]
    assert not torch.equal(*moved)


def test_a_shared_embedding_is_one_and_tied_to_the_output() -> None:
    shared, apart = net(), net(shared=False)
    assert shared.source_embedding is shared.target_embedding
    assert sum(p.numel() for p in apart.parameters()) == sum(p.numel() for p in shared.parameters()) + 12 * 6
    assert torch.allclose(shared.scores(torch.eye(6)).T, shared.target_embedding.weight)
