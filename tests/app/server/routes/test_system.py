"""A served run as an archive: all of its files but the checkpoints, below a folder of its name."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from gruworks.app.server.archives import zipped


def names(content: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return set(archive.namelist())


@pytest.mark.parametrize("name", ["ready/seattle", "ready%2Fseattle"])
def test_a_served_run_is_sent_whole(client: TestClient, name: str) -> None:
    found = client.get(f"/v1/models/{name}/archive")
    assert found.status_code == 200
    assert found.headers["content-type"] == "application/zip"
    assert "attachment" in found.headers["content-disposition"]
    assert {"seattle/run.json", "seattle/config.json", "seattle/weights.safetensors"} <= names(found.content)


def test_checkpoints_and_links_stay_out(tmp_path: Path) -> None:
    run = tmp_path / "shop"
    (run / "checkpoints").mkdir(parents=True)
    (run / "run.json").write_text("{}")
    (run / "checkpoints" / "last.ckpt").write_text("x")
    (run / "secret").symlink_to("/etc/hostname")
    assert names(zipped(run)) == {"shop/run.json"}


def test_a_model_that_is_not_served_has_no_archive(client: TestClient) -> None:
    found = client.get("/v1/models/nothing/archive")
    assert found.status_code == 404
    assert "/etc" not in found.text
    assert client.get("/v1/models/..%2F..%2Fetc/archive").status_code == 404
