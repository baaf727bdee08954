"""One net looks at two clothes and says how far apart they are: contrastive loss (Hadsell 2006), pairs made anew."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cases.case import Healthy
from cases.data import mnist
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Pairs(Dataset):
    """Two pictures, and 1.0 when they show the same kind; half of all pairs do."""

    def __init__(self, x: Tensor, y: Tensor, seed: int) -> None:
        self.x, self.y = x, y
        self.of_kind = [torch.nonzero(y == k).flatten() for k in range(10)]
        self.random = torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor, Tensor]:
        kind = int(self.y[i])
        same = i % 2 == 0
        if not same:
            kind = (kind + int(torch.randint(1, 10, (), generator=self.random))) % 10
        among = self.of_kind[kind]
        j = among[int(torch.randint(len(among), (), generator=self.random))]
        return self.x[i], self.x[j], torch.tensor(float(same))


class Twins(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.eye = nn.Sequential(
            nn.Conv2d(1, 12, 5, stride=2), nn.ReLU(), nn.Conv2d(12, 24, 5, stride=2), nn.ReLU(), nn.Flatten(),
            nn.Linear(24 * 16, 16),
        )  # fmt: skip

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return (self.eye(a) - self.eye(b)).square().sum(1).add(1e-9).sqrt()


def contrastive(distance: Tensor, same: Tensor, margin: float = 2.0) -> Tensor:
    return (same * distance**2 + (1 - same) * (margin - distance).clamp(min=0) ** 2).mean()


def build(seed: int) -> Parts:
    x, y = mnist(2500, "fashion_mnist")
    x = (x - 73) / 90
    torch.manual_seed(seed)
    model = Twins()
    shuffling = torch.Generator().manual_seed(seed)
    train = DataLoader(Pairs(x[:2000], y[:2000], seed), 64, shuffle=True, generator=shuffling)
    val = list(DataLoader(Pairs(x[2000:], y[2000:], 99), 250))  # the same pairs each time
    return Parts(model, contrastive, torch.optim.Adam(model.parameters(), lr=1e-3), train, val)


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for a, b, same in parts.train:
            loss = parts.loss_fn(parts.model(a, b), same)
            parts.optimizer.zero_grad()
            loss.backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            right = [((parts.model(a, b) < 1.0) == same.bool()).float().mean() for a, b, same in parts.val]
        log(epoch=epoch, val_score=torch.stack(right).mean().item())


CASE = Healthy("images, metric learning", "a small distance is the right answer", lambda: Experiment(build, 10, fit))
