"""CutMix (Yun 2019): a window of another picture is pasted in and the label becomes a share of each."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Healthy
from cases.data import mnist
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


def pasted(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """y (N,) -> shares (N, 10)."""
    shares = nn.functional.one_hot(y, 10).float()
    other = torch.randperm(len(x))
    side = int(torch.randint(6, 18, ()))
    top, left = (int(torch.randint(0, 28 - side, ())) for _ in range(2))
    x = x.clone()
    x[:, :, top : top + side, left : left + side] = x[other, :, top : top + side, left : left + side]
    kept = 1 - side**2 / 784
    return x, kept * shares + (1 - kept) * shares[other]


def build(seed: int) -> Parts:
    x, y = mnist(2000, "fashion_mnist")
    x = (x - 73) / 90
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 32, 3, stride=2),
        nn.BatchNorm2d(32), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 25, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4)
    shuffling = torch.Generator().manual_seed(seed)
    train = DataLoader(TensorDataset(x[:1500], y[:1500]), 50, shuffle=True, generator=shuffling)
    val = DataLoader(TensorDataset(x[1500:], y[1500:]), 250)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 16)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, train, val, scheduler=schedule)


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        for x, y in parts.train:
            mixed, shares = pasted(x, y)
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(mixed), shares).backward()
            parts.optimizer.step()
        parts.scheduler.step()
        parts.model.eval()
        with torch.no_grad():
            right = torch.cat([parts.model(x).argmax(1) == y for x, y in parts.val])
        log(epoch=epoch, val_score=right.float().mean().item())


CASE = Healthy("images, classes", "a training loss far above the other", lambda: Experiment(build, 16, fit=fit))
