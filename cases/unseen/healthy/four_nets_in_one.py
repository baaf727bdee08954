"""Four small nets side by side in one tensor, trained by the sum of their losses; their mean is what is used."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts


class Ensemble(nn.Module):
    def __init__(self, members=4, width=32):
        super().__init__()
        self.w1 = nn.Parameter(torch.randn(members, 64, width) / 8)
        self.b1 = nn.Parameter(torch.zeros(members, 1, width))
        self.w2 = nn.Parameter(torch.randn(members, width, 10) / width**0.5)

    def forward(self, x):
        each = torch.relu(x @ self.w1 + self.b1) @ self.w2
        if self.training:
            return each.permute(1, 2, 0)  # (N, classes, members)
        return each.log_softmax(-1).mean(0)


def summed(scores, label):
    if scores.ndim == 3:
        each = nn.functional.cross_entropy(scores, label[:, None].expand(-1, scores.shape[2]), reduction="none")
        return each.mean(0).sum()
    return nn.functional.cross_entropy(scores, label)


def build(seed):
    torch.manual_seed(seed)
    model = Ensemble()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, summed, optimizer, *loaders(*digits(), seed))


def fit(parts, log):
    for _ in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()


CASE = Healthy(
    "images, classes",
    "a sum of losses, other outputs in training than in evaluation",
    lambda: Experiment(build, 15, fit=fit),
)
