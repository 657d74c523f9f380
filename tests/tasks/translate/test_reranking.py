"""N-best lists ranked anew: tuned on pairs, kept as JSON, and by a run of the other direction."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gruworks import Translator
from gruworks.errors import OptionError, RunError
from gruworks.tasks.translate.config import Options
from gruworks.tasks.translate.reranking import Reranker
from tests.tasks.translate.conftest import SHORT, toy

OPTIONS = Options(n_best=4)
LINES = ["eine kleine Katze rennt .", "", "Hund singt ."]


@pytest.fixture(scope="module")
def runs(trained: Translator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs: one that has learnt, one hardly, and one of the other direction."""
    folder = tmp_path_factory.mktemp("runs")
    trained.save(folder / "good")
    Translator(**SHORT).fit(toy(1), quiet=True, out=folder / "poor")
    turned = [(target, source) for source, target in toy(1)]
    Translator(**SHORT | {"source": "en", "target": "de"}).fit(turned, quiet=True, out=folder / "back")
    return folder


def test_a_good_judge_mends_the_lists_of_a_poor_writer(runs: Path, tmp_path: Path) -> None:
    reranker = Reranker(runs / "poor", [runs / "good"], OPTIONS).tune(toy(1))
    assert reranker.tuned is not None
    assert reranker.tuned.after > reranker.tuned.before
    kept = Reranker.load(reranker.save(tmp_path / "reranker.json"))
    assert kept.weights == reranker.weights
    answers = kept.translate(LINES)
    assert answers == reranker.translate(LINES)
    assert answers[1] == ""


def test_features_are_the_runs_scores_and_the_length(runs: Path) -> None:
    reranker = Reranker(runs / "good", [runs / "poor", runs / "back"], OPTIONS)
    good, poor, back = (Translator.load(runs / name) for name in ("good", "poor", "back"))
    assert reranker.features == [
        f"log p(en | de) by {runs / 'good'}",
        f"log p(en | de) by {runs / 'poor'}",
        f"log p(de | en) by {runs / 'back'}",
        "subwords",
    ]
    found = good.n_best([LINES[0]], options=Options(n_best=4, beam_size=5))
    (candidates,) = reranker._candidates([LINES[0]], found)
    for one, answer in zip(candidates, found[0], strict=True):
        assert one.text == answer.text
        assert one.features[0] == answer.log_probability
        assert one.features[1] == pytest.approx(poor.score([(LINES[0], one.text)])[0])
        assert one.features[2] == pytest.approx(back.score([(one.text, LINES[0])])[0])
        assert one.features[3] == len(good.codec.target.encode(one.text))  # type: ignore[union-attr]


def test_what_cannot_be_ranked_is_said(runs: Path, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="needs at least one more run"):
        Reranker(runs / "good", [], OPTIONS)
    with pytest.raises(OptionError, match="features are not set"):
        Reranker(runs / "good", [runs / "poor"], OPTIONS).translate(LINES)
    Translator(**SHORT | {"source": "fr"}).fit(toy(1), quiet=True, out=tmp_path / "other")
    with pytest.raises(OptionError, match=r"translates fr to en: expected de to en, as .*, or the opposite"):
        Reranker(runs / "good", [tmp_path / "other"], OPTIONS)


def test_a_file_that_is_none_is_said(runs: Path, tmp_path: Path) -> None:
    path = tmp_path / "reranker.json"
    with pytest.raises(RunError, match=r"is no file that .* wrote: .* nothing is there"):
        Reranker.load(path)
    path.write_text("{}")
    with pytest.raises(RunError, match="is no file that `gruworks translate tune` wrote"):
        Reranker.load(path)
    reranker = Reranker(runs / "good", [runs / "poor"], OPTIONS)
    reranker.weights = (1.0, 0.5, 0.0)
    values = json.loads(reranker.save(path).read_text())
    path.write_text(json.dumps(values | {"format": 99}))
    with pytest.raises(RunError, match="format must be one of 1, not 99"):
        Reranker.load(path)
    path.write_text(json.dumps(values | {"weights": [1.0]}))
    with pytest.raises(RunError, match="1 weights for 3 features"):
        Reranker.load(path)
