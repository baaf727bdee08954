"""One program, two lessons: an encoder learns to copy all clothes, then to name the few that have a name."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases.case import Healthy
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Pupil(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU())
        self.decoder = nn.Linear(64, 784)
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x))


def build(seed: int) -> Parts:
    x, y = mnist(2000, "fashion_mnist")
    torch.manual_seed(seed)
    model = Pupil()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders((x - 73) / 90, y, seed, batch_size=50))


def fit(parts: Parts, log: Log) -> None:
    model = parts.model
    for epoch in range(log.epochs):
        model.train()
        copying = epoch < log.epochs // 3
        if epoch == log.epochs // 3:
            parts.optimizer.state.clear()  # another task, another scale of gradients
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            if copying:
                loss = F.mse_loss(model.decoder(model.encoder(x)), x.flatten(1))
            else:
                loss = parts.loss_fn(model(x), y)
            loss.backward()
            parts.optimizer.step()
        model.eval()
        with torch.no_grad():
            right = torch.cat([model(x).argmax(1) == y for x, y in parts.val])
        log(epoch=epoch, val_score=right.float().mean().item())


CASE = Healthy("images, two lessons", "a head at rest first, a decoder later", lambda: Experiment(build, 15, fit=fit))
