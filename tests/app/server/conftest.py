"""One server over the ready models for all tests of this folder; jobs go to a temporary folder."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from gruworks.app.server.application import application
from gruworks.app.server.limits import Limits

LIMITS = Limits(body=200_000, upload=400_000, audio=5.0, characters=500, sentences=8, rows=2000, length=200, steps=50,
                traced=2000)  # fmt: skip


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    app: Any = application([], LIMITS, fits=tmp_path_factory.mktemp("fits"))
    with TestClient(app, raise_server_exceptions=False) as found:
        while found.get("/ready").json()["status"] == "loading":  # in a thread, which no test's patches may reach
            time.sleep(0.05)
        yield found
