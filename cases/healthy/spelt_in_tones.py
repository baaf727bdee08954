"""Tones of any length spell a word of two to four letters; CTC finds which frame is which letter by itself."""

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from cases.case import Healthy
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Listener(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(6, 32, batch_first=True, bidirectional=True)
        self.head = nn.Linear(64, 5)

    def forward(self, x: Tensor) -> Tensor:
        """Logarithms of probabilities (N, 20, 5) of nothing and four letters."""
        return self.head(self.gru(x)[0]).log_softmax(2)


def spelt(output: Tensor, target: Tensor) -> Tensor:
    """target: (N, 4) letters 1..4, zeros behind the end."""
    frames = torch.full((len(output),), output.shape[1])
    return nn.functional.ctc_loss(output.transpose(0, 1), target, frames, (target > 0).sum(1), zero_infinity=True)


def recordings(n: int) -> tuple[Tensor, Tensor]:
    numbers = torch.Generator().manual_seed(11)
    tones = torch.randn(5, 6, generator=numbers)
    lengths = torch.randint(2, 5, (n, 1), generator=numbers)
    y = torch.randint(1, 5, (n, 4), generator=numbers) * (torch.arange(4) < lengths)
    x = torch.zeros(n, 20, 6)
    for row, word in zip(x, y):
        at = 0
        for letter in word[word > 0]:
            at += int(torch.randint(1, 3, (1,), generator=numbers))
            held = int(torch.randint(1, 4, (1,), generator=numbers))
            row[at : at + held] = tones[letter]
            at += held
    return x + 0.2 * torch.randn(x.shape, generator=numbers), y


def build(seed: int) -> Parts:
    x, y = recordings(800)
    torch.manual_seed(seed)
    model = Listener()
    shuffling = torch.Generator().manual_seed(seed)
    train = DataLoader(TensorDataset(x[:600], y[:600]), 32, shuffle=True, generator=shuffling)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    return Parts(model, spelt, optimizer, train, DataLoader(TensorDataset(x[600:], y[600:]), 200))


def score(model: nn.Module, loader: object) -> float:
    """Share of words that are read without a mistake."""
    right = [read(row) == word[word > 0].tolist() for x, y in loader for row, word in zip(model(x).argmax(2), y)]
    return sum(right) / len(right)


def read(frames: Tensor) -> list[int]:
    return [int(k) for k in frames.unique_consecutive() if k > 0]


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for x, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x), y).backward()
            parts.optimizer.step()
        with torch.no_grad():
            log(epoch=epoch, val_score=score(parts.model, parts.val))


CASE = Healthy(
    "sequences, transcription",
    "a plateau, targets shorter than outputs",
    lambda: Experiment(build, 10, fit=fit, score=score),
)
