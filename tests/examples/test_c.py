"""examples/c/stream.c, compiled against the core library of the installed build: the states of GRUStream."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy
import pytest

from gruworks import GRUStream, GRUWeights

ROOT = Path(__file__).parents[2]
LIBRARIES = sorted(ROOT.glob("build/*/libgruworks_core.a"), key=lambda path: path.stat().st_mtime)


@pytest.mark.skipif(not LIBRARIES, reason="`make test` builds the library with the package")
def test_the_stream_in_c_has_the_states_of_the_stream_in_python(tmp_path: Path) -> None:
    program = tmp_path / "stream"
    source, header = ROOT / "examples/c/stream.c", ROOT / "src/gruworks/ops/native"
    libraries = ["-lstdc++", "-lm", "-lpthread"]
    compiled = ["cc", "-Wall", "-Wextra", "-Werror", f"-I{header}", str(source), str(LIBRARIES[-1]), *libraries]
    subprocess.run([*compiled, "-o", str(program)], check=True)
    x = numpy.linspace(-3, 3, 12, dtype=numpy.float32).reshape(6, 2)
    lines = "".join(f"{a:.9g} {b:.9g}\n" for a, b in x)
    printed = subprocess.run([program], input=lines, capture_output=True, text=True, check=True).stdout
    w_ih = numpy.array([0.1 * (i % 5 - 2) for i in range(18)], numpy.float32).reshape(9, 2)
    w_hh = numpy.array([0.1 * (i % 7 - 3) for i in range(27)], numpy.float32).reshape(9, 3)
    stream = GRUStream(GRUWeights(w_ih, w_hh, None, None))
    expected = [stream.step(row)[0].copy() for row in x]
    states = [[float(number) for number in line.split()] for line in printed.splitlines()]
    numpy.testing.assert_allclose(states, expected, rtol=1e-5, atol=1e-6)
