"""Every sample is served as the file that `gruworks sample` writes; others are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from gruworks.data.samples import SAMPLES, write

PAGE = Path(__file__).parents[4] / "src" / "gruworks" / "app" / "page"


def test_all_samples_are_listed(client: TestClient) -> None:
    found = client.get("/v1/samples").json()
    assert list(found) == list(SAMPLES)
    assert all(found.values())


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_the_file_of_the_command_line(client: TestClient, name: str, tmp_path: Path) -> None:
    path = write(name, tmp_path)
    path = path / (path / "transcripts.csv").read_text().split()[1].split(",")[0] if path.is_dir() else path
    found = client.get(f"/v1/samples/{name}")
    assert found.status_code == 200
    assert found.content == path.read_bytes()


def test_an_unknown_sample_is_refused_with_the_names(client: TestClient) -> None:
    found = client.get("/v1/samples/..%2Fshop")
    assert found.status_code == 404
    found = client.get("/v1/samples/cats")
    assert found.status_code == 404
    assert "shop" in found.json()["error"]["message"]


def test_the_examples_of_the_page_are_samples() -> None:
    text = (PAGE / "samples.js").read_text(encoding="utf-8")
    names = [one.split(":")[0].strip() for one in text.split("NAMES = {")[1].split("}")[0].split(",")]
    assert set(names) == set(SAMPLES)
