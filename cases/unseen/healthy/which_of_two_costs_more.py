"""RankNet (Burges 2005): no price is learnt, only which of two districts is dearer."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Healthy
from cases.data import houses, standard
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Ranker(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.worth = nn.Sequential(
            nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1, bias=False)
        )

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return (self.worth(a) - self.worth(b)).squeeze(1)


def pairs(x: Tensor, y: Tensor, n: int, seed: int) -> TensorDataset:
    a, b = torch.randint(len(x), (2, n), generator=torch.Generator().manual_seed(seed))
    differ = (y[a] != y[b]).flatten()
    a, b = a[differ], b[differ]
    return TensorDataset(x[a], x[b], (y[a] > y[b]).float().flatten())


def build(seed: int) -> Parts:
    x, y = houses(3000)
    x = standard(torch.cat([x[:, :3], x[:, 3:7].log(), x[:, 7:]], 1))
    torch.manual_seed(seed)
    model = Ranker()
    train = pairs(x[:2400], y[:2400], 8000, 1)
    val = pairs(x[2400:], y[2400:], 2000, 2)
    shuffled = DataLoader(train, 64, shuffle=True, generator=torch.Generator().manual_seed(seed))
    loss = F.binary_cross_entropy_with_logits
    return Parts(model, loss, torch.optim.Adam(model.parameters(), lr=2e-3), shuffled, DataLoader(val, 500))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for a, b, dearer in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(a, b), dearer).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            right = torch.cat([(parts.model(a, b) > 0) == dearer.bool() for a, b, dearer in parts.val])
        log(epoch=epoch, val_score=right.float().mean().item())


CASE = Healthy("table, ranking", "the same district in many pairs; no bias", lambda: Experiment(build, 10, fit=fit))
