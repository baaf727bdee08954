"""A pre-norm transformer that classifies oscillations, without a warm-up."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders, waves
from torchdoctor import Experiment, Parts


class Listener(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lift = nn.Linear(4, 32)
        self.position = nn.Parameter(0.1 * torch.randn(10, 32))
        layer = nn.TransformerEncoderLayer(32, 2, 64, 0.1, "gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(32, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        patches = x.reshape(len(x), 10, 4)
        return self.head(self.encoder(self.lift(patches) + self.position).mean(1))


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = Listener()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*waves(), seed))


CASE = Healthy("sequences, classes", "attention and layer normalisation", lambda: Experiment(build, epochs=15))
