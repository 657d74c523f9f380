"""The native recurrence under torch: derivatives of every order, transforms, compile, export, edge cases."""

from __future__ import annotations

import copy
import gc
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor

from gruworks import GRU, GRUCell
from gruworks.errors import DtypeError, OptionError, ShapeError
from gruworks.nn import functional
from gruworks.nn.functional import gru_layer
from gruworks.nn.recurrence import conditions, kernel
from gruworks.nn.recurrence.fallback import by_equations
from gruworks.ops.activations import Unit
from gruworks.ops.operands import Operands
from gruworks.ops.weights import GRUWeights
from tests import tolerances

if not conditions.AVAILABLE:
    pytest.skip("the native kernel does not run here", allow_module_level=True)

T, B, I, H = 5, 3, 2, 4  # noqa: E741 (the field's letter)


def operands(dtype: torch.dtype = torch.float64, gi: bool = False, full: bool = True) -> Operands:
    torch.manual_seed(0)

    def leaf(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=dtype).requires_grad_()

    front = (None, leaf(T, B, 3 * H)) if gi else (leaf(T, B, I), None)
    weights = leaf(3 * H, I), leaf(3 * H, H), leaf(3 * H), leaf(3 * H)
    rest = (torch.tensor([5, 0, 3]), leaf(T, B, H), leaf(B, H)) if full else (None, None, None)
    return Operands(*front, leaf(B, H), *weights, *rest)


def call(reset: str, reverse: bool, names: list[str], given: Operands) -> Any:
    """The layer as a function of the operands that can vary."""

    def function(*tensors: Tensor) -> tuple[Tensor, Tensor]:
        o = given._replace(**dict(zip(names, tensors, strict=True)))
        weights = GRUWeights(o.w_ih, o.w_hh, o.b_ih, o.b_hh, reset=reset)
        return gru_layer(o.x, o.h0, weights, o.lengths, reverse, gi=o.gi, decay=o.decay, replacement=o.replacement)

    return function


def varying(o: Operands) -> tuple[list[str], list[Tensor]]:
    found = {n: t for n, t in o._asdict().items() if t is not None and t.is_floating_point()}
    if o.x is None:
        del found["w_ih"], found["b_ih"]  # not read: they are in the terms already
    return list(found), list(found.values())


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("gi", [False, True])
@pytest.mark.parametrize("full", [False, True])
def test_gradients_of_first_and_second_order_and_forward_mode(reset: str, reverse: bool, gi: bool, full: bool) -> None:
    o = operands(gi=gi, full=full)
    names, tensors = varying(o)
    function = call(reset, reverse, names, o)
    assert torch.autograd.gradcheck(function, tensors, fast_mode=True, check_forward_ad=True)
    if full and not reverse:
        assert torch.autograd.gradgradcheck(function, tensors, fast_mode=True)


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("gi", [False, True])
def test_the_kernel_equals_the_equations_in_torch(reset: str, gi: bool) -> None:
    o = operands(gi=gi)
    names, tensors = varying(o)
    found = call(reset, False, names, o)(*tensors)
    true = by_equations(o, Unit(reset == "before"), False)
    for mine, theirs in zip(found, true, strict=True):
        torch.testing.assert_close(mine, theirs, atol=tolerances.FLOAT64, rtol=0)
    grads = [torch.autograd.grad(r[0].sin().sum() + r[1].cos().sum(), tensors) for r in (found, true)]
    for mine, theirs in zip(*grads, strict=True):
        torch.testing.assert_close(mine, theirs, atol=tolerances.FLOAT64, rtol=0)


def test_jvp_is_not_silently_zero() -> None:
    gru = GRU(I, H, dtype=torch.float64)
    x, v = torch.randn(2, T, B, I, dtype=torch.float64)
    _, tangent = torch.func.jvp(lambda x: gru(x)[0], (x,), (v,))
    difference = (gru(x + 1e-6 * v)[0] - gru(x - 1e-6 * v)[0]) / 2e-6
    assert tangent.abs().max() > 0.01
    torch.testing.assert_close(tangent, difference, atol=1e-8, rtol=0)


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("weights_too", [False, True])
def test_vmap(ragged: bool, weights_too: bool) -> None:
    o = operands(full=ragged)
    xs = torch.randn(6, T, B, I, dtype=torch.float64)
    ws = torch.randn(6, 3 * H, H, dtype=torch.float64)
    function = call("after", False, ["x", "w_hh"], o)
    with torch.no_grad():
        if weights_too:
            found, expected = torch.func.vmap(function)(xs, ws), [function(x, w) for x, w in zip(xs, ws, strict=True)]
        else:
            mapped = torch.func.vmap(function, in_dims=(0, None))
            found, expected = mapped(xs, ws[0]), [function(x, ws[0]) for x in xs]
    for mine, theirs in zip(found, zip(*expected, strict=True), strict=True):
        torch.testing.assert_close(mine, torch.stack(theirs), atol=tolerances.FLOAT64, rtol=0)


def test_gradients_for_each_sample() -> None:
    gru = GRU(I, H, dtype=torch.float64)
    xs = torch.randn(6, T, B, I, dtype=torch.float64)
    found = torch.func.vmap(torch.func.grad(lambda x: gru(x)[0].sum()))(xs)
    for x, mine in zip(xs, found, strict=True):
        x = x.clone().requires_grad_()
        gru(x)[0].sum().backward()
        torch.testing.assert_close(mine, x.grad, atol=tolerances.FLOAT64, rtol=0)


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("full", [False, True])
def test_the_operator_passes_opcheck(reset: str, full: bool) -> None:
    arguments = (*operands(torch.float32, full=full), *Unit(reset == "before"), False, True)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore")
        torch.library.opcheck(torch.ops.gruworks.recurrence.default, arguments)


@pytest.mark.parametrize("reset", ["after", "before"])
def test_compiled_whole_with_dynamic_steps_and_rows(reset: str) -> None:
    torch._dynamo.reset()
    gru = GRU(I, H, reset=reset)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore")
        compiled = torch.compile(gru, fullgraph=True, dynamic=True)
        for steps, rows in ((5, 2), (7, 3), (2, 4)):
            x = torch.randn(steps, rows, I, requires_grad=True)
            results = []
            for layer in (gru, compiled):
                gru.zero_grad()
                output, final = layer(x)
                grads = torch.autograd.grad(output.sum() + final.sum(), (x, *gru.parameters()))
                results.append((output, final, *grads))
            for mine, theirs in zip(*results, strict=True):
                torch.testing.assert_close(mine, theirs, atol=tolerances.FLOAT32_OUTPUT, rtol=0)


def test_exported_with_dynamic_steps_and_rows() -> None:
    gru = GRU(I, H, num_layers=2, bidirectional=True).eval()
    sizes = {0: torch.export.Dim("T", min=2, max=100), 1: torch.export.Dim("B", min=2, max=50)}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore")
        program = torch.export.export(gru, (torch.randn(5, 2, I),), dynamic_shapes={"input": sizes})
    x = torch.randn(9, 7, I)
    torch.testing.assert_close(program.module()(x)[0], gru(x)[0], atol=tolerances.FLOAT32_OUTPUT, rtol=0)


def test_a_retained_graph_allows_a_second_backward() -> None:
    gru, x = GRU(I, H), torch.randn(T, B, I)
    loss = gru(x)[0].sum()
    first = torch.autograd.grad(loss, list(gru.parameters()), retain_graph=True)
    second = torch.autograd.grad(loss, list(gru.parameters()))
    for mine, theirs in zip(second, first, strict=True):
        torch.testing.assert_close(mine, theirs, atol=0, rtol=0)


def test_weights_changed_behind_autograd_are_seen() -> None:
    gru, x = GRU(I, H), torch.randn(T, B, I)
    gru(x)
    gru.weight_hh_l0.data.mul_(3)
    gru.bias_hh_l0.detach().numpy()[0] = 5
    again = GRU(I, H)
    again.load_state_dict(gru.state_dict())
    torch.testing.assert_close(gru(x)[0], again(x)[0], atol=0, rtol=0)


def of_types(module: torch.nn.Module, x: Tensor, hx: Tensor | None) -> list[torch.dtype]:
    """Types of results and gradients under autocast, for x and hx as they come."""
    leaves = [t.detach().requires_grad_() for t in (x, hx) if t is not None]
    results = module(*leaves)
    results = results if isinstance(results, tuple) else (results,)
    grads = torch.autograd.grad(sum(r.float().sum() for r in results), [*leaves, *module.parameters()])
    return [t.dtype for t in (*results, *grads)]


HALVES = (torch.bfloat16, torch.float16)


@pytest.mark.parametrize("cast", HALVES)
@pytest.mark.parametrize("x_type", [torch.float32, *HALVES])
@pytest.mark.parametrize("h_type", [None, torch.float32, *HALVES])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True, "batch_first": True}], ids=str)
def test_types_under_autocast_are_torchs(
    cast: torch.dtype, x_type: torch.dtype, h_type: torch.dtype | None, options: dict[str, Any]
) -> None:
    if h_type in HALVES and h_type != cast:
        pytest.skip("torch mixes no two halves")
    layers = 4 if options else 1
    x, hx = torch.randn(T, T, I), torch.randn(layers, T, H)
    start = None if h_type is None else hx.to(h_type)
    with torch.autocast("cpu", cast):
        found = of_types(GRU(I, H, **options), x.to(x_type), start)
        assert found == of_types(torch.nn.GRU(I, H, **options), x.to(x_type), start)
        start = None if start is None else start[0]
        assert of_types(GRUCell(I, H), x[0].to(x_type), start) == of_types(
            torch.nn.GRUCell(I, H), x[0].to(x_type), start
        )


def test_autocast_computes_in_the_weights_type() -> None:
    gru, x = GRU(I, H), torch.randn(T, B, I).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        output, _ = gru(x)
        packed, _ = gru(torch.nn.utils.rnn.pack_sequence([x[:, 0], x[:3, 1]]))
        ragged, final = gru(x, lengths=[5, 0, 3])
    assert (packed.data.dtype, ragged.dtype, final.dtype) == (torch.bfloat16,) * 3
    torch.testing.assert_close(output, gru(x.float())[0].bfloat16(), atol=0, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float64, torch.int64, torch.complex64, torch.bool])
def test_what_autocast_does_not_cast_is_refused(dtype: torch.dtype) -> None:
    with torch.autocast("cpu", torch.bfloat16), pytest.raises(DtypeError, match="convert one"):
        GRU(I, H)(torch.ones(T, B, I).to(dtype))


def test_layouts_and_edges() -> None:
    gru = GRU(I, H)
    x = torch.randn(T, B, 2 * I)
    for view in (x[..., :I], x[..., ::2], x[..., :I].transpose(0, 1), x[:, :1, :I].expand(T, 4, I)):
        torch.testing.assert_close(gru(view)[0], gru(view.contiguous())[0], atol=0, rtol=0)
    empty, final = gru(torch.randn(T, 0, I))
    assert (empty.shape, final.shape) == ((T, 0, H), (1, 0, H))
    output, _ = gru(x[..., :I])
    output[-1].sum().backward()  # an expanded gradient
    assert gru.weight_hh_l0.grad is not None


def test_no_steps_give_the_initial_state() -> None:
    o = operands(full=False)
    weights = GRUWeights(o.w_ih, o.w_hh, o.b_ih, o.b_hh)
    h0 = torch.randn(B, H, dtype=torch.float64, requires_grad=True)
    output, final = gru_layer(torch.zeros(0, B, I, dtype=torch.float64), h0, weights)
    assert output.shape == (0, B, H)
    final.sum().backward()
    assert (h0.grad == 1).all()


def test_operands_that_do_not_fit_are_named() -> None:
    o = operands(torch.float32, full=False)
    weights = GRUWeights(o.w_ih, o.w_hh, o.b_ih, o.b_hh)
    with pytest.raises(ShapeError, match=r"x must be \[5, 3, 2\].*not \[5, 3, 9\]"):
        gru_layer(torch.zeros(T, B, 9), None, weights)
    with pytest.raises(ShapeError, match="h0"):
        gru_layer(torch.zeros(T, B, I), torch.zeros(B + 1, H), weights)
    with pytest.raises(DtypeError, match="x must have"):
        gru_layer(torch.zeros(T, B, I, dtype=torch.float64), None, weights)
    with pytest.raises(OptionError, match="not both or neither"):
        gru_layer(None, None, weights)
    with pytest.raises(OptionError, match="needs decay"):
        gru_layer(torch.zeros(T, B, I), None, weights, replacement=torch.zeros(B, H))
    with pytest.raises(ValueError, match="between 0 and"):
        gru_layer(torch.zeros(T, B, I), None, weights, torch.tensor([1, 2, 99]))


def test_gates_are_those_of_a_step() -> None:
    gi, gh, h = torch.randn(B, 3 * H), torch.randn(B, 3 * H), torch.randn(B, H)
    zeros = torch.zeros(3 * H, I), torch.zeros(3 * H, H)
    cell = torch.ops.aten.gru_cell(torch.zeros(B, I), h, *zeros, torch.zeros(3 * H), torch.zeros(3 * H))
    torch.testing.assert_close(functional.new_state(torch.zeros(B, 3 * H), torch.zeros(B, 3 * H), h), cell)
    assert functional.new_state(gi, gh, h).shape == (B, H)


@pytest.fixture
def swapping() -> Any:
    torch.__future__.set_swap_module_params_on_conversion(True)
    yield
    torch.__future__.set_swap_module_params_on_conversion(False)


@torch.no_grad()  # torch refuses while a graph holds the weights
def test_modules_convert_by_swapping_their_parameters(swapping: None) -> None:
    for module, x in ((GRU(I, H, 2), torch.randn(T, B, I)), (GRUCell(I, H), torch.randn(B, I))):
        before = module(x)
        module.double()
        for mine, theirs in zip(before, module(x.double()), strict=True):
            torch.testing.assert_close(mine.double(), theirs, atol=tolerances.FLOAT32_OUTPUT, rtol=0)
        if isinstance(module, GRUCell):  # torch's own GRU refers to its weights, and can't
            module.load_state_dict({name: 2 * p for name, p in module.state_dict().items()})
            assert not torch.equal(module(x.double())[0].float(), before[0])


def test_swapped_weights_are_served_and_old_ones_never() -> None:
    cell, other, x = GRUCell(I, H), GRUCell(I, H), torch.randn(B, I)
    first, second = cell(x).detach(), other(x).detach()
    for name, parameter in cell.named_parameters():
        torch.utils.swap_tensors(parameter, other.get_parameter(name))
    torch.testing.assert_close(cell(x), second, atol=0, rtol=0)
    torch.testing.assert_close(other(x), first, atol=0, rtol=0)


def test_what_is_known_of_a_weight_dies_with_its_memory() -> None:
    gc.collect()
    before = len(kernel._cache)
    for _ in range(20):
        gru = GRU(I, H)
        gru(torch.randn(T, B, I))
        gru.weight_hh_l0.data = torch.randn(3 * H, H)
        gru(torch.randn(T, B, I))
    del gru
    gc.collect()
    assert len(kernel._cache) == before


def test_a_module_that_ran_is_copied_pickled_shared_and_saved(tmp_path: Any) -> None:
    gru, x = GRU(I, H), torch.randn(T, B, I)
    expected = gru(x)[0].detach()
    torch.save(gru.weight_hh_l0, tmp_path / "weight.pt")
    assert torch.equal(torch.load(tmp_path / "weight.pt", weights_only=True), gru.weight_hh_l0)
    for other in (copy.deepcopy(gru), pickle.loads(pickle.dumps(gru)), copy.deepcopy(gru).share_memory()):
        assert torch.equal(other(x)[0], expected)
        assert not vars(other.weight_hh_l0)
    assert torch.equal(gru.share_memory()(x)[0], expected)


def test_threads_that_come_and_go_with_their_weights() -> None:
    x = torch.randn(T, B, I)

    def work() -> bool:
        gru = GRU(I, H)
        first = gru(x)[0].detach()
        gru.weight_hh_l0.data = gru.weight_hh_l0.data.clone()
        return torch.equal(gru(x)[0], first)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(lambda _: work(), range(100)))
