"""Spam by self-attention: a first token asks all words, and padding is hidden from it."""

import math

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import loaders
from cases.readers import messages, numbered, vocabulary
from torchdoctor import Experiment, Parts


class Reader(nn.Module):
    def __init__(self, words: int = 1500, length: int = 32, width: int = 32) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, width, padding_idx=0)
        self.first = nn.Parameter(torch.zeros(1, 1, width))
        place, rate = torch.arange(length + 1)[:, None], torch.exp(torch.arange(0, width, 2) * -math.log(1e4) / width)
        self.register_buffer("places", torch.stack([(place * rate).sin(), (place * rate).cos()], 2).flatten(1))
        layer = nn.TransformerEncoderLayer(width, 4, 64, dropout=0.1, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2))

    def forward(self, x: Tensor) -> Tensor:
        seen = torch.cat([self.first.expand(len(x), -1, -1), self.embed(x)], 1) + self.places
        hidden = torch.cat([torch.zeros(len(x), 1, dtype=torch.bool), x == 0], 1)
        return self.head(self.blocks(seen, src_key_padding_mask=hidden)[:, 0])


def build(seed: int) -> Parts:
    texts, y = messages(2400)
    x = numbered(texts, vocabulary(texts, 1500), 32)
    torch.manual_seed(seed)
    model = Reader()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    warm = torch.optim.lr_scheduler.LinearLR(optimizer, 0.01, total_iters=1)
    cool = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 7)
    schedule = torch.optim.lr_scheduler.SequentialLR(optimizer, [warm, cool], [1])
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(x, y, seed), scheduler=schedule)


CASE = Healthy("text, classes", "most of a row is padding; a first token of zeros", lambda: Experiment(build, 8))
