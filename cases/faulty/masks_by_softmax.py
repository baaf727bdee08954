"""A mask of one channel behind a softmax over the channels: every pixel is the disk."""

import numpy as np
import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import Pair, loaders
from torchdoctor import Experiment, Parts


class Outliner(nn.Module):
    """Half the resolution and back, with what was seen before."""

    def __init__(self, last: nn.Module) -> None:
        super().__init__()
        self.down = nn.Conv2d(1, 8, 3, padding=1)
        self.middle = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.output = nn.Conv2d(16, 1, 1)
        self.last = last

    def forward(self, x: Tensor) -> Tensor:
        fine = torch.relu(self.down(x))
        coarse = torch.relu(self.up(torch.relu(self.middle(fine))))
        return self.last(self.output(torch.cat([fine, coarse], 1)))


def disks(n: int = 240, size: int = 20) -> Pair:
    """Noisy pictures with one disk (n, 1, size, size), and its mask."""
    random = np.random.default_rng(0)
    grid = np.arange(size)
    centre, radius = random.uniform(5, size - 5, (n, 2, 1, 1)), random.uniform(3, 5, (n, 1, 1))
    masks = (grid[:, None] - centre[:, 0]) ** 2 + (grid[None] - centre[:, 1]) ** 2 <= radius**2
    pictures = masks + 0.4 * random.normal(size=masks.shape)
    return torch.tensor(pictures, dtype=torch.float32)[:, None], torch.tensor(masks, dtype=torch.float32)[:, None]


def program(last: nn.Module) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Outliner(last)
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
        return Parts(model, nn.BCELoss(), optimizer, *loaders(*disks(), seed, batch_size=16))

    return Experiment(build, epochs=6)


CASE = Case(
    source="own, after many questions of the kind",
    task="images, masks",
    faults=("wrong-output-activation",),
    faulty=lambda: program(nn.Softmax(dim=1)),
    fixed=lambda: program(nn.Sigmoid()),
)
