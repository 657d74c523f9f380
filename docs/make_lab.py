"""The table of cells in docs/lab.md and docs/lab.zh-CN.md, counted as they run.

python docs/make_lab.py
"""

from __future__ import annotations

import re
from pathlib import Path

from gruworks.nn.cells import CELLS
from gruworks.nn.flops import cost

PAGES = {"lab.md": False, "lab.zh-CN.md": True}
PART = re.compile(r"(\|---\|---\|---\|---\|---\|\n).*?(\n<!-- end cells -->)", re.DOTALL)
CHINESE = {
    "rnn": "普通 tanh RNN，Elman 1990",
    "lstm": "LSTM，Hochreiter 与 Schmidhuber 1997，Gers 等人 2000",
    "gru": "GRU，重置在乘积之后（PyTorch、cuDNN）",
    "gru-before": "GRU，重置在乘积之前，Cho 等人 2014",
    "mgu": "最小门控单元，Zhou 等人 2016",
    "ligru": "轻量 GRU，Ravanelli 等人 2018",
    "mingru": "minGRU，Feng 等人 2024",
    "layernorm-gru": "带层归一化的 GRU，Ba 等人 2016",
}


def rows(chinese: bool = False) -> str:
    """A cell a row: name, whose, parameters and operations of a step at I = 88, H = 46."""
    lines = []
    for name, kind in CELLS.items():
        counted = cost(name, 88, 46)
        sizes = f"{counted.parameters:,} | {counted.products:,} | {counted.elements:,}"
        lines.append(
            f"| `{name}` | {CHINESE.get(name, kind.description) if chinese else kind.description} | {sizes} |\n"
        )
    return "".join(lines)


def main() -> None:
    for name, chinese in PAGES.items():
        page = Path(__file__).parent / name
        made = rows(chinese)
        text = PART.sub(lambda match, made=made: f"{match[1]}{made}{match[2]}", page.read_text(encoding="utf-8"))
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
