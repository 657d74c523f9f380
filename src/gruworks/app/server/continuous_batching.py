"""Continuous batching of texts: each step of the network serves all of them; texts join and leave between steps."""

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

__all__ = ["ContinuousBatch"]

log = logging.getLogger("gruworks.server")


@dataclass
class Slot:
    """One text of the batch: its decoding state, its sampling options, and the queue of its pieces."""

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
        """Queue a piece, an error or the end; empty pieces are left out."""
        if what == "":
            return
        with contextlib.suppress(RuntimeError):  # the loop has been closed
            self.loop.call_soon_threadsafe(self.out.put_nowait, what)


class ContinuousBatch:
    """The batch of one generator. Its thread runs only while there are texts to write."""

    def __init__(self, generator: Any, name: str, most: int) -> None:
        self.generator, self.name, self.most = generator, name, most
        self.decoder = generator.decoder()
        self.lock = threading.Lock()
        self.new: list[Slot] = []
        self.count = 0
        self.running = self.closed = False

    async def write(self, prompt: str, title: str, how: Sampling, length: int, seed: int) -> AsyncIterator[str]:
        """Yield the pieces of a text as they are written. The slot is free again when the caller stops reading.

        Raises:
            RequestError: all slots are taken. DataError: the prompt can't be encoded.
        """
        context, pieces = self.generator.reading(prompt, title)
        loop = asyncio.get_running_loop()
        slot = Slot(context, pieces, how, length, torch.Generator().manual_seed(seed), loop)
        with self.lock:
            if self.count >= self.most:
                raise RequestError(429, f"{self.count} texts are being written already: try again in a moment")
            self.count += 1
            self.new.append(slot)
            if not self.running:
                self.running = True
                threading.Thread(target=self._run, name=f"gruworks-{self.name}", daemon=False).start()
        return self._read(slot)

    async def _read(self, slot: Slot) -> AsyncIterator[str]:
        try:
            while (piece := await slot.out.get()) is not None:
                if isinstance(piece, BaseException):
                    raise piece
                yield piece
        finally:
            slot.gone = True

    def close(self) -> None:
        """Stop all generations; waiting readers are released."""
        self.closed = True

    def _run(self) -> None:
        slots: list[Slot] = []
        state: State = {}
        while True:
            with self.lock:
                new, self.new = self.new, []
                if self.closed or not (new or slots):
                    self.running = False
                    return
            slots, state = self._joined(new, slots, state)
            if slots:
                BATCHES.labels(self.name).observe(len(slots))
                slots, state = self._stepped(slots, state)

    def _joined(self, new: list[Slot], slots: list[Slot], state: State) -> tuple[list[Slot], State]:
        """The slots and their state with new ones; an error at the start of a text ends that text alone."""
        for slot in new:
            try:
                slot.token = int(slot.context[-1])
                own = self.decoder.start(torch.from_numpy(slot.context))
                state = stack([state, own]) if slots else own
            except Exception as error:
                self._failed([slot], error)
                continue
            slots = [*slots, slot]
        return slots, state

    def _stepped(self, slots: list[Slot], state: State) -> tuple[list[Slot], State]:
        """The slots and their state after a step, without those that have ended; an error aborts the batch."""
        try:
            state = self._step(slots, state)
            kept = [row for row, slot in enumerate(slots) if slot.left > 0 and not slot.gone]
            if len(kept) == len(slots):
                return slots, state
            state = select(state, torch.tensor(kept, dtype=torch.int64))
        except Exception as error:
            self._failed(slots, error)
            return [], {}
        self._freed(len(slots) - len(kept))
        return [slots[row] for row in kept], state

    def _failed(self, slots: list[Slot], error: Exception) -> None:
        log.error("a text of %s could not be written", self.name, exc_info=error)
        self._freed(len(slots))
        for slot in slots:
            slot.send(error)

    def _freed(self, count: int) -> None:
        with self.lock:
            self.count -= count

    @torch.inference_mode()
    def _step(self, slots: list[Slot], state: State) -> State:
        answer, state = self.decoder.step(torch.tensor([slot.token for slot in slots]), state)
        for row, slot in enumerate(slots):
            scores = shaped(answer[row : row + 1], slot.how, torch.empty(1, 0, dtype=torch.long))
            if slot.how.temperature == 0:
                slot.token = int(scores.argmax())
            else:
                slot.token = int(torch.multinomial(scores.softmax(1), 1, generator=slot.random))
            self._tell(slot)
        return state

    def _tell(self, slot: Slot) -> None:
        slot.left -= 1
        if slot.token == END:
            slot.left = 0
        else:
            slot.send(slot.pieces.add(slot.token))
        if slot.left <= 0:
            slot.send(slot.pieces.rest())
            slot.send(None)
