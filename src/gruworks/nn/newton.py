"""Parallel-in-time evaluation of a GRU by Newton's method on h_t = f(h_{t-1}, x_t) for all t.

DEER (Lim et al. 2024, arXiv 2309.12252) solves a linear recurrence with the Jacobians of f, or their diagonals, in each
iteration. ELK (Gonzalez et al. 2024, arXiv 2407.19115) adds damping: a Levenberg-Marquardt step (LᵀL + λ) Δ = Lᵀ e
with L the Jacobian of all residuals e. Its block-tridiagonal system is solved by cyclic reduction in log2 T rounds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from gruworks.errors import OptionError
from gruworks.nn.gru import GRU
from gruworks.nn.recurrence.operands import check_alike

__all__ = ["Evaluation", "evaluate"]

METHODS = ("deer", "quasi", "elk", "quasi-elk")
FIRST, LEAST, MOST = 1.0, 1e-6, 1e12  # ELK's λ: initial; below it undamped steps; maximum


class Evaluation(NamedTuple):
    """States [T, B, H]; `residual` is the largest |h_t - f(h_{t-1}, x_t)| that Newton's method reached."""

    states: Tensor
    residual: float
    iterations: int
    fell_back: bool


def evaluate(gru: GRU, x: Tensor, h0: Tensor | None = None, method: str = "deer", tolerance: float = 1e-6,
             iterations: int = 50) -> Evaluation:  # fmt: skip
    """States of a plain GRU with one layer, all time steps in parallel.

    If the residual exceeds `tolerance` after `iterations`, or on overflow, the kernel computes the states sequentially
    and `fell_back` is True. Gradients are exact, by one linear recurrence. Memory is O(T B H²) for "deer", "elk" and
    gradients, O(T B H) for the quasi methods without gradients.

    >>> evaluate(GRU(3, 4), torch.randn(50, 2, 3), tolerance=1e-5).states.shape
    torch.Size([50, 2, 4])

    Args:
        gru: a GRU with one layer and direction.
        x: input [T, B, I].
        h0: initial state [B, H]; None for zeros.
        method: "deer" (Newton), "elk" (damped, stable, more iterations), or "quasi" and "quasi-elk" with diagonal
            Jacobians.
        tolerance: maximum residual.
        iterations: maximum number of iterations.

    Returns:
        An `Evaluation`.

    Raises:
        OptionError: an unknown method or an unsupported layer.
    """
    if method not in METHODS:
        raise OptionError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    check_alike(x=x, **({} if h0 is None else {"h0": h0}), w_hh=gru.weight_hh_l0)
    if gru.num_layers != 1 or gru.bidirectional or gru.batch_first or x.dim() != 3:
        raise OptionError("Newton's method takes one layer, one direction and x as [T, B, I] (batch_first=False)")
    gru.weights().usual("Newton's method")
    start = x.new_zeros(x.shape[1], gru.hidden_size) if h0 is None else h0
    with torch.no_grad():
        states, residual, count = _solve(gru, x, start, method, tolerance, iterations)
    if not residual <= tolerance:
        return Evaluation(gru(x, start[None])[0], residual, count, True)
    if torch.is_grad_enabled():
        states = _linearised(gru, x, start, states)
    return Evaluation(states, residual, count, False)


def _solve(
    gru: GRU, x: Tensor, h0: Tensor, method: str, tolerance: float, max_iterations: int
) -> tuple[Tensor, float, int]:
    diagonal, damping = method.startswith("quasi"), FIRST if method.endswith("elk") else 0.0
    states = h0.expand(len(x), *h0.shape).clone()
    following, jacobian = _step(gru, x, _before(h0, states), diagonal)
    residual = _largest(following - states)
    for count in range(max_iterations):
        if residual <= tolerance:
            return states, residual, count
        error = following - states
        if damping > LEAST:
            trial = states + _damped_step(jacobian, error, damping)
        else:
            trial = _scan(jacobian, following - _apply(jacobian, _before(h0, states)), h0)
        ahead, slopes = _step(gru, x, _before(h0, trial), diagonal)
        if method.endswith("elk"):
            nearer = bool((ahead - trial).square().sum() < error.square().sum())
            damping = damping / 10 if nearer else 8 * max(damping, LEAST)
            if not nearer and damping < MOST:
                continue
        states, following, jacobian, residual = trial, ahead, slopes, _largest(ahead - trial)
        if not residual < float("inf"):
            break
    return states, residual, max_iterations


def _damped_step(jacobian: Tensor, error: Tensor, damping: float) -> Tensor:
    """The damped step Δ of (LᵀL + damping) Δ = Lᵀ error, L block bidiagonal with identities and -J_t.

    Cyclic reduction: each round eliminates the unknowns at distance `stride` from every equation, which couples it to
    those at twice the distance. The matrices stay symmetric positive definite.
    """
    dense = jacobian.dim() > error.dim()
    along = jacobian[1:]
    main = (1 + damping) * (
        torch.eye(error.shape[-1]).to(error).expand_as(jacobian) if dense else torch.ones_like(error)
    )
    main = torch.cat([main[:-1] + _times(_transposed(along, dense), along, dense), main[-1:]])
    right = torch.cat([error[:-1] - _apply(_transposed(along, dense), error[1:]), error[-1:]])
    low, stride = -along, 1  # low[t]: coupling of steps t + stride and t
    while stride < len(error):
        from_early = _transposed(_solved(main[:-stride], _transposed(low, dense), dense), dense)  # low · main⁻¹
        from_late = _transposed(_solved(main[stride:], low, dense), dense)
        early, late = _times(from_late, low, dense), _times(from_early, _transposed(low, dense), dense)
        gain = _apply(from_late, right[stride:]), _apply(from_early, right[:-stride])
        main, right = main.clone(), right.clone()
        main[:-stride] -= early
        main[stride:] -= late
        right[:-stride] -= gain[0]
        right[stride:] -= gain[1]
        low = -_times(from_early[stride:], low[:-stride], dense)
        stride *= 2
    return torch.linalg.solve(main, right[..., None])[..., 0] if dense else right / main


def _transposed(A: Tensor, dense: bool) -> Tensor:
    return A.mT if dense else A


def _times(A: Tensor, B: Tensor, dense: bool) -> Tensor:
    return A @ B if dense else A * B


def _solved(A: Tensor, B: Tensor, dense: bool) -> Tensor:
    solved: Tensor = torch.linalg.solve(A, B) if dense else B / A
    return solved


def _linearised(gru: GRU, x: Tensor, h0: Tensor, states: Tensor) -> Tensor:
    """States with gradients by the linear recurrence dh_t = J_t dh_{t-1} + ∂f/∂(x, weights, h0)."""
    before = _before(h0.detach(), states)
    with torch.no_grad():
        jacobian = _step(gru, x, before, False)[1]
    following = _step(gru, x, torch.cat([h0[None], before[1:]]), False)[0]
    jacobian[0] = 0  # the gradient of h0 is part of f's
    return _scan(jacobian, following - _apply(jacobian, before), h0)


def _before(h0: Tensor, states: Tensor) -> Tensor:
    return torch.cat([h0[None], states[:-1]]) if len(states) else states


def _largest(difference: Tensor) -> float:
    return float(difference.abs().max()) if difference.numel() else 0.0


def _step(gru: Any, x: Tensor, h: Tensor, diagonal: bool) -> tuple[Tensor, Tensor]:
    """f of all steps, and its Jacobian with respect to h [T, B, H, H] or the diagonal [T, B, H]."""
    b_ih, b_hh = (gru.bias_ih_l0, gru.bias_hh_l0) if gru.bias else (None, None)
    gi = torch.nn.functional.linear(x, gru.weight_ih_l0, b_ih).chunk(3, -1)
    U = gru.weight_hh_l0.chunk(3)
    b = b_hh.chunk(3) if b_hh is not None else (x.new_zeros(()),) * 3
    r = (gi[0] + h @ U[0].T + b[0]).sigmoid()
    z = (gi[1] + h @ U[1].T + b[1]).sigmoid()
    first = gru.reset == "before"
    q = (r * h if first else h) @ U[2].T + b[2]
    n = (gi[2] + (q if first else r * q)).tanh()
    new = z * h + (1 - z) * n
    to_z, to_n = (h - n) * z * (1 - z), (1 - z) * (1 - n * n)
    slope = r * (1 - r)
    u = [w.diagonal() for w in U] if diagonal else list(U)

    def rows(v: Tensor) -> Tensor:
        return v if diagonal else v[..., None]

    if first and diagonal:  # U_n[i, i] r_i + Σ_k U_n[i, k] h_k r'_k U_r[k, i]
        candidate = r * u[2] + (h * slope) @ (U[2] * U[0].T).T
    elif first:
        candidate = U[2] * r[..., None, :] + (U[2] * (h * slope)[..., None, :]) @ U[0]
    else:
        candidate = rows(r) * u[2] + rows(q * slope) * u[0]
    gates = rows(to_z) * u[1] + rows(to_n) * candidate
    return new, gates + (z if diagonal else torch.diag_embed(z))


def _apply(A: Tensor, h: Tensor) -> Tensor:
    return A * h if A.dim() == h.dim() else (A @ h[..., None])[..., 0]


def _scan(A: Tensor, b: Tensor, h0: Tensor) -> Tensor:
    """Parallel scan of h_t = A_t h_{t-1} + b_t in log2 T rounds."""
    if not len(b):
        return b
    b = torch.cat([(b[0] + _apply(A[0], h0))[None], b[1:]])
    stride, dense = 1, A.dim() > b.dim()
    while stride < len(b):
        late, early = A[stride:], A[:-stride]
        b = torch.cat([b[:stride], b[stride:] + _apply(late, b[:-stride])])
        A = torch.cat([A[:stride], late @ early if dense else late * early])
        stride *= 2
    return b
