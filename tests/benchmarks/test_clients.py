"""Outside users' models of bench_clients.py: golden vectors, GTCRN's recording, the same answers by every engine."""

from __future__ import annotations

import copy
import importlib
from pathlib import Path
from typing import Any

import pytest
import torch

import gruworks


@pytest.fixture(autouse=True)
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")


@pytest.fixture
def folder() -> Path:
    try:
        return Path(importlib.import_module("clients_models").clients_folder())
    except FileNotFoundError as error:
        pytest.skip(str(error))


def by_frames(model: Any, spectrum: torch.Tensor) -> torch.Tensor:
    state: dict[Any, torch.Tensor] = {}
    return torch.cat([model(frame, state) for frame in spectrum.split(1, 2)], 2)


@pytest.mark.recipe
@pytest.mark.parametrize("name", ["gru_1d", "gru", "gru_torch"])
def test_golden_vectors_of_rtneural(folder: Path, name: str) -> None:
    network, x, y = importlib.import_module("clients_models").golden(name, folder / "rtneural")
    with torch.no_grad():
        torch.testing.assert_close(network(x).double(), y, rtol=0, atol=1e-6)


@pytest.mark.recipe
def test_gtcrn_with_our_layer_enhances_its_recording(folder: Path) -> None:
    gtcrn = importlib.import_module("clients_gtcrn")
    model, files = gtcrn.load(folder / "gtcrn"), folder / "gtcrn"
    spectrum, expected = gtcrn.spectrum(gtcrn.read(files / "mix.wav")), gtcrn.read(files / "enh.wav")
    with torch.no_grad():
        by_torch = model(spectrum)
        assert len(gruworks.replace(model).swapped) == 14
        found = model(spectrum)
        frames = by_frames(model, spectrum)
    torch.testing.assert_close(found, by_torch, rtol=0, atol=3e-5)  # of values up to 31
    torch.testing.assert_close(frames, by_torch, rtol=0, atol=3e-5)
    torch.testing.assert_close(gtcrn.waveform(found)[: len(expected)], expected, rtol=0, atol=4e-5)


@pytest.mark.recipe
def test_gtcrn_frame_by_frame_is_its_streaming_graph(folder: Path) -> None:
    pytest.importorskip("onnxruntime")
    gtcrn, engines = (importlib.import_module(f"clients_{name}") for name in ("gtcrn", "engines"))
    model, files = gtcrn.load(folder / "gtcrn"), folder / "gtcrn"
    gruworks.replace(model)
    spectrum = gtcrn.spectrum(gtcrn.read(files / "mix.wav"))[:, :, :50]
    frames = [frame.numpy().copy() for frame in spectrum.split(1, 2)]
    engine = engines.over_frames(files / "gtcrn_simple.onnx", frames)["onnxruntime 1"]()
    for _ in range(2):  # the caches start anew
        engine.run()
    with torch.no_grad():
        expected = by_frames(model, spectrum)
    found = torch.cat(list(torch.from_numpy(engine.output())), 2)
    torch.testing.assert_close(found, expected, rtol=0, atol=3e-5)


def test_gtcrn_gives_the_same_in_one_call_and_frame_by_frame() -> None:
    torch.manual_seed(0)
    model = importlib.import_module("clients_gtcrn").GTCRN().eval()
    spectrum = torch.randn(2, 257, 13, 2)  # longer than the oldest frame that a convolution sees, 10 back
    with torch.no_grad():
        expected = model(spectrum)
        gruworks.replace(model)
        torch.testing.assert_close(by_frames(model, spectrum), expected, rtol=0, atol=1e-5)


def test_medakas_network_is_the_same_by_every_engine() -> None:
    pytest.importorskip("onnxruntime")
    engines, models = (importlib.import_module(f"clients_{name}") for name in ("engines", "models"))
    model, source = models.medaka(None)
    x, ours = torch.rand(1, 20, 10), copy.deepcopy(model)
    gruworks.replace(ours)
    assert "initialization" in source
    with torch.no_grad():
        expected = model(x)
        torch.testing.assert_close(ours(x), expected)
    makers = engines.others(model.gru, x, model.head)
    assert {"tract", "ncnn 1", "onnxruntime 1"} <= set(makers)
    engine = makers["onnxruntime 1"]()
    engine.run()
    torch.testing.assert_close(torch.from_numpy(engine.output()), expected)


def test_a_model_of_several_rows_is_not_given_to_ncnn() -> None:
    pytest.importorskip("onnxruntime")
    engines, models = (importlib.import_module(f"clients_{name}") for name in ("engines", "models"))
    model = models.medaka(None)[0]
    assert not any(name.startswith("ncnn") for name in engines.others(model.gru, torch.rand(2, 20, 10)))


def test_a_checkout_without_submodules_is_named(tmp_path: Path) -> None:
    (tmp_path / "RTNeural" / "gru").mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"modules/xsimd/include/xsimd.*with its submodules"):
        importlib.import_module("rtneural").build(tmp_path)
