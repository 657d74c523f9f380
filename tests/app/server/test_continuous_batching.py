"""Texts written side by side are those written alone; a reader that leaves frees its slot."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from gruworks import Generator
from gruworks.app.server.continuous_batching import ContinuousBatch
from gruworks.app.server.responses import RequestError
from gruworks.errors import DataError
from gruworks.nn.decoding.sampling import Sampling
from gruworks.tasks import ready, registry


@pytest.fixture(scope="module")
def writer() -> Any:
    return registry.estimator("generate").load(ready.find("generate").path)


async def text(slots: ContinuousBatch, seed: int, length: int = 24) -> str:
    return "".join([piece async for piece in await slots.write("", "", Sampling(temperature=0.7), length, seed)])


async def freed(slots: ContinuousBatch) -> None:
    until = time.monotonic() + 10
    while slots.count:
        assert time.monotonic() < until
        await asyncio.sleep(0.01)


def test_side_by_side_as_alone(writer: Any) -> None:
    async def run() -> None:
        alone = [await text(ContinuousBatch(writer, "test", 8), seed) for seed in range(4)]
        slots = ContinuousBatch(writer, "test", 8)
        assert await asyncio.gather(*(text(slots, seed) for seed in range(4))) == alone
        assert len(set(alone)) == 4
        await freed(slots)

    asyncio.run(run())


def test_a_reader_that_leaves_frees_its_lane(writer: Any) -> None:
    async def run() -> None:
        slots = ContinuousBatch(writer, "test", 1)
        pieces = await slots.write("月", "", Sampling(), 100_000, 0)
        await anext(pieces)
        with pytest.raises(RequestError, match="1 texts are being written"):
            await slots.write("", "", Sampling(), 1, 0)
        await pieces.aclose()
        await freed(slots)
        assert await text(slots, 1)

    asyncio.run(run())


def test_a_prompt_that_cannot_be_read_takes_no_lane(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("abcabcabc" * 60)
    tiny = Generator(steps=1, validate_every=1, hidden_size=4, layers=1)
    small = tiny.fit(tmp_path / "text.txt", quiet=True)

    async def run() -> None:
        slots = ContinuousBatch(small, "test", 1)
        with pytest.raises(DataError, match="the fitted text has no"):
            await slots.write("é", "", Sampling(), 5, 0)
        assert slots.count == 0

    asyncio.run(run())


class Failing:
    """A decoder that fails at one call of `start`, or of `step`."""

    def __init__(self, decoder: Any, name: str, at: int) -> None:
        self.decoder, self.name, self.left = decoder, name, at

    def __getattr__(self, name: str) -> Any:
        return getattr(self.decoder, name) if name != self.name else self.call

    def call(self, *given: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            raise RuntimeError("no memory")
        return getattr(self.decoder, self.name)(*given)


@pytest.mark.parametrize("name", ["start", "step"])
def test_a_text_that_fails_closes_nothing(writer: Any, name: str, caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        alone = await text(ContinuousBatch(writer, "test", 8), 2)
        slots = ContinuousBatch(writer, "test", 2)
        slots.decoder = Failing(slots.decoder, name, 1)
        found = await asyncio.gather(text(slots, 1), return_exceptions=True)
        assert isinstance(found[0], RuntimeError)
        await freed(slots)
        assert await text(slots, 2) == alone
        await freed(slots)

    asyncio.run(run())
    assert "no memory" in caplog.text


def test_a_start_that_fails_spares_those_who_write_already(writer: Any) -> None:
    async def run() -> None:
        slots = ContinuousBatch(writer, "test", 3)
        slots.decoder = Failing(slots.decoder, "start", 2)
        found = await asyncio.gather(*(text(slots, seed) for seed in range(3)), return_exceptions=True)
        assert [type(one) for one in found] == [str, RuntimeError, str]
        await freed(slots)

    asyncio.run(run())
