"""A trained body is fine-tuned at a hundredth of the rate of the new head."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


def pretrained() -> nn.Sequential:
    """A body that knows digits that were mirrored."""
    torch.manual_seed(0)
    x, y = digits(images=True)
    body = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.Flatten()
    )
    model = nn.Sequential(body, nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x.flip(3)), y).backward()
        optimizer.step()
    return body


def build(seed: int) -> Parts:
    body = pretrained()
    torch.manual_seed(seed)
    model = nn.Sequential(body, nn.Linear(64, 10))
    groups = [{"params": model[0].parameters(), "lr": 1e-4}, {"params": model[1].parameters()}]
    optimizer = torch.optim.AdamW(groups, lr=3e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(images=True), seed))


CASE = Healthy("images, classes", "layers that hardly move", lambda: Experiment(build, epochs=10))
