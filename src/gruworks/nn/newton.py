"""All states of a dense GRU at once, by Newton's method on h_t = f(h_{t-1}, x_t) for all t together.

DEER (Lim et al. 2024, arXiv 2309.12252) solves a linear recurrence with the Jacobians of f in every iteration; its
diagonal form and damping follow Gonzalez et al. 2024, arXiv 2407.19115. Damping here divides the Jacobians by 1 + λ:
λ grows when the residual does and shrinks when it falls; it is not their Kalman smoother.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from gruworks.errors import OptionError
from gruworks.nn.gru import GRU

__all__ = ["Evaluation", "evaluate"]

METHODS = ("deer", "quasi", "damped")


class Evaluation(NamedTuple):
    """States [T, B, H] and how they came: `residual` is the largest |h_t - f(h_{t-1}, x_t)| of what Newton reached."""

    states: Tensor
    residual: float
    iterations: int
    fell_back: bool


def evaluate(gru: GRU, x: Tensor, h0: Tensor | None = None, method: str = "deer", tolerance: float = 1e-6,
             iterations: int = 50) -> Evaluation:  # fmt: skip
    """The states of a plain one-layer GRU over x [T, B, I] from h0 [B, H], all steps at once.

    Stops when the residual is at most `tolerance`; after `iterations`, or where numbers overflow, the kernel
    computes the states step by step instead, and `fell_back` says so. Gradients are exact: one linear recurrence.
    Memory is T * B * H² numbers for "deer", "damped" and every gradient; T * B * H for "quasi" without one.
    """
    if method not in METHODS:
        raise OptionError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    if gru.num_layers != 1 or gru.bidirectional or gru.batch_first or x.dim() != 3:
        raise OptionError("Newton's method takes one layer, one direction and x as [T, B, I] (batch_first=False)")
    start = x.new_zeros(x.shape[1], gru.hidden_size) if h0 is None else h0
    with torch.no_grad():
        states, residual, count = _solve(gru, x, start, method, tolerance, iterations)
    if not residual <= tolerance:
        return Evaluation(gru(x, start[None])[0], residual, count, True)
    if torch.is_grad_enabled():
        states = _linearised(gru, x, start, states)
    return Evaluation(states, residual, count, False)


def _solve(gru: GRU, x: Tensor, h0: Tensor, method: str, tolerance: float, most: int) -> tuple[Tensor, float, int]:
    states, damping = h0.expand(len(x), *h0.shape).clone(), 0.0
    following, jacobian = _step(gru, x, _before(h0, states), method == "quasi")
    residual = _largest(following - states)
    for count in range(most):
        if residual <= tolerance:
            return states, residual, count
        scaled = jacobian / (1 + damping)
        trial = _scan(scaled, following - _apply(scaled, _before(h0, states)), h0)
        ahead, slopes = _step(gru, x, _before(h0, trial), method == "quasi")
        reached = _largest(ahead - trial)
        if method == "damped" and not reached < residual:
            damping = 4 * damping + 0.25
            trial = following if damping > 1e3 else trial  # one plain sweep: each makes one more step exact
            if damping <= 1e3:
                continue
            ahead, slopes = _step(gru, x, _before(h0, trial), False)
            reached = _largest(ahead - trial)
        damping = damping / 4
        states, following, jacobian, residual = trial, ahead, slopes, reached
        if not residual < float("inf"):
            break
    return states, residual, most


def _linearised(gru: GRU, x: Tensor, h0: Tensor, states: Tensor) -> Tensor:
    """The same states with their gradient: dh_t = J_t dh_{t-1} + what x, weights and h0 change in f."""
    before = _before(h0.detach(), states)
    with torch.no_grad():
        jacobian = _step(gru, x, before, False)[1]
    following = _step(gru, x, torch.cat([h0[None], before[1:]]), False)[0]
    jacobian[0] = 0  # h0's own gradient comes by f
    return _scan(jacobian, following - _apply(jacobian, before), h0)


def _before(h0: Tensor, states: Tensor) -> Tensor:
    return torch.cat([h0[None], states[:-1]]) if len(states) else states


def _largest(difference: Tensor) -> float:
    return float(difference.abs().max()) if difference.numel() else 0.0


def _step(gru: Any, x: Tensor, h: Tensor, diagonal: bool) -> tuple[Tensor, Tensor]:
    """f for all steps at once, and its Jacobian [T, B, H, H] by h, or that one's diagonal [T, B, H]."""
    b_ih, b_hh = (gru.bias_ih_l0, gru.bias_hh_l0) if gru.bias else (None, None)
    terms = torch.nn.functional.linear(x, gru.weight_ih_l0, b_ih).chunk(3, -1)
    U = gru.weight_hh_l0.chunk(3)
    b = b_hh.chunk(3) if b_hh is not None else (x.new_zeros(()),) * 3
    r = (terms[0] + h @ U[0].T + b[0]).sigmoid()
    z = (terms[1] + h @ U[1].T + b[1]).sigmoid()
    first = gru.reset == "before"
    q = (r * h if first else h) @ U[2].T + b[2]
    n = (terms[2] + (q if first else r * q)).tanh()
    new = z * h + (1 - z) * n
    to_z, to_n = (h - n) * z * (1 - z), (1 - z) * (1 - n * n)
    slope = r * (1 - r)
    u = [w.diagonal() for w in U] if diagonal else list(U)

    def rows(v: Tensor) -> Tensor:
        return v if diagonal else v[..., None]

    if first and diagonal:  # Σ_k U_n[i, k] h_k r'_k U_r[k, i] beside U_n[i, i] r_i
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
    """Every h_t = A_t h_{t-1} + b_t, in log2 T rounds: each joins steps with those `reach` before them."""
    if not len(b):
        return b
    b = torch.cat([(b[0] + _apply(A[0], h0))[None], b[1:]])
    reach, dense = 1, A.dim() > b.dim()
    while reach < len(b):
        late, early = A[reach:], A[:-reach]
        b = torch.cat([b[:reach], b[reach:] + _apply(late, b[:-reach])])
        A = torch.cat([A[:reach], late @ early if dense else late * early])
        reach *= 2
    return b
