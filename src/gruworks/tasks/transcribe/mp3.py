"""Frames of MP3 files, counted; repair of files whose header states another number of frames than they have."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

__all__ = ["Frame", "Stream", "frames", "repaired"]

RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8000)}  # Hz, by version bits
KILOBITS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),  # MPEG-1
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),  # MPEG-2 and 2.5
}
LAYER_3, MONO = 1, 3
MARKS = (b"Xing", b"Info")  # of a first frame that holds counts in place of sound
TOLERANCE = 2  # frames


class Frame(NamedTuple):
    """Header of a frame: sampling rate, samples, bytes with the header, offset of a mark of MARKS, bitrate."""

    rate: int
    samples: int
    length: int
    mark: int
    kilobits: int


@dataclass
class Stream:
    """The frames of a file.

    Args:
        places: first byte and length of each frame with sound.
        stated: number of frames by the header; None without one.
        headers: number of frames that hold counts, more than one in joined files.
        first: the first frame. rates: the sampling rates. kilobits: the bitrates.
    """

    places: list[tuple[int, int]] = field(default_factory=list)
    stated: int | None = None
    headers: int = 0
    first: Frame | None = None
    rates: set[int] = field(default_factory=set)
    kilobits: set[int] = field(default_factory=set)

    @property
    def right(self) -> bool:
        """True where a decoder that relies on the header reads all frames."""
        if self.headers > 1:
            return False
        if self.stated is None:
            return len(self.kilobits) <= 1
        return abs(self.stated - len(self.places)) <= TOLERANCE


def frames(content: bytes) -> Stream:
    """Find the complete frames of layer III, tags and damaged bytes skipped."""
    found, at = Stream(), 0
    while at + 4 <= len(content):
        if content[at : at + 3] == b"ID3":
            at += _tag(content, at)
            continue
        frame = _frame(content, at)
        if frame is None or not _follows(content, at, frame):
            at = content.find(b"\xff", at + 1)
            if at < 0:
                break
            continue
        if at + frame.length > len(content):
            break
        _add(found, content, at, frame)
        at += frame.length
    return found


def repaired(content: bytes, found: Stream) -> bytes:
    """The frames with sound after a header frame that states their number."""
    begin, length = found.places[0]
    first = found.first
    assert first is not None
    header = bytearray(length)
    header[:4] = content[begin : begin + 4]
    header[1] |= 1  # no checksum
    header[first.mark : first.mark + 12] = MARKS[1] + struct.pack(">II", 1, len(found.places))
    return bytes(header) + b"".join(content[at : at + size] for at, size in found.places)


def _add(found: Stream, content: bytes, at: int, frame: Frame) -> None:
    mark = at + frame.mark
    found.rates.add(frame.rate)
    found.first = found.first or frame
    if content[mark : mark + 4] in MARKS:
        flags, count = struct.unpack(">II", content[mark + 4 : mark + 12])
        found.headers += 1
        found.stated = count if flags & 1 and found.stated is None else found.stated
    elif content[at + 36 : at + 40] == b"VBRI":
        found.headers += 1
        found.stated = struct.unpack(">I", content[at + 50 : at + 54])[0] if found.stated is None else found.stated
    else:
        found.places.append((at, frame.length))
        found.kilobits.add(frame.kilobits)


def _frame(content: bytes, at: int) -> Frame | None:
    """The frame whose header begins at `at`; None where there is none."""
    if content[at] != 0xFF or content[at + 1] & 0xE0 != 0xE0:
        return None
    second, third, fourth = content[at + 1 : at + 4]
    version, layer = second >> 3 & 3, second >> 1 & 3
    bits, which = third >> 4, third >> 2 & 3
    if version not in RATES or layer != LAYER_3 or bits in (0, 15) or which == 3:
        return None
    one = version == 3
    rate, kilobits = RATES[version][which], KILOBITS[one][bits]
    length = (144 if one else 72) * kilobits * 1000 // rate + (third >> 1 & 1)
    mono = fourth >> 6 == MONO
    side = (17 if mono else 32) if one else (9 if mono else 17)
    return Frame(rate, 1152 if one else 576, length, 4 + side, kilobits)


def _follows(content: bytes, at: int, frame: Frame) -> bool:
    """True where another frame, a tag or the end of the file follows, so that these bytes are no chance match."""
    after = at + frame.length
    if after + 4 > len(content):
        return True
    return content[after : after + 3] in (b"ID3", b"TAG") or _frame(content, after) is not None


def _tag(content: bytes, at: int) -> int:
    """The length of an ID3v2 tag with its header."""
    if at + 10 > len(content):
        return len(content) - at
    size = 0
    for byte in content[at + 6 : at + 10]:
        size = size << 7 | byte & 0x7F
    return 10 + size
