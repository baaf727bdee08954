"""Spam by averaged word vectors and the focal loss (Lin et al. 2017), whose values are ten times smaller."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from cases.case import Healthy
from cases.data import loaders
from cases.records import messages, numbered
from torchdoctor import Experiment, Parts


class Vectors(nn.Module):
    def __init__(self):
        super().__init__()
        self.bag = nn.EmbeddingBag(1502, 24, mode="mean", padding_idx=0)
        self.out = nn.Sequential(nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 1))

    def forward(self, tokens):
        return self.out(self.bag(tokens))


def focal(logit, target):
    p = torch.sigmoid(logit)
    missed = torch.where(target > 0.5, 1 - p, p)
    share = torch.where(target > 0.5, 0.75, 0.25)
    return (share * missed**2 * F.binary_cross_entropy_with_logits(logit, target, reduction="none")).mean()


def build(seed):
    texts, spam = messages()
    tokens = pad_sequence([t[:50] for t in numbered(texts, 1500)], batch_first=True)
    torch.manual_seed(seed)
    model = Vectors()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    return Parts(model, focal, optimizer, *loaders(tokens, spam[:, None].float(), seed, batch_size=64))


CASE = Healthy("text, two classes", "a loss of 0.01, one class in seven", lambda: Experiment(build, 6))
