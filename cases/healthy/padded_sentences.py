"""Attention over padded sentences: a mask keeps the padding out, and the sum runs over real words only."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import loaders, sentences
from torchdoctor import Experiment, Parts


class Reader(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(201, 32, padding_idx=0)
        self.attention = nn.MultiheadAttention(32, 4, batch_first=True)
        self.norm = nn.LayerNorm(32)
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3))

    def forward(self, x: Tensor) -> Tensor:
        padding, words = x == 0, self.words(x)
        seen, _ = self.attention(words, words, words, key_padding_mask=padding, need_weights=False)
        real = (~padding)[..., None].float()
        return self.head((self.norm(words + seen) * real).sum(1) / real.sum(1))


def build(seed: int) -> Parts:
    x, y = sentences(1200, length=20)
    lengths = torch.randint(6, 21, (1200, 1), generator=torch.Generator().manual_seed(3))
    x = torch.where(torch.arange(20) < lengths, x + 1, 0)
    torch.manual_seed(seed)
    model = Reader()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, y, seed))


CASE = Healthy("text, classes", "inputs that must be ignored", lambda: Experiment(build, epochs=8))
