"""A generator as C: embedding, blocks and output layer as a graph, and the bytes of its tokens."""

from __future__ import annotations

import itertools
from typing import Any

import torch

from gruworks.data.vocabulary import SPECIALS
from gruworks.errors import ExportError
from gruworks.interop.c.arrays import Precision
from gruworks.interop.c.generator import Vocabulary, program
from gruworks.interop.c.graph import Add, Graph, Node
from gruworks.interop.c.program import Program
from gruworks.nn.blocks.causal_conv import ConvolutionBlock
from gruworks.nn.blocks.stack import Block, GRUBlock
from gruworks.tasks.generate.decoding import banned
from gruworks.tasks.generate.model import LanguageNet

__all__ = ["graph", "of"]


def of(generator: Any, name: str, precision: Precision) -> tuple[Program, str]:
    """The program of a generator and its test.

    Raises:
        ExportError: attention blocks.
    """
    codec = generator.codec
    texts = [_bytes(codec.vocabulary, number) for number in range(len(codec.vocabulary))]
    end = -1 if codec.end is None else codec.end
    about = f"Generator of text, a token a step, with {precision} weights."
    vocabulary = Vocabulary(texts, codec.first, end, banned(codec))
    return program(name, about, graph(generator.model), vocabulary, precision)


def graph(net: LanguageNet) -> Graph:
    """The network from `token` to the `scores` of the next token."""
    nodes, last = [Node("embedding", net.embedding, ["token"])], "embedding"
    for number, block in enumerate(net.stack):
        nodes += _residual(block, number, last)
        nodes.append(Node(f"sum_{number}", Add(), [last, nodes[-1].name]))
        last = f"sum_{number}"
    output = torch.nn.Linear(*net.embedding.weight.shape[::-1])
    output.weight, output.bias = net.embedding.weight, net.bias
    nodes += [Node("norm", net.norm, [last]), Node("scores", output, ["norm"])]
    return Graph({"token": 0}, nodes, ["scores"])


def _residual(block: Block, number: int, last: str) -> list[Node]:
    norm = Node(f"norm_{number}", block.norm, [last])
    if isinstance(block, GRUBlock):
        return [norm, Node(f"gru_{number}", block.gru, [norm.name])]
    if isinstance(block, ConvolutionBlock):
        width, size = block.taps.shape
        taps = torch.nn.Conv1d(size, size, width, groups=size)
        taps.weight, taps.bias = torch.nn.Parameter(block.taps.T[:, None].clone()), block.bias
        parts = {"taps": taps, "silu": torch.nn.SiLU(), "mix": block.mix}
        names = [norm.name, *(f"{part}_{number}" for part in parts)]
        found = zip(names[1:], parts.values(), names, strict=False)
        return [norm, *(Node(own, part, [before]) for own, part, before in found)]
    raise ExportError(f"block {number}: {type(block).__name__} can't be written as C: between=none and convolution can")


def _bytes(vocabulary: Any, number: int) -> bytes:
    """UTF-8 of a token; of subwords and bytes perhaps a part of a character."""
    symbol: str = vocabulary.symbols[number]
    if number < len(SPECIALS):
        return b""
    if vocabulary.token == "byte":
        return bytes([number - len(SPECIALS)])
    if vocabulary.token == "subword":
        return bytes(BYTES[character] for character in symbol)
    return symbol.encode()


def _byte_table() -> dict[str, int]:
    """Bytes by the characters that stand for them in byte-level BPE: printable ones for themselves."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = itertools.count(256)
    return {chr(byte if byte in plain else next(others)): byte for byte in range(256)}


BYTES = _byte_table()
