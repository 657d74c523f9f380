"""Gruworks: gated recurrent units, and applications that are built on them.

    from gruworks import GRU            # replaces torch.nn.GRU
    from gruworks import Forecaster     # time series: forecasts with prediction intervals
    from gruworks import Generator      # language models of texts: generation and perplexity
    from gruworks import Transcriber    # speech recognition of recordings and streams
    from gruworks import Translator     # translation of sentences

Names are imported on first use: `import gruworks` itself imports neither torch nor Lightning.
"""

from __future__ import annotations

import importlib.metadata
from typing import TYPE_CHECKING, Any

from gruworks.nn.compatibility import torch_ops

if TYPE_CHECKING:
    from gruworks.errors import GruworksError
    from gruworks.nn.explain import explain
    from gruworks.nn.frozen import frozen
    from gruworks.nn.grouped import grouped_gru
    from gruworks.nn.gru import GRU
    from gruworks.nn.gru_cell import GRUCell
    from gruworks.nn.per_sample import per_sample
    from gruworks.nn.quantized import quantize
    from gruworks.nn.replace import replace
    from gruworks.nn.stream import stream
    from gruworks.nn.tbptt import chunks
    from gruworks.ops.exact import exact
    from gruworks.ops.stream import GRUStream
    from gruworks.ops.weights import GRUWeights
    from gruworks.tasks.forecast.estimator import Forecaster
    from gruworks.tasks.generate.estimator import Generator
    from gruworks.tasks.transcribe.estimator import Transcriber
    from gruworks.tasks.translate.estimator import Translator

    __version__: str

__all__ = [
    "Forecaster",
    "GRU",
    "GRUCell",
    "GRUStream",
    "GRUWeights",
    "Generator",
    "GruworksError",
    "Transcriber",
    "Translator",
    "__version__",
    "chunks",
    "exact",
    "explain",
    "frozen",
    "grouped_gru",
    "per_sample",
    "quantize",
    "replace",
    "stream",
]

_HOMES = {
    "GRU": "gruworks.nn.gru",
    "GRUCell": "gruworks.nn.gru_cell",
    "GRUStream": "gruworks.ops.stream",
    "GRUWeights": "gruworks.ops.weights",
    "GruworksError": "gruworks.errors",
    "chunks": "gruworks.nn.tbptt",
    "exact": "gruworks.ops.exact",
    "explain": "gruworks.nn.explain",
    "frozen": "gruworks.nn.frozen",
    "grouped_gru": "gruworks.nn.grouped",
    "per_sample": "gruworks.nn.per_sample",
    "quantize": "gruworks.nn.quantized",
    "replace": "gruworks.nn.replace",
    "stream": "gruworks.nn.stream",
}

torch_ops.announce()


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'gruworks' has no attribute {name!r}; it has: {', '.join(__all__)}")
    from gruworks.errors import require

    if name == "__version__":
        value: Any = importlib.metadata.version("gruworks")
    elif name in _HOMES:
        value = getattr(require(_HOMES[name], extra="torch"), name)
    else:
        registry = require("gruworks.tasks.registry", extra="all")
        value = next(registry.estimator(task.name) for task in registry.TASKS.values() if task.estimator == name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
