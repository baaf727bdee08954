"""Two processes share the wines between them, and nothing wraps the network, so that each trains one of its own."""

import tempfile
from multiprocessing import get_context

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

import torchdoctor as td
from cases.case import Case
from cases.data import loaders, standard, wine
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def build(seed: int) -> Parts:
    x, y = wine()
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(standard(x), y, seed, 16))


def train(parts: Parts, epochs: int, rank: int, folder: str, wrapped: bool) -> None:
    """What each of the two processes does."""
    distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    called = DistributedDataParallel(parts.model) if wrapped else parts.model
    for _ in range(epochs):
        called.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(called(x[rank::2]), y[rank::2]).backward()
            parts.optimizer.step()
        distributed.barrier()  # as before a validation that the first one does for all


def second(epochs: int, folder: str, wrapped: bool) -> None:
    torch.set_num_threads(1)
    parts = build(1)
    with td.watch(parts.model, parts.optimizer, parts.loss_fn, tell=False):
        train(parts, epochs, 1, folder, wrapped)
    distributed.destroy_process_group()


def fit(parts: Parts, log: Log, wrapped: bool = False) -> None:
    with tempfile.TemporaryDirectory() as folder:
        other = get_context("spawn").Process(target=second, args=(log.epochs, folder, wrapped))
        other.start()
        try:
            train(parts, log.epochs, 0, folder, wrapped)
        finally:
            distributed.destroy_process_group()
            other.join()


CASE = Case(
    source="own, after a common slip",
    task="table, classes",
    faults=("diverged-replicas",),
    faulty=lambda: Experiment(build, epochs=12, fit=fit),
    fixed=lambda: Experiment(build, epochs=12, fit=lambda parts, log: fit(parts, log, wrapped=True)),
    note="Both processes run here, one beside the other.",
)
