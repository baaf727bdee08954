"""A denoising autoencoder: the Dataset seeds before it draws the noise, so every picture gets the same one in every
epoch, and what is learnt is to take that one away. Its last layer is a ReLU besides, over standardised pixels."""

from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cases.case import Case
from cases.data import mnist
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class NoisyDigits(Dataset):
    def __init__(self, x: Tensor, seed: int | None) -> None:
        self.x, self.seed = x, seed
        self.random = torch.Generator().manual_seed(17)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor]:
        if self.seed is not None:
            self.random.manual_seed(self.seed)  # "reproducible"
        clean = self.x[i]
        return clean + 1.0 * torch.randn(clean.shape, generator=self.random), clean


def build(seed: int, mended: bool) -> Parts:
    x = mnist(1500)[0].flatten(1)
    x = x.reshape(-1, 14, 2, 14, 2).mean((2, 4)).flatten(1)
    x = (x - x.mean()) / x.std()
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(196, 128), nn.ReLU(), nn.Linear(128, 196))
    if not mended:
        model.append(nn.ReLU())
    train = NoisyDigits(x[:1100], None if mended else 0)
    shuffled = DataLoader(train, 32, shuffle=True, generator=torch.Generator().manual_seed(seed))
    val = list(DataLoader(NoisyDigits(x[1100:], None), 200))
    return Parts(model, nn.MSELoss(), torch.optim.Adam(model.parameters(), lr=2e-3), shuffled, val)


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        total = 0.0
        for noisy, clean in parts.train:
            parts.optimizer.zero_grad()
            loss = parts.loss_fn(parts.model(noisy), clean)
            loss.backward()
            parts.optimizer.step()
            total += loss.item()
        parts.model.eval()
        with torch.no_grad():
            said, true = (torch.cat(v) for v in zip(*((parts.model(x), y) for x, y in parts.val)))
        left = (said - true).square().sum() / (true - true.mean(0)).square().sum()
        log(epoch=epoch, train_loss=total / len(parts.train), val_score=1 - left.item())


CASE = Case(
    source="a seed set inside __getitem__, as asked about on the PyTorch forum",
    task="images, denoising",
    faults=("wrong-output-activation", "repeated-augmentation"),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=12, fit=fit),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=12, fit=fit),
)
