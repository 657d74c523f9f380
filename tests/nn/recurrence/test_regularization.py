"""Recurrent dropout, zoneout, layer norm and DropConnect: kernel against equations, module options."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from gruworks import GRU
from gruworks.errors import OptionError, WeightsError
from gruworks.interop.torch import find, from_module
from gruworks.nn.functional import _layer as run
from gruworks.nn.recurrence import conditions, kernel, operands
from gruworks.nn.recurrence.fallback import by_equations
from gruworks.ops import equations
from gruworks.ops.activations import Unit
from gruworks.ops.backend import native as module
from gruworks.ops.operands import Operands
from gruworks.ops.weights import GRUWeights
from tests.tolerances import FLOAT32_GRADIENT, FLOAT64

needs_kernel = pytest.mark.skipif(not conditions.AVAILABLE, reason="the native module is not built")
FORMS = ("mask", "zoneout", "gain", "input gain", "all")
OPTIONS: dict[str, Any] = {
    "weight_dropout": 0.3, "recurrent_dropout": 0.4, "zoneout": 0.2, "layer_norm": True,
}  # fmt: skip


def random(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return (torch.randn(*shape, dtype=torch.float64) * 0.7).to(dtype).requires_grad_()


def made(form: str, T: int, B: int, H: int, lengths: bool, dtype: torch.dtype = torch.float64) -> Operands:
    torch.manual_seed(T * 100 + B * 10 + H)
    x, w_ih, b_ih, gi, input_gain = None, None, None, random(T, B, 3 * H, dtype=dtype), None
    if form in ("input gain", "all"):
        x, w_ih, b_ih, gi = (
            random(T, B, 7, dtype=dtype),
            random(3 * H, 7, dtype=dtype),
            random(3 * H, dtype=dtype),
            None,
        )
        input_gain = random(3 * H, dtype=dtype)
    mask = (torch.rand(B, H) < 0.7).to(dtype) / 0.7 if form in ("mask", "all") else None
    zoneout = (torch.rand(T, B, H) < 0.3).to(dtype) if form in ("zoneout", "all") else None
    gain = random(3 * H, dtype=dtype) if form in ("gain", "input gain", "all") else None
    ends = torch.randint(0, T + 1, (B,)) if lengths else None
    h0, w_hh, b_hh = random(B, H, dtype=dtype), random(3 * H, H, dtype=dtype), random(3 * H, dtype=dtype)
    return Operands(x, gi, h0, w_ih, w_hh, b_ih, b_hh, ends, None, None, mask, zoneout, gain, input_gain)


def found(results: tuple[Tensor, Tensor], o: Operands) -> list[Tensor]:
    """Both results, and gradients of all differentiable operands for a weighted sum."""
    generator = torch.Generator().manual_seed(1)
    loss = sum((r * torch.randn(r.shape, generator=generator, dtype=torch.float64).to(r.dtype)).sum() for r in results)
    wanted = [t for t in o if t is not None and t.requires_grad]
    return [*results, *torch.autograd.grad(loss, wanted)]  # type: ignore[arg-type]


@needs_kernel
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize(("T", "B", "H"), [(1, 1, 1), (7, 1, 5), (5, 19, 33), (3, 40, 48), (3, 2, 130), (2, 0, 4)])
def test_the_kernel_is_the_equations(form: str, before: bool, T: int, B: int, H: int) -> None:
    for lengths in (False, True):
        for reverse in (False, True):
            o = made(form, T, B, H, lengths)
            ours, truth = found(run(o, Unit(before), reverse), o), found(by_equations(o, Unit(before), reverse), o)
            for a, b in zip(ours, truth, strict=True):
                torch.testing.assert_close(a, b, rtol=FLOAT64, atol=FLOAT64)


@needs_kernel
@pytest.mark.parametrize("build", module.builds() if conditions.AVAILABLE else [])
@pytest.mark.parametrize("before", [False, True])
def test_every_build_in_float32(build: str, before: bool) -> None:
    used = module.build()
    o = made("all", 6, 21, 37, True, torch.float32)
    double = Operands(*(t if t is None or not t.is_floating_point() else t.detach().double().requires_grad_(
        t.requires_grad) for t in o))  # fmt: skip
    truth = found(by_equations(double, Unit(before), False), double)
    module.choose_build(build)
    try:
        ours = found(run(o, Unit(before)), o)
    finally:
        module.choose_build(used)
    for a, b in zip(ours, truth, strict=True):
        assert float((a.detach() - b.detach()).abs().max()) <= 2 * FLOAT32_GRADIENT * (
            1 + float(b.detach().abs().max())
        )


def test_the_equations_by_hand() -> None:
    weights = GRUWeights.random(3, 4)
    gi, h = torch.randn(2, 12, dtype=torch.float64).numpy(), torch.randn(2, 4, dtype=torch.float64).numpy()
    plain = equations.step(gi, h, weights)
    assert (equations.step(gi, h, weights, zoneout=h * 0 + 1) == h).all()
    assert abs(equations.step(gi, h, weights, zoneout=h * 0 + 0.25) - (0.25 * h + 0.75 * plain)).max() < FLOAT64
    _, z, n = equations.gates(gi, h * 0, weights)
    assert abs(equations.step(gi, h, weights, mask=h * 0) - ((1 - z) * h + z * n)).max() < FLOAT64
    normed = equations.layer_norm(gi, gi[0] * 0 + 2).reshape(2, 3, 4)
    assert abs(normed.mean(-1)).max() < FLOAT64
    assert abs(normed.std(-1) - 2).max() < 1e-3


@pytest.mark.parametrize("reset", ["after", "before"])
def test_evaluation_is_plain_but_for_what_stays(reset: Any) -> None:
    x = torch.randn(6, 2, 3)
    gru = GRU(3, 5, 2, bidirectional=True, reset=reset, weight_dropout=0.5, recurrent_dropout=0.5).eval()
    plain = GRU(3, 5, 2, bidirectional=True, reset=reset)
    plain.load_state_dict(gru.state_dict())
    torch.testing.assert_close(gru(x)[0], plain(x)[0])
    assert not torch.allclose(gru.train()(x)[0], plain(x)[0])
    still = GRU(3, 5, reset=reset, zoneout=0.3).eval()
    again = still(x)[0]
    assert torch.equal(again, still(x)[0])


def test_zoneout_in_evaluation_is_its_mean() -> None:
    gru = GRU(3, 4, zoneout=0.25).double().eval()
    x, h = torch.randn(1, 2, 3, dtype=torch.float64), torch.randn(1, 2, 4, dtype=torch.float64)
    plain = GRU(3, 4).double()
    plain.load_state_dict(gru.state_dict())
    torch.testing.assert_close(gru(x, h)[1], 0.25 * h + 0.75 * plain(x, h)[1], rtol=FLOAT64, atol=FLOAT64)


@pytest.mark.parametrize("recompute", [False, 3])
def test_all_options_at_once_learn_and_repeat(recompute: Any) -> None:
    def gradients() -> list[Tensor]:
        torch.manual_seed(3)
        gru = GRU(3, 6, 2, batch_first=True, bidirectional=True, recompute=recompute, **OPTIONS)
        gru(torch.randn(4, 8, 3), lengths=[8, 5, 0, 1])[0].square().sum().backward()
        return [p.grad for p in gru.parameters()]  # type: ignore[misc]

    first, second = gradients(), gradients()
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(bool(g.isfinite().all()) and bool(g.any()) for g in first)


def test_dropped_weights_get_no_gradient() -> None:
    torch.manual_seed(0)
    gru = GRU(3, 8, weight_dropout=0.5)
    gru(torch.randn(5, 2, 3))[0].sum().backward()
    assert gru.weight_hh_l0.grad is not None
    assert 0.3 < float((gru.weight_hh_l0.grad == 0).float().mean()) < 0.7


@needs_kernel
def test_masks_have_their_share_and_follow_the_seed() -> None:
    like = torch.empty(0)
    torch.manual_seed(5)
    drawn = kernel.bernoulli((300, 7, 500), 0.2, 1.25, like)
    torch.manual_seed(5)
    again = kernel.bernoulli((300, 7, 500), 0.2, 1.25, like)
    assert torch.equal(drawn, again)
    assert set(drawn.unique().tolist()) == {0.0, 1.25}
    there = (drawn != 0).float()
    assert abs(float(there.mean()) - 0.2) < 0.002
    for axis in range(3):  # no row, column or step stands out
        means = there.mean([a for a in range(3) if a != axis])
        assert float((means - 0.2).abs().max()) < 5 * (0.16 * there.shape[axis] / there.numel()) ** 0.5
    assert not torch.equal(drawn, kernel.bernoulli((300, 7, 500), 0.2, 1.25, like))


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan"), "a", True])
@pytest.mark.parametrize("name", ["weight_dropout", "recurrent_dropout", "zoneout"])
def test_a_share_must_be_one(name: str, share: Any) -> None:
    with pytest.raises(OptionError, match=name):
        GRU(3, 4, **{name: share})


def test_names_what_does_not_go_together() -> None:
    o = made("gain", 2, 3, 4, False)
    with pytest.raises(OptionError, match="input_gain"):
        operands.check(o._replace(x=random(2, 3, 7), w_ih=random(12, 7), gi=None))
    with pytest.raises(OptionError, match="mask"):
        operands.check(o._replace(gain=None, mask=torch.ones(3, 4).double(), decay=torch.ones(2, 3, 4).double()))


@pytest.mark.parametrize("options", [{"layer_norm": True}, {"zoneout": 0.1}])
def test_what_is_no_plain_unit_is_not_exchanged(options: dict[str, Any]) -> None:
    gru = GRU(3, 4, **options)
    with pytest.raises(WeightsError, match=next(iter(options))):
        gru.weights()
    with pytest.raises(WeightsError, match=next(iter(options))):
        from_module(gru)
    if "layer_norm" in options:
        with pytest.raises(WeightsError, match="layer norm"):
            find(gru.state_dict())


def test_dropout_alone_is_exchanged_and_shown() -> None:
    gru = GRU(3, 4, weight_dropout=0.1, recurrent_dropout=0.2)
    assert from_module(gru).hidden_size == 4
    assert "weight_dropout=0.1, recurrent_dropout=0.2" in repr(gru)
    assert {"norm_ih_l0", "norm_hh_l0"} < set(GRU(3, 4, layer_norm=True).state_dict())


def test_the_second_derivative() -> None:
    o = made("all", 3, 2, 4, False)
    output, _ = run(o, Unit())
    (first,) = torch.autograd.grad(output.square().sum(), o.h0, create_graph=True)  # type: ignore[arg-type]
    (second,) = torch.autograd.grad(first.sum(), o.h0)  # type: ignore[arg-type]
    assert bool(second.isfinite().all())
    assert bool(second.any())


def test_compiled_with_layer_norm() -> None:
    gru = GRU(3, 4, layer_norm=True)
    x = torch.randn(5, 2, 3)
    compiled: Any = torch.compile(gru, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x)[0], gru(x)[0])


@pytest.mark.parametrize("form", FORMS)
def test_vmap_is_a_call_for_each(form: str) -> None:
    o = Operands(*(None if t is None else t.detach() for t in made(form, 3, 2, 4, False)))
    place = 1 if o.x is None else 0
    several = torch.stack([o[place] * k for k in (1, 2, 3)])  # type: ignore[operator]

    def output(given: Tensor) -> Tensor:
        return run(Operands(*o[:place], given, *o[place + 1 :]), Unit())[0]

    torch.testing.assert_close(torch.vmap(output)(several), torch.stack([output(given) for given in several]))


def test_weights_drawn_anew_leave_gains_at_one() -> None:
    gru = GRU(3, 4, 2, bidirectional=True, layer_norm=True)
    before = gru.weight_hh_l0.detach().clone()
    gru.reset_parameters()
    assert not torch.equal(gru.weight_hh_l0, before)
    assert all(bool((gain == 1).all()) for name, gain in gru.named_parameters() if name.startswith("norm_"))


@pytest.mark.parametrize("training", [True, False])
def test_an_empty_batch_stays_empty(training: bool) -> None:
    assert GRU(3, 4, **OPTIONS).train(training)(torch.randn(5, 0, 3))[0].shape == (5, 0, 4)
