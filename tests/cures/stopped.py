"""A cure in a process of its own, to be stopped on the way: python stopped.py FOLDER SECONDS [resume]

SECONDS: that each batch takes longer than it must, so that whoever stops it is in time. Prints the cure as JSON.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.cures.cure import cure
from torchdoctor.experiment import Experiment
from torchdoctor.parts import Parts


@dataclass
class Slowly:
    loader: Any
    seconds: float

    def __iter__(self) -> Iterator[Any]:
        for batch in self.loader:
            time.sleep(self.seconds)
            yield batch

    def __len__(self) -> int:
        return len(self.loader)


def experiment(seconds: float = 0.0) -> Experiment:
    def build(seed: int) -> Parts:
        pixels, digits = load_digits(return_X_y=True)
        x, y = torch.tensor(pixels[:900], dtype=torch.float32) / 16, torch.tensor(digits[:900])
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        train = DataLoader(TensorDataset(x[:500], y[:500]), 25, shuffle=True)
        val = DataLoader(TensorDataset(x[500:], y[500:]), 400)
        return Parts(model, loss, torch.optim.SGD(model.parameters(), lr=1e-5), Slowly(train, seconds), val)

    loss = nn.CrossEntropyLoss()
    return Experiment(build, epochs=10)


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(cure(experiment(float(sys.argv[2])), folder=sys.argv[1], resume="resume" in sys.argv).to_json())
