"""What people repeat about networks, tried: each claim a paired experiment with several seeds, and its verdict.

    python -m benchmarks.claims --data ../shared/data/fashion_mnist [--only depth] [--write docs/claims.md]

All nets learn the same 4,000 pictures of Fashion-MNIST and are scored on the same 2,000 others. Every arm gets the best
of a grid of learning rates, chosen with a seed that is not used again, so no arm is shown at a rate that suits another.
A difference counts when its 95 % t-interval over the seeds leaves out zero; "equal" means that it lies within 0.01.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from time import perf_counter

import torch
from scipy.stats import t as student
from torch import Tensor, nn

from torchdoctor.data.batches import TensorBatches
from torchdoctor.data.fashion_mnist import fashion_mnist
from torchdoctor.data.scaling import scaling
from torchdoctor.models.init import initialize
from torchdoctor.models.lenet5 import LeNet5
from torchdoctor.models.mlp import MLP
from torchdoctor.models.resnet_cifar import plain56, resnet56
from torchdoctor.parts import Parts
from torchdoctor.train.log import History
from torchdoctor.train.loop import fit

TRAIN, TEST, SHAPE, CLASSES = 4_000, 2_000, (1, 28, 28), 10
SEEDS, CHOOSING = (1, 2, 3, 4, 5), 0
EQUAL = 0.01  # of accuracy: the 95 % interval of one score on 2,000 samples is twice as wide
Data = tuple[Tensor, Tensor, Tensor, Tensor]
Optimize = Callable[..., torch.optim.Optimizer]
SGD = partial(torch.optim.SGD, momentum=0.9)


@dataclass(frozen=True)
class Arm:
    """One net, trained one way, at the best of some learning rates."""

    name: str
    model: Callable[[], nn.Module]
    optimizer: Optimize = SGD
    rates: Sequence[float] = (0.3, 0.1, 0.03, 0.01)
    epochs: int = 6
    batch: int = 64

    @property
    def weights(self) -> int:
        return sum(p.numel() for p in self.model().parameters())


@dataclass(frozen=True)
class Result:
    """curves: of each seed, the validation score after each epoch; losses: the training loss."""

    arm: Arm
    rate: float
    curves: Sequence[Sequence[float]]
    losses: Sequence[Sequence[float]]

    @property
    def scores(self) -> list[float]:
        return [curve[-1] for curve in self.curves]

    def epochs_to(self, target: float) -> float:
        """Epochs until the mean curve reaches `target`, between epochs along a line; infinity where it never does."""
        curve = [0.1, *(mean(at) for at in zip(*self.curves))]
        return _first_time(curve, lambda value: value >= target, target)

    def epochs_to_loss(self, target: float) -> float:
        curve = [math.log(CLASSES), *(mean(at) for at in zip(*self.losses))]
        return _first_time(curve, lambda value: value <= target, target)


def trained(arm: Arm, data: Data, rate: float, seed: int) -> History:
    torch.manual_seed(seed)
    model = arm.model()
    x, y, test_x, test_y = data
    train = TensorBatches(x, y, arm.batch, shuffle=True, seed=seed)
    history = History(arm.epochs)
    fit(
        Parts(model, nn.CrossEntropyLoss(), arm.optimizer(model.parameters(), lr=rate), train,
              TensorBatches(test_x, test_y, 500)),
        history,
    )  # fmt: skip
    return history


def at_its_best(arm: Arm, data: Data) -> Result:
    def after(rate: float) -> float:
        score = trained(arm, data, rate, CHOOSING).numbers["val_score"][-1]
        return score if math.isfinite(score) else 0.0

    rate = max(arm.rates, key=after) if len(arm.rates) > 1 else arm.rates[0]
    runs = [trained(arm, data, rate, seed).numbers for seed in SEEDS]
    return Result(arm, rate, [r["val_score"] for r in runs], [r["train_loss"] for r in runs])


# -- nets -------------------------------------------------------------------------------------------------------------


def conv_net(block: Callable[[int, int], Sequence[nn.Module]], width: int = 16) -> nn.Module:
    """A stem, two stages of one block each, global pooling: what differs is the block alone."""
    return nn.Sequential(
        nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2),
        *block(width, width), nn.MaxPool2d(2), *block(width, 2 * width),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, CLASSES),
    )  # fmt: skip


def one_5x5(into: int, out: int) -> list[nn.Module]:
    return [nn.Conv2d(into, out, 5, padding=2, bias=False), nn.BatchNorm2d(out), nn.ReLU()]


def one_3x3(into: int, out: int) -> list[nn.Module]:
    return [nn.Conv2d(into, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU()]


def two_3x3(into: int, out: int) -> list[nn.Module]:
    return [*one_3x3(into, into), *one_3x3(into, out)]


def separable(into: int, out: int) -> list[nn.Module]:
    return [
        nn.Conv2d(into, into, 3, padding=1, groups=into, bias=False), nn.BatchNorm2d(into), nn.ReLU(),
        nn.Conv2d(into, out, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(),
    ]  # fmt: skip


def lenet(**options: str) -> nn.Module:
    return LeNet5(SHAPE, CLASSES, **options)  # type: ignore[arg-type]


def deep(activation: str, layers: int) -> nn.Module:
    """With the initial weights that suit the activation: with torch's own, none of them learns in depth."""
    model = MLP((784,), CLASSES, hidden=[64] * layers, activation=activation)
    initialize(model, "matched", activation)
    return nn.Sequential(nn.Flatten(), model)


def halved(make: Callable[..., nn.Module]) -> nn.Module:
    """On pictures of half the size, since 56 layers are slow."""
    return nn.Sequential(nn.AvgPool2d(2), make((1, 14, 14), CLASSES))


def weights_of(block: Callable[[int, int], Sequence[nn.Module]]) -> int:
    """Of the convolutions of a block from 16 to 16 channels alone."""
    return sum(p.numel() for m in block(16, 16) if isinstance(m, nn.Conv2d) for p in m.parameters())


# -- claims -----------------------------------------------------------------------------------------------------------


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


def _first_time(curve: Sequence[float], there: Callable[[float], bool], target: float) -> float:
    for epoch in range(1, len(curve)):
        if there(curve[epoch]):
            before, after = curve[epoch - 1], curve[epoch]
            return epoch - 1 + (target - before) / (after - before) if not there(before) else float(epoch)
    return math.inf


def read(folder: Path) -> Data:
    x, y, test_x, test_y = _parts(folder)
    scale = scaling(x[:TRAIN], "standard")
    return scale(x[:TRAIN]), y[:TRAIN], scale(test_x[:TEST]), test_y[:TEST]


def _parts(folder: Path) -> Iterator[Tensor]:
    found = fashion_mnist(str(folder))
    return (torch.as_tensor(part) for part in found if part is not None)


def written(verdicts: Sequence[Verdict], command: str) -> str:
    """The page of docs."""
    lines = ["# Claims, tried", "", __doc__.split("\n\n")[2].replace("\n", " ").strip(), "", f"    {command}", ""]
    lines += ["| claim | verdict |", "|---|---|", *(f"| {v.claim} | {v.verdict} |" for v in verdicts), ""]
    for v in verdicts:
        lines += [f"## {v.claim}", "", v.verdict, "", *(f"- {said}" for said in v.measured), ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with Fashion-MNIST's four files")
    parser.add_argument("--only", default="", help="claims whose name holds this")
    parser.add_argument("--kept", type=Path, default=Path("build/claims"), help="verdicts, one file each")
    parser.add_argument("--write", type=Path, help="also write the page, of all verdicts that are kept")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    data = read(options.data)
    options.kept.mkdir(parents=True, exist_ok=True)
    for name, test in CLAIMS.items():
        if options.only in name:
            began = perf_counter()
            found = test(data)
            (options.kept / f"{name}.json").write_text(json.dumps(asdict(found), indent=1), "utf-8")
            said = "\n  ".join([*found.measured, found.verdict])
            print(f"{name} ({perf_counter() - began:.0f} s)\n  {said}", flush=True)
    if options.write:
        files = [file for name in CLAIMS if (file := options.kept / f"{name}.json").exists()]
        verdicts = [Verdict(**json.loads(file.read_text("utf-8"))) for file in files]
        command = "python -m benchmarks.claims --data path/to/fashion_mnist --write docs/claims.md"
        options.write.write_text(written(verdicts, command), "utf-8")


if __name__ == "__main__":
    main()
