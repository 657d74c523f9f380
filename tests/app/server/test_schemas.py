"""schemathesis over the OpenAPI document: whatever the document allows gives no 5xx, and its examples work."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed: the test extra brings it")

OPERATIONS = ("/health", "/ready", "/metrics", "/v1/models", "/v1/columns", "/v1/forecast", "/v1/generate",
              "/v1/translate", "/v1/transcribe", "/v1/trace", "/v1/jobs", "/v1/jobs/{job}",
              "/v1/jobs/{job}/events", "/v1/jobs/{job}/resume", "/v1/limits", "/v1/samples", "/v1/samples/{name}",
              "/v1/models/{name}/archive", "/v1/samples/{name}/archive", "/v1/fit/recordings")  # fmt: skip
POSTS = ("/v1/columns", "/v1/generate", "/v1/translate", "/v1/trace", "/v1/forecast")


def sent(client: TestClient, case: Any) -> Any:
    """A generated case through the test client."""
    request = case.as_transport_kwargs(base_url="http://testserver")
    if request.get("data") is not None:
        key = "data" if isinstance(request["data"], dict) else "content"
        request[key] = request.pop("data")
    known = ("method", "url", "params", "headers", "json", "content", "data", "files")
    return client.request(**{name: value for name, value in request.items() if name in known and value is not None})


@pytest.mark.parametrize("path", OPERATIONS)
def test_no_answer_is_a_fault_of_the_server(client: TestClient, path: str) -> None:
    document = client.get("/openapi.json").json()
    assert set(document["paths"]) - set(OPERATIONS) == {"/v1/fit"}  # each of its cases would be a process
    for method in document["paths"][path]:
        operation = schemathesis.openapi.from_dict(document)[path][method.upper()]

        @settings(
            max_examples=15, deadline=None, phases=[Phase.generate], derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def tried(case: Any) -> None:
            answer = sent(client, case)
            loading = path == "/ready" and answer.status_code == 503 and answer.json() == {"status": "loading"}
            assert answer.status_code < 500 or loading, answer.text

        tried()


@pytest.mark.parametrize("path", POSTS)
def test_the_documents_examples_work(client: TestClient, path: str) -> None:
    document = client.get("/openapi.json").json()
    name = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    fields = document["components"]["schemas"][name.rpartition("/")[2]]["properties"]
    body = {key: field["examples"][0] for key, field in fields.items() if field.get("examples")}
    answer = client.post(path, json={key: value for key, value in body.items() if value is not None})
    assert answer.status_code == 200, answer.text
