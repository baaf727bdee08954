"""A Dice loss of one's own that is fed the net's raw scores instead of probabilities."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class DoubleConv(nn.Sequential):
    def __init__(self, a: int, b: int) -> None:
        super().__init__(nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.Conv2d(b, b, 3, padding=1), nn.ReLU())


class UNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.three = DoubleConv(1, 8), DoubleConv(8, 16), DoubleConv(24, 8)
        self.out = nn.Conv2d(8, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        a = self.one(x)
        b = F.interpolate(self.two(F.max_pool2d(a, 2)), scale_factor=2)
        return self.out(self.three(torch.cat([a, b], 1)))


class DiceLoss(nn.Module):
    def __init__(self, mended: bool) -> None:
        super().__init__()
        self.mended = mended

    def forward(self, pred: Tensor, mask: Tensor) -> Tensor:
        pred = torch.sigmoid(pred) if self.mended else pred
        pred, mask = pred.flatten(1), mask.flatten(1)
        dice = (2 * (pred * mask).sum(1) + 1) / (pred.sum(1) + mask.sum(1) + 1)
        return 1 - dice.mean()


def build(seed: int, mended: bool) -> Parts:
    x, _ = mnist(500)
    noisy = x / 255 + 0.4 * torch.randn(x.shape, generator=torch.Generator().manual_seed(1))
    torch.manual_seed(seed)
    model = UNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    return Parts(model, DiceLoss(mended), optimizer, *loaders(noisy, (x > 127).float(), seed, batch_size=16))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        losses = []
        for x, mask in parts.train:
            parts.optimizer.zero_grad()
            loss = parts.loss_fn(parts.model(x), mask)
            loss.backward()
            parts.optimizer.step()
            losses.append(loss.item())
        parts.model.eval()
        both = either_one = 0.0
        with torch.no_grad():
            for x, mask in parts.val:
                said = torch.sigmoid(parts.model(x)) > 0.5
                both += (said & (mask > 0)).sum().item()
                either_one += (said | (mask > 0)).sum().item()
        log(epoch=epoch, train_loss=sum(losses) / len(losses), val_score=both / max(either_one, 1))


CASE = Case(
    source="PyTorch forum: my Dice loss is negative",
    task="images, segmentation",
    faults=("missing-output-activation",),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=9, fit=fit),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=9, fit=fit),
)
