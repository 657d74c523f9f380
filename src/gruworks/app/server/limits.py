"""Limits of the server, each a setting."""

from __future__ import annotations

from dataclasses import dataclass

from gruworks.settings import Settings, setting

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits(Settings):
    """Limits of the server; each is a flag of `gruworks serve`."""

    body: int = setting(4_000_000, "maximum size of a request body, in bytes", low=1000)
    upload: int = setting(20_000_000, "maximum size of an uploaded recording, in bytes", low=1000)
    archive: int = setting(200_000_000, "maximum size of an uploaded archive of recordings, in bytes", low=1000)
    archive_files: int = setting(10_000, "maximum number of files in an archive of recordings", low=1)
    archive_content: int = setting(1_000_000_000, "maximum total size of the files in an archive, in bytes", low=1000)
    audio: float = setting(300.0, "maximum duration of a recording or a live session, in seconds", low=1.0)
    samples: int = setting(40_000_000, "maximum number of samples of a recording, over all channels", low=1000)
    characters: int = setting(4000, "maximum number of characters of a text or prompt", low=10)
    sentences: int = setting(64, "maximum number of sentences in a request", low=1, high=10_000)
    rows: int = setting(100_000, "maximum number of rows of a table", low=10)
    columns: int = setting(200, "maximum number of columns of a table", low=2)
    cells: int = setting(2_000_000, "maximum number of cells (rows times columns) of a table", low=20)
    series: int = setting(100, "maximum number of series in a table", low=1)
    horizon: int = setting(1000, "maximum forecast horizon, in steps", low=1)
    length: int = setting(2000, "maximum length of a generated text, in tokens", low=1)
    beam: int = setting(20, "maximum beam size and number of alternatives", low=1)
    steps: int = setting(1000, "maximum length of a sequence whose gates are traced, in steps", low=3, high=100_000)
    traced: int = setting(100_000, "maximum number of steps times hidden size of a traced sequence", low=24)
    seconds: float = setting(30.0, "maximum processing time of a request, in seconds", low=0.1)
    head_seconds: float = setting(10.0, "maximum time to receive the headers of a request, in seconds", low=0.1)
    silent: int = setting(256, "maximum number of connections that have sent no request; the oldest is closed", low=1)
    silent_of_one: int = setting(64, "the same limit for one client address", low=1)
    body_seconds: float = setting(60.0, "maximum time to receive a request body, in seconds", low=0.1)
    requests: int = setting(512, "maximum number of concurrent requests", low=1)
    waiting: int = setting(64, "maximum number of requests queued for one model", low=1)
    streams: int = setting(32, "maximum number of concurrent generations or live sessions", low=1)
    jobs: int = setting(4, "maximum number of queued fits", low=1)
    fit_steps: int = setting(20_000, "maximum number of optimizer steps of a fit over HTTP", low=1)
    fit_minutes: float = setting(30.0, "maximum duration of a fit over HTTP, in minutes", low=0.01)
    fit_batch_size: int = setting(256, "maximum batch size of a fit over HTTP", low=1)
    fit_hidden_size: int = setting(512, "maximum hidden size of a fit over HTTP", low=1)
    fit_layers: int = setting(4, "maximum number of layers of a fit over HTTP", low=1)
    fit_memory: float = setting(8.0, "maximum memory of a fit over HTTP, in gigabytes", low=1.0)

    def of_settings(self, kind: str) -> dict[str, float]:
        """Largest values that a request may give to settings of a fit ("Config") or a verb ("Options")."""
        if kind == "Options":
            return {"length": self.length, "beam_size": self.beam, "n_best": self.beam}
        fit = ("steps", "minutes", "batch_size", "hidden_size")
        layers = {"layers": self.fit_layers, "num_layers": self.fit_layers}
        return {name: getattr(self, f"fit_{name}") for name in fit} | layers | {"horizon": self.horizon}
