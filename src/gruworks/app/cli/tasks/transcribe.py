"""`gruworks transcribe`: fit, run, evaluate, check, align, language, live."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from gruworks.app.cli.common.fitting import fit_command
from gruworks.app.cli.common.flags import ReportFolder, Run, command
from gruworks.app.cli.common.runs import load, report
from gruworks.app.cli.common.show import Show
from gruworks.errors import DataError, OptionError, require
from gruworks.tasks.transcribe.config import Config, Options
from gruworks.training.runs import write_atomically

if TYPE_CHECKING:
    from gruworks.tasks.transcribe.decoding import Transcript
    from gruworks.tasks.transcribe.evaluation import Evaluation

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True)

FORMS = "A folder of recordings and transcripts, a .csv, .tsv or .jsonl, or a Kaldi directory."
Manifest = Annotated[Path, typer.Argument(metavar="MANIFEST", help=FORMS, show_default=False)]
Arpa = Annotated[
    Path | None, typer.Option(help="Language model to search with in place of the run's own; needs --beam-size.")
]
Form = Literal["text", "srt", "vtt"]
LEFT_OUT = "part; left out: "  # in a line about the other parts of a folder, which is no finding
LIVE_CHUNK = 0.1  # seconds

Validation = Annotated[Path | None, typer.Option(help="Manifest to validate on, in place of a part of MANIFEST.")]

fit_command(app, "transcribe", Manifest, validation_manifest=Validation)


@command(app)
def run(
    show: Show,
    folder: Run,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Recordings to transcribe.")],
    *,
    form: Annotated[Form, typer.Option("--format", help="Format of the output.")] = "text",
    arpa: Arpa = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write the transcripts to.")] = None,
    options: Options,
) -> None:
    """Transcribe recordings: text, or subtitles."""
    transcriber = _loaded(folder, arpa, options)
    paths = _outputs(files, out, "txt" if form == "text" else form) if out is not None else {}
    results: list[dict[str, Any]] = []
    failed = 0
    for file in files:
        try:
            found = transcriber.transcribe(file, **options.to_dict())
        except DataError as error:  # of one file; the others are transcribed
            if len(files) == 1:
                raise
            show.complain(str(error))
            results.append({"file": str(file), "error": str(error)})
            failed += 1
            continue
        text = _formatted(found, form)
        if out is not None:
            write_atomically(paths[file], text.encode())
            show.note(f"{file} → {paths[file]}")
        else:
            _print(show, file, text.rstrip("\n"), form, several=len(files) > 1)
            for other in found.alternatives:
                show.note(f"    or  {other}")
        results.append({"file": str(file), **found.to_dict()})
    show.result({"transcripts": results})
    if failed:
        show.complain(f"{failed} of {len(files)} recordings could not be transcribed")
        raise typer.Exit(2)


@command(app)
def evaluate(
    show: Show, folder: Run, manifest: Manifest, *, arpa: Arpa = None, out: ReportFolder = None, options: Options
) -> None:
    """Word and character error rates over a manifest, with the worst utterances."""
    result = _loaded(folder, arpa, options).evaluate(manifest, **options.to_dict())
    _show_evaluation(show, result)
    report(show, result, out)


@command(app)
def check(
    show: Show,
    manifest: Manifest,
    *,
    test: Annotated[Path | None, typer.Option(help="A test manifest; reports what it shares with the first.")] = None,
    config: Config,
) -> None:
    """Check a manifest for errors before a fit; exit status 1 where there are findings."""
    checking = require("gruworks.tasks.transcribe.checking", extra="transcribe")
    manifests, told = require("gruworks.tasks.transcribe.manifest", extra="transcribe"), list[str]()
    names = manifests.Names(config.audio, config.text)
    read = functools.partial(manifests.read_manifest, names=names)
    utterances = read(manifest, part="train", told=told)
    tested = read(manifest, part="test") if test is None else read(test)
    for line in told:
        show.note(line)
    findings = checking.check_manifest(utterances, config, tested, [line for line in told if LEFT_OUT not in line])
    show.table([{"where": one.where, "kind": one.kind, "what": one.what} for one in findings])
    show.note(f"{len(utterances)} recordings, {len(findings)} findings")
    show.result({"recordings": len(utterances), "findings": [vars(one) for one in findings]})
    if findings:
        raise typer.Exit(1)


@command(app)
def align(
    show: Show,
    folder: Run,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Its transcript.")],
) -> None:
    """Forced alignment: start and end of each word of a known transcript in a recording."""
    words = load("transcribe", folder).align(file, text)
    columns = ("text", "start", "end", "confidence")
    show.table([{name: getattr(word, name) for name in columns} for word in words])
    show.result({"file": str(file), "words": [vars(word) for word in words]})


@command(app)
def language(
    show: Show, folder: Run, *, out: Annotated[Path, typer.Option(metavar="FILE", help="The ARPA file to write.")]
) -> None:
    """Write the language model of a run's transcripts as an ARPA file."""
    transcriber = load("transcribe", folder)
    path = transcriber.write_language(out)
    words, order = len(transcriber.language.numbers), transcriber.language.order
    show.note(f"{words} words, n-grams up to {order} → {path}")
    show.result({"file": str(path), "words": words, "order": order})


@command(app)
def live(
    show: Show,
    folder: Run,
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Play this file, not the microphone.")] = None,
    *,
    arpa: Arpa = None,
    options: Options,
) -> None:
    """Transcribe a running stream: from the microphone, or from a file in pieces of 100 ms."""
    transcriber = _loaded(folder, arpa, options)
    stream = transcriber.stream(**options.to_dict())
    rate = transcriber.codec.rate if transcriber.codec else None
    if rate is None:
        raise OptionError(f"{folder} was fitted on given features and can't read audio: use a run fitted on recordings")
    partial, seconds, delays = "", 0.0, []
    for piece in _microphone(rate) if file is None else _played(file, rate):
        begun = time.perf_counter()
        update = stream.accept(piece)
        delays.append(time.perf_counter() - begun)
        seconds += len(piece) / rate
        if update.final:
            show.answer(update.final)
        elif update.partial and update.partial != partial:
            show.note(f"… {update.partial}")
        partial = update.partial
    last = stream.finish()
    if last.final:
        show.answer(last.final)
    delays.sort()
    slowest = 1000 * delays[min(len(delays) - 1, int(0.95 * len(delays)))]
    show.note(
        f"{seconds:.1f} s of audio; processing time of a piece, 95th percentile: {slowest:.1f} ms; "
        f"algorithmic latency: {1000 * transcriber.latency:.0f} ms"
    )
    segments = [one.to_dict() for one in stream.segments]
    show.result({"segments": segments, "seconds": seconds, "milliseconds_p95": slowest, "latency": transcriber.latency})


def _outputs(files: list[Path], out: Path, suffix: str) -> dict[Path, Path]:
    """A file in `out` for each recording: by its name, with its suffix or folder where names are equal."""
    forms = (
        lambda file: file.stem,
        lambda file: file.name,
        lambda file: "_".join([*file.absolute().parts[-2:-1], file.name]),
        lambda file: "_".join(file.absolute().parts[1:]),
    )
    distinct = list(dict.fromkeys(files))
    for form in forms:
        names = [form(file) for file in distinct]
        if len({name.lower() for name in names}) == len(names):
            break
    return {file: out / f"{name}.{suffix}" for file, name in zip(distinct, names, strict=True)}


def _print(show: Show, file: Path, text: str, form: str, several: bool) -> None:
    """Print a transcript, after the name of its recording where there are several."""
    if several and form == "text":
        show.answer(f"{file}: {text}")
        return
    if several:
        show.answer(f"# {file}" if form == "srt" else f"NOTE {file}\n")
    show.answer(text)


def _loaded(folder: Path, arpa: Path | None, options: Options) -> Any:
    """A run, with another language model where one is given."""
    transcriber = load("transcribe", folder)
    if arpa is not None:
        if options.beam_size == 1 or not options.lm_weight:
            raise OptionError("--arpa needs a beam search with a language model: add --beam-size 16 --lm-weight 0.5")
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
    except OSError as error:  # the package is installed, the system's PortAudio is not
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


def _formatted(found: Transcript, form: str) -> str:
    if form == "text":
        return found.text + "\n"
    report = require("gruworks.tasks.transcribe.report", extra="transcribe")
    return str(getattr(report, form)(found))


def _show_evaluation(show: Show, result: Evaluation) -> None:
    low, high = result.interval
    rates = {
        "word error rate (WER)": result.wer,
        "character error rate (CER)": result.cer,
        "utterances without error": result.exact,
        "WER of the most frequent transcript": result.baseline,
        "out-of-vocabulary words": result.unknown,
    }
    show.table([{"": name, "%": 100 * rate} for name, rate in rates.items()])
    show.note(
        f"\n{result.utterances} utterances, {result.words} words: {result.substitutions} substituted, "
        f"{result.deletions} deleted, {result.insertions} inserted; 95 % bootstrap interval of the WER: "
        f"{100 * low:.1f} to {100 * high:.1f} %; real-time factor {result.real_time_factor:.3f}"
        + ("" if result.peak_memory is None else f"; peak memory {result.peak_memory:.0f} MB")
    )
    wait = result.latency
    if wait is not None:
        show.note(
            f"streamed in pieces of 100 ms, {wait.utterances} utterances: first text {wait.first_p50:.2f} s after the "
            f"first word begins (95th percentile {wait.first_p95:.2f} s), final text {1000 * wait.final_p50:.0f} ms "
            f"after the recording ends (95th percentile {1000 * wait.final_p95:.0f} ms)"
        )
    for name, rate in sorted(result.speakers.items(), key=lambda one: -one[1])[:10]:
        show.note(f"{name}: WER {100 * rate:.1f} %")
    for one in result.worst[:5]:
        show.note(f"\n{one.where}\n    reference   {' '.join(one.reference)}\n    hypothesis  {' '.join(one.answer)}")
    for reference, hypothesis, count in result.confused[:5]:
        show.note(f"{reference!r} recognised as {hypothesis!r}: {count} times")
    for warning in result.warnings:
        show.note(warning)
