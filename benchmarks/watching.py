"""What watching costs: time of watched training over bare training, in turns within one process.

    python -m benchmarks.watching [--seconds 20] [--rivals] [--threads 2] [--clock cpu] [--only LeNet]

Every arm trains the same network from the same weights on the same batches (see turns.py). What is printed is the
ratio of the total times, from before the first step to after the last, so what a watcher does at its start and its end
and the dense first steps of a watch are in it. "bare again" says how far two equal arms are apart by chance.

--rivals adds what people use today, where it is installed (pip install -e '.[rivals]'): TensorBoard histograms of all
weights and gradients every 100 steps, wandb.watch(log="all") offline every 100 steps, and Lightning's Trainer at its
defaults, less what it does before the first step and after the last one.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
import tempfile
import tracemalloc
import warnings
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.turns import CLOCKS, Arm, alone, compared, same_memory_for_all, steps_in, take_turns
from torchdoctor.models.lenet5 import LeNet5
from torchdoctor.models.mlp import MLP
from torchdoctor.models.resnet_cifar import resnet20
from torchdoctor.models.transformer import TextTransformer
from torchdoctor.record.watch import watch

BATCHES = 8  # different batches, used in turn


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
OnNetwork = Callable[[Network, Arm], None]


def main() -> None:
    options = _arguments()
    same_memory_for_all()
    torch.set_num_threads(options.threads)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    rivals = _rivals() if options.rivals else {}
    print(f"torch {torch.__version__}, {options.threads} threads, {options.clock} time over bare [95 % interval]")
    for network in NETWORKS:
        if options.only in network.name:
            _compare(network, rivals, options)


def _compare(network: Network, rivals: Mapping[str, OnNetwork], options: argparse.Namespace) -> None:
    steps = steps_in(partial(_bare, network), options.seconds, options.clock)
    works: dict[str, OnNetwork] = {"bare": _bare, "bare again": _bare, "torchdoctor": _watched, **rivals}
    with tempfile.TemporaryDirectory() as folder:
        arms = [
            Arm(partial(work, network), steps, Path(folder) / str(i), options.threads, options.clock)
            for i, work in enumerate(works.values())
        ]
        take_turns(arms)
    bare = arms[0]
    print(f"\n{network.name}: {1e3 * sum(bare.seconds) / steps:.2f} ms a step bare, {steps} steps each")
    for name, arm in zip(list(works)[1:], arms[1:]):
        print(f"  {name:<28} {compared(arm, bare, network.most if name == 'torchdoctor' else None)}")
    written, memory = _footprint(network, options.clock)
    print(
        f"  torchdoctor writes {written / 1e3:.0f} kB per 1,000 steps; Python memory {memory / 1e6:.2f} MB at its peak"
    )


# -- arms -------------------------------------------------------------------------------------------------------------


def _train(network: Network, arm: Arm, around: Around, after: AfterStep) -> None:
    model, loss_fn = network.build(), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    batches = _batches(network)
    for x, y in batches[:2]:  # warm-up, not counted
        loss_fn(model(x), y).backward()
    arm.begin()
    with around(model, optimizer, loss_fn, arm.folder) as watcher:
        for step in range(arm.steps):
            x, y = batches[step % BATCHES]
            optimizer.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            optimizer.step()
            after(watcher, step)
            arm.stepped(step)
    arm.end()


def _batches(network: Network) -> list[tuple[Tensor, Tensor]]:
    return [(x, torch.randint(10, (len(x),))) for x in (network.inputs() for _ in range(BATCHES))]


def _bare(network: Network, arm: Arm) -> None:
    _train(network, arm, lambda *_: nullcontext(), _nothing)


def _watched(network: Network, arm: Arm) -> None:
    _train(network, arm, lambda *parts: watch(*parts[:3], run=parts[3], tell=False), _nothing)


def _nothing(_watcher: Any, _step: int) -> None:
    pass


def _footprint(network: Network, clock: str, steps: int = 200) -> tuple[float, float]:
    """Bytes on disk per 1,000 steps, and the peak of Python's own memory while watching."""
    with tempfile.TemporaryDirectory() as folder:
        tracemalloc.start()
        alone(partial(_watched, network), steps, Path(folder) / "run", clock)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return (Path(folder) / "run" / "signals.db").stat().st_size * 1000 / steps, peak


# -- rivals -----------------------------------------------------------------------------------------------------------


def _rivals() -> dict[str, OnNetwork]:
    found: dict[str, OnNetwork] = {}
    if importlib.util.find_spec("tensorboard"):
        found["TensorBoard histograms /100"] = _tensorboard
    if importlib.util.find_spec("wandb"):
        os.environ.update(WANDB_MODE="offline", WANDB_SILENT="true", WANDB_CONSOLE="off")
        found["wandb.watch all /100"] = _wandb
    if importlib.util.find_spec("lightning"):
        found["Lightning Trainer"] = _lightning
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


def _tensorboard(network: Network, arm: Arm) -> None:
    _train(network, arm, lambda *parts: _TensorBoard(parts[0], parts[3]), _TensorBoard.step)


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


def _wandb(network: Network, arm: Arm) -> None:
    _train(network, arm, lambda *parts: _Wandb(parts[0], parts[3]), _Wandb.step)


def _lightning(network: Network, arm: Arm) -> None:
    import lightning

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model, self.loss_fn = network.build(), nn.CrossEntropyLoss()

        def training_step(self, batch: tuple[Tensor, Tensor], _index: int) -> Tensor:
            return self.loss_fn(self.model(batch[0]), batch[1])

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return torch.optim.SGD(self.parameters(), lr=0.01, momentum=0.9)

    class Turns(lightning.Callback):
        """The clock runs from the start of the first batch to the start of the last: no start-up, no saving."""

        def on_train_batch_start(self, *_: Any) -> None:
            self.step = getattr(self, "step", -1) + 1
            if self.step == 0:
                arm.begin()
            else:
                arm.stepped(self.step - 1)
            if self.step == arm.steps:
                arm.end()

    trainer = lightning.Trainer(
        max_steps=arm.steps + 1,
        default_root_dir=str(arm.folder),
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=[Turns()],
    )
    loader = torch.utils.data.DataLoader(_batches(network) * (arm.steps // BATCHES + 2), batch_size=None)
    trainer.fit(Module(), loader)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="of bare training per network")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clock", choices=CLOCKS, default="wall", help="cpu: for a busy machine, with --threads 1")
    parser.add_argument("--only", default="", help="networks whose name holds this")
    parser.add_argument("--rivals", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
