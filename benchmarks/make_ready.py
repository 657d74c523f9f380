"""The ready models of the package: a fitted run, made small, with a card that says data, licence, figures and limits.

    python benchmarks/make_ready.py seattle                     # fits it: seconds
    python benchmarks/make_ready.py verse RUN                   # of recipe_generate_tang.py
    python benchmarks/make_ready.py english-chinese RUN         # of recipe_translate_tatoeba.py
    python benchmarks/make_ready.py digits RUN                  # of recipe_transcribe_fsdd.py joined --out RUN
    python benchmarks/make_ready.py NAME --card                 # its card alone, after a figure was recorded anew

Weights are kept as float16, tables of 800,000 entries and more as 8-bit rows: on 600 sentences of Tatoeba's
validation part BLEU was 25.52 in float32, 25.51 in float16, 25.40 so (model of 24 November).
"""

import hashlib
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
        "limits": "One place, four years. It can forecast other daily series too; the blending weight shows how much "
        "it improves on the naive forecast.",
        "zh": {
            "about": "西雅图每日最高气温，未来 14 天",
            "data": "西雅图 2012 至 2015 年的天气，NOAA，取自 vega_datasets 0.9（seattle-weather.csv 的 temp_max）",
            "licence": "公有领域",
            "limits": "只有一个地点、四年数据。也可预测其他日度序列，组合权重表明它比朴素预测改进多少。",
        },
    },
    "verse": {
        "data": "34,585 Tang poems of pure form from github.com/chinese-poetry/chinese-poetry, traditional script",
        "licence": "MIT (the collection); the poems are in the public domain",
        "figures": (
            "generate_tang generate_verse",
            ["generate/tang/perplexity-ratio-kn5", "generate/verse-jueju5/compliance"],
        ),
        "limits": "Constraints guarantee form, rhyme and tone pattern, but not meaning: lines are often incoherent. "
        "Vocabulary: 5,872 characters.",
        "zh": {
            "about": "依全唐诗所学的近体诗（五绝、七绝、五律、七律）",
            "data": "github.com/chinese-poetry/chinese-poetry 中格律完整的唐诗 34,585 首，繁体",
            "licence": "MIT（诗集整理）；诗作属公有领域",
            "limits": "格律由约束解码保证，语义则不然：诗句工整，但常常缺乏连贯的含义。词表含 5,872 个字。",
        },
    },
    "english-chinese": {
        "data": "19,222 English-Chinese sentence pairs of Tatoeba (ekinakyurek/lexical on GitHub)",
        "licence": "CC BY 2.0 FR, tatoeba.org",
        "figures": ("translate_en-zh", ["translate/tatoeba-en-zh/bleu-zh"]),
        "options": {"beam_size": 5, "length_penalty": 1.4},
        "limits": "Short everyday sentences. Names, numbers and long sentences are often translated wrongly. Learnt on "
        "simplified characters; other scripts are converted.",
        "zh": {
            "about": "日常英语句子译成中文",
            "data": "Tatoeba 的 19,222 对英中句子（GitHub 上的 ekinakyurek/lexical）",
            "licence": "CC BY 2.0 FR，tatoeba.org",
            "limits": "只适合简短的日常句子。人名、数字和长句常常译错。以简体字训练，繁体由转换得到。",
        },
    },
    "digits": {
        "data": "2,700 digits of six men at 8 kHz and 1,200 concatenations of them: "
        "Free Spoken Digit Dataset, indices 5 on",
        "licence": "CC BY-SA 4.0, github.com/Jakobovski/free-spoken-digit-dataset; the weights are shared alike",
        "figures": ("transcribe_fsdd", ["transcribe/digits-joined/der"]),
        "options": {"beam_size": 16, "lexicon_only": True, "lm_weight": 0.0},  # how that figure was measured
        "limits": "Trained on six male speakers in a quiet room; other speakers and noise raise the error rate "
        "considerably. The vocabulary is ten words.",
        "zh": {
            "about": "连续朗读的英语数字，边听边转写",
            "data": "六位男性的 2,700 个数字（8 kHz）及由其拼接的 1,200 段录音：Free Spoken Digit Dataset，编号 5 起",
            "licence": "CC BY-SA 4.0，github.com/Jakobovski/free-spoken-digit-dataset；模型权重以同样条款共享",
            "limits": "训练数据只有六位男性在安静环境中的录音；换说话人或有噪声时错误率明显升高。词表只有十个词。",
        },
    },
}


def main() -> None:
    ready = {one.name: one for one in READY}
    if len(sys.argv) < 2 or sys.argv[1] not in ready:
        raise SystemExit(f"{__doc__}\nname one of: {', '.join(ready)}")
    one = ready[sys.argv[1]]
    if sys.argv[2:] == ["--card"]:
        renew_card(one)
    elif one.name == "seattle":
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
    data = made.facts["data"] | {"licence": CARDS[one.name]["licence"]}
    kept = {"format": FORMAT, "task": one.task, "versions": made.facts["versions"], "data": data}
    shutil.rmtree(one.path, ignore_errors=True)
    RunFolder(one.path, kept).finish(files | {"card.json": card(one)})
    whole = sum(file.stat().st_size for file in FOLDER.rglob("*") if file.is_file())
    print(f"{one.path.name}: {sum(f.stat().st_size for f in one.path.rglob('*'))} bytes; all ready models {whole}")


def card(one: Ready) -> bytes:
    return json_bytes({"about": one.about} | CARDS[one.name] | {"figures": figures(*CARDS[one.name]["figures"])})


def renew_card(one: Ready) -> None:
    """Write the card and its sum in run.json, and nothing else."""
    facts = json.loads((one.path / "run.json").read_text(encoding="utf-8"))
    facts["sha256"]["card.json"] = hashlib.sha256(written := card(one)).hexdigest()
    (one.path / "card.json").write_bytes(written)
    (one.path / "run.json").write_bytes(json_bytes(facts))


def figures(files: str, ids: list[str]) -> list[dict[str, object]]:
    records = [r for name in files.split() for r in json.loads((RESULTS / f"{name}.json").read_text())]
    return [{key: r[key] for key in ("id", "value", "note") if key in r} for r in records if r["id"] in ids]


if __name__ == "__main__":
    main()
