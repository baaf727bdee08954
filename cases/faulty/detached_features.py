"""Features are taken to NumPy and back inside forward, so that nothing before them can learn."""

import torch
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Net(nn.Module):
    def __init__(self, through_numpy: bool) -> None:
        super().__init__()
        self.through_numpy = through_numpy
        self.features = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(72, 12))
        self.head = nn.Sequential(nn.ReLU(), nn.Linear(12, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.features(x)
        if self.through_numpy:
            x = torch.from_numpy(x.detach().numpy().clip(-5, 5))
        return self.head(x)


def program(through_numpy: bool) -> Experiment:
    def build(seed: int) -> Parts:
        torch.manual_seed(seed)
        model = Net(through_numpy)
        optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed, batch_size=64))

    return Experiment(build, epochs=30)


CASE = Case(
    source="discuss.pytorch.org/t/146238",
    task="images, classes",
    faults=("detached-graph",),
    faulty=lambda: program(through_numpy=True),
    fixed=lambda: program(through_numpy=False),
    where=("features",),
)
