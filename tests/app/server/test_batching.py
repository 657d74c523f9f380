"""Items that wait go together; who left is not worked for; one bad item spoils no other."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from gruworks.app.server.batching import Batcher
from gruworks.app.server.responses import RequestError


class Slow:
    """Doubles numbers; the first call waits until it is let go."""

    def __init__(self) -> None:
        self.calls: list[list[Any]] = []
        self.go = threading.Event()

    def __call__(self, items: list[Any]) -> list[Any]:
        self.calls.append(list(items))
        self.go.wait(5)
        if any(item < 0 for item in items):
            raise ValueError("below zero")
        return [2 * item for item in items]


def batcher(slow: Slow, **limits: int) -> Batcher:
    return Batcher("test", slow, ThreadPoolExecutor(1), **limits)


async def asked(found: Batcher, items: list[int], keys: list[int] | None = None) -> list[asyncio.Task[Any]]:
    tasks = [asyncio.create_task(found.ask(item, keys and keys[i])) for i, item in enumerate(items)]
    await asyncio.sleep(0.05)
    return tasks


def test_what_waits_is_answered_by_one_call() -> None:
    async def run() -> None:
        slow = Slow()
        tasks = await asked(batcher(slow), [1, 2, 3, 4])
        slow.go.set()
        assert await asyncio.gather(*tasks) == [2, 4, 6, 8]
        assert slow.calls[0] == [1, 2, 3, 4] or slow.calls == [[1], [2, 3, 4]]

    asyncio.run(run())


def test_only_equal_keys_go_together_and_no_more_than_may() -> None:
    async def run() -> None:
        slow = Slow()
        tasks = await asked(batcher(slow, most=2), [1, 2, 3, 4, 5], [0, 1, 1, 0, 1])
        slow.go.set()
        await asyncio.gather(*tasks)
        assert [sorted(call) for call in slow.calls] == [[1, 4], [2, 3], [5]]

    asyncio.run(run())


def test_who_has_left_is_not_worked_for() -> None:
    async def run() -> None:
        slow = Slow()
        found = batcher(slow)
        first = await asked(found, [1])
        later = await asked(found, [2, 3])
        later[0].cancel()
        await asyncio.sleep(0)
        slow.go.set()
        assert await asyncio.gather(*first, later[1]) == [2, 6]
        assert slow.calls == [[1], [3]]

    asyncio.run(run())


def test_a_bad_item_gets_its_error_alone() -> None:
    async def run() -> None:
        slow = Slow()
        slow.go.set()
        found = await asyncio.gather(*await asked(batcher(slow), [1, -1, 3]), return_exceptions=True)
        assert found[0] == 2
        assert found[2] == 6
        assert isinstance(found[1], ValueError)

    asyncio.run(run())


def test_too_many_are_refused() -> None:
    async def run() -> None:
        slow = Slow()
        found = batcher(slow, waiting=2)
        tasks = await asked(found, [1])
        tasks += await asked(found, [2, 3])
        with pytest.raises(RequestError, match="wait for test already") as refused:
            await found.ask(4)
        assert refused.value.status == 429
        slow.go.set()
        await asyncio.gather(*tasks)

    asyncio.run(run())
