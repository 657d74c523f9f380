"""A program as an npm package: WebAssembly with SIMD, a JavaScript module around it, and its types."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from gruworks import __version__
from gruworks.errors import ExportError
from gruworks.interop.c.javascript import Interface, interface, script, types
from gruworks.interop.c.program import Program

__all__ = ["FLAGS", "compiler", "write_package"]

FLAGS = (
    "-O3",
    "-mexec-model=reactor",
    "-msimd128",
    "-std=c99",
    "-Wl,--no-entry",
    "-Wl,--strip-all",
)


def compiler() -> list[str] | None:
    """The command of a C compiler for WebAssembly: zig, as a program or of PyPI's ziglang; None without one."""
    if found := shutil.which("zig"):
        return [found, "cc", "-target", "wasm32-wasi"]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-wasi"]
    return None


def write_package(program: Program, folder: Path) -> list[Path]:
    """Write NAME.wasm, index.js, index.d.ts and package.json beside the program's C.

    Raises:
        ExportError: no compiler for WebAssembly, or it fails.
    """
    command = compiler()
    if command is None:
        raise ExportError("WebAssembly is compiled by zig: pip install ziglang")
    module, made = folder / f"{program.name}.wasm", interface(program)
    _compile(command, program.name, folder, made, module)
    description: dict[str, Any] = {"name": program.name, "version": __version__, "type": "module", "main": "index.js"}
    description |= {"types": "index.d.ts", "files": ["index.js", "index.d.ts", module.name]}
    contents = {
        "index.js": script(program.name, made),
        "index.d.ts": types(made),
        "package.json": json.dumps(description, indent=2) + "\n",
    }
    for name, text in contents.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [module, *(folder / name for name in contents)]


def _compile(command: list[str], name: str, folder: Path, made: Interface, module: Path) -> None:
    exports = [f"-Wl,--export={name}_{one}" for one in made.functions]
    done = subprocess.run(
        [*command, *FLAGS, *exports, str(folder / f"{name}.c"), "-o", str(module)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ExportError(f"the C was not compiled to WebAssembly: {done.stderr.strip()[-2000:]}")
