"""Are there units that nothing tells apart? Equal weights, equal outputs, and still equal after a few steps."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from torchdoctor.probes.bench import Bench
from torchdoctor.probes.listen import entering, leaving
from torchdoctor.probes.probe import Measurement, probe

STEPS = 3  # behind zeros that the first step fills, others get their first gradient from the second
SAME = 1e-3  # of the step's length, or of the outputs' size: what differs by less moved together


@probe(
    passes=5,
    measures={
        "identical_rows": "0..1: output units whose weights equal the first's; as built, then after 3 steps",
        "identical_units": "0..1: units of a layer with such weights, not zero, whose outputs equal the first unit's "
        "but for a constant",
    },
)
def symmetry(bench: Bench) -> Iterator[Measurement]:
    """Rows that are equal as built, and whether a few steps tell them apart.

    In eval mode: dropout, which treats units differently by chance, would hide that nothing else does. Rows of an
    embedding are entries of a table, not units, and are left out.
    """
    parts = bench.fork()
    parts.model.eval()
    tables = {n for n, x in entering(parts.model, bench.batches[0]).items() if not x.is_floating_point()}
    weights = {
        n: p for n, p in parts.model.named_parameters()
        if p.requires_grad and p.ndim >= 2 and len(p) > 1 and _owner(n) not in tables
    }  # fmt: skip
    before = {n: p.detach().clone() for n, p in weights.items()}
    shares = {n: _equal_rows(w, 0.0) for n, w in before.items()}
    for name, share in shares.items():
        yield Measurement("identical_rows", share, name)
    alike = [n for n, share in shares.items() if share > 0]
    if not alike:
        return
    outputs = leaving(parts.model, bench.batches[0])
    for name in alike:
        output = outputs.get(_owner(name))
        if output is not None and bool(before[name].any()) and bool(output.std() > 0):
            yield Measurement("identical_units", _equal_units(output, before[name]), _owner(name))
    for number in range(1, STEPS + 1):
        bench.step(parts, bench.batches[(number - 1) % len(bench.batches)])
        for name in alike:
            move = float((weights[name].detach() - before[name]).abs().max())
            yield Measurement("identical_rows", _equal_rows(weights[name].detach(), SAME * move), name, step=number)


def _owner(parameter: str) -> str:
    return parameter.rpartition(".")[0]


def _equal_rows(weight: Tensor, tolerance: float) -> float:
    rows = weight.flatten(1)
    return float(((rows[1:] - rows[0]).abs().amax(1) <= tolerance).double().mean())


def _equal_units(output: Tensor, weight: Tensor) -> float:
    """Units with equal weights are alike only if they see the same inputs: those of a depthwise convolution do not."""
    axis = 1 if weight.ndim > 2 else output.ndim - 1
    units = output.movedim(axis, 0).flatten(1).double()
    units = units - units.mean(1, keepdim=True)  # each unit may have a bias of its own
    return _equal_rows(units, SAME * float(units.abs().max())) if len(units) > 1 else 0.0
