"""The page in headless Chromium, before a real server over the ready models."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = os.environ.get("GRUWORKS_CHROMIUM", "/usr/bin/chromium")
TOKEN = "0123456789abcdef"
PATIENCE = int(
    os.environ.get("GRUWORKS_PATIENCE", "240000")
)  # milliseconds: on a busy machine a fit's process needs a minute to begin
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
]  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    import uvicorn

    from gruworks.app.server.application import application
    from gruworks.app.server.continuous_batching import ContinuousBatch

    tell = ContinuousBatch._tell
    slowly = pytest.MonkeyPatch()
    slowly.setattr(ContinuousBatch, "_tell", lambda slots, slot: (time.sleep(0.1), tell(slots, slot)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = application([], token=TOKEN, fits=tmp_path_factory.mktemp("fits"))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    slowly.undo()
    server.should_exit = True
    thread.join(10)


def learn(page: Any) -> None:
    """Start a fit of few optimiser steps, a forecaster's three steps ahead: its length does not matter to the page."""
    few = {"steps": 20, "validate_every": 10, "hidden_size": 4}

    def shorter(route: Any) -> None:
        asked = route.request.post_data_json
        route.continue_(post_data=asked | {"settings": asked["settings"] | few})

    page.route("**/v1/fit", shorter)
    if page.locator("#panel-listen:not([hidden])").count():  # an upload, which is not intercepted
        form = page.locator("#panel-listen .side .settings")
        form.get_by_text("More settings").click()
        form.get_by_label("Maximum number of optimizer steps").fill(str(few["steps"]))
        form.get_by_label("Optimizer steps between validations").fill(str(few["validate_every"]))
        form.get_by_label("Hidden size of each GRU layer").fill(str(few["hidden_size"]))
    if page.locator("#panel-forecast:not([hidden])").count():
        page.get_by_label("Steps ahead").fill("3")
        page.get_by_label("Forecast by").select_option("fit")
        page.get_by_role("button", name="Fit a model and forecast").click()
    else:
        page.locator("[role=tabpanel]:not([hidden])").get_by_role("button", name="Learn it").click()


@pytest.fixture(scope="module")  # no longer: while it is open, no test can run a loop of its own
def browser() -> Iterator[Any]:
    if not Path(CHROMIUM).is_file():
        pytest.skip(f"{CHROMIUM} is missing: install Debian's chromium, or name one in GRUWORKS_CHROMIUM")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    playwright.expect.set_options(timeout=PATIENCE)
    with playwright.sync_playwright() as found:
        chromium = found.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Open the page at a fragment; at the end nothing may have been complained of, and no other host been asked."""
    contexts, complaints = [], []

    def visited(fragment: str = "", **options: Any) -> Any:
        context = browser.new_context(**{"locale": "en-GB", "viewport": {"width": 1200, "height": 900}} | options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: message.type in ("error", "warning") and complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda one: one.url.startswith((address, "blob:", "data:")) or complaints.append(one.url))
        page.goto(f"{address}/?token={TOKEN}#{fragment}")
        page.wait_for_selector("[role=tabpanel]:not([hidden]) h1")
        return page

    yield visited
    for context in contexts:
        context.close()
    # a refused request is told by the page in words, and by the browser in its log
    assert [one for one in complaints if "Failed to load resource" not in one] == []
