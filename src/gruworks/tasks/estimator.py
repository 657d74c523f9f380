"""What the four tasks' public classes share: settings first, then data; a run folder out and in again."""

from __future__ import annotations

import abc
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy
import safetensors.numpy
import torch

from gruworks.errors import MissingExtraError, NotFittedError, OptionError, RunError, WeightsError
from gruworks.settings import Settings, listed
from gruworks.tasks.signatures import sign
from gruworks.training.checked import Check, maybe, named, number
from gruworks.training.packing import unpack
from gruworks.training.parallel import follows
from gruworks.training.runs import RunFolder, json_bytes
from gruworks.training.skeleton import check_weights, planned, uninitialised

__all__ = ["Estimator"]

LARGEST_WEIGHT = 1e6  # no trained network comes near it, and products of larger ones soon overflow
METRICS = named({"best_loss": maybe(number())}, others=True)  # what answers are made with; the rest is only shown


class Estimator(abc.ABC):
    """Base of Forecaster and its siblings. A subclass names its task and settings and gives and takes its parts."""

    task: ClassVar[str]
    config_class: ClassVar[type[Settings]]
    codec_check: ClassVar[Check]  # what codec/codec.json may hold

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
        self.model: torch.nn.Module | None = None
        self.metrics: dict[str, Any] = {}

    def save(self, path: Path | str) -> Path:
        """Write a run folder at `path`, which must not exist or be empty."""
        self._need_fit()
        run = RunFolder.create(Path(path), self.task)
        self._write(run)
        return run.path

    def export(self, path: Path | str, to: str = "onnx") -> dict[str, float]:
        """Write the model as ONNX graphs and `model.json` into a folder at `path`: see `tasks.exporting.export`."""
        from gruworks.tasks.exporting import export

        return export(self, path, to)

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """The estimator that a run folder holds. Nothing in the folder is executed."""
        run = RunFolder.open(path, cls.task)
        loaded = cls(cls._config_of(run))
        with _fitting_together(run.path):
            codec = run.read_json("codec/codec.json")
            cls.codec_check(codec, "codec/codec.json: ")
            loaded._take(codec, run.read_arrays("context.safetensors"))
            loaded.model = loaded._load_model(run)
        loaded.metrics = run.read_json("metrics.json")
        METRICS(loaded.metrics, f"{run.path / 'metrics.json'} is damaged: ")
        return loaded

    @classmethod
    def _config_of(cls, run: RunFolder) -> Settings:
        try:
            return cls.config_class.from_dict(run.read_json("config.json"))
        except OptionError as error:
            raise RunError(f"{run.path / 'config.json'} is damaged: {error}") from error

    def _write(self, run: RunFolder) -> None:
        """Everything that `load` reads; run.json last, so that a run that says "fitted" is whole."""
        codec, context = self._give()
        weights = {} if self.model is None else {name: t.numpy() for name, t in self.model.state_dict().items()}
        run.finish(
            {
                "config.json": json_bytes(self.config.to_dict()),
                "codec/codec.json": json_bytes(codec),
                "context.safetensors": safetensors.numpy.save(context),
                "weights.safetensors": safetensors.numpy.save(weights),
                "metrics.json": json_bytes(self.metrics),
            }
        )

    def _load_model(self, run: RunFolder) -> torch.nn.Module | None:
        """The network, built once its shapes are known to be those of the weights."""
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
    def _new_model(self) -> torch.nn.Module | None:
        """A network of this configuration, before its weights are loaded; None where there is none to load."""

    @abc.abstractmethod
    def _give(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The codec (JSON) and the context (arrays by name)."""

    @abc.abstractmethod
    def _take(self, codec: dict[str, Any], context: dict[str, Any]) -> None:
        """The reverse of `_give`."""

    @property
    @abc.abstractmethod
    def fitted(self) -> bool:
        """Whether `fit` or `load` has been done."""

    def _need_fit(self) -> None:
        if not self.fitted:
            raise NotFittedError(f"this {type(self).__name__} is not fitted: call fit(...) or load a run first")

    @contextlib.contextmanager
    def _run(self, out: Path | str | None, resume: bool, **facts: Any) -> Iterator[RunFolder]:
        """The run folder of a fit: at `out`, or a temporary one that is gone afterwards."""
        if resume:
            if out is None:
                raise OptionError("resume needs the run folder to go on from: out=...")
            run = RunFolder.open(out, self.task)
            # as settings: a run that was begun before a setting came to be has its default
            if self._config_of(run) != self.config:
                raise OptionError(f"{run.path} was begun with other settings: resume needs those of its config.json")
            yield run
        elif out is not None and not follows():
            run = RunFolder.create(Path(out), self.task, **facts)
            run.write_json("config.json", self.config.to_dict())
            yield run
        else:
            with tempfile.TemporaryDirectory(prefix="gruworks-") as folder:
                yield RunFolder.create(Path(folder) / "run", self.task, **facts)


@contextlib.contextmanager
def _fitting_together(path: Path) -> Iterator[None]:
    """Turn what parts of a run raise that don't fit together into a RunError.

    Descriptions check every value; what is left is what libraries (pandas, tokenizers, torch) find in them, and they
    raise what they like.
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
