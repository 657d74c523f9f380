"""Recurrent cells with the signature of torch.nn.GRU: input [T, B, I] and state to outputs [T, B, H] and final state.

`step` implements the equations of each cell's paper; `input_projections` computes the terms that don't depend on the
state, for all time steps at once. RNN, LSTM and GRU have the parameters, names and initialization of torch's layers, so
a state dict loads into either the equations or the fused layer returned by `make(..., engine="fused")`.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import linear, logsigmoid, softplus

from gruworks.errors import OptionError, ShapeError
from gruworks.nn.blocks.augmented_cell import AUGMENTATIONS, AugmentedCell
from gruworks.nn.gru import GRU
from gruworks.nn.recurrence import conditions
from gruworks.nn.recurrence.linear_scan import log_scan
from gruworks.nn.recurrence.operands import check_alike, step_resets
from gruworks.ops import equations
from gruworks.ops.activations import CandidateActivation, activation, check_activations

__all__ = [
    "CELLS",
    "CellType",
    "Engine",
    "StepwiseCell",
    "chrono_init_",
    "describe",
    "hidden_size_for",
    "implementation_of",
    "make",
]

Engine = Literal["fused", "equations"]
State = tuple[Tensor, ...]  # h [B, H] first; LSTM has c too


class StepwiseCell:
    """Base class of cells evaluated one step at a time by torch operations; differentiable to any order.

    Subclasses implement `step`, and `input_projections` unless it is one linear map with a bias.
    """

    num_states = 1  # tensors [B, H] in the state: h, or h and c
    learn_initial_state: bool = False
    initial_state: Tensor
    hidden_size: int
    input_size: int
    weight_ih_l0: Tensor
    weight_hh_l0: Tensor
    bias_ih_l0: Tensor
    bias_hh_l0: Tensor

    def input_projections(self, x: Tensor) -> Tensor:
        """Input projections of all time steps: x [T, B, I] to [T, B, gates·H]."""
        return linear(x, self.weight_ih_l0, self.bias_ih_l0)

    def step(self, gi: Tensor, state: State) -> State:
        """New state, given one step's input projections [B, gates·H] and the previous state."""
        raise NotImplementedError

    def forward(
        self,
        input: Tensor,  # noqa: A002 (torch's name)
        hx: Any = None,
        resets: Any = None,
        reset_state: Any = None,
    ) -> tuple[Tensor, Any]:
        """Output [T, B, H] and final state of x [T, B, I].

        Args:
            input: [T, B, I].
            hx: initial state, [1, B, H] or for LSTM a pair (h, c); zeros if None.
            resets: bools or numbers [T, B]: where not 0, `reset_state` (zeros if None) is the state before the step.
            reset_state: as hx.
        """
        state = self._initial_state(input, hx)
        marks = None if resets is None else step_resets(resets, input.shape[:2], input.device)[..., None]
        fresh = self._initial_state(input, reset_state)
        rows = []
        for t, gi in enumerate(self.input_projections(input).unbind(0)):
            if marks is not None:
                state = tuple(torch.where(marks[t], new, old) for new, old in zip(fresh, state, strict=True))
            state = self.step(gi, state)
            rows.append(state[0])
        final = tuple(part[None] for part in state)
        return torch.stack(rows), final if self.num_states > 1 else final[0]

    def _initial_state(self, x: Tensor, hx: Any) -> State:
        parts = () if hx is None else hx if isinstance(hx, tuple) else (hx,)
        given = {f"hx[{i}]": part for i, part in enumerate(parts)}
        check_alike(input=x, **given, **dict(self.named_parameters()))  # type: ignore[attr-defined]
        if x.dim() != 3 or x.shape[-1] != self.input_size or not len(x):
            raise ShapeError(
                f"{type(self).__name__} expected input [T, B, {self.input_size}] with at least one time step, "
                f"got {list(x.shape)}"
            )
        expected = [x.shape[1], self.hidden_size]
        if hx is None and self.learn_initial_state:
            return (self.initial_state.expand(expected),)
        if hx is None:
            return (x.new_zeros(expected),) * self.num_states
        if len(parts) != self.num_states or any(list(part.shape) != [1, *expected] for part in parts):
            shapes = ", ".join(str(list(part.shape)) for part in parts)
            raise ShapeError(
                f"{type(self).__name__} expected {self.num_states} state(s) of shape {[1, *expected]}, got {shapes}"
            )
        return tuple(part[0] for part in parts)


class RNN(StepwiseCell, torch.nn.RNN):  # type: ignore[misc]
    """The simple recurrent network of Elman 1990: h_t = tanh(W x_t + U h_{t-1} + b).

    >>> RNN(3, 4)(torch.zeros(7, 2, 3))[0].shape
    torch.Size([7, 2, 4])

    Args:
        args, kwargs: those of torch.nn.RNN.

    Raises:
        ShapeError, DtypeError, DeviceError: in the call: an input or state that doesn't match, or no time step.
    """

    def step(self, gi: Tensor, state: State) -> State:
        return (torch.tanh(gi + linear(state[0], self.weight_hh_l0, self.bias_hh_l0)),)


class LSTM(StepwiseCell, torch.nn.LSTM):  # type: ignore[misc]
    """LSTM of Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000, without peepholes.

    i, f, o = σ(W x_t + U h_{t-1} + b), g = tanh(W x_t + U h_{t-1} + b), c_t = f * c_{t-1} + i * g, h_t = o * tanh(c_t).

    >>> output, (h, c) = LSTM(3, 4)(torch.zeros(7, 2, 3))
    >>> c.shape
    torch.Size([1, 2, 4])

    Args:
        args, kwargs: those of torch.nn.LSTM.

    Raises:
        ShapeError, DtypeError, DeviceError: in the call: an input or state that doesn't match, or no time step.
    """

    num_states = 2

    def step(self, gi: Tensor, state: State) -> State:
        h, c = state
        i, f, g, o = (gi + linear(h, self.weight_hh_l0, self.bias_hh_l0)).chunk(4, -1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class GRUEquations(StepwiseCell, GRU):  # type: ignore[misc]
    """The GRU by its reference equations (`ops/equations.py`), in the form given by `reset`."""

    def input_projections(self, x: Tensor) -> Tensor:
        return equations.input_projections(x, self.weights())  # type: ignore[no-any-return]

    def step(self, gi: Tensor, state: State) -> State:
        return (equations.step(gi, state[0], self.weights(), xp=torch),)


class _SingleBiasCell(StepwiseCell, torch.nn.Module):
    """Base class of cells with one bias per gate.

    Parameters: weight_ih_l0 [gates·H, I], weight_hh_l0 [gates·H, H], bias_l0 [gates·H]; with `learn_initial_state`
    initial_state [H]. `candidate_activation` replaces that of the definition.
    """

    gates = 0
    recurrent = True
    biased = True
    candidate_activation: CandidateActivation | None = "tanh"  # None: the definition allows no other

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        device: Any = None,
        dtype: Any = None,
        *,
        candidate_activation: CandidateActivation | None = None,
        learn_initial_state: bool = False,
    ) -> None:
        super().__init__()
        if candidate_activation is not None:
            if self.candidate_activation is None:
                raise OptionError(f"{type(self).__name__} has a candidate of its own: leave out candidate_activation")
            check_activations(candidate_activation, "sigmoid")
            self.candidate_activation = candidate_activation
        self.input_size, self.hidden_size = input_size, hidden_size
        rows, made = self.gates * hidden_size, {"device": device, "dtype": dtype}
        self.weight_ih_l0 = torch.nn.Parameter(torch.empty(rows, input_size, **made))
        if self.recurrent:
            self.weight_hh_l0 = torch.nn.Parameter(torch.empty(rows, hidden_size, **made))
        if self.biased:
            self.bias_l0 = torch.nn.Parameter(torch.empty(rows, **made))
        for parameter in self.parameters():  # the initialization of torch.nn.RNNBase
            torch.nn.init.uniform_(parameter, -(hidden_size**-0.5), hidden_size**-0.5)
        self.learn_initial_state = learn_initial_state
        if learn_initial_state:
            self.initial_state = torch.nn.Parameter(torch.zeros(hidden_size, **made))

    def candidate(self, a: Tensor) -> Tensor:
        """The candidate's activation."""
        if self.candidate_activation == "relu":
            return torch.relu(a)
        return activation(str(self.candidate_activation), a, torch)  # type: ignore[no-any-return]

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}"

    def input_projections(self, x: Tensor) -> Tensor:
        return linear(x, self.weight_ih_l0, self.bias_l0)


class MGU(_SingleBiasCell):
    """The minimal gated unit, Zhou et al. 2016 (arXiv 1603.09420): a single gate is both update and reset gate.

    f_t = σ(W_f [h_{t-1}, x_t] + b_f), h̃_t = tanh(W_h [f_t * h_{t-1}, x_t] + b_h),
    h_t = (1 - f_t) * h_{t-1} + f_t * h̃_t.

    >>> MGU(3, 4)(torch.zeros(7, 2, 3))[0].shape
    torch.Size([7, 2, 4])

    Args:
        input_size: I, number of input features.
        hidden_size: H, number of features of the state.
        candidate_activation, learn_initial_state: as `gruworks.GRU`.
        device, dtype: of the parameters.

    Raises:
        ShapeError, DtypeError, DeviceError: in the call: an input or state that doesn't match, or no time step.
    """

    gates = 2

    def step(self, gi: Tensor, state: State) -> State:
        (h,) = state
        x_f, x_n = gi.chunk(2, -1)
        U_f, U_n = self.weight_hh_l0.chunk(2)
        f = torch.sigmoid(x_f + linear(h, U_f))
        n = self.candidate(x_n + linear(f * h, U_n))
        return ((1 - f) * h + f * n,)


class LiGRU(_SingleBiasCell):
    """The light GRU, Ravanelli et al. 2018 (arXiv 1803.10225): no reset gate, ReLU, batch-normalized input
    projections.

    z_t = σ(BN(W_z x_t) + U_z h_{t-1}), h̃_t = ReLU(BN(W_h x_t) + U_h h_{t-1}), h_t = z_t * h_{t-1} + (1 - z_t) * h̃_t.
    Batch statistics are computed over all time steps and rows of the batch, including padding; BN holds the biases.

    >>> LiGRU(3, 4)(torch.randn(7, 2, 3))[0].shape
    torch.Size([7, 2, 4])

    Args:
        input_size: I, number of input features.
        hidden_size: H, number of features of the state.
        device, dtype: of the parameters.

    Raises:
        ShapeError, DtypeError, DeviceError: in the call: an input or state that doesn't match, or no time step.
    """

    gates, biased = 2, False
    candidate_activation: CandidateActivation | None = "relu"

    def __init__(
        self, input_size: int, hidden_size: int, device: Any = None, dtype: Any = None, **options: Any
    ) -> None:
        super().__init__(input_size, hidden_size, device, dtype, **options)
        self.norm = torch.nn.BatchNorm1d(2 * hidden_size, momentum=0.05, device=device, dtype=dtype)

    def input_projections(self, x: Tensor) -> Tensor:
        products = linear(x, self.weight_ih_l0)
        normed: Tensor = self.norm(products.flatten(0, 1))
        return normed.view_as(products)

    def step(self, gi: Tensor, state: State) -> State:
        (h,) = state
        a_z, a_n = (gi + linear(h, self.weight_hh_l0)).chunk(2, -1)
        z = torch.sigmoid(a_z)
        return (z * h + (1 - z) * self.candidate(a_n),)


class MinGRU(_SingleBiasCell):
    """minGRU, Feng et al. 2024 (arXiv 2410.01201), in its log-space form: gate and candidate depend on the input only.

    z_t = σ(W_z x_t), h̃_t = g(W_h x_t), h_t = (1 - z_t) * h_{t-1} + z_t * h̃_t, with g(a) = a + 0.5 for a >= 0 and
    σ(a) otherwise. `forward` computes a sequence by a parallel scan; `step` is one step of the same recurrence.

    >>> MinGRU(3, 4)(torch.zeros(7, 2, 3))[0].shape
    torch.Size([7, 2, 4])

    Args:
        input_size: I, number of input features.
        hidden_size: H, number of features of the state.
        candidate_activation, learn_initial_state: as `gruworks.GRU`.
        device, dtype: of the parameters.

    Raises:
        ShapeError, DtypeError, DeviceError: in the call: an input or state that doesn't match, or no time step.
    """

    gates, recurrent = 2, False
    candidate_activation: CandidateActivation | None = None

    def step(self, gi: Tensor, state: State) -> State:
        a_z, a_n = gi.chunk(2, -1)
        z = torch.sigmoid(a_z)
        n = torch.where(a_n >= 0, a_n + 0.5, torch.sigmoid(a_n))
        return ((1 - z) * state[0] + z * n,)

    def forward(
        self,
        input: Tensor,  # noqa: A002 (torch's name)
        hx: Any = None,
        resets: Any = None,
        reset_state: Any = None,
    ) -> tuple[Tensor, Any]:
        if resets is not None:
            return StepwiseCell.forward(self, input, hx, resets, reset_state)
        (h,) = self._initial_state(input, hx)
        a_z, a_n = self.input_projections(input).chunk(2, -1)
        log_n = torch.where(a_n >= 0, (torch.relu(a_n) + 0.5).log(), logsigmoid(a_n))
        output = log_scan(-softplus(a_z), logsigmoid(a_z) + log_n, h)
        return output, output[-1:]


class LayerNormGRU(_SingleBiasCell):
    """The layer-normalized GRU of Ba et al. 2016 (arXiv 1607.06450), equations of its supplementary material.

    (z_t, r_t) = σ(LN(W_h h_{t-1}) + LN(W_x x_t)), ĥ_t = tanh(LN(W x_t) + r_t * LN(U h_{t-1})),
    h_t = (1 - z_t) * h_{t-1} + z_t * ĥ_t; z and r share one normalization; each LN has a gain and a bias.

    >>> LayerNormGRU(3, 4)(torch.zeros(7, 2, 3))[0].shape
    torch.Size([7, 2, 4])

    Args:
        input_size: I, number of input features.
        hidden_size: H, number of features of the state.
        device, dtype: of the parameters.

    Raises:
        ShapeError, DtypeError, DeviceError: in the call: an input or state that doesn't match, or no time step.
    """

    gates, biased = 3, False
    norm_x_gates: torch.nn.LayerNorm
    norm_x_candidate: torch.nn.LayerNorm
    norm_h_gates: torch.nn.LayerNorm
    norm_h_candidate: torch.nn.LayerNorm

    def __init__(
        self, input_size: int, hidden_size: int, device: Any = None, dtype: Any = None, **options: Any
    ) -> None:
        super().__init__(input_size, hidden_size, device, dtype, **options)
        for name, width in (("x_gates", 2), ("x_candidate", 1), ("h_gates", 2), ("h_candidate", 1)):
            self.add_module(f"norm_{name}", torch.nn.LayerNorm(width * hidden_size, device=device, dtype=dtype))

    def input_projections(self, x: Tensor) -> Tensor:
        gates, candidate = self._parts(linear(x, self.weight_ih_l0))
        return torch.cat([self.norm_x_gates(gates), self.norm_x_candidate(candidate)], -1)

    def step(self, gi: Tensor, state: State) -> State:
        (h,) = state
        x_gates, x_n = self._parts(gi)
        h_gates, h_n = self._parts(linear(h, self.weight_hh_l0))
        z, r = torch.sigmoid(x_gates + self.norm_h_gates(h_gates)).chunk(2, -1)
        n = self.candidate(x_n + r * self.norm_h_candidate(h_n))
        return ((1 - z) * h + z * n,)

    def _parts(self, a: Tensor) -> tuple[Tensor, Tensor]:
        return a[..., : 2 * self.hidden_size], a[..., 2 * self.hidden_size :]


class CellType(NamedTuple):
    """Implementations of a cell by equations and as a fused layer (None if there is none), and its description."""

    equations: Any
    fused: Any
    description: str


CELLS = {
    "rnn": CellType(RNN, torch.nn.RNN, "plain tanh RNN, Elman 1990"),
    "lstm": CellType(LSTM, torch.nn.LSTM, "LSTM, Hochreiter and Schmidhuber 1997, Gers et al. 2000"),
    "gru": CellType(GRUEquations, GRU, "GRU, reset after the product (PyTorch, cuDNN)"),
    "gru-before": CellType(
        partial(GRUEquations, reset="before"), partial(GRU, reset="before"),
        "GRU, reset before the product, Cho et al. 2014",
    ),
    "mgu": CellType(MGU, None, "minimal gated unit, Zhou et al. 2016"),
    "ligru": CellType(LiGRU, None, "light GRU, Ravanelli et al. 2018"),
    "mingru": CellType(MinGRU, None, "minGRU, Feng et al. 2024"),
    "layernorm-gru": CellType(LayerNormGRU, None, "layer-normalised GRU, Ba et al. 2016"),
}  # fmt: skip

# Gate biases set by chrono initialization: parameter, index of the block of H rows, sign of the bias.
CHRONO: dict[type, tuple[tuple[str, int, int], ...]] = {
    torch.nn.LSTM: (("bias_ih_l0", 1, 1), ("bias_ih_l0", 0, -1)),
    torch.nn.GRU: (("bias_ih_l0", 1, 1),),
    LiGRU: (("norm.bias", 0, 1),),
    LayerNormGRU: (("norm_x_gates.bias", 0, -1),),
    MGU: (("bias_l0", 0, -1),),
    MinGRU: (("bias_l0", 0, -1),),
}


def make(name: str, input_size: int, hidden_size: int, engine: Engine = "fused", **options: Any) -> torch.nn.Module:
    """A recurrent cell by name, optionally with an augmentation: "gru", "gru+convolution", "lstm+attention".

    >>> output, state = make("mgu", 3, 4)(torch.zeros(7, 2, 3))
    >>> output.shape, state.shape
    (torch.Size([7, 2, 4]), torch.Size([1, 2, 4]))

    Args:
        name: a key of CELLS, or one followed by "+" and a key of `augmented_cell.AUGMENTATIONS`.
        input_size: I, number of input features.
        hidden_size: H.
        engine: "fused" for the fused layer where one exists, "equations" for the cell evaluated step by step.
        options: of the cell: `device`, `dtype`, and where its definition allows `candidate_activation`,
            `learn_initial_state` and those of `gruworks.GRU`.

    Returns:
        A module that maps input [T, B, I] and an optional state to output [T, B, H] and the final state.

    Raises:
        OptionError: the name is unknown or a size is below 1.
    """
    describe(name)
    if input_size < 1 or hidden_size < 1:
        raise OptionError(f"input_size and hidden_size must be at least 1, got {input_size} and {hidden_size}")
    base, _, augmentation = name.partition("+")
    kind = CELLS[base]
    made = kind.fused if engine == "fused" and kind.fused is not None else kind.equations
    reads = hidden_size if augmentation == "convolution" else input_size
    cell: torch.nn.Module = made(reads, hidden_size, **options)
    return AugmentedCell(cell, input_size, augmentation, **options) if augmentation else cell


def describe(name: str) -> str:
    """Description of a cell and its source.

    >>> describe("gru+convolution")
    'GRU, reset after the product (PyTorch, cuDNN); a causal convolution over 4 steps before it'

    Raises:
        OptionError: the cell or its augmentation is unknown.
    """
    base, joins, augmentation = name.partition("+")
    if base not in CELLS or (joins and augmentation not in AUGMENTATIONS):
        ends = " or ".join(f"+{one}" for one in AUGMENTATIONS)
        raise OptionError(f"there is no cell {name!r}; there are: {', '.join(CELLS)}, each optionally with {ends}")
    return CELLS[base].description + (f"; {AUGMENTATIONS[augmentation]}" if augmentation else "")


def implementation_of(cell: torch.nn.Module) -> str:
    """Description of the implementation that computes a cell on its current device."""
    if isinstance(cell, AugmentedCell):
        return f"{implementation_of(cell.cell)}, block in torch"
    if isinstance(cell, MinGRU):
        return "native scan" if conditions.supported(cell.weight_ih_l0) else "scan in torch"
    if isinstance(cell, StepwiseCell):
        return "equations in torch, step by step"
    if isinstance(cell, GRU):
        return "native kernel" if conditions.supported(next(cell.parameters())) else "torch's fused layer or equations"
    return "torch's fused layer"


def hidden_size_for(name: str, input_size: int, parameters: int, outputs: int = 0) -> int:
    """The hidden size H at which a cell with a linear output layer of `outputs` units is closest to `parameters`.

    >>> [hidden_size_for(name, 88, 20_000, 88) for name in ("gru", "rnn", "lstm")]
    [41, 78, 34]
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
def chrono_init_(cell: torch.nn.Module, t_max: int) -> None:
    """Chrono initialization of the gate biases, in place, for dependencies of up to `t_max` steps.

    Forget gates and update gates that keep the state get log(u), u ~ U(1, t_max - 1); input gates and update gates
    that replace it get -log(u). Tallec and Ollivier 2018 (arXiv 1804.11188).

    >>> cell = make("gru", 3, 4)
    >>> chrono_init_(cell, t_max=100)

    Raises:
        OptionError: the cell has no gates (plain RNN), or `t_max` is below 3.
    """
    if t_max < 3:
        raise OptionError(f"t_max must be at least 3 steps, got {t_max}")
    if isinstance(cell, AugmentedCell):
        chrono_init_(cell.cell, t_max)
        return
    gates = next((gates for kind, gates in CHRONO.items() if isinstance(cell, kind)), None)
    if gates is None:
        raise OptionError(f"{type(cell).__name__} has no gate bias for chrono initialization")
    H: int = cell.hidden_size  # type: ignore[assignment]
    bias = torch.empty(H).uniform_(1, t_max - 1).log()
    own = dict(cell.named_parameters())
    for name, block, sign in gates:
        rows = slice(block * H, (block + 1) * H)
        own[name][rows] = sign * bias
        if name == "bias_ih_l0":
            own["bias_hh_l0"][rows] = 0
