"""State shared by all routes of the server: loaded models, limits, one batcher a model."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from gruworks.app.server.batching import Batcher
from gruworks.app.server.jobs import Jobs
from gruworks.app.server.limits import Limits
from gruworks.app.server.models import LoadedModels, Served
from gruworks.app.server.responses import FAULT, RequestError, event
from gruworks.errors import GruworksError

if TYPE_CHECKING:
    from gruworks.app.server.continuous_batching import ContinuousBatch

__all__ = ["Service"]

T = TypeVar("T")
CLOSING = "the server is closing"
READERS = 4  # threads that read bodies, tables and recordings
log = logging.getLogger("gruworks.server")


class Service:
    """The loaded, the limits, and one batcher a model."""

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

    def named(self, name: str) -> Served:
        if name not in self.loaded.models:
            raise RequestError(404, "there is no model of this name", "model")
        return self.loaded.models[name]

    def batcher(self, name: str, answer: Callable[[list[Any]], list[Any]], kind: str = "", most: int = 0) -> Batcher:
        """The batcher for one kind of requests to a model; `answer` is what a batch, `most` at once, goes through.

        A model has one thread, whatever the kinds: nothing in an estimator need be safe for several.
        """
        if (name, kind) not in self._batchers:
            pool = self._pools.setdefault(name, ThreadPoolExecutor(1, "gruworks"))
            self._batchers[name, kind] = Batcher(name, answer, pool, most or self.limits.sentences, self.limits.waiting)
        return self._batchers[name, kind]

    def slots(self, model: Served) -> ContinuousBatch:
        from gruworks.app.server.continuous_batching import ContinuousBatch

        if model.name not in self._batches:
            self._batches[model.name] = ContinuousBatch(model.estimator, model.name, self.limits.streams)
        return self._batches[model.name]

    async def apart(self, work: Callable[..., T], *given: Any) -> T:
        """`work(*given)` in a thread, for what would hold up the loop that serves everybody."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, work, *given)

    async def warm(self, model: Served) -> None:
        """Read the model's weights, if nobody has, away from the loop that serves everyone."""
        await asyncio.get_running_loop().run_in_executor(None, lambda: model.estimator)

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """One live session more.

        Raises:
            RequestError: there are as many as there may be.
        """
        if self.sessions >= self.limits.streams:
            raise RequestError(429, f"{self.sessions} live sessions are open already: try again in a moment")
        self.sessions += 1
        try:
            yield
        finally:
            self.sessions -= 1

    async def unless_closing(self, awaited: Awaitable[T], seconds: float | None = None) -> T:
        """Pending work.

        Raises:
            RequestError: the server is closing. TimeoutError: it took longer.
        """
        task, stop = asyncio.ensure_future(awaited), asyncio.ensure_future(self.closing.wait())
        try:
            done, _ = await asyncio.wait({task, stop}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if task in done:
                return task.result()
            if stop in done:
                raise RequestError(503, CLOSING)
            raise TimeoutError
        finally:
            stop.cancel()
            task.cancel()
            await asyncio.wait({task})

    async def events(self, source: AsyncGenerator[str, None]) -> AsyncIterator[str]:
        """Server-sent events; an error on the way, the server's end too, is the last one."""
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
        """Tell every stream that the server is closing; wait until all have told their clients, so long at most."""
        self.state = "closing"
        self.closing.set()
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

    async def close(self) -> None:
        self.state = "closing"
        self.closing.set()
        for slots in self._batches.values():
            slots.close()
        for pool in (*self._pools.values(), self._readers):
            pool.shutdown(wait=False, cancel_futures=True)
        self._pools.clear()
        self._batchers.clear()
        if self.jobs is not None:
            await self.jobs.close()
