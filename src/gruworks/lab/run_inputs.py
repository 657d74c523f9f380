"""Inputs of the first GRU of a trained run: its own data, a text or a recording, as its model gives it to the unit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy
import torch
from torch import Tensor

from gruworks.errors import OptionError, RunError
from gruworks.nn.blocks.stack import GRUBlock
from gruworks.nn.gru import GRU
from gruworks.tasks import registry
from gruworks.training.runs import RunFolder

__all__ = ["RunInputs", "run_inputs"]


class RunInputs(NamedTuple):
    """The unit, its input x [T, 1, I], a name for each step, and what it is, in words."""

    gru: GRU
    x: Tensor
    reads: list[str]
    what: str


def run_inputs(path: Path | str, text: str | None = None, audio: Path | str | None = None) -> RunInputs:
    """The first GRU of the run at `path` and what it reads; in a bidirectional layer the direction that reads forwards.

    Args:
        text: for a generator or a translator. audio: a recording, for a transcriber. An experiment of the lab reads a
            test sequence, a forecaster its history; they take neither.

    Raises:
        RunError: no such run, or no GRU in it. OptionError: text or audio is missing, or given where it has no use.
        DataError: what is wrong with the recording.
    """
    task = RunFolder.open(path).facts.get("task")
    given = {"text": text, "audio": None if audio is None else str(audio)}
    known = registry.TASKS.get(str(task))
    wanted = known.reads if known else None
    for name, value in given.items():
        if (value is not None) != (name == wanted):
            said = f"needs --{name}" if name == wanted else f"takes no --{name}"
            raise OptionError(f"{path} is a run of the task {task!r}, which {said} to be looked into")
    if task not in LISTENERS and known is None:
        names = ", ".join({**LISTENERS, **registry.TASKS})
        raise RunError(f"{path} is a run of the task {task!r}; gates are shown of: {names}")
    heard = LISTENERS.get(str(task), _described)(Path(path), given.get(wanted or ""))
    if heard is None:
        raise RunError(f"{path} has no GRU that its model calls")
    return heard


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
    return _called(forecaster.model, forecaster.predict, "a forecaster's unit, on its history")


def _generate(path: Path, text: Any) -> RunInputs | None:
    generator: Any = registry.estimator("generate").load(path)
    vocabulary, net = generator.codec.vocabulary, generator.model
    numbers = vocabulary.encode(_some(text))
    with torch.no_grad():
        x = net.embedding(torch.from_numpy(numpy.asarray(numbers, dtype=numpy.int64))[:, None])
        for block in net.stack:
            if isinstance(block, GRUBlock):
                reads = [_shown(vocabulary.decode([number])) or "?" for number in numbers]
                return RunInputs(block.gru, block.norm(x), reads, "a writer's first unit, reading the text")
            x, _ = block(x)
    return None


def _translate(path: Path, text: Any) -> RunInputs | None:
    translator: Any = registry.estimator("translate").load(path)
    net = translator.net
    numbers = translator.codec.source.encode(_some(text))
    names, source = translator.codec.source.symbols(numbers), torch.tensor([numbers])
    what = "a translator's encoder, reading forwards"
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
    heard = _called(
        net, lambda: net(torch.from_numpy(frames)[None], torch.tensor([len(frames)])),
        f"a transcriber's first unit, on {Path(audio).name}",
    )  # fmt: skip
    if heard is None:
        return None
    return heard._replace(reads=[f"{t * net.stride * SHIFT:.2f}s" for t in range(len(heard.x))])


def _described(path: Path, given: Any) -> RunInputs | None:
    """The first GRU that a task's own verb calls; for a task whose model needs no more than that."""
    task = registry.find(str(RunFolder.open(path).facts["task"]))
    estimator: Any = registry.estimator(task.name).load(path)
    arguments = [] if given is None else [given]
    return _called(
        estimator.model,
        lambda: getattr(estimator, task.method)(*arguments),
        f"the first unit of a model of {task.name}",
    )


# how each model is run up to its first unit stands here: a task's description knows no torch
LISTENERS: dict[str, Callable[[Path, Any], RunInputs | None]] = {
    "lab": _lab,
    "forecast": _forecast,
    "generate": _generate,
    "translate": _translate,
    "transcribe": _transcribe,
}


def _called(model: torch.nn.Module, call: Any, what: str, reads: list[str] | None = None) -> RunInputs | None:
    """The first GRU that `call` runs as a module, and the first row of its input."""
    heard: list[tuple[GRU, Tensor]] = []

    def listen(module: torch.nn.Module, given: tuple[Any, ...]) -> None:
        if isinstance(module, GRU) and isinstance(given[0], Tensor):
            x = given[0].detach()
            heard.append((module, x.transpose(0, 1) if module.batch_first else x))

    hooks = [module.register_forward_pre_hook(listen) for module in model.modules()]
    try:
        with torch.no_grad():
            call()
    finally:
        for hook in hooks:
            hook.remove()
    if not heard:
        return None
    gru, x = heard[0]
    return RunInputs(gru, x[:, :1], reads or [str(t) for t in range(1, len(x) + 1)], what)


def _some(text: str) -> str:
    if not text.strip():
        raise OptionError("expected a text of one character or more to read")
    return text


def _shown(symbol: str) -> str:
    return symbol if symbol.isprintable() else repr(symbol)[1:-1]
