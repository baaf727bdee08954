"""Six volumes are pressed into one sample, and that through a single unit."""

import torch
from torch import Tensor, nn

from cases.case import Case, either
from cases.data import Pair, loaders
from torchdoctor import Experiment, Parts


class Sixes(nn.Module):
    """Six volumes at once; of all their features one number is left."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv3d(3, 16, 4, stride=2, padding=1)
        self.squeeze = nn.Linear(6 * 16, 1)
        self.output = nn.Linear(1, 2)

    def forward(self, x: Tensor) -> Tensor:
        features = torch.relu(self.features(x.flatten(0, 1))).mean((2, 3, 4))
        return self.output(torch.relu(self.squeeze(features.reshape(len(x), -1))))


def volumes(n: int) -> Pair:
    """All ones or all noughts, (n, 3, 8, 8, 8)."""
    y = torch.arange(n) % 2
    return y.float()[:, None, None, None, None].expand(n, 3, 8, 8, 8).clone(), y


def faulty(seed: int) -> Parts:
    torch.manual_seed(seed)
    x, y = volumes(40)
    model = Sixes()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(torch.stack([x] * 6, 1), y, seed, batch_size=12))


def fixed(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv3d(3, 16, 4, stride=2, padding=1), nn.ReLU(), nn.Conv3d(16, 8, 4, stride=2, padding=1), nn.ReLU(),
        nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(8, 2),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*volumes(240), seed, batch_size=6))


CASE = Case(
    source="stackoverflow.com/questions/58237726",
    task="volumes, classes",
    faults=(either("narrow-bottleneck", "insufficient-capacity"),),
    faulty=lambda: Experiment(faulty, epochs=5),
    fixed=lambda: Experiment(fixed, epochs=5),
    where=("squeeze",),
)
