"""Which patients will get much worse? One in twenty does, and a network that never says so is right 19 times in 20."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Case
from cases.data import diabetes
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log

MUCH = 290.0  # progress of the disease, of 25 to 346


class Weighed(nn.Module):
    """Cross-entropy in which a rare patient counts as `rare` others."""

    def __init__(self, rare: float) -> None:
        super().__init__()
        self.rare = rare

    def forward(self, scores: Tensor, kinds: Tensor) -> Tensor:
        return nn.functional.cross_entropy(scores, kinds, torch.tensor([1.0, self.rare]))


def build(seed: int, rare: float = 1.0) -> Parts:
    x, progress = diabetes()
    worse = (progress[:, 0] > MUCH).long()
    held_out = torch.arange(len(x)) % 4 == 0  # every fourth patient
    shuffling = torch.Generator().manual_seed(seed)
    train = DataLoader(TensorDataset(x[~held_out], worse[~held_out]), 32, shuffle=True, generator=shuffling)
    val = DataLoader(TensorDataset(x[held_out], worse[held_out]), 256)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 2))
    return Parts(model, Weighed(rare), torch.optim.SGD(model.parameters(), lr=0.03), train, val)


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            hits = sum(int((parts.model(x).argmax(1) == y).sum()) for x, y in parts.val)
        log(epoch=epoch, val_score=hits / len(parts.val.dataset))


CASE = Case(
    source="own, after many questions of the kind",
    task="table, classes",
    faults=("imbalanced-classes",),
    faulty=lambda: Experiment(build, epochs=25, fit=fit),
    fixed=lambda: Experiment(lambda seed: build(seed, rare=20.0), epochs=25, fit=fit),
)
