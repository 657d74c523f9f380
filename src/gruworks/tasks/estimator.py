"""Base class of the tasks' estimators: settings, `fit`, saving to and loading from run folders."""

from __future__ import annotations

import abc
import contextlib
import shutil
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy
import safetensors.numpy
import torch

from gruworks.errors import (
    DataError,
    MissingExtraError,
    NotFittedError,
    OptionError,
    RunError,
    WeightsError,
    WriteError,
)
from gruworks.plots.curves import draw_losses
from gruworks.settings import Settings, listed
from gruworks.tasks.signatures import sign
from gruworks.training.checked import Check, maybe, named, number
from gruworks.training.minutes import Minutes
from gruworks.training.packing import unpack
from gruworks.training.parallel import follows
from gruworks.training.runs import RunFolder, json_bytes, write_atomically
from gruworks.training.skeleton import check_weights, enlarge, planned, uninitialised

__all__ = ["Estimator", "data_facts"]

LARGEST_WEIGHT = 1e6  # far beyond those of trained networks; products of larger ones overflow
FINE_TUNED = 0.3  # learning rate of a continued fit, relative to the first one's
METRICS = named({"best_loss": maybe(number())}, others=True)  # the others are only displayed


class Estimator(abc.ABC):
    """Base of `Forecaster`, `Generator`, `Transcriber` and `Translator`, which implement its abstract methods."""

    task: ClassVar[str]
    config_class: ClassVar[type[Settings]]
    codec_check: ClassVar[Check]  # of the values in codec/codec.json

    def __init_subclass__(cls, **keywords: Any) -> None:
        """List the settings of a task in the signature and docstring of its class."""
        super().__init_subclass__(**keywords)
        if {"config_class", "__init__"} <= set(vars(cls)):
            cls.__doc__ = listed(cls.__doc__ or "", cls.config_class.described())
            sign(cls.__init__, cls.config_class)

    def __init__(self, config: Settings | None = None, **settings: Any) -> None:
        """Settings by name (`Forecaster(horizon=14, seed=1)`) or as one `config` object, not both."""
        if config is not None and settings:
            raise OptionError("give a config or single settings, not both")
        self.config: Any = config or self.config_class.from_flat(settings)
        self.codec: Any = None  # before `fit` and `load`
        self.model: torch.nn.Module | None = None
        self.metrics: dict[str, Any] = {}
        self.begun: float | None = None  # time.monotonic() at which the command of the next fit began

    def fit(
        self,
        data: Any,
        validation: Any = None,
        *,
        out: Path | str | None = None,
        resume: bool = False,
        quiet: bool | None = None,
    ) -> Self:
        """Fit to `data`. If an exception is raised, Ctrl-C included, this object is unchanged.

        Args:
            data: the path of a file or folder, or Python objects, as the class describes.
            validation: data to validate on; by default a part of `data` is held out.
            out: the run folder to write; without it everything stays in memory (see `save`).
            resume: continue from the last checkpoint in `out`, with the settings and data of that run.
            quiet: True for no progress bar; by default there is one on a terminal.

        Returns:
            This object, fitted.

        Raises:
            DataError, TooShortError: what is wrong with the data and where.
            RunError: `out` is taken, or there is nothing to resume.
            WriteError: the run can't be written.
        """
        return self._fit(type(self)(self.config), data, validation, out, resume, quiet)

    def continue_fit(
        self, data: Any, validation: Any = None, *, out: Path | str | None = None, quiet: bool | None = None,
        **training: Any,
    ) -> Self:  # fmt: skip
        """Fit further on new data, from the present weights (fine-tuning); the vocabulary grows by what is new in it.

        Args:
            data, validation: as in `fit`.
            out: the run folder to write.
            quiet: True for no progress bar.
            **training: training settings, such as `minutes`; the learning rate is a third of the first fit's.

        Returns:
            This object, fitted to the new data.

        Raises:
            NotFittedError: called before `fit` or `load`.
            OptionError: an unknown training setting.
        """
        self._need_fit()
        old = self.config.training
        again = {"learning_rate": old.learning_rate * FINE_TUNED, "batch_size": old.batch_size}
        trial = type(self)(replace(self.config, training=type(old).from_flat(again | training)))
        trial._take(*self._give())
        trial.model = self.model
        return self._fit(trial, data, validation, out, False, quiet, continued=True)

    def _fit(
        self, trial: Self, data: Any, validation: Any, out: Path | str | None, resume: bool, quiet: bool | None,
        continued: bool = False,
    ) -> Self:  # fmt: skip
        """Read, prepare and train in `trial`, and take over its state once the whole run is written."""
        trial.begun = time.monotonic() if self.begun is None else self.begun
        self.begun = None
        continued = trial._go_on(out) if resume else continued
        read, facts = trial._read_data(data, validation)
        prepared = trial._prepare(read)  # errors in the data are raised before a run folder is made
        with trial._run(out, resume, facts) as run:
            if continued:
                run.note(continued=True)
            if run.facts["state"] == "fitting":
                for name, content in trial._parts().items():
                    write_atomically(run.path / name, content)
            trial._learn(prepared, run, quiet if quiet is not None else not sys.stderr.isatty(), resume)
            if out is not None:
                _draw_losses(run)
            trial._write(run)
        trial.begun = None
        self.__dict__ = trial.__dict__
        return self

    def _go_on(self, out: Path | str | None) -> bool:
        """Take what a run to resume had chosen: settings by its minutes, and the vocabulary of a continued fit."""
        if out is None:
            return False
        run = RunFolder.open(out, self.task, resume=True)
        saved, continued = self._config_of(run), bool(run.facts.get("continued"))
        if self.config.suggested(**saved.flat()) == saved:
            self.config = saved
        if continued:
            self._take(run.read_json("codec/codec.json"), run.read_arrays("context.safetensors"))
        return continued

    def _minutes(self, reserve: float = 0.0) -> Minutes:
        """The wall time of the fit, of which `reserve` is the fraction for what follows the training."""
        seconds = self.config.training.minutes * 60
        begun = time.monotonic() if self.begun is None else self.begun
        return Minutes(seconds, begun, reserve * seconds)

    def _first_model(self) -> Any:
        """The network of a fit: with initial weights, or in a continued fit with the present ones."""
        new = self._new_model()
        if new is not None and self.model is not None:
            enlarge(new, self.model.state_dict())
        return new

    def save(self, path: Path | str) -> Path:
        """Write a run folder, which `load` reads.

        Args:
            path: of a folder that is absent or empty.

        Returns:
            The path.

        Raises:
            NotFittedError: called before `fit` or `load`.
            RunError: something else is at `path`.
            WriteError: the folder can't be written.
        """
        self._need_fit()
        run = RunFolder.create(Path(path), self.task)
        self._write(run)
        return run.path

    def export(self, path: Path | str, to: str = "onnx") -> dict[str, float]:
        """Write the model as ONNX graphs and `model.json` to the folder `path`; see `tasks.exporting.export`."""
        from gruworks.tasks.exporting import export

        return export(self, path, to)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Load a fitted estimator from a run folder; nothing in the folder is executed.

        After an interrupted fit it has the best weights so far, and a warning is issued.

        Args:
            path: of a run folder.

        Returns:
            A fitted estimator with the settings of the run.

        Raises:
            RunError: no run folder, one of another task, or a damaged file.
        """
        run = RunFolder.open(path, cls.task)
        loaded = cls(cls._config_of(run))
        with _fitting_together(run.path):
            codec = run.read_json("codec/codec.json")
            cls.codec_check(codec, "codec/codec.json: ")
            loaded._take(codec, run.read_arrays("context.safetensors"))
            loaded.metrics |= run.read_json("metrics.json")
            METRICS(loaded.metrics, f"{run.path / 'metrics.json'} is damaged: ")
            loaded.model = loaded._load_model(run)
            interrupted = run.facts["state"] == "fitting" and loaded.metrics.get("ended_by") == "interrupted"
            if interrupted:
                loaded._judge()
        if interrupted:
            told = f"these are its best weights so far, of step {loaded.metrics.get('best_step')}"
            warnings.warn(f"the fit of {path} was interrupted: {told}; continue it with resume", stacklevel=2)
        return loaded

    @classmethod
    def _config_of(cls, run: RunFolder) -> Settings:
        try:
            return cls.config_class.from_dict(run.read_json("config.json"))
        except OptionError as error:
            raise RunError(f"{run.path / 'config.json'} is damaged: {error}") from error

    def _write(self, run: RunFolder) -> None:
        """Write all files that `load` reads, run.json last, so that a run in the state "fitted" is complete."""
        weights = {} if self.model is None else {name: t.numpy() for name, t in self.model.state_dict().items()}
        run.finish(
            self._parts()
            | {"weights.safetensors": safetensors.numpy.save(weights), "metrics.json": json_bytes(self.metrics)}
        )

    def _parts(self) -> dict[str, bytes]:
        """The files that a fit writes before training."""
        codec, context = self._give()
        return {
            "config.json": json_bytes(self.config.to_dict()),
            "codec/codec.json": json_bytes(codec),
            "context.safetensors": safetensors.numpy.save(context),
        }

    def _load_model(self, run: RunFolder) -> torch.nn.Module | None:
        """The network, built after its shapes are compared with those of the weights."""
        file = run.path / "weights.safetensors"
        packed = run.read_arrays("weights.safetensors")
        with planned():
            plan = self._new_model()
        if plan is None:
            return None
        try:
            weights = unpack(packed)
            check_weights(weights, plan)
        except WeightsError as error:
            raise RunError(f"{file} doesn't fit config.json: {error}") from error
        for name, array in weights.items():
            if not (numpy.abs(array) <= LARGEST_WEIGHT).all():
                told = f"{name} holds values that are no numbers or beyond {LARGEST_WEIGHT:g}"
                raise RunError(f"{file} is damaged: {told}")
        with uninitialised():
            model = self._new_model()
        assert model is not None
        model.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in weights.items()})
        return model.eval()

    @abc.abstractmethod
    def _read_data(self, data: Any, validation: Any) -> tuple[Any, dict[str, Any]]:
        """Read and check the data of a fit; also return its `data_facts`."""

    @abc.abstractmethod
    def _prepare(self, read: Any) -> Any:
        """Set the codec from the data, and return the input of `_learn`."""

    @abc.abstractmethod
    def _learn(self, prepared: Any, run: RunFolder, quiet: bool, resume: bool) -> None:
        """Train: set model and metrics, with checkpoints in `run`."""

    def _judge(self) -> None:  # noqa: B027
        """Set attributes that are computed from the weights and the validation data; none by default."""

    @abc.abstractmethod
    def _new_model(self) -> torch.nn.Module | None:
        """A network of this configuration with initial weights; None for a run without a network."""

    @abc.abstractmethod
    def _give(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the codec (JSON values) and the context (arrays by name)."""

    @abc.abstractmethod
    def _take(self, codec: dict[str, Any], context: dict[str, Any]) -> None:
        """Set attributes from the codec and the context of `_give`."""

    @property
    def fitted(self) -> bool:
        """True after `fit` or `load`."""
        return self.codec is not None

    def _need_fit(self) -> None:
        if not self.fitted:
            raise NotFittedError(f"this {type(self).__name__} is not fitted: call fit(...) or load a run first")

    @contextlib.contextmanager
    def _run(self, out: Path | str | None, resume: bool, data: dict[str, Any]) -> Iterator[RunFolder]:
        """The run folder of a fit: `out`, or a temporary one that is deleted afterwards.

        A new folder without a checkpoint is deleted when the fit fails.
        """
        if resume:
            yield self._begun(out, data)
        elif out is None or follows():
            with tempfile.TemporaryDirectory(prefix="gruworks-") as folder:
                yield RunFolder.create(Path(folder) / "run", self.task, data=data)
        else:
            run = RunFolder(Path(out), {})
            try:
                run = RunFolder.create(run.path, self.task, data=data)
                yield run
            except BaseException as error:
                made = bool(run.facts) or isinstance(error, WriteError)
                if made and not run.last_checkpoint.is_file():
                    shutil.rmtree(run.path, ignore_errors=True)
                raise

    def _begun(self, out: Path | str | None, data: dict[str, Any]) -> RunFolder:
        """The run to resume, which must have these settings and data."""
        if out is None:
            raise OptionError("resume needs the run folder to go on from: out=...")
        run = RunFolder.open(out, self.task, resume=True)
        # as settings: a run that was begun before a setting came to be has its default
        if self._config_of(run) != self.config:
            raise OptionError(f"{run.path} was begun with other settings: resume needs those of its config.json")
        if (run.facts.get("data") or {}).get("sha256") != data["sha256"]:
            raise DataError(f"{run.path} was begun on other data: resume needs the same")
        return run


def data_facts(sha256: str, rows: int) -> dict[str, Any]:
    """The entry `data` of run.json."""
    return {"sha256": sha256, "rows": rows, "licence": None}


@contextlib.contextmanager
def _fitting_together(path: Path) -> Iterator[None]:
    """Convert exceptions about inconsistent parts of a run to a RunError.

    Each value has been checked by its description; what remains are exceptions of any type from libraries (pandas,
    tokenizers, torch).
    """
    try:
        yield
    except (MissingExtraError, MemoryError):
        raise
    except RunError as error:
        if str(path) in str(error):
            raise
        raise RunError(f"{path} is damaged: {error}") from error
    except Exception as error:
        raise RunError(f"{path} is damaged: its parts don't fit together ({error!r:.500})") from error


def _draw_losses(run: RunFolder) -> None:
    """Draw the loss curve of a fit; a fit is not lost with its picture."""
    if (run.path / "curve.json").is_file():
        with contextlib.suppress(MissingExtraError, DataError):
            draw_losses(run.read_json("curve.json"), run.path / "curve.png")
