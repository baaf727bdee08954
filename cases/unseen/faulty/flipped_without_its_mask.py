"""Segmentation: pictures are mirrored at random, their masks are not, and the loss is a sum over all pixels."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cases.case import Case, either
from cases.data import mnist
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Masks(Dataset):
    def __init__(self, x: Tensor, augment: bool, both: bool, seed: int) -> None:
        noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(3))
        self.images, self.masks = x / 255 + 0.3 * noise, (x > 100).float()
        self.augment, self.both, self.random = augment, both, torch.Generator().manual_seed(seed)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        image, mask = self.images[i], self.masks[i]
        if self.augment and torch.rand((), generator=self.random) < 0.5:
            image = image.flip(-1)
            mask = mask.flip(-1) if self.both else mask
        return image, mask


def build(seed: int, mended: bool) -> Parts:
    x, _ = mnist(900, "mnist")
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 12, 5, padding=2), nn.ReLU(), nn.Conv2d(12, 12, 5, padding=2), nn.ReLU(), nn.Conv2d(12, 1, 1)
    )
    train = Masks(x[:700], augment=True, both=mended, seed=seed)
    shuffled = DataLoader(train, 16, shuffle=True, generator=torch.Generator().manual_seed(seed))
    loss = nn.BCEWithLogitsLoss(reduction="mean" if mended else "sum")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return Parts(model, loss, optimizer, shuffled, DataLoader(Masks(x[700:], False, True, 0), 100))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, mask in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), mask).backward()
            parts.optimizer.step()
        parts.model.eval()
        with torch.no_grad():
            said, true = (torch.cat(v) for v in zip(*((parts.model(x) > 0, m > 0) for x, m in parts.val)))
        log(epoch=epoch, val_score=((said & true).sum() / (said | true).sum()).item())


CASE = Case(
    source="transforms of image and mask drawn apart, as asked about on the PyTorch forum",
    task="images, segmentation",
    faults=(either("summed-loss", "high-learning-rate"), either("corrupted-labels", "destructive-augmentation")),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=6, fit=fit),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=6, fit=fit),
)
