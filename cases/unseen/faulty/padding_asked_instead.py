"""Attention over the words of a message whose padding mask says True for words: torch hides what is True.

The first token asks all others, so all it ever sees is the padding.
"""

from functools import partial

import torch
from torch import Tensor, nn

from cases.case import Case
from cases.data import loaders
from cases.readers import messages, numbered, vocabulary
from torchdoctor import Experiment, Parts

LENGTH = 28


class SpamReader(nn.Module):
    def __init__(self, words: int, mended: bool) -> None:
        super().__init__()
        self.mended = mended
        self.words = nn.Embedding(words, 32, padding_idx=0)
        self.places = nn.Embedding(LENGTH + 2, 32)
        self.ask = nn.Parameter(torch.randn(1, 1, 32) * 0.1)
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)
        self.head = nn.Sequential(nn.LayerNorm(32), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.pad(x, (0, 1))  # never without padding
        words = self.words(x) + self.places(torch.arange(x.shape[1]))
        mask = x == 0 if self.mended else x != 0
        question = self.ask.expand(len(x), -1, -1)
        seen, _ = self.attention(question, words, words, key_padding_mask=mask)
        return self.head(seen[:, 0])


def build(seed: int, mended: bool) -> Parts:
    texts, y = messages(2400)
    x = numbered(texts, vocabulary(texts, 1200), LENGTH)
    torch.manual_seed(seed)
    model = SpamReader(1200, mended)
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters(), lr=2e-3), *loaders(x, y, seed))


CASE = Case(
    source="a mask of the other meaning, as asked about on the PyTorch forum",
    task="text, classes",
    faults=("ignored-input",),
    faulty=lambda: Experiment(partial(build, mended=False), epochs=8),
    fixed=lambda: Experiment(partial(build, mended=True), epochs=8),
    where=("words", "attention"),
)
