"""A causal transformer that predicts the next letter; its loss ends far above zero, as it must."""

import torch
from torch import Tensor, nn

from cases.case import Healthy
from cases.data import letters
from torchdoctor import Experiment, Parts


class Writer(nn.Module):
    def __init__(self, letters: int, length: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(letters, 48)
        self.position = nn.Parameter(0.02 * torch.randn(length, 48))
        layer = nn.TransformerEncoderLayer(48, 4, 96, 0.0, "gelu", batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm, self.head = nn.LayerNorm(48), nn.Linear(48, letters)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(length))

    def forward(self, x: Tensor) -> Tensor:
        x = self.body(self.embedding(x) + self.position, mask=self.mask, is_causal=True)
        return self.head(self.norm(x)).transpose(1, 2)


def build(seed: int) -> Parts:
    text, count = letters()
    windows = text.unfold(0, 33, 12)
    x, y = windows[:, :-1], windows[:, 1:]
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    torch.manual_seed(seed)
    model = Writer(count, 32)
    train = [(x[rows], y[rows]) for rows in order[:1024].split(32)]
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.99), weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 14)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, train, [(x[order[1024:]], y[order[1024:]])], schedule)


CASE = Healthy("text, language model", "a loss that stays high", lambda: Experiment(build, epochs=14))
