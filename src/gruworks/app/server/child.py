"""`python -m gruworks.app.server.child GIGABYTES SECONDS ARGUMENT...`: the command line under resource limits.

The process group is killed at the end of its standard input. The server holds the other end, so that no fit outlives
the server, however that ends.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path

__all__ = ["main"]


def main() -> None:
    gigabytes, seconds, *arguments = sys.argv[1:]
    threading.Thread(target=_watch, daemon=True).start()
    with contextlib.suppress(ImportError):  # Windows has no limits of this kind
        _limit(float(gigabytes), int(seconds))
    sys.argv = ["gruworks", *arguments]
    from gruworks.app.cli.main import run

    run()


def _watch() -> None:
    while os.read(0, 4096):
        pass
    if hasattr(os, "killpg") and os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _limit(gigabytes: float, seconds: int) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not Path("/dev/nvidiactl").exists():  # CUDA reserves addresses by the terabyte
        size = int(gigabytes * 1e9)
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


if __name__ == "__main__":
    main()
