"""The fast path: taken for plain calls, equal to the other paths to every order, declined under hooks."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import pytest
import torch
from torch import Tensor

from gruworks import GRU, GRUCell
from gruworks.errors import ShapeError
from gruworks.nn import functional
from gruworks.nn.recurrence import conditions, fallback, fast_path, kernel
from gruworks.ops.activations import Unit
from gruworks.ops.operands import Operands
from gruworks.ops.recurrence import padded
from gruworks.ops.weights import GRUWeights
from tests import tolerances

if not conditions.AVAILABLE:
    pytest.skip("the native kernel does not run here", allow_module_level=True)

T, B, I, H = 5, 3, 2, 4  # noqa: E741 (the field's letter)
DOUBLE: dict[str, Any] = {"dtype": torch.float64}


def leaves(batch_first: bool, start: bool) -> tuple[Tensor, Tensor | None]:
    torch.manual_seed(0)
    x = torch.randn(*((B, T) if batch_first else (T, B)), I, **DOUBLE).requires_grad_()
    return x, torch.randn(1, B, H, **DOUBLE).requires_grad_() if start else None


def long_way(gru: GRU, x: Tensor, hx: Tensor | None) -> tuple[Tensor, Tensor]:
    output, final = fallback.by_equations(
        Operands(x.transpose(0, 1) if gru.batch_first else x, None, None if hx is None else hx[0],
                        *gru.weights().arrays()), Unit(gru.reset == "before"), False,
    )  # fmt: skip
    return output.transpose(0, 1) if gru.batch_first else output, final[None]


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("start", [False, True])
def test_it_is_taken_and_right(reset: Any, batch_first: bool, bias: bool, start: bool) -> None:
    gru = GRU(I, H, bias=bias, batch_first=batch_first, reset=reset, **DOUBLE)
    x, hx = leaves(batch_first, start)
    assert gru._fast(x, hx) is not None
    inputs = [t for t in (x, hx, *gru.parameters()) if t is not None]
    found = []
    for output, final in (gru(x, hx), long_way(gru, x, hx)):
        loss = output.sin().sum() + final.cos().sum()
        first = torch.autograd.grad(loss, inputs, create_graph=True)
        second = torch.autograd.grad(sum(g.square().sum() for g in first), inputs, retain_graph=True)
        plain = torch.autograd.grad(loss, inputs, retain_graph=True)
        again = torch.autograd.grad(loss, inputs)  # the kernel has used up what it kept
        found.append([output, final, *first, *second, *plain, *again])
    for mine, theirs in zip(*found, strict=True):
        torch.testing.assert_close(mine, theirs, atol=tolerances.FLOAT64 * 10, rtol=0)


def test_only_what_is_needed_is_differentiated() -> None:
    gru = GRU(I, H, **DOUBLE)
    x, hx = leaves(False, True)
    gru.weight_ih_l0.requires_grad_(False)
    x = x.detach()
    _, final = gru(x, hx)
    final.sum().backward()
    assert gru.weight_ih_l0.grad is None
    expected = torch.autograd.grad(long_way(gru, x, hx)[1].sum(), [hx, gru.weight_hh_l0])
    torch.testing.assert_close(hx.grad, expected[0], atol=tolerances.FLOAT64, rtol=0)
    torch.testing.assert_close(gru.weight_hh_l0.grad, expected[1], atol=tolerances.FLOAT64, rtol=0)
    gru.requires_grad_(False)
    assert gru(x)[0].grad_fn is None


def test_the_final_state_is_no_view_of_the_output() -> None:
    with torch.no_grad():
        output, final = GRU(I, H)(torch.randn(T, B, I))
        kept = output.clone()
        final.zero_()
    assert torch.equal(output, kept)


def test_many_gradients_at_once() -> None:
    gru = GRU(I, H, **DOUBLE)
    x, _ = leaves(False, False)
    output = gru(x)[0]
    many = torch.randn(3, T, B, H, **DOUBLE)
    (found,) = torch.autograd.grad(output, x, many, is_grads_batched=True, retain_graph=True)
    for one, mine in zip(many, found, strict=True):
        (expected,) = torch.autograd.grad(output, x, one, retain_graph=True)
        torch.testing.assert_close(mine, expected, atol=tolerances.FLOAT64, rtol=0)


def test_weights_may_change_type_and_shape_under_their_name() -> None:
    gru, x = GRU(I, H), torch.randn(T, B, I)
    single = gru(x)[0]
    torch.testing.assert_close(gru.double()(x.double())[0].float(), single, atol=tolerances.FLOAT32_OUTPUT, rtol=0)
    gru.float()
    transposed = gru.weight_hh_l0.t().contiguous().t()
    gru.weight_hh_l0.data = transposed
    torch.testing.assert_close(gru(x)[0], single, atol=tolerances.FLOAT32_OUTPUT, rtol=0)
    gru.weight_hh_l0.data = torch.zeros(3 * H, H + 1)
    with pytest.raises(ShapeError):
        gru(x)


def test_whoever_watches_what_is_saved_sees_all_of_it() -> None:
    gru = GRU(I, H, **DOUBLE)
    x, _ = leaves(False, False)
    (expected,) = torch.autograd.grad(gru(x)[0].sum(), x)
    packed: list[Tensor] = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: packed.append(t) or t, lambda t: t):  # type: ignore[func-returns-value]
        output = gru(x)[0]
    assert any(t.shape == (T * B, 4 * padded(H)) for t in packed)
    torch.testing.assert_close(torch.autograd.grad(output.sum(), x)[0], expected, atol=0, rtol=0)
    checkpointed = torch.utils.checkpoint.checkpoint(lambda x: gru(x)[0], x, use_reentrant=False)
    torch.testing.assert_close(torch.autograd.grad(checkpointed.sum(), x)[0], expected, atol=0, rtol=0)


def test_memory_that_is_in_use_is_not_given_out_again() -> None:
    gru = GRU(40, 160)  # its weights' gradients lie in the pool
    xs = [torch.randn(T, B, 40) for _ in range(3)]

    def gradient(x: Tensor) -> Tensor:
        return torch.autograd.grad(gru(x)[0].square().sum(), gru.weight_hh_l0)[0]

    assert gru.weight_hh_l0.numel() >= kernel.LARGE
    alone = [gradient(x).clone() for x in xs]
    together = [gru(x)[0].square().sum() for x in xs]
    held = [torch.autograd.grad(loss, gru.weight_hh_l0)[0] for loss in together]
    for mine, expected in zip(held, alone, strict=True):
        torch.testing.assert_close(mine, expected, atol=0, rtol=0)


def test_two_threads_go_back_over_one_graph() -> None:
    gru = GRU(I, H)
    x = torch.randn(T, B, I)
    loss = gru(x)[0].sum()
    expected = torch.autograd.grad(loss, gru.weight_hh_l0, retain_graph=True)[0]
    loss = gru(x)[0].sum()
    found: list[Tensor] = []

    def back() -> None:
        found.append(torch.autograd.grad(loss, gru.weight_hh_l0, retain_graph=True)[0])

    threads = [threading.Thread(target=back) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for mine in found:
        torch.testing.assert_close(mine, expected, atol=0, rtol=0)


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("ready", [False, True])
def test_a_step_has_gradients_of_every_order(reset: Any, ready: bool) -> None:
    torch.manual_seed(0)
    w = GRUWeights.random(I, H, reset).map(lambda a: torch.tensor(a, requires_grad=True))
    given = torch.randn(B, 3 * H if ready else I, **DOUBLE).requires_grad_()
    h = torch.randn(B, H, **DOUBLE).requires_grad_()
    weights = [w.w_hh, w.b_hh] if ready else list(w.arrays())

    def step(given: Tensor, h: Tensor, *own: Tensor) -> Tensor:
        w_ih, w_hh, b_ih, b_hh = (w.w_ih, own[0], w.b_ih, own[1]) if ready else own
        return functional.step(
            None if ready else given, h, GRUWeights(w_ih, w_hh, b_ih, b_hh, reset=reset), gi=given if ready else None
        )

    rows = functional.gru_layer(None if ready else given[None], h, w, gi=given[None] if ready else None)[1]
    torch.testing.assert_close(step(given, h, *weights), rows, atol=tolerances.FLOAT64, rtol=0)
    assert torch.autograd.gradcheck(step, (given, h, *weights), fast_mode=True, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(step, (given, h, *weights), fast_mode=True)
    mapped = torch.func.vmap(lambda *own: step(*own, *weights))(*(torch.stack([t, t]).detach() for t in (given, h)))
    torch.testing.assert_close(mapped[1], rows, atol=tolerances.FLOAT64, rtol=0)
    loss = step(given, h, *weights).sum()
    first = torch.autograd.grad(loss, weights, retain_graph=True)
    for mine, theirs in zip(torch.autograd.grad(loss, weights), first, strict=True):
        torch.testing.assert_close(mine, theirs, atol=0, rtol=0)


def test_a_step_names_what_does_not_fit() -> None:
    w = GRUWeights.random(I, H).map(torch.tensor)
    with pytest.raises(ShapeError, match="x must be"):
        functional.step(torch.zeros(B, I + 1, **DOUBLE), torch.zeros(B, H, **DOUBLE), w)


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("bias", [False, True])
def test_a_loop_over_a_cell_is_a_sequence(reset: Any, bias: bool) -> None:
    torch.manual_seed(0)
    cell, gru = GRUCell(I, H, bias, reset=reset), GRU(I, H, bias=bias, reset=reset)
    with torch.no_grad():
        for mine, theirs in zip(cell.parameters(), gru.parameters(), strict=True):
            mine.copy_(theirs)
    x = torch.randn(T, B, I)
    h, states = None, []
    for row in x:
        h = cell(row, h)
        states.append(h)
    output = gru(x)[0]
    torch.testing.assert_close(torch.stack(states), output, atol=tolerances.FLOAT32_OUTPUT, rtol=0)
    torch.testing.assert_close(cell(x[0, 0]), output[0, 0], atol=tolerances.FLOAT32_OUTPUT, rtol=0)
    torch.stack(states).square().sum().backward()
    output.square().sum().backward()
    for mine, theirs in zip(cell.parameters(), gru.parameters(), strict=True):
        tolerance = tolerances.FLOAT32_GRADIENT * float(theirs.grad.abs().max())
        torch.testing.assert_close(mine.grad, theirs.grad, atol=tolerance, rtol=0)


@pytest.mark.parametrize("shape", [(H,), (B, H), (2, B, 33), (300, 256)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gates_are_the_equations(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    wide = *shape[:-1], 3 * shape[-1]
    operands = [torch.randn(s, dtype=dtype, requires_grad=True) for s in (wide, wide, shape)]
    assert fast_path.new_state_fits(*operands)
    weight = torch.randn(shape, dtype=dtype)
    tolerance = tolerances.FLOAT32_OUTPUT if dtype == torch.float32 else tolerances.FLOAT64
    found, expected = functional.new_state(*operands), fallback.new_state(*operands)
    torch.testing.assert_close(found, expected, atol=tolerance, rtol=0)
    for mine, theirs in zip(
        *(torch.autograd.grad((s * weight).sum(), operands) for s in (found, expected)), strict=True
    ):
        torch.testing.assert_close(mine, theirs, atol=tolerance * 10, rtol=0)


def test_gates_read_a_gradient_that_lies_among_others() -> None:
    torch.manual_seed(0)
    operands = [torch.randn(4, n * 16, requires_grad=True) for n in (3, 3, 1)]
    grad = torch.randn(4, 40)[:, :16]
    found = torch.autograd.grad(functional.new_state(*operands), operands, grad)
    expected = torch.autograd.grad(fallback.new_state(*operands), operands, grad)
    torch.testing.assert_close(found, expected)


def test_gates_have_gradients_of_every_order() -> None:
    operands = [torch.randn(s, **DOUBLE).requires_grad_() for s in ((B, 3 * H), (B, 3 * H), (B, H))]
    assert torch.autograd.gradcheck(functional.new_state, operands, fast_mode=True, check_forward_ad=True)
    assert torch.autograd.gradgradcheck(functional.new_state, operands, fast_mode=True)
    strided = torch.randn(B, 6 * H, **DOUBLE)[:, ::2]
    torch.testing.assert_close(
        functional.new_state(strided, *operands[1:]), functional.new_state(strided.contiguous(), *operands[1:])
    )


def test_python_threads_train_at_once() -> None:
    gru = GRU(40, 70)
    xs = [torch.randn(60, 3, 40) for _ in range(4)]

    def gradient(x: Tensor) -> Tensor:
        return torch.autograd.grad(gru(x)[0].square().sum(), gru.weight_hh_l0)[0]

    expected, wrong = [gradient(x) for x in xs], []

    def work(number: int) -> None:
        wrong.extend(number for _ in range(10) if not torch.equal(gradient(xs[number]), expected[number]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert not any(thread.is_alive() for thread in threads)
    assert not wrong


SCRIPT = """
import os, torch
from gruworks import GRU
torch.manual_seed(0)
gru, x = GRU(40, 70), torch.randn(60, 3, 40)
def train():
    return torch.autograd.grad(gru(x)[0].square().sum(), gru.weight_hh_l0)[0]
first = train()
child = os.fork()
if child == 0:
    os._exit(0 if torch.allclose(train(), first, rtol=1e-4, atol=1e-4) else 1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), torch.equal(train(), first), float(first.double().norm()))
"""


def test_forked_children_and_any_number_of_threads_train() -> None:
    found = []
    for environment in ({"OMP_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "9"}, {"OMP_THREAD_LIMIT": "1"}):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        child, same, norm = done.stdout.split()
        assert (child, same) == ("0", "True"), environment
        found.append(float(norm))
    assert max(found) - min(found) <= 1e-5 * max(found)


def test_a_weight_that_lost_its_shape_is_not_read() -> None:
    gru = GRU(I, H)
    output, _ = gru(torch.randn(T, B, I))
    gru.weight_hh_l0.data = torch.zeros(3, 1)
    with pytest.raises(RuntimeError):
        output.sum().backward()


def test_a_script_that_holds_a_layer_at_its_end_says_nothing() -> None:
    script = "import torch, gruworks\ngru = gruworks.GRU(3, 4)\ny, _ = gru(torch.zeros(5, 2, 3))\nloss = y.sum()\n"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""


@pytest.mark.skipif(not hasattr(torch.Tensor, "const_data_ptr"), reason="reading an address makes memory its own")
def test_reading_an_output_that_a_graph_shares_does_not_copy_it() -> None:
    first, second = GRU(3, 4), GRU(4, 4)
    output, _ = first(torch.randn(T, B, 3))
    assert torch._C._is_cow_tensor(output)
    second(output)
    assert torch._C._is_cow_tensor(output)
