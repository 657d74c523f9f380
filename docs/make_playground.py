"""What the playground needs, in docs/playground/build: ready models as WebAssembly, verse's rules, gates, a recording.

    python docs/make_playground.py

The models are compiled by zig; without it the playground has its gates alone, and says so. A recording of spoken
digits is added where the set fsdd is on this machine (`gruworks data fetch fsdd`, or $GRUWORKS_DATA).
"""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import numpy

from gruworks import Forecaster, Generator, Transcriber
from gruworks.data.catalogue import SETS, locate
from gruworks.interop.c.webassembly import compiler
from gruworks.lab.number_lines.next_number import next_number
from gruworks.ops.weights import GRUWeights
from gruworks.tasks import ready
from gruworks.tasks.exporting import export_c
from gruworks.tasks.generate.verse.constraint import VerseConstraint
from gruworks.tasks.generate.verse.forms import FORMS, VerseOptions

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/playground"
BUILD = PAGE / "build"
MODELS = ["seattle", "verse", "digits"]
NUMBERS = (1, 2, 3, 4, 5)
SPOKEN = ("3_jackson_0", "1_theo_1", "4_nicolas_2", "1_jackson_3", "5_theo_4")  # held out from training
PAUSE = 0.15  # seconds
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def build() -> list[str]:
    """Write what is missing or outdated; the names of the models that are there."""
    stamp, wanted, names = BUILD / "stamp", _stamp(), MODELS if compiler() else []
    if stamp.exists() and stamp.read_text() == wanted:
        there: list[str] = json.loads((BUILD / "models.json").read_text(encoding="utf-8"))["models"]
        if there or not names:
            return there
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir()
    _write("gates", gates())
    for name, make in zip(names, (seattle, verse, digits), strict=False):
        _write(name, make())
    _write("models", {"models": names, "files": sorted(_files())})
    stamp.write_text(wanted)
    return names


def seattle() -> dict[str, Any]:
    """The forecaster; its series, and its error on unseen rows beside that of the best naive rule."""
    forecaster = Forecaster.load(ready.find("forecast").path)
    _export(forecaster, "seattle", "float32")
    series, figure = forecaster.streams.history[0], ready.find("forecast").card()["figures"][0]
    naive = ast.literal_eval(figure["note"][figure["note"].index("{") : figure["note"].index("}") + 1])
    best = min(naive, key=naive.__getitem__)
    first = series.timestamps[0].astype("datetime64[D]")
    values = [round(float(value), 1) for value in series.y]
    return {
        "first": str(first),
        "values": values,
        "mae": round(figure["value"], 2),
        "naive": best,
        "naiveMae": naive[best],
    }


def verse() -> dict[str, Any]:
    """The generator; tones and rhyme groups of its tokens, and what each form asks of them."""
    generator = Generator.load(ready.find("generate").path)
    _export(generator, "verse", "int8")
    codec = generator.codec
    symbols, (newline,) = codec.vocabulary.symbols, codec.vocabulary.encode("\n").tolist()
    rules = {name: VerseConstraint(VerseOptions(form=name), symbols, newline, codec.end) for name in FORMS}
    return rule_table(rules) | {"first": codec.first, "title": codec.context("月").tolist()[-1]}


def rule_table(rules: dict[str, VerseConstraint]) -> dict[str, Any]:
    """The constraints of forms over one vocabulary as JSON; a token's tone is "-" where it isn't a character."""
    one = next(iter(rules.values()))
    tones = "".join(str(tone) if known else "-" for tone, known in zip(one._tones, one._allowed[0], strict=True))
    forms = {
        name: {
            "lines": rule.form.lines, "length": rule.form.length, "wants": rule._wants.tolist(),
            "possible": rule._possible.tolist(), "viable": rule._viable.tolist(), "rhymed": rule._rhymed.tolist(),
        }
        for name, rule in rules.items()
    }  # fmt: skip
    return {"tones": tones, "groups": one._groups.tolist(), "newline": one.newline, "end": one.end, "forms": forms}


def digits() -> dict[str, Any]:
    """The transcriber; its sample rate, and the text of the recording where there is one."""
    transcriber = Transcriber.load(ready.find("transcribe").path)
    _export(transcriber, "digits", "int8")
    return {"rate": transcriber.codec.rate, "spoken": _recording()}


def gates() -> dict[str, Any]:
    """The unit that was trained on other number lines: weights with one bias a gate, and its prediction."""
    found = next_number(NUMBERS)
    weights: GRUWeights = found.trained.unit.gru.weights()
    readout = found.trained.unit.readout
    arrays = {"input": weights.w_ih[:, 0], "recurrent": weights.w_hh, "bias": weights.b_ih + weights.b_hh}
    arrays |= {"readout": readout.weight[0], "readoutBias": readout.bias[0]}
    numbers = {name: one.detach().tolist() for name, one in arrays.items()}
    return numbers | {
        "shift": found.frame.shift,
        "scale": found.frame.scale,
        "numbers": NUMBERS,
        "answer": found.answer,
    }


def _export(estimator: Any, name: str, precision: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = export_c(estimator, folder, name, precision, check=False, wasm=True).files
        (BUILD / name).mkdir()
        for file in files:
            if file.suffix not in (".c", ".h"):
                shutil.copyfile(file, BUILD / name / file.name)


def _recording() -> str:
    """Write spoken.wav and return its text; "" without the data."""
    import soundfile

    path = locate(SETS["fsdd"].files[0])
    if path is None:
        return ""
    with tarfile.open(path) as archive:
        sounds = [archive.extractfile(f"recordings/{name}.wav") for name in SPOKEN]
        pieces, (rate, *_) = zip(*(soundfile.read(sound, dtype="int16") for sound in sounds), strict=True)
    pause = numpy.zeros(int(PAUSE * rate), numpy.int16)
    joined = numpy.concatenate([part for piece in pieces for part in (pause, piece)] + [pause])
    soundfile.write(BUILD / "spoken.wav", joined, rate)
    return " ".join(WORDS[int(name[0])] for name in SPOKEN)


def _write(name: str, content: dict[str, Any]) -> None:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    (BUILD / f"{name}.json").write_text(text, encoding="utf-8")


def _files() -> list[str]:
    return [
        one.relative_to(PAGE).as_posix() for one in BUILD.rglob("*") if one.suffix in (".js", ".json", ".wasm", ".wav")
    ]


def _stamp() -> str:
    """A sum over what the build is made from."""
    source = ROOT / "src/gruworks"
    files = [Path(__file__), *source.glob("interop/c/**/*.*"), *source.glob("ready/*/run.json")]
    found = hashlib.sha256(str(locate(SETS["fsdd"].files[0])).encode())
    for file in sorted(one for one in files if one.suffix in (".py", ".c", ".js", ".json")):
        found.update(file.read_bytes())
    return found.hexdigest()


if __name__ == "__main__":
    there = build()
    size = sum(file.stat().st_size for file in BUILD.rglob("*") if file.is_file())
    print(f"{BUILD.relative_to(ROOT)}: {', '.join(there) or 'gates only'}, {size:,} bytes")
    if not there:
        sys.exit("the models are compiled by zig: pip install ziglang, or make playground")
