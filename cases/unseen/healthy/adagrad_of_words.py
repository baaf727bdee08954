"""Spam by logistic regression over a thousand words, Adagrad at 0.1: most columns are zero in most messages."""

import torch
from torch import nn

from cases.case import Healthy
from cases.data import loaders
from cases.records import messages, numbered
from torchdoctor import Experiment, Parts


def bag():
    texts, spam = messages()
    x = torch.zeros(len(texts), 1002)
    for row, tokens in zip(x, numbered(texts, 1000)):
        row[tokens] = 1
    return x, spam[:, None].float()


def build(seed):
    torch.manual_seed(seed)
    model = nn.Linear(1002, 1)
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.1)
    return Parts(model, nn.BCEWithLogitsLoss(), optimizer, *loaders(*bag(), seed, batch_size=64))


CASE = Healthy("text, two classes", "a linear model, a large rate, sparse inputs", lambda: Experiment(build, 6))
