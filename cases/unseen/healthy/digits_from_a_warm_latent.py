"""A variational autoencoder whose second term is let in slowly: the loss rises while it learns."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Vae(nn.Module):
    def __init__(self, latent: int = 8) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 96), nn.SiLU(), nn.Linear(96, 2 * latent))
        self.decoder = nn.Sequential(nn.Linear(latent, 96), nn.SiLU(), nn.Linear(96, 64))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_variance = self.encoder(x).chunk(2, dim=1)
        noise = torch.randn_like(mean) if self.training else torch.zeros_like(mean)
        return self.decoder(mean + (0.5 * log_variance).exp() * noise), mean, log_variance


class Bound(nn.Module):
    """Minus the evidence lower bound in nats a picture (Kingma and Welling 2014); share: of the divergence."""

    def __init__(self) -> None:
        super().__init__()
        self.share = 0.0

    def forward(self, output: tuple[Tensor, Tensor, Tensor], x: Tensor) -> Tensor:
        drawn, mean, log_variance = output
        pixels = F.binary_cross_entropy_with_logits(drawn, x, reduction="none").sum(1).mean()
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean()
        return pixels + self.share * divergence


def build(seed: int) -> Parts:
    x, _ = digits()
    torch.manual_seed(seed)
    model = Vae()
    return Parts(model, Bound(), torch.optim.AdamW(model.parameters(), lr=2e-3), *loaders(x, x, seed, batch_size=64))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.loss_fn.share = min(1.0, epoch / (0.4 * log.epochs))
        parts.model.train()
        for x, target in parts.train:
            parts.optimizer.zero_grad(set_to_none=True)
            parts.loss_fn(parts.model(x), target).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            x = torch.cat([x for x, _ in parts.val])
            left = (torch.sigmoid(parts.model(x)[0]) - x).square().sum() / (x - x.mean(0)).square().sum()
        log(epoch=epoch, val_score=1 - left.item())


CASE = Healthy("images, generative", "a loss that rises", lambda: Experiment(build, epochs=50, fit=fit))
