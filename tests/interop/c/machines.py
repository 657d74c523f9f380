"""Compilers and machines that generated C is run on: the host's, Cortex-M4 and M7 in QEMU, WebAssembly in Node."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

__all__ = ["ARM", "HOST", "WASM", "Found", "Machine"]

FOLDER = Path(__file__).parent
WASI = FOLDER / "wasi.mjs"
WARNINGS = ("-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")
BOARDS = {"mps2-an386": "-mcpu=cortex-m4 -mfpu=fpv4-sp-d16", "mps2-an500": "-mcpu=cortex-m7 -mfpu=fpv5-d16"}


class Found(NamedTuple):
    """What a test program told: largest difference, range of the outputs, number of all outputs' bits."""

    largest: float
    range: float
    bits: str


@dataclass(frozen=True)
class Machine:
    """A compiler with its flags, files that it adds, and the command that runs its programs."""

    name: str
    compiler: str
    flags: str = "-std=c99 -O2"
    files: str = ""
    runner: str = ""
    compiles_only: str = ""  # flags that the files must not have

    @property
    def present(self) -> bool:
        """True where its programs are installed."""
        words = [self.compiler.split()[0], *self.runner.split()[:1]]
        return all(shutil.which(word) for word in words)

    def build(self, folder: Path, name: str, scratch: Path, test: str = "") -> Path:
        """Compile a model with its test, or with another main program."""
        program = scratch / re.sub(r"\W+", "_", f"{name}_{self.name}")
        objects = []
        for source in (folder / f"{name}.c", Path(test) if test else folder / f"{name}_test.c"):
            objects.append(scratch / f"{program.name}_{source.stem}.o")
            flags = [*self.flags.split(), *self.compiles_only.split(), *WARNINGS, f"-I{folder}"]
            _run([*self.compiler.split(), *flags, "-c", str(source), "-o", str(objects[-1])])
        links = [flag for flag in self.flags.split() if not flag.startswith("-std")]
        _run([*self.compiler.split(), *links, *map(str, objects), *self.files.split(), "-o", str(program)])
        return program

    def start(self, program: Path) -> str:
        """Run a program; what it prints."""
        return _run([*shlex.split(self.runner), str(program)])

    def run(self, folder: Path, name: str, scratch: Path) -> Found:
        """Compile and run the test of a model."""
        told = self.start(self.build(folder, name, scratch))
        found = re.search(r"difference (\S+), allowed \S+, range (\S+), bits (\w+)", told)
        assert found, told
        return Found(float(found[1]), float(found[2]), found[3])


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


LEVELS = ("-O2", "-O3", "-O3 -ffp-contract=off")
HOST = [
    Machine(f"{compiler} {level}", compiler, f"{standard} {level}", compiles_only=language)
    for (compiler, standard, language), level in itertools.product(
        (
            ("gcc", "-std=c99", ""), ("gcc", "-std=gnu11 -march=native", ""), ("g++", "-std=c++11", "-x c++"),
            ("clang-14", "-std=c99", ""), ("clang-14", "-std=gnu11 -march=native", ""),
            ("clang-14", "-std=c++11", "-x c++"),
        ),
        LEVELS,
    )
]  # fmt: skip
ARM = [
    Machine(
        f"{board} {level}", "arm-none-eabi-gcc", f"{cpu} -mthumb -mfloat-abi=hard {standard} {level}",
        f"{FOLDER}/boards/startup.c -T {FOLDER}/boards/mps2.ld -nostartfiles --specs=rdimon.specs",
        f"qemu-system-arm -M {board} -nographic -semihosting-config enable=on,target=native -kernel",
    )
    for (board, cpu), standard, level in itertools.product(BOARDS.items(), ("-std=c99", "-std=gnu11"), LEVELS)
]  # fmt: skip
ZIG = os.environ.get("ZIG", "zig")
WASM = [
    Machine(
        f"wasm {flags}",
        f"{ZIG} cc -target wasm32-wasi",
        f"-std=c99 {flags}",
        runner=f"node --no-warnings {WASI}",
    )
    for flags in ("-O2", "-O3", "-O3 -msimd128", "-O3 -msimd128 -ffp-contract=off")
]
