"""GRU modules with int8 or bfloat16 weights for inference over whole sequences: `quantize`, `QuantizedGRU`.

Shapes: T time, B batch, I input size, H hidden size, L layers, D directions.
"""

from __future__ import annotations

import copy
import itertools
from typing import Any, TypeVar

import torch
from torch import Tensor

from gruworks.errors import DtypeError, OptionError, ShapeError
from gruworks.nn.recurrence.operands import row_lengths
from gruworks.ops.quantised import Matrix, Precision, QuantizedWeights, check_precision
from gruworks.ops.quantised import quantize as quantize_weights
from gruworks.ops.quantised_sequence import QuantizedLayer
from gruworks.ops.weights import GRUWeights, Reset, parameter_names

__all__ = ["QuantizedGRU", "quantize", "weights_of"]

Module = TypeVar("Module", bound=torch.nn.Module)
KINDS = {torch.int8: "int8", torch.uint16: "bfloat16", torch.float32: "float32"}


def quantize(module: Module, precision: Precision = "int8") -> Module | QuantizedGRU:
    """Copy of a module whose GRUs, torch's and Gruworks', have int8 or bfloat16 weights, for inference on CPUs.

    Weights are quantized row by row, inputs and states at each step by their largest absolute value; sums of int8
    products are exact integers, the same on every processor (docs/quantised.md).

    >>> gru = torch.nn.GRU(20, 32, num_layers=2)
    >>> small = quantize(gru)
    >>> output, h_n = small(torch.ones(7, 3, 20))         # [T, B, I]
    >>> output.shape, h_n.shape
    (torch.Size([7, 3, 32]), torch.Size([2, 3, 32]))

    Args:
        module: a torch.nn.GRU or gruworks.GRU, or a module that contains some; not modified.
        precision: "int8" or "bfloat16".

    Returns:
        A `QuantizedGRU`, or a copy of the module with one in the place of each GRU.

    Raises:
        OptionError: an unknown precision, a module without a GRU, or a GRU with layer norm, zoneout, other
            activations, a learnt initial state or an output of all layers.
        WeightsError: weights that aren't finite.
    """
    if check_precision(precision) == "float32":
        raise OptionError("precision must be int8 or bfloat16: float32 is what the module has")
    if isinstance(module, torch.nn.GRU):
        return QuantizedGRU(module, precision)
    found = [name for name, one in module.named_modules() if isinstance(one, torch.nn.GRU)]
    if not found:
        raise OptionError(f"this {type(module).__name__} contains no torch.nn.GRU and no gruworks.GRU")
    made = copy.deepcopy(module)
    for name in found:
        parent, _, own = name.rpartition(".")
        setattr(made.get_submodule(parent), own, QuantizedGRU(module.get_submodule(name), precision))
    return made


class QuantizedGRU(torch.nn.Module):
    """Stack of GRU layers with quantized weights, called as `gruworks.GRU`; without gradients.

    Weights are buffers under the names of torch's parameters, int8 with the scale of each row in `..._scale`, bfloat16
    as the upper 16 bits of float32 in uint16.

    Args:
        gru: a torch.nn.GRU or gruworks.GRU.
        precision: "int8" or "bfloat16".

    Raises:
        OptionError, WeightsError: as `quantize`.
    """

    def __init__(self, gru: Any, precision: Precision = "int8") -> None:
        super().__init__()
        if getattr(gru, "return_all_layers", False):
            raise OptionError("a QuantizedGRU returns the last layer's states: set return_all_layers=False")
        self.input_size, self.hidden_size, self.num_layers = gru.input_size, gru.hidden_size, gru.num_layers
        self.bias, self.batch_first, self.bidirectional = gru.bias, gru.batch_first, gru.bidirectional
        self.reset: Reset = getattr(gru, "reset", "after")
        self.precision = precision
        for place in self._places():
            weights = weights_of(gru, *place).astype("float32")
            self._keep(quantize_weights(weights, precision), parameter_names(*place, self.bias))
        self._layers: list[QuantizedLayer] | None = None
        self.eval()

    def _keep(self, small: QuantizedWeights, names: tuple[str, ...]) -> None:
        for name, part in zip(names, (small.w_ih, small.w_hh, small.b_ih, small.b_hh), strict=False):
            if isinstance(part, Matrix):
                self.register_buffer(name, torch.from_numpy(part.rows.copy()))
                if part.scale is not None:
                    self.register_buffer(f"{name}_scale", torch.from_numpy(part.scale.copy()))
            elif part is not None:
                self.register_buffer(name, torch.from_numpy(part.copy()))

    def _places(self) -> list[tuple[int, bool]]:
        return list(itertools.product(range(self.num_layers), (False, True)[: 1 + self.bidirectional]))

    def layers(self) -> list[QuantizedLayer]:
        """Layers with packed weights, by layer, then direction; packed once and again after `load_state_dict`."""
        if self._layers is None:
            self._layers = [QuantizedLayer(self.weights(*place)) for place in self._places()]
        return self._layers

    def weights(self, layer: int = 0, reverse: bool = False) -> QuantizedWeights:
        """Quantized weights of one layer and direction, not copied."""
        names = parameter_names(layer, reverse, self.bias)
        w_ih, w_hh = (self._matrix(name) for name in names[:2])
        b_ih, b_hh = (getattr(self, name).numpy() for name in names[2:]) if self.bias else (None, None)
        return QuantizedWeights(w_ih, w_hh, b_ih, b_hh, self.reset)

    def _matrix(self, name: str) -> Matrix:
        rows, scale = getattr(self, name), getattr(self, f"{name}_scale", None)
        return Matrix(KINDS[rows.dtype], rows.numpy(), None if scale is None else scale.numpy())  # type: ignore[arg-type]

    def _load_from_state_dict(self, *args: Any) -> None:
        super()._load_from_state_dict(*args)
        self._layers = None

    def _apply(self, fn: Any, recurse: bool = True) -> QuantizedGRU:
        """Refuse other devices and types, which the kernel doesn't compute."""
        moved = fn(torch.zeros(1))
        if moved.device.type != "cpu" or moved.dtype != torch.float32:
            raise OptionError(f"a QuantizedGRU runs on the CPU with float32 input, not {moved.dtype} on {moved.device}")
        self._layers = None
        super()._apply(fn, recurse)  # type: ignore[no-untyped-call]
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_layers": None}  # native objects aren't copied or pickled

    def extra_repr(self) -> str:
        form = f"{self.input_size}, {self.hidden_size}, num_layers={self.num_layers}, precision={self.precision!r}"
        given = ("batch_first", "bidirectional")
        return form + "".join(f", {name}=True" for name in given if getattr(self, name)) + f", reset={self.reset!r}"

    @torch.no_grad()
    def forward(self, input: Tensor, hx: Tensor | None = None, lengths: Any = None) -> tuple[Tensor, Tensor]:  # noqa: A002 (torch's name)
        """Output and final state of a sequence, without gradients.

        Args:
            input: float32 [T, B, I], [B, T, I] if batch_first, or [T, I] unbatched.
            hx: initial state [L·D, B, H] or [L·D, H]; zeros if None.
            lengths: valid steps of each row, integers [B].

        Returns:
            Output [T, B, D·H] in the layout of the input, and final state [L·D, B, H].

        Raises:
            ShapeError, DtypeError: operands that don't match.
        """
        if not isinstance(input, Tensor) or input.dtype != torch.float32 or input.device.type != "cpu":
            raise DtypeError(f"QuantizedGRU expected input of torch.float32 on the cpu, got {_described(input)}")
        if input.dim() == 2 and lengths is None:
            output, final = self.forward(input.unsqueeze(int(not self.batch_first)), _batched(hx))
            return output.squeeze(int(not self.batch_first)), final.squeeze(1)
        if input.dim() != 3:
            raise ShapeError(f"QuantizedGRU expected input [T, B, {self.input_size}], got {list(input.shape)}")
        x = input.detach().transpose(0, 1) if self.batch_first else input.detach()
        places = len(self._places())
        if hx is not None and list(hx.shape) != [places, x.shape[1], self.hidden_size]:
            expected = [places, x.shape[1], self.hidden_size]
            raise ShapeError(f"QuantizedGRU expected the initial state hx {expected}, got {list(hx.shape)}")
        output, final = self._run(
            x, hx, None if lengths is None else row_lengths(lengths, x.shape[0], x.shape[1], x.device)
        )
        return output.transpose(0, 1) if self.batch_first else output, final

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def _run(self, x: Tensor, hx: Tensor | None, lengths: Tensor | None) -> tuple[Tensor, Tensor]:
        layers, finals, D = self.layers(), [], 1 + self.bidirectional
        ends = None if lengths is None else lengths.numpy()
        for first in range(0, len(layers), D):
            sides = []
            for place in range(first, first + D):
                h0 = None if hx is None else hx[place].detach().numpy()
                reverse, threads = place > first, torch.get_num_threads()
                output, final = layers[place](x.resolve_neg().numpy(), h0, ends, reverse, threads)
                sides.append(torch.from_numpy(output))
                finals.append(torch.from_numpy(final))
            x = torch.cat(sides, -1) if D > 1 else sides[0]
        return x, torch.stack(finals)


def weights_of(gru: Any, layer: int = 0, reverse: bool = False) -> GRUWeights:
    """Weights of one layer and direction of a torch.nn.GRU or gruworks.GRU, NumPy arrays, copied.

    Raises:
        OptionError: a GRU that computes something else: layer norm, zoneout, other activations, a learnt initial state.
    """
    regularization = getattr(gru, "regularization", None)
    if regularization is not None and (regularization.layer_norm or regularization.zoneout):
        raise OptionError(
            f"quantized layers and streams have plain weights, and this GRU is regularized{regularization}"
        )
    for name, plain in (
        ("candidate_activation", "tanh"),
        ("gate_activation", "sigmoid"),
        ("learn_initial_state", False),
    ):
        if (given := getattr(gru, name, plain)) != plain:
            raise OptionError(f"quantized layers and streams have {name}={plain!r}, and this GRU {name}={given!r}")
    arrays = [_array(getattr(gru, name)) for name in parameter_names(layer, reverse, gru.bias)]
    w_ih, w_hh, *biases = arrays
    return GRUWeights(w_ih, w_hh, *(biases or (None, None)), reset=getattr(gru, "reset", "after"))


def _array(parameter: Tensor) -> Any:
    wide = parameter.detach().cpu()
    return (wide if wide.dtype == torch.float64 else wide.float()).numpy().copy()


def _batched(hx: Tensor | None) -> Tensor | None:
    return None if hx is None else hx.unsqueeze(1)


def _described(given: Any) -> str:
    return f"{given.dtype} on the {given.device}" if isinstance(given, Tensor) else type(given).__name__
