"""Texts that are written side by side: each step of the network serves all of them, and they come and go."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import torch

from gruworks.app.server.metrics import BATCHES
from gruworks.app.server.replies import RequestError
from gruworks.data.vocabulary import END
from gruworks.nn.sampling import Sampling, shaped
from gruworks.nn.state import State, select, stack

__all__ = ["Lanes"]


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
        self.loop.call_soon_threadsafe(self.out.put_nowait, what)


class Lanes:
    """The writer of one generator. A thread runs while there is something to write, and only then."""

    def __init__(self, generator: Any, name: str, most: int) -> None:
        self.generator, self.name, self.most = generator, name, most
        self.decoder = generator.decoder()
        self.lock = threading.Lock()
        self.new: list[Lane] = []
        self.count = 0
        self.running = False

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
                threading.Thread(target=self._run, name=f"gruworks-{self.name}", daemon=True).start()
        return self._read(lane)

    async def _read(self, lane: Lane) -> AsyncIterator[str]:
        try:
            while (piece := await lane.out.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            lane.gone = True

    def _run(self) -> None:
        lanes: list[Lane] = []
        state: State = {}
        try:
            while True:
                lanes, state = self._joined(lanes, state)
                if not lanes:
                    return
                BATCHES.labels(self.name).observe(len(lanes))
                state = self._step(lanes, state)
                kept = [row for row, lane in enumerate(lanes) if lane.left > 0 and not lane.gone]
                if len(kept) < len(lanes):
                    self._freed(len(lanes) - len(kept))
                    lanes = [lanes[row] for row in kept]
                    state = select(state, torch.tensor(kept, dtype=torch.int64))
        except Exception as error:
            for lane in lanes:
                lane.send(error)
            self._freed(len(lanes))
            with self.lock:
                self.running = False
            raise

    def _joined(self, lanes: list[Lane], state: State) -> tuple[list[Lane], State]:
        """With those that came meanwhile; where none is left, the thread says so before it ends."""
        with self.lock:
            new, self.new = self.new, []
            if not new and not lanes:
                self.running = False
        for lane in new:
            lane.token = int(lane.context[-1])
            own = self.decoder.start(torch.from_numpy(lane.context))
            state = stack([state, own]) if lanes else own
            lanes = [*lanes, lane]
        return lanes, state

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
