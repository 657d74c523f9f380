"""All states of a dense GRU at once, by Newton's method on h_t = f(h_{t-1}, x_t) for all t together.

DEER (Lim et al. 2024, arXiv 2309.12252) solves a linear recurrence with the Jacobians of f in every iteration, or with
their diagonals alone. ELK (Gonzalez et al. 2024, arXiv 2407.19115) also holds each iteration near the one before: its
Kalman smoother gives the mean of a Levenberg-Marquardt step, (LᵀL + λ) Δ = Lᵀ miss with L the Jacobian of all
residuals. Here the same block-tridiagonal system is solved by cyclic reduction, in log2 T rounds as well.
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
FIRST, LEAST, MOST = 1.0, 1e-6, 1e12  # ELK's λ: at first; where it is nothing and the plain step serves; where it ends


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
    Memory is T * B * H² numbers for "deer", "elk" and every gradient; T * B * H for the quasi forms without one.

    Args:
        method: "deer", plain Newton; "elk", which cannot run away (the sum of squared residuals falls at every step
            that is taken) and so needs more iterations where Newton's would do; "quasi" and "quasi-elk" with the
            Jacobians' diagonals.

    Raises:
        OptionError: an unknown method, or a layer that it can't take.
    """
    if method not in METHODS:
        raise OptionError(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    check_alike(x=x, **({} if h0 is None else {"h0": h0}), w_hh=gru.weight_hh_l0)
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
    diagonal, weight = method.startswith("quasi"), FIRST if method.endswith("elk") else 0.0
    states = h0.expand(len(x), *h0.shape).clone()
    following, jacobian = _step(gru, x, _before(h0, states), diagonal)
    residual = _largest(following - states)
    for count in range(most):
        if residual <= tolerance:
            return states, residual, count
        miss = following - states
        if weight > LEAST:
            trial = states + _held(jacobian, miss, weight)
        else:
            trial = _scan(jacobian, following - _apply(jacobian, _before(h0, states)), h0)
        ahead, slopes = _step(gru, x, _before(h0, trial), diagonal)
        if method.endswith("elk"):
            nearer = bool((ahead - trial).square().sum() < miss.square().sum())
            weight = weight / 10 if nearer else 8 * max(weight, LEAST)
            if not nearer and weight < MOST:
                continue
        states, following, jacobian, residual = trial, ahead, slopes, _largest(ahead - trial)
        if not residual < float("inf"):
            break
    return states, residual, most


def _held(jacobian: Tensor, miss: Tensor, weight: float) -> Tensor:
    """The step Δ of (LᵀL + weight) Δ = Lᵀ miss: L has ones, and -J_t beside them at step t's place for t - 1.

    Cyclic reduction: in each round every step's equation loses its neighbours `reach` away, and gets those twice as
    far in their place; the matrices stay symmetric and positive.
    """
    dense = jacobian.dim() > miss.dim()
    along = jacobian[1:]
    main = (1 + weight) * (torch.eye(miss.shape[-1]).to(miss).expand_as(jacobian) if dense else torch.ones_like(miss))
    main = torch.cat([main[:-1] + _times(_turned(along, dense), along, dense), main[-1:]])
    right = torch.cat([miss[:-1] - _apply(_turned(along, dense), miss[1:]), miss[-1:]])
    low, reach = -along, 1  # low[t]: the coupling of step t + reach with step t
    while reach < len(miss):
        from_early = _turned(_solved(main[:-reach], _turned(low, dense), dense), dense)  # low · main⁻¹
        from_late = _turned(_solved(main[reach:], low, dense), dense)
        early, late = _times(from_late, low, dense), _times(from_early, _turned(low, dense), dense)
        gain = _apply(from_late, right[reach:]), _apply(from_early, right[:-reach])
        main, right = main.clone(), right.clone()
        main[:-reach] -= early
        main[reach:] -= late
        right[:-reach] -= gain[0]
        right[reach:] -= gain[1]
        low = -_times(from_early[reach:], low[:-reach], dense)
        reach *= 2
    return torch.linalg.solve(main, right[..., None])[..., 0] if dense else right / main


def _turned(A: Tensor, dense: bool) -> Tensor:
    return A.mT if dense else A


def _times(A: Tensor, B: Tensor, dense: bool) -> Tensor:
    return A @ B if dense else A * B


def _solved(A: Tensor, B: Tensor, dense: bool) -> Tensor:
    solved: Tensor = torch.linalg.solve(A, B) if dense else B / A
    return solved


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
