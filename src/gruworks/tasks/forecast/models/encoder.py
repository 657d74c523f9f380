"""Encoder: a causal GRU with a direct multi-horizon decoder, beside an autoregression and a seasonal component."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from gruworks.nn.functional import gru_layer
from gruworks.nn.gru import GRU
from gruworks.ops.weights import Reset

__all__ = ["ForecastNet"]


class ForecastNet(torch.nn.Module):
    """Quantiles of the change from the last value, in units of its scale, for each of K steps ahead.

    The forecast of step t is decoded from the hidden state h_t, which has read the value at t:

        median_k = α_k · difference_ar_k + β_k · seasonal_k + head(h_t)_k + known(h_t, x_{t+k})

    The other quantiles are at positive distances below and above the median, so that quantiles never cross. Initially
    α is 1 and β, the head and `known` are 0: an untrained network forecasts as the autoregression on differences.
    Where timestamps are irregular the state decays between them, h ← γ(gap) · h with a learned rate for each hidden
    unit (GRU-D, Che et al. 2018).

    Shapes: features [B, T, I], difference_ar and seasonal [B, T, K], ahead [B, T, K + 1, C] (the covariates of the row
    itself first), gaps [B, T]; forecast [B, T, K, Q], Q odd.
    """

    def __init__(
        self,
        inputs: int,
        horizon: int,
        quantiles: int,
        hidden_size: int,
        layers: int,
        dropout: float,
        reset: Reset,
        ahead: int = 0,
        irregular: bool = False,
    ) -> None:
        super().__init__()
        between = dropout if layers > 1 else 0.0
        self.gru = GRU(inputs, hidden_size, layers, batch_first=True, dropout=between, reset=reset)
        self.dropout = torch.nn.Dropout(dropout)
        self.head = torch.nn.Linear(hidden_size, horizon * quantiles)
        self.difference_ar_weight = torch.nn.Parameter(torch.ones(horizon))
        self.seasonal_weight = torch.nn.Parameter(torch.zeros(horizon))
        self.known = _Known(hidden_size, ahead, horizon, quantiles, irregular) if ahead else None
        self.decay = torch.nn.Parameter(torch.zeros(2, layers, hidden_size)) if irregular else None
        self.shape = (horizon, quantiles)
        torch.nn.init.zeros_(self.head.weight)
        torch.nn.init.zeros_(self.head.bias)

    def forward(
        self,
        features: Tensor,
        difference_ar: Tensor,
        seasonal: Tensor,
        ahead: Tensor | None = None,
        gaps: Tensor | None = None,
    ) -> Tensor:
        return self.decode(self.states(features, gaps), self.weighted(difference_ar, seasonal), ahead)

    def states(self, features: Tensor, gaps: Tensor | None = None) -> Tensor:
        """Hidden states of the last layer, [B, T, H]."""
        if self.decay is None or gaps is None:
            states: Tensor = self.gru(features)[0]
            return states
        x = features.transpose(0, 1)
        for layer in range(self.gru.num_layers):
            if layer:
                x = functional.dropout(x, self.gru.dropout, self.training)
            rate, shift = functional.softplus(self.decay[0, layer] - 3), self.decay[1, layer]
            gamma = torch.exp(-functional.relu(rate * gaps.T[..., None] + shift))
            x = gru_layer(x, None, self.gru.weights(layer), decay=gamma)[0]
        return x.transpose(0, 1)

    def weighted(self, difference_ar: Tensor, seasonal: Tensor) -> Tensor:
        """α · difference_ar + β · seasonal, [..., K], in the precision of the components."""
        alpha, beta = self.difference_ar_weight.to(difference_ar.dtype), self.seasonal_weight.to(seasonal.dtype)
        return alpha * difference_ar + beta * seasonal

    def decode(self, states: Tensor, weighted: Tensor | None = None, ahead: Tensor | None = None) -> Tensor:
        """Quantiles [..., K, Q] from states [..., H], weighted components [..., K] and ahead [..., K + 1, C]."""
        states = self.dropout(states)
        raw = self.head(states).unflatten(-1, self.shape)
        if self.known is not None and ahead is not None:
            raw = raw + self.known(states, ahead)
        middle = self.shape[1] // 2
        median = raw[..., middle] if weighted is None else weighted + raw[..., middle]
        widths = functional.softplus(raw)
        below = median[..., None] - widths[..., :middle].flip(-1).cumsum(-1).flip(-1)
        above = median[..., None] + widths[..., middle + 1 :].cumsum(-1)
        return torch.cat([below, median[..., None], above], -1)


class _Known(torch.nn.Module):
    """Contribution of the future covariates: linear in their change, and a hidden layer over them and the state."""

    def __init__(self, hidden: int, ahead: int, horizon: int, quantiles: int, irregular: bool) -> None:
        super().__init__()
        self.absolute = slice(int(irregular), None)  # the first is a position, of which only the change is read
        size = 2 * ahead - irregular
        self.linear = torch.nn.Linear(ahead, quantiles, bias=False)
        self.state = torch.nn.Linear(hidden, hidden)
        self.covariates = torch.nn.Linear(size, hidden, bias=False)
        self.horizon = torch.nn.Parameter(0.1 * torch.randn(horizon, hidden))
        self.out = torch.nn.Linear(hidden, quantiles)
        for layer in (self.linear, self.out):
            torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(self.out.bias)

    def forward(self, states: Tensor, ahead: Tensor) -> Tensor:
        there = ahead[..., 1:, :]
        change = there - ahead[..., :1, :]
        seen = torch.cat([there[..., self.absolute], change], -1)
        hidden = self.state(states)[..., None, :] + self.covariates(seen) + self.horizon
        answer: Tensor = self.linear(change) + self.out(torch.tanh(hidden))
        return answer
