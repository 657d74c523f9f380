"""Zip archives of requests: what is unpacked stays below the folder and within the limits."""

from __future__ import annotations

import io
import stat
import struct
import tracemalloc
import wave
import zipfile
from pathlib import Path

import numpy
import pytest

from gruworks.app.server.archives import unzip
from gruworks.app.server.limits import Limits
from gruworks.app.server.responses import RequestError

SUFFIXES = (".wav", ".csv", ".txt")
LIMITS = Limits(archive=1_000_000, archive_files=20, archive_content=2_000_000)
Files = dict[str, bytes]


def sound(seconds: float = 0.3) -> bytes:
    content = io.BytesIO()
    noise = numpy.random.default_rng(0).normal(0, 1000, int(8000 * seconds)).astype("<i2")
    with wave.open(content, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(noise.tobytes())
    return content.getvalue()


WAV = sound()
GOOD: Files = {"mine/metadata.csv": b"audio,text\na.wav,yes\nb.wav,no\n", "mine/a.wav": WAV, "mine/b.wav": WAV}


def packed(files: Files, method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    content.seek(0)
    return content


def entry(name: str, mode: int, data: bytes = b"") -> io.BytesIO:
    """The good files and an entry of another kind."""
    content = packed(GOOD)
    with zipfile.ZipFile(content, "a") as archive:
        info = zipfile.ZipInfo(name)
        info.create_system, info.external_attr = 3, (mode | 0o644) << 16
        archive.writestr(info, data)
    content.seek(0)
    return content


def unpacked(folder: Path, content: io.BytesIO) -> list[str]:
    """The files that are written."""
    (folder / "recordings").mkdir(parents=True)
    unzip(content, folder / "recordings", SUFFIXES, LIMITS)
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


@pytest.mark.parametrize("encoding", ["utf-8", "gb2312", "cp437"])
def test_names_are_decoded_as_the_packing_program_wrote_them(tmp_path: Path, encoding: str) -> None:
    """Other programs write names without the flag that says UTF-8."""
    name = "für.wav" if encoding == "cp437" else "录音.wav"
    raw = name.encode(encoding)
    placeholder = "x" * (len(raw) - 4) + ".wav"
    content = packed({placeholder: WAV, "metadata.csv": f"audio,text\n{name},yes\n".encode()}, zipfile.ZIP_STORED)
    content = io.BytesIO(content.getvalue().replace(placeholder.encode(), raw))
    assert f"recordings/{name}" in unpacked(tmp_path, content)


OUT = (
    "../out.wav", "/etc/out.wav", "a/../../../out.wav", "..\\..\\out.wav", "C:\\out.wav", "a.wav:b.wav",
    "x" * 201 + ".wav", "mine/a.wav/b.wav", "line\nbreak.wav",
)  # fmt: skip


@pytest.mark.parametrize("name", OUT)
def test_a_path_out_of_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError, match="the archive holds a path") as refused:
        unpacked(tmp_path / "home", packed(GOOD | {name: WAV}))
    assert (refused.value.status, refused.value.code) == (400, "archive-path")
    assert [one.name for one in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    with pytest.raises(RequestError) as refused:
        unpacked(tmp_path, entry("mine/c.wav", kind, b"/etc/passwd"))
    assert (refused.value.status, refused.value.code) == (400, "archive-link")


@pytest.mark.filterwarnings("ignore:Duplicate name")  # of the packing
def test_a_file_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="a path twice"):
        unpacked(tmp_path, entry("mine/a.wav", stat.S_IFREG, WAV))


def test_a_bomb_is_counted_while_it_is_unpacked(tmp_path: Path) -> None:
    huge = bytearray(packed({"a.wav": b"\0" * 50_000_000}).getvalue())
    stated = huge.replace(struct.pack("<I", 50_000_000), struct.pack("<I", 1000))  # in both headers
    assert len(huge) < 100_000
    for content in (huge, stated):
        home = tmp_path / str(len(list(tmp_path.iterdir())))
        with pytest.raises(RequestError) as refused:
            unpacked(home, io.BytesIO(content))
        assert refused.value.code in ("archive-size", "not-an-archive")
        assert sum(one.stat().st_size for one in home.rglob("*.wav")) <= LIMITS.archive_content
    total = {f"{number}.wav": b"\0" * 700_000 for number in range(3)}  # each below the limit
    with pytest.raises(RequestError) as refused:
        unpacked(tmp_path / "total", packed(total))
    assert (refused.value.status, refused.value.code) == (413, "archive-size")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compression_that_is_not_counted_is_refused(tmp_path: Path, method: int) -> None:
    with pytest.raises(RequestError) as refused:
        unpacked(tmp_path, packed(GOOD, method))
    assert refused.value.code == "not-an-archive"


def test_too_many_files_are_refused_before_any_is_written(tmp_path: Path) -> None:
    with pytest.raises(RequestError) as refused:
        unpacked(tmp_path, packed({f"{number}.txt": b"" for number in range(21)}))
    assert (refused.value.status, refused.value.code, list(tmp_path.rglob("*.txt"))) == (413, "archive-files", [])


def test_a_huge_directory_takes_no_memory(tmp_path: Path) -> None:
    content = packed({f"{number}": b"" for number in range(40_000)}, zipfile.ZIP_STORED)
    tracemalloc.start()
    with pytest.raises(RequestError) as refused:
        unpacked(tmp_path, content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused.value.code == "not-an-archive"
    assert peak < 2_000_000


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    whole = packed(GOOD).getvalue()
    cut = [whole[: len(whole) * part // 30] for part in range(30)]
    locked = bytearray(whole)
    locked[6] |= 1
    locked[whole.index(b"PK\1\2") + 8] |= 1
    for number, content in enumerate((*cut, b"RIFF" + whole[4:40], b"PK\3\4" * 9, bytes(locked))):
        with pytest.raises(RequestError) as refused:
            unzip(io.BytesIO(content), tmp_path / str(number), (".wav", ".csv"), LIMITS)
        assert (refused.value.status, refused.value.code) == (400, "not-an-archive"), number
