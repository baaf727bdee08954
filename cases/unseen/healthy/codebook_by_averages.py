"""A VQ-VAE (van den Oord 2017) whose codes are running averages: buffers that move, gradients that pass by."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases.case import Healthy
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Codebook(nn.Module):
    def __init__(self, codes: int = 32, width: int = 8, decay: float = 0.95) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("codes", torch.randn(codes, width) * 0.3)
        self.register_buffer("count", torch.ones(codes))
        self.register_buffer("total", self.codes.clone())

    def forward(self, z: Tensor) -> Tensor:
        """(M, width) -> the nearest code of each row; the gradient passes straight through."""
        nearest = torch.cdist(z, self.codes).argmin(1)
        if self.training:
            with torch.no_grad():
                chosen = F.one_hot(nearest, len(self.codes)).float()
                self.count.lerp_(chosen.sum(0), 1 - self.decay)
                self.total.lerp_(chosen.T @ z, 1 - self.decay)
                unused = self.count < 0.05
                self.codes.copy_(self.total / self.count.clamp(min=0.05)[:, None])
                fresh = z[torch.randint(len(z), (len(self.codes),))]
                self.codes[unused], self.total[unused], self.count[unused] = fresh[unused], fresh[unused], 1.0
        return z + (self.codes[nearest] - z).detach()


class Quantized(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 8, 4, 2, 1))
        self.book = Codebook()
        self.decoder = nn.Sequential(nn.ConvTranspose2d(8, 16, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(16, 1, 4, 2, 1))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        z = self.encoder(x)
        flat = z.permute(0, 2, 3, 1).reshape(-1, 8)
        code = self.book(flat)
        drawn = self.decoder(code.reshape(len(x), 7, 7, 8).permute(0, 3, 1, 2))
        return drawn, F.mse_loss(flat, code.detach())


def drawn_and_committed(output: tuple[Tensor, Tensor], x: Tensor) -> Tensor:
    return F.mse_loss(output[0], x) + 0.25 * output[1]


def build(seed: int) -> Parts:
    x = mnist(1200)[0] / 255
    torch.manual_seed(seed)
    model = Quantized()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    return Parts(model, drawn_and_committed, optimizer, *loaders(x, x, seed, batch_size=32))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, target in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), target).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            x = torch.cat([x for x, _ in parts.val])
            left = (parts.model(x)[0] - x).square().sum() / (x - x.mean(0)).square().sum()
        log(epoch=epoch, val_score=1 - left.item())


CASE = Healthy("images, generative", "codes without a gradient", lambda: Experiment(build, epochs=22, fit=fit))
