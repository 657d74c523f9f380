"""Weight of the page before its first chart, and its first contentful paint on a slow network.

    python benchmarks/page_weight.py    needs playwright and chromium; writes benchmarks/results/face.json, with
                                        --out FOLDER there

A server over the ready models is started; Chromium opens the page with an empty cache. Counted are the bytes of all
responses as they are transferred (compressed, with headers) until the first drawing has been painted. The first
contentful paint is measured on a connection of 50 kB/s with a latency of 100 ms.
"""

from __future__ import annotations

import argparse
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from record import RESULTS, record, write

CHROMIUM = os.environ.get("GRUWORKS_CHROMIUM", "/usr/bin/chromium")
TOKEN = "page-weight-0123456789"
BYTES_A_SECOND, LATENCY = 50_000, 100  # of the slow network; milliseconds
PATIENCE = 240_000  # milliseconds
DRAWN = ".heat canvas, svg.drawing"
PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


@contextmanager
def served() -> Iterator[str]:
    """The address of a server in a thread."""
    import uvicorn

    from gruworks.app.server.application import application

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(application([], token=TOKEN), port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


def opened(browser: Any, address: str, slow: bool) -> tuple[float, float]:
    """Kilobytes before the first drawing, and milliseconds to the first contentful paint."""
    page = browser.new_context(locale="en-GB").new_page()
    page.set_default_timeout(PATIENCE)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    if slow:
        devtools.send("Network.emulateNetworkConditions", {
            "offline": False, "latency": LATENCY, "downloadThroughput": BYTES_A_SECOND,
            "uploadThroughput": BYTES_A_SECOND,
        })  # fmt: skip
    sizes: list[float] = []
    devtools.on("Network.loadingFinished", lambda told: sizes.append(told["encodedDataLength"]))
    page.goto(f"{address}/?token={TOKEN}")
    page.wait_for_selector(DRAWN)
    weight, paint = sum(sizes) / 1000, float(page.evaluate(PAINT))
    page.context.close()
    return weight, paint


def main() -> None:
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description="Weight and first paint of the page")
    parser.add_argument("--out", type=Path, default=RESULTS)
    out = parser.parse_args().out
    with served() as address, sync_playwright() as found:
        browser = found.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        weight, _ = opened(browser, address, slow=False)
        _, paint = opened(browser, address, slow=True)
        browser.close()
    note = f"first contentful paint {paint / 1000:.1f} s at {BYTES_A_SECOND / 1000:.0f} kB/s and {LATENCY} ms latency"
    write("face", [record("face/page-kb-before-chart", round(weight, 1), note=note)], out)
    print(f"{weight:.1f} kB before the first chart; {note}")


if __name__ == "__main__":
    main()
