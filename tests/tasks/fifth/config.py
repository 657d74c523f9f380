"""Settings of a counter."""

from __future__ import annotations

from dataclasses import dataclass

from gruworks.settings import Settings, setting
from gruworks.training.settings import FitSettings

__all__ = ["Config", "Options"]


@dataclass(frozen=True)
class Config(Settings):
    """Settings that are fitted and saved."""

    hidden_size: int = setting(3, "hidden size of the GRU", low=1, high=64)
    training: FitSettings = setting(FitSettings(), "the fit")


@dataclass(frozen=True)
class Options(Settings):
    """Settings that one answer may vary."""

    count: int = setting(2, "numbers to add", low=1, high=9)
    folder: str | None = setting(None, "a folder of this machine", local=True)
