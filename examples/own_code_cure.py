"""Prove and cure a fault in code of your own: no recipe, no change to the model or the data.

    python examples/own_code_cure.py

`build(seed)` makes everything a training run needs; torchdoctor does the rest: it examines the parts, trains once while
watching, and races each suspected cause against the unchanged code.
"""

import torch
from sklearn.datasets import load_breast_cancer
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

import torchdoctor as td


class Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.hidden = nn.Linear(30, 32)
        self.output = nn.Linear(32, 2)
        self.softmax = nn.Softmax(dim=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.softmax(self.output(torch.relu(self.hidden(x))))


def build(seed: int) -> td.Parts:
    torch.manual_seed(seed)
    table = load_breast_cancer()
    x, y = torch.tensor(table.data, dtype=torch.float32), torch.tensor(table.target)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    train, val = order[:400], order[400:]
    model = Classifier()
    return td.Parts(
        model=model,
        loss_fn=nn.CrossEntropyLoss(),
        optimizer=torch.optim.SGD(model.parameters(), lr=0.01),
        train=DataLoader(
            TensorDataset(x[train], y[train]),
            batch_size=32,
            shuffle=True,
            generator=torch.Generator().manual_seed(seed),
        ),
        val=DataLoader(TensorDataset(x[val], y[val]), batch_size=169),
    )


if __name__ == "__main__":
    torch.set_num_threads(2)
    cure = td.cure(td.Experiment(build, epochs=15))
    cure.show()
    parts = cure.parts(seed=0)  # model, loss, optimizer and data with the fixes in place, ready for a loop
    print(parts.model)
