"""The network: a causal GRU encoder, a direct decoder from each step's state, and two paths beside it."""

from __future__ import annotations

import torch
from torch import Tensor

from gruworks.nn.gru import GRU
from gruworks.ops.weights import Reset

__all__ = ["ForecastNet"]


class ForecastNet(torch.nn.Module):
    """From features of the past to quantiles of what is to be added to the last value, in units of its scale.

    Every step's answer is decoded from that step's own state, the last observation included:

        median_k = α_k · highway_k + β_k · season_k + head(h_t)_k
        quantiles beside it lie a positive width above and below, so they never cross

    α starts at 1, β and the head at 0: an untrained network answers as the highway does. After the fit, `width_gain`
    scales all widths so that the outer band holds its share of the validation part.

    Shapes: features [B, T, I], highway and season [B, T, K] for K horizons; answer [B, T, K, Q], Q odd.
    """

    width_gain: Tensor

    def __init__(
        self,
        inputs: int,
        horizon: int,
        quantiles: int,
        hidden_size: int = 32,
        layers: int = 1,
        dropout: float = 0.0,
        reset: Reset = "after",
    ) -> None:
        super().__init__()
        between = dropout if layers > 1 else 0.0
        self.gru = GRU(inputs, hidden_size, layers, batch_first=True, dropout=between, reset=reset)
        self.dropout = torch.nn.Dropout(dropout)
        self.head = torch.nn.Linear(hidden_size, horizon * quantiles)
        self.highway_gain = torch.nn.Parameter(torch.ones(horizon))
        self.season_gain = torch.nn.Parameter(torch.zeros(horizon))
        self.register_buffer("width_gain", torch.ones(()))
        self.shape = (horizon, quantiles)
        torch.nn.init.zeros_(self.head.weight)
        torch.nn.init.zeros_(self.head.bias)

    def forward(self, features: Tensor, highway: Tensor, season: Tensor) -> Tensor:
        states, _ = self.gru(features)
        return self.decode(states, highway, season)

    def decode(self, states: Tensor, highway: Tensor, season: Tensor) -> Tensor:
        """Quantiles [..., K, Q] from states [..., hidden] and the two paths [..., K]."""
        raw = self.head(self.dropout(states)).unflatten(-1, self.shape)
        middle = self.shape[1] // 2
        median = self.highway_gain * highway + self.season_gain * season + raw[..., middle]
        widths = self.width_gain * torch.nn.functional.softplus(raw)
        below = median[..., None] - widths[..., :middle].flip(-1).cumsum(-1).flip(-1)
        above = median[..., None] + widths[..., middle + 1 :].cumsum(-1)
        return torch.cat([below, median[..., None], above], -1)
