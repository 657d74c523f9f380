"""Changes of a fit to the machine's settings (pages, products, threads), all of them set back."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from gruworks.training import machine
from gruworks.training.machine import fast_products, tuned
from tests import tolerances

PAGES = """
import resource, torch
from gruworks.training.machine import kept_memory

def new_pages(times):  # the fewest that 64 MB take from the kernel when they are used and freed so many times
    found = []
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        torch.ones(16 << 20)
        found.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    return min(found)

with kept_memory():
    inside = new_pages(12)
print(inside, new_pages(1))  # the first time after, for a hole in the heap may then serve the others
"""


@pytest.mark.skipif(machine._glibc() is None, reason=f"the C library of {sys.platform} is not glibc")
def test_freed_memory_is_used_again_in_a_fit_and_given_back_after() -> None:
    # In a process of its own: what other tests have left on the heap decides where a block fits.
    ran = subprocess.run([sys.executable, "-c", PAGES], capture_output=True, text=True, check=True, timeout=120)
    inside, after = map(int, ran.stdout.split())
    assert inside < 100
    assert after > 10_000


def test_fast_products_are_as_exact_as_the_others() -> None:
    torch.manual_seed(0)
    a, b = torch.randn(96, 200), torch.randn(200, 130)
    exact = (a.double() @ b.double()).float()
    with fast_products():
        found = a @ b
    assert torch.get_float32_matmul_precision() == "highest"
    torch.testing.assert_close(found, exact, atol=tolerances.FLOAT32_OUTPUT * float(exact.abs().max()), rtol=0)


def test_a_precision_that_was_chosen_stays() -> None:
    torch.set_float32_matmul_precision("high")
    try:
        with fast_products():
            assert torch.get_float32_matmul_precision() == "high"
    finally:
        torch.set_float32_matmul_precision("highest")


def test_processors_that_would_round_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    with fast_products():
        assert torch.get_float32_matmul_precision() == "highest"


def test_only_large_models_get_the_other_products(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    threads = torch.get_num_threads()
    found = []
    for size in (4, 600):
        with tuned(torch.nn.Linear(size, size), threads=1):
            found.append(torch.get_float32_matmul_precision())
            assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == threads
    assert found == ["highest", "medium"]
