"""Reference equations of the gated recurrent unit, forward and backward.

With x_t the input, h the state, σ the logistic function, * element by element (Cho et al. 2014, arXiv 1406.1078,
as Chung et al. 2014, arXiv 1412.3555, write them):

    update gate       z_t = σ(W_z · [h_{t-1}, x_t])
    reset gate        r_t = σ(W_r · [h_{t-1}, x_t])
    candidate         h̃_t = tanh(W · [r_t * h_{t-1}, x_t])
    new state         h_t = (1 - z_t) * h_{t-1} + z_t * h̃_t

That is `reset="before"`. With `reset="after"` (cuDNN, PyTorch) the reset gate multiplies the matrix product instead:
h̃_t = tanh(W_x x_t + b_x + r_t * (W_h h_{t-1} + b_h)).

The weights may name other functions in place of tanh and σ (`ops/activations.py`).

Optional regularization, each alone or in combination:

    recurrent dropout  every product with W_h reads m * h_{t-1}, the rest h_{t-1}; one m [B, H] for all steps, its
                       entries 0 or 1 / (1 - p) (Gal and Ghahramani 2016, arXiv 1512.05287)
    zoneout            h_t = k_t * h_{t-1} + (1 - k_t) * (the new state above); k_t is 0 or 1 in training and its mean
                       p after it (Krueger et al. 2017, arXiv 1606.01305)
    layer norm         in place of each gate's W_x x_t and W_h h_{t-1}: g * (a - mean a) / √(var a + 1e-5), over the H
                       entries of that gate, before the bias (Ba et al. 2016, arXiv 1607.06450, which has one norm
                       for both gates)
    DropConnect        W_h with entries zeroed with probability p and the others divided by 1 - p, drawn once a call
                       (Wan et al. 2013; for recurrent weights Merity et al. 2018, arXiv 1708.02182). The caller passes
                       the modified weights

One implementation over NumPy (float64: the reference of the kernel tests) and torch (`xp=torch`: the fallback where no
kernel runs, differentiable to any order). Weights are in the order and convention of `ops/weights.py`, whose stored z
keeps the state; `gates` negates its pre-activation, and no other function depends on it.

Shapes: T time, B batch, I input size, H hidden size. x [T, B, I], h [B, H].
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy

from gruworks.ops.activations import activation, derivative
from gruworks.ops.weights import GRUWeights

__all__ = [
    "Gates",
    "Gradients",
    "Sequence",
    "backward",
    "gates",
    "input_projections",
    "layer_norm",
    "sequence",
    "step",
    "valid_steps",
]

Array = Any  # numpy.ndarray or torch.Tensor; the two share the operators that are used here


class Gates(NamedTuple):
    """Gates of one step, each [B, H]: reset r_t, update z_t (which replaces, as above), candidate h̃_t."""

    reset: Array
    update: Array
    candidate: Array


class Sequence(NamedTuple):
    """All states of a sequence [T, B, H], 0 beyond a row's length, and the final ones [B, H]."""

    output: Array
    final: Array


class Gradients(NamedTuple):
    """Gradients of a loss with respect to the operands of the same names; None for a missing bias."""

    x: Array
    h0: Array
    w_ih: Array
    w_hh: Array
    b_ih: Array
    b_hh: Array


def sigmoid(a: Array, xp: Any = numpy) -> Array:
    """Logistic function."""
    return activation("sigmoid", a, xp)


EPSILON = 1e-5  # added to a variance, as torch does


def layer_norm(products: Array, gain: Array, xp: Any = numpy) -> Array:
    """Layer normalization of products [..., 3H], gate by gate, times gain [3H]."""
    return xp.concatenate([g * _normalized(a, xp) for a, g in zip(_thirds(products), _thirds(gain), strict=True)], -1)


def _normalized(a: Array, xp: Any) -> Array:
    centred = a - a.mean(-1)[..., None]
    return centred / xp.sqrt((centred * centred).mean(-1)[..., None] + EPSILON)


def input_projections(x: Array, weights: GRUWeights, gain: Array | None = None, xp: Any = numpy) -> Array:
    """Input projections W_ih x + b_ih, independent of the state: [..., I] → [..., 3H].

    With a gain [3H], the product is layer-normalized by gate before the bias is added.
    """
    projections = x @ weights.w_ih.T
    if gain is not None:
        projections = layer_norm(projections, gain, xp)
    return projections if weights.b_ih is None else projections + weights.b_ih


def gates(
    gi: Array, h: Array, weights: GRUWeights, xp: Any = numpy, mask: Array | None = None, gain: Array | None = None
) -> Gates:
    """The three gates of one step from its input projections gi [B, 3H] and the previous state h [B, H].

    Args:
        mask: recurrent dropout [B, H].
        gain: layer norm of the state's products [3H].
    """
    x_r, x_z, x_n = _thirds(gi)
    W_r, W_z, W_n = _thirds(weights.w_hh.T)
    b_r, b_z, b_n = (0, 0, 0) if weights.b_hh is None else _thirds(weights.b_hh)
    g_r, g_z, g_n = (None, None, None) if gain is None else _thirds(gain)
    read = h if mask is None else mask * h
    gate = weights.gate_activation  # of both, f(-a) = 1 - f(a)
    z = activation(gate, -(x_z + _product(read, W_z, g_z, xp) + b_z), xp)
    r = activation(gate, x_r + _product(read, W_r, g_r, xp) + b_r, xp)
    if weights.reset == "before":
        n = x_n + _product(r * read, W_n, g_n, xp) + b_n
    else:
        n = x_n + r * (_product(read, W_n, g_n, xp) + b_n)
    return Gates(r, z, activation(weights.candidate_activation, n, xp))


def _product(h: Array, W: Array, gain: Array | None, xp: Any) -> Array:
    return h @ W if gain is None else gain * _normalized(h @ W, xp)


def step(
    gi: Array,
    h: Array,
    weights: GRUWeights,
    xp: Any = numpy,
    mask: Array | None = None,
    zoneout: Array | None = None,
    gain: Array | None = None,
) -> Array:
    """The state after one step [B, H] from input projections gi [B, 3H] and the previous state h [B, H].

    >>> weights = GRUWeights(numpy.ones((6, 1)), numpy.ones((6, 2)))
    >>> step(input_projections(numpy.ones((1, 1)), weights), numpy.zeros((1, 2)), weights).round(4).tolist()
    [[0.2048, 0.2048]]

    `mask` and `gain` as in `gates`; `zoneout` [B, H] is k_t above.
    """
    _, z, n = gates(gi, h, weights, xp, mask, gain)
    if zoneout is not None:
        z = z * (1 - zoneout)
    return (1 - z) * h + z * n


def sequence(
    x: Array,
    h0: Array,
    weights: GRUWeights,
    lengths: Array | None = None,
    reverse: bool = False,
    xp: Any = numpy,
    gi: Array | None = None,
    decay: Array | None = None,
    replacement: Array | None = None,
    mask: Array | None = None,
    zoneout: Array | None = None,
    gain: Array | None = None,
    input_gain: Array | None = None,
    resets: Array | None = None,
) -> Sequence:
    """States of a whole sequence.

    >>> weights = GRUWeights.random(3, 4)
    >>> output, final = sequence(numpy.ones((5, 2, 3)), numpy.zeros((2, 4)), weights)
    >>> output.shape, final.shape
    ((5, 2, 4), (2, 4))

    Args:
        x: inputs [T, B, I]; not read where gi is given.
        h0: initial state [B, H].
        weights: of one layer and direction.
        lengths: valid steps of each row [B]. Padding, NaN included, affects no result and no gradient; the output there
            is 0, and the final state is the one at the row's own end (h0 for length 0).
        reverse: process each row from its own end to its start; outputs stay in the order of x.
        gi: precomputed input projections [T, B, 3H].
        decay: [T, B, H], multiplies the state before each step (GRU-D, Che et al. 2018, arXiv 1606.01865; 0 resets it).
        replacement: [B, H], target of the decay: decay * h + (1 - decay) * replacement; and of resets, for zeros.
        mask, zoneout, gain, input_gain: [B, H], [T, B, H], [3H], [3H], regularization as above.
        resets: [T, B], not 0 where the state is replaced before the step, in order of processing and before any decay.

    Returns:
        The states and the final state; h0 for T = 0.
    """
    valid = None if lengths is None else valid_steps(lengths, (x if gi is None else gi).shape[0], xp)
    # Padding is zeroed before any arithmetic: 0 times NaN would be NaN in a gradient.
    gi = input_projections(_within(x, valid, xp), weights, input_gain, xp) if gi is None else _within(gi, valid, xp)
    decay, zoneout = (None if a is None else _within(a, valid, xp) for a in (decay, zoneout))
    rows = list(gi)  # unbound at once: in torch, the backward of indexing step by step is quadratic in T
    h, output = h0, list(rows)
    for t in reversed(range(len(rows))) if reverse else range(len(rows)):
        start = h
        if resets is not None:
            instead = xp.zeros_like(h) if replacement is None else replacement
            start = xp.where(resets[t][:, None] != 0, instead, h)
        if decay is not None:
            start = decay[t] * start
        if decay is not None and replacement is not None:
            start = start + (1 - decay[t]) * replacement
        new = step(rows[t], start, weights, xp, mask, None if zoneout is None else zoneout[t], gain)
        h = new if valid is None else xp.where(valid[t], new, h)
        output[t] = h if valid is None else xp.where(valid[t], new, xp.zeros_like(new))
    if not rows:
        return Sequence(xp.zeros_like(gi[..., : h.shape[-1]]), h)
    return Sequence(xp.stack(output, 0), h)


def _within(a: Array, valid: Array | None, xp: Any) -> Array:
    return a if valid is None else xp.where(valid, a, xp.zeros_like(a))


def valid_steps(lengths: Array, steps: int, xp: Any = numpy) -> Array:
    """True where a step lies within its row's length: [T, B, 1] from lengths [B]."""
    return (xp.arange(steps, device=lengths.device)[:, None] < lengths[None, :])[:, :, None]


def backward(
    x: Array,
    h0: Array,
    weights: GRUWeights,
    grad_output: Array,
    grad_final: Array,
    lengths: Array | None = None,
    reverse: bool = False,
) -> Gradients:
    """Gradients of Σ grad_output·output + Σ grad_final·final by explicit back-propagation through time, in NumPy."""
    T, B, _ = x.shape
    valid = valid_steps(numpy.full(B, T) if lengths is None else lengths, T)
    x = numpy.where(valid, x, 0)
    gi = input_projections(x, weights)
    before = numpy.empty_like(grad_output)  # the state before each step
    order = range(T - 1, -1, -1) if reverse else range(T)
    h = h0
    for t in order:
        before[t] = h
        h = numpy.where(valid[t], step(gi[t], h, weights), h)

    grad_gi, grad_h = numpy.zeros_like(gi), grad_final
    grad_w_hh = numpy.zeros_like(weights.w_hh)
    grad_b_hh = None if weights.b_hh is None else numpy.zeros_like(weights.b_hh)
    for t in reversed(order):
        grad = numpy.where(valid[t], grad_h + grad_output[t], 0)
        grad_gi[t], grad_before, grad_w, grad_b = _step_backward(gi[t], before[t], weights, grad)
        grad_h = numpy.where(valid[t], grad_before, grad_h)
        grad_w_hh += grad_w
        if grad_b_hh is not None:
            grad_b_hh += grad_b
    return Gradients(
        x=grad_gi @ weights.w_ih,
        h0=grad_h,
        w_ih=numpy.einsum("tbg,tbi->gi", grad_gi, x),
        w_hh=grad_w_hh,
        b_ih=None if weights.b_ih is None else grad_gi.sum((0, 1)),
        b_hh=grad_b_hh,
    )


def _step_backward(gi: Array, h: Array, weights: GRUWeights, grad: Array) -> tuple[Array, Array, Array, Array]:
    """Gradients of one step for gi, h, w_hh and b_hh from the gradient of the state after it."""
    r, z, n = gates(gi, h, weights)
    W_r, W_z, W_n = _thirds(weights.w_hh.T)
    b_n = 0 if weights.b_hh is None else _thirds(weights.b_hh)[2]

    slope_r, slope_z = derivative(weights.gate_activation, r), derivative(weights.gate_activation, z)
    grad_n = grad * z * derivative(weights.candidate_activation, n)  # gradients of pre-activations
    grad_z = -(grad * (n - h)) * slope_z  # negated: the stored z keeps the state
    if weights.reset == "before":
        grad_product, read = grad_n, r * h
        grad_r = (grad_n @ W_n.T) * h * slope_r
        through_reset = (grad_n @ W_n.T) * r
    else:
        grad_product, read = grad_n * r, h
        grad_r = grad_n * (h @ W_n + b_n) * slope_r
        through_reset = grad_product @ W_n.T

    grad_h = grad * (1 - z) + through_reset + grad_r @ W_r.T + grad_z @ W_z.T
    grad_w = numpy.concatenate([grad_r.T @ h, grad_z.T @ h, grad_product.T @ read])
    grad_b = numpy.concatenate([grad_r, grad_z, grad_product], 1).sum(0)
    return numpy.concatenate([grad_r, grad_z, grad_n], 1), grad_h, grad_w, grad_b


def _thirds(a: Array) -> tuple[Array, Array, Array]:
    """The gates r, z, n of a last axis of width 3H."""
    H = a.shape[-1] // 3
    return a[..., :H], a[..., H : 2 * H], a[..., 2 * H :]
