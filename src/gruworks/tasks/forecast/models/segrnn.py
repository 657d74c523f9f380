"""SegRNN (Lin et al. 2023, arXiv 2308.11200): a GRU over segments of a look-back window, decoded in parallel.

The window is cut into segments, and each segment is one step of the GRU. The decoder computes all segments of the
horizon in parallel: each is one step from the last state h_n, whose input is a learned position embedding. In the
"after" form W_hh·h_n is the same for every position and W_ih·pos the same for every window, so the first is computed
once a window and the second once a position; only the gates are computed for each pair. This is exact.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from gruworks.nn.functional import new_state
from gruworks.nn.gru import GRU

__all__ = ["Norm", "SegmentNet"]

Norm = Literal["last", "mean", "revin", "moves"]
SMALL = 1e-5


class SegmentNet(torch.nn.Module):
    """Quantiles of the next K values of a series from the last L, in the units of the series.

    Shapes: values [R, L] for R windows, channel [R] (the number of the series where `channels` > 1); output
    [R, K, Q], Q odd, in ascending order.

    Args:
        lookback: L, a multiple of segment.
        horizon: K.
        segment: values of one step of the GRU.
        norm: normalization of a window, inverted on the output: "last" subtracts the last value (SegRNN), "mean" also
            divides by the mean absolute value (DeepAR's scale), "revin" subtracts the mean and divides by the standard
            deviation, with a learned gain and shift (Kim et al. 2022), "moves" subtracts the last value and divides by
            the mean absolute difference.
        channels: number of series with a learned embedding of their own; 1 if all share the position embeddings.
        linear: True adds a linear map of the window to the output, initially zero.
    """

    def __init__(
        self,
        lookback: int,
        horizon: int,
        segment: int,
        hidden_size: int,
        quantiles: int = 3,
        dropout: float = 0.0,
        norm: Norm = "last",
        channels: int = 1,
        linear: bool = False,
    ) -> None:
        super().__init__()
        self.segment, self.norm, self.horizon, self.lookback = segment, norm, horizon, lookback
        positions, own = -(-horizon // segment), hidden_size // 2 if channels > 1 else 0
        self.embed = torch.nn.Linear(segment, hidden_size)
        self.gru = GRU(hidden_size, hidden_size, batch_first=True)
        self.positions = torch.nn.Parameter(torch.randn(positions, hidden_size - own))
        self.channels = torch.nn.Parameter(torch.randn(channels, own)) if own else None
        self.dropout = torch.nn.Dropout(dropout)
        self.head = torch.nn.Linear(hidden_size, segment * quantiles)
        self.linear = torch.nn.Linear(lookback, horizon, bias=False) if linear else None
        self.gain = torch.nn.Parameter(torch.ones(2)) if norm == "revin" else None
        self.shape = (segment, quantiles)
        if self.linear is not None:
            torch.nn.init.zeros_(self.linear.weight)

    def forward(self, values: Tensor, channel: Tensor | None = None) -> Tensor:
        x, centre, scale = self.normalised(values)
        segments = functional.relu(self.embed(x.reshape(len(x), -1, self.segment)))
        h = self.gru(segments)[1][0]
        answer = self.decode(h, channel)
        if self.linear is not None:
            answer = answer + self.linear(x)[..., None]
        answer = self._restored(answer, centre, scale)
        # sorting quantiles never increases a pinball loss (Chernozhukov et al. 2010)
        return answer if answer.shape[-1] == 1 else answer.sort(-1).values

    def decode(self, h: Tensor, channel: Tensor | None = None) -> Tensor:
        """Normalized outputs of all positions [R, K, Q] from the last state h [R, H], not yet sorted."""
        weights = self.gru.weights()
        gh = functional.linear(h, weights.w_hh, weights.b_hh)  # once a window
        gi = self._position_terms(channel)  # once a position
        R, P, H = len(h), len(self.positions), h.shape[1]
        wide = gi.expand(R, P, 3 * H).contiguous(), gh[:, None].expand(R, P, 3 * H).contiguous()
        states = new_state(*wide, h[:, None].expand(R, P, H).contiguous())
        raw: Tensor = self.head(self.dropout(states)).reshape(R, -1, self.shape[1])  # [R, P · segment, Q]
        return raw[:, : self.horizon]

    def _position_terms(self, channel: Tensor | None) -> Tensor:
        """W_ih · position + b_ih: [1, P, 3H], or [R, P, 3H] where each series has an embedding of its own."""
        w, b = self.gru.weights().w_ih, self.gru.weights().b_ih
        width = self.positions.shape[1]
        terms = functional.linear(self.positions, w[:, :width], b)[None]
        if self.channels is None or channel is None:
            return terms
        return terms + functional.linear(self.channels, w[:, width:])[channel][:, None]

    def normalised(self, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Normalized window x [R, L], and the level and scale [R, 1] that it was normalized by."""
        centre = values.mean(1, keepdim=True) if self.norm == "revin" else values[:, -1:]
        x = values - centre
        scale = torch.ones_like(centre)
        if self.norm == "revin":
            scale = x.square().mean(1, keepdim=True).sqrt() + SMALL
        elif self.norm == "mean":
            scale = 1 + values.abs().mean(1, keepdim=True)
        elif self.norm == "moves":
            scale = values.diff(dim=1).abs().mean(1, keepdim=True)
            scale = torch.where(scale > 0, scale, torch.ones_like(scale))
        x = x / scale
        return (x if self.gain is None else x * self.gain[0] + self.gain[1] - 1), centre, scale

    def _restored(self, answer: Tensor, centre: Tensor, scale: Tensor) -> Tensor:
        if self.gain is not None:
            answer = (answer - self.gain[1] + 1) / (self.gain[0] + SMALL)
        return answer * scale[..., None] + centre[..., None]
