"""ONNX export of `gruworks::recurrence` as GRU nodes, for both of torch's exporters.

Translations are registered when an exporter is imported.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy
import torch

from gruworks.errors import ExportError, OptionError, require
from gruworks.nn.compatibility.import_hooks import when_imported
from gruworks.ops.activations import Unit, onnx_attributes
from gruworks.ops.operands import Operands

__all__ = ["recurrence_node", "refuse_packed", "register"]

OLDEST = 9  # opset of the tracing exporter
INT32 = 6


def register() -> None:
    """Register the operator with both exporters of torch.onnx.export."""
    when_imported("torch.onnx._internal.exporter._registration", _enter)
    when_imported("torch.onnx", _enter_traced)


def _enter(registration: Any) -> None:
    from torch.onnx._internal.exporter._torchlib import _torchlib_registry

    known: Any = _torchlib_registry._registry
    operator = torch.ops.gruworks.recurrence.default
    known.append(registration.OnnxDecompMeta(onnx_function=recurrence_node, fx_target=operator, signature=None))


def _enter_traced(onnx: Any) -> None:
    onnx.register_custom_op_symbolic("gruworks::recurrence", _traced_node, OLDEST)


def refuse_packed() -> None:
    """Reject a PackedSequence during ONNX export.

    Raises:
        ExportError: during torch.onnx.export.
    """
    onnx: Any = sys.modules.get("torch.onnx")
    if onnx is not None and onnx.is_in_onnx_export():
        raise ExportError("a PackedSequence can't be exported to ONNX from here: give padded input and lengths=")


def recurrence_node(
    x: Any, gi: Any, h0: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, lengths: Any, decay: Any, replacement: Any,
    mask: Any, zoneout: Any, gain: Any, input_gain: Any, resets: Any, before: bool, candidate_activation: Any,
    gate_activation: Any, reverse: bool, keep: bool,
) -> tuple[Any, Any, Any, Any]:  # fmt: skip
    """GRU node of the operator, in onnxscript (dynamo=True)."""
    extras = decay, replacement, mask, zoneout, gain, input_gain, resets
    unit = Unit(before, candidate_activation, gate_activation)
    return _node(_Script(), Operands(x, gi, h0, w_ih, w_hh, b_ih, b_hh, lengths, *extras), unit, reverse)


def _traced_node(g: Any, *arguments: Any) -> tuple[Any, Any, Any, Any]:
    """GRU node of the operator, for the tracing exporter (dynamo=False)."""
    from torch.onnx import symbolic_helper

    of: Any = symbolic_helper
    *given, before, candidate, gate, reverse, _ = arguments
    tensors: Any = (None if of._is_none(a) else a for a in given)
    unit: Any = (of._parse_arg(before, "b"), of._parse_arg(candidate, "s"), of._parse_arg(gate, "s"))
    return _node(_Trace(g, of), Operands(*tensors), Unit(*unit), of._parse_arg(reverse, "b"))


def _node(op: Any, o: Operands, unit: Unit, reverse: bool) -> tuple[Any, Any, Any, Any]:
    """Output and final state of a GRU node, and empty tensors for the operator's saved activations."""
    if o.resets is not None:
        raise OptionError(
            "an ONNX GRU node has no resets of the state: export single steps, and reset the state outside"
        )
    if o.decay is not None or o.replacement is not None:
        raise OptionError("an ONNX GRU node has no decay of the state (GRU-D): this layer can't be written")
    if any(added is not None for added in (o.mask, o.zoneout, o.gain, o.input_gain)):
        raise OptionError(
            "an ONNX GRU node has no layer norm, zoneout or recurrent dropout: this layer can't be written"
        )
    H = op.columns(o.w_hh)
    if o.x is None:  # precomputed input projections include the bias; the node's input weights are the identity
        o = o._replace(x=o.gi, b_ih=None, w_ih=op.constant(numpy.eye(3 * H, dtype=numpy.float32), o.w_hh))
    B = None
    if o.b_ih is not None or o.b_hh is not None:
        zeros = op.constant(numpy.zeros(3 * H, numpy.float32), o.w_hh)
        B = op.unsqueeze(op.concat(*(_in_order(op, zeros if b is None else b, H) for b in (o.b_ih, o.b_hh))), 0)
    Y, Y_h = op.gru(
        (o.x, op.unsqueeze(_in_order(op, o.w_ih, H), 0), op.unsqueeze(_in_order(op, o.w_hh, H), 0), B,
         None if o.lengths is None else op.to_int32(o.lengths), None if o.h0 is None else op.unsqueeze(o.h0, 0)),
        hidden_size=H, linear_before_reset=int(not unit.before), direction="reverse" if reverse else "forward",
        **onnx_attributes(unit, 1),
    )  # fmt: skip
    final = op.squeeze(Y_h, 0)
    if o.lengths is not None and o.h0 is not None:  # ONNX Runtime's final state of an empty row is 0; ours is h0
        final = op.where_zero(o.lengths, o.h0, final)
    empty = op.rows(final, 0, 0)
    return op.squeeze(Y, 1), final, empty, empty


def _in_order(op: Any, rows: Any, H: int) -> Any:
    """Rows r, z, n in ONNX's order z, r, h."""
    r, z, n = (op.rows(rows, k * H, (k + 1) * H) for k in range(3))
    return op.concat(z, r, n)


class _Script:
    """ONNX operators in onnxscript."""

    def __init__(self) -> None:
        self.op: Any = require("onnxscript", "exchange").opset18

    def columns(self, matrix: Any) -> int:
        return int(matrix.shape[1])

    def constant(self, array: Any, like: Any) -> Any:
        return self.op.CastLike(self.op.Constant(value=require("onnx_ir", "exchange").tensor(array)), like)

    def unsqueeze(self, x: Any, axis: int) -> Any:
        return self.op.Unsqueeze(x, [axis])

    def squeeze(self, x: Any, axis: int) -> Any:
        return self.op.Squeeze(x, [axis])

    def concat(self, *parts: Any) -> Any:
        return self.op.Concat(*parts, axis=0)

    def rows(self, x: Any, start: int, end: int) -> Any:
        return self.op.Slice(x, [start], [end], [0])

    def to_int32(self, x: Any) -> Any:
        return self.op.Cast(x, to=INT32)

    def where_zero(self, lengths: Any, a: Any, b: Any) -> Any:
        return self.op.Where(self.op.Unsqueeze(self.op.Equal(lengths, self.op.Constant(value_int=0)), [1]), a, b)

    def gru(self, inputs: Any, **attributes: Any) -> Any:
        return self.op.GRU(*inputs, **attributes)


class _Trace:
    """ONNX operators in the tracing exporter's graph."""

    def __init__(self, g: Any, of: Any) -> None:
        self.g, self.of = g, of

    def columns(self, matrix: Any) -> int:
        return int(self.of._get_tensor_dim_size(matrix, 1))

    def constant(self, array: Any, like: Any) -> Any:
        return self.g.op("Constant", value_t=torch.from_numpy(array).to(like.type().dtype()))

    def unsqueeze(self, x: Any, axis: int) -> Any:
        return self.of._unsqueeze_helper(self.g, x, [axis])

    def squeeze(self, x: Any, axis: int) -> Any:
        return self.of._squeeze_helper(self.g, x, [axis])

    def concat(self, *parts: Any) -> Any:
        return self.g.op("Concat", *parts, axis_i=0)

    def rows(self, x: Any, start: int, end: int) -> Any:
        return self.of._slice_helper(self.g, x, axes=[0], starts=[start], ends=[end])

    def to_int32(self, x: Any) -> Any:
        return self.g.op("Cast", x, to_i=INT32)

    def where_zero(self, lengths: Any, a: Any, b: Any) -> Any:
        zero = self.g.op("Equal", lengths, self.g.op("Constant", value_t=torch.tensor(0)))
        return self.g.op("Where", self.unsqueeze(zero, 1), a, b)

    def gru(self, inputs: Any, **attributes: Any) -> Any:
        given = [self._absent() if one is None else one for one in inputs]
        typed = {f"{name}_{self._kind(value)}": value for name, value in attributes.items()}
        return self.g.op("GRU", *given, outputs=2, **typed)

    def _kind(self, value: Any) -> str:
        """The letter by which the graph knows an attribute's type."""
        one = value[0] if isinstance(value, list) else value
        return "s" if isinstance(one, str) else "i" if isinstance(one, int) else "f"

    def _absent(self) -> Any:
        nothing = self.g.op("prim::Constant")
        nothing.setType(torch._C.OptionalType.ofTensor())
        return nothing
