"""A first convolutional net on clothes; the gradients of all earlier batches stay in .grad."""

import torch
from torch import nn

from cases.case import Case
from cases.data import loaders, mnist
from torchdoctor import Experiment, Parts


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 5, stride=2)
        self.conv2 = nn.Conv2d(8, 16, 3, stride=2)
        self.fc1 = nn.Linear(16 * 5 * 5, 64)
        self.fc2 = nn.Linear(64, 10)

    def forward(self, x):
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.conv2(x))
        x = torch.relu(self.fc1(x.flatten(1)))
        return self.fc2(x)


def build(seed):
    images, labels = mnist(3000, "fashion_mnist")
    torch.manual_seed(seed)
    net = Net()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9)
    return Parts(net, nn.CrossEntropyLoss(), optimizer, *loaders(images / 255 - 0.3, labels, seed))


def program(clearing):
    def fit(parts, log):
        for _ in range(log.epochs):
            running = 0.0
            for data in parts.train:
                inputs, labels = data
                if clearing:
                    parts.optimizer.zero_grad()
                outputs = parts.model(inputs)
                loss = parts.loss_fn(outputs, labels)
                loss.backward()
                parts.optimizer.step()
                running += loss.item()
            log(loss=running / len(parts.train))

    return Experiment(build, epochs=5, fit=fit)


CASE = Case(
    source="a first program after the tutorials; asked on forums every week",
    task="images, classes",
    faults=("missing-zero-grad",),
    faulty=lambda: program(False),
    fixed=lambda: program(True),
)
