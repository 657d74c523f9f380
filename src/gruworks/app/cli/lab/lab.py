"""`gruworks lab`: instruments."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gruworks.app.cli.common.flags import Debug, Json, Out, Quiet
from gruworks.app.cli.common.show import Show
from gruworks.app.cli.lab import experiments
from gruworks.app.cli.lab.looking import NAMES, gates_of_numbers, show_look, show_memory, write_arrays
from gruworks.errors import DataError, OptionError
from gruworks.ops.weights import Reset
from gruworks.training.runs import new_run_path

if TYPE_CHECKING:
    from gruworks.lab.number_lines.next_number import NextNumber

__all__ = ["app", "trace"]

app = typer.Typer(no_args_is_help=True, help="Look inside a unit, compare cells, follow gradients.")
app.command("compare")(experiments.compare)
app.command("gradients")(experiments.gradients)
app.command("papers")(experiments.papers)


@app.callback()
def main() -> None:
    """Look inside a unit, compare cells, follow gradients."""


# Unknown options are arguments here: "-1" is a number, and what is neither number nor option is refused below.
@app.command("trace", context_settings={"ignore_unknown_options": True})
def trace(
    numbers: Annotated[
        list[str] | None, typer.Argument(metavar="[NUMBER...]", help="Three numbers or more, for example 1 2 3.")
    ] = None,
    run: Annotated[Path | None, typer.Option(help="A trained run of any task to look into instead.")] = None,
    text: Annotated[str | None, typer.Option(help="A text to read: by the run, else by an untrained unit.")] = None,
    audio: Annotated[Path | None, typer.Option(help="A recording that the run, a transcriber, reads.")] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Numbers through an untrained unit.")] = False,
    hidden: Annotated[int, typer.Option(min=1, help="Units of an untrained one.")] = 8,
    reset: Annotated[
        Reset, typer.Option(help="Reset gate before the matrix product (Cho 2014) or after it (PyTorch).")
    ] = "before",
    seed: Annotated[int, typer.Option(min=0, help="Of the first weights and the training lines.")] = 0,
    out: Out = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Gates at every step, each unit's memory and saturation.

    Of numbers: a GRU of 8 units is trained on other number lines and asked for the next one (with --fresh it is not).
    Of --run: the run's first GRU; a writer or translator on --text, a transcriber on --audio, others on what they have.
    Of --text alone: an untrained unit.
    """
    show = Show(as_json, quiet)
    said = (("numbers", numbers), ("--run", run), ("--text", text), ("--audio", audio))
    given = [what for what, value in said if value is not None]
    if len(given) != 1 and (run is None or numbers is not None):
        raise OptionError(f"give either numbers, --run or --text to look at, not {' and '.join(given) or 'nothing'}")
    if audio is not None and run is None:
        raise OptionError("--audio needs --run: a transcriber that reads the recording")
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
    from gruworks.plots.gates import draw_gates

    shown = next_number(y, reset, seed)
    folder = out or new_run_path("lab-trace")
    picture = draw_gates(
        shown.gates(),
        folder / "gates.png",
        steps=[f"{t}\n({value:.4g})" for t, value in enumerate(shown.read, 1)],
        axis="time step (and what the unit reads there)",
        title=f"{_list(shown.numbers)} → {shown.answer:.6g}",
    )
    arrays = write_arrays(shown.gates(), folder)
    _print(show, shown, reset)
    show.note()
    units = show_memory(show, shown.update, shown.reset)
    show.answer(f"picture: {picture}\narrays: {arrays}")
    paths = {"picture": str(picture), "arrays": str(arrays)}
    show.result({**_plain(shown, reset, seed), "units": units, **paths})


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DataError(
            f"expected numbers with blanks between, got {text!r}, which is neither a number nor an option of "
            "`gruworks lab trace` (see --help)"
        ) from None


def _list(values: Any) -> str:
    given = [f"{value:.12g}" for value in values]
    return " ".join(given if len(given) <= 12 else ["...", *given[-12:]])


def _print(show: Show, shown: NextNumber, reset: str) -> None:
    show.answer(f"{_list(shown.numbers)} → {shown.answer:.10g}")
    show.answer(f"an autoregression on differences (AR(1)) says {shown.highway:.10g}")
    show.note()
    for text in _notes(shown, reset):
        show.note(text)
    for name, values in shown.gates().items():
        show.note()
        form = ".3f" if name in ("z_t", "r_t") else "+.2f"
        rows = [_row(t, *row, form) for t, row in enumerate(zip(shown.read, values, strict=True), 1)]
        show.table(rows, f"{NAMES[name]} {name}, unit by unit")


def _notes(shown: NextNumber, reset: str) -> list[str]:
    trained = shown.trained
    notes = [
        f"The unit: a GRU of 8 units, reset {reset}, and a linear readout; nothing beside it. It read "
        f"{_reading(shown)}.",
        f"It learnt from {trained.lines.targets.size} lines in {trained.rounds} rounds and {shown.seconds:.1f} s, "
        f"to {trained.training_error:.1g} of a step; {trained.lines.held_out()}.",
    ]
    if not shown.is_line:
        notes.append("These numbers are not a line, and lines are all that it has learnt: do not trust its answer.")
    elif not shown.step:
        notes.append("The numbers stand still: a line of step 0.")
    return notes


def _reading(shown: NextNumber) -> str:
    """The unit's input: its frame, and how many of the numbers it read."""
    frame = str(shown.frame)
    read = "the numbers as they are" if frame == "y" else f"{frame} for each number y"
    left_out = len(shown.numbers) - len(shown.read)
    return f"{read}, the last {len(shown.read)} of the {len(shown.numbers)} only" if left_out else read


def _row(t: int, read: float, values: Any, form: str) -> dict[str, Any]:
    # Five characters a value, so that eight units fit a terminal of 80 columns.
    return {"t": t, "reads": f"{read:.4g}", **{str(i): f"{value:{form}}" for i, value in enumerate(values, 1)}}


def _plain(shown: NextNumber, reset: str, seed: int) -> dict[str, Any]:
    """The whole answer as plain types, for --json."""
    trained = shown.trained
    return {
        "numbers": shown.numbers.tolist(),
        "answer": shown.answer,
        "highway": shown.highway,
        "is_line": shown.is_line,
        "reset": reset,
        "seed": seed,
        "frame": shown.frame._asdict(),
        "read": shown.read.tolist(),
        **{name: values.tolist() for name, values in shown.gates().items()},
        "held_out": {"starts": trained.lines.held_out_starts, "steps": trained.lines.held_out_steps},
        "rounds": trained.rounds,
        "training_error": trained.training_error,
        "seconds": shown.seconds,
    }
