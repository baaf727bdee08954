"""F.dropout in forward: its training=True by default, so units are dropped while the net is judged, too."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class Clothes(nn.Module):
    def __init__(self, mended: bool) -> None:
        super().__init__()
        self.mended = mended
        self.conv1, self.conv2 = nn.Conv2d(1, 12, 5, stride=2), nn.Conv2d(12, 24, 5, stride=2)
        self.fc1, self.fc2 = nn.Linear(384, 64), nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv1(x))
        x = F.relu(self.conv2(x)).flatten(1)
        x = F.relu(self.fc1(self.drop(x)))
        return self.fc2(self.drop(x))

    def drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, 0.5, training=self.training) if self.mended else F.dropout(x, 0.5)


def build(seed: int, mended: bool) -> Parts:
    x, y = mnist(1800, "fashion_mnist")
    torch.manual_seed(seed)
    model = Clothes(mended)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / 255, y, seed, batch_size=32))


CASE = Case(
    source="F.dropout without training=self.training, as asked about on the PyTorch forum",
    task="images, classes",
    faults=("mode-insensitive-layer",),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=12),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=12),
)
