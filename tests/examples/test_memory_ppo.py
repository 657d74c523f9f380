"""examples/memory_ppo.py: with memory the agent recalls the cue, over three seeds; the policy without it guesses."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.examples import load


@pytest.fixture(scope="module")
def example() -> Any:
    return load("memory_ppo")


def test_an_update_reads_the_states_of_the_rollout(example: Any) -> None:
    torch.manual_seed(0)
    agent, hx = example.Agent(), torch.zeros(1, example.ROWS, 32)
    fresh = torch.ones(example.ROWS, dtype=torch.bool)
    (x, actions, old, values, _, resets, _), *_ = example.rollout(agent, example.Recall(), hx, fresh)
    policy, again, _ = agent(x, hx, resets)
    torch.testing.assert_close(policy.log_prob(actions), old)
    torch.testing.assert_close(again, values)
    assert resets[1:].any()


@pytest.mark.recipe
@pytest.mark.parametrize("seed", range(3))
def test_memory_beats_the_memoryless_policy(example: Any, seed: int) -> None:
    assert example.train(seed) > 0.9
    assert example.train(seed, memory=False) < 0.4
