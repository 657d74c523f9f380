"""Texts that are written side by side: each step of the network serves all of them, and they come and go."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import torch

from gruworks.app.server.metrics import BATCHES
from gruworks.app.server.responses import RequestError
from gruworks.data.vocabulary import END
from gruworks.nn.decoding.sampling import Sampling, shaped
from gruworks.nn.state import State, select, stack

__all__ = ["Lanes"]

log = logging.getLogger("gruworks.server")


@dataclass
class Lane:
    """One text: what it may still write, how, and where its pieces go."""

    context: Any
    pieces: Any
    how: Sampling
    left: int
    random: torch.Generator
    loop: asyncio.AbstractEventLoop
    gone: bool = False
    token: int = 0
    out: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)

    def send(self, what: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has been closed
            self.loop.call_soon_threadsafe(self.out.put_nowait, what)


class Lanes:
    """The writer of one generator. A thread runs while there is something to write, and only then."""

    def __init__(self, generator: Any, name: str, most: int) -> None:
        self.generator, self.name, self.most = generator, name, most
        self.decoder = generator.decoder()
        self.lock = threading.Lock()
        self.new: list[Lane] = []
        self.count = 0
        self.running = self.closed = False

    async def write(self, prompt: str, title: str, how: Sampling, length: int, seed: int) -> AsyncIterator[str]:
        """The pieces of a text as they come. Whoever stops reading frees the lane.

        Raises:
            RequestError: as many texts as there may be are being written. DataError: a prompt that can't be read.
        """
        context, pieces = self.generator.reading(prompt, title)
        loop = asyncio.get_running_loop()
        lane = Lane(context, pieces, how, length, torch.Generator().manual_seed(seed), loop)
        with self.lock:
            if self.count >= self.most:
                raise RequestError(429, f"{self.count} texts are being written already: try again in a moment")
            self.count += 1
            self.new.append(lane)
            if not self.running:
                self.running = True
                threading.Thread(target=self._run, name=f"gruworks-{self.name}", daemon=False).start()
        return self._read(lane)

    async def _read(self, lane: Lane) -> AsyncIterator[str]:
        try:
            while (piece := await lane.out.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            lane.gone = True

    def close(self) -> None:
        """Write nothing more."""
        self.closed = True

    def _run(self) -> None:
        lanes: list[Lane] = []
        state: State = {}
        while True:
            with self.lock:
                new, self.new = self.new, []
                if self.closed or not (new or lanes):
                    self.running = False
                    return
            lanes, state = self._joined(new, lanes, state)
            if lanes:
                BATCHES.labels(self.name).observe(len(lanes))
                lanes, state = self._stepped(lanes, state)

    def _joined(self, new: list[Lane], lanes: list[Lane], state: State) -> tuple[list[Lane], State]:
        """With those that came meanwhile. One that can't begin gets its error alone."""
        for lane in new:
            try:
                lane.token = int(lane.context[-1])
                own = self.decoder.start(torch.from_numpy(lane.context))
                state = stack([state, own]) if lanes else own
            except Exception as error:
                self._failed([lane], error)
                continue
            lanes = [*lanes, lane]
        return lanes, state

    def _stepped(self, lanes: list[Lane], state: State) -> tuple[list[Lane], State]:
        """A step further, without those that have ended. A step that fails ends all that took part in it."""
        try:
            state = self._step(lanes, state)
            kept = [row for row, lane in enumerate(lanes) if lane.left > 0 and not lane.gone]
            if len(kept) == len(lanes):
                return lanes, state
            state = select(state, torch.tensor(kept, dtype=torch.int64))
        except Exception as error:
            self._failed(lanes, error)
            return [], {}
        self._freed(len(lanes) - len(kept))
        return [lanes[row] for row in kept], state

    def _failed(self, lanes: list[Lane], error: Exception) -> None:
        log.error("a text of %s could not be written", self.name, exc_info=error)
        self._freed(len(lanes))
        for lane in lanes:
            lane.send(error)

    def _freed(self, count: int) -> None:
        with self.lock:
            self.count -= count

    @torch.inference_mode()
    def _step(self, lanes: list[Lane], state: State) -> State:
        answer, state = self.decoder.step(torch.tensor([lane.token for lane in lanes]), state)
        for row, lane in enumerate(lanes):
            scores = shaped(answer[row : row + 1], lane.how, torch.empty(1, 0, dtype=torch.long))
            if lane.how.temperature == 0:
                lane.token = int(scores.argmax())
            else:
                lane.token = int(torch.multinomial(scores.softmax(1), 1, generator=lane.random))
            self._tell(lane)
        return state

    def _tell(self, lane: Lane) -> None:
        lane.left -= 1
        if lane.token == END:
            lane.left = 0
        else:
            text = lane.pieces.add(lane.token)
            if text:
                lane.send(text)
        if lane.left <= 0:
            rest = lane.pieces.rest()
            if rest:
                lane.send(rest)
            lane.send(None)
