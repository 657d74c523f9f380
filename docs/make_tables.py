"""Tables of measured figures, from benchmarks/results, in English and Chinese, under the names of docs/names.toml."""

from __future__ import annotations

import dataclasses
import functools
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
RESULTS = DOCS.parent / "benchmarks/results"
ENGINES = ("gruworks", "kernel", "torch", "onnxruntime", "jax", "onednn")
PRECISIONS = ("float32", "bfloat16", "int8")
MARKS = "*†‡§"
Record = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Name:
    """Names of the figures that a pattern fits, English and Chinese."""

    pattern: str
    form: str
    texts: tuple[str, str]
    compared: tuple[str, str] = ("", "")


@functools.cache
def records() -> dict[str, Record]:
    """The records of benchmarks/results by their ids."""
    files = sorted(RESULTS.glob("*.json"))
    return {one["id"]: one for path in files for one in json.loads(path.read_text(encoding="utf-8"))}


@functools.cache
def names() -> dict[str, Any]:
    """Content of names.toml: words, subjects with their figures, grids."""
    return tomllib.loads((DOCS / "names.toml").read_text(encoding="utf-8"))


@functools.cache
def figures_of(subject: int) -> list[Name]:
    rows = names()["subject"][subject]["figures"]
    return [Name(row[0], row[1], (row[2], row[3]), tuple(row[4:6]) or ("", "")) for row in rows]


@functools.cache
def found(figure: str) -> tuple[int, int, Name] | None:
    """Subject, place in it and name of a figure; None without a name."""
    for subject in range(len(names()["subject"])):
        for number, name in enumerate(figures_of(subject)):
            if re.fullmatch(name.pattern, figure):
                return subject, number, name
    return None


def word(text: str | None, chinese: bool, grid: str = "") -> str:
    """A group of an id in words; itself where names.toml has none."""
    words = names()["words"]
    known = words.get(f"{grid}:{text or ''}", words.get(text or ""))
    return known[chinese] if known else str(text)


def say(record: Record, chinese: bool) -> str:
    """The name of a figure."""
    named = found(record["id"])
    match = re.fullmatch(named[2].pattern, record["id"]) if named else None
    if named is None or match is None:
        return f"`{record['id']}`"
    groups = match.groupdict()
    return named[2].texts[chinese].format(**record | {key: word(text, chinese) for key, text in groups.items()})


def value(record: Record, chinese: bool) -> str:
    """The value of a figure with its unit, its spread and its number of seeds."""
    named = found(record["id"])
    form, _, unit = (named[2].form if named else ".4g").partition(" ")
    text = number(record["value"], form)
    spread = record.get("spread")
    if spread:
        text += f" ± {number(spread, form)}"
    text = text.replace("%", " %") + (f" {word(unit, chinese)}" if unit else "")
    if record.get("seeds", 1) > 1:
        text += f"（{record['seeds']} 个种子）" if chinese else f" ({record['seeds']} seeds)"
    return text


def number(value: float, form: str) -> str:
    """A number in Python's format, without an exponent where it is large."""
    return format(value, ",.0f" if form.endswith("g") and abs(value) >= 1000 else form)


def compared(record: Record, chinese: bool) -> str:
    """What a figure is compared with."""
    named = found(record["id"])
    text = named[2].compared[chinese] if named else ""
    if "{baseline" in text and not isinstance(record.get("baseline"), int | float):
        return ""
    return text.format(**record).replace("%", " %").replace("  %", " %")


def chosen(patterns: str) -> list[Record]:
    """The records whose ids begin with a match of one of the patterns (commas between), in the order of names.toml."""
    rows = []
    for pattern in patterns.split(","):
        fits = [one for figure, one in records().items() if re.match(pattern, figure) and one not in rows]
        rows += sorted(fits, key=place)
    return rows


def place(record: Record) -> tuple[int, int, list[int]]:
    """Subject and place in it of a figure, the last without a name; the numbers of its id."""
    subject, number, _ = found(record["id"]) or (len(names()["subject"]), 0, None)
    return subject, number, [int(digits) for digits in re.findall(r"\d+", record["id"])]


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    titles = list(head)
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def figures(patterns: str, chinese: bool) -> str:
    """The measured figures whose ids fit, what they are compared with, and their processors."""
    rows = chosen(patterns)
    if not rows:
        return "尚未测量。" if chinese else "Not measured yet."
    marks = _marks(rows)
    cells = [[say(one, chinese) + marks[one["machine"]], value(one, chinese), compared(one, chinese)] for one in rows]
    head = ["指标", "测得", "对照"] if chinese else ["measured", "value", "compared with"]
    width = 3 if any(row[2] for row in cells) else 2
    return f"{table(head[:width], [row[:width] for row in cells])}\n\n{source(rows, marks, chinese)}"


def _marks(rows: list[Record]) -> dict[str, str]:
    """A mark for each processor but the most frequent one."""
    machines = [one["machine"] for one in rows]
    order = sorted(dict.fromkeys(machines), key=lambda machine: -machines.count(machine))
    return {machine: f" {MARKS[place - 1]}" if place else "" for place, machine in enumerate(order)}


def source(rows: list[Record], marks: dict[str, str], chinese: bool) -> str:
    """The processors of a table, and the way to the full records."""
    subject = place(rows[0])[0]
    title = names()["subject"][subject]["zh" if chinese else "en"]
    anchor = title.lower().replace(" ", "-")
    machines = [f"{mark.strip()} {processor(machine, chinese)}".strip() for machine, mark in marks.items()]
    if chinese:
        return f"处理器：{'；'.join(machines)}。完整记录：[全部数据](figures.zh-CN.md#{anchor})。"
    return f"Processor: {'; '.join(machines)}. Full records: [all figures](figures.md#{anchor})."


def processor(machine: str, chinese: bool) -> str:
    """The processor of a record as the tables name it."""
    machine = machine.replace("build avx512", "AVX-512")
    return re.sub(r"(\d+) cores", r"\1 核", machine).replace(", ", "，") if chinese else machine


def grid(name: str, chinese: bool) -> str:
    """A table over two groups of an id, described in names.toml."""
    pattern, content, corner, corner_zh, *labels = names()["grids"][name]
    row_label, column_label = labels[chinese], labels[2 + chinese]
    fields: dict[str, dict[str, str]] = {}
    used = []
    for match, one in _matches(pattern):
        used.append(one)
        groups = {key: word(text, chinese, name) for key, text in match.groupdict().items()}
        row = fields.setdefault(row_label.format(**groups), {})
        row[column_label.format(**groups)] = _field(content, one)
    if not used:
        return "尚未测量。" if chinese else "Not measured yet."
    columns = list(dict.fromkeys(column for row in fields.values() for column in row))
    rows = [[label, *(row.get(column, "–") for column in columns)] for label, row in _ordered(fields)]
    marks = dict.fromkeys(one["machine"] for one in used)
    made = table([corner_zh if chinese else corner, *_numbers_first(columns)], _by_columns(rows, columns))
    return f"{made}\n\n{source(used, dict.fromkeys(marks, ''), chinese)}"


def _matches(pattern: str) -> Iterator[tuple[re.Match[str], Record]]:
    for figure, one in records().items():
        if match := re.fullmatch(pattern, figure):
            yield match, one


def _field(content: str, record: Record) -> str:
    base = record.get("baseline")
    ratios = {"times": base / record["value"], "gain": record["value"] / base} if isinstance(base, float | int) else {}
    content = re.sub(r"\{value:(\S+?)\}", lambda match: number(record["value"], match[1]), content)
    return content.format(**ratios).replace("%", " %")


def _ordered(fields: dict[str, dict[str, str]]) -> list[tuple[str, dict[str, str]]]:
    return sorted(fields.items(), key=lambda item: _numeric(item[0]))


def _numbers_first(columns: list[str]) -> list[str]:
    return sorted(columns, key=_numeric)


def _by_columns(rows: list[list[str]], columns: list[str]) -> list[list[str]]:
    order = sorted(range(len(columns)), key=lambda place: _numeric(columns[place]))
    return [[row[0], *(row[1 + place] for place in order)] for row in rows]


def _numeric(label: str) -> float:
    """The number that a label is; other labels keep their order."""
    return float(label) if label.isdigit() else 0.0


def shapes(which: str, chinese: bool) -> str:
    """Milliseconds of every engine at every shape, and ours against the best other; `which` is after/fwd, say."""
    prefix = f"recurrence-table/{which}/"
    rows, used = [], [one for name, one in records().items() if name.startswith(prefix)]
    for one in used:
        times = one["milliseconds"]
        others = [times[engine] for engine in ENGINES[2:] if engine in times]
        cells = [f"{times[engine]:.3g}" if engine in times else "–" for engine in ENGINES]
        ratio = f"{min(others) / times['gruworks']:.2f}" if others else "–"
        rows.append([one["id"].removeprefix(prefix).replace(",", ", "), *cells, ratio, f"{one['gigaflops']:.0f}"])
    engines = ["gruworks.GRU", "仅内核" if chinese else "kernel alone", "torch", "ONNX Runtime", "JAX", "oneDNN"]
    head = ["T, B, I, H", *engines, "与最快者之比" if chinese else "ratio to best", "GFLOP/s"]
    return f"{table(head, rows)}\n\n{source(used, _marks(used), chinese)}"


def steps(_: str, chinese: bool) -> str:
    """Time of a step and error of the state at each number format, by hidden size."""
    widths = sorted({int(match["h"]) for match, _ in _matches(r"quantised/int8/h(?P<h>\d+)/i./us")})
    rows = [_step(H, kind) for H in widths for kind in ("1", "h")]
    error = "误差：" if chinese else "error: "
    head = ["H, I", "float32, µs", "bfloat16", "int8", f"{error}float32", "bfloat16", "int8"]
    used = [records()[f"quantised/int8/h{H}/i1/us"] for H in widths]
    return f"{table(head, rows)}\n\n{source(used, _marks(used), chinese)}"


def _step(H: int, kind: str) -> list[str]:
    rows = [records()[f"quantised/{precision}/h{H}/i{kind}/us"] for precision in PRECISIONS]
    took = [_field("{value:.3g} ({times:.1f} ×)" if place else "{value:.3g}", one) for place, one in enumerate(rows)]
    errors = [one["note"].rsplit(" ", 1)[1] for one in rows]
    return [f"{H}, {1 if kind == '1' else H}", *took, *errors]
