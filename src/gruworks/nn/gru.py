"""GRU and GRUCell: subclasses of torch.nn.GRU and GRUCell with both reset forms, ragged batches and regularization.

Arguments, shapes, state_dict keys and results are torch's. A module in the "before" form has an additional buffer,
`reset_before`, so that torch rejects its state dict and it rejects torch's.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from gruworks.errors import DtypeError, OptionError, ShapeError, WeightsError
from gruworks.nn.compatibility import registries
from gruworks.nn.compatibility.onnx_nodes import refuse_packed
from gruworks.nn.compatibility.torch_module import as_torch_module
from gruworks.nn.functional import run
from gruworks.nn.recurrence import dynamo, fast_path, nested, packing
from gruworks.nn.recurrence.checkpointing import check as check_recompute
from gruworks.nn.recurrence.conditions import (
    PLAIN,
    Call,
    Layer,
    Recompute,
    Weights,
    eager,
    expanded,
    half,
    jit_traced,
    supported,
)
from gruworks.nn.recurrence.operands import autocast, check, check_beside, check_tensor, row_lengths
from gruworks.nn.recurrence.regularization import Regularization, drop_weights, gain_names
from gruworks.nn.recurrence.stack import stack
from gruworks.ops.operands import Operands
from gruworks.ops.weights import GRUWeights, Reset, check_reset, parameter_names

__all__ = ["GRU", "GRUCell"]

MARK = "reset_before"
Stack = Callable[[list[Tensor], Sequence[Tensor | None], Sequence[Tensor | None]], tuple[list[Tensor], Tensor]]
_TorchGRU = torch.nn.GRU  # instead of super(), for classes built from copies of these methods (torchrl)


class _ResetForm(torch.nn.Module):
    """Base of GRU and GRUCell: the reset form in repr and state dict."""

    reset: Reset = "after"  # class attribute, for instances whose class `replace` has changed

    def _set_reset(self, reset: str) -> None:
        self.reset = check_reset(reset)
        mark_as_fx_leaf(self)
        if reset == "before":
            self.register_buffer(MARK, torch.tensor(True))

    def __prepare_scriptable__(self) -> torch.nn.Module:
        """Equivalent torch module with the same parameters, for torch.jit.script."""
        own = type(self).__module__ == __name__  # subclasses in other modules may override methods
        return as_torch_module(self, "torch.jit.script") if own else self

    def extra_repr(self) -> str:
        return super().extra_repr() + _form(self)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        own = any(key.startswith(f"{prefix}weight_hh") for key in state_dict)
        marked = f"{prefix}{MARK}" in state_dict
        if own and marked != (self.reset == "before"):
            theirs = "before" if marked else "after"
            raise WeightsError(
                f"the state dict at {prefix or 'its root'!r} holds weights of the reset='{theirs}' form and this "
                f"{type(self).__name__} is reset='{self.reset}'. The two are different functions and do not convert: "
                f"make the module with reset='{theirs}'"
            )
        super()._load_from_state_dict(state_dict, prefix, *args)


def _form(module: Any) -> str:
    return ", reset='before'" if module.reset == "before" else ""


class GRU(_ResetForm, torch.nn.GRU):
    """Gated recurrent unit, a drop-in replacement of torch.nn.GRU, with three additions.

    >>> gru = GRU(3, 4)
    >>> output, h_n = gru(torch.zeros(7, 2, 3))          # [T, B, I]
    >>> output.shape, h_n.shape
    (torch.Size([7, 2, 4]), torch.Size([1, 2, 4]))

    - `reset="before"`: the reset gate multiplies the state before the matrix product (Cho et al. 2014), instead of
      the product (`"after"`, PyTorch and cuDNN, the default). Weights of the two forms aren't interchangeable.
    - `lengths=[...]` in the call: ragged batches without packing. Outputs beyond a row's length are 0, its final state
      is the one after its last valid step, where the reverse direction starts, and length 0 gives h0. Padding (NaN
      included) affects neither results nor gradients.
    - Regularization inside the recurrence: DropConnect, recurrent dropout, zoneout, layer norm.

    Args:
        input_size: I, number of input features.
        hidden_size: H, number of features of the state.
        num_layers: L, number of stacked layers.
        bias: use the bias vectors b_ih and b_hh.
        batch_first: input and output are [B, T, ...] instead of [T, B, ...]; states are [L·D, B, H] in both cases.
        dropout: dropout probability between layers in training; random numbers differ from torch's.
        bidirectional: D = 2 directions, outputs concatenated.
        reset: "after" or "before".
        recompute: activation checkpointing over time (nn/recurrence/checkpointing.py): the number of steps of a
            segment, True to choose it by T, B and H, or False.
        weight_dropout: dropout probability of the recurrent weights, one mask per call (Merity et al. 2018).
        recurrent_dropout: dropout probability of the state in matrix products, one mask for all steps of a row (Gal and
            Ghahramani 2016).
        zoneout: probability that an element of the state keeps its value at a step (Krueger et al. 2017).
        layer_norm: layer normalization of input and recurrent projections, gate by gate, before the biases (Ba et al.
            2016), with gains `norm_ih_l0`, `norm_hh_l0` [3H] and so on.

    Raises:
        ShapeError: the shape of input, state or `lengths` doesn't match; a ValueError and a RuntimeError.
        DtypeError: input or state of another type than the weights.
        OptionError: an unknown `reset` or `recompute`, or a probability outside [0, 1).
    """

    reset: Reset = "after"  # repeated, because torchrl copies the attributes of this class
    recompute: Recompute = False  # class attribute, as `reset`
    regularization: Regularization | None = None

    def __init_subclass__(cls, **given: Any) -> None:
        super().__init_subclass__(**given)
        dynamo.admit_subclass(cls)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        device: Any = None,
        dtype: Any = None,
        *,
        reset: Reset = "after",
        recompute: Recompute = False,
        weight_dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        zoneout: float = 0.0,
        layer_norm: bool = False,
        **unknown: Any,
    ) -> None:
        # torch raises its own errors for `unknown` arguments and proj_size.
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            device=device, dtype=dtype, **unknown,
        )  # fmt: skip
        self._set_reset(reset)
        self.recompute = check_recompute(recompute)
        self._regularize(Regularization(weight_dropout, recurrent_dropout, zoneout, layer_norm), device, dtype)

    def _regularize(self, regularization: Regularization, device: Any, dtype: Any) -> None:
        regularization.check()
        self.regularization = regularization if any(regularization) else None
        if not regularization.layer_norm:
            return
        for place in self._places():
            for name in gain_names(*place):
                gain = torch.ones(3 * self.hidden_size, device=device, dtype=dtype)
                self.register_parameter(name, torch.nn.Parameter(gain))

    def reset_parameters(self) -> None:
        """Initialize the weights as torch does, and the layer-norm gains to 1."""
        _TorchGRU.reset_parameters(self)
        for gain in self._all_gains():
            torch.nn.init.ones_(gain)

    def _places(self) -> Iterator[tuple[int, bool]]:
        """Layer and direction of each part of the stack; True for the reverse direction."""
        return itertools.product(range(self.num_layers), (False, True)[: self.directions])

    def _gains(self, layer: int, reverse: bool) -> tuple[Tensor, Tensor] | None:
        if self.regularization is None or not self.regularization.layer_norm:
            return None
        of_input, of_state = (getattr(self, name) for name in gain_names(layer, reverse))
        return of_input, of_state

    def _all_gains(self) -> list[Tensor]:
        return [gain for place in self._places() for gain in self._gains(*place) or ()]

    def extra_repr(self) -> str:
        recompute = f", recompute={self.recompute}" if self.recompute else ""
        return _TorchGRU.extra_repr(self) + _form(self) + recompute + str(self.regularization or "")

    @property
    def directions(self) -> int:
        """D: 2 if bidirectional, else 1."""
        return 2 if self.bidirectional else 1

    def weights(self, layer: int = 0, reverse: bool = False) -> GRUWeights:
        """Parameters of one layer and direction, not copied.

        Raises:
            WeightsError: the module has layer norm or zoneout.
        """
        if self.regularization is not None:
            self.regularization.refuse()
        return GRUWeights(*self._layer_weights(layer, reverse), reset=self.reset)

    def _layer_weights(self, layer: int, reverse: bool) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        own: dict[str, Any] = self._parameters  # faster than the module's getattr
        names = _NAMES.get((layer, reverse, self.bias)) or parameter_names(layer, reverse, self.bias)
        w_ih, w_hh, *biases = [own[name] if name in own else getattr(self, name) for name in names]
        b_ih, b_hh = biases or (None, None)
        return w_ih, w_hh, b_ih, b_hh

    def forward(  # type: ignore[override]
        self,
        input: Tensor | PackedSequence,  # noqa: A002 (torch's name)
        hx: Tensor | None = None,
        lengths: Tensor | Sequence[int] | None = None,
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """Output and final state of a sequence.

        Args:
            input: [T, B, I], [B, T, I] if batch_first, [T, I] unbatched, a PackedSequence, or a nested tensor [B, j, I]
                of layout torch.jagged if batch_first, for which the output is one, too.
            hx: initial state [L·D, B, H] or [L·D, H]; zeros if None.
            lengths: valid steps of each row, integers [B].

        Returns:
            Output [T, B, D·H] in the layout of the input, and final state [L·D, B, H].
        """
        plain = lengths is None and not self.recompute and not self._regularizes()
        if plain and (found := self._fast(input, hx)) is not None:
            return found
        if nested.is_jagged(input):
            return self._forward_jagged(input, hx, lengths)
        result: tuple[Tensor | PackedSequence, Tensor] = run(self._call(input, hx, lengths))
        return result

    def _forward_jagged(self, x: Any, hx: Tensor | None, lengths: Any) -> tuple[Tensor, Tensor]:
        if lengths is not None:
            raise OptionError("lengths= is for padded input; a nested tensor carries its own lengths")
        if not self.batch_first:
            raise DtypeError(
                "a nested tensor is [B, j, I], and this GRU expects [T, B, I]: make it with batch_first=True"
            )
        steps, ends = nested.padded(x)
        output: Any
        output, final = self.forward(steps, hx, ends)
        return nested.jagged_like(output, x), final

    def _regularizes(self) -> bool:
        return self.regularization is not None and self.regularization.acts(self.training)

    def _fast(self, x: Any, hx: Tensor | None) -> tuple[Tensor, Tensor] | None:
        """Result of the fast path, or None if it doesn't support the call."""
        if not isinstance(x, Tensor):
            return None
        if self.num_layers != 1 or self.bidirectional:
            weights = [self._layer_weights(*place) for place in self._places()]
            dropout = self.dropout if self.training else 0.0
            return stack(x, hx, weights, self.reset == "before", self.directions, self.batch_first, dropout)
        own: dict[str, Any] = self._parameters
        if type(own.get("weight_hh_l0")) not in PLAIN or "weight_ih_l0" not in own:
            return None
        b_ih, b_hh = own.get("bias_ih_l0"), own.get("bias_hh_l0")
        if self.bias and (b_ih is None or b_hh is None):
            return None
        w_ih, w_hh, before = own["weight_ih_l0"], own["weight_hh_l0"], self.reset == "before"
        return fast_path.layer(x, hx, w_ih, w_hh, b_ih, b_hh, before, batch_first=self.batch_first, lead=True)

    def _call(self, x: Any, hx: Tensor | None, lengths: Tensor | Sequence[int] | None) -> Call:
        """Description of the call for the table of implementations (nn/functional.py)."""
        packed, regularized = isinstance(x, PackedSequence), self._regularizes()
        weights = [self._layer_weights(*place) for place in self._places()]
        torchs = self.reset == "after" and lengths is None and not regularized
        return Call(
            "stack", x.data if packed else x, hx, weights, self.reset == "before",
            partial(self._over_layers, weights, x, hx, lengths),
            partial(self._torch_forward, x, hx) if torchs else None,
            self.directions, self.batch_first, (lengths, *self._all_gains()), packed or lengths is not None,
            regularized, self.recompute,
        )  # fmt: skip

    def _torch_forward(self, x: Any, hx: Tensor | None) -> Any:
        """torch's forward, with validated operands unless traced or expanded."""
        if not jit_traced() and not expanded(self.weight_hh_l0):
            self._check_input(x, hx, None)
            self._check_parameters()
        return _TorchGRU.forward(self, x, hx)

    def left_to_torch(self) -> bool:
        """True if torch's forward computes this module's calls, for lack of native support."""
        if self.reset != "after" or self.recompute or self._regularizes():
            return False
        w_hh = self._layer_weights(0, False)[1]
        return not supported(w_hh) and not half(w_hh)

    def _check_parameters(self) -> None:
        first = self._layer_weights(0, False)[1]
        for place in self._places():
            for name in parameter_names(*place, self.bias):
                check_beside(name, getattr(self, name), first)
                _check_dtype("GRU", name, getattr(self, name), first)

    def _over_layers(
        self,
        weights: Sequence[Weights],
        x: Tensor | PackedSequence,
        hx: Tensor | None,
        lengths: Tensor | Sequence[int] | None,
        layer: Layer,
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """Compute all layers and directions by one implementation of a layer."""
        self._check_input(x, hx, lengths)
        stack = partial(self._stack, layer, weights)
        if isinstance(x, PackedSequence):
            return self._forward_packed(x, hx, stack)
        return self._forward_padded(x, hx, lengths, stack)

    def _forward_padded(
        self, x: Tensor, hx: Tensor | None, lengths: Tensor | Sequence[int] | None, stack: Stack
    ) -> tuple[Tensor, Tensor]:
        batched = x.dim() == 3
        if not batched:
            if lengths is not None:
                raise ShapeError(f"lengths= needs batched input, not {tuple(x.shape)}; cut the sequence instead")
            x, hx = x.unsqueeze(1), None if hx is None else hx.unsqueeze(1)
        elif self.batch_first:
            x = x.transpose(0, 1)
        ends = None if lengths is None else row_lengths(lengths, x.shape[0], x.shape[1], x.device)
        (output,), final = stack([x], [hx], [ends])
        if not batched:
            return output.squeeze(1), final.squeeze(1)
        return (output.transpose(0, 1) if self.batch_first else output), final

    def _forward_packed(self, packed: PackedSequence, hx: Tensor | None, stack: Stack) -> tuple[PackedSequence, Tensor]:
        data, batch_sizes, order, back = packed
        rows = int(batch_sizes[0])
        h0 = self._initial(data, rows) if hx is None else self.permute_hidden(hx, order)
        if not eager():
            found, final = _padded_whole(data, batch_sizes, h0, stack)
        elif int(batch_sizes[-1]) == rows:  # equal lengths: a packed sequence is a padded one
            (output,), final = stack([data.view(-1, rows, data.shape[-1])], [h0], [None])
            found = output.flatten(0, 1)
        elif (groups := packing.group(batch_sizes, data.device)) is None:
            found, final = _padded_whole(data, batch_sizes, h0, stack)
        else:
            outputs, final = stack(groups.padded(data), [h0[:, part] for part in groups.rows], groups.lengths)
            found = groups.packed(outputs)
        return PackedSequence(found, batch_sizes, order, back), self.permute_hidden(final, back)

    def _stack(
        self,
        implementation: Layer,
        weights: Sequence[Weights],
        xs: list[Tensor],
        starts: Sequence[Tensor | None],
        ends: Sequence[Tensor | None],
    ) -> tuple[list[Tensor], Tensor]:
        """All layers over groups of rows, which share DropConnect masks."""
        finals, kind = [], _autocast_type(xs[0] if starts[0] is None else starts[0])
        for layer in range(self.num_layers):
            if layer:
                xs = [torch.nn.functional.dropout(x, self.dropout, self.training) for x in xs]
            sides = []
            for direction in range(self.directions):
                own = weights[layer * self.directions + direction]
                outputs, last = self._direction(implementation, own, xs, starts, ends, layer, direction == 1)
                sides.append(outputs)
                finals.append(torch.cat(last) if len(last) > 1 else last[0])
            xs = [torch.cat(both, -1) for both in zip(*sides, strict=True)] if self.bidirectional else sides[0]
        final = torch.stack(finals) if len(finals) > 1 else finals[0].unsqueeze(0)
        return (xs, final) if kind is None else ([x.to(kind) for x in xs], final.to(kind))

    def _direction(
        self,
        implementation: Layer,
        weights: Weights,
        xs: list[Tensor],
        starts: Sequence[Tensor | None],
        ends: Sequence[Tensor | None],
        layer: int,
        reverse: bool,
    ) -> tuple[list[Tensor], list[Tensor]]:
        w_ih, w_hh, b_ih, b_hh = weights
        regularization = self.regularization if self._regularizes() else None
        if regularization is not None:
            check_tensor("weight_hh", w_hh)
            w_hh = drop_weights(w_hh, regularization.weight_dropout, self.training)
        found, place = [], layer * self.directions + reverse
        for x, h0, lengths in zip(xs, starts, ends, strict=True):
            operands = Operands(x, None, None if h0 is None else h0[place], w_ih, w_hh, b_ih, b_hh, lengths)
            if regularization is not None:
                check(operands)
                operands = regularization.added(operands, self._gains(layer, reverse), self.training)
            found.append(implementation(operands, self.reset == "before", reverse))
        return [output for output, _ in found], [final for _, final in found]

    def _initial(self, x: Tensor, rows: int) -> Tensor:
        return x.new_zeros(self.num_layers * self.directions, rows, self.hidden_size)

    def _check_input(self, x: Any, hx: Tensor | None, lengths: Any) -> None:
        if expanded(self.weight_hh_l0):
            raise OptionError("torch's ExpandedWeights can't follow this call; torch.func.vmap of torch.func.grad can")
        if not isinstance(x, PackedSequence):
            return self._check(x, hx)
        if lengths is not None:
            raise OptionError("lengths= is for padded input; a PackedSequence carries its own lengths")
        refuse_packed()
        return self._check_packed(x, hx)

    def _check(self, x: Tensor, hx: Tensor | None) -> None:
        check_beside("input", x, self.weight_hh_l0)
        size = self.input_size
        expected = f"[B, T, {size}]" if self.batch_first else f"[T, B, {size}]"
        expected += f", or [T, {size}] unbatched"
        if x.dim() not in (2, 3) or x.shape[-1] != size:
            raise ShapeError(f"GRU expected input {expected}, got {list(x.shape)}")
        batched = x.dim() == 3
        if x.shape[1 if batched and self.batch_first else 0] == 0:
            raise ShapeError(f"GRU expected at least one time step in input {expected}, got {list(x.shape)}")
        _check_dtype("GRU", "input", x, self.weight_ih_l0)
        batch = [x.shape[0 if self.batch_first else 1]] if batched else []
        self._check_hx(hx, batch)

    def _check_packed(self, packed: PackedSequence, hx: Tensor | None) -> None:
        check_beside("input", packed.data, self.weight_hh_l0)
        check_tensor("batch_sizes", packed.batch_sizes)
        if packed.batch_sizes.device.type != "cpu" or packed.batch_sizes.dtype != torch.int64:
            given = packed.batch_sizes
            raise DtypeError(f"GRU expected batch_sizes of torch.int64 on the cpu, got {given.dtype} on {given.device}")
        if packed.data.dim() != 2 or packed.data.shape[-1] != self.input_size:
            raise ShapeError(f"GRU expected packed steps [N, {self.input_size}], got {list(packed.data.shape)}")
        _check_dtype("GRU", "input", packed.data, self.weight_ih_l0)
        if eager():
            packing.check_batch_sizes(packed.batch_sizes, len(packed.data))
        self._check_hx(hx, [int(packed.batch_sizes[0])])

    def _check_hx(self, hx: Tensor | None, batch: list[int]) -> None:
        if hx is not None:
            expected = [self.num_layers * self.directions, *batch, self.hidden_size]
            check_beside("hx", hx, self.weight_hh_l0)
            _check_state("GRU", hx, expected, self.weight_ih_l0)


class GRUCell(_ResetForm, torch.nn.GRUCell):
    """One step of a GRU, a drop-in replacement of torch.nn.GRUCell, with both reset forms.

    >>> cell = GRUCell(3, 4, reset="before")
    >>> cell(torch.zeros(2, 3)).shape                     # [B, I] → [B, H]
    torch.Size([2, 4])

    Args:
        input_size: I, number of input features.
        hidden_size: H, number of features of the state.
        bias: use the bias vectors b_ih and b_hh.
        reset: "after" (PyTorch, the default) or "before" (Cho et al. 2014).

    Raises:
        ShapeError, DtypeError, OptionError: as `GRU`.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        reset: Reset = "after",
    ) -> None:
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self._set_reset(reset)

    def weights(self) -> GRUWeights:
        """Parameters, not copied."""
        return GRUWeights(self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, reset=self.reset)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:  # noqa: A002 (torch's name)
        """New state [B, H] of input [B, I] and state hx [B, H] (zeros if None), or [H] of unbatched [I] and [H]."""
        found = self._fast(input, hx)
        if found is not None:
            return found
        state: Tensor = run(self._call(input, hx))
        return state

    def _fast(self, x: Any, hx: Any) -> Tensor | None:
        if not isinstance(x, Tensor) or not (hx is None or isinstance(hx, Tensor)):
            return None
        return fast_path.step(x, hx, *self._weights(), self.reset == "before")

    def _call(self, x: Any, hx: Any) -> Call:
        """Description of the call for the table of implementations (nn/functional.py)."""
        weights, before = self._weights(), self.reset == "before"
        torchs = None if before else partial(self._torch_forward, x, hx)
        return Call("cell", x, hx, [weights], before, partial(self._over_layers, weights, x, hx), torchs)

    def _weights(self) -> Weights:
        own: dict[str, Any] = self._parameters
        w_ih, w_hh, b_ih, b_hh = (own[name] if name in own else getattr(self, name) for name in CELL)
        return w_ih, w_hh, b_ih, b_hh

    def _over_layers(self, weights: Weights, x: Tensor, hx: Tensor | None, layer: Layer) -> Tensor:
        self._check(x, hx)
        shape = *x.shape[:-1], self.hidden_size
        h0 = None if hx is None else hx.reshape(-1, self.hidden_size)
        _, state = layer(Operands(x.reshape(1, -1, self.input_size), None, h0, *weights), self.reset == "before", False)
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
                _check_dtype("GRUCell", name, getattr(self, name), self.weight_hh)
        check_beside("input", input, self.weight_hh)
        if input.dim() not in (1, 2) or input.shape[-1] != self.input_size:
            size = self.input_size
            raise ShapeError(f"GRUCell expected input [B, {size}], or [{size}] unbatched, got {list(input.shape)}")
        _check_dtype("GRUCell", "input", input, self.weight_ih)
        if hx is not None:
            check_beside("hx", hx, self.weight_hh)
            _check_state("GRUCell", hx, [*input.shape[:-1], self.hidden_size], self.weight_ih)


dynamo.admit(GRU)
registries.register({GRU: torch.nn.GRU, GRUCell: torch.nn.GRUCell})


def mark_as_fx_leaf(module: torch.nn.Module) -> None:
    """Make torch.fx treat this module as a leaf, as it does torch's.

    Tracers look at the `__module__` of the instance; pickling, repr and documentation at that of the class.
    """
    if type(module).__module__ == __name__:  # subclasses in other modules are traced, as torch's are
        module.__dict__["__module__"] = "torch.nn"


CELL = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")

# A table instead of functools.cache, which makes dynamo warn.
_NAMES = {key: parameter_names(*key) for key in itertools.product(range(4), (False, True), (False, True))}


def _padded_whole(data: Tensor, batch_sizes: Tensor, h0: Tensor, stack: Stack) -> tuple[Tensor, Tensor]:
    x, lengths = pad_packed_sequence(PackedSequence(data, batch_sizes))  # rows stay sorted by length
    (output,), final = stack([x], [h0], [lengths.to(x.device)])
    return pack_padded_sequence(output, lengths).data, final


CAST = {torch.float32, torch.bfloat16, torch.float16}  # types that autocast converts


def _autocast_type(start: Tensor) -> torch.dtype | None:
    """Result type of torch's GRU under autocast, or None without: the autocast type promoted by that of hx or x."""
    if not autocast(start.device):
        return None
    return torch.promote_types(torch.get_autocast_dtype(start.device.type), start.dtype)


def _check_dtype(owner: str, what: str, given: Tensor, weight: Any) -> None:
    if given.dtype != weight.dtype and not ({given.dtype, weight.dtype} <= CAST and autocast(given.device)):
        raise DtypeError(
            f"{owner} expected {what} of the weights' type {weight.dtype}, got {given.dtype}; "
            f"convert one: {what}.to({weight.dtype}) or module.to({given.dtype})"
        )


def _check_state(owner: str, hx: Tensor, expected: list[int], weight: Any) -> None:
    if list(hx.shape) != expected:
        raise ShapeError(f"{owner} expected the initial state hx {expected}, got {list(hx.shape)}")
    _check_dtype(owner, "hx", hx, weight)
