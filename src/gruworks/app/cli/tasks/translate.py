"""`gruworks translate`: fit, run, evaluate, check, score, tune, rescore, explain, play."""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gruworks.app.cli.common.fitting import fit_command, one_or_two
from gruworks.app.cli.common.flags import ReportFolder, Run, command
from gruworks.app.cli.common.runs import load, report
from gruworks.app.cli.common.show import Show
from gruworks.errors import DataError
from gruworks.tasks.translate.config import Config, Options

if TYPE_CHECKING:
    from gruworks.tasks.translate.decoding import Translation
    from gruworks.tasks.translate.evaluation import Evaluation

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)

FORMS = "A table (.tsv, .csv), a .jsonl, a folder, or two line-aligned files."
Pairs = Annotated[list[Path], typer.Argument(metavar="PAIRS...", help=FORMS, show_default=False)]
Lines = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Lines to translate; else standard input.")]
Tokenize = Annotated[
    str, typer.Option(help="sacreBLEU's tokeniser: auto (by the language), 13a, zh, ja-mecab, char ...")
]
CHUNK = 1024  # lines that are sorted by length together
Validation = Annotated[
    list[Path] | None, typer.Option(help="Pairs to validate on; give it twice for two line-aligned files.")
]

fit_command(app, "translate", Pairs, validation_pairs=Validation)


@command(app)
def run(
    show: Show,
    run: Run,
    file: Lines = None,
    *,
    ensemble: Annotated[
        list[Path] | None, typer.Option("--with", help="Another run with the same vocabulary, for an ensemble.")
    ] = None,
    options: Options,
) -> None:
    """Translate lines as they arrive: one line out for each line in, in order, empty ones kept.

    With --n-best each line gives several: its number, text and score, separated by |||.
    """
    translator = load("translate", run)
    others = [load("translate", path) for path in ensemble or []]
    number = 0
    shown: set[str] = set()
    for lines in _chunks(file):
        for found in translator.n_best(lines, ensemble=others, options=options):
            number += 1
            _print(found, number, options, show.as_json)
        sys.stdout.flush()
        for warning in translator.warnings:
            if warning not in shown and not show.quiet:
                show.complain(warning)
                shown.add(warning)


@command(app)
def evaluate(
    show: Show, run: Run, pairs: Pairs, *, tokenize: Tokenize = "auto", out: ReportFolder = None, options: Options
) -> None:
    """BLEU and chrF on pairs that were not in the training data, by length, with the worst sentences."""
    result = load("translate", run).evaluate(one_or_two(pairs), tokenize=tokenize, options=options)
    _show_evaluation(show, result)
    report(show, result, out)


@command(app)
def score(show: Show, run: Run, pairs: Pairs) -> None:
    """Print log p(target | source) of each pair of sentences or phrases in nats, one a line."""
    values = load("translate", run).score(one_or_two(pairs))
    for value in values:
        show.answer(f"{value:.6f}")
    show.result({"log_probabilities": [value if math.isfinite(value) else None for value in values]})


@command(app)
def check(
    show: Show,
    pairs: Pairs,
    *,
    test: Annotated[list[Path] | None, typer.Option(help="Test pairs; reports what they share with PAIRS.")] = None,
    shown: Annotated[int, typer.Option(help="Findings of each kind to print; --json has all.", min=0)] = 3,
    config: Config,
) -> None:
    """Check pairs before a fit: dropped pairs, copies, shifted sides, faulty characters; exit status 1 with any."""
    from gruworks.tasks.translate.checking import check_pairs
    from gruworks.tasks.translate.reading import read

    names, given, told = (config.source, config.target), one_or_two(pairs), list[str]()
    learnt = read(given, *names, part="train", told=told)
    tested = read(one_or_two(test), *names) if test else read(given, *names, part="test")
    checked = check_pairs(learnt, config, tested)
    for line in told:
        show.note(line)
    counts = Counter(one.kind for one in checked.findings)
    show.table([{"what": kind, "pairs": count} for kind, count in counts.most_common()])
    for kind in counts:
        for one in [one for one in checked.findings if one.kind == kind][:shown]:
            show.note(f"pair {one.pair}, {kind}: {_short(one.source)} ||| {_short(one.target)}")
    sizes, means = checked.vocabulary, checked.lengths
    show.note(
        f"{checked.pairs} pairs, {sum(one.dropped for one in checked.findings)} of them to be dropped; vocabulary "
        f"sizes {sizes[0]} and {sizes[1]}, mean lengths {means[0]:.1f} and {means[1]:.1f} subwords"
    )
    facts = {"pairs": checked.pairs, "vocabulary": sizes, "lengths": means}
    show.result(facts | {"findings": [vars(one) for one in checked.findings]})
    if checked.findings:
        raise typer.Exit(1)


@command(app)
def tune(
    show: Show,
    run: Run,
    pairs: Pairs,
    *,
    by: Annotated[list[Path], typer.Option(help="A run to rerank with, of the same direction or the opposite one.")],
    lists: Annotated[int, typer.Option(help="Length of the n-best lists.", min=2)] = 20,
    tokenize: Tokenize = "auto",
    out: Annotated[Path, typer.Option(help="The file to write.")] = Path("reranker.json"),
    options: Options,
) -> None:
    """Find weights for the scores of several runs so that RUN's reranked n-best lists give the best BLEU on the pairs.

    The pairs must be ones that no run was fitted on, such as a validation part. `rescore` then translates.
    """
    from gruworks.tasks.translate.reranking import Reranker

    reranker = Reranker(run, by, replace(options, n_best=lists)).tune(one_or_two(pairs), tokenize)
    reranker.save(out)
    assert reranker.tuned is not None
    weights = zip(reranker.features, reranker.weights, strict=True)
    show.table([{"feature": name, "weight": weight} for name, weight in weights])
    bleu = reranker.tuned
    show.note(f"\nBLEU on these pairs  {bleu.before:.2f} by the search alone, {bleu.after:.2f} reranked")
    show.note(f"file   {out}\nnext   echo ... | gruworks translate rescore {out}")
    show.result({"file": str(out), "weights": list(reranker.weights), "bleu": vars(bleu)})


@command(app)
def rescore(
    reranker: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `tune` wrote.", show_default=False)],
    file: Lines = None,
) -> None:
    """Translate lines as `run` does, each by the best of its n-best list under the tuned weights."""
    from gruworks.tasks.translate.reranking import Reranker

    chosen = Reranker.load(reranker)
    for lines in _chunks(file):
        for text in chosen.translate(lines):
            print(text)
        sys.stdout.flush()


@command(app)
def explain(
    show: Show,
    run: Run,
    sentence: Annotated[str, typer.Argument(help="The source sentence.", show_default=False)],
    *,
    target: Annotated[str | None, typer.Option(help="Align this translation instead of the run's own.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for attention.png; RUN if not given.")] = None,
    options: Options,
) -> None:
    """Attention of a translation: a picture, and for each target word the source word with the largest weight."""
    from gruworks.plots.attention import draw_attention

    shown = load("translate", run).explain(sentence, target, options=options)
    picture = draw_attention(shown.weights, shown.source, shown.target, (out or run) / "attention.png", shown.text)
    show.answer(shown.text)
    best = shown.weights.argmax(1)
    links = zip(shown.target, best, shown.weights, strict=True)
    show.table([{"target": word, "source": shown.source[k], "weight": float(row[k])} for word, k, row in links])
    show.note(f"\npicture  {picture}")
    show.result(vars(shown) | {"weights": shown.weights.tolist(), "picture": str(picture)})


@command(app)
def play(run: Run, *, options: Options) -> None:
    """Translate each line that is typed; an empty line or Ctrl-D ends."""
    show, translator = Show(), load("translate", run)
    config = translator.config
    with contextlib.suppress(EOFError, KeyboardInterrupt):
        while line := input(f"{config.source}> ").strip():
            for found in translator.n_best([line], options=options)[0]:
                show.answer(f"{config.target}> {found.text}" + (f"   {found.score:.3f}" if options.n_best > 1 else ""))
            for warning in translator.warnings:
                show.note(warning)


def _print(found: list[Translation], number: int, options: Options, as_json: bool) -> None:
    """Print the translations of one line."""
    if as_json:
        answers = [{"text": one.text, "score": one.score, "log_probability": one.log_probability} for one in found]
        print(json.dumps({"line": number, "answers": answers}, ensure_ascii=False))
    elif options.n_best > 1:
        for one in found:
            print(f"{number} ||| {one.text} ||| {one.score:.6f}")
    else:
        print(found[0].text)


def _chunks(file: Path | None) -> Iterator[list[str]]:
    """Lines of a file, or of standard input as they arrive."""
    from gruworks.tasks.translate.reading import read_lines

    if file is None:
        yield from _arriving(sys.stdin.fileno())
        return
    lines = read_lines(file)
    for start in range(0, len(lines), CHUNK):
        yield lines[start : start + CHUNK]


def _arriving(stream: int) -> Iterator[list[str]]:
    """Lines of a file descriptor as they arrive: one where a person types, many from a pipe."""
    number, rest = 0, b""
    while chunk := os.read(stream, 1 << 16):
        *lines, rest = (rest + chunk).split(b"\n")
        for start in range(0, len(lines), CHUNK):
            yield from _decoded(lines[start : start + CHUNK], number + start + 1)
        number += len(lines)
    if rest:
        yield from _decoded([rest], number + 1)


def _decoded(lines: list[bytes], first: int) -> Iterator[list[str]]:
    """The lines as text. Those before one that is no UTF-8 are yielded before the error is raised."""
    from gruworks.tasks.translate.reading import decoded

    texts: list[str] = []
    try:
        for number, line in enumerate(lines, first):
            texts.append(decoded(line, f"standard input, line {number}"))
    except DataError:
        if texts:
            yield texts
        raise
    yield texts


def _show_evaluation(show: Show, result: Evaluation) -> None:
    rows = {"GRU": (result.bleu, result.chrf), "copied source": (result.copy_bleu, result.copy_chrf)}
    show.table([{"translation": name, "BLEU": bleu, "chrF": chrf} for name, (bleu, chrf) in rows.items()])
    show.note(f"\n{result.sentences} sentences; BLEU {result.bleu_signature}; chrF {result.chrf_signature}\n")
    if show.talks:
        show.table([{"source words": p.words, "sentences": p.sentences, "BLEU": p.bleu} for p in result.by_length])
        show.note("\nworst by chrF:")
    for one in result.worst:
        show.note(f"  {one.chrf:.1f}  {one.source}")
        show.note(f"        reference   {one.reference}\n        hypothesis  {one.answer}")


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
