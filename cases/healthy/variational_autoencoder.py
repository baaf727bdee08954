"""A VAE on digits: the model gives three tensors, the loss has two terms and is summed over pixels."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class VAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
        self.decoder = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        return self.decoder(z), mean, log_variance


def evidence(output: tuple[Tensor, Tensor, Tensor], target: Tensor) -> Tensor:
    logits, mean, log_variance = output
    reconstruction = F.binary_cross_entropy_with_logits(logits, target, reduction="sum") / len(target)
    divergence = -0.5 * (1 + log_variance - mean**2 - log_variance.exp()).sum(1).mean()
    return reconstruction + divergence


def build(seed: int) -> Parts:
    x, _ = digits()
    torch.manual_seed(seed)
    model = VAE()
    return Parts(model, evidence, torch.optim.Adam(model.parameters(), lr=2e-3), *loaders(x, x, seed, batch_size=64))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        with torch.no_grad():
            losses = [parts.loss_fn(parts.model(x), y).item() for x, y in parts.val]
        log(epoch=epoch, val_loss=sum(losses) / len(losses))


def score(model: nn.Module, loader: object) -> float:
    return -sum(evidence(model(x), y).item() for x, y in loader)


CASE = Healthy(
    "images, generative", "outputs that are noise in part", lambda: Experiment(build, 40, fit=fit, score=score)
)
