"""State shared by all routes of the server: loaded models, limits, one batcher a model."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import Response

from gruworks.app.server.batching import Batcher
from gruworks.app.server.jobs import Jobs
from gruworks.app.server.limits import Limits
from gruworks.app.server.models import LoadedModels, Served
from gruworks.app.server.responses import FAULT, RequestError, encoded, event, within
from gruworks.errors import GruworksError

if TYPE_CHECKING:
    from gruworks.app.server.continuous_batching import ContinuousBatch

__all__ = ["Service"]

T = TypeVar("T")
READERS = 4  # threads that read bodies, tables and recordings
log = logging.getLogger("gruworks.server")


class Service:
    """Loaded models, limits and jobs, with the batchers and threads of the models."""

    def __init__(self, loaded: LoadedModels, limits: Limits, jobs: Jobs | None) -> None:
        self.loaded, self.limits, self.jobs = loaded, limits, jobs
        self.state = "loading"  # then "ready" or "failed", at the end "closing"
        self.closing = asyncio.Event()
        self.sessions = 0
        self.streams = 0
        self._batchers: dict[tuple[str, str], Batcher] = {}
        self._pools: dict[str, ThreadPoolExecutor] = {}
        self._batches: dict[str, ContinuousBatch] = {}
        self._readers = ThreadPoolExecutor(READERS, "gruworks-reader")

    def batcher(self, name: str, answer: Callable[[list[Any]], list[Any]], kind: str = "", most: int = 0) -> Batcher:
        """The batcher for one kind of requests to a model; `answer` computes the results of a batch of at most `most`.

        A model has one thread, whatever the kinds: nothing in an estimator need be safe for several.
        """
        if (name, kind) not in self._batchers:
            pool = self._pools.setdefault(name, ThreadPoolExecutor(1, "gruworks"))
            self._batchers[name, kind] = Batcher(name, answer, pool, most or self.limits.sentences, self.limits.waiting)
        return self._batchers[name, kind]

    async def alone(self, name: str, work: Callable[..., T], *given: Any) -> T:
        """Run `work(*given)` in the thread of a model, for work that gains nothing from a batch."""
        batcher = self.batcher(name, lambda items: [each(*values) for each, values in items], "alone", most=1)
        found: T = await within(self.limits.seconds, batcher.ask((work, given)))
        return found

    async def apart(self, work: Callable[..., T], *given: Any) -> T:
        """Run `work(*given)` in a reader thread, for work that would block the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, work, *given)

    async def respond(self, value: Any) -> Response:
        """A JSON response, written in a thread."""
        return await self.apart(encoded, value)

    def slots(self, model: Served) -> ContinuousBatch:
        from gruworks.app.server.continuous_batching import ContinuousBatch

        if model.name not in self._batches:
            self._batches[model.name] = ContinuousBatch(model.estimator, model.name, self.limits.streams)
        return self._batches[model.name]

    async def warm(self, model: Served) -> None:
        """Read the model's weights, unless they are read already, without blocking the event loop."""
        await asyncio.to_thread(lambda: model.estimator)

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """Count a live session while it is open.

        Raises:
            RequestError: as many as the limit are open.
        """
        if self.sessions >= self.limits.streams:
            raise RequestError(429, f"{self.sessions} live sessions are open already: try again in a moment")
        self.sessions += 1
        try:
            yield
        finally:
            self.sessions -= 1

    async def unless_closing(self, awaited: Awaitable[T], seconds: float | None = None) -> T:
        """Await a computation and return its result; end it early if the server closes.

        Raises:
            RequestError: the server is closing. TimeoutError: it took longer.
        """
        task, stop = asyncio.ensure_future(awaited), asyncio.ensure_future(self.closing.wait())
        try:
            done, _ = await asyncio.wait({task, stop}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if task in done:
                return task.result()
            if stop in done:
                raise RequestError(503, "the server is closing")
            raise TimeoutError
        finally:
            stop.cancel()
            task.cancel()
            await asyncio.wait({task})

    async def events(self, source: AsyncGenerator[str, None]) -> AsyncIterator[str]:
        """Server-sent events; after an error, or when the server closes, the last one is an `error`."""
        self.streams += 1
        try:
            while True:
                yield await self.unless_closing(anext(source))
        except StopAsyncIteration:
            return
        except GruworksError as error:
            yield event("error", message=str(error))
        except Exception:
            log.exception("a stream ended early")
            yield event("error", message=FAULT)
        finally:
            self.streams -= 1
            await source.aclose()

    async def end_streams(self, seconds: float) -> None:
        """Send every stream its last event; wait at most `seconds` until all are sent."""
        self._close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.streams or self.sessions:
                    await asyncio.sleep(0.01)

    def warm_all(self) -> None:
        """Read every model in a thread, so that first requests don't wait for it."""
        threading.Thread(target=self._warm_each, daemon=False).start()  # a daemon would be cut off within C++

    def _warm_each(self) -> None:
        for one in list(self.loaded.models.values()):
            if self.state == "closing":
                return
            try:
                one.estimator  # noqa: B018 - reads the weights
            except Exception as error:
                log.error("%s can't be loaded: %s", one.name, error)
                self.state = "failed"
                return
        if self.state == "loading":
            self.state = "ready"

    def _close(self) -> None:
        self.state = "closing"
        self.closing.set()

    async def close(self) -> None:
        """Stop all threads and jobs."""
        self._close()
        for slots in self._batches.values():
            slots.close()
        for pool in (*self._pools.values(), self._readers):
            pool.shutdown(wait=False, cancel_futures=True)
        self._pools.clear()
        self._batchers.clear()
        if self.jobs is not None:
            await self.jobs.close()
