"""Reranking of n-best lists by the scores of several runs; weights and runs are saved as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import sacrebleu

from gruworks.errors import OptionError, RunError
from gruworks.files import read_json
from gruworks.tasks.translate.config import Options
from gruworks.tasks.translate.decoding import Translation
from gruworks.tasks.translate.estimator import Translator
from gruworks.tasks.translate.reading import Pairs, read
from gruworks.tasks.translate.rescoring import Candidate, Rescorer
from gruworks.training.checked import choice, items, number, record, string, value
from gruworks.training.runs import write_atomically

__all__ = ["Reranker", "Tuned"]

FILE = record(
    format=choice(1), writer=string(), judges=items(string(), least=1), options=value, features=items(string()),
    weights=items(number()), bleu=value,
)  # fmt: skip


@dataclass(frozen=True)
class Tuned:
    """BLEU on the tuning pairs before and after reranking."""

    before: float
    after: float


@dataclass
class Reranker:
    """Log-linear reranking of the n-best lists of one run by the scores of other runs.

    The features of a translation are log p(target | source) by the first run and by each other run, and its number of
    subwords. A run of the opposite direction contributes log p(source | target), as in a noisy-channel model.

    Args:
        writer: folder of the run that generates the n-best lists.
        judges: folders of the other runs.
        options: options of the search, with the size `n_best` of the lists.
        weights: one for each of `features`; empty before `tune`.
        tuned: BLEU on the tuning pairs; None before `tune`.

    Raises:
        OptionError: no other run, or one for another pair of languages.
    """

    writer: Path
    judges: Sequence[Path]
    options: Options = field(default_factory=lambda: Options(n_best=20, beam_size=20))
    weights: tuple[float, ...] = ()
    tuned: Tuned | None = None

    def __post_init__(self) -> None:
        if not self.judges:
            raise OptionError("reranking needs at least one more run, whose scores are combined")
        self.options = replace(self.options, beam_size=max(self.options.beam_size, self.options.n_best))
        self.translator = Translator.load(self.writer)
        self.others = [Translator.load(judge) for judge in self.judges]
        self.backwards = [self._direction(path, one) for path, one in zip(self.judges, self.others, strict=True)]

    @property
    def features(self) -> list[str]:
        """Names of the features, in the order of the weights."""
        ours = self.translator.config
        forth, back = f"log p({ours.target} | {ours.source})", f"log p({ours.source} | {ours.target})"
        named = [f"{back if b else forth} by {j}" for j, b in zip(self.judges, self.backwards, strict=True)]
        return [f"{forth} by {self.writer}", *named, "subwords"]

    def tune(self, data: Any, tokenize: str = "auto") -> Self:
        """Search the weights with the best BLEU on these pairs, which must not be in the training data of any run."""
        pairs = read(data, self.translator.config.source, self.translator.config.target).complete()
        how = self.translator.tokenizer if tokenize == "auto" else tokenize
        found = self.translator.n_best(pairs.sources, options=self.options)
        lists = self._candidates(pairs.sources, found)
        rescorer = Rescorer.tune(lists, pairs.targets, how)
        answers = [answers[0].text for answers in found], rescorer.choose(lists)
        bleu = sacrebleu.BLEU(tokenize=how, force=True)
        self.weights = rescorer.weights
        self.tuned = Tuned(*(float(bleu.corpus_score(one, [pairs.targets]).score) for one in answers))
        return self

    def translate(self, lines: Sequence[str]) -> list[str]:
        """Translate lines, each as the best of its n-best list by the tuned weights; an empty line stays empty."""
        if not self.weights:
            raise OptionError(
                "the weights of the reranking features are not set: call tune(pairs) with validation pairs first"
            )
        found = self.translator.n_best(lines, options=self.options)
        full = [i for i, line in enumerate(lines) if line.strip()]
        lists = self._candidates([lines[i] for i in full], [found[i] for i in full])
        texts = [answers[0].text for answers in found]
        for i, text in zip(full, Rescorer(self.weights).choose(lists), strict=True):
            texts[i] = text
        return texts

    def save(self, path: Path) -> Path:
        """Write runs, options and weights as JSON; paths of runs are relative to the working directory."""
        values = {
            "format": 1,
            "writer": str(self.writer),
            "judges": [str(judge) for judge in self.judges],
            "options": self.options.to_dict(),
            "features": self.features,
            "weights": list(self.weights),
            "bleu": None if self.tuned is None else vars(self.tuned),
        }
        write_atomically(path, (json.dumps(values, indent=2, ensure_ascii=False) + "\n").encode())
        return path

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file that `save` wrote, and load its runs.

        Raises:
            RunError: the file or one of its runs is missing or damaged.
        """
        try:
            values = read_json(path, error=RunError)
            FILE(values, f"{path}: ")
            options = Options.from_dict(values["options"])
        except (RunError, OptionError) as error:
            raise RunError(f"{path} is no file that `gruworks translate tune` wrote: {error}") from error
        loaded = cls(Path(values["writer"]), [*map(Path, values["judges"])], options, (*map(float, values["weights"]),))
        if len(loaded.weights) != len(loaded.features):
            raise RunError(f"{path} is damaged: {len(loaded.weights)} weights for {len(loaded.features)} features")
        return loaded

    def _direction(self, path: Path, judge: Translator) -> bool:
        """True if a run translates in the opposite direction."""
        ours, theirs = self.translator.config, judge.config
        forth, way = (ours.source, ours.target), (theirs.source, theirs.target)
        if way not in (forth, forth[::-1]):
            raise OptionError(
                f"{path} translates {theirs.source} to {theirs.target}: expected {ours.source} to {ours.target}, as "
                f"{self.writer}, or the opposite"
            )
        return way != forth

    def _candidates(self, lines: Sequence[str], found: list[list[Translation]]) -> list[list[Candidate]]:
        flat = [(line, one) for line, answers in zip(lines, found, strict=True) for one in answers]
        sources, targets = [line for line, _ in flat], [one.text for _, one in flat]
        columns = [[one.log_probability for _, one in flat]]
        for judge, backwards in zip(self.others, self.backwards, strict=True):
            columns.append(judge.score(Pairs(targets, sources) if backwards else Pairs(sources, targets)))
        columns.append([float(len(ids)) for ids in self.translator.codec.target.encode_all(targets)])
        rows = map(Candidate, targets, zip(*columns, strict=True))
        return [[next(rows) for _ in answers] for answers in found]
