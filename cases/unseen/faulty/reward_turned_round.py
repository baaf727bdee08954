"""Spam: the log likelihood is to be made as large as can be, and its minus sign was lost."""

import torch
import torch.nn.functional as F
from torch import nn

from cases.case import Case, either
from cases.data import loaders
from cases.records import messages
from torchdoctor import Experiment, Parts

TELLING = [
    "free",
    "call",
    "txt",
    "mobile",
    "!",
    "?",
    ".",
    "you",
    "i",
    "to",
    "text",
    "stop",
    "claim",
    "prize",
    "www",
    "won",
    "reply",
    "now",
    "$",
    "my",
    "me",
    "is",
    "in",
    "ok",
    "go",
    "just",
]


def counts():
    texts, spam = messages()
    place = {word: i for i, word in enumerate(TELLING)}
    x = torch.zeros(3000, len(TELLING) + 1)
    for row, words in zip(x, texts):
        row[-1] = len(words) / 20
        for word in words:
            if word in place:
                row[place[word]] += 1
    return x.log1p(), spam[:3000]


def program(sign):
    def likelihood(scores, spam):
        picked = F.log_softmax(scores, dim=1).gather(1, spam[:, None])
        return sign * picked.mean()

    def build(seed):
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(len(TELLING) + 1, 20), nn.ReLU(), nn.Linear(20, 2))
        return Parts(model, likelihood, torch.optim.Adam(model.parameters(), lr=3e-3), *loaders(*counts(), seed))

    return Experiment(build, epochs=8)


CASE = Case(
    source="a loss by hand, from a formula that maximises",
    task="text, two classes",
    faults=(either("wrong-loss", "negative-learning-rate"),),
    faulty=lambda: program(1.0),
    fixed=lambda: program(-1.0),
)
