"""An LSTM reads on where it stopped: neighbouring pieces of a text in their order, its state handed on but detached."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import letters
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log

ROWS, PIECE = 16, 32


class Speller(nn.Module):
    """forward(x) begins with an empty state; read(x, state) goes on from one."""

    def __init__(self, alphabet: int) -> None:
        super().__init__()
        self.letters = nn.Embedding(alphabet, 24)
        self.memory = nn.LSTM(24, 96, batch_first=True)
        self.out = nn.Linear(96, alphabet)

    def read(self, x: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        seen, state = self.memory(self.letters(x), state)
        return self.out(seen).transpose(1, 2), state

    def forward(self, x: Tensor) -> Tensor:
        return self.read(x, None)[0]


def pieces(text: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Batches of ROWS rows by PIECE letters, each going on where the one before it ended; targets one letter later."""
    wide = (len(text) - 1) // ROWS
    x, y = text[: ROWS * wide].reshape(ROWS, wide), text[1 : ROWS * wide + 1].reshape(ROWS, wide)
    return [(x[:, i : i + PIECE], y[:, i : i + PIECE]) for i in range(0, wide - PIECE + 1, PIECE)]


def build(seed: int) -> Parts:
    text, alphabet = letters()
    cut = int(0.85 * len(text))
    torch.manual_seed(seed)
    model = Speller(alphabet)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, pieces(text[:cut]), pieces(text[cut:]))


def fit(parts: Parts, log: Log) -> None:
    for epoch in range(log.epochs):
        parts.model.train()
        state = None
        for x, y in parts.train:
            if state is not None:
                state = tuple(s.detach() for s in state)
            output, state = parts.model.read(x, state)
            loss = parts.loss_fn(output, y)
            parts.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parts.model.parameters(), 1.0)
            parts.optimizer.step()
        parts.model.eval()
        state, right = None, []
        with torch.no_grad():
            for x, y in parts.val:
                output, state = parts.model.read(x, state)
                right.append((output.argmax(1) == y).float().mean().item())
        log(epoch=epoch, val_score=sum(right) / len(right))


CASE = Healthy("text, next letter", "batches in a fixed order, a detached state", lambda: Experiment(build, 25, fit))
