"""The loss: CTC per symbol in training, errors in validation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gruworks.tasks.transcribe.attention_decoder import padded
from gruworks.tasks.transcribe.config import Config
from gruworks.tasks.transcribe.data import batched, prepare
from gruworks.tasks.transcribe.fitting import best_path, ctc_loss, fit_corpus
from gruworks.tasks.transcribe.manifest import read_manifest
from gruworks.tasks.transcribe.model import TranscribeNet
from gruworks.training import parallel
from gruworks.training.runs import RunFolder
from tests.ops.ctc.test_ctc import log_likelihoods
from tests.tasks.transcribe.conftest import SMALL, write


class Fixed(TranscribeNet):
    """A network whose log-probabilities are those of its features."""

    def __init__(self) -> None:
        super().__init__(4, 4, Config(channels=1, hidden_size=1))

    def encode(self, features: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        return features, lengths

    def answer(self, x: Tensor) -> Tensor:
        return x.log_softmax(-1)


def rows() -> list[tuple[object, list[int]]]:
    torch.manual_seed(0)
    return [(torch.randn(6, 4).numpy(), [1, 2]), (torch.randn(4, 4).numpy(), [3, 3, 1])]


def likelihoods(x: object) -> dict[tuple[int, ...], float]:
    return log_likelihoods(torch.tensor(x).log_softmax(-1).double().numpy())


def test_the_loss_is_the_likelihood_over_every_path_per_symbol() -> None:
    total = sum(-likelihoods(x)[tuple(text)] for x, text in rows())
    assert float(ctc_loss(Fixed(), batched(rows()))) == pytest.approx(total / 5, rel=1e-5)


def test_what_does_not_fit_teaches_nothing() -> None:
    short = [(rows()[0][0], [1, 2]), (rows()[1][0], [3, 3, 3])]
    alone = -likelihoods(short[0][0])[1, 2]
    assert float(ctc_loss(Fixed(), batched(short))) == pytest.approx(alone / 5, rel=1e-5)


def test_validation_counts_errors() -> None:
    loud = 50 * torch.eye(4)
    said = [(loud[[1, 1, 0, 1, 2]].numpy(), [1, 1, 2]), (loud[[3, 0, 0]].numpy(), [2, 1])]
    model = Fixed().eval()
    assert float(ctc_loss(model, batched(said[:1]))) == pytest.approx(0, abs=1e-4)
    assert float(ctc_loss(model, batched(said))) == pytest.approx(2 / 5 + 0.1 * 10, abs=0.05)


def test_an_attention_decoder_has_its_share_of_the_loss() -> None:
    torch.manual_seed(0)
    model = TranscribeNet(
        4, 4, Config(True, channels=4, hidden_size=4, layers=1, strides=(1,), dropout=0.0, attention=0.3)
    )
    batch = batched(rows())
    steps, lengths = model.encode(batch["features"], batch["lengths"])
    answer = model.answer(steps)
    own = ctc_loss(Fixed(), batch | {"features": answer, "lengths": lengths})
    assert model.attention_decoder is not None
    symbols, counts = padded([[1, 2], [3, 3, 1]])
    spelled = -model.attention_decoder(steps, lengths, symbols, counts).sum() / 5
    assert float(ctc_loss(model, batch).detach()) == pytest.approx(
        float((0.7 * own + 0.3 * spelled).detach()), rel=1e-5
    )
    ctc_loss(model, batch).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in model.parameters())
    model.eval()
    judged = ctc_loss(Fixed().eval(), batch | {"features": answer, "lengths": lengths})
    assert float(ctc_loss(model, batch).detach()) == pytest.approx(float(judged.detach()), rel=1e-5)


def test_the_best_path_is_collapsed() -> None:
    answer = torch.eye(4)[torch.tensor([[0, 1, 1, 0, 1, 3, 3, 2]])]
    assert best_path(answer, torch.tensor([8])) == [[1, 1, 3, 2]]
    assert best_path(answer, torch.tensor([3])) == [[1]]
    assert best_path(answer, torch.tensor([0])) == [[]]


def test_two_processes_share_out_the_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = read_manifest(write(tmp_path / "said", range(18)))
    config = Config.from_flat(SMALL | {"batch_size": 4, "steps": 2, "validate_every": 2, "devices": 2})
    codec, train, held, _ = prepare(said, config)
    draw = train.draw

    def told(epoch: int, index: int) -> Any:
        batch = draw(epoch, index)
        (tmp_path / f"{parallel.place()[0]}-{epoch}-{index}").write_text(str(batch["lengths"].tolist()))
        return batch

    monkeypatch.setattr(train, "draw", told)
    model = TranscribeNet(codec.inputs, len(codec.alphabet), replace(config, channels=4, hidden_size=4, layers=1))
    fitted = fit_corpus(model, train, held, config, RunFolder.create(tmp_path / "run", "transcribe"), True, False)
    assert fitted.steps == 2
    shown = {path.name: json.loads(path.read_text()) for path in tmp_path.glob("[01]-*")}
    assert {name[0] for name in shown} == {"0", "1"}
    # Two steps of two batches of four: the 16 recordings of the training part, each once.
    assert sorted(length for lengths in shown.values() for length in lengths) == [one.length for one in train.examples]
    assert all(torch.isfinite(p).all() for p in model.parameters())
