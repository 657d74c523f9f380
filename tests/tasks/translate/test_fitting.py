"""The loss: smoothing by hand, padding, sentences; a fit that was cut off goes on to the same weights."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
import torch

import gruworks.training.fit as fit_module
from gruworks import Translator
from gruworks.errors import DataError, OptionError
from gruworks.tasks.translate.data import padded
from gruworks.tasks.translate.decoding import log_probability
from gruworks.tasks.translate.fitting import translation_loss
from tests.tasks.translate.conftest import SHORT, TINY, toy


@torch.no_grad()
def test_the_loss_is_the_mean_over_the_symbols_that_are_there(trained: Translator) -> None:
    batch = padded([[5, 6], [7]], [[8, 9, 10], [11]])
    losses = -log_probability(trained.net, batch)
    assert float(translation_loss(trained.net, batch)) == pytest.approx(float(losses.sum()) / 6, rel=1e-5)
    alone = -log_probability(trained.net, padded([[7]], [[11]]))
    assert float(losses[1]) == pytest.approx(float(alone[0]), rel=1e-5)


def test_smoothing_is_in_training_alone_and_spreads_probability(trained: Translator) -> None:
    batch = padded([[5, 6]], [[8, 9]])
    assert torch.equal(translation_loss(trained.net, batch, 0.3), translation_loss(trained.net, batch))
    net = Translator(**SHORT | {"dropout": 0.0, "word_dropout": 0.0}).fit(toy(1), quiet=True).net.train()
    with torch.no_grad():
        features, _ = net.read(net.encode(batch["source"], batch["source_lengths"]), batch["target"][:, :-1])
        logs = net.scores(features[:, 0]).log_softmax(-1)
        plain = -logs.gather(1, batch["target"][0, 1:, None]).mean()
        expected = 0.7 * plain - 0.3 * logs.mean()
        assert float(translation_loss(net, batch, 0.3)) == pytest.approx(float(expected), rel=1e-5)


def test_a_fit_is_the_same_twice() -> None:
    one, other = (Translator(**SHORT).fit(toy(2), quiet=True) for _ in range(2))
    weights = zip(one.net.state_dict().values(), other.net.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)


def test_a_fit_that_was_cut_off_goes_on_to_the_same_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Translator(**SHORT).fit(toy(2), out=tmp_path / "whole", quiet=True)
    drawn = []

    class CutError(Exception):
        pass

    original = fit_module._Drawn.__getitem__

    def interrupted(self: fit_module._Drawn, place: tuple[int, int]) -> object:
        drawn.append(place)
        if place == (1, 1):
            raise CutError
        return original(self, place)

    with monkeypatch.context() as patched, contextlib.suppress(CutError):
        patched.setattr(fit_module._Drawn, "__getitem__", interrupted)
        Translator(**SHORT).fit(toy(2), out=tmp_path / "cut", quiet=True)
    assert drawn[-1] == (1, 1)
    resumed = Translator(**SHORT).fit(toy(2), out=tmp_path / "cut", resume=True, quiet=True)
    weights = zip(whole.net.state_dict().values(), resumed.net.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in weights)
    with pytest.raises(DataError, match="was begun on other data"):
        Translator(**SHORT).fit(toy(3), out=tmp_path / "cut", resume=True, quiet=True)
    with pytest.raises(OptionError, match="was begun with other settings"):
        Translator(**TINY).fit(toy(2), out=tmp_path / "cut", resume=True, quiet=True)
