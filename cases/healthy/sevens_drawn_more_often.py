"""One seven in fifty digits; a sampler draws the few of them as often as the rest, so samples repeat in an epoch."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from cases.case import Healthy
from cases.data import mnist
from torchdoctor import Experiment, Parts


def build(seed):
    x, y = mnist(6000)
    x, seven = x.flatten(1) / 255, y == 7
    rare, rest = torch.where(seven[:4500])[0][:60], torch.where(~seven[:4500])[0][:2400]
    chosen = torch.cat([rare, rest])
    weights = torch.where(seven[chosen], 0.5 / len(rare), 0.5 / len(rest))
    sampler = WeightedRandomSampler(weights.tolist(), 2000, generator=torch.Generator().manual_seed(seed))
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4, weight_decay=0.05)
    train = DataLoader(TensorDataset(x[chosen], seven[chosen, None].float()), 50, sampler=sampler)
    val = DataLoader(TensorDataset(x[4500:], seven[4500:, None].float()), 500)
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, train, val)


CASE = Healthy("images, two classes", "rare samples come again and again, as they should", lambda: Experiment(build, 8))
