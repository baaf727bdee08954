"""A cure in a process of its own, to be stopped on the way: python stopped.py FOLDER KEPT

Where it has kept so many runs it goes no further, leaves FOLDER.waiting, and waits to be stopped. Prints the cure as
JSON.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.cures.cure import cure
from torchdoctor.experiment import Experiment
from torchdoctor.parts import Parts


def arms(folder: Path) -> list[Path]:
    """The runs that a cure has kept there."""
    return sorted(p for p in folder.glob("[0-9]*") if p.is_dir()) if folder.is_dir() else []


@dataclass
class Waiting:
    """A loader that is read no more once `folder` holds `kept` runs."""

    loader: Any
    folder: Path | None
    kept: int

    def __iter__(self) -> Iterator[Any]:
        while self.folder is not None and len(arms(self.folder)) >= self.kept:
            self.folder.with_suffix(".waiting").touch()
            time.sleep(0.1)
        yield from self.loader

    def __len__(self) -> int:
        return len(self.loader)


def experiment(folder: Path | None = None, kept: int = 0) -> Experiment:
    def build(seed: int) -> Parts:
        pixels, digits = load_digits(return_X_y=True)
        x, y = torch.tensor(pixels[:900], dtype=torch.float32) / 16, torch.tensor(digits[:900])
        torch.manual_seed(seed)
        model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
        train = DataLoader(TensorDataset(x[:500], y[:500]), 25, shuffle=True)
        val = DataLoader(TensorDataset(x[500:], y[500:]), 400)
        return Parts(model, loss, torch.optim.SGD(model.parameters(), lr=1e-5), Waiting(train, folder, kept), val)

    loss = nn.CrossEntropyLoss()
    return Experiment(build, epochs=10)


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(cure(experiment(Path(sys.argv[1]), int(sys.argv[2])), folder=sys.argv[1]).to_json())
