"""RTNeural's step beside ours, C++ against C++: the program of rtneural_step.cc, built and run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from gruworks.ops.backend import backend

__all__ = ["build", "step_times"]

HERE = Path(__file__).parent
ROOT = HERE.parent
BACKENDS = {"eigen": 32, "xsimd": 64}  # alignments: what RTNeural allows at most, and AVX-512's


def build(checkout: Path) -> Path:
    """Our library without Python, RTNeural's layer once for each backend, and the program; in build/clients."""
    needed = ("RTNeural/gru", "modules/Eigen/Eigen", "modules/xsimd/include/xsimd")
    if missing := [part for part in needed if not (checkout / part).is_dir()]:
        raise FileNotFoundError(f"{checkout} has no {', '.join(missing)}: check RTNeural out with its submodules")
    folder = ROOT / "build" / "clients"
    core = folder / "core"
    settings = ["-DGRUWORKS_PYTHON=OFF", "-DCMAKE_BUILD_TYPE=Release"]
    _run("cmake", "-S", ROOT, "-B", core, *settings)
    _run("cmake", "--build", core, "-j", "2")
    includes = [f"-I{checkout / part}" for part in (".", "RTNeural", "modules/Eigen", "modules/xsimd/include")]
    vectors = ["-mno-avx512f"] if backend().name == "avx2" else []
    compiler = ["g++", "-std=c++17", "-O3", "-march=native", *vectors, "-w"]
    objects = []
    for name, alignment in BACKENDS.items():
        names = {f"RTNEURAL_USE_{name.upper()}": 1, "RTNEURAL_DEFAULT_ALIGNMENT": alignment,
                 "RTNEURAL_NAMESPACE": f"rtneural_{name}", "MAKE_LAYER": f"{name}_layer"}  # fmt: skip
        objects.append(folder / f"{name}.o")
        defined = [f"-D{key}={value}" for key, value in names.items()]
        _run(*compiler, *includes, *defined, "-c", HERE / "rtneural_layer.cc", "-o", objects[-1])
    program = folder / "rtneural_step"
    ours = [f"-I{ROOT / 'src/gruworks/ops/native'}", HERE / "rtneural_step.cc", core / "libgruworks_core.a"]
    _run(*compiler, *ours[:2], *objects, ours[2], "-fopenmp", "-pthread", "-o", program)
    return program


def step_times(program: Path, rounds: int) -> list[dict[str, Any]]:
    """Nanoseconds of a step of every engine at every size; a difference above 1e-5 is refused."""
    command = [program, str(rounds), backend().name]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows: list[dict[str, Any]] = [json.loads(line) for line in told.splitlines()]
    for row in rows:
        if not row["difference"] < 1e-5:
            raise ValueError(f"outputs at {row['size']} differ by {row['difference']}: engines compute something else")
    return rows


def _run(*command: Any) -> None:
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
