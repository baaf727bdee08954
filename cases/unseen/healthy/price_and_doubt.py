"""House prices with a doubt of their own each: a Gaussian's likelihood, whose loss goes below zero."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import houses, loaders, standard
from torchdoctor import Experiment, Parts


class PriceAndDoubt(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(8, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU())
        self.mean, self.log_scale = nn.Linear(64, 1), nn.Linear(64, 1)

    def forward(self, x):
        h = self.body(x)
        return torch.cat([self.mean(h), self.log_scale(h).clamp(-5, 3)], dim=1)


def nll(output, price):
    mean, log_scale = output[:, :1], output[:, 1:]
    return (log_scale + 0.5 * ((price - mean) / log_scale.exp()) ** 2).mean()


def build(seed):
    x, y = houses(4000)
    torch.manual_seed(seed)
    model = PriceAndDoubt()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Parts(model, nll, optimizer, *loaders(standard(x), (y / 100_000).log(), seed))


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


def r2(model, loader):
    pairs = [(model(x)[:, 0], y[:, 0]) for x, y in loader]
    guess, truth = (torch.cat(t) for t in zip(*pairs))
    return float(1 - ((guess - truth) ** 2).mean() / truth.var(unbiased=False))


CASE = Healthy(
    "table, regression",
    "a loss below zero, two outputs for one target",
    lambda: Experiment(build, 15, fit=fit, score=r2),
)
