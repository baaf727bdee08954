"""A generative adversarial net in which the maker's own step also judges fake.detach(), copied from the critic's step:
the maker's weights get no gradient, and its optimizer steps over nothing."""

from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from cases.case import Case
from cases.data import blobs, loaders, standard
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Gan(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.G = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
        self.D = nn.Sequential(
            nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.D(self.G(z).detach())


class Mended(Gan):
    def forward(self, z: Tensor) -> Tensor:
        return self.D(self.G(z))


class Noise:
    """Batches of noise and the targets of the maker's step; as many batches of real points lie beside them."""

    def __init__(self, points: DataLoader, seed: int) -> None:
        self.points, self.random = points, torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return len(self.points)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for _ in self.points:
            yield torch.randn(64, 8, generator=self.random), torch.ones(64, 1)


def build(seed: int, kind: type[Gan]) -> Parts:
    x = standard(blobs(1500, classes=4, spread=0.8)[0])
    torch.manual_seed(seed)
    model = kind()
    maker = torch.optim.Adam(model.G.parameters(), lr=1e-3, betas=(0.5, 0.9))
    train, val = loaders(x, x, seed, batch_size=64)
    return Parts(model, nn.BCEWithLogitsLoss(), maker, Noise(train, seed), Noise(val, 5))


def fit(parts: Parts, log: Log) -> None:
    gan = parts.model
    critic = torch.optim.Adam(gan.D.parameters(), lr=1e-3, betas=(0.5, 0.9))
    for epoch in range(log.epochs):
        gan.train()
        for (z, ones), (real, _) in zip(parts.train, parts.train.points):
            with torch.no_grad():
                fake = gan.G(torch.randn(len(real), 8))
            critic.zero_grad()
            real = real.clone().requires_grad_()
            opinion = gan.D(real)
            slope = torch.autograd.grad(opinion.sum(), real, create_graph=True)[0].square().sum(1).mean()
            wrong = F.softplus(-opinion).mean() + F.softplus(gan.D(fake)).mean() + 0.1 * slope
            wrong.backward()
            critic.step()

            parts.optimizer.zero_grad()
            parts.loss_fn(gan(z), ones).backward()
            parts.optimizer.step()
        gan.eval()
        with torch.no_grad():
            real, fake = torch.cat([x for x, _ in parts.val.points]), gan.G(torch.randn(400, 8))
            apart = 2 * torch.cdist(real, fake).mean() - torch.cdist(real, real).mean() - torch.cdist(fake, fake).mean()
        log(epoch=epoch, val_score=-apart.item())


CASE = Case(
    source="PyTorch forum: the loss of my generator does not change",
    task="points, generative",
    faults=("detached-graph",),
    faulty=lambda: Experiment(partial(build, kind=Gan), epochs=40, fit=fit),
    fixed=lambda: Experiment(partial(build, kind=Mended), epochs=40, fit=fit),
    where=("G",),
)
