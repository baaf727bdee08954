"""What the training loop costs: time of `fit`, bare and watched, over the shortest hand-written loop.

    python benchmarks/training.py [--rounds 9] [--blocks 3] [--steps 100] [--threads 1] [--clock cpu]

Three trainings of the same network from the same weights on the same batches go on side by side in one process, and
take turns in blocks of steps, in an order that changes from block to block: whatever else the machine does meets all
three. Each round makes all three anew, because two copies of the very same loop can differ by a tenth for as long as
they live (where their tensors happen to lie); the fourth, the hand-written loop once more, shows how far that goes.
What is printed is the median over the rounds of the ratio of times. The hand-written loop is the five lines of
every tutorial, with no score, no clipping and nothing recorded; it reads the same loader. Validation is left out of all
three; the score and loss over training data, which `fit` keeps and the five lines do not, are in.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread

import torch
from torch import Tensor, nn

from torchdoctor.data.batches import TensorBatches
from torchdoctor.models.lenet5 import LeNet5
from torchdoctor.models.resnet_cifar import resnet20
from torchdoctor.parts import Parts
from torchdoctor.record.watch import watch
from torchdoctor.train.log import History
from torchdoctor.train.loop import fit
from torchdoctor.train.standing import Standing

CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
clock = CLOCKS["wall"]
MOST = {"fit": 1.03, "fit, watched": 1.05}
WARM_UP = 1  # blocks that are not counted: in the first steps a watch samples densely, and memory is allocated


@dataclass(frozen=True)
class Network:
    """Something to train, batches of `size`."""

    name: str
    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    size: int


NETWORKS = (
    Network("LeNet-5, batch 64", lambda: LeNet5((1, 28, 28), 10), (1, 28, 28), 64),
    Network("CIFAR ResNet-20, batch 64", lambda: resnet20((3, 32, 32), 10), (3, 32, 32), 64),
)


def main() -> None:
    global clock
    options = _arguments()
    clock = CLOCKS[options.clock]
    torch.set_num_threads(options.threads)
    warnings.simplefilter("ignore")
    length = f"{options.rounds} rounds of {options.blocks} x {options.steps} steps"
    print(f"torch {torch.__version__}, {options.threads} threads, {length}")
    print(f"{options.clock} time over the hand-written loop, median [range of the middle half]")
    for network in NETWORKS:
        if options.only in network.name:
            _compare(network, options)


def _compare(network: Network, options: argparse.Namespace) -> None:
    rounds = [_round(network, options, turn) for turn in range(options.rounds)]
    bare = [seconds["by hand"] for seconds in rounds]
    print(f"\n{network.name}: {1e3 * statistics.median(bare) / options.steps / options.blocks:.2f} ms a step by hand")
    for name in list(rounds[0])[1:]:
        ratios = [seconds[name] / seconds["by hand"] for seconds in rounds]
        low, middle, high = statistics.quantiles(ratios, n=4)
        bound = f"   (at most {MOST[name]})" if name in MOST else ""
        print(f"  {name:<14} {middle:.3f} [{low:.3f} .. {high:.3f}]{bound}")


def _round(network: Network, options: argparse.Namespace, turn: int) -> dict[str, float]:
    """Seconds of each way, made anew, in all its counted blocks."""
    with tempfile.TemporaryDirectory() as folder:
        ways = {
            "by hand": _InTurns(lambda pause: _by_hand(network, pause)),
            "by hand again": _InTurns(lambda pause: _by_hand(network, pause)),
            "fit": _InTurns(lambda pause: _fitted(network, pause, None)),
            "fit, watched": _InTurns(lambda pause: _fitted(network, pause, Path(folder) / "run")),
        }
        times = dict.fromkeys(ways, 0.0)
        for block in range(WARM_UP + options.blocks):
            names = list(ways)
            first = (turn + block) % len(names)
            for name in names[first:] + names[:first]:
                seconds = ways[name].steps(options.steps)
                times[name] += seconds if block >= WARM_UP else 0.0
        for way in ways.values():
            way.end()
        return times


class _Enough(BaseException):
    """Ends a training that waits for its next turn."""


class _InTurns:
    """A training in a thread of its own that does a number of steps when it is told to, and else stands still.

    Its threads never run at once, so that its time is its own; a switch of threads is a few microseconds a block.
    """

    def __init__(self, train: Callable[[Callable[[], None]], None]) -> None:
        self._go, self._done, self._left, self._ended = Event(), Event(), 0, False
        self._thread = Thread(target=self._run, args=(train,), daemon=True)

    def steps(self, count: int) -> float:
        """Seconds for so many steps."""
        self._left = count
        self._done.clear()
        began = clock()
        self._go.set()
        if not self._thread.is_alive():
            self._thread.start()
        self._done.wait()
        return clock() - began

    def end(self) -> None:
        self._ended = True
        self._go.set()
        self._thread.join()

    def _run(self, train: Callable[[Callable[[], None]], None]) -> None:
        self._go.wait()
        with suppress(_Enough):
            train(self._pause)

    def _pause(self) -> None:
        """Called after each step."""
        self._left -= 1
        if self._left <= 0:
            self._go.clear()
            self._done.set()
            self._go.wait()
            if self._ended:
                raise _Enough


def _parts(network: Network) -> Parts:
    torch.manual_seed(0)
    model = network.build()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x, y = torch.randn(64 * network.size, *network.shape), torch.randint(10, (64 * network.size,))
    return Parts(model, nn.CrossEntropyLoss(), optimizer, TensorBatches(x, y, network.size, shuffle=True))


def _by_hand(network: Network, pause: Callable[[], None]) -> None:
    parts = _parts(network)
    model, loss_fn, optimizer = parts.model, parts.loss_fn, parts.optimizer
    for x, y in _forever(parts.train):
        optimizer.zero_grad()
        loss_fn(model(x), y).backward()
        optimizer.step()
        pause()


def _fitted(network: Network, pause: Callable[[], None], folder: Path | None) -> None:
    parts = _parts(network)

    def on_step(_at: Standing) -> None:
        pause()

    watched = watch(parts.model, parts.optimizer, parts.loss_fn, run=folder, tell=False) if folder else nullcontext()
    with watched as watching:
        fit(parts, History(10**9, also=watching.log if watching else None), on_step=on_step)


def _forever(loader: TensorBatches) -> Iterator[tuple[Tensor, Tensor]]:
    while True:
        yield from loader


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--blocks", type=int, default=3, help="in a round that are counted")
    parser.add_argument("--steps", type=int, default=100, help="in a block")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: for a busy machine, with --threads 1")
    parser.add_argument("--only", default="", help="networks whose name holds this")
    return parser.parse_args()


if __name__ == "__main__":
    main()
