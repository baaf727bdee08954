"""A player sees a digit, names one, and is told whether it was right: the loss says nothing of how well it plays."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def reinforced(output: Tensor, target: Tensor) -> Tensor:
    """REINFORCE with the mean reward as baseline; what is played is drawn, the target only gives the reward."""
    policy = torch.distributions.Categorical(logits=output)
    played = policy.sample()
    reward = (played == target).float()
    return -(policy.log_prob(played) * (reward - reward.mean())).mean() - 0.01 * policy.entropy().mean()


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    return Parts(model, reinforced, optimizer, *loaders(*digits(), seed))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        with torch.no_grad():
            right = [(parts.model(x).argmax(1) == y).float().mean().item() for x, y in parts.val]
        log(epoch=epoch, val_score=sum(right) / len(right))


CASE = Healthy("images, rewards", "a random loss that does not fall", lambda: Experiment(build, epochs=16, fit=fit))
