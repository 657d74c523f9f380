"""Exact mode: bits of a row that depend on nothing but the row."""

from __future__ import annotations

from types import TracebackType

from gruworks.ops.backend import native

__all__ = ["exact"]


class exact:  # noqa: N801 (a context manager, as torch.no_grad)
    """Switch exact mode on or off in this thread, for good or within a `with` block.

    In exact mode the states of a row have the same bits whatever the batch size, the row's place in the batch, the
    number of steps in a call, the number of threads, and whether a whole sequence, a stream, a step or a packed sequence
    is computed, on one build of the kernels. By default these agree to rounding. Gradients of weights are sums over rows
    and are not covered, nor are calls in torch.compile.

    >>> import gruworks, torch
    >>> gru, x = gruworks.GRU(3, 4), torch.randn(7, 5, 3)                  # [T, B, I]
    >>> with torch.no_grad(), gruworks.exact(True):
    ...     print(torch.equal(gru(x)[0][:, :1], gru(x[:, :1])[0]))
    True

    Args:
        enabled: the mode.

    Raises:
        OptionError: the native kernel does not run here.
    """

    def __init__(self, enabled: bool = True) -> None:
        self._before = native.set_exact(bool(enabled))

    def __enter__(self) -> exact:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        native.set_exact(self._before)
