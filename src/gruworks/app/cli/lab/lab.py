"""`gruworks lab`: gates and states of a GRU; commands of the experiments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gruworks.app.cli.common.flags import Out, command
from gruworks.app.cli.common.show import Show
from gruworks.app.cli.lab import experiments
from gruworks.app.cli.lab.costs import cost
from gruworks.app.cli.lab.looking import gates_of_numbers, show_gates, show_look
from gruworks.errors import DataError, OptionError
from gruworks.ops.weights import Reset

if TYPE_CHECKING:
    from gruworks.lab.number_lines.next_number import NextNumber

__all__ = ["app", "trace"]

app = typer.Typer(no_args_is_help=True, help="Look inside a GRU, compare cells, measure gradients.")
for experiment in (experiments.compare, experiments.gradients, experiments.papers):
    command(app)(experiment)
command(app)(cost)


@app.callback()
def main() -> None:
    """Look inside a GRU, compare cells, measure gradients."""


# Unknown options are arguments here: "-1" is a number, and text that is neither number nor option is refused below.
@command(app, context_settings={"ignore_unknown_options": True})
def trace(
    show: Show,
    numbers: Annotated[
        list[str] | None, typer.Argument(metavar="[NUMBER...]", help="Three numbers or more, for example 1 2 3.")
    ] = None,
    run: Annotated[Path | None, typer.Option(help="A trained run of any task to look into instead.")] = None,
    text: Annotated[str | None, typer.Option(help="Input text of the run, or of an untrained GRU.")] = None,
    audio: Annotated[Path | None, typer.Option(help="Input recording of the run, a transcriber.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Use an untrained GRU for the numbers.")] = False,
    hidden: Annotated[int, typer.Option(min=1, help="Hidden size of an untrained GRU.")] = 8,
    reset: Annotated[
        Reset, typer.Option(help="Reset gate before the matrix product (Cho 2014) or after it (PyTorch).")
    ] = "before",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the initial weights and the training sequences.")] = 0,
    out: Out = None,
) -> None:
    """Gates and states at every step, each unit's memory length and saturation.

    Numbers: a GRU of hidden size 8 is trained on other arithmetic sequences and predicts the next number (not with
    --fresh). --run: the first GRU of the run; a generator or translator reads --text, a transcriber --audio, others
    their own history. --text alone: an untrained GRU.
    """
    said = (("numbers", numbers), ("--run", run), ("--text", text), ("--audio", audio))
    given = [what for what, value in said if value is not None]
    if len(given) != 1 and (run is None or numbers is not None):
        raise OptionError(f"give either numbers, --run or --text to look at, not {' and '.join(given) or 'nothing'}")
    if audio is not None and run is None:
        raise OptionError("--audio needs --run: name the run of a transcriber")
    if run is not None or text is not None:
        from gruworks.lab import gates

        look = gates.of_text(text or "", hidden, reset, seed) if run is None else gates.of_run(run, text, audio)
        return show_look(show, look, out)
    y = [_number(one) for one in numbers or []]
    if fresh:
        return show_look(show, gates_of_numbers(y, hidden, reset, seed), out)
    _next_number(show, y, reset, seed, out)
    return None


def _next_number(show: Show, y: list[float], reset: Reset, seed: int, out: Path | None) -> None:
    from gruworks.lab.number_lines.next_number import next_number

    shown = next_number(y, reset, seed)
    show.answer(f"{_list(shown.numbers)} → {shown.answer:.10g}")
    show.answer(f"autoregression on differences (AR(1)): {shown.difference_ar:.10g}")
    show.note()
    for text in _notes(shown, reset):
        show.note(text)
    inputs = [f"{value:.4g}" for value in shown.read]
    show_gates(
        show, shown.gates(), inputs, _facts(shown) | {"reset": reset, "seed": seed}, out,
        steps=[f"{t}\n({value})" for t, value in enumerate(inputs, 1)], axis="time step (and its input)",
        title=f"{_list(shown.numbers)} → {shown.answer:.6g}",
    )  # fmt: skip


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DataError(
            f"expected numbers separated by spaces, got {text!r}, which is neither a number nor an option of "
            "`gruworks lab trace` (see --help)"
        ) from None


def _list(values: Any) -> str:
    given = [f"{value:.12g}" for value in values]
    return " ".join(given if len(given) <= 12 else ["...", *given[-12:]])


def _notes(shown: NextNumber, reset: str) -> list[str]:
    trained = shown.trained
    notes = [
        f"Model: a GRU of hidden size 8, reset {reset}, with a linear output layer and nothing else. Input: "
        f"{_reading(shown)}.",
        f"Training: {trained.lines.targets.size} arithmetic sequences, {trained.rounds} rounds, {shown.seconds:.1f} s, "
        f"error {trained.training_error:.1g} of a step; {trained.lines.held_out()}.",
    ]
    if not shown.is_line:
        notes.append("These numbers are no arithmetic sequence, unlike the training data: do not trust the answer.")
    elif not shown.step:
        notes.append("The numbers are constant: an arithmetic sequence of step 0.")
    return notes


def _reading(shown: NextNumber) -> str:
    """Scaling of the GRU's input, and how many numbers it has read."""
    frame = str(shown.frame)
    read = "the numbers as they are" if frame == "y" else f"{frame} for each number y"
    left_out = len(shown.numbers) - len(shown.read)
    return f"{read}, the last {len(shown.read)} of the {len(shown.numbers)} only" if left_out else read


def _facts(shown: NextNumber) -> dict[str, Any]:
    """Values of the answer for --json."""
    trained = shown.trained
    return {
        **{name: getattr(shown, name) for name in ("answer", "difference_ar", "is_line", "seconds")},
        **{name: getattr(trained, name) for name in ("rounds", "training_error")},
        "numbers": shown.numbers.tolist(),
        "read": shown.read.tolist(),
        "frame": shown.frame._asdict(),
        "held_out": {"starts": trained.lines.held_out_starts, "steps": trained.lines.held_out_steps},
    }
