"""A GradScaler that was halved until nothing was left of its scale."""

from __future__ import annotations

import torch
from torch import nn

from torchdoctor.record.watch import watch


def test_a_scale_of_zero_does_not_end_the_watch() -> None:
    torch.manual_seed(0)
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**-148)
    with watch(model, optimizer, tell=False) as watched:
        for _ in range(60):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.float16):
                loss = (1e6 * model(torch.ones(8, 4))).float().square().mean()
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
    assert scaler.get_scale() == 0.0
    assert watched.trace().facts["steps"] == 60
    assert "precision-loss" in [f.name for f in watched.report() if f.alarm]
