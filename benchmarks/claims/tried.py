"""The claims, each a comparison of arms and what came out.

A difference counts when its 95 % t-interval over the seeds leaves out zero; "equal" means that it lies within EQUAL.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import mean, stdev

import torch
from scipy.stats import t as student
from torch import nn

from benchmarks.claims.arms import SGD, Arm, Data, Result, at_its_best
from benchmarks.claims.nets import conv_net, deep, halved, lenet, one_3x3, one_5x5, separable, two_3x3, weights_of
from torchdoctor.models.resnet_cifar import plain56, resnet56

EQUAL = 0.01  # of accuracy: the 95 % interval of one score on 2,000 samples is twice as wide


@dataclass(frozen=True)
class Verdict:
    claim: str
    measured: Sequence[str]
    verdict: str
    holds: bool


Claim = Callable[[Data], Verdict]
CLAIMS: dict[str, Claim] = {}


def claim(test: Claim) -> Claim:
    CLAIMS[test.__name__.replace("_", "-")] = test
    return test


@claim
def batch_normalization(data: Data) -> Verdict:
    plain, normal = (
        at_its_best(Arm(name, partial(lenet, normalization=kind), epochs=8), data)
        for name, kind in (("without", "none"), ("with", "batch"))
    )
    target = mean(plain.scores) - EQUAL
    without, with_it = plain.epochs_to(target), normal.epochs_to(target)
    took = f"{with_it:.1f} epochs against {without:.1f}" if math.isfinite(with_it) else "never in eight epochs"
    holds = with_it < 0.7 * without
    return Verdict(
        "Batch normalisation reaches the same accuracy in a fraction of the steps.",
        [*map(_said, (plain, normal)), f"accuracy of {target:.3f}, the plain net's last less {EQUAL}: {took}"],
        f"{'Holds' if holds else 'Does not hold'} on LeNet-5: the same accuracy in {took}.",
        holds,
    )


@claim
def activations_in_depth(data: Data) -> Verdict:
    said, final = [], {}
    for layers in (2, 12):
        for kind in ("relu", "tanh", "sigmoid"):
            found = at_its_best(Arm(f"{kind}, {layers} hidden layers", partial(deep, kind, layers)), data)
            said.append(_said(found))
            final[kind, layers] = found.scores
    lost = {k: mean(final[k, 2]) - mean(final[k, 12]) for k in ("relu", "tanh", "sigmoid")}
    holds = lost["sigmoid"] > 0.1 > lost["relu"]
    drops = ", ".join(f"{k} {v:+.3f}" for k, v in lost.items())
    tanh = "tanh learns as well" if lost["tanh"] < 0.1 else "nor does tanh"
    return Verdict(
        "ReLU learns in depth where tanh and sigmoid do not.",
        said,
        f"{'Holds for sigmoid' if holds else 'Does not hold'}; {tanh}. Accuracy lost from 2 to 12 layers: {drops}.",
        holds,
    )


@claim
def two_3x3_for_a_5x5(data: Data) -> Verdict:
    big, small = (
        at_its_best(Arm(name, partial(conv_net, block)), data)
        for name, block in (("5x5", one_5x5), ("two 3x3", two_3x3))
    )
    ratio = weights_of(two_3x3) / weights_of(one_5x5)
    low, high = _difference(small.scores, big.scores)
    return Verdict(
        "Two 3x3 have 18/25 of a 5x5's weights at equal accuracy.",
        [*map(_said, (big, small)), f"weights of the block, 16 to 16 channels: {ratio:.2f}"],
        f"{_equal(low, high)}: {ratio:.2f} of the weights, accuracy {_interval(low, high)}.",
        low > -EQUAL,
    )


@claim
def depthwise_separable(data: Data) -> Verdict:
    plain, cheap = (
        at_its_best(Arm(name, partial(conv_net, block, 32)), data)
        for name, block in (("3x3", one_3x3), ("depthwise separable", separable))
    )
    ratio = sum(p.numel() for p in nn.Sequential(*separable(128, 128)).parameters() if p.ndim == 4) / (128 * 128 * 9)
    low, high = _difference(cheap.scores, plain.scores)
    return Verdict(
        "Depthwise separable convolutions do as well with a ninth of the weights.",
        [*map(_said, (plain, cheap)), f"weights of a block, 128 to 128 channels: {ratio:.3f} (1/9 + 1/128)"],
        f"{_equal(low, high)}: accuracy {_interval(low, high)}.",
        low > -EQUAL,
    )


@claim
def optimizers_to_equal_loss(data: Data) -> Verdict:
    small = (0.1, 0.03, 0.01, 0.003, 0.001, 0.0003)
    arms = (
        Arm("SGD", lenet, torch.optim.SGD, (1.0, 0.3, 0.1, 0.03, 0.01)),
        Arm("SGD with momentum", lenet, SGD),
        Arm("AdaGrad", lenet, torch.optim.Adagrad, small),
        Arm("RMSprop", lenet, torch.optim.RMSprop, small),
        Arm("Adam", lenet, torch.optim.Adam, small),
    )
    found = [at_its_best(arm, data) for arm in arms]
    target = mean(curve[-1] for curve in found[0].losses)  # where plain SGD ends
    took = {r.arm.name: r.epochs_to_loss(target) for r in found}
    order = ", ".join(f"{name} {epochs:.1f}" for name, epochs in sorted(took.items(), key=lambda item: item[1]))
    return Verdict(
        "Adam needs fewer steps than RMSprop, AdaGrad and SGD to the same loss.",
        [*map(_said, found), f"epochs to the loss where plain SGD ends ({target:.3f}): {order}"],
        f"{'Holds' if min(took, key=lambda n: took[n]) == 'Adam' else 'Does not hold'} on LeNet-5, each at its best "
        f"rate; epochs to equal loss: {order}.",
        min(took, key=lambda n: took[n]) == "Adam",
    )


@claim
def residual_at_depth_56(data: Data) -> Verdict:
    plain, skip = (
        at_its_best(Arm(name, partial(halved, make), rates=(0.1, 0.03), epochs=3), data)
        for name, make in (("plain, 56 layers", plain56), ("residual, 56 layers", resnet56))
    )
    low, high = _difference(skip.scores, plain.scores)
    return Verdict(
        "At 56 layers a residual net learns where a plain one, both with batch normalisation, does not.",
        list(map(_said, (plain, skip))),
        f"{'Holds' if low > 0 else 'Not shown'} after three epochs at 14 x 14: accuracy {_interval(low, high)}.",
        low > 0,
    )


@claim
def global_pooling(data: Data) -> Verdict:
    dense, pooled = (
        at_its_best(Arm(name, partial(lenet, head=head), epochs=8), data)
        for name, head in (("dense layers", "dense"), ("global pooling", "global"))
    )
    ratio = pooled.arm.weights / dense.arm.weights
    low, high = _difference(pooled.scores, dense.scores)
    return Verdict(
        "Global average pooling does for dense layers, with far fewer weights.",
        list(map(_said, (dense, pooled))),
        f"{_equal(low, high)} on LeNet-5: {ratio:.2f} of the weights, accuracy {_interval(low, high)}.",
        low > -EQUAL,
    )


# -- numbers ----------------------------------------------------------------------------------------------------------


def _difference(new: Sequence[float], old: Sequence[float]) -> tuple[float, float]:
    """95 % t-interval of the mean of the paired differences."""
    each = [a - b for a, b in zip(new, old)]
    half = float(student.ppf(0.975, len(each) - 1)) * stdev(each) / math.sqrt(len(each))
    return mean(each) - half, mean(each) + half


def _equal(low: float, high: float) -> str:
    return "Holds" if low > -EQUAL else "Costs accuracy" if high < 0 else "Not shown"


def _interval(low: float, high: float) -> str:
    return f"{(low + high) / 2:+.3f} [{low:+.3f} .. {high:+.3f}]"


def _said(found: Result) -> str:
    scores = " ".join(f"{s:.3f}" for s in found.scores)
    return f"{found.arm.name}: {found.arm.weights:,} weights, rate {found.rate:g}, accuracy {scores}"
