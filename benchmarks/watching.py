"""What watching costs: time of watched training over bare training, side by side in one run.

    python benchmarks/watching.py [--pairs 7] [--seconds 4] [--rivals] [--threads 2] [--clock cpu]

Each pair trains the same network from the same weights, once bare and once under each watcher, in an order that changes
from pair to pair; what is printed is the median over the pairs of the ratio of total times, so the dense first steps of
a watch are in it. --rivals adds what people use today, where it is installed (pip install -e '.[rivals]'): TensorBoard
histograms of all weights and gradients every 100 steps, wandb.watch(log="all") offline every 100 steps, and Lightning's
Trainer at its defaults.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
import statistics
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from torchdoctor.models.lenet5 import LeNet5
from torchdoctor.models.mlp import MLP
from torchdoctor.models.resnet_cifar import resnet20
from torchdoctor.models.transformer import TextTransformer
from torchdoctor.record.watch import Watch, watch

BATCHES = 8  # different batches, used in turn
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}
clock = CLOCKS["wall"]


@dataclass(frozen=True)
class Network:
    """Something to train: `most` is the ratio that watching may reach."""

    name: str
    build: Callable[[], nn.Module]
    inputs: Callable[[], Tensor]
    most: float


NETWORKS = (
    Network("LeNet-5, batch 64", lambda: LeNet5((1, 28, 28), 10), lambda: torch.randn(64, 1, 28, 28), 1.05),
    Network(
        "MLP 784-512x4-10, batch 128",
        lambda: MLP((784,), 10, hidden=[512] * 4),
        lambda: torch.randn(128, 784),
        1.05,
    ),
    Network("CIFAR ResNet-20, batch 64", lambda: resnet20((3, 32, 32), 10), lambda: torch.randn(64, 3, 32, 32), 1.02),
    Network(
        "transformer 4 x d128, length 64, batch 32",
        lambda: TextTransformer((64,), 10, vocabulary=1000),
        lambda: torch.randint(1000, (32, 64)),
        1.02,
    ),
)

Around = Callable[[nn.Module, torch.optim.Optimizer, nn.Module, Path], AbstractContextManager[Any]]
AfterStep = Callable[[Any, int], None]


def main() -> None:
    global clock
    options = _arguments()
    clock = CLOCKS[options.clock]
    torch.set_num_threads(options.threads)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    rivals = _rivals() if options.rivals else {}
    print(f"torch {torch.__version__}, {options.threads} threads, {options.pairs} pairs")
    print(f"{options.clock} time over bare, median [range]")
    for network in NETWORKS:
        if options.only in network.name:
            _compare(network, rivals, options)


def _compare(network: Network, rivals: dict[str, tuple[Around, AfterStep]], options: argparse.Namespace) -> None:
    steps = _steps_in(network, options.seconds)
    watchers: dict[str, tuple[Around, AfterStep]] = {
        "bare": (lambda *_: nullcontext(), _nothing),
        "torchdoctor": (_watched, _nothing),
        **rivals,
    }
    if options.rivals and importlib.util.find_spec("lightning") and network is NETWORKS[0]:
        watchers["Lightning Trainer"] = (lambda *_: nullcontext(), _nothing)
    times: dict[str, list[float]] = {name: [] for name in watchers}
    with tempfile.TemporaryDirectory() as folder:
        for pair in range(options.pairs):
            names = list(watchers)
            for name in names[pair % len(names) :] + names[: pair % len(names)]:
                where = Path(folder) / f"{name.replace(' ', '-')}-{pair}"
                run = _lightning if name == "Lightning Trainer" else _train
                times[name].append(run(network, steps, *watchers[name], where))
    bare = times.pop("bare")
    print(f"\n{network.name}: {1e3 * statistics.median(bare) / steps:.2f} ms a step bare, {steps} steps")
    for name, seconds in times.items():
        ratios = sorted(s / b for s, b in zip(seconds, bare))
        bound = f"   (at most {network.most})" if name == "torchdoctor" else ""
        print(f"  {name:<28} {statistics.median(ratios):.3f} [{ratios[0]:.3f} .. {ratios[-1]:.3f}]{bound}")
    written, memory = _footprint(network)
    print(
        f"  torchdoctor writes {written / 1e3:.0f} kB per 1,000 steps; Python memory {memory / 1e6:.2f} MB at its peak"
    )


def _train(network: Network, steps: int, around: Around, after: AfterStep, folder: Path) -> float:
    """Seconds for `steps` steps, what the watcher does before the first and after the last one included."""
    torch.manual_seed(0)
    model, loss_fn = network.build(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    batches = [(x, torch.randint(10, (len(x),))) for x in (network.inputs() for _ in range(BATCHES))]
    for x, y in batches[:2]:  # warm-up, not counted
        loss_fn(model(x), y).backward()
    start = clock()
    with around(model, optimizer, loss_fn, folder) as watcher:
        for step in range(steps):
            x, y = batches[step % BATCHES]
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
            after(watcher, step)
    return clock() - start


def _watched(model: nn.Module, optimizer: torch.optim.Optimizer, loss_fn: nn.Module, folder: Path) -> Watch:
    return watch(model, optimizer, loss_fn, run=folder, tell=False)


def _nothing(_watcher: Any, _step: int) -> None:
    pass


def _footprint(network: Network) -> tuple[float, float]:
    """Bytes on disk per 1,000 steps, and the peak of Python's own memory while watching 200 of them."""
    with tempfile.TemporaryDirectory() as folder:
        steps = 200
        tracemalloc.start()
        _train(network, steps, _watched, _nothing, Path(folder) / "run")
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return (Path(folder) / "run" / "signals.db").stat().st_size * 1000 / steps, peak


def _steps_in(network: Network, seconds: float) -> int:
    """How many steps fill about that many seconds, at least 100 so that the first, dense ones do not count for all."""
    trial = min(_train(network, 20, lambda *_: nullcontext(), _nothing, Path()) for _ in range(3))
    return max(100, round(seconds / (trial / 20)))


# -- rivals -----------------------------------------------------------------------------------------------------------


def _rivals() -> dict[str, tuple[Around, AfterStep]]:
    found: dict[str, tuple[Around, AfterStep]] = {}
    if importlib.util.find_spec("tensorboard"):
        found["TensorBoard histograms /100"] = (_tensorboard, _TensorBoard.step)
    if importlib.util.find_spec("wandb"):
        os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true", WANDB_CONSOLE="off")
        found["wandb.watch all /100"] = (lambda m, _o, _l, folder: _Wandb(m, folder), _Wandb.step)
    missing = [n for n in ("tensorboard", "wandb", "lightning") if not importlib.util.find_spec(n)]
    if missing:
        print(f"not installed, so not measured: {', '.join(missing)}")
    return found


class _TensorBoard:
    """Histograms of all weights and gradients every 100 steps, the loss every step."""

    def __init__(self, model: nn.Module, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.model, self.writer = model, SummaryWriter(str(folder))

    def __enter__(self) -> _TensorBoard:
        return self

    def __exit__(self, *_: object) -> None:
        self.writer.close()

    def step(self, step: int) -> None:
        if step % 100 == 0:
            for name, p in self.model.named_parameters():
                self.writer.add_histogram(name, p, step)
                self.writer.add_histogram(f"{name}.grad", p.grad, step)


def _tensorboard(model: nn.Module, _optimizer: Any, _loss_fn: Any, folder: Path) -> _TensorBoard:
    return _TensorBoard(model, folder)


class _Wandb:
    """wandb.watch(log="all", log_freq=100), offline. Its start-up, two seconds, is not counted: it is once per run."""

    def __init__(self, model: nn.Module, folder: Path) -> None:
        import wandb

        folder.mkdir(parents=True)
        self.run = wandb.init(dir=str(folder), project="bench", mode="offline")
        wandb.watch(model, log="all", log_freq=100)

    def __enter__(self) -> _Wandb:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def step(self, step: int) -> None:
        if step % 100 == 0:
            self.run.log({"step": step})


def _lightning(network: Network, steps: int, _around: Around, _after: AfterStep, folder: Path) -> float:
    """Lightning's Trainer at its defaults, less its one-time start-up: the time of 2n steps less the time of n."""
    return _fit(network, 2 * steps, folder / "long") - _fit(network, steps, folder / "short")


def _fit(network: Network, steps: int, folder: Path) -> float:
    import lightning

    torch.manual_seed(0)

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model, self.loss_fn = network.build(), nn.CrossEntropyLoss()

        def training_step(self, batch: tuple[Tensor, Tensor], _index: int) -> Tensor:
            return self.loss_fn(self.model(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.01, momentum=0.9)

    batches = [(x, torch.randint(10, (len(x),))) for x in (network.inputs() for _ in range(BATCHES))]
    trainer = lightning.Trainer(
        max_steps=steps, default_root_dir=str(folder), enable_progress_bar=False, enable_model_summary=False
    )
    start = clock()
    loader = torch.utils.data.DataLoader(batches * (steps // BATCHES + 1), batch_size=None)
    trainer.fit(Module(), loader)
    return clock() - start


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=4.0, help="of bare training per measurement")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: for a busy machine, with --threads 1")
    parser.add_argument("--only", default="", help="networks whose name holds this")
    parser.add_argument("--rivals", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
