"""Models of the state tracking table: equal size, causal, and the recurrences that they name."""

from __future__ import annotations

import pytest
import torch

from gruworks.errors import OptionError
from gruworks.lab.problems.automata import AUTOMATA, track
from gruworks.lab.tracking.models import MODELS, DiagonalRecurrence, tracker


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("inputs", "outputs", "parameters"), [(2, 2, 10_000), (120, 120, 136_000)])
def test_models_of_a_task_have_about_the_same_size(name: str, inputs: int, outputs: int, parameters: int) -> None:
    count = sum(p.numel() for p in tracker(name, inputs, outputs, parameters).parameters())
    assert count == pytest.approx(parameters, rel=0.15)


@pytest.mark.parametrize("name", MODELS)
def test_a_label_depends_on_its_own_and_earlier_symbols_only(name: str) -> None:
    model = tracker(name, 6, 4, 3000).eval()
    batch = track(AUTOMATA["flip-flop"], 3, 9, 0)
    changed = batch.x.clone()
    changed[5] = changed[5].roll(1, -1)
    before, after = (model(batch._replace(x=x)).view(9, 3, 4) for x in (batch.x, changed))
    torch.testing.assert_close(before[:5], after[:5])
    assert ((before[5:] - after[5:]).abs().amax((1, 2)) > 1e-7).all()


def test_the_diagonal_recurrence_is_its_formula() -> None:
    layer = DiagonalRecurrence(3)
    layer.mix = torch.nn.Identity()
    x = torch.randn(6, 2, 3)
    a, b = layer.project(x).chunk(2, -1)
    found = layer(x)
    h = torch.zeros(2, 3)
    for t in range(6):
        h = torch.tanh(a[t]) * h + b[t]
        torch.testing.assert_close(found[t], h)


def test_a_seed_gives_one_model_and_unknown_names_are_refused() -> None:
    one, again, other = (tracker("gru", 2, 2, 300, seed).readout.weight for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    with pytest.raises(OptionError, match="there is no model 'tcn'; there are: gru, gru-before"):
        tracker("tcn", 2, 2, 300)
