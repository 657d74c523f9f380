"""`gruworks generate`: fit, write, verse, score, evaluate, play."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gruworks.app.cli.common.fitting import fit_command
from gruworks.app.cli.common.flags import Debug, Json, Quiet, agree, takes
from gruworks.app.cli.common.runs import begin, load
from gruworks.app.cli.common.show import Show
from gruworks.errors import DataError, OptionError
from gruworks.tasks.generate.config import Config, Options
from gruworks.tasks.generate.verse.forms import VerseOptions
from gruworks.training.runs import write_atomically

if TYPE_CHECKING:
    from gruworks.tasks.generate.estimator import Generator

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)

Text = Annotated[
    Path, typer.Argument(metavar="TEXT", help="A .txt or .jsonl file, or a folder of them.", show_default=False)
]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder that `generate fit` wrote.", show_default=False)]
Title = Annotated[str, typer.Option(help="Title to write to, where the run's texts have titles.")]
PLAY = "type a beginning and Enter; a number takes that continuation; an empty line draws anew; Ctrl-D ends"


@fit_command(
    app, "generate", Config, Text,
    validation_text=Annotated[Path | None, typer.Option(help="Text to validate on, instead of a share held out.")],
)  # fmt: skip
def fitted(show: Show, generator: Generator, path: Path) -> dict[str, Any]:
    """Learn from a text; leave a run folder with the model. Samples are printed on the way."""
    facts = generator.metrics
    show.answer(
        f"{facts['parameters']:,} parameters, {facts['steps']} steps, {facts['minutes']:.1f} minutes; "
        f"validation {facts['best_loss']:.4f} nats a symbol at step {facts['best_step']}; ended: {facts['ended_by']}"
    )
    show.note(f"\nrun    {path}\nnext   gruworks generate write {path} --stream")
    return {"metrics": facts}


@app.command("write")
@takes(Options, into="options")
def write(
    run: Run,
    *,
    options: Options,
    prompt: Annotated[str, typer.Option(help="Text to go on from.")] = "",
    title: Title = "",
    stream: Annotated[bool, typer.Option("--stream", help="Show the text while it is being written.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="File to write the texts to.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write on from a prompt."""
    show = Show(as_json, quiet)
    if stream and (as_json or options.n_samples != 1 or options.beam_size):
        raise OptionError("--stream shows one text that is drawn: leave out --json, --n-samples and --beam-size")
    generator = load("generate", run)
    chosen = options.to_dict()
    if stream:
        texts = [_streamed(generator, prompt, title, options)]
    else:
        texts = generator.write_many(prompt, title=title, **chosen)
        for number, text in enumerate(texts, 1):
            if len(texts) > 1:
                show.note(f"--- {number}")
            show.answer(prompt + text)
    if out is not None:
        write_atomically(out, "\n".join(prompt + text for text in texts).encode())
    show.result({"run": str(run), "prompt": prompt, "texts": texts, "options": chosen})


@app.command("verse")
@takes(VerseOptions, into="rules")
def verse(
    run: Run,
    *,
    rules: VerseOptions,
    count: Annotated[int, typer.Option(min=1, help="How many poems to write.")] = 1,
    title: Title = "",
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write Chinese poems that keep the rules of their form, from a run fitted on poems."""
    show = Show(as_json, quiet)
    poems = load("generate", run).verse(count, title=title, **rules.to_dict())
    show.answer("\n\n".join("\n".join(poem) for poem in poems))
    show.result({"run": str(run), "rules": rules.to_dict(), "poems": poems})


@app.command("score")
def score(
    run: Run,
    text: Annotated[str, typer.Argument(help="The text to score; - reads standard input.", show_default=False)],
    title: Title = "",
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Say how likely each symbol of a text is: log-probability, perplexity, bits per character."""
    show = Show(as_json, quiet)
    reading = load("generate", run).score(sys.stdin.read() if text == "-" else text, title=title)
    pairs = zip(reading.symbols, reading.log_probabilities, strict=True)
    show.table([{"symbol": repr(symbol)[1:-1], "log-probability": value} for symbol, value in pairs])
    show.note(
        f"\n{len(reading.symbols)} symbols, {reading.characters} characters; perplexity {reading.perplexity:.4g}; "
        f"bits per character {reading.bits_per_character:.4g}"
    )
    show.result(reading.to_dict())


@app.command("evaluate")
@takes(Config)
def evaluate(
    sources: Annotated[list[Path], typer.Argument(metavar="[RUN] TEXT", help="A text, or a run folder and a text.")],
    *,
    config: Config,
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write evaluation.json to.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Perplexity on a text, or on what a fit holds out of it, beside naive models'."""
    if len(sources) > 2:
        raise OptionError("evaluate takes TEXT, or a run folder and TEXT: gruworks generate evaluate [RUN] TEXT")
    show = Show(as_json, quiet)
    generator = load("generate", sources[0]) if len(sources) == 2 else begin("generate", config, None, None)[0]
    agree(config, generator.config, sources[0])
    found = generator.evaluate(sources[-1], quiet=not show.talks)
    if out is not None:
        write_atomically(out / "evaluation.json", (json.dumps(found.to_dict(), indent=2) + "\n").encode())
    rows = [
        ("GRU", found.perplexity),
        ("5-gram", found.kneser_ney_perplexity),
        ("symbol counts", found.unigram_perplexity),
    ]
    show.table([{"model": model, "perplexity": value} for model, value in rows if value is not None])
    show.note(
        f"\n{found.symbols:,} symbols, {found.unknown} unknown; {found.characters:,} characters; "
        f"bits per character {found.bits_per_character:.4f}"
    )
    show.result(found.to_dict())


@app.command("play")
@takes(Options, into="options")
def play(
    run: Run,
    *,
    options: Options,
    length: Annotated[int, typer.Option(min=1, help="Symbols of each continuation.")] = 80,
    n_samples: Annotated[int, typer.Option(min=1, max=9, help="Continuations to choose from.")] = 3,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write together: continues what you type and offers a choice among continuations."""
    show = Show(False, quiet)
    generator = load("generate", run)
    show.note(PLAY)
    text, seed = "", options.seed
    offers: list[str] = []
    while (line := _typed(text)) is not None:
        if line.isdigit() and 1 <= int(line) <= len(offers):
            text += offers[int(line) - 1]
        else:
            text += line
        chosen = replace(options, length=length, n_samples=n_samples, seed=seed).to_dict()
        try:
            offers = generator.write_many(text, **chosen)
        except DataError as error:  # one slip of the finger is not the end of the game
            show.complain(str(error))
            text = text.removesuffix(line)
            continue
        seed += 1
        for number, offer in enumerate(offers, 1):
            show.answer(f"[{number}] {offer}")
    show.answer(text)


def _typed(text: str) -> str | None:
    """The next line that the user types after the end of the text so far; None at the end."""
    try:
        return input(f"{text[-60:]}▏")
    except EOFError:
        print()
        return None


def _streamed(generator: Generator, prompt: str, title: str, options: Options) -> str:
    pieces = [prompt]
    print(prompt, end="", flush=True)
    for piece in generator.stream(prompt, title=title, **options.to_dict()):
        print(piece, end="", flush=True)
        pieces.append(piece)
    print()
    return "".join(pieces[1:])
