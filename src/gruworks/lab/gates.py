"""What gates say: how long a unit remembers, how often a gate is shut or open; of runs, text and numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.errors import DataError, OptionError, RunError
from gruworks.nn.gru import GRU
from gruworks.nn.tracing import trace
from gruworks.ops.weights import Reset
from gruworks.training.runs import RunFolder

__all__ = ["Look", "fresh", "memory_length", "of_run", "of_text", "saturation"]

Floats = NDArray[numpy.float64]
SHUT, OPEN = 0.1, 0.9


class Look(NamedTuple):
    """One sequence through one GRU: what each step read, and the gates and state there, [T, H] each."""

    what: str
    reads: list[str]
    update: Floats
    reset: Floats
    candidate: Floats
    state: Floats

    def gates(self) -> dict[str, Floats]:
        """z_t, r_t, h̃_t and h_t by name."""
        return {"z_t": self.update, "r_t": self.reset, "h̃_t": self.candidate, "h_t": self.state}


def memory_length(update: Floats) -> Floats:
    """How many steps each unit remembers, [H], from its update gate z [T, H]: -1 / mean_t log(1 - z_t).

    After so many steps 1/e of a state is left. A gate that never opens remembers for ever, one that is once quite open
    remembers nothing.

    >>> memory_length(numpy.full((5, 1), 0.1)).round(2).tolist()
    [9.49]
    """
    with numpy.errstate(divide="ignore"):
        lengths: Floats = -1 / numpy.log1p(-numpy.asarray(update, dtype=numpy.float64)).mean(0)
    return numpy.abs(lengths)  # 1 / -inf is -0


def saturation(gate: Floats) -> tuple[Floats, Floats]:
    """The share of steps at which each unit's gate [T, H] is shut (below 0.1), and open (above 0.9), [H] each."""
    return (gate < SHUT).mean(0), (gate > OPEN).mean(0)


def fresh(x: Tensor, reads: list[str], what: str, hidden: int = 8, reset: Reset = "before", seed: int = 0) -> Look:
    """An untrained unit of `hidden` units over x [T, 1, I].

    >>> fresh(torch.ones(5, 1, 1), list("abcde"), "ones").update.shape
    (5, 8)
    """
    if hidden < 1 or seed < 0:
        raise OptionError(f"expected one unit or more and a seed from 0 on, got {hidden} and {seed}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        gru = GRU(x.shape[-1], hidden, reset=reset, dtype=torch.float64)
    return _look(gru, x.double(), reads, f"an untrained GRU of {hidden} units, reset {reset}, reading {what}")


def of_text(text: str, hidden: int = 8, reset: Reset = "before", seed: int = 0) -> Look:
    """An untrained unit that reads `text`, a character a step, one-hot."""
    if not text:
        raise DataError("expected a text of one character or more")
    alphabet = sorted(set(text))
    x = torch.eye(len(alphabet))[[alphabet.index(one) for one in text]][:, None]
    reads = [one if one.isprintable() else repr(one)[1:-1] for one in text]
    return fresh(x, reads, f"{len(text)} characters", hidden, reset, seed)


def of_run(path: Path | str) -> Look:
    """The first GRU of a trained run, on what the run itself reads: a test sequence of an experiment of the lab, or the
    history of a forecaster at its last prediction.

    Raises:
        RunError: no such run, one of another task, or one without a GRU of one layer and one direction.
    """
    run = RunFolder.open(path)
    task = run.facts.get("task")
    if task == "lab":
        from gruworks.lab.experiment import problem, restore

        settings, model = restore(Path(path))
        batch = problem(settings).test[0]
        heard = _overheard(model, lambda: model(batch))
        what = f"{settings.cell} after {settings.task}, on a test sequence"
    elif task == "forecast":
        from gruworks.tasks import registry

        forecaster: Any = registry.estimator("forecast").load(path)
        if forecaster.model is None:
            raise RunError(f"{path} holds no network: it had too few rows to train on")
        heard = _overheard(forecaster.model, forecaster.predict)
        what = "a forecaster's unit, on its history"
    else:
        raise RunError(f"{path} is a run of the task {task!r}; gates are shown of the lab's runs and forecasters")
    if heard is None:
        raise RunError(f"{path} has no GRU of one layer and one direction that its model calls")
    gru, x = heard
    return _look(gru, x, [str(t) for t in range(1, len(x) + 1)], what)


def _overheard(model: torch.nn.Module, call: Any) -> tuple[GRU, Tensor] | None:
    """The first GRU that `call` runs, in float64, and the first row of its input [T, 1, I]."""
    heard: list[tuple[GRU, Tensor]] = []

    def listen(module: torch.nn.Module, given: tuple[Any, ...]) -> None:
        if isinstance(module, GRU) and module.num_layers == module.directions == 1 and isinstance(given[0], Tensor):
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
    return gru.double(), x[:, :1].double()


def _look(gru: GRU, x: Tensor, reads: list[str], what: str) -> Look:
    inside = {name: value[:, 0].numpy() for name, value in trace(gru, x)._asdict().items()}
    return Look(what=what, reads=reads, **inside)
