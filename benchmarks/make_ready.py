"""The ready models of the package: a fitted run, made small, with a card that says data, licence, figures and limits.

    python benchmarks/make_ready.py seattle                     # fits it: seconds
    python benchmarks/make_ready.py verse RUN                   # of recipe_generate_tang.py
    python benchmarks/make_ready.py english-chinese RUN         # of recipe_translate_tatoeba.py
    python benchmarks/make_ready.py digits RUN                  # of recipe_transcribe_fsdd.py joined --out RUN

Weights are kept as float16, tables of 800,000 entries and more as 8-bit rows: on 600 sentences of Tatoeba's
validation part BLEU is 25.52 in float32, 25.51 in float16, 25.40 so.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import safetensors.numpy

from gruworks.tasks.ready import FOLDER, READY, Ready
from gruworks.training.packing import pack
from gruworks.training.runs import FORMAT, RunFolder, json_bytes

RESULTS = Path(__file__).parent / "results"
NAMED = ("config.json", "codec/codec.json", "metrics.json")

CARDS: dict[str, dict[str, object]] = {
    "seattle": {
        "data": "Seattle's weather 2012 to 2015, NOAA, as vega_datasets 0.9 brings it (seattle-weather.csv, temp_max)",
        "licence": "public domain",
        "figures": ("forecast_seattle", ["forecast/seattle-14/mae"]),
        "limits": "One place, four years. It takes other daily series too; the blending weight says how well.",
        "zh": {
            "about": "西雅图每日最高气温，未来 14 天",
            "limits": "只有一个地点、四年数据。也可预测其他日度序列，其可信程度由组合权重反映。",
        },
    },
    "verse": {
        "data": "34,585 Tang poems of pure form from github.com/chinese-poetry/chinese-poetry, traditional script",
        "licence": "MIT (the collection); the poems are in the public domain",
        "figures": (
            "generate_tang generate_verse",
            ["generate/tang/perplexity-ratio-kn5", "generate/verse-jueju5/compliance"],
        ),
        "limits": "Form is kept by rule, sense is not: lines are well made and often say little. It knows 5,872 signs.",
        "zh": {
            "about": "依全唐诗所学的近体诗（五绝、七绝、五律、七律）",
            "limits": "格律由规则保证，意思则不然：句子工整，常言之无物。识得 5,872 字。",
        },
    },
    "english-chinese": {
        "data": "19,222 English-Chinese sentence pairs of Tatoeba (ekinakyurek/lexical on GitHub)",
        "licence": "CC BY 2.0 FR, tatoeba.org",
        "figures": ("translate_en-zh", ["translate/tatoeba-en-zh/bleu-zh"]),
        "options": {"beam_size": 5, "length_penalty": 1.4},
        "limits": "Short everyday sentences. Names, numbers and long sentences come out wrong; both scripts are mixed.",
        "zh": {"about": "日常英语句子译成中文", "limits": "只宜简短的日常句子。人名、数字和长句多半译错；繁简混用。"},
    },
    "digits": {
        "data": "2,700 digits of six men at 8 kHz and 1,200 joins of them: Free Spoken Digit Dataset, indices 5 on",
        "licence": "CC BY-SA 4.0, github.com/Jakobovski/free-spoken-digit-dataset; the weights are shared alike",
        "figures": ("transcribe_fsdd", ["transcribe/digits-joined/der"]),
        "options": {"beam_size": 16, "lexicon_only": True, "lm_weight": 0.0},  # how that figure was measured
        "limits": "Six male voices in a quiet room; other voices and noise raise the errors a lot. It knows ten words.",
        "zh": {
            "about": "连续朗读的英语数字",
            "limits": "只听过六位男声在安静房间里的录音；换人或有噪声时错误大增。只认得十个词。",
        },
    },
}


def main() -> None:
    ready = {one.name: one for one in READY}
    if len(sys.argv) < 2 or sys.argv[1] not in ready:
        raise SystemExit(f"{__doc__}\nname one of: {', '.join(ready)}")
    one = ready[sys.argv[1]]
    if one.name == "seattle":
        with tempfile.TemporaryDirectory() as folder:
            ship(one, seattle(Path(folder) / "seattle"))
    else:
        ship(one, Path(sys.argv[2]))


def seattle(out: Path) -> Path:
    from vega_datasets import local_data

    from gruworks import Forecaster

    frame = local_data.seattle_weather()[["date", "temp_max"]]
    Forecaster(horizon=14, time="date", target="temp_max").fit(frame, out=out)
    return out


def ship(one: Ready, run: Path) -> None:
    """Write what a prediction needs of `run`, its weights packed and its names those of today, and the card."""
    made = RunFolder.open(run, one.task)
    weights = pack(made.read_arrays("weights.safetensors"))
    files = {name: json_bytes(made.read_json(name)) for name in NAMED} | {
        "context.safetensors": (run / "context.safetensors").read_bytes(),
        "weights.safetensors": safetensors.numpy.save(weights),
    }
    card = {"about": one.about} | CARDS[one.name] | {"figures": figures(*CARDS[one.name]["figures"])}
    data = made.facts["data"] | {"licence": CARDS[one.name]["licence"]}
    kept = {"format": FORMAT, "task": one.task, "versions": made.facts["versions"], "data": data}
    shutil.rmtree(one.path, ignore_errors=True)
    RunFolder(one.path, kept).finish(files | {"card.json": json_bytes(card)})
    whole = sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file())
    print(f"{one.path.name}: {sum(f.stat().st_size for f in one.path.rglob('*'))} bytes; all ready models {whole}")


def figures(files: str, ids: list[str]) -> list[dict[str, object]]:
    records = [r for name in files.split() for r in json.loads((RESULTS / f"{name}.json").read_text())]
    return [{key: r[key] for key in ("id", "value", "note") if key in r} for r in records if r["id"] in ids]


if __name__ == "__main__":
    main()
