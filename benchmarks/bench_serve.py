"""The server under load, from the same cores: latencies of 20 closed-loop clients, and what batching gains.

    python benchmarks/bench_serve.py [--seconds 20]

A fresh `gruworks serve` with its ready models answers: a 12-word sentence by beam 5, and a table of 500 daily rows 14
days ahead. Each client sends its next request when it has its answer. The gain is the throughput of 20 clients over
that of one. `bench_serve_soak.py` loads it for ten minutes with five kinds of requests.
"""

import argparse
import asyncio
import itertools
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy
from record import record, write

PORT = 8765
ADDRESS = f"http://127.0.0.1:{PORT}"
CLIENTS = 20
WORDS = (
    "I would like to know where the nearest station is {}, please.",
    "She said that she {} never been to that city before in summer.",
    "We have to {} early tomorrow because the train leaves at six sharp.",
    "Do you know {} my brother put the keys of the old car?",
)
FILL = ["now", "had", "leave", "where", "then", "also", "soon", "what", "here", "once", "just", "still"]


def sentences():
    return itertools.cycle({"text": one.format(word), "beam_size": 5} for word in FILL for one in WORDS)


def tables():
    days = numpy.datetime_as_string(numpy.arange("2022-01-01", "2023-05-16", dtype="datetime64[D]"))
    for k in itertools.count():
        wave = (
            12 + 8 * numpy.sin((numpy.arange(500) + 31 * k) * 2 * numpy.pi / 365.25) + (numpy.arange(500) * 7 + k) % 5
        )
        rows = "".join(f"{day},{value:.2f}\n" for day, value in zip(days, wave, strict=True))
        yield {"model": "ready/seattle", "csv": "date,temp_max\n" + rows, "horizon": 14}


async def client(path, bodies, until, times, wrong):
    """One connection, one request after the other. Plain sockets: a client library would take most of the two cores."""
    reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
    while time.perf_counter() < until:
        body = json.dumps(next(bodies)).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{PORT}\r\ncontent-type: application/json\r\n"
        begun = time.perf_counter()
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        told = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(told.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        answer = await reader.readexactly(length)
        times.append(time.perf_counter() - begun)
        wrong += [] if told.startswith(b"http/1.1 200") else [answer[:200]]
    writer.close()


async def load(path, bodies, clients, seconds):
    """Latencies in seconds of `clients` closed loops; none may be refused."""
    times, wrong, until = [], [], time.perf_counter() + seconds
    await asyncio.gather(*(client(path, bodies, until, times, wrong) for _ in range(clients)))
    if wrong:
        raise SystemExit(f"{len(wrong)} answers were errors, the first: {wrong[0]}")
    return times


def start():
    """The server, and the seconds from its start to the first answer of each route."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "gruworks", "serve", "--port", str(PORT), "--quiet", "--no-token"]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    first = {}
    with httpx.Client(base_url=ADDRESS, timeout=60) as http:
        while server.poll() is None:
            try:
                http.get("/health")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        for path, body in (
            ("/v1/forecast", {}), ("/v1/translate", {"text": "I am hungry."}),
            ("/v1/generate", {"form": "jueju5", "stream": False}), ("/v1/trace", {"text": "abc"}),
        ):  # fmt: skip
            http.post(path, json=body).raise_for_status()
            first[path] = time.perf_counter() - begun
    return server, first


def resident(process) -> float:
    """Megabytes that the server holds."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    args = parser.parse_args()
    server, first = start()
    told = ", ".join(f"{path} {seconds:.1f} s" for path, seconds in first.items())
    print("first answers after", told, flush=True)
    try:
        write("serve", measured(args.seconds, told))
    finally:
        server.terminate()
        server.wait(20)


def measured(seconds, told):
    asyncio.run(load("/v1/translate", sentences(), CLIENTS, 2))
    asyncio.run(load("/v1/forecast", tables(), CLIENTS, 2))
    alone = asyncio.run(load("/v1/translate", sentences(), 1, seconds / 2))
    many = asyncio.run(load("/v1/translate", sentences(), CLIENTS, seconds))
    rows = asyncio.run(load("/v1/forecast", tables(), CLIENTS, seconds))
    rate, single = len(many) / seconds, 2 * len(alone) / seconds
    note = f"{shape(many)}; first answers of a fresh server: {told}"
    figures = [
        record("serve/translate/p99-ms", p99(many), note=note),
        record("serve/forecast/p99-ms", p99(rows), note=shape(rows)),
        record("serve/batching/gain", rate / single, note=f"{rate:.1f} and {single:.1f} sentences/s"),
    ]
    print(json.dumps({one["id"]: one["value"] for one in figures}))
    return figures


def p99(times) -> float:
    return float(numpy.quantile(times, 0.99)) * 1000


def shape(times) -> str:
    median, worst = 1000 * statistics.median(times), 1000 * max(times)
    return f"{CLIENTS} clients, {len(times)} requests, median {median:.0f} ms, worst {worst:.0f}"


if __name__ == "__main__":
    main()
