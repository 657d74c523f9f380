"""The autoregressive sampler of DeepAR (Salinas et al. 2020) with a GRU: a distribution of the next value, drawn on.

Each step reads the value before it, the values one season before the next one, and the calendar; it answers the
parameters of a distribution of the next value. A forecast is many paths: a value is drawn, read, and the next one
drawn after it, so uncertainty compounds along a path. Nothing is ever fed back as a mean.

Real values are read as moves over the window's mean move, so that the answer is free of level and unit; counts
(negative binomial) over ν = 1 + their mean, as in the paper.
"""

from __future__ import annotations

import torch
from torch import Tensor, distributions
from torch.nn import functional

from gruworks.nn.gru import GRU
from gruworks.ops.weights import Reset
from gruworks.tasks.forecast.series.frequency import Season

__all__ = ["SamplerNet"]

SMALL = 1e-3


class SamplerNet(torch.nn.Module):
    """From a window of values to the distribution of the value after each step.

    Shapes: values [B, P + T], of which the first P (the longest lag) are only looked back on; waves [B, T, F], the
    calendar of the value after each step; scale [B].

    Args:
        seasons: whose waves are read. lags: in steps; the value that many steps before the next one is read.
        distribution: "student", "normal" or "negative_binomial".
    """

    def __init__(
        self,
        seasons: tuple[Season, ...],
        lags: tuple[int, ...],
        hidden_size: int,
        layers: int = 1,
        dropout: float = 0.0,
        distribution: str = "student",
        reset: Reset = "after",
    ) -> None:
        super().__init__()
        self.lags, self.kind = lags, distribution
        inputs = 1 + len(lags) + 2 * sum(season.harmonics for season in seasons)
        between = dropout if layers > 1 else 0.0
        self.gru = GRU(inputs, hidden_size, layers, batch_first=True, dropout=between, reset=reset)
        self.dropout = torch.nn.Dropout(dropout)
        self.head = torch.nn.Linear(hidden_size, 3)
        self.lag_gain = torch.nn.Parameter(torch.zeros(1 + len(lags)))

    @property
    def longest(self) -> int:
        """P: values before a window that lags reach back to."""
        return max((*self.lags, 2)) - 1

    @property
    def counts(self) -> bool:
        return self.kind == "negative_binomial"

    def forward(self, values: Tensor, waves: Tensor, scale: Tensor) -> distributions.Distribution:
        x = self.inputs(values, waves, scale)
        return self.ahead(self.gru(x)[0], x, values[:, self.longest :], scale[:, None])

    def inputs(self, values: Tensor, waves: Tensor, scale: Tensor) -> Tensor:
        """[B, T, I] from values [B, P + T]."""
        P, T = self.longest, waves.shape[1]
        here = values[:, P : P + T]
        seasonal = [values[:, P + 1 - lag : P + 1 - lag + T] for lag in self.lags]
        if self.counts:
            own = [torch.log1p(here / scale[:, None]), *(torch.log1p(v / scale[:, None]) for v in seasonal)]
        else:
            own = [
                (here - values[:, P - 1 : P - 1 + T]) / scale[:, None],
                *((v - here) / scale[:, None] for v in seasonal),
            ]
        return torch.cat([torch.stack(own, -1), waves], -1)

    def ahead(self, states: Tensor, x: Tensor, here: Tensor, scale: Tensor) -> distributions.Distribution:
        """The distribution of the next value after states [..., H] that read x [..., I] and stand at `here` [...]."""
        place, width, shape = self.head(self.dropout(states)).unbind(-1)
        direct = x[..., : 1 + len(self.lags)] @ self.lag_gain
        if self.counts:
            mean = scale * functional.softplus(place + direct) + SMALL
            alpha = functional.softplus(shape) / scale.sqrt() + SMALL
            return distributions.NegativeBinomial(1 / alpha, logits=(mean * alpha).log())
        centre = here + scale * (place + direct)
        spread = scale * (functional.softplus(width) + SMALL)
        if self.kind == "normal":
            return distributions.Normal(centre, spread)
        return distributions.StudentT(2 + functional.softplus(shape) + SMALL, centre, spread)

    @torch.no_grad()
    def sample(self, values: Tensor, waves: Tensor, scale: Tensor, paths: int, steps: int) -> Tensor:
        """Paths [B, paths, steps] after windows [B, P + T]; waves [B, T + steps, F] go on into the future."""
        T = values.shape[1] - self.longest
        x = self.inputs(values, waves[:, :T], scale)
        states, h = self.gru(x)
        h = h.repeat_interleave(paths, 1)
        state, last = states[:, -1].repeat_interleave(paths, 0), x[:, -1].repeat_interleave(paths, 0)
        scale, reach = scale.repeat_interleave(paths), self.longest + 1
        seen = values[:, -reach:].repeat_interleave(paths, 0)
        drawn = []
        for k in range(steps):
            value = self.ahead(state, last, seen[:, -1], scale).sample()
            drawn.append(value)
            if k + 1 < steps:
                seen = torch.cat([seen[:, 1:], value[:, None]], 1)
                step = self.inputs(seen, waves[:, T + k : T + k + 1].repeat_interleave(paths, 0), scale)
                states, h = self.gru(step, h)
                state, last = states[:, 0], step[:, 0]
        return torch.stack(drawn, 1).reshape(-1, paths, steps)
