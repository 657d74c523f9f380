"""DeepAR (Salinas et al. 2020) with a GRU: an autoregressive model of the next value's distribution, sampled in paths.

The inputs of a step are the last value, the values one season before the next one, and Fourier terms of the calendar;
the outputs are the parameters of the next value's distribution. In a sample path each value is drawn from it and is
the input of the next step, so that uncertainty grows along the path.

Real values are read as differences over the window's mean absolute difference, so that forecasts don't depend on level
and unit; counts (negative binomial) over ν = 1 + their mean, as in the paper.
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
    """Distribution of the next value after each step of a window.

    Shapes: values [B, P + T], of which the first P (the longest lag less 1) are inputs by their lags alone; waves
    [B, T, F], the Fourier terms of the value after each step; scale [B].

    Args:
        seasons: seasons of the Fourier terms.
        lags: steps between the next value and the earlier values that are inputs.
        distribution: "student", "normal" or "negative_binomial".
    """

    def __init__(
        self,
        seasons: tuple[Season, ...],
        lags: tuple[int, ...],
        hidden_size: int,
        layers: int,
        dropout: float,
        distribution: str,
        reset: Reset,
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
        """Number P of values before a window that the lags reach back to."""
        return max((*self.lags, 2)) - 1

    @property
    def counts(self) -> bool:
        return self.kind == "negative_binomial"

    def forward(self, values: Tensor, waves: Tensor, scale: Tensor) -> distributions.Distribution:
        x = self.inputs(values, waves, scale)
        return self.ahead(self.gru(x)[0], x, values[:, self.longest :], scale[:, None])

    def inputs(self, values: Tensor, waves: Tensor, scale: Tensor) -> Tensor:
        """Inputs of the GRU, [B, T, I], from values [B, P + T], waves [B, T, F] and scale [B]."""
        P, T = self.longest, waves.shape[1]
        here = values[:, P : P + T]
        seasonal = [values[:, P + 1 - lag : P + 1 - lag + T] for lag in self.lags]
        if self.counts:
            own = [torch.log1p(v / scale[:, None]) for v in (here, *seasonal)]
        else:
            moves = here - values[:, P - 1 : P - 1 + T], *(v - here for v in seasonal)
            own = [v / scale[:, None] for v in moves]
        return torch.cat([torch.stack(own, -1), waves], -1)

    def ahead(self, states: Tensor, x: Tensor, here: Tensor, scale: Tensor) -> distributions.Distribution:
        """Distribution of the next value from states [..., H], their inputs x [..., I] and last values `here` [...]."""
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
        """Sample paths [B, paths, steps] after windows [B, P + T]; waves [B, T + steps, F] cover the paths too."""
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
