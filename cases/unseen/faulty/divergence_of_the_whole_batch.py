"""A variational autoencoder: a mean over pixels, and a divergence summed over the batch. The codes collapse."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class VAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enc = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU())
        self.mu, self.logvar = nn.Linear(128, 10), nn.Linear(128, 10)
        self.dec = nn.Sequential(nn.Linear(10, 128), nn.ReLU(), nn.Linear(128, 784), nn.Sigmoid())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = self.enc(x)
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp() if self.training else mu
        return self.dec(z), mu, logvar


def vae_loss(output: tuple[Tensor, Tensor, Tensor], x: Tensor, mended: bool) -> Tensor:
    drawn, mu, logvar = output
    if mended:
        error = F.binary_cross_entropy(drawn, x.flatten(1), reduction="sum") / len(x)
        return error - 0.5 * (1 + logvar - mu**2 - logvar.exp()).sum() / len(x)
    return F.binary_cross_entropy(drawn, x.flatten(1)) - 0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp())


def build(seed: int, mended: bool) -> Parts:
    x = mnist(1800)[0] / 255
    torch.manual_seed(seed)
    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, partial(vae_loss, mended=mended), optimizer, *loaders(x, x, seed, batch_size=64))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        running = 0.0
        for x, target in parts.train:
            parts.optimizer.zero_grad()
            loss = parts.loss_fn(parts.model(x), target)
            loss.backward()
            parts.optimizer.step()
            running += loss.item()
        parts.model.eval()
        with torch.no_grad():
            x = torch.cat([x for x, _ in parts.val]).flatten(1)
            left = (parts.model(x)[0] - x).square().sum() / (x - x.mean(0)).square().sum()
        log(epoch=epoch, train_loss=running / len(parts.train), val_score=1 - left.item())


CASE = Case(
    source="PyTorch forum: all reconstructions of a VAE look the same",
    task="images, generative",
    faults=("dominant-penalty",),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=25, fit=fit),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=25, fit=fit),
)
