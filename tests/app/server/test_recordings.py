"""Archives of recordings: fitted as a job, or refused with a code."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pytest
from fastapi.testclient import TestClient

from gruworks.app.server.application import application
from gruworks.app.server.archives import zipped
from gruworks.app.server.jobs import Jobs
from gruworks.app.server.limits import Limits
from gruworks.app.server.models import LoadedModels
from gruworks.app.server.recordings import unpack
from gruworks.app.server.responses import RequestError
from gruworks.app.server.schemas import FitRecordings
from gruworks.data.samples import write
from tests.app.server.test_archives import GOOD, LIMITS, WAV, Files, packed


def unpacked(folder: Path, content: io.BytesIO, limits: Limits = LIMITS) -> list[str]:
    """The files below the folder."""
    unpack(content, folder / "recordings", limits)
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


def test_recordings_and_transcripts_are_unpacked_and_nothing_else(tmp_path: Path) -> None:
    more = {"mine/a.exe": b"MZ", "__MACOSX/mine/._a.wav": b"x", "mine/.DS_Store": b"x", "mine/phone.m4a": b"x"}
    assert unpacked(tmp_path, packed(GOOD | more)) == [f"recordings/{name}" for name in sorted(GOOD)]


def test_each_layout_is_read(tmp_path: Path) -> None:
    rows = [{"audio_filepath": f"{name}.wav", "text": "yes"} for name in "ab"]
    layouts: list[Files] = [
        {"manifest.jsonl": "\n".join(map(json.dumps, rows)).encode(), "a.wav": WAV, "b.wav": WAV},
        {"x/a.wav": WAV, "x/a.txt": b"yes", "x/b.wav": WAV, "x/b.txt": b"no"},
        {"1/2/1-2.trans.txt": b"1-2-0 YES\n1-2-1 NO\n", "1/2/1-2-0.wav": WAV, "1/2/1-2-1.wav": WAV},
    ]
    for number, files in enumerate(layouts):
        assert len(unpacked(tmp_path / str(number), packed(files))) == len(files)


BAD: dict[str, tuple[Files, str]] = {
    "no recording": ({"metadata.csv": b"audio,text\n"}, "no-recordings"),
    "no manifest": ({"yes.wav": WAV, "no.wav": WAV}, "no-transcripts"),
    "one without a transcript": ({"a.wav": WAV, "a.txt": b"yes", "b.wav": WAV}, "bad-recordings"),
    "a table without transcripts": ({"metadata.csv": b"audio,size\na.wav,1\n", "a.wav": WAV}, "bad-recordings"),
    "a text as a recording": (GOOD | {"mine/b.wav": b"this is text, no sound"}, "not-a-recording"),
    "a missing recording": (GOOD | {"mine/metadata.csv": b"audio,text\nc.wav,yes\n"}, "recording-missing"),
    "a file of the server": (GOOD | {"mine/metadata.csv": b"audio,text\n/etc/passwd,yes\n"}, "recording-missing"),
    "one beside the job": (GOOD | {"mine/metadata.csv": b"audio,text\n../../out.wav,yes\n"}, "recording-missing"),
}


@pytest.mark.parametrize("kind", BAD)
def test_recordings_that_cannot_be_fitted_are_refused(tmp_path: Path, kind: str) -> None:
    (tmp_path / "out.wav").write_bytes(WAV)
    files, code = BAD[kind]
    with pytest.raises(RequestError) as refused:
        unpacked(tmp_path, packed(files))
    assert (refused.value.status, refused.value.where, refused.value.code) == (400, "archive", code)
    assert str(tmp_path) not in str(refused.value)


def test_of_the_server_s_files_an_error_does_not_tell_which_exist(tmp_path: Path) -> None:
    said = set()
    for number, name in enumerate(("/etc/passwd", "/etc/nothing")):
        with pytest.raises(RequestError) as refused:
            unpacked(tmp_path / str(number), packed(GOOD | {"mine/metadata.csv": f"audio,text\n{name},a\n".encode()}))
        said.add((str(refused.value), str(refused.value.values)))
    assert len(said) == 1


def test_damaged_archives_are_refused_in_words(tmp_path: Path) -> None:
    whole, random = packed(GOOD).getvalue(), numpy.random.default_rng(0)
    for number in range(300):
        damaged = bytearray(whole)
        for at in random.integers(len(whole) - 400, len(whole), 3):  # the directory
            damaged[at] = random.integers(256)
        with contextlib.suppress(RequestError):  # any other error is a fault of the server
            unpacked(tmp_path / str(number), io.BytesIO(damaged))


@pytest.fixture(scope="module")
def fitting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Path]]:
    folder = tmp_path_factory.mktemp("fits")
    with TestClient(application([], LIMITS, fits=folder)) as client:
        yield client, folder


def post(client: TestClient, content: bytes, settings: Any = None, **fields: str) -> Any:
    data = fields if settings is None else fields | {"settings": json.dumps(settings)}
    return client.post("/v1/fit/recordings", files={"archive": ("mine.zip", content)}, data=data)


def last_event(client: TestClient, job: str) -> tuple[str, Any]:
    kind, data = client.get(f"/v1/jobs/{job}/events").text.strip().split("\n\n")[-1].split("\n")
    return kind.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_recordings_are_fitted_as_a_job_whose_model_transcribes(
    fitting: tuple[TestClient, Path], tmp_path: Path
) -> None:
    client, folder = fitting
    path = write("recordings", tmp_path)
    listed = (path / "transcripts.csv").read_text().splitlines()[:17]
    files = {"my/transcripts.csv": "\n".join(listed).encode()}
    files |= {f"my/{one.split(',')[0]}": (path / one.split(",")[0]).read_bytes() for one in listed[1:]}
    small = {"steps": 4, "validate_every": 2, "hidden_size": 8}
    answer = post(client, packed(files).getvalue(), small, name="vowels")
    assert answer.status_code == 202, answer.text
    job = answer.json()["job"]
    assert last_event(client, job) == ("done", {"model": "vowels", "said": ""})
    assert [one.name for one in (folder / ".jobs" / job).iterdir() if one.is_dir()] == []  # the recordings are gone
    sent = {"file": ("000.wav", (path / "000.wav").read_bytes())}
    found = client.post("/v1/transcribe", files=sent, data={"model": "vowels"})
    assert (found.status_code, found.json()["model"]) == (200, "vowels")


def test_a_refused_archive_leaves_nothing(fitting: tuple[TestClient, Path]) -> None:
    client, folder = fitting
    before = sorted((folder / ".jobs").glob("*")), len(client.get("/v1/jobs").json()["jobs"])
    answer = post(client, packed(GOOD | {"../out.wav": WAV}).getvalue())
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "archive-path")
    assert before == (sorted((folder / ".jobs").glob("*")), len(client.get("/v1/jobs").json()["jobs"]))


def test_settings_and_sizes_have_the_limits_of_other_fits(fitting: tuple[TestClient, Path]) -> None:
    client, _ = fitting
    good = packed(GOOD).getvalue()
    for settings, where in (
        ({"noise_from": "/etc"}, "settings.noise_from"), ({"hidden_size": 10**6}, "settings.hidden_size"),
        ({"channels": 4}, "settings.channels"),
    ):  # fmt: skip
        answer = post(client, good, settings)
        assert (answer.status_code, answer.json()["error"]["where"]) == (422, where)
    assert post(client, good, {"stepz": 1}).status_code == 400
    for settings in ([], "x", {str(number): 1 for number in range(51)}):
        assert post(client, good, settings).status_code == 422
    assert post(client, good, name="../x").status_code == 422
    assert client.post("/v1/fit/recordings", data={"settings": "{}"}).status_code == 422
    assert client.post("/v1/fit", json={"task": "transcribe", "text": "a"}).status_code == 422
    assert post(client, b"\0" * 1_000_001).status_code == 413
    told = client.get("/v1/limits").json()
    assert {told[f"archive{part}"] for part in ("", "_files", "_content")} == {1_000_000, 20, 2_000_000}


def test_a_server_without_fits_does_not_read_the_body() -> None:
    with TestClient(application([], token="0123456789abcdef")) as plain:
        assert post(plain, b"").status_code == 401
    read = []

    def body() -> Iterator[bytes]:
        for _ in range(100):
            read.append(1)
            yield b"\0" * 1000

    with TestClient(application([])) as plain:
        answer = plain.post("/v1/fit/recordings", content=body(), headers={"content-type": "multipart/form-data"})
    assert answer.status_code == 403
    assert "--allow-fit" in answer.json()["error"]["message"]


def jobs(folder: Path, monkeypatch: pytest.MonkeyPatch, **limits: Any) -> Jobs:
    code = "import time; time.sleep(600)"
    monkeypatch.setattr(Jobs, "_command", lambda self, job, minutes: [sys.executable, "-c", code])
    return Jobs(LoadedModels([]), folder, Limits(**limits))


def test_a_restart_finds_the_recordings_and_a_cancelled_job_removes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".jobs" / "half" / "recordings").mkdir(parents=True)  # of a server that ended while it unpacked

    async def first() -> str:
        found = jobs(tmp_path, monkeypatch)
        assert not (tmp_path / ".jobs" / "half").exists()
        job = await found.start_archive(FitRecordings(), packed(GOOD))
        await found.close()
        assert job.state == "interrupted"
        (job.out / "checkpoints").mkdir(parents=True)
        (job.out / "checkpoints" / "last.ckpt").write_bytes(b"")
        with pytest.raises(RequestError, match="closing"):
            await found.start_archive(FitRecordings(), packed(GOOD))
        return job.id

    async def second(name: str) -> None:
        found = jobs(tmp_path, monkeypatch)
        job = found.resume(name)
        assert sorted(one.name for one in job.file.rglob("*.wav")) == ["a.wav", "b.wav"]
        found.cancel(name)
        await asyncio.gather(*found.tasks)
        assert (job.state, job.file.exists()) == ("cancelled", False)

    asyncio.run(second(asyncio.run(first())))
    assert len(list((tmp_path / ".jobs").iterdir())) == 1


def test_a_full_queue_unpacks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        found = jobs(tmp_path, monkeypatch, jobs=1)
        for _ in range(2):
            await found.start_archive(FitRecordings(), packed(GOOD))
        with pytest.raises(RequestError) as refused:
            await found.start_archive(FitRecordings(), packed(GOOD))
        assert (refused.value.status, len(list((tmp_path / ".jobs").iterdir()))) == (429, 2)
        await found.close()

    asyncio.run(run())


def test_two_archives_at_once_have_runs_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        found = jobs(tmp_path, monkeypatch)
        both = [found.start_archive(FitRecordings(name="mine"), packed(GOOD)) for _ in range(2)]
        assert sorted(job.out.name for job in await asyncio.gather(*both)) == ["mine", "mine-2"]
        await found.close()

    asyncio.run(run())


def test_a_client_that_leaves_while_its_archive_is_unpacked_has_no_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    going, left = threading.Event(), threading.Event()

    def slowly(file: io.BytesIO, folder: Path, limits: Limits) -> None:
        going.set()
        left.wait(60)
        unpack(file, folder, limits)

    monkeypatch.setattr("gruworks.app.server.jobs.recordings.unpack", slowly)

    async def run() -> None:
        found = jobs(tmp_path, monkeypatch)
        asked = asyncio.create_task(found.start_archive(FitRecordings(), packed(GOOD)))
        await asyncio.to_thread(going.wait, 60)
        asked.cancel()
        await asyncio.wait([asked])
        left.set()
        await asyncio.wait(found.tasks)
        assert (found.jobs, list((tmp_path / ".jobs").iterdir())) == ({}, [])

    asyncio.run(run())


def test_a_sample_archive_is_one_that_can_be_fitted(fitting: tuple[TestClient, Path], tmp_path: Path) -> None:
    client, _ = fitting
    content = client.get("/v1/samples/recordings/archive").content
    assert len(unpacked(tmp_path, io.BytesIO(content), Limits())) == 241
    assert client.get("/v1/samples/shop/archive").status_code == 404
    assert zipped(tmp_path / "recordings")[:2] == b"PK"
