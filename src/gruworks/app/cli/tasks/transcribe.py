"""`gruworks transcribe`: fit, run, evaluate, check, align, language, live."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gruworks.app.cli.common.fitting import fit_command
from gruworks.app.cli.common.flags import Debug, Json, Quiet, takes
from gruworks.app.cli.common.runs import load
from gruworks.app.cli.common.show import Show
from gruworks.errors import OptionError, require
from gruworks.tasks.transcribe.config import Config, Options
from gruworks.training.runs import write_atomically

if TYPE_CHECKING:
    from gruworks.tasks.transcribe.decoding import Transcript
    from gruworks.tasks.transcribe.estimator import Transcriber
    from gruworks.tasks.transcribe.evaluation import Evaluation

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)

Manifest = Annotated[
    Path,
    typer.Argument(
        metavar="MANIFEST",
        help="A folder of recordings with .txt beside them, a .csv, .tsv or .jsonl, or a Kaldi directory.",
        show_default=False,
    ),
]
Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run folder that `transcribe fit` wrote.")]
OutFile = Annotated[Path | None, typer.Option("--out", help="Folder to write the answers to.")]
Arpa = Annotated[
    Path | None,
    typer.Option(
        "--arpa", help="A language model to search with in place of that of the transcripts; needs --beam-size."
    ),
]
Form = Literal["text", "srt", "vtt"]
LIVE_CHUNK = 0.1  # seconds


@fit_command(app, "transcribe", Config, Manifest)
def fitted(show: Show, transcriber: Transcriber, path: Path) -> dict[str, Any]:
    """Learn from recordings with transcripts; leave a run folder."""
    for warning in transcriber.fit_warnings:
        show.note(warning)
    metrics = transcriber.metrics
    show.note(f"{metrics['steps']} steps in {metrics['minutes']:.1f} minutes: {metrics['ended_by']}")
    show.note(f"\nrun    {path}\nnext   gruworks transcribe run {path} FILE")
    return {"warnings": transcriber.fit_warnings, "metrics": metrics}


@app.command("run")
@takes(Options, into="options")
def run(
    folder: Run,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Recordings to transcribe.")],
    *,
    options: Options,
    form: Annotated[Form, typer.Option("--format", help="What is printed or written.")] = "text",
    arpa: Arpa = None,
    out: OutFile = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Transcribe recordings: text, or subtitles."""
    show = Show(as_json, quiet)
    transcriber = _loaded(folder, arpa, options)
    results = []
    for file in files:
        found = transcriber.transcribe(file, **options.to_dict())
        text = _shaped(found, form)
        if out is not None:
            path = out / f"{file.stem}.{'txt' if form == 'text' else form}"
            write_atomically(path, text.encode())
            show.note(f"{file} → {path}")
        else:
            show.answer(text.rstrip() if len(files) == 1 or form != "text" else f"{file}: {text.rstrip()}")
            for other in found.alternatives:
                show.note(f"    or  {other}")
        results.append({"file": str(file), **found.to_dict()})
    show.result({"transcripts": results})


@app.command("evaluate")
@takes(Options, into="options")
def evaluate(
    folder: Run,
    manifest: Manifest,
    *,
    options: Options,
    arpa: Arpa = None,
    out: OutFile = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Word and character error rates over a manifest, with the worst utterances."""
    show = Show(as_json, quiet)
    result = _loaded(folder, arpa, options).evaluate(manifest, **options.to_dict())
    if out is not None:
        write_atomically(out / "evaluation.json", (json.dumps(result.to_dict(), indent=2) + "\n").encode())
    _show_evaluation(show, result)
    show.result(result.to_dict())


@app.command("check")
@takes(Config)
def check(
    manifest: Manifest,
    *,
    config: Config,
    test: Annotated[Path | None, typer.Option(help="A test manifest, whose overlap with the first is told.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Find what is wrong with a manifest before a fit; exit status 1 where there is something."""
    show = Show(as_json, quiet)
    checking = require("gruworks.tasks.transcribe.checking", extra="transcribe")
    read = require("gruworks.tasks.transcribe.manifest", extra="transcribe").read_manifest
    utterances = read(manifest)
    findings = checking.check_manifest(utterances, config, read(test) if test is not None else ())
    show.table([{"where": one.where, "kind": one.kind, "what": one.what} for one in findings])
    show.note(f"{len(utterances)} recordings, {len(findings)} findings")
    show.result({"recordings": len(utterances), "findings": [vars(one) for one in findings]})
    if findings:
        raise typer.Exit(1)


@app.command("align")
def align(
    folder: Run,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is said in it.")],
    *,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Where each word of a known text stands in a recording."""
    show = Show(as_json, quiet)
    words = load("transcribe", folder).align(file, text)
    columns = ("text", "start", "end", "confidence")
    show.table([{name: getattr(word, name) for name in columns} for word in words])
    show.result({"file": str(file), "words": [vars(word) for word in words]})


@app.command("language")
def language(
    folder: Run,
    *,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The ARPA file to write.")],
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Write the language model of a run's transcripts as an ARPA file."""
    show = Show(as_json, quiet)
    transcriber = load("transcribe", folder)
    path = transcriber.write_language(out)
    words, order = len(transcriber.language.numbers), transcriber.language.order
    show.note(f"{words} words, n-grams up to {order} → {path}")
    show.result({"file": str(path), "words": words, "order": order})


@app.command("live")
@takes(Options, into="options")
def live(
    folder: Run,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Play this file instead of listening.")] = None,
    *,
    options: Options,
    arpa: Arpa = None,
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Transcribe while hearing: from the microphone, or from a file that is played in pieces of 100 ms."""
    show = Show(as_json, quiet)
    transcriber = _loaded(folder, arpa, options)
    stream = transcriber.stream(**options.to_dict())
    rate = transcriber.codec.rate if transcriber.codec else None
    if rate is None:
        raise OptionError(f"{folder} was fitted on given features: there is no sound it could listen to")
    heard, seconds, delays = "", 0.0, []
    for piece in _microphone(rate) if file is None else _played(file, rate):
        begun = time.perf_counter()
        update = stream.accept(piece)
        delays.append(time.perf_counter() - begun)
        seconds += len(piece) / rate
        if update.final:
            show.answer(update.final)
        elif update.partial and update.partial != heard:
            show.note(f"… {update.partial}")
        heard = update.partial
    last = stream.finish()
    if last.final:
        show.answer(last.final)
    delays.sort()
    slowest = 1000 * delays[min(len(delays) - 1, int(0.95 * len(delays)))]
    show.note(
        f"{seconds:.1f} s heard; 95 % of the pieces took at most {slowest:.1f} ms; "
        f"a sound is answered {1000 * transcriber.latency:.0f} ms after it at the earliest"
    )
    segments = [one.to_dict() for one in stream.segments]
    show.result({"segments": segments, "seconds": seconds, "milliseconds_p95": slowest, "latency": transcriber.latency})


def _loaded(folder: Path, arpa: Path | None, options: Options) -> Any:
    """A run, with the language model that it is to search with."""
    transcriber = load("transcribe", folder)
    if arpa is not None:
        if options.beam_size == 1 or not options.lm_weight:
            raise OptionError("--arpa needs a beam and a weight for the language model: --beam-size 16 --lm-weight 0.5")
        transcriber.use_language(arpa)
    return transcriber


def _played(file: Path, rate: int) -> Iterator[Any]:
    blocks = require("gruworks.tasks.transcribe.audio", extra="transcribe").blocks
    size = round(LIVE_CHUNK * rate)
    for block in blocks(file, rate):
        for first in range(0, len(block), size):
            yield block[first : first + size]


def _microphone(rate: int) -> Iterator[Any]:
    """Pieces of the default microphone until Ctrl-C."""
    try:
        sounddevice = require("sounddevice", extra="live")
    except OSError as error:  # the package is there and the system's PortAudio is not
        raise OptionError(f"no microphone can be used ({error}): name a file, or install PortAudio") from error
    size = round(LIVE_CHUNK * rate)
    try:
        with sounddevice.InputStream(samplerate=rate, channels=1, dtype="float32", blocksize=size) as source:
            while True:
                yield source.read(size)[0][:, 0]
    except sounddevice.PortAudioError as error:
        raise OptionError(f"no microphone can be used ({error}): name a file to play instead") from error
    except KeyboardInterrupt:
        return


def _shaped(found: Transcript, form: str) -> str:
    if form == "text":
        return found.text + "\n"
    report = require("gruworks.tasks.transcribe.report", extra="transcribe")
    return str(getattr(report, form)(found))


def _show_evaluation(show: Show, result: Evaluation) -> None:
    low, high = result.interval
    show.table(
        [
            {"": "words wrong (WER)", "%": 100 * result.wer},
            {"": "characters wrong (CER)", "%": 100 * result.cer},
            {"": "utterances right", "%": 100 * result.exact},
            {"": "always the commonest transcript (WER)", "%": 100 * result.baseline},
            {"": "words that the fit never saw", "%": 100 * result.unknown},
        ]
    )
    show.note(
        f"\n{result.utterances} utterances, {result.words} words: {result.substitutions} substituted, "
        f"{result.deletions} deleted, {result.insertions} inserted; 95 % of redrawn sets lie between "
        f"{100 * low:.1f} and {100 * high:.1f} % WER; {result.real_time_factor:.3f} s for a second of sound"
        + ("" if result.peak_memory is None else f"; {result.peak_memory:.0f} MB at most")
    )
    wait = result.latency
    if wait is not None:
        show.note(
            f"streamed in pieces of 100 ms, {wait.utterances} utterances: the first text comes {wait.first_p50:.2f} s "
            f"after the first word begins ({wait.first_p95:.2f} s for 95 %), the final one {1000 * wait.final_p50:.0f} "
            f"ms after the recording ends ({1000 * wait.final_p95:.0f} ms)"
        )
    for name, rate in sorted(result.speakers.items(), key=lambda one: -one[1])[:10]:
        show.note(f"{name}: {100 * rate:.1f} % of the words wrong")
    for one in result.worst[:5]:
        show.note(f"\n{one.where}\n    said   {' '.join(one.reference)}\n    heard  {' '.join(one.answer)}")
    for said, heard, count in result.confused[:5]:
        show.note(f"{count} times {said!r} was heard as {heard!r}")
    for warning in result.warnings:
        show.note(warning)
