"""`gruworks try`: the models that the package brings, in one line each."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from gruworks.app.cli.common.flags import Debug, Json, Quiet
from gruworks.app.cli.common.runs import load
from gruworks.app.cli.common.show import Show
from gruworks.tasks import ready
from gruworks.tasks.generate.config import Options as GenerateOptions
from gruworks.tasks.generate.verse.forms import VerseOptions
from gruworks.tasks.translate.config import Options as TranslateOptions

__all__ = ["app"]

app = typer.Typer(help="Try the models that come with the package.", no_args_is_help=False)
Form: Any = get_type_hints(VerseOptions)["form"]


@app.callback(invoke_without_command=True)
def listed(context: typer.Context) -> None:
    """Try the models that come with the package; without a command, list them."""
    if context.invoked_subcommand is None:
        show_list()


@app.command("list")
def show_list(as_json: Json = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """The ready models: name, purpose, licence of the data, limits."""
    show, found = Show(as_json, quiet), ready.present()
    cards = {one.name: one.card() for one in found}
    show.table([{"model": one.name, "task": one.task, "what it does": one.about} for one in found])
    for name, card in cards.items():
        show.note(f"\n{name}: {card['data']}; {card['licence']}. {card['limits']}")
    show.note(
        '\nnext   gruworks try translate "I am hungry."\n       gruworks try verse --form jueju7\n'
        "       gruworks try forecast\n       gruworks try transcribe digits.wav\n       gruworks serve"
    )
    show.result({"models": [{"name": one.name, "task": one.task, "card": cards[one.name]} for one in found]})


@app.command("forecast")
def forecast(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE.csv]", help="Daily rows; else Seattle's own.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Seattle's highest temperature of the next 14 days, or a daily series of yours (columns date, temp_max)."""
    show, forecaster = Show(as_json, quiet), _load("forecast")
    frame = forecaster.predict(file)
    rows = [{name: _plain(value) for name, value in row.items()} for row in frame.to_dict("records")]
    show.table(rows)
    show.note(f"\n{forecaster.blend}")
    show.result({"rows": rows, "skill": str(forecaster.blend)})


@app.command("verse")
def verse(
    title: Annotated[str, typer.Argument(help="A title in traditional script.")] = "",
    form: Annotated[Form, typer.Option(help="五絕 七絕 五律 七律.")] = VerseOptions.form,
    temperature: Annotated[
        float, typer.Option(help="Below 1 safer, above 1 wilder.", min=0.05, max=10.0)
    ] = GenerateOptions.temperature,
    seed: Annotated[int | None, typer.Option(help="The same seed, the same poem.", min=0)] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """A Chinese poem that keeps the rules of its form."""
    show, number = Show(as_json, quiet), secrets.randbelow(10**6) if seed is None else seed
    (lines,) = _load("generate").verse(title=title, form=form, temperature=temperature, seed=number)
    for line in lines:
        show.answer(line)
    show.note(f"\nform {form}, seed {number}")
    show.result({"lines": lines, "form": form, "seed": number})


@app.command("translate")
def translate(
    sentences: Annotated[list[str], typer.Argument(metavar="SENTENCE...", help="English.", show_default=False)],
    beam_size: Annotated[int, typer.Option(help="Beams of the search.", min=1, max=100)] = TranslateOptions.beam_size,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """English sentences into Chinese."""
    show, translator = Show(as_json, quiet), _load("translate")
    options = ready.find("translate").card()["options"] | {"beam_size": beam_size}
    answers = ["".join(one.split()) for one in translator.translate(sentences, **options)]
    for answer in answers:
        show.answer(answer)
    for warning in translator.warnings:
        show.note(warning)
    show.result({"translations": answers})


@app.command("transcribe")
def transcribe(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Recordings.", show_default=False)],
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Spoken English digits, one after another, written down."""
    show, transcriber = Show(as_json, quiet), _load("transcribe")
    options = ready.find("transcribe").card()["options"]
    texts = [one.text for one in transcriber.transcribe([str(file) for file in files], **options)]
    for file, text in zip(files, texts, strict=True):
        show.answer(text if len(files) == 1 else f"{file}\t{text}")
    show.result({"texts": texts})


def _load(task: str) -> Any:
    return load(task, ready.find(task).path)


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)[:10] if hasattr(value, "year") else value
