"""Reach against products of finite differences and cases with a known answer."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch

from gruworks.errors import OptionError
from gruworks.lab.gradients import as_equations, clamp, loss_reach, reach
from gruworks.nn.cells import make
from tests.tolerances import FINITE_DIFFERENCES, FLOAT64

T, IN, H = 6, 2, 3


def drawn(name: str, engine: Any = "fused") -> Any:
    torch.manual_seed(0)
    return as_equations(name, make(name, IN, H, engine))


def sequence(rows: int = 1) -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(T, rows, IN, dtype=torch.float64)


def last_state(cell: Any, x: torch.Tensor, state: Any) -> Any:
    with torch.no_grad():
        parts = torch.as_tensor(state)[None].split(H, -1)
        final = cell(x, tuple(part[None] for part in parts) if len(parts) > 1 else parts[0][None])[1]
    return torch.cat(final if isinstance(final, tuple) else (final,), -1)[0, 0].numpy()


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "gru-before", "mgu"])
def test_reach_is_the_norm_of_the_product_of_all_steps(name: str) -> None:
    cell, x = drawn(name), sequence()
    S, step = cell.num_states * H, 1e-5
    differences = numpy.stack(
        [
            (last_state(cell, x, step * direction) - last_state(cell, x, -step * direction)) / (2 * step)
            for direction in numpy.eye(S)
        ],
        axis=1,
    )
    curve = reach(cell, x)
    assert curve.mean[0] == pytest.approx(1, abs=FLOAT64)
    assert curve.mean[T] == pytest.approx(numpy.linalg.norm(differences, 2), abs=FINITE_DIFFERENCES)


def test_rows_are_apart() -> None:
    cell, x = drawn("gru"), sequence(rows=2)
    both = reach(cell, x)
    alone = [reach(cell, x[:, row : row + 1]).mean for row in range(2)]
    assert both.low == pytest.approx(numpy.minimum(*alone), abs=FLOAT64)
    assert both.mean == pytest.approx(numpy.sqrt(alone[0] * alone[1]), abs=FLOAT64)


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_loss_reach_is_the_gradient_of_the_loss(name: str) -> None:
    """Of a loss on the last output alone: never more than the reach times its own gradient; at T itself just that."""
    cell, x = drawn(name), sequence()
    found = loss_reach(cell, x, lambda output: output[-1].sum())
    assert found[0] == pytest.approx(H**0.5, abs=FLOAT64)
    assert (found[1:] <= reach(cell, x).mean[1:] * H**0.5 + FLOAT64).all()
    assert found[T] == pytest.approx(_by_differences(cell, x), abs=FINITE_DIFFERENCES)


def _by_differences(cell: Any, x: torch.Tensor) -> float:
    step = 1e-5
    ends = [
        [last_state(cell, x, sign * step * direction)[:H].sum() for sign in (1, -1)]
        for direction in numpy.eye(cell.num_states * H)
    ]
    return float(numpy.linalg.norm([(up - down) / (2 * step) for up, down in ends]))


def test_an_update_gate_that_never_opens_keeps_all() -> None:
    x = sequence()
    assert reach(clamp(drawn("gru"), {"update": 0.0}), x).mean == pytest.approx(numpy.ones(T + 1), abs=FLOAT64)
    lstm = clamp(drawn("lstm"), {"input": 0.0, "forget": 1.0, "output": 0.0})
    assert reach(lstm, x).mean == pytest.approx(numpy.ones(T + 1), abs=FLOAT64)


def test_a_gru_without_gates_is_a_plain_unit() -> None:
    gru, x = drawn("gru"), sequence()
    rnn: Any = make("rnn", IN, H, "equations", dtype=torch.float64)
    for name, value in gru.state_dict().items():
        getattr(rnn, name).data.copy_(value[2 * H :])
    plain = clamp(gru, {"update": 1.0, "reset": 1.0})
    torch.testing.assert_close(plain(x)[0], rnn(x)[0], atol=FLOAT64, rtol=0)
    assert reach(plain, x).mean == pytest.approx(reach(rnn, x).mean, abs=FLOAT64)
    assert torch.equal(gru.weight_hh_l0, drawn("gru").weight_hh_l0)  # the one that was given is as it was


def test_a_held_gate_has_its_value() -> None:
    x, h = sequence()[0], torch.randn(1, H, dtype=torch.float64)
    cell = drawn("gru")
    whole, half, none = (
        clamp(cell, {"update": z, "reset": 0.3}).step(cell.input_projections(x), (h,))[0] for z in (1, 0.5, 0)
    )
    torch.testing.assert_close(half, (whole + none) / 2, atol=FLOAT64, rtol=0)


def test_gates_that_are_not_there_are_refused() -> None:
    with pytest.raises(OptionError, match="GRUEquations has reset, update"):
        clamp(drawn("gru"), {"forget": 1.0})
    with pytest.raises(OptionError, match="at 2"):
        clamp(drawn("lstm"), {"forget": 2})
    with pytest.raises(OptionError, match="none that can be held"):
        clamp(drawn("rnn"), {"update": 1.0})
