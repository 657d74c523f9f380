"""The loss by hand, which rows keep their state, and a fit that was cut off goes on to the same weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from gruworks import Generator
from gruworks.data.text import Document
from gruworks.errors import DataError
from gruworks.tasks.generate import fitting
from gruworks.tasks.generate.data import Batch
from gruworks.tasks.generate.fitting import text_loss
from gruworks.tasks.generate.model import LanguageNet
from tests.tasks.generate.conftest import TINY, prose


def batch(keep: list[bool], targets: list[list[int]] | None = None) -> Batch:
    tokens = torch.tensor([[1, 2], [3, 4]])
    given = tokens if targets is None else torch.tensor(targets)
    return {"tokens": tokens, "targets": given, "keep": torch.tensor(keep)}


@torch.no_grad()
def test_the_loss_is_the_mean_over_what_is_a_target() -> None:
    net = LanguageNet(6, 4, 1)
    one = batch([False, False], [[1, -1], [3, 4]])
    losses = torch.nn.functional.cross_entropy(
        net.scores(net(one["tokens"])[0]).transpose(1, 2), one["targets"].clamp(min=0), reduction="none"
    )
    expected = (losses[0, 0] + losses[1, 0] + losses[1, 1]) / 3
    torch.testing.assert_close(text_loss(net, one, None)[0], expected)


@torch.no_grad()
def test_a_lane_that_does_not_keep_starts_empty() -> None:
    net = LanguageNet(6, 4, 1)
    _, state = text_loss(net, batch([True, True]), None)
    fresh = text_loss(net, batch([False, False]), state)[1]["0.hidden"]
    kept = text_loss(net, batch([True, True]), state)[1]["0.hidden"]
    mixed = text_loss(net, batch([True, False]), state)[1]["0.hidden"]
    assert torch.equal(mixed, torch.stack([kept[0], fresh[1]]))
    assert not torch.equal(kept, fresh)


@pytest.mark.parametrize("between", ["none", "attention"])
def test_a_fit_that_was_cut_off_goes_on_to_the_same_weights(
    between: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {**TINY, "between": between, "window": 8, "weight_dropout": 0.2}
    text = [Document(prose())]
    whole = Generator(**settings).fit(text, quiet=True)
    steps = 0

    def interrupted(model: Any, batch: Any, state: Any) -> Any:
        nonlocal steps
        steps += model.training
        if steps == 25:
            raise KeyboardInterrupt
        return text_loss(model, batch, state)

    monkeypatch.setattr(fitting, "text_loss", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Generator(**settings).fit(text, out=tmp_path / "run", quiet=True)
    monkeypatch.setattr(fitting, "text_loss", text_loss)
    with pytest.raises(DataError, match="begun on other data"):
        Generator(**settings).fit([Document(prose() + "x")], out=tmp_path / "run", resume=True, quiet=True)
    resumed = Generator(**settings).fit(text, out=tmp_path / "run", resume=True, quiet=True)
    assert resumed.metrics["best_loss"] == whole.metrics["best_loss"]
    assert resumed.model is not None
    assert whole.model is not None
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[name]), name


def test_samples_on_the_way_change_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    quiet = Generator(**TINY).fit([Document(prose())], quiet=True)
    shown = Generator(**TINY).fit([Document(prose())], quiet=False)
    assert shown.metrics["best_loss"] == quiet.metrics["best_loss"]
    assert len(capsys.readouterr().err) > 4 * 100
