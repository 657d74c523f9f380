"""Every cell against its paper's equations in NumPy, one row and one step at a time."""

from __future__ import annotations

from typing import Any, get_args

import numpy
import pytest
import torch

from gruworks.errors import OptionError, ShapeError
from gruworks.nn.cells import CELLS, Engine, LiGRU, StepwiseCell, chrono_init_, hidden_size_for, implementation_of, make
from gruworks.nn.gru import GRU
from tests.tolerances import FLOAT64

T, B, IN, H = 5, 2, 3, 4
NO_GATE = {"rnn"}


def sigma(a: Any) -> Any:
    return 1 / (1 + numpy.exp(-a))


def normed(a: Any, gain: Any, bias: Any) -> Any:
    return gain * (a - a.mean()) / numpy.sqrt(a.var() + 1e-5) + bias


def blocks(matrix: Any, gates: int) -> list[Any]:
    return [matrix[k * H : (k + 1) * H] for k in range(gates)]


def literal_rnn(w: dict[str, Any], x: Any, h: Any) -> Any:
    b = w["bias_ih_l0"] + w["bias_hh_l0"]
    return (numpy.tanh(w["weight_ih_l0"] @ x + w["weight_hh_l0"] @ h[0] + b),)


def literal_lstm(w: dict[str, Any], x: Any, state: Any) -> Any:
    h, c = state
    W, U = blocks(w["weight_ih_l0"], 4), blocks(w["weight_hh_l0"], 4)
    b = blocks(w["bias_ih_l0"] + w["bias_hh_l0"], 4)
    i, f, g, o = (W[k] @ x + U[k] @ h + b[k] for k in range(4))
    c = sigma(f) * c + sigma(i) * numpy.tanh(g)
    return sigma(o) * numpy.tanh(c), c


def literal_gru(w: dict[str, Any], x: Any, state: Any, before: bool = False) -> Any:
    (h,) = state
    (W_r, W_z, W), (U_r, U_z, U) = blocks(w["weight_ih_l0"], 3), blocks(w["weight_hh_l0"], 3)
    (b_r, b_z, b), (c_r, c_z, c) = blocks(w["bias_ih_l0"], 3), blocks(w["bias_hh_l0"], 3)
    r = sigma(W_r @ x + U_r @ h + b_r + c_r)
    z = 1 - sigma(W_z @ x + U_z @ h + b_z + c_z)  # the stored rows are those of a gate that keeps
    if before:
        candidate = numpy.tanh(W @ x + U @ (r * h) + b + c)
    else:
        candidate = numpy.tanh(W @ x + b + r * (U @ h + c))
    return ((1 - z) * h + z * candidate,)


def literal_gru_before(w: dict[str, Any], x: Any, state: Any) -> Any:
    return literal_gru(w, x, state, before=True)


def literal_mgu(w: dict[str, Any], x: Any, state: Any) -> Any:
    (h,) = state
    (W_f, W_h), (U_f, U_h), (b_f, b_h) = (blocks(w[name], 2) for name in ("weight_ih_l0", "weight_hh_l0", "bias_l0"))
    f = sigma(numpy.concatenate([U_f, W_f], 1) @ numpy.concatenate([h, x]) + b_f)
    candidate = numpy.tanh(numpy.concatenate([U_h, W_h], 1) @ numpy.concatenate([f * h, x]) + b_h)
    return ((1 - f) * h + f * candidate,)


def literal_ligru(w: dict[str, Any], x: Any, state: Any) -> Any:
    (h,) = state
    a = w["weight_ih_l0"] @ x
    a = (a - w["norm.running_mean"]) / numpy.sqrt(w["norm.running_var"] + 1e-5)
    (a_z, a_h), (U_z, U_h) = blocks(a * w["norm.weight"] + w["norm.bias"], 2), blocks(w["weight_hh_l0"], 2)
    z = sigma(a_z + U_z @ h)
    return (z * h + (1 - z) * numpy.maximum(a_h + U_h @ h, 0),)


def literal_mingru(w: dict[str, Any], x: Any, state: Any) -> Any:
    (h,), a = state, w["weight_ih_l0"] @ x + w["bias_l0"]
    z, a_h = sigma(a[:H]), a[H:]
    candidate = numpy.array([value + 0.5 if value >= 0 else sigma(value) for value in a_h])
    return ((1 - z) * h + z * candidate,)


def literal_layernorm_gru(w: dict[str, Any], x: Any, state: Any) -> Any:
    (h,) = state

    def norm(name: str, a: Any) -> Any:
        return normed(a, w[f"norm_{name}.weight"], w[f"norm_{name}.bias"])

    W, U = w["weight_ih_l0"], w["weight_hh_l0"]
    zr = sigma(norm("h_gates", U[: 2 * H] @ h) + norm("x_gates", W[: 2 * H] @ x))
    z, r = zr[:H], zr[H:]
    candidate = numpy.tanh(norm("x_candidate", W[2 * H :] @ x) + r * norm("h_candidate", U[2 * H :] @ h))
    return ((1 - z) * h + z * candidate,)


LITERAL = {name: globals()[f"literal_{name.replace('-', '_')}"] for name in CELLS}


def drawn(name: str, engine: Any = "equations", dtype: torch.dtype = torch.float64) -> torch.nn.Module:
    """A cell in which no parameter or running statistic has its starting value."""
    torch.manual_seed(0)
    cell = make(name, IN, H, engine, dtype=dtype).eval()
    with torch.no_grad():
        for value in [*cell.parameters(), *cell.buffers()]:
            if value.is_floating_point():
                value.add_(0.3 * torch.rand_like(value))
    return cell


def inputs(name: str, steps: int = T) -> tuple[torch.Tensor, Any]:
    torch.manual_seed(1)
    x = torch.randn(steps, B, IN, dtype=torch.float64)
    parts = tuple(
        torch.randn(1, B, H, dtype=torch.float64) for _ in range(int(make(name, IN, H, "equations").num_states))
    )
    return x, parts if len(parts) > 1 else parts[0]


@pytest.mark.parametrize("engine", ["fused", "equations"])
@pytest.mark.parametrize("name", CELLS)
def test_the_cell_is_its_published_equations(name: str, engine: str) -> None:
    cell, (x, start) = drawn(name, engine), inputs(name)
    output, final = cell(x, start)
    weights = {key: value.numpy() for key, value in cell.state_dict().items()}
    starts = start if isinstance(start, tuple) else (start,)
    finals = final if isinstance(final, tuple) else (final,)
    for row in range(B):
        state = tuple(part[0, row].numpy() for part in starts)
        for t in range(T):
            state = LITERAL[name](weights, x[t, row].numpy(), state)
            numpy.testing.assert_allclose(output[t, row].detach().numpy(), state[0], atol=FLOAT64, rtol=0)
        for part, expected in zip(finals, state, strict=True):
            numpy.testing.assert_allclose(part[0, row].detach().numpy(), expected, atol=FLOAT64, rtol=0)


@pytest.mark.parametrize("name", CELLS)
def test_gradients_are_those_of_finite_differences(name: str) -> None:
    cell, (x, start) = drawn(name), inputs(name, steps=3)
    names = [key for key, _ in cell.named_parameters()]
    states = start if isinstance(start, tuple) else (start,)

    def run(x: torch.Tensor, *rest: torch.Tensor) -> Any:
        state, weights = rest[: len(states)], dict(zip(names, rest[len(states) :], strict=True))
        given = state if len(state) > 1 else state[0]
        output, final = torch.func.functional_call(cell, weights, (x, given))
        return (output, *final) if isinstance(final, tuple) else (output, final)

    leaves = [value.detach().requires_grad_() for value in (x, *states, *cell.parameters())]
    assert torch.autograd.gradcheck(run, leaves)


def test_the_light_gru_normalises_by_its_batch_in_training() -> None:
    torch.manual_seed(0)
    cell = LiGRU(IN, H, dtype=torch.float64)
    terms = cell.input_projections(3 + 2 * torch.randn(50, 7, IN, dtype=torch.float64))
    torch.testing.assert_close(terms.mean((0, 1)), torch.zeros(2 * H, dtype=torch.float64), atol=FLOAT64, rtol=0)
    torch.testing.assert_close(
        terms.var((0, 1), correction=0), torch.ones(2 * H, dtype=torch.float64), atol=1e-3, rtol=0
    )
    assert cell.norm.running_mean.abs().max() > 0


@pytest.mark.parametrize("name", CELLS)
def test_steps_and_sequence_agree(name: str) -> None:
    cell, (x, start) = drawn(name), inputs(name, steps=150)
    assert isinstance(cell, StepwiseCell)
    state = tuple(part[0] for part in (start if isinstance(start, tuple) else (start,)))
    stepped = []
    for term in cell.input_projections(x):
        state = cell.step(term, state)
        stepped.append(state[0])
    torch.testing.assert_close(cell(x, start)[0], torch.stack(stepped), atol=FLOAT64, rtol=0)


@pytest.mark.parametrize("name", [name for name, kind in CELLS.items() if kind.fused is not None])
def test_a_state_dict_moves_between_the_engines(name: str) -> None:
    fused, equations = drawn(name, "fused"), make(name, IN, H, "equations", dtype=torch.float64)
    equations.load_state_dict(fused.state_dict())
    x, start = inputs(name)
    torch.testing.assert_close(fused(x, start)[0], equations(x, start)[0], atol=FLOAT64, rtol=0)
    assert isinstance(fused, GRU) == name.startswith("gru")


def test_the_engine_is_named() -> None:
    engines = {
        (name, engine): implementation_of(make(name, 1, 1, engine))
        for name in CELLS
        for engine in ("fused", "equations")
    }
    assert engines["mingru", "fused"] in ("native scan", "scan in torch")
    assert engines["lstm", "fused"] == "torch's fused layer"
    assert engines["gru", "equations"] == engines["mgu", "fused"] == "equations in torch, step by step"
    assert engines["gru", "fused"] in ("native kernel", "torch's fused layer or equations")


@pytest.mark.parametrize("name", CELLS)
def test_widths_come_as_near_as_one_unit_can(name: str) -> None:
    def count(H: int) -> int:
        return sum(p.numel() for p in make(name, 10, H).parameters()) + 3 * (H + 1)

    H = hidden_size_for(name, 10, 5000, outputs=3)
    assert abs(count(H) - 5000) <= min(abs(count(H - 1) - 5000), abs(count(H + 1) - 5000))


@pytest.mark.parametrize("name", [name for name in CELLS if name not in NO_GATE])
def test_kept_long_a_cell_forgets_slowly(name: str) -> None:
    def left(longest: int) -> float:
        """Distance of two initial states after 50 steps of zeros."""
        torch.manual_seed(0)
        cell = make(name, IN, 32, "equations")
        if longest:
            chrono_init_(cell, longest)
        cell.eval()
        vectors = int(cell.num_states)  # type: ignore[arg-type]
        starts = [tuple(torch.full((1, 1, 32), value) for _ in range(vectors)) for value in (0.5, -0.5)]
        last = [cell(torch.zeros(50, 1, IN), s if vectors > 1 else s[0])[1] for s in starts]
        ends = [one[-1] if isinstance(one, tuple) else one for one in last]
        return (ends[0] - ends[1]).abs().mean().item()

    assert left(1000) > 0.3
    assert left(1000) > 1.2 * left(0)


@pytest.mark.parametrize("engine", ["equations", "fused"])
def test_shapes_that_do_not_fit_are_refused(engine: Any) -> None:
    cell = make("mgu", IN, H, engine)
    for x in (torch.zeros(T, B, IN + 1), torch.zeros(T, IN), torch.zeros(0, B, IN)):
        with pytest.raises(ShapeError, match=r"expected input \[T, B, 3\]"):
            cell(x)
    with pytest.raises(ShapeError, match=r"expected 1 state\(s\) of shape \[1, 2, 4\], got \[1, 3, 4\]"):
        cell(torch.zeros(T, B, IN), torch.zeros(1, 3, H))
    with pytest.raises(ShapeError, match=r"expected 2 state\(s\)"):
        make("lstm", IN, H, "equations")(torch.zeros(T, B, IN), torch.zeros(1, B, H))


def test_unknown_names_and_sizes_are_refused() -> None:
    with pytest.raises(OptionError, match="there is no cell 'gur'; there are: rnn, lstm"):
        make("gur", 1, 1)
    with pytest.raises(OptionError, match="must be at least 1, got 1 and 0"):
        make("gru", 1, 0)
    with pytest.raises(OptionError, match="no gate"):
        chrono_init_(make("rnn", 1, 1), 10)
    with pytest.raises(OptionError, match="at least 3"):
        chrono_init_(make("gru", 1, 1), 2)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("engine", ["equations", "fused"])
def test_resets_cut_the_sequence(name: str, engine: Any) -> None:
    torch.manual_seed(0)
    cell, x = make(name, 3, 4, engine, dtype=torch.float64).eval(), torch.randn(6, 2, 3, dtype=torch.float64)
    if engine == "fused" and not isinstance(cell, StepwiseCell | GRU):
        return  # torch's own layer
    resets = torch.tensor([0, 0, 1, 0, 1, 0])[:, None].expand(6, 2)
    output, _ = cell(x, resets=resets)
    expected = torch.cat([cell(part)[0] for part in (x[:2], x[2:4], x[4:])])
    torch.testing.assert_close(output, expected)


def test_options_of_the_other_cells() -> None:
    x = torch.randn(5, 2, 3, dtype=torch.float64)
    for name in ("mgu", "ligru", "layernorm-gru"):
        torch.manual_seed(0)
        cell: Any = make(
            name, 3, 4, dtype=torch.float64, candidate_activation="softsign", learn_initial_state=True
        ).eval()
        torch.manual_seed(0)
        usual: Any = make(name, 3, 4, dtype=torch.float64).eval()
        assert not torch.allclose(cell(x)[0], usual(x)[0])
        torch.nn.init.normal_(cell.initial_state)
        start = cell.initial_state.detach().expand(1, 2, 4)
        torch.testing.assert_close(cell(x)[0], cell(x, start)[0])
    equations, fused = (
        make("gru", 3, 4, e, candidate_activation="relu", dtype=torch.float64) for e in get_args(Engine)[::-1]
    )
    equations.load_state_dict(fused.state_dict())
    torch.testing.assert_close(equations(x)[0], fused(x)[0])
    with pytest.raises(OptionError, match="MinGRU has a candidate of its own"):
        make("mingru", 3, 4, candidate_activation="relu")
