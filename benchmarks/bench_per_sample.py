"""Per-sample gradient norms beside Opacus' DPGRU: figure `layer/persample-opacus/ratio`.

    OMP_NUM_THREADS=1 python benchmarks/bench_per_sample.py

(T, B, I, H) = (50, 32, 64, 128): forward, backward and the norm of each row's gradient over all parameters, by
`gruworks.per_sample`, by Opacus' DPGRU in its two modes (GradSampleModule, which keeps the gradients, and
GradSampleModuleFastGradientClipping, which keeps their norms), by gruworks.GRU in the latter, and by
torch.func.vmap of torch.func.grad; the norms are compared. One thread, by turns, medians of 11 rounds; the ratio is to
Opacus' faster mode. Writes benchmarks/results/per_sample.json. Needs requirements-opacus.txt.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch
from record import record, write
from timing import by_turns

import gruworks

SIZES = (50, 32, 64, 128)
ROUNDS = 11


def candidates() -> dict[str, Any]:
    """Functions that return the norms [B], by name."""
    from opacus.grad_sample import GradSampleModule
    from opacus.grad_sample.grad_sample_module_fast_gradient_clipping import GradSampleModuleFastGradientClipping
    from opacus.layers import DPGRU

    T, B, I, H = SIZES  # noqa: E741 (the field's letters)
    torch.manual_seed(0)
    gru, x, w = gruworks.GRU(I, H), torch.randn(T, B, I), torch.randn(T, B, H)

    def theirs() -> Any:
        layer = DPGRU(I, H)
        layer.load_state_dict(gru.state_dict())
        return layer

    ours = gruworks.GRU(I, H)
    ours.load_state_dict(gru.state_dict())
    form = {"batch_first": False, "loss_reduction": "sum"}
    kept = GradSampleModule(theirs(), **form)
    ghosts = [GradSampleModuleFastGradientClipping(layer, **form) for layer in (theirs(), ours)]

    def by_gruworks() -> torch.Tensor:
        with gruworks.per_sample(gru) as found:
            (gru(x)[0] * w).sum().backward()
        return found.norms()

    def by_gradients() -> torch.Tensor:
        for p in kept.parameters():
            p.grad_sample = p.grad = None
        (kept(x)[0] * w).sum().backward()
        return torch.stack([p.grad_sample.flatten(1).norm(dim=1) for p in kept.parameters()]).norm(dim=0)

    def by_norms(model: Any) -> torch.Tensor:
        for p in model.parameters():
            p.grad = None
        (model(x)[0] * w).sum().backward()
        found: torch.Tensor = model.get_norm_sample()
        return found

    parameters = dict(gru.named_parameters())

    def loss(given: Any, row: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        output: torch.Tensor = torch.func.functional_call(gru, given, (row[:, None],))[0]
        return (output * weight[:, None]).sum()

    def by_vmap() -> torch.Tensor:
        found = torch.func.vmap(torch.func.grad(loss), (None, 1, 1))(parameters, x, w)
        return torch.stack([g.flatten(1).norm(dim=1) for g in found.values()]).norm(dim=0)

    return {
        "gruworks": by_gruworks, "opacus, gradients": by_gradients, "opacus, norms": lambda: by_norms(ghosts[0]),
        "opacus with gruworks.GRU": lambda: by_norms(ghosts[1]), "vmap of grad": by_vmap,
    }  # fmt: skip


def main() -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    calls = candidates()
    norms = {name: call().detach() for name, call in calls.items()}
    median = by_turns(calls, ROUNDS)
    worst = max((norms[name] / norms["opacus, norms"] - 1).abs().max().item() for name in calls)
    rival = min(median["opacus, gradients"], median["opacus, norms"])
    told = "; ".join(f"{name} {ms:.2f} ms" for name, ms in median.items())
    note = f"{told}; norms differ by at most {worst:.1e} of their value"
    records = [
        record("layer/persample-opacus/ratio", rival / median["gruworks"], threads=1, baseline=rival, note=note),
        record("layer/persample-adapter/ratio", rival / median["opacus with gruworks.GRU"], threads=1, baseline=rival),
        record("layer/persample-vmap/ratio", rival / median["vmap of grad"], threads=1, baseline=rival),
    ]
    for one in records:
        print(f"{one['id']:32} {one['value']:.1f}")
    print(note)
    write("per_sample", records)


if __name__ == "__main__":
    main()
