"""GTCRN, a network for speech enhancement with 14 small GRUs, written after its ONNX graph.

Its weights and the recording are in ../shared/data/clients/gtcrn (Xiaobin Rong, github.com/Xiaobin-Rong/gtcrn, MIT);
the modules have the names of that state dict. A call computes any number of frames; with a `state` it continues where
the call before ended, so that the whole recording and single frames are the same code.

Shapes: B batch, C channels, T frames, F frequencies.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import soundfile
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["GTCRN", "load", "read", "spectrum", "waveform"]

State = dict[nn.Module, Tensor]  # of each causal convolution its last inputs, of each GRU its state
FFT, HOP, LOW, BANDS = 512, 256, 65, 64  # the lowest frequencies are kept, the others are merged into bands
WIDTH, FREQUENCIES = 16, 33  # channels and frequencies between the encoder and the decoder


def neighbours(x: Tensor) -> Tensor:
    """Each frequency with the one below and the one above as channels: [B, C, T, F] to [B, 3C, T, F]."""
    padded = functional.pad(x, (1, 1))
    return torch.stack([padded[..., k : k + x.shape[-1]] for k in range(3)], 2).flatten(1, 2)


def recur(gru: nn.Module, x: Tensor, state: State) -> Tensor:
    y, state[gru] = gru(x, state.get(gru))
    return y  # type: ignore[no-any-return]


class Bands(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.erb_fc = nn.Linear(FFT // 2 + 1 - LOW, BANDS, bias=False)
        self.ierb_fc = nn.Linear(BANDS, FFT // 2 + 1 - LOW, bias=False)

    def merge(self, x: Tensor) -> Tensor:
        return torch.cat([x[..., :LOW], self.erb_fc(x[..., LOW:])], -1)

    def split(self, x: Tensor) -> Tensor:
        return torch.cat([x[..., :LOW], self.ierb_fc(x[..., LOW:])], -1)


class Strided(nn.Module):
    """Convolution over 5 frequencies that halves their number, or in the decoder doubles it."""

    def __init__(self, kind: type[nn.Module], inputs: int, outputs: int, groups: int, act: nn.Module) -> None:
        super().__init__()
        self.conv = kind(inputs, outputs, (1, 5), stride=(1, 2), padding=(0, 2), groups=groups)
        self.bn, self.act = nn.BatchNorm2d(outputs), act

    def forward(self, x: Tensor, state: State) -> Tensor:
        return self.act(self.bn(self.conv(x)))  # type: ignore[no-any-return]


class Attention(nn.Module):
    """Weights of the channels, by a GRU over their energies in time."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.att_gru = nn.GRU(channels, 2 * channels, batch_first=True)
        self.att_fc = nn.Linear(2 * channels, channels)

    def forward(self, x: Tensor, state: State) -> Tensor:
        energies = x.square().mean(-1).transpose(1, 2)
        weights = self.att_fc(recur(self.att_gru, energies, state)).sigmoid()
        return x * weights.transpose(1, 2)[..., None]


class Separable(nn.Module):
    """Causal depthwise convolution over 3 frames, `dilation` apart, of half the channels, mixed with the other half."""

    def __init__(self, kind: type[nn.Module], dilation: int) -> None:
        super().__init__()
        half, self.past = WIDTH // 2, 2 * dilation
        self.point_conv1, self.point_bn1, self.point_act = kind(3 * half, WIDTH, 1), nn.BatchNorm2d(WIDTH), nn.PReLU()
        padding = (self.past if kind is nn.ConvTranspose2d else 0, 1)  # a transposed one adds its own frames
        self.depth_conv = kind(WIDTH, WIDTH, 3, padding=padding, dilation=(dilation, 1), groups=WIDTH)
        self.depth_bn, self.depth_act = nn.BatchNorm2d(WIDTH), nn.PReLU()
        self.point_conv2, self.point_bn2 = kind(WIDTH, half, 1), nn.BatchNorm2d(half)
        self.tra = Attention(half)

    def forward(self, x: Tensor, state: State) -> Tensor:
        mixed, kept = x.chunk(2, 1)
        inner = self.point_act(self.point_bn1(self.point_conv1(neighbours(mixed))))
        earlier = state.get(self.depth_conv)
        if earlier is None:
            earlier = inner.new_zeros(*inner.shape[:2], self.past, inner.shape[3])
        inner = torch.cat([earlier, inner], 2)
        state[self.depth_conv] = inner[:, :, -self.past :]
        inner = self.point_bn2(self.point_conv2(self.depth_act(self.depth_bn(self.depth_conv(inner)))))
        return torch.stack([self.tra(inner, state), kept], 2).flatten(1, 2)


class Halves(nn.Module):
    """Two GRUs side by side, each over half the features."""

    def __init__(self, hidden_size: int, bidirectional: bool) -> None:
        super().__init__()
        sizes = WIDTH // 2, hidden_size
        self.rnn1 = nn.GRU(*sizes, batch_first=True, bidirectional=bidirectional)
        self.rnn2 = nn.GRU(*sizes, batch_first=True, bidirectional=bidirectional)

    def forward(self, x: Tensor, state: State) -> Tensor:
        first, second = x.chunk(2, -1)
        return torch.cat([recur(self.rnn1, first, state), recur(self.rnn2, second, state)], -1)


class DualPath(nn.Module):
    """GRUs over the frequencies of each frame in both directions, then over the frames of each frequency."""

    def __init__(self) -> None:
        super().__init__()
        for name, hidden_size, bidirectional in (("intra", WIDTH // 4, True), ("inter", WIDTH // 2, False)):
            self.add_module(f"{name}_rnn", Halves(hidden_size, bidirectional))
            self.add_module(f"{name}_fc", nn.Linear(WIDTH, WIDTH))
            self.add_module(f"{name}_ln", nn.LayerNorm((FREQUENCIES, WIDTH), eps=1e-8))

    def forward(self, x: Tensor, state: State) -> Tensor:
        x = x.permute(0, 2, 3, 1)  # [B, T, F, C]
        B, T, F, _ = x.shape
        within = self.intra_fc(self.intra_rnn(x.reshape(B * T, F, WIDTH), {}))
        x = x + self.intra_ln(within.view(B, T, F, WIDTH))
        along = self.inter_fc(self.inter_rnn(x.transpose(1, 2).reshape(B * F, T, WIDTH), state))
        x = x + self.inter_ln(along.view(B, F, T, WIDTH).transpose(1, 2))
        return x.permute(0, 3, 1, 2)


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        strided = [Strided(nn.Conv2d, 9, WIDTH, 1, nn.PReLU()), Strided(nn.Conv2d, WIDTH, WIDTH, 2, nn.PReLU())]
        self.en_convs = nn.ModuleList([*strided, *(Separable(nn.Conv2d, dilation) for dilation in (1, 2, 5))])


class Decoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        kind = nn.ConvTranspose2d
        strided = [Strided(kind, WIDTH, WIDTH, 2, nn.PReLU()), Strided(kind, WIDTH, 2, 1, nn.Tanh())]
        self.de_convs = nn.ModuleList([*(Separable(kind, dilation) for dilation in (5, 2, 1)), *strided])


class GTCRN(nn.Module):
    """Enhanced spectrum [B, F, T, 2] of a noisy one: a complex mask, times the input."""

    def __init__(self) -> None:
        super().__init__()
        self.erb, self.encoder, self.decoder = Bands(), Encoder(), Decoder()
        self.dpgrnn1, self.dpgrnn2 = DualPath(), DualPath()

    def forward(self, spectrum: Tensor, state: State | None = None) -> Tensor:
        state = {} if state is None else state
        real, imaginary = spectrum.permute(3, 0, 2, 1)  # each [B, T, F]
        magnitude = (real.square() + imaginary.square() + 1e-12).sqrt()
        x = neighbours(self.erb.merge(torch.stack([magnitude, real, imaginary], 1)))
        skipped = []
        for layer in self.encoder.en_convs:
            x = layer(x, state)
            skipped.append(x)
        x = self.dpgrnn2(self.dpgrnn1(x, state), state)
        for layer in self.decoder.de_convs:
            x = layer(x + skipped.pop(), state)
        m, n = self.erb.split(x).unbind(1)
        return torch.stack([real * m - imaginary * n, imaginary * m + real * n], 3).transpose(1, 2)


def load(folder: Path) -> GTCRN:
    model = GTCRN().eval()
    model.load_state_dict(load_file(folder / "model_trained_on_dns3.safetensors"))
    return model


def read(path: Path) -> Tensor:
    return torch.from_numpy(soundfile.read(path, dtype="float32")[0])


def _window() -> dict[str, Any]:
    return {"n_fft": FFT, "hop_length": HOP, "win_length": FFT, "window": torch.hann_window(FFT).sqrt()}


def spectrum(samples: Tensor) -> Tensor:
    """[N] to [1, F, T, 2]."""
    return torch.view_as_real(torch.stft(samples, **_window(), return_complex=True))[None]


def waveform(spectrum: Tensor) -> Tensor:
    """[1, F, T, 2] to [N]."""
    return torch.istft(torch.view_as_complex(spectrum[0].contiguous()), **_window())
