"""Cure a Lightning module: Lightning trains every arm of every race, and the cured module afterwards.

    pip install 'torchdoctor[neighbours]'
    python examples/lightning_module.py

The digits come in as they are stored, 0 to 16, and the rate is a hundred times too high.
"""

import logging

import lightning
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import torchdoctor as td
from torchdoctor.experiment import Log


class Reader(lightning.LightningModule):
    """A module as Lightning wants it."""

    def __init__(self, lr: float = 1.0) -> None:
        super().__init__()
        self.lr = lr
        self.layers = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
        self.loss_fn = nn.CrossEntropyLoss()

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        x, y = batch
        return self.loss_fn(self(x), y)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=self.lr, momentum=0.9)


class Step(lightning.LightningModule):
    """The same step, of whatever parts it is given: a cure may put something in front of the module, or behind it."""

    def __init__(self, parts: td.Parts, log: Log) -> None:
        super().__init__()
        self.parts, self.keep = parts, log
        self.module = parts.model  # so that Lightning finds its parameters

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        x, y = batch
        return self.parts.loss_fn(self.module(x), y)

    def on_train_epoch_end(self) -> None:
        self.keep(epoch=self.current_epoch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return self.parts.optimizer


def build(seed: int) -> td.Parts:
    torch.manual_seed(seed)
    digits = load_digits()
    x, y = torch.tensor(digits.data, dtype=torch.float32), torch.tensor(digits.target)
    module = Reader()
    train = DataLoader(TensorDataset(x[:1300], y[:1300]), batch_size=50, shuffle=True)
    val = DataLoader(TensorDataset(x[1300:], y[1300:]), batch_size=500)
    return td.Parts(module, module.loss_fn, module.configure_optimizers(), train, val)


def fit(parts: td.Parts, log: Log) -> None:
    trainer = lightning.Trainer(
        max_epochs=log.epochs, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(Step(parts, log), parts.train)


if __name__ == "__main__":
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)  # or it says for each arm which devices there are
    torch.set_num_threads(2)
    cure = td.cure(td.Experiment(build, epochs=8, fit=fit))
    cure.show()
    print(cure.code)
