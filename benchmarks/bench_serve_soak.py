"""The server for ten minutes under 20 clients with five kinds of requests: errors, and what its memory grows by.

    python benchmarks/bench_serve_soak.py [--seconds 600]

On loopback alone. Four clients each translate, forecast, read a text as it is written (every third leaves early), send
a recording, and look inside a unit. Memory is read ten times; growth is the last reading less the second, for the first
tenth fills caches. Shorter runs than 600 s are shown and not recorded.
"""

import argparse
import asyncio
import io
import itertools
import json

import httpx
import numpy
import soundfile
from bench_serve import ADDRESS, resident, sentences, start, tables
from record import record, write

EACH, READINGS = 4, 10  # clients of one kind; readings of memory
LIMIT = 60.0  # seconds of one request


def recordings():
    rng = numpy.random.default_rng(0)
    for _ in range(8):
        file = io.BytesIO()
        soundfile.write(file, rng.normal(0, 0.05, 16_000), 8000, format="WAV", subtype="PCM_16")
        yield {"file": ("a.wav", file.getvalue())}


async def posted(http, path, **body):
    answer = await http.post(path, **body)
    answer.raise_for_status()


async def written(http, number):
    """A text as it is written; a client that leaves reads its first piece only."""
    asked = {"length": 80, "seed": number}
    async with http.stream("POST", "/v1/generate", json=asked) as answer:
        answer.raise_for_status()
        last = ""
        async for line in answer.aiter_lines():
            last = line.removeprefix("event: ") if line.startswith("event") else last
            if number % 3 == 0:
                return
    if last != "done":
        raise RuntimeError(f"a text ended with {last!r}")


def kinds(http):
    """One endless series of requests a kind."""
    texts = itertools.cycle("".join(numpy.random.default_rng(k).permutation(list("abcdefgh"))) for k in range(40))
    return {
        "translate": (posted(http, "/v1/translate", json=one) for one in sentences()),
        "forecast": (posted(http, "/v1/forecast", json=one) for one in tables()),
        "generate": (written(http, number) for number in itertools.count()),
        "transcribe": (posted(http, "/v1/transcribe", files=one) for one in itertools.cycle(list(recordings()))),
        "trace": (posted(http, "/v1/trace", json={"text": one, "cells": ["rnn", "lstm", "gru"]}) for one in texts),
    }


async def client(requests, until, count, wrong, kind):
    loop = asyncio.get_running_loop()
    while loop.time() < until:
        try:
            await next(requests)
            count[kind] += 1
        except (httpx.HTTPError, RuntimeError) as error:
            wrong.append(f"{kind}: {error!r}")


async def soak(server, seconds):
    count, wrong, held = dict.fromkeys(("translate", "forecast", "generate", "transcribe", "trace"), 0), [], []
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=ADDRESS, timeout=LIMIT, limits=limits, trust_env=False) as http:
        series = kinds(http)
        for _ in range(READINGS):
            until = asyncio.get_running_loop().time() + seconds / READINGS
            loops = (client(one, until, count, wrong, kind) for kind, one in series.items() for _ in range(EACH))
            await asyncio.gather(*loops)
            held.append(round(resident(server)))
            print(json.dumps({"answers": count, "errors": len(wrong), "MB": held[-1]}), flush=True)
            if server.poll() is not None:
                raise SystemExit("the server has ended")
    return count, wrong, held


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    args = parser.parse_args()
    server, _ = start()
    try:
        count, wrong, held = asyncio.run(soak(server, args.seconds))
    finally:
        server.terminate()
        server.wait(20)
    told = f"{sum(count.values())} answers to five kinds of requests by 20 clients in {args.seconds:g} s: {count}"
    print(*wrong[:5], sep="\n")
    figures = [
        record("serve/mixed/errors", len(wrong), note=told),
        record("serve/mixed/growth-mb", held[-1] - held[1], note=f"MB held: {held}"),
    ]
    print(json.dumps({one["id"]: one["value"] for one in figures}))
    if args.seconds >= 600:
        write("serve_mixed", figures)


if __name__ == "__main__":
    main()
