"""`gruworks try`: the models that come with the package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from gruworks.app.cli.common.flags import command
from gruworks.app.cli.common.runs import load
from gruworks.app.cli.common.show import Show
from gruworks.app.cli.tasks.forecast import rows
from gruworks.errors import DataError
from gruworks.tasks import ready
from gruworks.tasks.generate.verse.forms import VerseOptions
from gruworks.tasks.translate.config import Options as TranslateOptions
from gruworks.tasks.translate.config import Script

__all__ = ["app"]

app = typer.Typer(help="Try the models that come with the package.", no_args_is_help=False)


@app.callback(invoke_without_command=True)
def listed(context: typer.Context) -> None:
    """Try the models that come with the package; without a command, list them."""
    if context.invoked_subcommand is None:
        show_list(Show())


@command(app, "list")
def show_list(show: Show) -> None:
    """List the ready models: name, purpose, licence of the data, limits."""
    found = ready.present()
    cards = {one.name: one.card() for one in found}
    show.table([{"model": one.name, "task": one.task, "what it does": one.about} for one in found])
    for name, card in cards.items():
        show.note(f"\n{name}: {card['data']}; {card['licence']}. {card['limits']}")
    show.note(
        '\nnext   gruworks try translate "I am hungry."\n       gruworks try verse --form jueju7\n'
        "       gruworks try forecast\n       gruworks try transcribe digits/number.flac\n       gruworks serve"
    )
    show.result({"models": [{"name": one.name, "task": one.task, "card": cards[one.name]} for one in found]})


@command(app)
def forecast(
    show: Show,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE.csv]", help="Daily rows; else Seattle's own.")] = None,
) -> None:
    """Forecast Seattle's daily maximum temperature, 14 days ahead, or a daily series with columns date, temp_max."""
    forecaster = _load("forecast")
    ahead = rows(forecaster.predict(file))
    show.table(ahead)
    show.note(f"\n{forecaster.blend}")
    show.result({"rows": ahead, "skill": str(forecaster.blend)})


@command(app)
def verse(
    show: Show,
    title: Annotated[str, typer.Argument(help="A title, in either script.")] = "",
    *,
    rules: VerseOptions,
) -> None:
    """Write a Chinese poem that keeps the rules of its form."""
    generator = _load("generate")
    (lines,) = generator.verse(title=title, **rules.to_dict())
    for line in lines:
        show.answer(line)
    for warning in generator.warnings:
        show.note(f"\n{warning}")
    show.note(f"\nform {rules.form}, seed {rules.seed}")
    show.result({"lines": lines, "form": rules.form, "seed": rules.seed})


@command(app)
def translate(
    show: Show,
    sentences: Annotated[list[str], typer.Argument(metavar="SENTENCE...", help="English.", show_default=False)],
    beam_size: Annotated[int, typer.Option(help="Beam size.", min=1, max=100)] = TranslateOptions.beam_size,
    script: Annotated[Script, typer.Option(help="Script of the translations.")] = "simplified",
) -> None:
    """Translate English sentences into Chinese."""
    translator = _load("translate")
    options = ready.find("translate").card()["options"] | {"beam_size": beam_size, "script": script}
    answers = ["".join(one.split()) for one in translator.translate(sentences, **options)]
    for answer in answers:
        show.answer(answer)
    for warning in translator.warnings:
        show.note(warning)
    show.result({"translations": answers})


@command(app)
def transcribe(
    show: Show, files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Recordings.", show_default=False)]
) -> None:
    """Transcribe recordings of spoken English digits."""
    transcriber = _load("transcribe")
    options = ready.find("transcribe").card()["options"]
    texts: list[str | None] = []
    for file in files:
        try:
            text = transcriber.transcribe(str(file), **options).text
        except DataError as error:  # of one file; the others are transcribed
            show.complain(str(error))
            texts.append(None)
            continue
        texts.append(text)
        show.answer(text if len(files) == 1 else f"{file}\t{text}")
    show.result({"texts": texts})
    if None in texts:
        raise typer.Exit(2)


def _load(task: str) -> Any:
    return load(task, ready.find(task).path)
