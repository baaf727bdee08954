"""Mean teacher (Tarvainen 2017): a copy that no optimizer holds follows slowly and is the one that is judged."""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cases.case import Healthy
from cases.data import digits, loaders
from torchdoctor import Experiment, Parts
from torchdoctor.experiment import Log


class School(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.student = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Dropout(0.2), nn.Linear(96, 10))
        self.teacher = copy.deepcopy(self.student).requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.student(x) if self.training else self.teacher(x)

    @torch.no_grad()
    def follow(self, decay: float) -> None:
        for slow, quick in zip(self.teacher.parameters(), self.student.parameters()):
            slow.lerp_(quick, 1 - decay)


def build(seed: int) -> Parts:
    torch.manual_seed(seed)
    model = School()
    optimizer = torch.optim.Adam(model.student.parameters(), lr=2e-3)
    return Parts(model, nn.CrossEntropyLoss(), optimizer, *loaders(*digits(), seed, batch_size=32))


def fit(parts: Parts, log: Log) -> None:
    school, step = parts.model, 0
    for epoch in range(log.epochs):
        school.train()
        for x, y in parts.train:
            step += 1
            said = school(x + 0.05 * torch.randn_like(x))
            agreement = F.mse_loss(said.softmax(1), school.teacher(x).softmax(1))
            parts.optimizer.zero_grad()
            (parts.loss_fn(said, y) + agreement).backward()
            parts.optimizer.step()
            school.follow(min(0.99, 1 - 1 / (step + 1)))
        school.eval()
        with torch.no_grad():
            right = torch.cat([school(x).argmax(1) == y for x, y in parts.val])
        log(epoch=epoch, val_score=right.float().mean().item())


CASE = Healthy("images, classes", "half of the model has no gradients", lambda: Experiment(build, 25, fit=fit))
