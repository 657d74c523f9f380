"""Export of a module as C: two files, and a third that proves that they compute the same."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from pathlib import Path

import torch

from gruworks.errors import OptionError
from gruworks.interop.c.arrays import Precision
from gruworks.interop.c.compiler import compiler, run_test
from gruworks.interop.c.graph import chain
from gruworks.interop.c.network import Network
from gruworks.interop.c.program import Program
from gruworks.interop.c.proof import network_test, record
from gruworks.interop.c.webassembly import write_package

__all__ = ["Report", "export", "write"]


@dataclass(frozen=True)
class Report:
    """Files of an export, their sizes in bytes, and the largest difference from the original; None if not checked."""

    files: list[Path]
    constants: int
    state: int
    stack: int
    largest_difference: float | None


def export(
    module: torch.nn.Module,
    folder: str | Path,
    name: str = "model",
    *,
    precision: Precision = "float32",
    check: bool = True,
    wasm: bool = False,
) -> Report:
    """Write a module as `name.h` and `name.c`, with `name_test.c`, which compares them with recorded outputs.

    Args:
        module: a `Graph`, a GRU or another supported module, or a `torch.nn.Sequential` of them.
        folder: the folder to write to.
        name: prefix of all public names of the C.
        precision: of the weights; "int8" has 8-bit weights and 32-bit sums, the same bits on every machine.
        check: compile and run the test where there is a C compiler.
        wasm: compile it to WebAssembly, too, as an npm package.

    Raises:
        ExportError: a module that C has no counterpart for; then nothing is written. A failed check, or no compiler
            for WebAssembly.
        OptionError: an unknown precision, or a name that isn't an identifier of C.
    """
    check_options(name, precision)
    graph = chain(copy.deepcopy(module).cpu().float().eval())
    network = Network.of(graph, precision)
    inputs, outputs = record(graph, network)
    about = f"A step of {type(module).__name__} with {precision} weights."
    program = Program(name, about, network)
    return write(program, network_test(program, inputs, outputs), folder, check, wasm)


def check_options(name: str, precision: str) -> None:
    """Check the options of an export."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise OptionError(f"name must be a lower-case identifier of C, such as 'denoiser', not {name!r}")
    if precision not in ("float32", "int8"):
        raise OptionError(f"precision must be 'float32' or 'int8', not {precision!r}")


def write(program: Program, test: str, folder: str | Path, check: bool = True, wasm: bool = False) -> Report:
    """Write a program and its test, and an npm package; for the arguments see `export`."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        f"{program.name}.h": program.header(),
        f"{program.name}.c": program.source(),
        f"{program.name}_test.c": test,
    }
    for file, text in contents.items():
        (folder / file).write_text(text, encoding="utf-8")
    command = compiler() if check else None
    worst = run_test(folder, program.name, command) if command else None
    files = [folder / file for file in contents] + (write_package(program, folder) if wasm else [])
    return Report(files, program.flash, program.ram, program.frame, worst)
