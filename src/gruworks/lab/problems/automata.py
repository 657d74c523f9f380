"""State tracking: words over the input symbols of a finite automaton; the target at every step is what its state shows.

Parity, addition modulo 5, the word problems of the groups S5 and A5, and a flip-flop with undo. The input of a word
problem is any element of the group, as in Merrill et al. 2024 (arXiv 2404.08819), not one of a few generators.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy
import torch
from numpy.typing import NDArray

from gruworks.errors import OptionError
from gruworks.lab.problems.batches import Batch

__all__ = ["AUTOMATA", "Automaton", "track"]

Permutation = tuple[int, ...]


class Automaton(NamedTuple):
    """Next states [states, symbols] and the output of each state [states]; state 0 is the initial one."""

    transitions: NDArray[numpy.int64]
    outputs: NDArray[numpy.int64]

    @property
    def symbols(self) -> int:
        """Number of input symbols."""
        return int(self.transitions.shape[1])

    @property
    def labels(self) -> int:
        """Number of output labels."""
        return int(self.outputs.max()) + 1

    def run(self, word: NDArray[Any]) -> NDArray[numpy.int64]:
        """Labels [T, B] after each step of words [T, B].

        >>> AUTOMATA["parity"].run(numpy.array([[1], [0], [1], [1]]))[:, 0].tolist()
        [1, 1, 0, 1]
        """
        state, found = numpy.zeros(word.shape[1:], numpy.int64), []
        for symbols in word:
            state = self.transitions[state, symbols]
            found.append(self.outputs[state])
        return numpy.array(found)


def track(automaton: Automaton, rows: int, length: int, seed: int, repeats: bool = False, symbols: int = 0) -> Batch:
    """Random words, one-hot, and the label after each step.

    >>> batch = track(AUTOMATA["s5"], 3, 40, seed=0)
    >>> batch.x.shape, batch.y.shape
    (torch.Size([40, 3, 120]), torch.Size([120]))

    Args:
        automaton: of `AUTOMATA`.
        rows: B.
        length: T, at least 1.
        seed: of the random numbers; the same seed gives the same batch.
        repeats: half of the words repeat symbols, each with a probability of its own, uniform between 0 and 1: long
            runs of a symbol, which hardly occur among short words of independent symbols and do among long ones.
        symbols: number of the symbols that the words are of, the first ones; 0: all.

    Raises:
        OptionError: no row, no step, or a negative seed.
    """
    if rows < 1 or length < 1 or seed < 0:
        raise OptionError(
            f"expected 1 row or more of 1 step or more and a seed from 0 on, "
            f"got {rows} rows, length {length}, seed {seed}"
        )
    rng = numpy.random.default_rng(seed)
    word = rng.integers(0, symbols or automaton.symbols, (length, rows))
    if repeats:
        held = rng.random((length, rows)) < rng.random(rows) * (rng.random(rows) < 0.5)
        for t in range(1, length):
            word[t] = numpy.where(held[t], word[t - 1], word[t])
    x = torch.zeros(length, rows, automaton.symbols).scatter_(-1, torch.from_numpy(word)[..., None], 1.0)
    y = torch.from_numpy(automaton.run(word).reshape(-1))
    return Batch(x, torch.ones(length, rows, dtype=torch.bool), y)


def _group(elements: list[Permutation]) -> Automaton:
    """The word problem of a permutation group: the state is the product of the elements so far, the first innermost."""
    index = {element: i for i, element in enumerate(elements)}
    products = [[index[tuple(new[old[i]] for i in range(len(old)))] for new in elements] for old in elements]
    return Automaton(numpy.array(products), numpy.arange(len(elements)))


def _inversions(element: Permutation) -> int:
    return sum(a > b for a, b in itertools.combinations(element, 2))


def _addition(modulus: int) -> Automaton:
    numbers = numpy.arange(modulus)
    return Automaton((numbers[:, None] + numbers) % modulus, numbers)


def _flip_flop(values: int) -> Automaton:
    """A cell that holds one of `values`: write each value (one symbol each), keep, or undo.

    The state is the present value and the one before the last write or undo. Undo exchanges them, so that a second undo
    takes the first back. The label is the present value.
    """
    present, former = numpy.divmod(numpy.arange(values**2), values)
    written = [values * value + present for value in range(values)]
    return Automaton(numpy.stack([*written, values * present + former, values * former + present], 1), present)


# In order of the number of inversions: the identity, then exchanges of neighbours, which generate the group.
S5: list[Permutation] = sorted(itertools.permutations(range(5)), key=_inversions)
AUTOMATA = {
    "parity": _addition(2),
    "addition": _addition(5),
    "flip-flop": _flip_flop(4),
    "a5": _group([element for element in S5 if _inversions(element) % 2 == 0]),
    "s5": _group(S5),
}
