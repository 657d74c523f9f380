"""GRU and GRUCell: torch's modules, with the other reset form, ragged batches and our error texts.

They subclass torch's, so that whatever asks `isinstance(module, torch.nn.GRU)` goes on working, and share its
arguments, shapes, state_dict keys and numbers. A module in the "before" form carries one buffer more,
`reset_before`: by it torch refuses its state dict, and it refuses torch's.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from gruworks.errors import DtypeError, OptionError, ShapeError, WeightsError
from gruworks.nn.compatibility import registries
from gruworks.nn.compatibility.onnx_nodes import refuse_packed
from gruworks.nn.compatibility.torch_module import twin
from gruworks.nn.functional import run
from gruworks.nn.recurrence import dynamo, fast_path, packing
from gruworks.nn.recurrence.checkpointing import check as check_recompute
from gruworks.nn.recurrence.conditions import (
    PLAIN,
    Call,
    Layer,
    Recompute,
    Weights,
    eager,
    expanded,
    jit_traced,
    serves,
)
from gruworks.nn.recurrence.operands import autocast, check, check_beside, check_tensor, row_lengths
from gruworks.nn.recurrence.regularization import Regularization, gain_names
from gruworks.ops.operands import Operands
from gruworks.ops.weights import GRUWeights, Reset, check_reset, parameter_names

__all__ = ["GRU", "GRUCell"]

MARK = "reset_before"
Stack = Callable[[list[Tensor], Sequence[Tensor | None], Sequence[Tensor | None]], tuple[list[Tensor], Tensor]]
_TorchGRU = torch.nn.GRU  # by this name and not by super(), for classes made of copies of our methods (torchrl)


class _ResetForm(torch.nn.Module):
    """What GRU and GRUCell share: the reset form, how it shows, and what it refuses to load."""

    reset: Reset = "after"  # of the class, so that a torch.nn.GRU whose class is changed has it too

    def _set_reset(self, reset: str) -> None:
        self.reset = check_reset(reset)
        be_a_leaf(self)
        if reset == "before":
            self.register_buffer(MARK, torch.tensor(True))

    def __prepare_scriptable__(self) -> torch.nn.Module:
        """What torch.jit.script compiles in this module's place: torch's own over the same parameters."""
        own = type(self).__module__ == __name__  # a subclass elsewhere has code of its own
        return twin(self, "torch.jit.script") if own else self

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
    """`torch.nn.GRU`: same arguments, shapes, state_dict keys and numbers; and three things more.

    >>> gru = GRU(3, 4)
    >>> output, h_n = gru(torch.zeros(7, 2, 3))          # [T, B, I]
    >>> output.shape, h_n.shape
    (torch.Size([7, 2, 4]), torch.Size([1, 2, 4]))

    - `reset="before"`: the reset gate multiplies the state before the matrix product (Cho et al. 2014), instead of
      the product (`"after"`, PyTorch and cuDNN, the default). Weights of the two forms don't convert into each other.
    - `lengths=[...]` in the call: ragged rows without packing. Outputs beyond a row's length are 0, its final state
      is the one at its own end, the backward direction starts there, and length 0 gives h0. What stands in the
      padding, NaN included, never reaches a result or a gradient.
    - Regularization in the kernel, each by its option: DropConnect, recurrent dropout, zoneout, layer norm.

    Args:
        input_size: I, features of one time step.
        hidden_size: H.
        num_layers: L.
        bias: True for both bias vectors, as torch has them.
        batch_first: input and output are [B, T, ...] instead of [T, B, ...]; the state never is.
        dropout: dropout probability between layers in training; the distribution is torch's, the draws are not.
        bidirectional: D = 2 directions, outputs side by side.
        reset: "after" or "before".
        recompute: train with less memory and more time (nn/recurrence/checkpointing.py): keep a state every
            so many steps and compute the rest again in the backward. True chooses how many by T and H; False, the
            default, keeps everything.
        weight_dropout: DropConnect, dropout probability of the recurrent weights, drawn per call (Merity et al. 2018).
        recurrent_dropout: dropout probability of the state where products read it, one mask for all steps of a row
            (Gal and Ghahramani 2016).
        zoneout: probability that a state entry keeps its value at a step (Krueger et al. 2017); its mean in evaluation.
        layer_norm: the input's and the state's products normalized gate by gate before the biases (Ba et al. 2016),
            by gains `norm_ih_l0`, `norm_hh_l0` [3H] and so on, which the state dict then has too.

    Raises:
        ShapeError: an input, state or `lengths` that doesn't fit. It is a ValueError and a RuntimeError.
        DtypeError: an input or state of another element type than the weights.
        OptionError: an unknown `reset` or `recompute`; a probability outside [0, 1).
    """

    reset: Reset = "after"  # here too: torchrl makes a class of its own of what this one holds
    recompute: Recompute = False  # of the class, as `reset`
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
        # `unknown` goes to torch, so that what it refuses (proj_size) is refused in its words.
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
        for layer, direction in itertools.product(range(self.num_layers), range(self.directions)):
            for name in gain_names(layer, direction == 1):
                gain = torch.ones(3 * self.hidden_size, device=device, dtype=dtype)
                self.register_parameter(name, torch.nn.Parameter(gain))

    def reset_parameters(self) -> None:
        """Draw the weights anew, as torch does; layer norm's gains are 1 again, which torch would draw too."""
        _TorchGRU.reset_parameters(self)
        if self.regularization is not None and self.regularization.layer_norm:
            for layer, direction in itertools.product(range(self.num_layers), range(self.directions)):
                for gain in self._gains(layer, direction == 1) or ():
                    torch.nn.init.ones_(gain)

    def _gains(self, layer: int, reverse: bool) -> tuple[Tensor, Tensor] | None:
        if self.regularization is None or not self.regularization.layer_norm:
            return None
        of_input, of_state = (getattr(self, name) for name in gain_names(layer, reverse))
        return of_input, of_state

    def _all_gains(self) -> list[Tensor]:
        if self.regularization is None or not self.regularization.layer_norm:
            return []
        places = itertools.product(range(self.num_layers), (False, True)[: self.directions])
        return [gain for place in places for gain in self._gains(*place) or ()]

    def extra_repr(self) -> str:
        recompute = f", recompute={self.recompute}" if self.recompute else ""
        return _TorchGRU.extra_repr(self) + _form(self) + recompute + str(self.regularization or "")

    @property
    def directions(self) -> int:
        """D: 2 if bidirectional, else 1."""
        return 2 if self.bidirectional else 1

    def weights(self, layer: int = 0, reverse: bool = False) -> GRUWeights:
        """One layer's and direction's parameters themselves (no copies).

        Raises:
            WeightsError: the module has layer norm or zoneout, of which four equations know nothing.
        """
        if self.regularization is not None:
            self.regularization.refuse()
        return GRUWeights(*self._layer_weights(layer, reverse), reset=self.reset)

    def _layer_weights(self, layer: int, reverse: bool) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        own: dict[str, Any] = self._parameters  # asked first: a module's getattr takes as long as a small step
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
        """Run the sequence: input [T, B, I] ([B, T, I] if batch_first, [T, I] unbatched, or packed) and hx [L·D, B, H].

        Returns the output [T, B, D·H] in the input's layout and the final state [L·D, B, H].
        """
        plain = lengths is None and not self.recompute and not self._regularizes()
        if plain and (found := self._fast(input, hx)) is not None:
            return found
        result: tuple[Tensor | PackedSequence, Tensor] = run(self._call(input, hx, lengths))
        return result

    def _regularizes(self) -> bool:
        return self.regularization is not None and self.regularization.acts(self.training)

    def _fast(self, x: Any, hx: Tensor | None) -> tuple[Tensor, Tensor] | None:
        """One layer and direction over padded input by the fast path, if it takes the call."""
        if self.num_layers != 1 or self.bidirectional or not isinstance(x, Tensor):
            return None
        own: dict[str, Any] = self._parameters
        if type(own.get("weight_hh_l0")) not in PLAIN or "weight_ih_l0" not in own:
            return None
        b_ih, b_hh = own.get("bias_ih_l0"), own.get("bias_hh_l0")
        if self.bias and (b_ih is None or b_hh is None):
            return None
        w_ih, w_hh, before = own["weight_ih_l0"], own["weight_hh_l0"], self.reset == "before"
        return fast_path.layer(x, hx, w_ih, w_hh, b_ih, b_hh, before, batch_first=self.batch_first, lead=True)

    def _call(self, x: Any, hx: Tensor | None, lengths: Tensor | Sequence[int] | None) -> Call:
        """The call as the table of implementations reads it (nn/functional.py)."""
        packed, regularized = isinstance(x, PackedSequence), self._regularizes()
        places = itertools.product(range(self.num_layers), range(self.directions))
        weights = [self._layer_weights(layer, direction == 1) for layer, direction in places]
        torchs = self.reset == "after" and lengths is None and not regularized
        return Call(
            "stack", x.data if packed else x, hx, weights, self.reset == "before",
            partial(self._over_layers, weights, x, hx, lengths),
            partial(self._torch_forward, x, hx) if torchs else None,
            self.directions, self.batch_first, (lengths, *self._all_gains()), packed or lengths is not None,
            regularized, self.recompute,
        )  # fmt: skip

    def _torch_forward(self, x: Any, hx: Tensor | None) -> Any:
        """torch's own forward, over operands that are checked unless they stand for others."""
        if not jit_traced() and not expanded(self.weight_hh_l0):
            self._check_input(x, hx, None)
            self._check_parameters()
        return _TorchGRU.forward(self, x, hx)

    def left_to_torch(self) -> bool:
        """True where torch's own forward computes this module's calls, because the native kernel can't."""
        if self.reset != "after" or self.recompute or self._regularizes():
            return False
        return not serves(self._layer_weights(0, False)[1])

    def _check_parameters(self) -> None:
        first = self._layer_weights(0, False)[1]
        for layer, direction in itertools.product(range(self.num_layers), range(self.directions)):
            for name in parameter_names(layer, direction == 1, self.bias):
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
        """All layers and directions by one implementation of a layer."""
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
        elif int(batch_sizes[-1]) == rows:  # of one length: packed rows are padded ones
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
        """All layers over groups of rows, which share what is drawn for the weights."""
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
            w_hh = regularization.dropped(w_hh, self.training)
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
    """`torch.nn.GRUCell`, one step, with `reset="after"` (PyTorch, the default) or `"before"` (Cho et al. 2014).

    >>> cell = GRUCell(3, 4, reset="before")
    >>> cell(torch.zeros(2, 3)).shape                     # [B, I] → [B, H]
    torch.Size([2, 4])

    Args:
        input_size: I. hidden_size: H. bias: True for both bias vectors. reset: "after" or "before".

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
        """The parameters themselves (no copies)."""
        return GRUWeights(self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, reset=self.reset)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:  # noqa: A002 (torch's name)
        """One step: input [B, I] and state hx [B, H] (or [I] and [H]) to the state after it."""
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
        """The call as the table of implementations reads it (nn/functional.py)."""
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


def be_a_leaf(module: torch.nn.Module) -> None:
    """Have torch.fx keep this module whole, as it does torch's.

    Its tracers go by the `__module__` of the instance; pickling, repr and documentation by that of the class, which
    stays what it is.
    """
    if type(module).__module__ == __name__:  # a subclass elsewhere is traced through, as a subclass of torch's is
        module.__dict__["__module__"] = "torch.nn"


CELL = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")

# A forward asks for them every time. A table and no functools.cache: dynamo warns of that.
_NAMES = {key: parameter_names(*key) for key in itertools.product(range(4), (False, True), (False, True))}


def _padded_whole(data: Tensor, batch_sizes: Tensor, h0: Tensor, stack: Stack) -> tuple[Tensor, Tensor]:
    x, lengths = pad_packed_sequence(PackedSequence(data, batch_sizes))  # rows stay sorted by length
    (output,), final = stack([x], [h0], [lengths.to(x.device)])
    return pack_padded_sequence(output, lengths).data, final


CAST = {torch.float32, torch.bfloat16, torch.float16}  # what autocast converts


def _autocast_type(start: Tensor) -> torch.dtype | None:
    """Of torch's results under autocast: its products' type together with that of the first state, or of x without."""
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
