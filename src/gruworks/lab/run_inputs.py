"""Inputs of the first GRU of a trained run, given its own data, a text or a recording."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import torch
from torch import Tensor

from gruworks.errors import OptionError, RunError
from gruworks.nn.gru import GRU
from gruworks.tasks import registry
from gruworks.training.runs import RunFolder

__all__ = ["RunInputs", "printable", "run_inputs"]


class RunInputs(NamedTuple):
    """A GRU, its input x [T, 1, I], a name for each step, and a description."""

    gru: GRU
    x: Tensor
    reads: list[str]
    what: str


def run_inputs(path: Path | str, text: str | None = None, audio: Path | str | None = None) -> RunInputs:
    """The first GRU of the run at `path`, the forward direction of a bidirectional one, and its input.

    The input is a test sequence for an experiment of the lab, the history for a forecaster.

    Args:
        path: a run folder.
        text: input of a generator or a translator.
        audio: recording, input of a transcriber.

    Raises:
        RunError: no such run, or no GRU in it. OptionError: text or audio is missing, or given to a task that doesn't
            take it. DataError: an unreadable recording.
    """
    task = RunFolder.open(path).facts.get("task")
    given = {"text": text, "audio": None if audio is None else str(audio)}
    known = registry.TASKS.get(str(task))
    wanted = known.reads if known else None
    for name, value in given.items():
        if (value is not None) != (name == wanted):
            verb = "needs" if name == wanted else "takes no"
            raise OptionError(f"{path} is a run of the task {task!r}, which {verb} --{name} to show its gates")
    if task not in READERS and known is None:
        names = ", ".join({**READERS, **registry.TASKS})
        raise RunError(f"{path} is a run of the task {task!r}; gates are shown of: {names}")
    found = READERS.get(str(task), _described)(Path(path), given.get(wanted or ""))
    if found is None:
        raise RunError(f"{path} has no GRU that its model calls")
    return found


def _lab(path: Path, _: Any) -> RunInputs | None:
    from gruworks.lab.experiment import problem, restore

    settings, model = restore(path)
    batch = problem(settings).test[0]
    what = f"{settings.cell} after {settings.task}, on a test sequence"
    return _called(model, lambda: model(batch), what)


def _forecast(path: Path, _: Any) -> RunInputs | None:
    forecaster: Any = registry.estimator("forecast").load(path)
    if forecaster.model is None:
        raise RunError(f"{path} holds no network: it had too few rows to train on")
    return _called(forecaster.model, forecaster.predict, "the GRU of a forecaster, on its history")


def _generate(path: Path, text: Any) -> RunInputs | None:
    generator: Any = registry.estimator("generate").load(path)
    vocabulary, net = generator.codec.vocabulary, generator.model
    numbers = vocabulary.encode(_some(text))
    tokens = torch.from_numpy(numpy.asarray(numbers, dtype=numpy.int64))[:, None]
    reads = [printable(vocabulary.decode([number])) or "?" for number in numbers]
    return _called(net, lambda: net(tokens), "the first GRU of a generator, on the text", reads)


def _translate(path: Path, text: Any) -> RunInputs | None:
    translator: Any = registry.estimator("translate").load(path)
    net = translator.net
    numbers = translator.codec.source.encode(_some(text))
    names, source = translator.codec.source.symbols(numbers), torch.tensor([numbers])
    what = "the encoder of a translator, forward direction"
    first: Any = net.encoder
    if not isinstance(first, torch.nn.ModuleList):  # Cho 2014: its encoder is called as a module
        return _called(net, lambda: net.encode(source, torch.tensor([len(numbers)])), what, names)
    with torch.no_grad():
        x = net._embed(net.source_embedding, source.T)
    gru: Any = first[0]
    return RunInputs(gru, x, names, what)


def _transcribe(path: Path, audio: Any) -> RunInputs | None:
    from gruworks.tasks.transcribe.features import SHIFT
    from gruworks.tasks.transcribe.offline import frame_blocks

    transcriber: Any = registry.estimator("transcribe").load(path)
    net = transcriber.model
    frames = numpy.concatenate(list(frame_blocks(audio, None, transcriber.codec, transcriber.config)))
    what = f"the first GRU of a transcriber, on {Path(audio).name}"
    found = _called(net, lambda: net(torch.from_numpy(frames)[None], torch.tensor([len(frames)])), what)
    return found and found._replace(reads=[f"{t * net.stride * SHIFT:.2f}s" for t in range(len(found.x))])


def _described(path: Path, given: Any) -> RunInputs | None:
    """The first GRU called by the task's own method, for tasks without an entry in READERS."""
    task = registry.find(str(RunFolder.open(path).facts["task"]))
    estimator: Any = registry.estimator(task.name).load(path)
    arguments = [] if given is None else [given]
    what = f"the first GRU of a model of {task.name}"
    return _called(estimator.model, lambda: getattr(estimator, task.method)(*arguments), what)


# The code that runs each model up to its first GRU is here, because the descriptions of tasks don't import torch.
READERS: dict[str, Callable[[Path, Any], RunInputs | None]] = {
    "lab": _lab,
    "forecast": _forecast,
    "generate": _generate,
    "translate": _translate,
    "transcribe": _transcribe,
}


def _called(model: torch.nn.Module, call: Any, what: str, reads: list[str] | None = None) -> RunInputs | None:
    """The first GRU that `call` runs as a module, and the first row of its input."""
    calls: list[tuple[GRU, Tensor]] = []

    def record(module: torch.nn.Module, given: tuple[Any, ...]) -> None:
        if isinstance(module, GRU) and isinstance(given[0], Tensor):
            x = given[0].detach()
            calls.append((module, x.transpose(0, 1) if module.batch_first else x))

    hooks = [module.register_forward_pre_hook(record) for module in model.modules()]
    try:
        with torch.no_grad():
            call()
    finally:
        for hook in hooks:
            hook.remove()
    if not calls:
        return None
    gru, x = calls[0]
    return RunInputs(gru, x[:, :1], reads or [str(t) for t in range(1, len(x) + 1)], what)


def _some(text: str) -> str:
    if not text.strip():
        raise OptionError("expected a text of one character or more to read")
    return text


def printable(symbol: str) -> str:
    """A string with non-printable characters escaped."""
    return symbol if symbol.isprintable() else repr(symbol)[1:-1]
