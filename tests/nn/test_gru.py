"""GRU and GRUCell against torch's: numbers, state_dict keys, errors; the "before" form against the equations."""

from __future__ import annotations

import copy
import inspect
import pickle
import warnings
from collections.abc import Iterator
from typing import Any

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pack_sequence, pad_packed_sequence

from gruworks import GRU, GRUCell
from gruworks.errors import GruworksError, OptionError, ShapeError, WeightsError
from gruworks.ops import equations
from tests.tolerances import FLOAT32_GRADIENT, FLOAT32_OUTPUT, FLOAT64

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torch's own, on importing its test helpers
    from torch.testing._internal.common_modules import ModuleErrorEnum, module_db

SHAPES = [(1, 1, 1, 1), (5, 1, 3, 4), (7, 3, 1, 5), (4, 2, 6, 33), (2, 0, 3, 4)]  # T, B, I, H


def pair(dtype: torch.dtype = torch.float64, **arguments: Any) -> tuple[torch.nn.GRU, GRU]:
    """Torch's GRU and ours with the same weights."""
    torch.manual_seed(0)
    theirs = torch.nn.GRU(**arguments, dtype=dtype)
    ours = GRU(**arguments, dtype=dtype)
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def gradients(module: torch.nn.Module, x: torch.Tensor, hx: torch.Tensor) -> Iterator[tuple[str, torch.Tensor]]:
    """Outputs and all gradients of a loss that weighs every output differently."""
    x, hx = x.clone().requires_grad_(), hx.clone().requires_grad_()
    output, final = module(x, hx)
    weight = torch.arange(output.numel(), dtype=x.dtype).reshape(output.shape).sin()
    names, leaves = zip(*module.named_parameters(), strict=True)
    loss = (output * weight).sum() + final.square().sum()
    found = torch.autograd.grad(loss, [x, hx, *leaves], allow_unused=True, materialize_grads=True)
    yield from zip(("output", "final"), (output, final), strict=True)
    yield from zip(("x", "hx", *names), found, strict=True)


@pytest.mark.parametrize(("T", "B", "inputs", "hidden"), SHAPES)
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_numbers_and_gradients_are_torchs(
    T: int, B: int, inputs: int, hidden: int, layers: int, bidirectional: bool, bias: bool, dtype: torch.dtype
) -> None:
    theirs, ours = pair(
        dtype, input_size=inputs, hidden_size=hidden, num_layers=layers, bias=bias, bidirectional=bidirectional
    )
    x = torch.randn(T, B, inputs, dtype=dtype)
    hx = torch.randn(layers * (1 + bidirectional), B, hidden, dtype=dtype)
    for (name, mine), (_, reference) in zip(gradients(ours, x, hx), gradients(theirs, x, hx), strict=True):
        if dtype == torch.float64:
            tolerance = FLOAT64 * max(1.0, float(reference.detach().abs().max()) if reference.numel() else 0)
        elif name in ("output", "final"):
            tolerance = FLOAT32_OUTPUT
        else:
            tolerance = FLOAT32_GRADIENT * float(reference.detach().abs().max()) if reference.numel() else 0
        assert mine.shape == reference.shape, name
        assert torch.equal(mine, reference) or (mine - reference).abs().max() <= tolerance, name


TORCHS_CASES = pytest.mark.parametrize(
    "info", [m for m in module_db if m.module_cls in (torch.nn.GRU, torch.nn.GRUCell)], ids=lambda m: m.name
)


@TORCHS_CASES
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("training", [False, True])
def test_torchs_own_module_inputs(info: Any, dtype: torch.dtype, training: bool) -> None:
    successor = {torch.nn.GRU: GRU, torch.nn.GRUCell: GRUCell}[info.module_cls]
    samples = info.module_inputs_func(info, "cpu", dtype, True, training)
    assert len(samples) >= 2
    for sample in samples:
        arguments = sample.constructor_input
        theirs = info.module_cls(*arguments.args, **arguments.kwargs).to(dtype).train(training)
        ours = successor(*arguments.args, **arguments.kwargs).to(dtype).train(training)
        ours.load_state_dict(theirs.state_dict())
        expected = theirs(*sample.forward_input.args, **sample.forward_input.kwargs)
        found = ours(*sample.forward_input.args, **sample.forward_input.kwargs)
        tolerance = FLOAT32_OUTPUT if dtype == torch.float32 else FLOAT64
        pairs = zip(found, expected, strict=True) if isinstance(expected, tuple) else [(found, expected)]
        for mine, reference in pairs:
            # torch draws states up to 9 here, where one float32 digit is 1e-6: beyond 1 the tolerance grows with them.
            assert ((mine - reference).abs() <= tolerance * reference.abs().clamp(min=1)).all()


@TORCHS_CASES
@pytest.mark.parametrize("reset", ["after", "before"])
def test_torchs_own_error_inputs_raise_the_same_types(info: Any, reset: str) -> None:
    successor = {torch.nn.GRU: GRU, torch.nn.GRUCell: GRUCell}[info.module_cls]
    samples = info.module_error_inputs_func(info, "cpu", torch.float32, False, False)
    assert len(samples) >= 3
    for sample in samples:
        arguments = sample.module_error_input.constructor_input
        if sample.error_on == ModuleErrorEnum.CONSTRUCTION_ERROR:
            with pytest.raises(sample.error_type):
                successor(*arguments.args, **arguments.kwargs, reset=reset)
            continue
        module = successor(*arguments.args, **arguments.kwargs, reset=reset)
        given = sample.module_error_input.forward_input
        with pytest.raises(sample.error_type) as caught:
            module(*given.args, **given.kwargs)
        assert isinstance(caught.value, GruworksError), "torch's text came through"


def test_the_signature_is_torchs() -> None:
    expected = ["input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional"]
    assert list(inspect.signature(GRU).parameters)[:9] == [*expected, "device", "dtype"]
    assert isinstance(GRU(2, 3), torch.nn.GRU)
    assert isinstance(GRUCell(2, 3), torch.nn.GRUCell)
    with pytest.raises(ValueError, match="proj_size"):
        GRU(2, 3, proj_size=2)
    with pytest.raises(TypeError):
        GRU(2, 3, colour="red")
    with pytest.warns(UserWarning, match="dropout option adds dropout after all but last"):
        GRU(2, 3, dropout=0.5)


@pytest.mark.parametrize("reset", ["before", "after"])
def test_state_dicts_go_both_ways(reset: str) -> None:
    ours = GRU(3, 4, 2, bidirectional=True, reset=reset)
    again = GRU(3, 4, 2, bidirectional=True, reset=reset)
    again.load_state_dict(ours.state_dict())
    x = torch.randn(5, 2, 3)
    torch.testing.assert_close(again(x), ours(x), atol=0, rtol=0)
    if reset == "after":
        theirs = torch.nn.GRU(3, 4, 2, bidirectional=True)
        assert list(ours.state_dict()) == list(theirs.state_dict())
        theirs.load_state_dict(ours.state_dict())
        torch.testing.assert_close(theirs(x), ours(x), atol=FLOAT32_OUTPUT, rtol=0)


@pytest.mark.parametrize("strict", [True, False])
def test_the_two_forms_never_load_into_each_other(strict: bool) -> None:
    before, after = GRU(3, 4, reset="before").state_dict(), torch.nn.GRU(3, 4).state_dict()
    with pytest.raises(RuntimeError, match="reset_before"):
        torch.nn.GRU(3, 4).load_state_dict(before)
    with pytest.raises(WeightsError, match=r"holds weights of the reset='before' form"):
        GRU(3, 4).load_state_dict(before, strict=strict)
    with pytest.raises(WeightsError, match=r"holds weights of the reset='after' form"):
        GRU(3, 4, reset="before").load_state_dict(after, strict=strict)
    nested = torch.nn.Sequential(GRU(3, 4, reset="before"))
    with pytest.raises(RuntimeError, match=r"'0\.'"):
        nested.load_state_dict(torch.nn.Sequential(torch.nn.GRU(3, 4)).state_dict(), strict=strict)
    with pytest.raises(RuntimeError):
        torch.nn.GRUCell(3, 4).load_state_dict(GRUCell(3, 4, reset="before").state_dict())
    with pytest.raises(WeightsError):
        GRUCell(3, 4, reset="before").load_state_dict(torch.nn.GRUCell(3, 4).state_dict(), strict=strict)


@given(T=st.integers(1, 6), B=st.integers(1, 4), hidden=st.integers(1, 5), seed=st.integers(0, 50))
def test_the_before_form_is_the_equations(T: int, B: int, hidden: int, seed: int) -> None:
    torch.manual_seed(seed)
    gru = GRU(3, hidden, reset="before", dtype=torch.float64)
    x, hx = torch.randn(T, B, 3, dtype=torch.float64), torch.randn(1, B, hidden, dtype=torch.float64)
    output, final = gru(x, hx)
    weights = gru.weights().map(lambda tensor: tensor.detach().numpy())
    expected = equations.sequence(x.numpy(), hx[0].numpy(), weights)
    numpy.testing.assert_allclose(output.detach().numpy(), expected.output, atol=FLOAT64, rtol=0)
    numpy.testing.assert_allclose(final[0].detach().numpy(), expected.final, atol=FLOAT64, rtol=0)


def test_the_two_forms_differ() -> None:
    torch.manual_seed(0)
    after = GRU(3, 4)
    before = GRU(3, 4, reset="before")
    before.load_state_dict(after.state_dict() | {"reset_before": torch.tensor(True)})
    x = torch.randn(5, 2, 3)
    assert (after(x)[0] - before(x)[0]).abs().max() > 1e-3
    assert "reset='before'" in repr(before)
    assert "reset" not in repr(after)


@pytest.mark.parametrize("reset", ["before", "after"])
def test_layouts_agree(reset: str) -> None:
    """batch_first, unbatched, stepping with a carried state and the whole sequence are one function."""
    torch.manual_seed(0)
    gru = GRU(3, 4, 2, bidirectional=True, reset=reset, dtype=torch.float64)
    first = GRU(3, 4, 2, bidirectional=True, batch_first=True, reset=reset, dtype=torch.float64)
    first.load_state_dict(gru.state_dict())
    x, hx = torch.randn(5, 2, 3, dtype=torch.float64), torch.randn(4, 2, 4, dtype=torch.float64)
    output, final = gru(x, hx)
    swapped, same = first(x.transpose(0, 1), hx)
    torch.testing.assert_close(swapped.transpose(0, 1), output, atol=FLOAT64, rtol=0)
    torch.testing.assert_close(same, final, atol=FLOAT64, rtol=0)
    one, last = gru(x[:, 1], hx[:, 1])
    torch.testing.assert_close(one, output[:, 1], atol=FLOAT64, rtol=0)
    torch.testing.assert_close(last, final[:, 1], atol=FLOAT64, rtol=0)
    causal = GRU(3, 4, 2, reset=reset, dtype=torch.float64)
    whole, end = causal(x)
    state, steps = None, []
    for t in range(5):
        step, state = causal(x[t : t + 1], state)
        steps.append(step)
    torch.testing.assert_close(torch.cat(steps), whole, atol=FLOAT64, rtol=0)
    torch.testing.assert_close(state, end, atol=FLOAT64, rtol=0)


@pytest.mark.parametrize("reset", ["before", "after"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
def test_lengths_are_packing_without_packing(reset: str, bidirectional: bool, batch_first: bool) -> None:
    torch.manual_seed(0)
    gru = GRU(3, 4, 2, bidirectional=bidirectional, batch_first=batch_first, reset=reset, dtype=torch.float64)
    lengths = torch.tensor([3, 6, 1, 4])
    x = torch.randn(4, 6, 3, dtype=torch.float64)
    x = x if batch_first else x.transpose(0, 1)
    hx = torch.randn(2 * (1 + bidirectional), 4, 4, dtype=torch.float64)
    packed = pack_padded_sequence(x, lengths, batch_first, enforce_sorted=False)
    packed_output, packed_final = gru(packed, hx)
    expected, _ = pad_packed_sequence(packed_output, batch_first)
    for given_lengths in (lengths, lengths.tolist(), lengths.int(), lengths.numpy()):
        output, final = gru(x, hx, lengths=given_lengths)
        torch.testing.assert_close(output, expected, atol=FLOAT64, rtol=0)
        torch.testing.assert_close(final, packed_final, atol=FLOAT64, rtol=0)
    alone, end = gru(x[2:3, :1] if batch_first else x[:1, 2:3], hx[:, 2:3])
    torch.testing.assert_close(end, final[:, 2:3], atol=FLOAT64, rtol=0)
    torch.testing.assert_close(alone.flatten(), (output[2, 0] if batch_first else output[0, 2]), atol=FLOAT64, rtol=0)


@pytest.mark.parametrize("reset", ["before", "after"])
def test_packed_rows_come_back_in_their_order(reset: str) -> None:
    torch.manual_seed(0)
    gru = GRU(3, 4, reset=reset, dtype=torch.float64)
    rows = [torch.randn(length, 3, dtype=torch.float64) for length in (2, 5, 3)]
    hx = torch.randn(1, 3, 4, dtype=torch.float64)
    packed, final = gru(pack_sequence(rows, enforce_sorted=False), hx)
    output, lengths = pad_packed_sequence(packed)
    assert lengths.tolist() == [2, 5, 3]
    for i, row in enumerate(rows):
        alone, end = gru(row[:, None], hx[:, i : i + 1])
        torch.testing.assert_close(output[: len(row), i], alone[:, 0], atol=FLOAT64, rtol=0)
        torch.testing.assert_close(final[:, i], end[:, 0], atol=FLOAT64, rtol=0)


@pytest.mark.parametrize("reset", ["before", "after"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_padding_reaches_no_result_and_no_gradient(reset: str, bidirectional: bool, poison: float) -> None:
    torch.manual_seed(0)
    gru = GRU(3, 4, 2, bidirectional=bidirectional, reset=reset, dtype=torch.float64)
    lengths = [3, 0, 5]
    clean = torch.randn(5, 3, 3, dtype=torch.float64)
    poisoned = clean.clone()
    poisoned[3:, 0], poisoned[:, 1] = poison, poison
    hx = torch.randn(2 * (1 + bidirectional), 3, 4, dtype=torch.float64)
    found = []
    for x in (clean, poisoned):
        x.requires_grad_()
        gru.zero_grad()
        output, final = gru(x, hx, lengths=lengths)
        (output.square().sum() + final.sin().sum()).backward()
        found.append([output, final, x.grad, *(p.grad for p in gru.parameters())])
    for ours, expected in zip(*found, strict=True):
        assert torch.isfinite(ours).all()
        torch.testing.assert_close(ours, expected, atol=FLOAT64, rtol=0)
    output, final = found[0][:2]
    assert (output[3:, 0] == 0).all()
    assert (output[:, 1] == 0).all()
    assert (found[1][2][3:, 0] == 0).all()
    torch.testing.assert_close(final[:, 1], hx[:, 1], atol=0, rtol=0)


@pytest.mark.parametrize(
    ("lengths", "message"),
    [
        ([1, 2, 3], r"\[2\], got \[3\]"),
        ([1, 6], "between 0 and T = 5; row 1 has 6"),
        ([-1, 2], "row 0 has -1"),
        ([1.0, 2.0], "must be integers"),
        ([True, False], "must be integers"),
    ],
)
def test_wrong_lengths_are_said(lengths: list[Any], message: str) -> None:
    with pytest.raises(GruworksError, match=message):
        GRU(3, 4)(torch.zeros(5, 2, 3), lengths=lengths)


def test_lengths_have_no_place_beside_packed_or_unbatched_input() -> None:
    with pytest.raises(OptionError, match="carries its own lengths"):
        GRU(3, 4)(pack_sequence([torch.zeros(2, 3)]), lengths=[2])
    with pytest.raises(ShapeError, match="needs batched input"):
        GRU(3, 4)(torch.zeros(5, 3), lengths=[5])
    with pytest.raises(OptionError, match="reset must be 'before'"):
        GRU(3, 4, reset="middle")


@pytest.mark.parametrize("reset", ["before", "after"])
def test_dropout_has_torchs_distribution(reset: str) -> None:
    torch.manual_seed(0)
    gru = GRU(3, 8, 2, dropout=0.25, reset=reset)
    seen: list[torch.Tensor] = []
    x = torch.randn(50, 20, 3)
    real = torch.nn.functional.dropout

    def watched(a: torch.Tensor, p: float, training: bool) -> torch.Tensor:
        seen.append(real(a, p, training) / a)
        return real(a, p, training)

    torch.nn.functional.dropout = watched
    try:
        gru(x, lengths=[50] * 20)
    finally:
        torch.nn.functional.dropout = real
    kept = seen[0] != 0
    assert abs(kept.float().mean() - 0.75) < 0.02
    torch.testing.assert_close(seen[0][kept], torch.full_like(seen[0][kept], 4 / 3))
    assert not torch.equal(gru(x)[0], gru(x)[0])
    gru.eval()
    torch.testing.assert_close(gru(x)[0], gru(x, lengths=[50] * 20)[0], atol=FLOAT32_OUTPUT, rtol=0)


@pytest.mark.parametrize("reset", ["before", "after"])
def test_copies_are_whole(reset: str) -> None:
    gru = GRU(3, 4, reset=reset)
    x = torch.randn(5, 2, 3)
    for twin in (copy.deepcopy(gru), pickle.loads(pickle.dumps(gru))):
        torch.testing.assert_close(twin(x), gru(x), atol=0, rtol=0)
        assert twin.reset == reset
        with torch.no_grad():
            twin.weight_hh_l0.zero_()
        assert gru.weight_hh_l0.abs().sum() > 0


@pytest.mark.parametrize("reset", ["before", "after"])
def test_dtype_and_device_arguments(reset: str) -> None:
    gru = GRU(3, 4, dtype=torch.float64, device="meta", reset=reset)
    assert gru.weight_hh_l0.dtype == torch.float64
    assert gru.weight_hh_l0.is_meta
    half = GRU(3, 4, reset=reset).to(torch.bfloat16)
    assert half(torch.zeros(2, 1, 3, dtype=torch.bfloat16))[0].dtype == torch.bfloat16


@pytest.mark.parametrize("reset", ["before", "after"])
@pytest.mark.parametrize("ragged", [False, True])
def test_compiled_it_gives_the_same(reset: str, ragged: bool) -> None:
    torch.manual_seed(0)
    gru = GRU(3, 4, reset=reset)
    x = torch.randn(4, 2, 3)
    arguments = {"lengths": torch.tensor([4, 2])} if ragged else {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)  # torch's own use of torch.jit
        compiled = torch.compile(gru)
        torch.testing.assert_close(compiled(x, **arguments), gru(x, **arguments), atol=FLOAT32_OUTPUT, rtol=0)


def test_gradgrad_of_the_before_form() -> None:
    gru = GRU(2, 3, reset="before", dtype=torch.float64)
    x = torch.randn(3, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x: gru(x)[0], x)


def test_a_traced_module_holds_torchs_own_node() -> None:
    theirs, ours = pair(torch.float32, input_size=3, hidden_size=4, num_layers=2, bidirectional=True)
    x = torch.randn(5, 2, 3)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)  # torch's own, of torch.jit
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # torch's own, of its checks
        traced = torch.jit.trace(ours, x)
    assert "aten::gru" in str(traced.inlined_graph)
    torch.testing.assert_close(traced(x), theirs(x), atol=FLOAT32_OUTPUT, rtol=0)


def test_a_class_made_of_copies_of_our_methods_works() -> None:
    class Copied(torch.nn.RNNBase):  # as torchrl makes its own
        def __init__(self, *args: Any, **given: Any) -> None:
            super().__init__("GRU", *args, **given)

    for name in vars(GRU).keys() - {"__init__"}:
        setattr(Copied, name, getattr(GRU, name))
    copied, ours, x = Copied(3, 4, 2), GRU(3, 4, 2), torch.randn(5, 2, 3)
    ours.load_state_dict(copied.state_dict())
    torch.testing.assert_close(copied(x), ours(x))
    assert repr(copied) == "Copied(3, 4, num_layers=2)"
