"""What the training loop costs: time of `fit`, bare and watched, over the shortest hand-written loop.

    python -m benchmarks.training [--seconds 20] [--threads 1] [--clock cpu] [--only LeNet]

The same network is trained from the same weights on the same batches in turns (see turns.py). The hand-written loop is
the five lines of every tutorial, with no score, no clipping, nothing recorded; it reads the same loader, and is there
twice to show how far two equal loops are apart. Validation is left out of all; the score and loss over training data,
which `fit` keeps and the five lines do not, are in. The first turn, in which memory is allocated and a watch samples
most densely, is not counted: benchmarks/watching.py counts it.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import nn

from benchmarks.turns import BLOCK, CLOCKS, Arm, compared, same_memory_for_all, steps_in, take_turns
from torchdoctor.data.batches import TensorBatches
from torchdoctor.models.lenet5 import LeNet5
from torchdoctor.models.resnet_cifar import resnet20
from torchdoctor.parts import Parts
from torchdoctor.record.watch import watch
from torchdoctor.train.log import History
from torchdoctor.train.loop import fit
from torchdoctor.train.standing import Standing


@dataclass(frozen=True)
class Network:
    """Something to train, on batches of `size`."""

    name: str
    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    size: int


NETWORKS = (
    Network("LeNet-5, batch 64", lambda: LeNet5((1, 28, 28), 10), (1, 28, 28), 64),
    Network("CIFAR ResNet-20, batch 64", lambda: resnet20((3, 32, 32), 10), (3, 32, 32), 64),
)


def main() -> None:
    options = _arguments()
    same_memory_for_all()
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore")
    print(f"torch {torch.__version__}, {options.threads} threads, {options.clock} time over the hand-written loop")
    for network in NETWORKS:
        if options.only in network.name:
            _compare(network, options)


def _compare(network: Network, options: argparse.Namespace) -> None:
    steps = BLOCK + steps_in(partial(_by_hand, network), options.seconds, options.clock)
    ways = {
        "by hand": (_by_hand, None),
        "by hand again": (_by_hand, None),
        "fit": (_fitted, 1.03),
        "fit, watched": (_fitted_watched, 1.05),
    }
    with tempfile.TemporaryDirectory() as folder:
        arms = {
            name: Arm(partial(work, network), steps, Path(folder), options.threads, options.clock)
            for name, (work, _) in ways.items()
        }
        take_turns(list(arms.values()))
    for arm in arms.values():
        del arm.seconds[0]
    bare = arms["by hand"]
    print(f"\n{network.name}: {1e3 * sum(bare.seconds) / (steps - BLOCK):.2f} ms a step by hand, {steps} steps each")
    for name, (_, most) in list(ways.items())[1:]:
        print(f"  {name:<14} {compared(arms[name], bare, most)}")


def _parts(network: Network) -> Parts:
    model = network.build()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x, y = torch.randn(64 * network.size, *network.shape), torch.randint(10, (64 * network.size,))
    return Parts(model, nn.CrossEntropyLoss(), optimizer, TensorBatches(x, y, network.size, shuffle=True))


def _by_hand(network: Network, arm: Arm) -> None:
    parts = _parts(network)
    model, loss_fn, optimizer = parts.model, parts.loss_fn, parts.optimizer
    arm.begin()
    for step, (x, y) in zip(range(arm.steps), _forever(parts.train)):
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        optimizer.step()
        arm.stepped(step)
    arm.end()


def _fitted(network: Network, arm: Arm, folder: Path | None = None) -> None:
    parts = _parts(network)

    def on_step(at: Standing) -> None:
        arm.stepped(at.step - 1)
        if at.step == arm.steps:
            arm.end()
            at.stop()

    watched = watch(parts.model, parts.optimizer, parts.loss_fn, run=folder, tell=False) if folder else nullcontext()
    with watched as watching:
        arm.begin()
        fit(parts, History(10**9, also=watching.log if watching else None), on_step=on_step)


def _fitted_watched(network: Network, arm: Arm) -> None:
    _fitted(network, arm, arm.folder / "run")


def _forever(loader: TensorBatches) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    while True:
        yield from loader


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="of training by hand per network")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: for a busy machine, with --threads 1")
    parser.add_argument("--only", default="", help="networks whose name holds this")
    return parser.parse_args()


if __name__ == "__main__":
    main()
