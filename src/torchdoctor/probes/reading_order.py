"""In which order do the training samples come, and do all of them come?"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from torchdoctor.probes.batch import Batch, class_ids, tensors_in
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.probe import Measurement, probe
from torchdoctor.probes.survey import fingerprints

BLOCKS = 10  # parts of a pass, each of whole batches; what is within a batch has no order that matters
FEWEST = 4  # batches: of fewer every one holds a good part of all there is
SAMPLES = 50  # of fewer any order may be a shuffled one
SHUFFLES = 5


@probe(
    passes=0,
    measures={
        "target_order": "0..1: how much of the targets a tenth of the pass tells by its place alone, of what could be "
        "told: information on labels, variance of numbers; the same after shuffling is subtracted",
        "fixed_order": "0/1: two passes begin with the same batches",
        "fed_share": "0..1: samples of the dataset that a whole pass gave, where the loader tells their indices",
        "batch_mean_spread": "1: standard deviation of the batches' means of the first float input, over their mean's "
        "size; 0 when no batch can be told from another by it",
    },
)
def reading_order(bench: Bench) -> Iterator[Measurement]:
    """What the pass over the data already saw, in its order: it costs nothing further.

    Sorted data: each tenth of the pass holds one label, and its place tells it. Batches that are put together by label
    on purpose (so many of each class) tell nothing, since every tenth holds all labels.
    """
    seen = bench.surveyed
    yield Measurement("batch_mean_spread", _spread(bench.batches))
    if seen.complete and seen.indexed and seen.names:
        yield Measurement("fed_share", len(set(seen.names)) / len(bench.train.dataset))  # type: ignore[attr-defined]
    if len(seen.batch_prints) < FEWEST:
        return
    first = [hash(tuple(fingerprints(list(tensors_in(b.inputs))))) for b in bench.batches[: len(seen.batch_prints)]]
    yield Measurement("fixed_order", float(seen.batch_prints[: len(first)] == first and len(set(first)) > 1))
    labels = bench.kind in ("classes", "binary")
    targets = [class_ids(torch.nan_to_num(t)) if labels else t for t in seen.labels]
    if seen.samples >= SAMPLES and all(t.ndim and t.numel() == len(t) for t in targets):
        yield Measurement("target_order", _order([t.reshape(-1) for t in targets], labels))


def _spread(batches: list[Batch]) -> float:
    floats = [next((x for x in tensors_in(b.inputs) if x.is_floating_point()), None) for b in batches]
    means = torch.tensor([float(x.double().mean()) for x in floats if x is not None], dtype=torch.float64)
    if len(means) < 2:
        return 0.0
    return float(means.std() / means.abs().mean().clamp(min=1e-30))


def _order(targets: list[Tensor], labels: bool) -> float:
    """targets: of each batch (n,). What the block tells, less what it tells by chance."""
    block = torch.cat(
        [torch.full((len(t),), i * min(BLOCKS, len(targets)) // len(targets)) for i, t in enumerate(targets)]
    )
    values, told = torch.cat(targets), _information if labels else _explained
    generator = torch.Generator().manual_seed(0)
    shuffled = [values[torch.randperm(len(values), generator=generator)] for _ in range(SHUFFLES)]
    chance = sum(told(v, block) for v in shuffled) / SHUFFLES
    return max(0.0, (told(values, block) - chance) / (1 - chance)) if chance < 1 else 0.0


def _information(labels: Tensor, block: Tensor) -> float:
    """Mutual information of label and block, over the most there can be."""
    of_label, of_block = (torch.unique(x, return_inverse=True)[1] for x in (labels, block))
    joint = torch.zeros(int(of_label.max()) + 1, int(of_block.max()) + 1, dtype=torch.float64)
    joint.index_put_((of_label, of_block), torch.ones(len(labels), dtype=torch.float64), accumulate=True)
    most = min(_entropy(joint.sum(0)), _entropy(joint.sum(1)))
    return (_entropy(joint.sum(0)) + _entropy(joint.sum(1)) - _entropy(joint)) / most if most > 0 else 0.0


def _entropy(counts: Tensor) -> float:
    p = counts.flatten() / counts.sum()
    return float(torch.special.entr(p).sum())


def _explained(values: Tensor, block: Tensor) -> float:
    """Share of the variance that lies between blocks."""
    values = torch.nan_to_num(values.double())
    whole = float(values.var(correction=0))
    if not whole > 0 or not math.isfinite(whole):
        return 0.0
    places = torch.unique(block)
    means = torch.stack([values[block == b].mean() for b in places])
    sizes = torch.stack([(block == b).sum().double() for b in places])
    return float((sizes * (means - values.mean()).square()).sum() / sizes.sum() / whole)
