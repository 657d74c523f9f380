"""Activation checkpointing: results and gradients of the plain path, and little saved memory."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from gruworks import GRU
from gruworks.errors import OptionError
from gruworks.nn.functional import gru_layer
from gruworks.nn.recurrence import checkpointing, conditions, fast_path
from gruworks.ops.recurrence import padded
from gruworks.ops.weights import GRUWeights
from tests.tolerances import FLOAT32_GRADIENT, FLOAT32_OUTPUT, FLOAT64


def results(gru: GRU, x: Tensor, hx: Tensor | None, lengths: Any = None) -> dict[str, Tensor]:
    """Output, final state and every gradient of a loss that weights each of them differently."""
    leaves = {"x": x.clone().requires_grad_(), **dict(gru.named_parameters())}
    if hx is not None:
        leaves["hx"] = hx.clone().requires_grad_()
    output, final = gru(leaves["x"], leaves.get("hx"), lengths=lengths)
    weight = torch.arange(output.numel(), dtype=x.dtype).reshape(output.shape).sin()
    loss = (output * weight).sum() + final.square().sum()
    found = torch.autograd.grad(loss, list(leaves.values()))
    return {"output": output, "final": final, **dict(zip(leaves, found, strict=True))}


def assert_same(mine: dict[str, Tensor], true: dict[str, Tensor]) -> None:
    for name, value in true.items():
        big = max(1.0, float(value.detach().abs().max()) if value.numel() else 0.0)
        if value.dtype == torch.float64:
            tolerance = FLOAT64 * big
        else:
            tolerance = FLOAT32_OUTPUT if name in ("output", "final") else FLOAT32_GRADIENT * big
        torch.testing.assert_close(mine[name], value, atol=tolerance, rtol=0, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("shape", [(23, 3, 2, 5, 4), (16, 1, 3, 17, 8), (7, 2, 1, 1, 1), (9, 9, 20, 33, 5)])
def test_results_and_gradients_are_the_plain_paths(
    reset: str, bidirectional: bool, ragged: bool, dtype: torch.dtype, shape: tuple[int, ...]
) -> None:
    T, B, I, H, k = shape  # noqa: E741 (the field's letters)
    torch.manual_seed(0)
    layers = 2
    plain = GRU(I, H, layers, bidirectional=bidirectional, reset=reset, dtype=dtype)  # type: ignore[arg-type]
    segmented = GRU(I, H, layers, bidirectional=bidirectional, reset=reset, dtype=dtype, recompute=k)  # type: ignore[arg-type]
    segmented.load_state_dict(plain.state_dict())
    x = torch.randn(T, B, I, dtype=dtype)
    hx = torch.randn(layers * (1 + bidirectional), B, H, dtype=dtype)
    lengths = [(5 * b) % (T + 1) for b in range(B)] if ragged else None  # 0 and ends within and between segments
    assert_same(results(segmented, x, hx, lengths), results(plain, x, hx, lengths))
    assert_same(results(segmented, x, None, lengths), results(plain, x, None, lengths))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("terms", [False, True])
def test_decay_replacement_and_precomputed_input_projections(reverse: bool, terms: bool) -> None:
    torch.manual_seed(0)
    T, B, I, H = 11, 4, 3, 5  # noqa: E741
    weights = GRUWeights.random(I, H).map(torch.tensor)
    leaves = [w.requires_grad_() for w in weights.arrays()]
    given = torch.randn(T, B, 3 * H if terms else I, dtype=torch.float64, requires_grad=True)
    h0, replacement = (torch.randn(B, H, dtype=torch.float64, requires_grad=True) for _ in range(2))
    decay = torch.rand(T, B, H, dtype=torch.float64, requires_grad=True)
    lengths = torch.tensor([11, 0, 4, 7])
    inputs = [given, h0, decay, replacement, *leaves]
    found = []
    for every in (False, 4):
        output, final = gru_layer(
            None if terms else given, h0, weights, lengths, reverse, gi=given if terms else None, decay=decay,
            replacement=replacement, recompute=every,
        )  # fmt: skip
        grads = torch.autograd.grad(output.sin().sum() + final.sum(), inputs, allow_unused=True)
        assert [g is None for g in grads[4:]] == [terms, False, terms, False]  # what isn't read has no gradient
        found.append((output, final, *(g for g in grads if g is not None)))
    for mine, true in zip(found[1], found[0], strict=True):
        torch.testing.assert_close(mine, true, atol=FLOAT64 * 10, rtol=0)


def test_what_stands_in_the_padding_reaches_nothing() -> None:
    torch.manual_seed(0)
    gru = GRU(2, 3, bidirectional=True, recompute=3)
    x = torch.randn(8, 2, 2)
    clean = results(gru, x, None, [8, 4])
    x[4:, 1] = float("nan")
    assert_same(results(gru, x, None, [8, 4]), clean)


def test_batch_first_views_and_one_gradient_alone() -> None:
    torch.manual_seed(0)
    plain, segmented = GRU(3, 4, batch_first=True), GRU(3, 4, batch_first=True, recompute=2)
    segmented.load_state_dict(plain.state_dict())
    x = torch.randn(2, 3, 9).transpose(1, 2)  # not contiguous
    assert_same(results(segmented, x, None), results(plain, x, None))
    for gru in (plain, segmented):
        gru.weight_ih_l0.requires_grad_(False)
        gru(x)[1].sum().backward()  # the final state alone
    torch.testing.assert_close(plain.weight_hh_l0.grad, segmented.weight_hh_l0.grad, atol=1e-6, rtol=0)
    assert segmented.weight_ih_l0.grad is None


def test_second_derivatives_and_a_second_backward() -> None:
    torch.manual_seed(0)
    gru = GRU(2, 3, dtype=torch.float64, recompute=2)
    x = torch.randn(5, 1, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: gru(x)[0], x)
    output, _ = gru(x)
    first, second = (torch.autograd.grad(output.sum(), x, retain_graph=True)[0] for _ in range(2))
    assert torch.equal(first, second)


def saved(gru: GRU, x: Tensor) -> int:
    """Number of elements that autograd saves, operands excluded."""
    own = {p.data_ptr() for p in gru.parameters()} | {x.data_ptr()}
    kept: dict[int, int] = {}

    def pack(t: Tensor) -> Tensor:
        if t.data_ptr() not in own:
            kept[t.data_ptr()] = t.numel()
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        gru(x)
    return sum(kept.values())


def test_a_state_a_segment_is_all_that_is_kept() -> None:
    T, B, H = 100, 2, 16
    x = torch.randn(T, B, 3, requires_grad=True)
    assert saved(GRU(3, H, recompute=10), x) == 9 * B * H
    if (
        conditions.AVAILABLE
    ):  # states, and r, z, n and the state's term: the backward can't rebuild those without a product
        assert saved(GRU(3, H), x) == 5 * T * B * H


def test_the_default_segment_grows_with_steps_and_shrinks_with_width() -> None:
    assert checkpointing.segment(10_000, 1, 512) < checkpointing.segment(10_000, 1, 64)
    assert checkpointing.segment(100_000_000, 1, 512) > checkpointing.segment(10_000, 1, 512)
    for T, B, H in ((1, 1, 1), (10_000, 16, 128), (1_000_000, 64, 512)):
        k = checkpointing.segment(T, B, H)
        assert k * B * 5 * padded(H) * 4 <= max(checkpointing.SEGMENT, 2 * 5 * (T * 5) ** 0.5 * B * H * 4)


def test_nothing_is_cut_where_nothing_is_saved(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("cut")

    monkeypatch.setattr(checkpointing, "_gradients", refuse)
    gru = GRU(2, 3, recompute=True)  # the whole of it is one segment
    gru(torch.randn(50, 1, 2))[0].sum().backward()
    short = GRU(2, 3, recompute=4)
    with torch.no_grad():
        short(torch.randn(50, 1, 2))


def test_without_the_kernel_torch_runs_each_segment_again(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    for reset in ("after", "before"):
        plain, segmented = GRU(2, 3, reset=reset), GRU(2, 3, reset=reset, recompute=4)  # type: ignore[arg-type]
        segmented.load_state_dict(plain.state_dict())
        x, hx = torch.randn(10, 2, 2), torch.randn(1, 2, 3)
        true = results(plain, x, hx, [10, 5])
        with monkeypatch.context() as patch:
            patch.setattr(conditions, "AVAILABLE", False)
            patch.setattr(fast_path, "CONNECTED", False)
            assert_same(results(segmented, x, hx, [10, 5]), true)
            assert_same(results(segmented, x, None), results(plain, x, None))


@pytest.mark.skipif(not conditions.AVAILABLE, reason="the native kernel does not run here")
def test_under_compile_and_vmap_the_plain_operator_runs() -> None:
    gru = GRU(2, 3, recompute=2)
    x = torch.randn(4, 6, 1, 2)
    mapped = torch.func.vmap(lambda x: gru(x)[0])(x)
    torch.testing.assert_close(mapped[1], gru(x[1])[0], atol=FLOAT32_OUTPUT, rtol=0)


@pytest.mark.parametrize("bad", [0, -3, 2.5, "yes"])
def test_a_bad_number_of_steps_is_refused(bad: Any) -> None:
    with pytest.raises(OptionError, match="recompute must be"):
        GRU(2, 3, recompute=bad)


def test_it_shows() -> None:
    assert "recompute=7" in repr(GRU(2, 3, recompute=7))
