"""Code from a fine-tuning tutorial freezes the body of a network that was never trained."""

import torch
from torch import nn

from cases.case import Case
from cases.data import cifar, loaders
from torchdoctor import Experiment, Parts


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 16, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 16, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )  # fmt: skip
        self.head = nn.Linear(16, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.body(x))


def program(freeze: bool) -> Experiment:
    def build(seed: int) -> Parts:
        x, y = cifar(1000)
        torch.manual_seed(seed)
        model = Net()
        if freeze:
            for parameter in model.body.parameters():
                parameter.requires_grad = False
        optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=3e-3)
        return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x / 127.5 - 1, y, seed, batch_size=64))

    return Experiment(build, epochs=8)


CASE = Case(
    source="own, after PyTorch forum threads on requires_grad",
    task="images, classes",
    faults=("frozen-parameters",),
    faulty=lambda: program(freeze=True),
    fixed=lambda: program(freeze=False),
    where=("body",),
)
