"""`gruworks translate`: fit, run, evaluate, check, score, tune, rescore, explain, play."""

from __future__ import annotations

import json
import math
import os
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gruworks.app.cli.common.fitting import fit_command, one_or_two
from gruworks.app.cli.common.flags import Debug, Json, Quiet, takes
from gruworks.app.cli.common.runs import load
from gruworks.app.cli.common.show import Show
from gruworks.errors import DataError
from gruworks.tasks.translate.config import Config, Options
from gruworks.training.runs import write_atomically

if TYPE_CHECKING:
    from gruworks.tasks.translate.decoding import Translation
    from gruworks.tasks.translate.estimator import Translator
    from gruworks.tasks.translate.evaluation import Evaluation

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)

Pairs = Annotated[
    list[Path],
    typer.Argument(
        metavar="PAIRS...", help="A .tsv, a .jsonl, a folder, or two line-aligned files.", show_default=False
    ),
]
Run = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run folder that `translate fit` wrote.", show_default=False)
]
AT_ONCE = 1024  # lines that are sorted by length together, where so many have come


@fit_command(
    app, "translate", Config, Pairs,
    validation_pairs=Annotated[
        list[Path] | None, typer.Option(help="Pairs to validate on; give it twice for two line-aligned files.")
    ],
)  # fmt: skip
def fitted(show: Show, translator: Translator, path: Path) -> dict[str, Any]:
    """Learn from sentence pairs; leave a run folder."""
    for warning in translator.fit_warnings:
        show.note(warning)
    facts = translator.metrics
    show.note(
        f"{facts['steps']} steps in {facts['minutes']:.1f} minutes, {facts['ended_by']}; validation perplexity "
        f"{math.exp(min(facts['best_loss'], 100)):.2f} at step {facts['best_step']}"
    )
    show.note(f"\nrun    {path}\nnext   echo ... | gruworks translate run {path}")
    return {"warnings": translator.fit_warnings, "metrics": facts}


@app.command("run")
@takes(Options, into="options")
def run(
    run: Run,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Lines to translate; else from stdin.")] = None,
    *,
    options: Options,
    ensemble: Annotated[
        list[Path] | None, typer.Option("--with", help="Another run over the same vocabulary, to average with.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Translate lines as they come: one line out for each line in, in order, empty ones kept.

    With --n-best each line gives several: its number, text and score with ||| between.
    """
    show = Show(as_json, quiet)
    translator = load("translate", run)
    others = [load("translate", path) for path in ensemble or []]
    number = 0
    told: set[str] = set()
    for lines in _from_file(file) if file is not None else _arriving(sys.stdin.fileno()):
        for found in translator.n_best(lines, ensemble=others, options=options):
            number += 1
            _print(found, number, options, as_json)
        sys.stdout.flush()
        for warning in translator.warnings:
            if warning not in told and not quiet:
                show.complain(warning)
                told.add(warning)


@app.command("evaluate")
@takes(Options, into="options")
def evaluate(
    run: Run,
    pairs: Pairs,
    *,
    options: Options,
    tokenize: Annotated[str, typer.Option(help="sacreBLEU's tokeniser: auto, 13a, zh, none, intl, char ...")] = "auto",
    out: Annotated[Path | None, typer.Option("--out", help="Folder to write evaluation.json to.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """BLEU and chrF on pairs that the fit has not seen, by length, with the worst sentences."""
    show = Show(as_json, quiet)
    result = load("translate", run).evaluate(one_or_two(pairs), tokenize=tokenize, options=options)
    if out is not None:
        text = json.dumps(result.to_dict(), indent=2, ensure_ascii=False) + "\n"
        write_atomically(out / "evaluation.json", text.encode())
    _show_evaluation(show, result)
    show.result(result.to_dict())


@app.command("score")
def score(run: Run, pairs: Pairs, as_json: Json = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """log p(target | source) of each pair in nats, a line a pair; of whole sentences or of phrases."""
    show = Show(as_json, quiet)
    values = load("translate", run).score(one_or_two(pairs))
    for value in values:
        show.answer(f"{value:.6f}")
    show.result({"log_probabilities": [value if math.isfinite(value) else None for value in values]})


@app.command("check")
@takes(Config)
def check(
    pairs: Pairs,
    *,
    config: Config,
    test: Annotated[list[Path] | None, typer.Option(help="Test pairs, whose overlap with the others is told.")] = None,
    shown: Annotated[int, typer.Option(help="Findings of each kind that are shown; --json has all.", min=0)] = 3,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Look at pairs as a fit would: what it drops, copies, turned pairs. Exit status 1 where there is something."""
    from gruworks.tasks.translate.checking import check_pairs
    from gruworks.tasks.translate.reading import read

    show = Show(as_json, quiet)
    given = [None if p is None else read(one_or_two(p), config.source, config.target) for p in (pairs, test)]
    assert given[0] is not None
    checked = check_pairs(given[0], config, given[1])
    counts = Counter(one.kind for one in checked.findings)
    show.table([{"what": kind, "pairs": count} for kind, count in counts.most_common()])
    for kind in counts:
        for one in [one for one in checked.findings if one.kind == kind][:shown]:
            show.note(f"pair {one.pair}, {kind}: {_short(one.source)} ||| {_short(one.target)}")
    sizes, means = checked.vocabulary, checked.lengths
    show.note(
        f"{checked.pairs} pairs, {sum(one.dropped for one in checked.findings)} of them to be dropped; {sizes[0]} and "
        f"{sizes[1]} subwords, {means[0]:.1f} and {means[1]:.1f} in a sentence"
    )
    facts = {"pairs": checked.pairs, "vocabulary": sizes, "lengths": means}
    show.result(facts | {"findings": [vars(one) for one in checked.findings]})
    if checked.findings:
        raise typer.Exit(1)


@app.command("tune")
@takes(Options, into="options")
def tune(
    run: Run,
    pairs: Pairs,
    *,
    options: Options,
    by: Annotated[
        list[Path], typer.Option("--by", help="A run whose scores choose; of the same direction or the opposite one.")
    ],
    lists: Annotated[int, typer.Option(help="Answers of each sentence that are ranked.", min=2)] = 20,
    tokenize: Annotated[str, typer.Option(help="sacreBLEU's tokeniser, as for evaluate.")] = "auto",
    out: Annotated[Path, typer.Option("--out", help="The file to write.")] = Path("reranker.json"),
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Weigh the scores of several runs so that RUN's n-best lists, ranked anew, give the best BLEU on these pairs.

    The pairs must be ones that no run was fitted on, such as a validation part. `rescore` then translates.
    """
    from gruworks.tasks.translate.reranking import Reranker

    show = Show(as_json, quiet)
    reranker = Reranker(run, by, replace(options, n_best=lists)).tune(one_or_two(pairs), tokenize)
    reranker.save(out)
    assert reranker.tuned is not None
    named = zip(reranker.features, reranker.weights, strict=True)
    show.table([{"feature": name, "weight": weight} for name, weight in named])
    bleu = reranker.tuned
    show.note(f"\nBLEU on these pairs  {bleu.before:.2f} by the search alone, {bleu.after:.2f} ranked anew")
    show.note(f"file   {out}\nnext   echo ... | gruworks translate rescore {out}")
    show.result({"file": str(out), "weights": list(reranker.weights), "bleu": vars(bleu)})


@app.command("rescore")
def rescore(
    reranker: Annotated[Path, typer.Argument(metavar="FILE", help="What `tune` wrote.", show_default=False)],
    file: Annotated[Path | None, typer.Argument(metavar="[LINES]", help="Lines to translate; else stdin.")] = None,
    debug: Debug = False,
) -> None:
    """Translate lines as `run` does, each answer the best of its n-best list by all runs that were weighed."""
    from gruworks.tasks.translate.reranking import Reranker

    chosen = Reranker.load(reranker)
    for lines in _from_file(file) if file is not None else _arriving(sys.stdin.fileno()):
        for text in chosen.translate(lines):
            print(text)
        sys.stdout.flush()


@app.command("explain")
@takes(Options, into="options")
def explain(
    run: Run,
    sentence: Annotated[str, typer.Argument(help="What to translate.", show_default=False)],
    *,
    options: Options,
    target: Annotated[str | None, typer.Option(help="Align this translation instead of the run's own.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for attention.png; RUN if not given.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Where each word of a translation looks: a picture, and the strongest link of each word."""
    from gruworks.plots.attention import draw_attention

    show = Show(as_json, quiet)
    shown = load("translate", run).explain(sentence, target, options=options)
    picture = draw_attention(shown.weights, shown.source, shown.target, (out or run) / "attention.png", shown.text)
    show.answer(shown.text)
    best = shown.weights.argmax(1)
    show.table(
        [
            {"written": written, "looks at": shown.source[best[t]], "weight": float(shown.weights[t, best[t]])}
            for t, written in enumerate(shown.target)
        ]
    )
    show.note(f"\npicture  {picture}")
    whole = {"text": shown.text, "source": shown.source, "target": shown.target, "weights": shown.weights.tolist()}
    show.result({**whole, "picture": str(picture)})


@app.command("play")
@takes(Options, into="options")
def play(run: Run, *, options: Options, debug: Debug = False) -> None:
    """Type a line, read its translation; an empty line or Ctrl-D ends."""
    show = Show()
    translator = load("translate", run)
    config = translator.config
    while True:
        try:
            line = input(f"{config.source}> ")
        except (EOFError, KeyboardInterrupt):
            break
        if not line.strip():
            break
        for found in translator.n_best([line], options=options)[0]:
            show.answer(f"{config.target}> {found.text}" + (f"   {found.score:.3f}" if options.n_best > 1 else ""))
        for warning in translator.warnings:
            show.note(warning)


def _print(found: list[Translation], number: int, options: Options, as_json: bool) -> None:
    """One line's answers on standard output."""
    if as_json:
        answers = [{"text": one.text, "score": one.score, "log_probability": one.log_probability} for one in found]
        print(json.dumps({"line": number, "answers": answers}, ensure_ascii=False))
    elif options.n_best > 1:
        for one in found:
            print(f"{number} ||| {one.text} ||| {one.score:.6f}")
    else:
        print(found[0].text)


def _from_file(file: Path) -> Iterator[list[str]]:
    from gruworks.tasks.translate.reading import read_lines

    lines = read_lines(file)
    for start in range(0, len(lines), AT_ONCE):
        yield lines[start : start + AT_ONCE]


def _arriving(stream: int) -> Iterator[list[str]]:
    """Lines of a file descriptor as they come: one where a person types, many where a file is fed."""
    number, rest = 0, b""
    while chunk := os.read(stream, 1 << 16):
        *lines, rest = (rest + chunk).split(b"\n")
        for start in range(0, len(lines), AT_ONCE):
            yield from _decoded(lines[start : start + AT_ONCE], number + 1)
            number += len(lines[start : start + AT_ONCE])
    if rest:
        yield from _decoded([rest], number + 1)


def _decoded(lines: list[bytes], first: int) -> Iterator[list[str]]:
    """The lines as text; where one isn't UTF-8, those before it come first."""
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
    show.table(
        [
            {"answers": "GRU", "BLEU": result.bleu, "chrF": result.chrf},
            {"answers": "the source, copied", "BLEU": result.copy_bleu, "chrF": result.copy_chrf},
        ]
    )
    show.note(f"\n{result.sentences} sentences; BLEU {result.bleu_signature}; chrF {result.chrf_signature}\n")
    if show.talks:
        show.table([{"source words": p.words, "sentences": p.sentences, "BLEU": p.bleu} for p in result.by_length])
        show.note("\nworst by chrF:")
    for one in result.worst:
        show.note(f"  {one.chrf:.1f}  {one.source}\n        wanted  {one.reference}\n        got     {one.answer}")


def _short(text: str, most: int = 60) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."
