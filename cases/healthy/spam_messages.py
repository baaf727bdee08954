"""Real text messages as counts of 800 words, nearly all of them zero; one message in eight is spam."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders
from cases.records import messages, numbered
from torchdoctor import Experiment, Parts


def build(seed: int) -> Parts:
    texts, y = messages()
    x = torch.stack([torch.bincount(text, minlength=802).clamp(max=1).float() for text in numbered(texts, 800)])
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(802, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3, weight_decay=1e-5)
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(x, y.float()[:, None], seed, 64))


CASE = Healthy("text, binary", "columns that are zero in most rows", lambda: Experiment(build, epochs=6))
