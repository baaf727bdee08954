"""A plain PyTorch loop that does not learn, and the two lines that say why.

    python examples/own_loop.py

The two added lines are marked. When the block ends the finding is printed, with its fix as code.
"""

import torch
from sklearn.datasets import load_digits
from torch import nn

import torchdoctor as td  # added: 1

torch.manual_seed(0)
digits = load_digits()
x = torch.tensor(digits.data, dtype=torch.float32) / 16
y = torch.tensor(digits.target)

model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)

with td.watch(model, optimizer):  # added: 2
    for epoch in range(20):
        for batch in torch.randperm(len(x)).split(64):
            loss = loss_fn(model(x[batch]), y[batch])
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch + 1:2}: loss {loss.item():.3f}")
