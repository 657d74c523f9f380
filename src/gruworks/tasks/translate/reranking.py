"""N-best lists of one run, ranked anew by what other runs think of them; kept as a JSON file that names the runs."""

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
from gruworks.tasks.translate.evaluation import tokenizer_for
from gruworks.tasks.translate.reading import Pairs, read
from gruworks.tasks.translate.rescoring import Candidate, Rescorer
from gruworks.training.runs import write_atomically

__all__ = ["Reranker", "Tuned"]

FORMAT = 1


@dataclass(frozen=True)
class Tuned:
    """BLEU on the pairs that the weights were tuned on: of each list's first answer, and of the one chosen now."""

    before: float
    after: float


@dataclass
class Reranker:
    """A run that writes n-best lists, and the runs whose scores choose among them.

    An answer's features are log p(target | source) by the writing run, the same by each other run, and the number of
    its subwords. A run of the opposite direction counts too: it gives log p(source | target), as in a noisy channel.

    Args:
        writer, judges: folders of runs. options: of the search; `n_best` of its answers are ranked.
    """

    writer: Path
    judges: Sequence[Path]
    options: Options = field(default_factory=lambda: Options(n_best=20, beam_size=20))
    weights: tuple[float, ...] = ()
    tuned: Tuned | None = None

    def __post_init__(self) -> None:
        if not self.judges:
            raise OptionError("ranking anew needs at least one more run, whose scores choose")
        wide = max(self.options.beam_size, self.options.n_best)
        self.options = replace(self.options, beam_size=wide)
        self.translator = Translator.load(self.writer)
        self.others = [Translator.load(judge) for judge in self.judges]
        self.backwards = [self._direction(path, one) for path, one in zip(self.judges, self.others, strict=True)]

    @property
    def features(self) -> list[str]:
        """Their names, in the weights' order."""
        ours = self.translator.config
        forth, back = f"log p({ours.target} | {ours.source})", f"log p({ours.source} | {ours.target})"
        named = [f"{back if b else forth} by {j}" for j, b in zip(self.judges, self.backwards, strict=True)]
        return [f"{forth} by {self.writer}", *named, "subwords"]

    def tune(self, data: Any, tokenize: str = "auto") -> Self:
        """Find the weights that give these pairs the best BLEU. They must be pairs that no run was fitted on."""
        pairs = read(data, self.translator.config.source, self.translator.config.target)
        pairs = pairs.at([i for i in range(len(pairs)) if pairs.sources[i] and pairs.targets[i]])
        how = tokenizer_for(pairs.targets) if tokenize == "auto" else tokenize
        found = self.translator.n_best(pairs.sources, options=self.options)
        lists = self._candidates(pairs.sources, found)
        rescorer = Rescorer.tune(lists, pairs.targets, how)
        answers = [answers[0].text for answers in found], rescorer.choose(lists)
        bleu = sacrebleu.BLEU(tokenize=how, force=True)
        self.weights = rescorer.weights
        self.tuned = Tuned(*(float(bleu.corpus_score(one, [pairs.targets]).score) for one in answers))
        return self

    def translate(self, lines: Sequence[str]) -> list[str]:
        """The best answer of each line by the tuned weights; an empty line stays empty."""
        if not self.weights:
            raise OptionError("the weights are not tuned: call tune(pairs) first")
        found = self.translator.n_best(lines, options=self.options)
        full = [i for i, line in enumerate(lines) if line.strip()]
        lists = self._candidates([lines[i] for i in full], [found[i] for i in full])
        texts = [answers[0].text for answers in found]
        for i, text in zip(full, Rescorer(self.weights).choose(lists), strict=True):
            texts[i] = text
        return texts

    def save(self, path: Path) -> Path:
        """Runs, options and weights as JSON; runs are named by their paths from where one stands."""
        values = {
            "format": FORMAT,
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
        """The file that `save` wrote.

        Raises:
            RunError: the file is not there or damaged, or one of its runs is.
        """
        try:
            values = read_json(path.read_bytes(), error=RunError, name=str(path))
            if values["format"] != FORMAT:
                raise RunError(f"{path} has format {values['format']!r}; this version reads format {FORMAT}")
            weights = tuple(float(weight) for weight in values["weights"])
            judges = [Path(judge) for judge in values["judges"]]
            loaded = cls(Path(values["writer"]), judges, Options.from_dict(values["options"]), weights)
        except RunError:
            raise
        except OSError as error:
            raise RunError(
                f"can't read {path}: {error.strerror or error}; `gruworks translate tune` makes one"
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunError(f"{path} is no file that `gruworks translate tune` wrote: {error!r}") from error
        if len(weights) != len(loaded.features):
            raise RunError(f"{path} is damaged: {len(weights)} weights for {len(loaded.features)} features")
        return loaded

    def _direction(self, path: Path, judge: Translator) -> bool:
        """True where a run translates the other way."""
        ours, theirs = self.translator.config, judge.config
        way = (theirs.source, theirs.target)
        if way == (ours.target, ours.source) and way != (ours.source, ours.target):
            return True
        if way != (ours.source, ours.target):
            raise OptionError(
                f"{path} translates {theirs.source} to {theirs.target}: expected {ours.source} to {ours.target}, as "
                f"{self.writer}, or the opposite"
            )
        return False

    def _candidates(self, lines: Sequence[str], found: list[list[Translation]]) -> list[list[Candidate]]:
        flat = [(line, one) for line, answers in zip(lines, found, strict=True) for one in answers]
        sources, targets = [line for line, _ in flat], [one.text for _, one in flat]
        columns = [[one.log_probability for _, one in flat]]
        for judge, backwards in zip(self.others, self.backwards, strict=True):
            columns.append(judge.score(Pairs(targets, sources) if backwards else Pairs(sources, targets)))
        assert self.translator.codec is not None
        columns.append([float(len(ids)) for ids in self.translator.codec.target.encode_all(targets)])
        rows = iter(
            Candidate(text, features) for text, features in zip(targets, zip(*columns, strict=True), strict=True)
        )
        return [[next(rows) for _ in answers] for answers in found]
