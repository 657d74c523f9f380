"""Recurrent cells under GRU's signature: x [T, B, I] and a state in, every output [T, B, H] and the last state out.

Each is written as its paper's equations, a line an equation, in `step`; `terms` holds what does not wait for the state.
The plain RNN, the LSTM and the GRU keep the parameters, names and initialisation of torch's layers, so that a state
dict moves between the equations and the fused layer that `make(..., engine="fused")` gives.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear, logsigmoid, softplus

from gruworks.errors import OptionError, ShapeError
from gruworks.nn.blocks.augmented_cell import JOINS, Joined
from gruworks.nn.gru import GRU
from gruworks.nn.recurrence import conditions
from gruworks.nn.recurrence.linear_scan import log_scan
from gruworks.nn.recurrence.operands import check_alike
from gruworks.ops import equations

__all__ = ["CELLS", "Engine", "Kind", "Steps", "about", "engine_of", "keep_long", "make", "width_for"]

Engine = Literal["fused", "equations"]
State = tuple[Tensor, ...]  # h [B, H] first; LSTM has c too


class Steps:
    """One step after the other in torch: what a cell adds is `terms` and `step`. Differentiable to any order."""

    vectors = 1  # of H entries in the full state: h, or h and c
    hidden_size: int
    input_size: int
    weight_ih_l0: Tensor
    weight_hh_l0: Tensor
    bias_ih_l0: Tensor
    bias_hh_l0: Tensor

    def terms(self, x: Tensor) -> Tensor:
        """What every step needs of its input, at once: [T, B, I] to [T, B, gates·H]."""
        raise NotImplementedError

    def step(self, term: Tensor, state: State) -> State:
        """The state after one step, from its input terms [B, gates·H] and the state before it."""
        raise NotImplementedError

    def forward(self, input: Tensor, hx: Any = None) -> tuple[Tensor, Any]:  # noqa: A002 (torch's name)
        """x [T, B, I] and the state, [1, B, H] or for LSTM a pair of them (zeros if none), to output and last state."""
        state = self._start(input, hx)
        rows = []
        for term in self.terms(input).unbind(0):
            state = self.step(term, state)
            rows.append(state[0])
        return torch.stack(rows), self._give(state)

    def _start(self, x: Tensor, hx: Any) -> State:
        parts = () if hx is None else hx if isinstance(hx, tuple) else (hx,)
        given = {f"hx[{i}]": part for i, part in enumerate(parts)}
        check_alike(input=x, **given, **dict(self.named_parameters()))  # type: ignore[attr-defined]
        if x.dim() != 3 or x.shape[-1] != self.input_size or not len(x):
            raise ShapeError(
                f"{type(self).__name__} expected input [T, B, {self.input_size}] of at least one step, "
                f"got {list(x.shape)}"
            )
        expected = [x.shape[1], self.hidden_size]
        if hx is None:
            return (x.new_zeros(expected),) * self.vectors
        if len(parts) != self.vectors or any(list(part.shape) != [1, *expected] for part in parts):
            shapes = ", ".join(str(list(part.shape)) for part in parts)
            raise ShapeError(
                f"{type(self).__name__} expected a state of {self.vectors} × {[1, *expected]}, got {shapes}"
            )
        return tuple(part[0] for part in parts)

    def _give(self, state: State) -> Any:
        return state[0][None] if self.vectors == 1 else tuple(part[None] for part in state)


class RNN(Steps, torch.nn.RNN):  # type: ignore[misc]
    """The plain unit, Elman 1990: h_t = tanh(W x_t + U h_{t-1} + b).

    >>> RNN(3, 4)(torch.zeros(7, 2, 3))[0].shape
    torch.Size([7, 2, 4])
    """

    def terms(self, x: Tensor) -> Tensor:
        return linear(x, self.weight_ih_l0, self.bias_ih_l0)

    def step(self, term: Tensor, state: State) -> State:
        return (torch.tanh(term + linear(state[0], self.weight_hh_l0, self.bias_hh_l0)),)


class LSTM(Steps, torch.nn.LSTM):  # type: ignore[misc]
    """Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000, without peepholes.

    i, f, o = σ(W x_t + U h_{t-1} + b), g = tanh(W x_t + U h_{t-1} + b), c_t = f * c_{t-1} + i * g, h_t = o * tanh(c_t).

    >>> output, (h, c) = LSTM(3, 4)(torch.zeros(7, 2, 3))
    >>> c.shape
    torch.Size([1, 2, 4])
    """

    vectors = 2

    def terms(self, x: Tensor) -> Tensor:
        return linear(x, self.weight_ih_l0, self.bias_ih_l0)

    def step(self, term: Tensor, state: State) -> State:
        h, c = state
        i, f, g, o = (term + linear(h, self.weight_hh_l0, self.bias_hh_l0)).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class GRUAfter(Steps, GRU):  # type: ignore[misc]
    """The GRU with the reset gate after the matrix product, as PyTorch and cuDNN have it (`ops/equations.py`)."""

    def terms(self, x: Tensor) -> Tensor:
        return equations.input_projections(x, self.weights())  # type: ignore[no-any-return]

    def step(self, term: Tensor, state: State) -> State:
        return (equations.step(term, state[0], self.weights(), xp=torch),)


class GRUBefore(GRUAfter):
    """The GRU of Cho et al. 2014, the reset gate before the matrix product (`ops/equations.py`)."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options, reset="before")


class _Own(Steps, torch.nn.Module):
    """A cell with one bias a gate: weight_ih_l0 [gates·H, I], weight_hh_l0 [gates·H, H], bias_l0 [gates·H]."""

    gates = 0
    recurrent = True
    biased = True

    def __init__(self, input_size: int, hidden_size: int, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        rows, made = self.gates * hidden_size, {"device": device, "dtype": dtype}
        self.weight_ih_l0 = torch.nn.Parameter(torch.empty(rows, input_size, **made))
        if self.recurrent:
            self.weight_hh_l0 = torch.nn.Parameter(torch.empty(rows, hidden_size, **made))
        if self.biased:
            self.bias_l0 = torch.nn.Parameter(torch.empty(rows, **made))
        for parameter in self.parameters():  # as torch's layers start
            torch.nn.init.uniform_(parameter, -(hidden_size**-0.5), hidden_size**-0.5)

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}"

    def terms(self, x: Tensor) -> Tensor:
        return linear(x, self.weight_ih_l0, self.bias_l0)


class MGU(_Own):
    """The minimal gated unit, Zhou et al. 2016 (arXiv 1603.09420): one gate serves as update and reset gate.

    f_t = σ(W_f [h_{t-1}, x_t] + b_f), h̃_t = tanh(W_h [f_t * h_{t-1}, x_t] + b_h),
    h_t = (1 - f_t) * h_{t-1} + f_t * h̃_t.

    >>> MGU(3, 4)(torch.zeros(7, 2, 3))[0].shape
    torch.Size([7, 2, 4])
    """

    gates = 2

    def step(self, term: Tensor, state: State) -> State:
        (h,) = state
        x_f, x_n = term.chunk(2, -1)
        U_f, U_n = self.weight_hh_l0.chunk(2)
        f = torch.sigmoid(x_f + linear(h, U_f))
        n = torch.tanh(x_n + linear(f * h, U_n))
        return ((1 - f) * h + f * n,)


class LiGRU(_Own):
    """The light GRU, Ravanelli et al. 2018 (arXiv 1803.10225): no reset gate, ReLU, batch-normalised input terms.

    z_t = σ(BN(W_z x_t) + U_z h_{t-1}), h̃_t = ReLU(BN(W_h x_t) + U_h h_{t-1}), h_t = z_t * h_{t-1} + (1 - z_t) * h̃_t.
    The normalisation takes every step and row of a training batch as its samples, padding too, and has the biases.

    >>> LiGRU(3, 4)(torch.randn(7, 2, 3))[0].shape
    torch.Size([7, 2, 4])
    """

    gates, biased = 2, False

    def __init__(self, input_size: int, hidden_size: int, device: Any = None, dtype: Any = None) -> None:
        super().__init__(input_size, hidden_size, device, dtype)
        self.norm = torch.nn.BatchNorm1d(2 * hidden_size, momentum=0.05, device=device, dtype=dtype)

    def terms(self, x: Tensor) -> Tensor:
        products = linear(x, self.weight_ih_l0)
        normed: Tensor = self.norm(products.flatten(0, 1))
        return normed.view_as(products)

    def step(self, term: Tensor, state: State) -> State:
        (h,) = state
        a_z, a_n = (term + linear(h, self.weight_hh_l0)).chunk(2, -1)
        z = torch.sigmoid(a_z)
        return (z * h + (1 - z) * torch.relu(a_n),)


class MinGRU(_Own):
    """minGRU, Feng et al. 2024 (arXiv 2410.01201), in its log-space form: gate and candidate see the input alone.

    z_t = σ(W_z x_t), h̃_t = g(W_h x_t), h_t = (1 - z_t) * h_{t-1} + z_t * h̃_t, with g(a) = a + 0.5 from 0 on and σ(a)
    below. A whole sequence is one parallel scan; `step` is the same recurrence.

    >>> MinGRU(3, 4)(torch.zeros(7, 2, 3))[0].shape
    torch.Size([7, 2, 4])
    """

    gates, recurrent = 2, False

    def step(self, term: Tensor, state: State) -> State:
        a_z, a_n = term.chunk(2, -1)
        z = torch.sigmoid(a_z)
        n = torch.where(a_n >= 0, a_n + 0.5, torch.sigmoid(a_n))
        return ((1 - z) * state[0] + z * n,)

    def forward(self, input: Tensor, hx: Any = None) -> tuple[Tensor, Any]:  # noqa: A002 (torch's name)
        (h,) = self._start(input, hx)
        a_z, a_n = self.terms(input).chunk(2, -1)
        log_n = torch.where(a_n >= 0, (torch.relu(a_n) + 0.5).log(), logsigmoid(a_n))
        output = log_scan(-softplus(a_z), logsigmoid(a_z) + log_n, h)
        return output, output[-1:]


class LayerNormGRU(_Own):
    """The layer-normalised GRU of Ba et al. 2016 (arXiv 1607.06450), the GRU's equations in its supplement.

    (z_t, r_t) = σ(LN(W_h h_{t-1}) + LN(W_x x_t)), ĥ_t = tanh(LN(W x_t) + r_t * LN(U h_{t-1})),
    h_t = (1 - z_t) * h_{t-1} + z_t * ĥ_t; z and r share a norm, each norm has a gain and a bias.

    >>> LayerNormGRU(3, 4)(torch.zeros(7, 2, 3))[0].shape
    torch.Size([7, 2, 4])
    """

    gates, biased = 3, False
    norm_x_gates: torch.nn.LayerNorm
    norm_x_candidate: torch.nn.LayerNorm
    norm_h_gates: torch.nn.LayerNorm
    norm_h_candidate: torch.nn.LayerNorm

    def __init__(self, input_size: int, hidden_size: int, device: Any = None, dtype: Any = None) -> None:
        super().__init__(input_size, hidden_size, device, dtype)
        for name, width in (("x_gates", 2), ("x_candidate", 1), ("h_gates", 2), ("h_candidate", 1)):
            self.add_module(f"norm_{name}", torch.nn.LayerNorm(width * hidden_size, device=device, dtype=dtype))

    def terms(self, x: Tensor) -> Tensor:
        gates, candidate = self._parts(linear(x, self.weight_ih_l0))
        return torch.cat([self.norm_x_gates(gates), self.norm_x_candidate(candidate)], -1)

    def step(self, term: Tensor, state: State) -> State:
        (h,) = state
        x_gates, x_n = self._parts(term)
        h_gates, h_n = self._parts(linear(h, self.weight_hh_l0))
        z, r = torch.sigmoid(x_gates + self.norm_h_gates(h_gates)).chunk(2, -1)
        n = torch.tanh(x_n + r * self.norm_h_candidate(h_n))
        return ((1 - z) * h + z * n,)

    def _parts(self, a: Tensor) -> tuple[Tensor, Tensor]:
        return a[..., : 2 * self.hidden_size], a[..., 2 * self.hidden_size :]


class Kind(NamedTuple):
    """A cell by name: its equations, the fused layer where there is one, and whose it is."""

    equations: Any
    fused: Any
    source: str


def _gru_before(*args: Any, **options: Any) -> GRU:
    return GRU(*args, **options, reset="before")


CELLS = {
    "rnn": Kind(RNN, torch.nn.RNN, "plain tanh RNN, Elman 1990"),
    "lstm": Kind(LSTM, torch.nn.LSTM, "LSTM, Hochreiter and Schmidhuber 1997, Gers et al. 2000"),
    "gru": Kind(GRUAfter, GRU, "GRU, reset after the product (PyTorch, cuDNN)"),
    "gru-before": Kind(GRUBefore, _gru_before, "GRU, reset before the product, Cho et al. 2014"),
    "mgu": Kind(MGU, None, "minimal gated unit, Zhou et al. 2016"),
    "ligru": Kind(LiGRU, None, "light GRU, Ravanelli et al. 2018"),
    "mingru": Kind(MinGRU, None, "minGRU, Feng et al. 2024"),
    "layernorm-gru": Kind(LayerNormGRU, None, "layer-normalised GRU, Ba et al. 2016"),
}


def make(name: str, input_size: int, hidden_size: int, engine: Engine = "fused", **options: Any) -> torch.nn.Module:
    """The cell `name` of CELLS; "fused" takes the fused layer where there is one and the equations elsewhere.

    A name may carry a block of `nn.joined`: "gru+convolution", "lstm+attention".

    >>> output, state = make("mgu", 3, 4)(torch.zeros(7, 2, 3))
    >>> output.shape, state.shape
    (torch.Size([7, 2, 4]), torch.Size([1, 2, 4]))

    Args:
        input_size: I. hidden_size: H. options: `device`, `dtype`.

    Raises:
        OptionError: a name that isn't in CELLS, sizes below 1.
    """
    about(name)
    if input_size < 1 or hidden_size < 1:
        raise OptionError(f"a cell has at least one input and one unit, not {input_size} and {hidden_size}")
    base, _, join = name.partition("+")
    kind = CELLS[base]
    made = kind.fused if engine == "fused" and kind.fused is not None else kind.equations
    reads = hidden_size if join == "convolution" else input_size
    cell: torch.nn.Module = made(reads, hidden_size, **options)
    return Joined(cell, input_size, join, **options) if join else cell


def about(name: str) -> str:
    """What a cell is and whose, in words.

    >>> about("gru+convolution")
    'GRU, reset after the product (PyTorch, cuDNN); a causal convolution over 4 steps before it'

    Raises:
        OptionError: a name that isn't in CELLS, or what follows its + isn't in JOINS.
    """
    base, joins, join = name.partition("+")
    if base not in CELLS or (joins and join not in JOINS):
        ends = ", ".join(f"+{one}" for one in JOINS)
        raise OptionError(f"there is no cell {name!r}; there are: {', '.join(CELLS)}, each also with {ends}")
    return CELLS[base].source + (f"; {JOINS[join]}" if join else "")


def engine_of(cell: torch.nn.Module) -> str:
    """What runs a cell on its present device, in words."""
    if isinstance(cell, Joined):
        return f"{engine_of(cell.cell)}, block in torch"
    if isinstance(cell, MinGRU):
        return "native scan" if conditions.serves(cell.weight_ih_l0) else "scan in torch"
    if isinstance(cell, Steps):
        return "equations in torch, step by step"
    if isinstance(cell, GRU):
        return "native kernel" if conditions.serves(next(cell.parameters())) else "torch's fused layer or equations"
    return "torch's fused layer"


def width_for(name: str, input_size: int, parameters: int, outputs: int = 0) -> int:
    """The H at which a cell, with a linear readout of `outputs`, comes nearest to `parameters`.

    >>> width_for("gru", 88, 20_000, 88), width_for("rnn", 88, 20_000, 88), width_for("lstm", 88, 20_000, 88)
    (41, 76, 34)
    """

    def count(H: int) -> int:
        return sum(p.numel() for p in make(name, input_size, H, device="meta").parameters()) + outputs * (H + 1)

    low, high = 1, 2
    while count(high) < parameters:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) < parameters else (low, middle)
    return min((low, high), key=lambda H: abs(count(H) - parameters))


@torch.no_grad()
def keep_long(cell: torch.nn.Module, longest: int) -> None:
    """Set the gates' biases so that the units start with memories spread up to `longest` steps.

    The chrono initialisation of Tallec and Ollivier 2018 (arXiv 1804.11188): a gate that keeps starts at log(u), u
    uniform in 1 to longest - 1; a gate that replaces at -log(u), so does LSTM's input gate. The plain RNN has no gate.

    Raises:
        OptionError: the cell has no gate to set, or `longest` is below 3.
    """
    if longest < 3:
        raise OptionError(f"a long memory is at least 3 steps, not {longest}")
    if isinstance(cell, Joined):
        keep_long(cell.cell, longest)
        return
    H: int = cell.hidden_size  # type: ignore[assignment]
    bias = torch.empty(H).uniform_(1, longest - 1).log()
    own = dict(cell.named_parameters())
    if isinstance(cell, torch.nn.LSTM):
        _put(own, slice(H, 2 * H), bias)
        _put(own, slice(0, H), -bias)
    elif isinstance(cell, torch.nn.GRU):
        _put(own, slice(H, 2 * H), bias)
    elif isinstance(cell, LiGRU):
        own["norm.bias"][:H] = bias
    elif isinstance(cell, LayerNormGRU):
        own["norm_x_gates.bias"][:H] = -bias
    elif isinstance(cell, MGU | MinGRU):
        own["bias_l0"][:H] = -bias
    else:
        raise OptionError(f"{type(cell).__name__} has no gate whose bias could keep")


def _put(own: dict[str, Any], rows: slice, bias: Tensor) -> None:
    own["bias_ih_l0"][rows] = bias
    own["bias_hh_l0"][rows] = 0
