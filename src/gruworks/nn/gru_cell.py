"""GRUCell: a subclass of torch.nn.GRUCell with further forms of the unit and resets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from gruworks.errors import ShapeError
from gruworks.nn.compatibility import registries
from gruworks.nn.form import Form, check_dtype, check_state, unit_of_module
from gruworks.nn.functional import run
from gruworks.nn.recurrence import fast_path
from gruworks.nn.recurrence.conditions import Call, Layer, Weights
from gruworks.nn.recurrence.operands import check_beside, check_tensor, step_resets
from gruworks.ops.activations import CandidateActivation, GateActivation, Unit
from gruworks.ops.operands import Operands
from gruworks.ops.weights import GRUWeights, Reset

__all__ = ["GRUCell"]

CELL = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class GRUCell(Form, torch.nn.GRUCell):
    """One step of a GRU, a drop-in replacement of torch.nn.GRUCell, with the further forms of `GRU`.

    >>> cell = GRUCell(3, 4, reset="before")
    >>> cell(torch.zeros(2, 3)).shape                     # [B, I] → [B, H]
    torch.Size([2, 4])

    Args:
        input_size: I, number of input features.
        hidden_size: H, number of features of the state.
        bias: use the bias vectors b_ih and b_hh.
        reset: "after" (PyTorch, the default) or "before" (Cho et al. 2014).
        candidate_activation, gate_activation: as `GRU`.
        learn_initial_state: a parameter `initial_state` [H], zeros at first, is the state where hx isn't given.
        device, dtype: of the parameters, as in torch.nn.GRU.

    Raises:
        ShapeError, DtypeError, OptionError: as `GRU`.
    """

    learn_initial_state: bool = False

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        reset: Reset = "after",
        candidate_activation: CandidateActivation = "tanh",
        gate_activation: GateActivation = "sigmoid",
        learn_initial_state: bool = False,
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self._set_form(reset, candidate_activation, gate_activation)
        self.learn_initial_state = bool(learn_initial_state)
        if learn_initial_state:
            self.initial_state = torch.nn.Parameter(torch.zeros(hidden_size, device=device, dtype=dtype))

    def reset_parameters(self) -> None:
        """Initialize the weights as torch does, and the initial state to 0."""
        super().reset_parameters()
        if self.learn_initial_state:
            torch.nn.init.zeros_(self.initial_state)

    def weights(self) -> GRUWeights:
        """Parameters, not copied."""
        return GRUWeights(
            self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, reset=self.reset,
            candidate_activation=self.candidate_activation, gate_activation=self.gate_activation,
        )  # fmt: skip

    def forward(
        self,
        input: Tensor,  # noqa: A002 (torch's name)
        hx: Tensor | None = None,
        resets: Tensor | Sequence[Any] | None = None,
        reset_state: Tensor | None = None,
    ) -> Tensor:
        """New state.

        Args:
            input: [B, I], or [I] unbatched.
            hx: state [B, H] or [H]; if None, the learnt initial state or zeros.
            resets: bools or numbers, [B] or one: where not 0, `reset_state` takes the place of hx.
            reset_state: [B, H] or [H]; if None, the learnt initial state or zeros.

        Returns:
            The new state [B, H] or [H].

        Raises:
            ShapeError, DtypeError, DeviceError: operands that don't match the weights.
        """
        if self.learn_initial_state and isinstance(input, Tensor):
            learnt = self.initial_state.expand(*input.shape[:-1], -1).contiguous()
            hx, reset_state = learnt if hx is None else hx, learnt if reset_state is None else reset_state
        if resets is not None:
            hx = self._replaced(input, hx, resets, reset_state)
        found = self._fast(input, hx)
        if found is not None:
            return found
        state: Tensor = run(self._call(input, hx))
        return state

    def _replaced(self, x: Tensor, hx: Tensor | None, resets: Any, reset_state: Tensor | None) -> Tensor | None:
        """The state hx, replaced where `resets` is set."""
        self._check(x, hx)
        rows = step_resets(resets, x.shape[:-1], x.device)
        if reset_state is not None:
            check_beside("reset_state", reset_state, self.weight_hh)
            check_state("GRUCell", "reset_state", reset_state, [*x.shape[:-1], self.hidden_size], self.weight_hh)
        if hx is None and reset_state is None:
            return None
        zeros = self.weight_hh.new_zeros(*x.shape[:-1], self.hidden_size)
        old, new = (zeros if state is None else state for state in (hx, reset_state))
        return torch.where(rows[..., None], new, old)

    def _fast(self, x: Any, hx: Any) -> Tensor | None:
        if not isinstance(x, Tensor) or not (hx is None or isinstance(hx, Tensor)):
            return None
        if self.candidate_activation != "tanh" or self.gate_activation != "sigmoid":
            return None
        return fast_path.step(x, hx, *self._weights(), self.reset == "before")

    def _call(self, input: Any, hx: Any = None, *replacing: Any) -> Call:  # noqa: A002 (torch's name)
        """Description of the call for the table of implementations (nn/functional.py)."""
        weights, unit = self._weights(), unit_of_module(self)
        torchs = partial(self._torch_forward, input, hx) if unit == Unit() else None
        return Call("cell", input, hx, [weights], unit, partial(self._over_layers, weights, input, hx), torchs)

    def _weights(self) -> Weights:
        own: dict[str, Any] = self._parameters
        w_ih, w_hh, b_ih, b_hh = (own[name] if name in own else getattr(self, name) for name in CELL)
        return w_ih, w_hh, b_ih, b_hh

    def _over_layers(self, weights: Weights, x: Tensor, hx: Tensor | None, layer: Layer) -> Tensor:
        self._check(x, hx)
        shape = *x.shape[:-1], self.hidden_size
        h0 = None if hx is None else hx.reshape(-1, self.hidden_size)
        _, state = layer(Operands(x.reshape(1, -1, self.input_size), None, h0, *weights), unit_of_module(self), False)
        return state.reshape(shape)

    def _torch_forward(self, x: Tensor, hx: Tensor | None) -> Tensor:
        self._check(x, hx)
        state: Tensor = torch.nn.GRUCell.forward(self, x, hx)
        return state

    def _check(self, input: Tensor, hx: Tensor | None) -> None:  # noqa: A002 (torch's name)
        check_tensor("weight_hh", self.weight_hh)
        for name in CELL:
            if getattr(self, name) is not None:
                check_beside(name, getattr(self, name), self.weight_hh)
                check_dtype("GRUCell", name, getattr(self, name), self.weight_hh)
        check_beside("input", input, self.weight_hh)
        if input.dim() not in (1, 2) or input.shape[-1] != self.input_size:
            size = self.input_size
            raise ShapeError(f"GRUCell expected input [B, {size}], or [{size}] unbatched, got {list(input.shape)}")
        check_dtype("GRUCell", "input", input, self.weight_ih)
        if hx is not None:
            check_beside("hx", hx, self.weight_hh)
            check_state("GRUCell", "hx", hx, [*input.shape[:-1], self.hidden_size], self.weight_ih)


registries.register({GRUCell: torch.nn.GRUCell})
