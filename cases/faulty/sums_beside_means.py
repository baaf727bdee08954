"""A variational autoencoder whose pixels are averaged and whose divergence is summed: the code says nothing."""

import torch
import torch.nn.functional as F
from torch import nn

from cases.case import Case
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class VAE(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(64, 64)
        self.mu, self.logvar = nn.Linear(64, 6), nn.Linear(64, 6)
        self.outer = nn.Sequential(nn.Linear(6, 64), nn.ReLU(), nn.Linear(64, 64))

    def forward(self, x):
        h = F.relu(self.inner(x))
        mu, logvar = self.mu(h), self.logvar(h)
        z = mu + torch.randn_like(mu) * (0.5 * logvar).exp() if self.training else mu
        return torch.cat([self.outer(z), mu, logvar], dim=1)


def fit(parts, log):
    for _ in range(log.epochs):
        losses = []
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            loss = parts.loss_fn(parts.model(x), y)
            loss.backward()
            parts.optimizer.step()
            losses.append(loss.item())
        log(train_loss=sum(losses) / len(losses))


def program(reduce):
    def elbo(out, x):
        recon, mu, logvar = out.split([64, 6, 6], dim=1)
        bce = F.binary_cross_entropy_with_logits(recon, x, reduction=reduce)
        kld = -0.5 * torch.sum(1 + logvar - mu**2 - logvar.exp())
        if reduce == "sum":
            return (bce + kld) / len(x)
        return bce + kld

    def build(seed):
        x, _ = digits()
        torch.manual_seed(seed)
        model = VAE()
        return Parts(model, elbo, torch.optim.Adam(model.parameters(), lr=2e-3), *loaders(x, x, seed, 64))

    def sharpness(model, loader):
        """R2 of the pixels."""
        errors, spread = [], []
        for x, _ in loader:
            errors.append(((torch.sigmoid(model(x)[:, :64]) - x) ** 2).sum())
            spread.append(((x - x.mean(0)) ** 2).sum())
        return float(1 - sum(errors) / sum(spread))

    return Experiment(build, epochs=25, fit=fit, score=sharpness)


CASE = Case(
    source="F.binary_cross_entropy's default beside torch.sum",
    task="images, generative",
    faults=("dominant-penalty",),
    faulty=lambda: program("mean"),
    fixed=lambda: program("sum"),
)
