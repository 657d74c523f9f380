"""The fast path takes exactly the calls for which `conditions.fast` is true: every operand, type, layout and mode."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.autograd import forward_ad
from torch.utils._python_dispatch import TorchDispatchMode

from gruworks import GRU, GRUCell
from gruworks.errors import GruworksError
from gruworks.nn import functional
from gruworks.nn.recurrence import conditions, fast_path
from gruworks.nn.recurrence.conditions import Call
from gruworks.ops.activations import Unit
from tests.nn.recurrence.operand_cases import variants

if not conditions.AVAILABLE:
    pytest.skip("the native kernel does not run here", allow_module_level=True)

T, B, I, H = 5, 3, 2, 4  # noqa: E741 (the field's letter)


class Watching(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func(*args, **(kwargs or {}))


MODES: dict[str, Callable[[], Any]] = {
    "eager": contextlib.nullcontext,
    "no_grad": torch.no_grad,
    "inference": torch.inference_mode,
    "hooks": lambda: torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t),
    "autocast": lambda: torch.autocast("cpu", torch.bfloat16),
    "autocast off": lambda: torch.autocast("cpu", torch.bfloat16, enabled=False),
    "forward mode": forward_ad.dual_level,
    "dispatch mode": Watching,
    "fake tensors": lambda: FakeTensorMode(allow_non_fake_inputs=True),
}


def taken(fast: Callable[..., Any], *operands: Any) -> bool:
    """True if the fast path took the call or raised for a freed storage."""
    try:
        return fast(*operands) is not None
    except GruworksError:
        return True


def layer_operands(gi: bool, bias: bool = True) -> dict[str, Any]:
    wide = 3 * H if gi else I
    drawn = {
        "x": (T, B, wide),
        "h0": (B, H),
        "w_ih": (3 * H, I),
        "w_hh": (3 * H, H),
        "b_ih": (3 * H,),
        "b_hh": (3 * H,),
    }
    made: dict[str, Any] = {name: torch.randn(shape) for name, shape in drawn.items()}
    return {**made, **({"w_ih": None, "b_ih": None} if gi else {}), **({} if bias else {"b_ih": None, "b_hh": None})}


def both(o: dict[str, Any]) -> tuple[bool, bool]:
    """Values of the fast path's condition and of `conditions.fast` for one layer."""
    w = o["w_ih"], o["w_hh"], o["b_ih"], o["b_hh"]
    call = Call("layer", o["x"], o["h0"], [w], Unit(), lambda layer: None)
    return taken(fast_path.layer, o["x"], o["h0"], *w, False), conditions.fast(call)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("gi", [False, True])
@pytest.mark.parametrize("gradients", [False, True])
def test_every_operand_in_every_mode(mode: str, gi: bool, gradients: bool) -> None:
    base, seen = layer_operands(gi), set()
    for operand in [name for name, value in base.items() if value is not None]:
        kinds = {"itself": base[operand], "longer": torch.cat([base[operand]] * 2), "short": base[operand][:0]}
        if operand == "x":  # a layer without an input is no call
            kinds.update((kind, made) for kind, made in variants(base[operand]) if isinstance(made, Tensor))
        else:
            kinds.update(variants(base[operand]))
        for kind, given in kinds.items():
            if operand == "w_hh" and not isinstance(given, Tensor):
                continue
            o = {**base, operand: given}
            if gradients and isinstance(given, Tensor) and given.is_floating_point() and kind != "freed":
                with contextlib.suppress(RuntimeError):
                    o[operand] = given.detach().requires_grad_()
            with MODES[mode](), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fast, condition = both(o)
            assert fast == condition, f"{operand} {kind}: the fast path {fast}, conditions.fast {condition}"
            seen.add(fast)
    assert seen == ({True, False} if mode in ("eager", "no_grad", "autocast off", "inference") else seen | {False})


def test_under_vmap_and_a_trace() -> None:
    o, found = layer_operands(False), []

    def inside(x: Tensor) -> Tensor:
        found.append(both({**o, "x": x}))
        return x

    torch.func.vmap(inside)(torch.randn(2, T, B, I))
    torch.func.grad(lambda x: inside(x).sum())(o["x"])
    torch.jit.trace(inside, o["x"], check_trace=False)
    assert found == [(False, False)] * 3


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("options", [{}, {"reset": "before"}, {"batch_first": True}, {"bias": False}], ids=str)
def test_modules(mode: str, options: dict[str, Any]) -> None:
    gru, cell = GRU(I, H, **options), GRUCell(I, H, **{k: v for k, v in options.items() if k != "batch_first"})
    steps, state = torch.randn(T, B, I), torch.randn(1, T if gru.batch_first else B, H)
    for operand, base in (("x", steps), ("hx", state)):
        for kind, given in [("itself", base), ("wide", torch.cat([base] * 2, -1)), *variants(base)]:
            x, hx = (given, None) if operand == "x" else (steps, given)
            if operand == "x" and not isinstance(given, Tensor):
                continue
            with MODES[mode](), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                assert taken(gru._fast, x, hx) == conditions.fast(gru._call(x, hx, None)), f"{operand} {kind}"
    with MODES[mode]():
        for x, h in ((steps[0], state[0, :B]), (steps[0], None), (steps[0], state[0, :1]), (steps[0, :, :1], None)):
            assert taken(cell._fast, x, h) == conditions.fast(cell._call(x, h))


def test_the_tables_first_row_computes_stacks_too() -> None:
    for gru in (GRU(I, H, 2), GRU(I, H, bidirectional=True), GRU(I, H, 2, bidirectional=True, batch_first=True)):
        assert functional.choose(gru._call(torch.randn(T, B, I), None, None)).name == "fast path"


def test_each_row_is_chosen_by_some_call() -> None:
    x, plain, before = torch.randn(T, B, I), GRU(I, H), GRU(I, H, reset="before")
    found: list[str] = []

    def chosen(gru: GRU, x: Any = x, lengths: Any = None) -> str:
        found.append(functional.choose(gru._call(x, None, lengths)).name)
        return found[-1]

    assert chosen(plain) == "fast path"
    assert chosen(plain, lengths=[5, 2, 1]) == "native kernel"
    assert chosen(GRU(I, H, recompute=2)) == "native kernel in segments"
    assert chosen(GRU(I, H).bfloat16(), x.bfloat16()) == "torch's module"
    assert chosen(GRU(I, H).bfloat16(), x.bfloat16(), torch.tensor([5, 2, 1])) == "torch.gru"
    assert chosen(GRU(I, H, reset="before").bfloat16(), x.bfloat16()) == "equations"
    assert chosen(GRU(I, H, recompute=2).bfloat16(), x.bfloat16()) == "torch in segments"

    def inside(x: Tensor) -> Tensor:
        chosen(before, x)
        return x.sum()

    torch.func.vmap(inside)(x[None])
    torch.func.grad(inside)(x)
    assert found[-2:] == ["operator gruworks::recurrence", "equations under a transform"]
    assert set(found) == {row.name for row in functional.IMPLEMENTATIONS}
