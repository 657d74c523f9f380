"""Limits of the server, each a setting."""

from __future__ import annotations

from dataclasses import dataclass

from gruworks.settings import Settings, setting

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits(Settings):
    """Limits of the server; each is a flag of `gruworks serve`."""

    body: int = setting(4_000_000, "bytes of a request at most", low=1000)
    upload: int = setting(20_000_000, "bytes of a recording at most", low=1000)
    audio: float = setting(300.0, "seconds of a recording, or of a live session, at most", low=1.0)
    samples: int = setting(40_000_000, "samples of a recording, all channels together, at most", low=1000)
    characters: int = setting(4000, "characters of a text or prompt at most", low=10)
    sentences: int = setting(64, "sentences of one request at most", low=1, high=10_000)
    rows: int = setting(100_000, "rows of a table at most", low=10)
    columns: int = setting(200, "columns of a table at most", low=2)
    cells: int = setting(2_000_000, "rows times columns of a table at most", low=20)
    series: int = setting(100, "series of a table at most", low=1)
    horizon: int = setting(1000, "steps ahead at most", low=1)
    length: int = setting(2000, "tokens of a generated text at most", low=1)
    beam: int = setting(20, "beams and alternatives at most", low=1)
    steps: int = setting(1000, "steps of a traced sequence at most", low=3, high=100_000)
    traced: int = setting(100_000, "steps times units of a traced sequence at most", low=24)
    seconds: float = setting(30.0, "seconds of one request at most", low=0.1)
    head_seconds: float = setting(10.0, "seconds to receive the head of a request at most", low=0.1)
    silent: int = setting(256, "connections without a request so far at most; the oldest is closed", low=1)
    silent_of_one: int = setting(64, "connections without a request so far from one address at most", low=1)
    body_seconds: float = setting(60.0, "seconds to receive a request at most", low=0.1)
    requests: int = setting(512, "requests in progress at most", low=1)
    waiting: int = setting(64, "requests that wait for one model at most", low=1)
    streams: int = setting(32, "texts being generated, or live sessions, at most", low=1)
    jobs: int = setting(4, "fits that wait at most", low=1)
    fit_steps: int = setting(20_000, "steps of a fit over HTTP at most", low=1)
    fit_minutes: float = setting(30.0, "minutes of a fit over HTTP at most", low=0.01)
    fit_batch_size: int = setting(256, "batch size of a fit over HTTP at most", low=1)
    fit_hidden_size: int = setting(512, "hidden size of a fit over HTTP at most", low=1)
    fit_layers: int = setting(4, "layers of a fit over HTTP at most", low=1)
    fit_memory: float = setting(8.0, "gigabytes of memory that a fit over HTTP may take", low=1.0)

    def of_settings(self, kind: str) -> dict[str, float]:
        """Largest values that a request may give to settings of a fit ("Config") or a verb ("Options")."""
        if kind == "Options":
            return {"length": self.length, "beam_size": self.beam, "n_best": self.beam}
        fit = ("steps", "minutes", "batch_size", "hidden_size")
        layers = {"layers": self.fit_layers, "num_layers": self.fit_layers}
        return {name: getattr(self, f"fit_{name}") for name in fit} | layers | {"horizon": self.horizon}
