"""Public operations of nn and ops on tensors or arrays, and kinds of operands to try."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

from gruworks import GRU, GRUCell
from gruworks.nn import cells, conditioned, cross_entropy, functional, newton, tracing
from gruworks.nn.blocks import additive_attention, self_attention
from gruworks.nn.recurrence import linear_scan
from gruworks.ops import recurrence
from gruworks.ops import scan as ops_scan
from gruworks.ops.stream import GRUStream
from gruworks.ops.weights import GRUWeights

T, B, I, H = 5, 3, 2, 4  # noqa: E741 (the field's letter)


class Operation(NamedTuple):
    """`call` takes the operands by name; `optional` may be None."""

    call: Callable[..., Any]
    operands: dict[str, Any]
    optional: tuple[str, ...] = ()
    tensors: tuple[str, ...] = ()  # what can't be anything else, because a module holds it


def drawn(*shape: int) -> Tensor:
    return torch.rand(*shape) - 0.5


def _module(module: torch.nn.Module, **inputs: Tensor) -> Operation:
    """A module's inputs and parameters as operands."""

    def call(**operands: Any) -> Any:
        given = {name: operands.pop(name) for name in inputs}
        for name, value in operands.items():
            owner, _, last = name.rpartition(".")
            module.get_submodule(owner)._parameters[last] = value
        return module(*given.values())

    parameters = dict(module.named_parameters())
    return Operation(call, {**inputs, **parameters}, ("hx",), tuple(parameters))


def _packed(module: GRU) -> Operation:
    packed = pack_padded_sequence(drawn(T, B, I), torch.tensor([5, 3, 1]))

    def call(data: Any, batch_sizes: Any, hx: Any) -> Any:
        made = tuple.__new__(PackedSequence, (data, batch_sizes, None, None))
        output, final = module(made, hx)
        return output.data, final

    layers = module.num_layers * module.directions
    operands = {"data": packed.data, "batch_sizes": packed.batch_sizes, "hx": drawn(layers, B, H)}
    return Operation(call, operands, ("hx",))


def _layer(reset: Any, recompute: bool | int, names: tuple[str, ...]) -> Operation:
    every = {
        "x": drawn(T, B, I), "gi": drawn(T, B, 3 * H), "h0": drawn(B, H), "w_ih": drawn(3 * H, I),
        "w_hh": drawn(3 * H, H), "b_ih": drawn(3 * H), "b_hh": drawn(3 * H), "lengths": torch.tensor([5, 0, 3]),
        "decay": torch.rand(T, B, H), "replacement": drawn(B, H), "mask": drawn(B, H), "zoneout": torch.rand(T, B, H),
        "gain": drawn(3 * H), "input_gain": drawn(3 * H),
    }  # fmt: skip

    def call(w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, x: Any = None, **rest: Any) -> Any:
        weights = GRUWeights(w_ih, w_hh, b_ih, b_hh, reset=reset)
        return functional.gru_layer(x, rest.pop("h0"), weights, recompute=recompute, **rest)

    operands = {name: every[name] for name in ("w_ih", "w_hh", "b_ih", "b_hh", "h0", *names)}
    return Operation(call, operands, ("h0", "b_ih", "b_hh", "lengths", "replacement", "mask", "zoneout", "decay",
                                      *(("w_ih",) if "gi" in names else ())))  # fmt: skip


def _step(name: str, width: int) -> Operation:
    def call(h: Any, w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, **given: Any) -> Any:
        x = given.get("x")
        return functional.step(x, h, GRUWeights(w_ih, w_hh, b_ih, b_hh), gi=given.get("gi"))

    weights = {"w_ih": drawn(3 * H, I), "w_hh": drawn(3 * H, H), "b_ih": drawn(3 * H), "b_hh": drawn(3 * H)}
    unread = ("w_ih",) if name == "gi" else ()
    return Operation(call, {name: drawn(B, width), "h": drawn(B, H), **weights}, ("h", "b_ih", "b_hh", *unread))


def modules() -> Iterator[tuple[str, Operation]]:
    for reset in ("after", "before"):
        kind: Any = {"reset": reset}
        yield f"GRU {reset}", _module(GRU(I, H, **kind), input=drawn(T, B, I), hx=drawn(1, B, H))
        yield f"GRU {reset} packed", _packed(GRU(I, H, **kind))
        yield f"GRUCell {reset}", _module(GRUCell(I, H, **kind), input=drawn(B, I), hx=drawn(B, H))
    two = GRU(I, H, 2, bidirectional=True, batch_first=True, bias=False)
    yield "GRU stacked", _module(two, input=drawn(B, T, I), hx=drawn(4, B, H))
    yield "GRU unbatched", _module(GRU(I, H), input=drawn(T, I), hx=drawn(1, H))
    yield "GRU recompute", _module(GRU(I, H, recompute=2), input=drawn(T, B, I), hx=drawn(1, B, H))
    regularised = GRU(I, H, layer_norm=True, zoneout=0.5).eval()
    yield "GRU layer norm", _module(regularised, input=drawn(T, B, I), hx=drawn(1, B, H))
    yield "GRUCell unbatched", _module(GRUCell(I, H), input=drawn(I), hx=drawn(H))
    for name in cells.CELLS:
        for engine in ("fused", "equations"):
            made = cells.make(name, I, H, engine=engine)
            if not isinstance(made, torch.nn.LSTM) and type(made) is not torch.nn.RNN:
                yield f"cell {name} {engine}", _module(made.eval(), input=drawn(T, B, I), hx=drawn(1, B, H))


def functions() -> Iterator[tuple[str, Operation]]:
    for reset in ("after", "before"):
        yield f"gru_layer {reset}", _layer(reset, False, ("x",))
        yield f"gru_layer {reset} ragged", _layer(reset, False, ("x", "lengths", "decay", "replacement"))
        yield f"gru_layer {reset} regularised", _layer(reset, False, ("x", "mask", "zoneout", "gain", "input_gain"))
        yield f"gru_layer {reset} terms", _layer(reset, False, ("gi",))
        yield f"gru_layer {reset} recompute", _layer(reset, 2, ("x", "lengths"))
    yield "step", _step("x", I)
    yield "step of terms", _step("gi", 3 * H)
    terms = {"gi": drawn(B, 3 * H), "gh": drawn(B, 3 * H), "h": drawn(B, H)}
    yield "gates", Operation(functional.new_state, terms)
    logs = {"log_a": -torch.rand(T, B, H), "log_b": -torch.rand(T, B, H), "h0": drawn(B, H)}
    yield "log_scan", Operation(linear_scan.log_scan, logs)
    feed = {"gi": drawn(T, B, 3 * H), "h0": drawn(B, H), "w_hh": drawn(3 * H, H), "condition": drawn(B, 3 * H)}
    yield "conditioned_layer", Operation(conditioned.conditioned_layer, feed)
    read = {"queries": drawn(B, T, H), "keys": drawn(B, 6, H), "score": drawn(H)}
    yield "additive_scores", Operation(additive_attention.additive_scores, read)
    loss = {"x": drawn(6, H), "weight": drawn(7, H), "bias": drawn(7), "targets": torch.tensor([1, -1, 3, 0, 6, 2])}
    yield "linear_cross_entropy", Operation(cross_entropy.linear_cross_entropy, loss)
    gru = GRU(I, H)
    yield (
        "evaluate",
        Operation(lambda x, h0: newton.evaluate(gru, x, h0).states, {"x": drawn(T, B, I), "h0": drawn(B, H)}, ("h0",)),
    )
    yield "trace", Operation(lambda x, h0: tracing.trace(gru, x, h0), {"x": drawn(T, B, I), "h0": drawn(B, H)}, ("h0",))
    block = self_attention.AttentionBlock(H, window=3, heads=2).eval()
    yield "AttentionBlock", Operation(lambda x: block(x)[0], {"x": drawn(T, B, H)})


def arrays() -> Iterator[tuple[str, Operation]]:
    """Operations on NumPy arrays, converted from the same kinds of tensors."""
    weights = GRUWeights.random(I, H).astype(numpy.float32)

    def forward(w_ih: Any, w_hh: Any, **rest: Any) -> Any:
        given = GRUWeights(w_ih, w_hh, weights.b_ih, weights.b_hh)
        return recurrence.forward(given, **rest)

    given = {"w_ih": weights.w_ih, "w_hh": weights.w_hh, "x": drawn(T, B, I).numpy(), "h0": drawn(B, H).numpy(),
             "lengths": numpy.array([5, 0, 3]), "decay": torch.rand(T, B, H).numpy(),
             "replacement": drawn(B, H).numpy()}  # fmt: skip
    yield "ops.recurrence", Operation(forward, given, ("h0", "lengths", "replacement"))
    terms = {"gi": drawn(B, 3 * H).numpy(), "gh": drawn(B, 3 * H).numpy(), "h": drawn(B, H).numpy()}
    yield "ops.gates", Operation(recurrence.new_state, terms)
    logs = {"log_a": -torch.rand(T, B).numpy(), "log_b": -torch.rand(T, B).numpy(), "h0": drawn(B).numpy()}
    yield "ops.log_scan", Operation(ops_scan.log_scan, logs)

    def step(x: Any, state: Any, w_ih: Any, w_hh: Any) -> Any:
        stream = GRUStream(GRUWeights(w_ih, w_hh, weights.b_ih, weights.b_hh), B)
        stream.state = state
        return stream.step(x).copy()

    own = {"x": drawn(B, I).numpy(), "state": torch.zeros(B, H).numpy(), "w_ih": weights.w_ih, "w_hh": weights.w_hh}
    yield "GRUStream", Operation(step, own)


def _nested(t: Tensor, layout: torch.layout) -> Tensor:
    return torch.nested.nested_tensor(list(t), layout=layout)


KINDS: dict[str, Callable[[Tensor], Any]] = {
    "strided": lambda t: t.repeat_interleave(2, -1)[..., ::2],
    "transposed": lambda t: t.transpose(0, -1).contiguous().transpose(0, -1),
    "meta": lambda t: t.to("meta"),
    "coo": lambda t: t.to_sparse(),
    "csr": lambda t: t.to_sparse_csr(),
    "mkldnn": lambda t: t.to_mkldnn(),
    "nested": lambda t: _nested(t, torch.strided),
    "jagged": lambda t: _nested(t, torch.jagged),
    "freed": lambda t: _freed(t),
    "float16": lambda t: t.half(),
    "bfloat16": lambda t: t.bfloat16(),
    "float64": lambda t: t.double(),
    "int64": lambda t: t.long(),
    "complex64": lambda t: t.to(torch.complex64),
    "bool": lambda t: t.bool(),
    "quantised": lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8),
    "array": lambda t: t.detach().numpy(),
    "list": lambda t: t.tolist(),
    "None": lambda t: None,
    "int": lambda t: 3,
    "str": lambda t: "abc",
}


def _freed(t: Tensor) -> Tensor:
    t = t.detach().clone()
    t.untyped_storage().resize_(0)
    return t


def variants(operand: Any) -> Iterator[tuple[str, Any]]:
    """The operand converted to every kind that supports it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, change in KINDS.items():
            try:
                made = change(torch.as_tensor(operand).detach())
            except (RuntimeError, TypeError, IndexError):
                continue  # torch has no such tensor
            yield name, made
