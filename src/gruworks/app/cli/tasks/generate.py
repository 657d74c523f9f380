"""`gruworks generate`: fit, write, verse, score, evaluate, play."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gruworks.app.cli.common.fitting import fit_command
from gruworks.app.cli.common.flags import ReportFolder, Run, command
from gruworks.app.cli.common.runs import load, load_or_new, report
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
    Path, typer.Argument(metavar="TEXT", help="A .txt, .jsonl or .csv file, or a folder of them.", show_default=False)
]
Title = Annotated[str, typer.Option(help="Title of the text, for runs whose texts have titles.")]
PLAY = "type a beginning and Enter; a number chooses that continuation; an empty line samples again; Ctrl-D ends"
Validation = Annotated[Path | None, typer.Option(help="Text to validate on, in place of a part of TEXT.")]

fit_command(app, "generate", Text, validation_text=Validation)


@command(app)
def write(
    show: Show,
    run: Run,
    *,
    prompt: Annotated[str, typer.Option(help="Text to continue.")] = "",
    title: Title = "",
    stream: Annotated[bool, typer.Option("--stream", help="Show the text while it is being written.")] = False,
    out: Annotated[Path | None, typer.Option(help="File to write the texts to.")] = None,
    options: Options,
) -> None:
    """Continue a prompt."""
    if stream and (show.as_json or options.n_samples != 1 or options.beam_size):
        raise OptionError("--stream shows one sampled text: leave out --json, --n-samples and --beam-size")
    generator, chosen = load("generate", run), options.to_dict()
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


@command(app)
def verse(
    show: Show,
    run: Run,
    *,
    count: Annotated[int, typer.Option(min=1, help="Number of poems to write.")] = 1,
    title: Title = "",
    rules: VerseOptions,
) -> None:
    """Write Chinese poems that keep the rules of their form, from a run fitted on poems."""
    generator = load("generate", run)
    poems = generator.verse(count, title=title, **rules.to_dict())
    for warning in generator.warnings:
        show.note(warning)
    show.answer("\n\n".join("\n".join(poem) for poem in poems))
    show.result({"run": str(run), "rules": rules.to_dict(), "poems": poems})


@command(app)
def score(
    show: Show,
    run: Run,
    text: Annotated[str, typer.Argument(help="The text to score; - reads standard input.", show_default=False)],
    title: Title = "",
) -> None:
    """Print the log-probability of each token of a text, its perplexity and bits per character."""
    reading = load("generate", run).score(sys.stdin.read() if text == "-" else text, title=title)
    pairs = zip(reading.symbols, reading.log_probabilities, strict=True)
    show.table([{"token": repr(token)[1:-1], "log-probability": value} for token, value in pairs])
    show.note(
        f"\n{len(reading.symbols)} tokens, {reading.characters} characters; perplexity {reading.perplexity:.4g}; "
        f"bits per character {reading.bits_per_character:.4g}"
    )
    show.result(reading.to_dict())


@command(app)
def evaluate(
    show: Show,
    sources: Annotated[list[Path], typer.Argument(metavar="[RUN] TEXT", help="A text, or a run folder and a text.")],
    *,
    out: ReportFolder = None,
    config: Config,
) -> None:
    """Perplexity of a run on a text, or of a new fit on the validation part of a text, beside n-gram models'."""
    found = load_or_new("generate", sources, config).evaluate(sources[-1], quiet=not show.talks)
    rows = {"GRU": found.perplexity, "5-gram": found.kneser_ney_perplexity, "unigram": found.unigram_perplexity}
    show.table([{"model": model, "perplexity": value} for model, value in rows.items() if value is not None])
    show.note(
        f"\n{found.symbols:,} tokens, {found.unknown} unknown; {found.characters:,} characters; "
        f"bits per character {found.bits_per_character:.4f}"
    )
    report(show, found, out)


@command(app, json=False)
def play(
    show: Show,
    run: Run,
    *,
    length: Annotated[int, typer.Option(min=1, help="Tokens of each continuation.")] = 80,
    n_samples: Annotated[int, typer.Option(min=1, max=9, help="Continuations to choose from.")] = 3,
    options: Options,
) -> None:
    """Write together: type text, and choose among sampled continuations."""
    generator = load("generate", run)
    show.note(PLAY)
    text, seed = "", options.seed
    offers: list[str] = []
    while (line := _typed(text)) is not None:
        chosen = line.isdigit() and 1 <= int(line) <= len(offers)
        text += offers[int(line) - 1] if chosen else line
        try:
            sampling = replace(options, length=length, n_samples=n_samples, seed=seed)
            offers = generator.write_many(text, **sampling.to_dict())
        except DataError as error:  # a mistyped character doesn't end the program
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
    """Print the prompt and its continuation as it is written; return the continuation."""
    print(prompt, end="", flush=True)
    pieces = []
    for piece in generator.stream(prompt, title=title, **options.to_dict()):
        print(piece, end="", flush=True)
        pieces.append(piece)
    print()
    return "".join(pieces)
