"""`gruworks doctor`: installed versions, processor, and the implementations in use with the reasons."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import platform
from typing import Annotated, Any

import typer

from gruworks import __version__
from gruworks.app.cli.common.show import Show
from gruworks.data.catalogue import data_folder
from gruworks.ops.backend import backend, native

__all__ = ["doctor"]

PACKAGES = ("torch", "numpy", "safetensors", "lightning", "pandas", "polars", "narwhals", "utilsforecast", "matplotlib")

Explain = Annotated[bool, typer.Option("--explain", help="Show which implementation computes common calls of a GRU.")]


def doctor(show: Show, explain: Explain = False) -> None:
    """Show versions, processor, backend with the reason for it, threads, data folder."""
    found, torch = backend(), _torch()
    facts: dict[str, Any] = {
        "gruworks": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        **{name: _version(name) for name in PACKAGES},
        "processor": _processor(),
        "cores": os.cpu_count(),
        "instruction sets": ", ".join(found.instruction_sets) or "unknown (asked by the native module)",
        "backend": found.name,
        "because": found.reason,
        "threads": torch.get_num_threads() if torch else os.cpu_count(),
        "thread pool": native.thread_pool() if found.name != "torch" else "none (the native kernel does not run)",
        "cuda": torch.cuda.get_device_name() if torch and torch.cuda.is_available() else "none",
        "data folder": str(data_folder() or "none (GRUWORKS_DATA is not set)"),
    }
    for name, value in facts.items():
        show.answer(f"{name:18}{value}")
    if explain and torch:
        facts["implementations"] = _implementations(show)
    show.result(facts)


def _torch() -> Any:
    """The module torch, or None where it is not installed."""
    return importlib.import_module("torch") if importlib.util.find_spec("torch") else None


def _implementations(show: Show) -> list[dict[str, str]]:
    """Print the table of implementations (nn/functional.py), and its choice for some calls of a GRU."""
    import torch

    from gruworks import GRU
    from gruworks.nn.explain import explain
    from gruworks.nn.functional import IMPLEMENTATIONS

    x, rows = torch.zeros(5, 2, 3), []
    calls: dict[str, tuple[GRU, dict[str, Any]]] = {
        "GRU(3, 4)": (GRU(3, 4), {}),
        "GRU(3, 4, num_layers=2, bidirectional=True)": (GRU(3, 4, 2, bidirectional=True), {}),
        "GRU(3, 4) with lengths": (GRU(3, 4), {"lengths": [5, 2]}),
        'GRU(3, 4, reset="before")': (GRU(3, 4, reset="before"), {}),
        "GRU(3, 4, recompute=True)": (GRU(3, 4, recompute=True), {}),
        "GRU(3, 4) in bfloat16": (GRU(3, 4).bfloat16(), {}),
    }
    for name, (gru, named) in calls.items():
        given = x.to(gru.weights().w_hh.dtype)
        rows.append({"call": name, "implementation": explain(gru, given, **named)[0].chosen.name})
        show.answer(f"{name:46}{rows[-1]['implementation']}")
    for row in IMPLEMENTATIONS:
        show.answer(f"  {row.name:32}{row.reason}")
    return rows


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
