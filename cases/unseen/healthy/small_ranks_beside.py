"""LoRA (Hu 2021): a net that knows the digits 0 to 4 learns the others by small ranks beside its weights."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Beside(nn.Module):
    """Wx + B(Ax), W frozen, B zero to begin with."""

    def __init__(self, inner: nn.Linear, rank: int = 8) -> None:
        super().__init__()
        self.inner = inner.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(rank, inner.in_features) / inner.in_features**0.5)
        self.up = nn.Parameter(torch.zeros(inner.out_features, rank))

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x) + 2.0 * (x @ self.down.T) @ self.up.T


def base(x: Tensor, y: Tensor) -> nn.Sequential:
    """Trained for a while on the digits 0 to 4."""
    net = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 5))
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()
    return net


def build(seed: int) -> Parts:
    x, y = digits()
    torch.manual_seed(seed)
    net = base(x[y < 5], y[y < 5])
    model = nn.Sequential(Beside(net[0]), nn.ReLU(), Beside(net[2]), nn.ReLU(), nn.Linear(96, 5))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x[y > 4], y[y > 4] - 5, seed))


CASE = Healthy("images, classes", "most weights frozen, some zero at first", lambda: Experiment(build, epochs=20))
