"""Threads and processes of the kernel: both pools, forks, several callers, placement on processors, builds by name."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gruworks.ops.backend import native

POOLS = ["openmp", "own"]
SCRIPT = """
import numpy
from gruworks.ops import recurrence
from gruworks.ops.backend import native
from gruworks.ops.weights import GRUWeights
weights = GRUWeights.random(40, 70).astype(numpy.float32)
x = numpy.random.default_rng(0).standard_normal((60, 3, 40)).astype(numpy.float32)
run = lambda: recurrence.forward(weights, x=x)[0]
first = run()
"""


def python(script: str, **environment: str) -> str:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("OMP_")}
    done = subprocess.run(
        [sys.executable, "-c", script], env={**ours, **environment}, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize(
    "environment",
    [{"OMP_NUM_THREADS": "1"}, {"OMP_NUM_THREADS": "9"}, {"OMP_THREAD_LIMIT": "1"}, {"OMP_DYNAMIC": "true"}],
    ids=str,
)
def test_any_number_of_threads_granted(environment: dict[str, str], pool: str) -> None:
    script = SCRIPT + "print(native.thread_pool(), abs(run() - first).max() == 0)"
    assert python(script, GRUWORKS_THREAD_POOL=pool, **environment) == f"{pool} True"


@pytest.mark.parametrize("pool", POOLS)
def test_callers_on_several_threads_get_the_same_numbers(pool: str) -> None:
    crowd = """
import threading
wrong = []
def caller():
    for _ in range(40):
        if not (run() == first).all():
            wrong.append(1)
callers = [threading.Thread(target=caller) for _ in range(5)]
[one.start() for one in callers]
[one.join() for one in callers]
print(len(wrong))
"""
    assert python(SCRIPT + crowd, GRUWORKS_THREAD_POOL=pool, OMP_NUM_THREADS="3") == "0"


def test_workers_of_the_own_pool_sleep_between_calls() -> None:
    idle = """
import os, time
time.sleep(0.2)
begun = os.times()
time.sleep(0.5)
ended = os.times()
print(len(os.listdir("/proc/self/task")) > 1, ended.user - begun.user + ended.system - begun.system < 0.1)
"""
    script = SCRIPT + "import sys; sys.platform == 'linux' or sys.exit(print('True True'))\n" + idle
    assert python(script, GRUWORKS_THREAD_POOL="own", OMP_NUM_THREADS="4") == "True True"


@pytest.mark.parametrize("name", native.builds())
def test_the_environment_chooses_the_build(name: str) -> None:
    ask = "from gruworks.ops.backend import backend; print(backend().name)"
    assert python(ask, GRUWORKS_KERNEL=name) == name
    assert python(ask, GRUWORKS_KERNEL="off") == "torch"


def test_an_unknown_build_is_refused() -> None:
    ask = "from gruworks.ops.backend import backend; backend()"
    done = subprocess.run(
        [sys.executable, "-c", ask], env={**os.environ, "GRUWORKS_KERNEL": "sse"}, capture_output=True, text=True
    )
    assert "GRUWORKS_KERNEL must be off or one of" in done.stderr


@pytest.mark.parametrize("pool", POOLS)
def test_a_forked_child_computes_too(pool: str) -> None:
    fork = """
import os, sys
child = os.fork()
if child == 0:
    os._exit(0 if abs(run() - first).max() < 1e-5 else 1)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status), abs(run() - first).max() == 0)
"""
    assert python(SCRIPT + fork, GRUWORKS_THREAD_POOL=pool) == "0 True"


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="needs two processors to choose from",
)
@pytest.mark.parametrize("pool", POOLS)
def test_threads_woken_on_one_processor_separate_and_keep_their_masks(pool: str) -> None:
    crowd = """
import os
tasks = [int(t) for t in os.listdir("/proc/self/task")]
both = os.sched_getaffinity(0)
for mask in [{min(both)}, both]:
    for task in tasks:
        os.sched_setaffinity(task, mask)
again = run()
print(len(tasks) > 1, all(os.sched_getaffinity(t) == both for t in tasks), (again == first).all())
"""
    assert python(SCRIPT + crowd, GRUWORKS_THREAD_POOL=pool) == "True True True"


@pytest.mark.parametrize("order", ["torch first", "torch last"])
def test_torch_before_or_after_shares_one_pool(order: str) -> None:
    pytest.importorskip("torch")
    use = "import torch; torch.ones(1000, 1000) @ torch.ones(1000, 1000)\n"
    count = """
pools = {line.split()[-1] for line in open("/proc/self/maps") if "gomp" in line}
print(len(pools), abs(run() - first).max() == 0)
"""
    script = use + SCRIPT if order == "torch first" else SCRIPT + use
    assert python(script + count) == "1 True"


def test_no_torch_is_imported() -> None:
    assert python(SCRIPT + "import sys; print('torch' in sys.modules)") == "False"
