"""A small U-Net finds a handwritten digit in noise, by cross-entropy and overlap together."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases.case import Healthy
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def twice(channels: int, out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(),
        nn.Conv2d(out, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(),
    )  # fmt: skip


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down1, self.down2 = twice(1, 8), twice(8, 16)
        self.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.join = twice(16, 8)
        self.head = nn.Conv2d(8, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        fine = self.down1(x)
        coarse = self.down2(F.max_pool2d(fine, 2))
        return self.head(self.join(torch.cat([fine, self.up(coarse)], 1)))


def overlap_and_entropy(output: Tensor, mask: Tensor) -> Tensor:
    p = torch.sigmoid(output)
    dice = (2 * (p * mask).sum((1, 2, 3)) + 1) / (p.sum((1, 2, 3)) + mask.sum((1, 2, 3)) + 1)
    return F.binary_cross_entropy_with_logits(output, mask) + 1 - dice.mean()


def build(seed: int) -> Parts:
    pictures, _ = mnist(700)
    noise = torch.randn(pictures.shape, generator=torch.Generator().manual_seed(5))
    torch.manual_seed(seed)
    model = UNet()
    data = loaders(pictures / 255 + 0.4 * noise, (pictures > 100).float(), seed, batch_size=16)
    return Parts(model, overlap_and_entropy, torch.optim.Adam(model.parameters(), lr=2e-3), *data)


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, mask in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), mask).backward()
            parts.optimizer.step()
        parts.model.eval()
        both = either = 0.0
        with torch.no_grad():
            for x, mask in parts.val:
                said, true = parts.model(x) > 0, mask > 0
                both, either = both + (said & true).sum().item(), either + (said | true).sum().item()
        log(epoch=epoch, val_score=both / either)


CASE = Healthy("images, segmentation", "targets of which nine in ten are zero", lambda: Experiment(build, 9, fit=fit))
