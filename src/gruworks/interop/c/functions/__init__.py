"""The functions that generated C is made of, one text each, and what each needs before it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from gruworks.interop.c.arrays import Precision

__all__ = ["NAMES", "Function", "texts"]

FOLDER = Path(__file__).parent
NAMES = frozenset(path.stem.removesuffix("_float32").removesuffix("_int8") for path in FOLDER.glob("*.c"))
NEEDS = {
    "float_exp": ["bits"], "float_log": ["bits"], "float_inverse_sqrt": ["bits"],
    "sigmoid": ["float_exp"], "float_tanh": ["float_exp"], "silu": ["sigmoid"],
    "product": ["matrix", "real_product"], "product_int8": ["quantize"],
    "gru_t": ["matrix"], "gru_after": ["gru_t", "product", "start"],
    "gru_before": ["gru_t", "product", "start"],
    "dense": ["matrix", "product", "start"], "embed_float32": ["matrix"], "embed_int8": ["matrix"],
    "layer_norm": ["float_inverse_sqrt"], "depthwise": ["start"],
    "softplus": ["double_exp", "double_log"], "smoothing": ["double_exp", "double_log"],
    "softmax": ["float_exp"], "log_softmax": ["float_exp", "float_log"],
}  # fmt: skip
OF_PRECISION = ("matrix", "product")  # texts of which each precision has one


@dataclass(frozen=True)
class Function:
    """A text of this folder; `name` and `values` are put in where it holds $name and so on."""

    text: str
    name: str = ""
    values: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", self.name or self.text)


def texts(functions: Iterable[Function], precision: Precision) -> list[str]:
    """The texts of functions and of those that they call, each once, in the order in which C needs them."""
    found: dict[str, str] = {}
    for function in functions:
        _add(function, precision, found)
    return list(found.values())


def _add(function: Function, precision: Precision, found: dict[str, str]) -> None:
    text = f"{function.text}_{precision}" if function.text in OF_PRECISION else function.text
    if function.name in found:
        return
    called = [value for _, value in function.values if (FOLDER / f"{value}.c").exists()]
    needs: Sequence[str] = [*NEEDS.get(function.text, []), *NEEDS.get(text, []), *called]
    for name in dict.fromkeys(needs):
        _add(Function(name), precision, found)
    source = (FOLDER / f"{text}.c").read_text(encoding="utf-8")
    found[function.name] = Template(source).substitute(dict(function.values), name=function.name)
