"""GRU: a subclass of torch.nn.GRU with further forms of the unit, ragged batches and regularization.

Arguments, shapes, state_dict keys and results are torch's. A module of another function has an additional buffer,
`reset_before`, `candidate_activation_relu` and so on, so that torch rejects its state dict and it rejects torch's.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from gruworks.errors import DtypeError, OptionError, ShapeError
from gruworks.nn.compatibility import registries
from gruworks.nn.compatibility.onnx_nodes import refuse_packed
from gruworks.nn.form import Form, check_dtype, check_state, described, unit_of_module
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
from gruworks.nn.recurrence.operands import (
    autocast,
    check,
    check_beside,
    check_tensor,
    in_processing_order,
    row_lengths,
    step_resets,
)
from gruworks.nn.recurrence.regularization import Regularization, drop_weights, gain_names
from gruworks.nn.recurrence.stack import stack
from gruworks.ops.activations import CandidateActivation, GateActivation, Unit
from gruworks.ops.operands import Operands
from gruworks.ops.weights import GRUWeights, Reset, parameter_names

__all__ = ["GRU"]

_TorchGRU = torch.nn.GRU  # instead of super(), for classes built from copies of these methods (torchrl)


class Part(NamedTuple):
    """Rows of a batch that are computed together."""

    x: Tensor  # [T, n, I]
    hx: Tensor | None = None  # [L·D, n, H]
    lengths: Tensor | None = None  # [n]
    resets: Tensor | None = None  # [T, n], bool
    reset_state: Tensor | None = None  # [L·D, n, H]


Stack = Callable[[list[Part]], tuple[list[Tensor], Tensor]]


class GRU(Form, torch.nn.GRU):
    """Gated recurrent unit, a drop-in replacement of torch.nn.GRU, with additions.

    >>> gru = GRU(3, 4)
    >>> output, h_n = gru(torch.zeros(7, 2, 3))          # [T, B, I]
    >>> output.shape, h_n.shape
    (torch.Size([7, 2, 4]), torch.Size([1, 2, 4]))

    - `reset="before"`: the reset gate multiplies the state before the matrix product (Cho et al. 2014), instead of
      the product (`"after"`, PyTorch and cuDNN, the default). Weights of the two forms aren't interchangeable.
    - `lengths=[...]` in the call: ragged batches without packing. Outputs beyond a row's length are 0, its final state
      is the one after its last valid step, where the reverse direction starts, and length 0 gives h0. Padding (NaN
      included) affects neither results nor gradients.
    - `resets=[...]` in the call: where it is set, the state before that step becomes zero, `reset_state` or the learnt
      initial state: sequences that follow each other in one row (reinforcement learning) without splitting it. Results
      are those of the single sequences, in both directions.
    - Other activations of candidate and gates; a learnt initial state; the states of all layers.
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
        candidate_activation: "tanh", "relu", "sigmoid", "hard_sigmoid" (a / 6 + 1 / 2 between 0 and 1), "softsign" or
            "linear".
        gate_activation: "sigmoid" or "hard_sigmoid", of both gates.
        learn_initial_state: a parameter `initial_state` [L·D, H], zeros at first, is the state where hx isn't given.
        return_all_layers: the output has a leading axis of layers, [L, T, B, D·H]; the last one is the usual output.
        device, dtype: of the parameters, as in torch.nn.GRU.

    Raises:
        ShapeError: the shape of input, state or `lengths` doesn't match; a ValueError and a RuntimeError.
        DtypeError: input or state of another type than the weights.
        OptionError: an unknown `reset`, activation or `recompute`, or a probability outside [0, 1).
    """

    reset: Reset = "after"  # repeated, because torchrl copies the attributes of this class
    candidate_activation: CandidateActivation = "tanh"
    gate_activation: GateActivation = "sigmoid"
    learn_initial_state: bool = False
    return_all_layers: bool = False
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
        candidate_activation: CandidateActivation = "tanh",
        gate_activation: GateActivation = "sigmoid",
        learn_initial_state: bool = False,
        return_all_layers: bool = False,
        **unknown: Any,
    ) -> None:
        # torch raises its own errors for `unknown` arguments and proj_size.
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional,
            device=device, dtype=dtype, **unknown,
        )  # fmt: skip
        self._set_form(reset, candidate_activation, gate_activation)
        self.recompute = check_recompute(recompute)
        self.learn_initial_state, self.return_all_layers = bool(learn_initial_state), bool(return_all_layers)
        if learn_initial_state:
            start = torch.zeros(num_layers * self.directions, hidden_size, device=device, dtype=dtype)
            self.initial_state = torch.nn.Parameter(start)
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
        """Initialize the weights as torch does, the layer-norm gains to 1 and the initial state to 0."""
        _TorchGRU.reset_parameters(self)
        if self.learn_initial_state:
            torch.nn.init.zeros_(self.initial_state)
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
        layers = ", return_all_layers=True" if self.return_all_layers else ""
        return _TorchGRU.extra_repr(self) + described(self) + layers + recompute + str(self.regularization or "")

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
        return GRUWeights(
            *self._layer_weights(layer, reverse), reset=self.reset, candidate_activation=self.candidate_activation,
            gate_activation=self.gate_activation,
        )  # fmt: skip

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
        resets: Tensor | PackedSequence | Sequence[Any] | None = None,
        reset_state: Tensor | None = None,
        return_all_layers: bool | None = None,
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """Output and final state of a sequence.

        Args:
            input: [T, B, I], [B, T, I] if batch_first, [T, I] unbatched, a PackedSequence, or a nested tensor [B, j, I]
                of layout torch.jagged if batch_first, for which the output is one, too.
            hx: initial state [L·D, B, H] or [L·D, H]; if None, the learnt one or zeros.
            lengths: valid steps of each row, integers [B].
            resets: bools or numbers in the layout of the input without its last axis, [T, B] and so on: where not 0, a
                new sequence begins at that step. The forward direction then begins anew at that step, the reverse
                direction at the step before it.
            reset_state: state [L·D, B, H] or [L·D, H] from which they begin; if None, the learnt one or zeros. To begin
                from hx again, pass it here too.
            return_all_layers: replaces the module's setting.

        Returns:
            Output [T, B, D·H] in the layout of the input, with all layers [L, T, B, D·H], and final state [L·D, B, H].

        Raises:
            ShapeError, DtypeError, DeviceError: operands that don't match the weights, or lengths outside 0 to T.
        """
        if self.learn_initial_state:
            hx = self._learnt(input) if hx is None else hx
            reset_state = self._learnt(input) if reset_state is None and resets is not None else reset_state
        layers = self.return_all_layers if return_all_layers is None else return_all_layers
        plain = lengths is None and resets is None and reset_state is None and not layers and not self.recompute
        if plain and (self.regularization is None or not self._regularizes()):
            found = self._fast(input, hx)
            if found is not None:
                return found
        if nested.is_jagged(input):
            return self._forward_jagged(input, hx, lengths, resets, reset_state, layers)
        call = self._call(input, hx, lengths, resets, reset_state, layers)
        result: tuple[Tensor | PackedSequence, Tensor] = run(call)
        return result

    def _forward_jagged(
        self, x: Any, hx: Tensor | None, lengths: Any, resets: Any, reset_state: Any, layers: bool
    ) -> tuple[Tensor, Tensor]:
        others = {"resets": resets is not None, "reset_state": reset_state is not None, "return_all_layers": layers}
        for name in (name for name, given in others.items() if given):
            raise OptionError(f"{name} doesn't go with a nested tensor: give padded input and lengths=")
        if lengths is not None:
            raise OptionError("lengths= is for padded input; a nested tensor carries its own lengths")
        if not self.batch_first:
            raise DtypeError(
                "a nested tensor is [B, j, I], and this GRU expects [T, B, I]: make it with batch_first=True"
            )
        steps, ends = nested.padded(x)
        output: Any
        output, final = self.forward(steps, hx, ends, return_all_layers=False)
        return nested.jagged_like(output, x), final

    def _learnt(self, x: Any) -> Tensor | None:
        """The learnt initial state of each row."""
        if isinstance(x, PackedSequence):
            return self._of_rows(self.initial_state, int(x.batch_sizes[0]))
        if not isinstance(x, Tensor) or x.is_nested or x.dim() not in (2, 3):
            return None  # refused later, or padded before
        return self.initial_state if x.dim() == 2 else self._of_rows(self.initial_state, x.shape[not self.batch_first])

    def _of_rows(self, state: Tensor, rows: int) -> Tensor:
        return state[:, None].expand(-1, rows, -1).contiguous()

    def _regularizes(self) -> bool:
        return self.regularization is not None and self.regularization.acts(self.training)

    def _fast(self, x: Any, hx: Tensor | None) -> tuple[Tensor, Tensor] | None:
        """Result of the fast path, or None if it doesn't support the call."""
        if not isinstance(x, Tensor) or self.candidate_activation != "tanh" or self.gate_activation != "sigmoid":
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
        return fast_path.layer(x, hx, w_ih, w_hh, b_ih, b_hh, before, False, self.batch_first, True)

    def _call(
        self,
        input: Any,  # noqa: A002 (torch's name)
        hx: Tensor | None = None,
        lengths: Tensor | Sequence[int] | None = None,
        resets: Any = None,
        reset_state: Tensor | None = None,
        return_all_layers: bool | None = None,
    ) -> Call:
        """Description of the call for the table of implementations (nn/functional.py)."""
        packed, unit, added = (
            isinstance(input, PackedSequence),
            unit_of_module(self),
            self._regularizes() or resets is not None,
        )
        weights = [self._layer_weights(*place) for place in self._places()]
        layers = bool(self.return_all_layers if return_all_layers is None else return_all_layers)
        torchs = unit == Unit() and lengths is None and not added and not layers and reset_state is None
        marks = resets.data if isinstance(resets, PackedSequence) else resets
        return Call(
            "stack", input.data if packed else input, hx, weights, unit,
            partial(self._over_layers, weights, input, hx, lengths, resets, reset_state, layers),
            partial(self._torch_forward, input, hx) if torchs else None,
            self.directions, self.batch_first, (lengths, *self._all_gains(), marks, reset_state),
            packed or lengths is not None, added, self.recompute,
        )  # fmt: skip

    def _torch_forward(self, x: Any, hx: Tensor | None) -> Any:
        """torch's forward, with validated operands unless traced or expanded."""
        if not jit_traced() and not expanded(self.weight_hh_l0):
            self._check_input(x, hx, None)
            self._check_parameters()
        return _TorchGRU.forward(self, x, hx)

    def left_to_torch(self) -> bool:
        """True if torch's forward computes this module's calls, for lack of native support."""
        if unit_of_module(self) != Unit() or self.return_all_layers or self.recompute or self._regularizes():
            return False
        w_hh = self._layer_weights(0, False)[1]
        return not supported(w_hh) and not half(w_hh)

    def _check_parameters(self) -> None:
        first = self._layer_weights(0, False)[1]
        for place in self._places():
            for name in parameter_names(*place, self.bias):
                check_beside(name, getattr(self, name), first)
                check_dtype("GRU", name, getattr(self, name), first)

    def _over_layers(
        self,
        weights: Sequence[Weights],
        x: Tensor | PackedSequence,
        hx: Tensor | None,
        lengths: Tensor | Sequence[int] | None,
        resets: Any,
        reset_state: Tensor | None,
        all_layers: bool,
        layer: Layer,
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """Compute all layers and directions by one implementation of a layer."""
        self._check_input(x, hx, lengths, reset_state)
        if reset_state is not None and resets is None:
            raise OptionError("reset_state, the state after a reset, needs resets [T, B]: give both or neither")
        stack = partial(self._stack, layer, weights, all_layers)
        if not isinstance(x, PackedSequence):
            return self._forward_padded(x, hx, lengths, resets, reset_state, stack)
        if all_layers:
            raise OptionError("a PackedSequence has no axis of layers: give padded input and lengths= for all layers")
        return self._forward_packed(x, hx, resets, reset_state, stack)

    def _forward_padded(
        self,
        x: Tensor,
        hx: Tensor | None,
        lengths: Tensor | Sequence[int] | None,
        resets: Any,
        reset_state: Tensor | None,
        stack: Stack,
    ) -> tuple[Tensor, Tensor]:
        batched, marks = x.dim() == 3, None
        if resets is not None:
            marks = step_resets(resets, x.shape[:-1], x.device)
        if not batched:
            if lengths is not None:
                raise ShapeError(f"lengths= needs batched input, not {tuple(x.shape)}; cut the sequence instead")
            x = x.unsqueeze(1)
            hx, reset_state, marks = (None if t is None else t.unsqueeze(1) for t in (hx, reset_state, marks))
        elif self.batch_first:
            x, marks = x.transpose(0, 1), None if marks is None else marks.transpose(0, 1)
        ends = None if lengths is None else row_lengths(lengths, x.shape[0], x.shape[1], x.device)
        (output,), final = stack([Part(x, hx, ends, marks, reset_state)])
        if not batched:
            return output.squeeze(-2), final.squeeze(1)
        return (output.transpose(-3, -2) if self.batch_first else output), final

    def _forward_packed(
        self, packed: PackedSequence, hx: Tensor | None, resets: Any, reset_state: Tensor | None, stack: Stack
    ) -> tuple[PackedSequence, Tensor]:
        data, batch_sizes, order, back = packed
        rows = int(batch_sizes[0])
        h0 = self._initial(data, rows) if hx is None else self.permute_hidden(hx, order)
        instead = None if reset_state is None else self.permute_hidden(reset_state, order)
        marks = None if resets is None else _packed_resets(resets, data)
        whole = Part(data, h0, None, marks, instead)
        if not eager():
            found, final = _padded_whole(whole, batch_sizes, stack)
        elif int(batch_sizes[-1]) == rows:  # equal lengths: a packed sequence is a padded one
            steps = None if marks is None else marks.view(-1, rows)
            (output,), final = stack([whole._replace(x=data.view(-1, rows, data.shape[-1]), resets=steps)])
            found = output.flatten(0, 1)
        elif (groups := packing.group(batch_sizes, data.device)) is None:
            found, final = _padded_whole(whole, batch_sizes, stack)
        else:
            outputs, final = stack(_in_groups(whole, groups))
            found = groups.packed(outputs)
        return PackedSequence(found, batch_sizes, order, back), self.permute_hidden(final, back)

    def _stack(
        self, implementation: Layer, weights: Sequence[Weights], all_layers: bool, parts: list[Part]
    ) -> tuple[list[Tensor], Tensor]:
        """All layers over groups of rows, which share DropConnect masks."""
        finals, kind = [], _autocast_type(parts[0].x if parts[0].hx is None else parts[0].hx)
        xs, below = [part.x for part in parts], []
        for layer in range(self.num_layers):
            if layer:
                below.append(xs)
                xs = [torch.nn.functional.dropout(x, self.dropout, self.training) for x in xs]
            sides = []
            for direction in range(self.directions):
                own = weights[layer * self.directions + direction]
                inputs = [part._replace(x=x) for part, x in zip(parts, xs, strict=True)]
                outputs, last = self._direction(implementation, own, inputs, layer, direction == 1)
                sides.append(outputs)
                finals.append(torch.cat(last) if len(last) > 1 else last[0])
            xs = [torch.cat(both, -1) for both in zip(*sides, strict=True)] if self.bidirectional else sides[0]
        if all_layers:
            xs = [torch.stack(layers) for layers in zip(*below, xs, strict=True)]
        final = torch.stack(finals) if len(finals) > 1 else finals[0].unsqueeze(0)
        return (xs, final) if kind is None else ([x.to(kind) for x in xs], final.to(kind))

    def _direction(
        self, implementation: Layer, weights: Weights, parts: Sequence[Part], layer: int, reverse: bool
    ) -> tuple[list[Tensor], list[Tensor]]:
        w_ih, w_hh, b_ih, b_hh = weights
        regularization = self.regularization if self._regularizes() else None
        if regularization is not None:
            check_tensor("weight_hh", w_hh)
            w_hh = drop_weights(w_hh, regularization.weight_dropout, self.training)
        found, place, unit = [], layer * self.directions + reverse, unit_of_module(self)
        for x, hx, lengths, resets, reset_state in parts:
            h0, instead = (None if state is None else state[place] for state in (hx, reset_state))
            if resets is not None:
                resets = in_processing_order(resets, reverse, lengths)
            operands = Operands(x, None, h0, w_ih, w_hh, b_ih, b_hh, lengths, replacement=instead, resets=resets)
            if regularization is not None:
                check(operands)
                operands = regularization.added(operands, self._gains(layer, reverse), self.training)
            found.append(implementation(operands, unit, reverse))
        return [output for output, _ in found], [final for _, final in found]

    def _initial(self, x: Tensor, rows: int) -> Tensor:
        return x.new_zeros(self.num_layers * self.directions, rows, self.hidden_size)

    def _check_input(self, x: Any, hx: Tensor | None, lengths: Any, reset_state: Tensor | None = None) -> None:
        if expanded(self.weight_hh_l0):
            raise OptionError("torch's ExpandedWeights can't follow this call; torch.func.vmap of torch.func.grad can")
        if not isinstance(x, PackedSequence):
            return self._check(x, hx, reset_state)
        if lengths is not None:
            raise OptionError("lengths= is for padded input; a PackedSequence carries its own lengths")
        refuse_packed()
        return self._check_packed(x, hx, reset_state)

    def _check(self, x: Tensor, hx: Tensor | None, reset_state: Tensor | None) -> None:
        check_beside("input", x, self.weight_hh_l0)
        size = self.input_size
        expected = f"[B, T, {size}]" if self.batch_first else f"[T, B, {size}]"
        expected += f", or [T, {size}] unbatched"
        if x.dim() not in (2, 3) or x.shape[-1] != size:
            raise ShapeError(f"GRU expected input {expected}, got {list(x.shape)}")
        batched = x.dim() == 3
        if x.shape[1 if batched and self.batch_first else 0] == 0:
            raise ShapeError(f"GRU expected at least one time step in input {expected}, got {list(x.shape)}")
        check_dtype("GRU", "input", x, self.weight_ih_l0)
        batch = [x.shape[0 if self.batch_first else 1]] if batched else []
        self._check_states(batch, hx, reset_state)

    def _check_packed(self, packed: PackedSequence, hx: Tensor | None, reset_state: Tensor | None) -> None:
        check_beside("input", packed.data, self.weight_hh_l0)
        check_tensor("batch_sizes", packed.batch_sizes)
        if packed.batch_sizes.device.type != "cpu" or packed.batch_sizes.dtype != torch.int64:
            given = packed.batch_sizes
            raise DtypeError(f"GRU expected batch_sizes of torch.int64 on the cpu, got {given.dtype} on {given.device}")
        if packed.data.dim() != 2 or packed.data.shape[-1] != self.input_size:
            raise ShapeError(f"GRU expected packed steps [N, {self.input_size}], got {list(packed.data.shape)}")
        check_dtype("GRU", "input", packed.data, self.weight_ih_l0)
        if eager():
            packing.check_batch_sizes(packed.batch_sizes, len(packed.data))
        self._check_states([int(packed.batch_sizes[0])], hx, reset_state)

    def _check_states(self, batch: list[int], hx: Tensor | None, reset_state: Tensor | None) -> None:
        expected = [self.num_layers * self.directions, *batch, self.hidden_size]
        for name, state in (("hx", hx), ("reset_state", reset_state)):
            if state is not None:
                check_beside(name, state, self.weight_hh_l0)
                check_state("GRU", name, state, expected, self.weight_ih_l0)


dynamo.admit(GRU)
registries.register({GRU: torch.nn.GRU})


# A table instead of functools.cache, which makes dynamo warn.
_NAMES = {key: parameter_names(*key) for key in itertools.product(range(4), (False, True), (False, True))}


def _padded_whole(whole: Part, batch_sizes: Tensor, stack: Stack) -> tuple[Tensor, Tensor]:
    x, lengths = pad_packed_sequence(PackedSequence(whole.x, batch_sizes))  # rows stay sorted by length
    marks = None if whole.resets is None else pad_packed_sequence(PackedSequence(whole.resets, batch_sizes))[0]
    (output,), final = stack([whole._replace(x=x, lengths=lengths.to(x.device), resets=marks)])
    return pack_padded_sequence(output, lengths).data, final


def _in_groups(whole: Part, groups: packing.Groups) -> list[Part]:
    """Packed steps as padded groups of rows."""
    none = [None] * len(groups.rows)
    marks = none if whole.resets is None else [one.squeeze(-1) for one in groups.padded(whole.resets[:, None])]
    states: list[list[Any]] = [
        none if state is None else [state[:, rows] for rows in groups.rows] for state in (whole.hx, whole.reset_state)
    ]
    return [Part(*of) for of in zip(groups.padded(whole.x), states[0], groups.lengths, marks, states[1], strict=True)]


def _packed_resets(resets: Any, data: Tensor) -> Tensor:
    """Resets [N] of packed steps, as bool."""
    given = resets.data if isinstance(resets, PackedSequence) else resets
    if not isinstance(given, Tensor) or tuple(given.shape) != (len(data),):
        raise ShapeError(
            f"resets beside packed input must be packed as it is, [{len(data)}]: a PackedSequence or tensor"
        )
    return step_resets(given, data.shape[:1], data.device)


def _autocast_type(start: Tensor) -> torch.dtype | None:
    """Result type of torch's GRU under autocast, or None without: the autocast type promoted by that of hx or x."""
    if not autocast(start.device):
        return None
    return torch.promote_types(torch.get_autocast_dtype(start.device.type), start.dtype)
