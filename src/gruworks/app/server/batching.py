"""Batches of the requests that wait for one model, computed in its thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import Executor
from typing import Any

from gruworks.app.server.metrics import BATCHES
from gruworks.app.server.responses import RequestError

__all__ = ["Batcher"]

Answer = Callable[[list[Any]], list[Any]]
GATHER = 0.003  # seconds: clients of one batch ask again together, and would else alternate in two halves


class Batcher:
    """Calls `answer` with the waiting items of one key, at most `most`; it returns a result for each.

    The first request that finds the thread idle is computed at once; requests that arrive meanwhile form the next
    batch. After a batch of several there is a short pause, because most of their clients ask again.
    Items of cancelled requests are dropped. Where a batch fails, its items are computed one by one, so that an error
    concerns its own request only.
    """

    def __init__(self, name: str, answer: Answer, pool: Executor, most: int = 64, waiting: int = 64) -> None:
        self.name, self.answer, self.pool, self.most, self.waiting = name, answer, pool, most, waiting
        self.queue: list[tuple[Hashable, Any, asyncio.Future[Any]]] = []
        self.worker: asyncio.Task[None] | None = None

    async def ask(self, item: Any, key: Hashable = None) -> Any:
        """The result for `item`; items of the same `key` may be computed in one batch.

        Raises:
            RequestError: too many requests wait.
        """
        if len(self.queue) >= self.waiting:
            raise RequestError(429, f"{len(self.queue)} requests wait for {self.name} already: try again in a moment")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.queue.append((key, item, future))
        if self.worker is None or self.worker.done():
            self.worker = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while batch := self._next():
            items, futures = [item for item, _ in batch], [future for _, future in batch]
            BATCHES.labels(self.name).observe(len(items))
            try:
                answers = await loop.run_in_executor(self.pool, self._safely, items)
            except RuntimeError:  # the server is closing: its threads take nothing more
                answers = [RequestError(503, "the server is closing")] * len(items)
            for future, answer in zip(futures, answers, strict=True):
                if future.done():
                    continue
                if isinstance(answer, BaseException):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
            if len(items) > 1:
                await asyncio.sleep(GATHER)

    def _next(self) -> list[tuple[Any, asyncio.Future[Any]]]:
        """The oldest item that is still wanted, and others of its key."""
        self.queue = [one for one in self.queue if not one[2].done()]
        if not self.queue:
            return []
        key = self.queue[0][0]
        batch = [one for one in self.queue if one[0] == key][: self.most]
        taken = {id(one[2]) for one in batch}
        self.queue = [one for one in self.queue if id(one[2]) not in taken]
        return [(item, future) for _, item, future in batch]

    def _safely(self, items: list[Any]) -> list[Any]:
        try:
            return self.answer(items)
        except Exception as error:
            if len(items) == 1:
                return [error]
            return [self._safely([item])[0] for item in items]
