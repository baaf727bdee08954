"""The same batch in train and eval mode, twice in each, and each sample beside others."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from torchdoctor.probes.batch import Batch, mapped, tensors_in
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.probe import Fact, Measurement, probe


@probe(
    passes=5,
    measures={
        "mixing": "1: change of a sample's output in eval mode when all other samples of its batch are replaced, by it "
        "or by their own numbers in disorder, over the spread of the outputs; the largest of the first sample and the "
        "last",
        "mode_gap": "1: change of the outputs from eval to train mode, over their spread",
        "train_noise": "1: change of the outputs when the same batch is run again in train mode, over their spread",
        "eval_noise": "1: the same in eval mode",
    },
)
def train_eval(bench: Bench) -> Iterator[Measurement | Fact]:
    """What the mode changes, what chance changes, and whether samples of one batch influence each other in eval mode.

    Only the model is asked: a loss that compares the samples of a batch (contrastive ones do) mixes them on purpose.
    """
    model, batch = bench.fork().model, bench.batches[0]
    with torch.no_grad():
        model.eval()
        steady, again = bench.output(model, batch), bench.output(model, batch)
        spread = float((steady - steady[:1]).abs().max()) if steady.ndim else 0.0
        scale = spread or float(steady.abs().max()) or 1.0
        yield Measurement("eval_noise", _gap(steady, again) / scale)
        own = _samples_first(steady, batch.size)
        if spread and torch.equal(steady, again) and _by_samples(bench, batch, own):
            changes = {k: _change(bench, model, batch, own, k) for k in (0, batch.size - 1)}
            yield Measurement("mixing", max(changes.values()) / spread)
            yield Fact("mixed_sample", max(changes, key=lambda k: changes[k]))
        model.train()
        loud, louder = bench.output(model, batch), bench.output(model, batch)
        yield Measurement("train_noise", _gap(loud, louder) / scale)
        yield Measurement("mode_gap", _gap(steady, loud) / scale)


def _samples_first(output: Tensor, size: int) -> Tensor:
    """Sequences may lie before their batch, (moments, samples, classes), as torch's CTC loss takes them."""
    moments = output.ndim == 3 and len(output) != size and output.shape[1] == size
    return output.movedim(1, 0) if moments else output


def _by_samples(bench: Bench, batch: Batch, output: Tensor) -> bool:
    """Whether the first axis counts samples that should not know of each other: all tensors agree on it, and it is as
    long as the loader's batches. The nodes of a graph and the moments of a sequence do know of each other."""
    tensors = [*tensors_in((batch.inputs, batch.target)), output]
    said = getattr(bench.train, "batch_size", None) or batch.size
    graph = len(list(tensors_in(batch.inputs))) > 1 and any(t.shape[:2] == (batch.size,) * 2 for t in tensors)
    return batch.size > 1 and all(t.ndim and len(t) == batch.size for t in tensors) and batch.size <= said and not graph


def _change(bench: Bench, model: nn.Module, batch: Batch, own: Tensor, k: int) -> float:
    """By how much the output of sample k changes with its neighbours. Copies of it are neighbours that no model can
    refuse; where all samples are alike (the black rim of a picture, the padding of a text) they change nothing, so that
    its neighbours are also put into disorder."""
    alike = _samples_first(bench.output(model, _all_like(batch, k)), batch.size)
    change = _gap(alike[k], own[k])
    try:
        disordered = _samples_first(bench.output(model, _disordered(model, batch, k)), batch.size)
    except Exception:  # noqa: BLE001 - a model may refuse such inputs in any way it likes, as sentences of no words
        return change
    more = _gap(disordered[k], own[k]) if disordered.shape == own.shape else 0.0
    return max(change, more) if math.isfinite(more) else change


def _disordered(model: nn.Module, batch: Batch, k: int) -> Batch:
    """Sample k in its place; all others made of the numbers of the whole input, each of them in any place.

    Integers stay as they are unless every table of the model is long enough for the largest: a lookup beyond a table's
    end raises on a CPU, and on a GPU ends the process's use of it. So do inputs of one number or mark per sample, which
    are lengths and the like.
    """
    rows = [m.num_embeddings for m in model.modules() if isinstance(m, (nn.Embedding, nn.EmbeddingBag))]

    def mix(x: Tensor) -> Tensor:
        tabled = bool(rows) and int(x.max()) < min(rows) and int(x.min()) >= 0
        if x.ndim < 2 or x.dtype == torch.bool or not (tabled or (x.is_floating_point() and not rows)):
            return x[k : k + 1].expand_as(x).clone()
        order = torch.randperm(x.numel(), generator=torch.Generator().manual_seed(0)).to(x.device)
        mixed = x.reshape(-1)[order].view(x.shape)
        mixed[k] = x[k]
        return mixed

    return Batch(mapped(batch.inputs, mix), batch.target)


def _all_like(batch: Batch, k: int) -> Batch:
    """A batch of as many samples that are all sample k; of tensors of any type."""
    return Batch(mapped(batch.inputs, lambda x: x[k : k + 1].expand_as(x).clone()), batch.target)


def _gap(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max())
