"""Read the data once, as the loaders give it: sizes, scales, labels, order, repeats, what both splits share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import torch
from torch import Tensor

from torchdoctor.parts import Loader
from torchdoctor.probes.batch import class_ids
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.probe import Fact, Measurement, probe
from torchdoctor.probes.survey import Survey

NAMED = 20  # samples named at most; a person looks at a few
COLUMNS = 256  # features whose moments are kept as a fact, so that a finding can name the column
CLASSES = 1_000  # distinct labels counted at most


@probe(
    passes=0,
    measures={
        "input_mean": "data: of all float inputs",
        "input_std": "data: of all float inputs",
        "input_absmax": "data: largest size of a float input",
        "input_nonfinite_share": '0..1: samples with NaN or infinity; subjects "" (train) and "val"',
        "feature_scale_spread": "1: largest over smallest standard deviation of the features that vary",
        "feature_shift": "1: largest |mean| / standard deviation of a feature",
        "constant_feature_share": "0..1: features that have the same value in every sample",
        "commonest_sample_share": "0..1: samples whose inputs are those of the commonest one, bit for bit",
        "target_mean": "data",
        "target_std": "data",
        "target_absmax": "data",
        "target_nonfinite_share": "0..1: samples whose target holds NaN or infinity",
        "label_min": "label",
        "label_max": "label",
        "label_counts": "samples: of each class 0..K-1, as a vector",
        "label_run_share": "0..1: samples with the label of the one before, in the order of reading",
        "batch_repeat_share": "0..1: batches that are equal to an earlier one of the same pass",
        "split_overlap_share": "0..1: validation samples that are in the training data, bit for bit",
        "samples": 'samples: of "train" and "val", by the loader where it knows, else as read',
        "samples_read": 'samples: of "train" and "val", that were looked at',
        "batch_size": "samples: of the first training batch",
        "val_input_mean": "data",
        "val_input_std": "data",
    },
)
def data_pass(bench: Bench) -> Iterator[Measurement | Fact]:
    """One pass over training and validation data, in this process, cut off when the bench's patience ends.

    Samples are named by their index in the dataset where the loader is torch's own over a dataset with indices, else
    by their position in the order of reading. Features are the columns of a table, the channels of an image.
    """
    train, val = bench.surveyed, bench.surveyed_val
    yield from _inputs(train)
    yield from _targets(train, bench)
    yield Measurement("batch_size", bench.batches[0].size)
    yield from _sizes(train, "train", bench.train)
    bad = {
        "train": sorted(train.bad_inputs)[:NAMED],
        "train_targets": sorted(train.bad_targets)[:NAMED],
        "val": list[int](),
    }
    if val is not None and bench.val is not None:
        yield from _sizes(val, "val", bench.val)
        if val.inputs.count:
            yield Measurement("val_input_mean", val.inputs.mean)
            yield Measurement("val_input_std", val.inputs.std)
        yield Measurement("input_nonfinite_share", len(val.bad_inputs) / max(1, val.samples), "val")
        known = set(train.prints)
        yield Measurement("split_overlap_share", sum(p in known for p in val.prints) / max(1, len(val.prints)))
        bad["val"] = sorted(val.bad_inputs)[:NAMED]
    yield Fact("nonfinite_samples", bad)


def _inputs(seen: Survey) -> Iterator[Measurement | Fact]:
    yield Fact("inputs", {"shape": seen.shapes["inputs"], "dtype": seen.dtypes["inputs"]})
    yield Measurement("input_nonfinite_share", len(seen.bad_inputs) / seen.samples)
    prints = dict(zip(seen.names, seen.prints)).values()  # what a sampler draws twice is one sample
    if prints:
        yield Measurement("commonest_sample_share", max(Counter(prints).values()) / len(prints))
    repeats = len(seen.batch_prints) - len(set(seen.batch_prints))
    yield Measurement("batch_repeat_share", repeats / len(seen.batch_prints))
    if not seen.inputs.count:
        return  # token ids: whole numbers have no scale
    yield Measurement("input_mean", seen.inputs.mean)
    yield Measurement("input_std", seen.inputs.std)
    yield Measurement("input_absmax", seen.inputs.absmax)
    mean, std, varies = seen.inputs.by_feature()
    yield Measurement("constant_feature_share", 1 - float(varies.double().mean()))
    if bool(varies.any()):
        spread, shift = std[varies], (mean.abs() / std.clamp(min=1e-30))[varies]
        yield Measurement("feature_scale_spread", float(spread.max() / spread.min().clamp(min=1e-30)))
        yield Measurement("feature_shift", float(shift.max()))
    if len(mean) <= COLUMNS:
        yield Fact("features", {"mean": mean.tolist(), "std": std.tolist()})


def _targets(seen: Survey, bench: Bench) -> Iterator[Measurement | Fact]:
    yield Fact("targets", {"shape": seen.shapes["targets"], "dtype": seen.dtypes["targets"], "kind": bench.kind})
    yield Measurement("target_nonfinite_share", len(seen.bad_targets) / seen.samples)
    yield Measurement("target_mean", seen.targets.mean)
    yield Measurement("target_std", seen.targets.std)
    yield Measurement("target_absmax", seen.targets.absmax)
    if bench.kind in ("classes", "binary"):
        yield from _labels([class_ids(torch.nan_to_num(t)) for t in seen.labels])


def _labels(labels: list[Tensor]) -> Iterator[Measurement]:
    one_each = all(t.numel() == len(t) for t in labels if t.ndim)
    flat = torch.cat([t.reshape(-1) for t in labels])
    yield Measurement("label_min", float(flat.min()))
    yield Measurement("label_max", float(flat.max()))
    if int(flat.min()) >= 0 and int(flat.max()) < CLASSES:
        yield Measurement("label_counts", torch.bincount(flat).double().tolist())
    if one_each and len(flat) > 1:
        yield Measurement("label_run_share", float((flat[1:] == flat[:-1]).double().mean()))


def _sizes(seen: Survey, subject: str, loader: Loader) -> Iterator[Measurement]:
    yield Measurement("samples_read", seen.samples, subject)
    try:
        known = seen.samples if seen.complete else len(loader.dataset)  # type: ignore[attr-defined]
    except (AttributeError, TypeError):
        return
    yield Measurement("samples", known, subject)
