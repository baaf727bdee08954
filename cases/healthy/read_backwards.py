"""Encoder and decoder: six letters are to be written backwards; the decoder is told the letter before."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class Translator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.letters = nn.Embedding(11, 24)  # ten letters and the sign to begin
        self.encoder = nn.GRU(24, 64, batch_first=True)
        self.decoder = nn.GRU(24, 64, batch_first=True)
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor, before: Tensor) -> Tensor:
        """(N, 10, 6) letters given those that came before."""
        state = self.encoder(self.letters(x))[1]
        return self.head(self.decoder(self.letters(before), state)[0]).transpose(1, 2)


def build(seed: int) -> Parts:
    x = torch.randint(10, (3200, 6), generator=torch.Generator().manual_seed(0))
    y = x.flip(1)
    before = torch.cat([torch.full((3200, 1), 10), y[:, :-1]], dim=1)
    torch.manual_seed(seed)
    model = Translator()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    batches = [(x[i : i + 64], before[i : i + 64], y[i : i + 64]) for i in range(0, 3200, 64)]
    return Parts(model, nn.CrossEntropyLoss(), optimizer, batches[:40], batches[40:])


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        for x, before, y in parts.train:
            parts.optimizer.zero_grad()
            parts.loss_fn(parts.model(x, before), y).backward()
            nn.utils.clip_grad_norm_(parts.model.parameters(), 1.0)
            parts.optimizer.step()
        with torch.no_grad():
            right = [(parts.model(x, b).argmax(1) == y).float().mean().item() for x, b, y in parts.val]
        log(epoch=epoch, val_score=sum(right) / len(right))


CASE = Healthy("sequences, translation", "batches always in the same order", lambda: Experiment(build, 9, fit=fit))
