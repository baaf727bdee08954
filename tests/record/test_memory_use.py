"""Memory that ran out is named with what held it; other errors are not taken for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from torchdoctor.judge.finding import Finding
from torchdoctor.record import memory_use
from torchdoctor.record.watch import watch

BEYOND = 1 << 45  # floats, 128 TB: no machine gives them, and none tries


class Asks(nn.Module):
    """Wants memory beyond all bounds in its `at`-th forward pass."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.calls, self.at = 0, at

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return x + torch.empty(BEYOND).sum() if self.calls == self.at else x


def watched(at: int, error: type[Exception] | None = None) -> tuple[dict[str, Any], list[Finding]]:
    """Facts and findings of a loop that ends in its step number `at` - 1, or in `error`."""
    model = nn.Sequential(nn.Linear(10, 20), Asks(at), nn.Linear(20, 3))
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    watching = watch(model, optimizer, nn.MSELoss(), tell=False)
    with pytest.raises(error or RuntimeError), watching:
        for _ in range(4):
            optimizer.zero_grad()
            model(torch.randn(12, 10)).square().mean().backward()
            optimizer.step()
        raise (error or RuntimeError)("something else")
    return watching.trace().facts, [f for f in watching.report() if f.name == "memory-overrun"]


def test_the_layer_the_step_the_batch_and_what_holds_the_memory_are_named() -> None:
    facts, (found,) = watched(at=3)
    assert found.where == ("1",) and found.steps == (2, 2) and "batches of 12" in found.message
    assert facts["out_of_memory"]["asked"] == 4 * BEYOND
    weights = 4 * (10 * 20 + 20 + 20 * 3 + 3)
    # Adam keeps two numbers a weight, and how many steps it took for each parameter.
    assert facts["memory_parts"] == {"weights": weights, "gradients": weights, "optimizer state": 2 * weights + 4 * 4}
    assert found.evidence["bytes_of_weights"] == weights
    assert [(f.fix, dict(f.options)) for f in found.fixes] == [("set-batch-size", {"batch_size": 3})]


def test_in_the_first_step_too() -> None:
    assert watched(at=1)[1][0].steps == (0, 0)


@pytest.mark.parametrize("error", [RuntimeError, ValueError, KeyboardInterrupt])
def test_other_errors_are_none(error: type[Exception]) -> None:
    facts, found = watched(at=0, error=error)
    assert "out_of_memory" not in facts and found == []


def test_an_error_of_a_gpu_is_understood_by_its_words() -> None:
    error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of ...")
    told = memory_use.out_of_memory(error, nn.Linear(2, 2))
    assert told is not None and told["asked"] == 2.5 * 2**30 and told["module"] == ""
    assert memory_use.out_of_memory(MemoryError(), nn.Linear(2, 2)) is not None


def test_the_limit_is_the_least_that_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    group = tmp_path / "memory.max"
    monkeypatch.setattr(memory_use, "CGROUPS", (group,))
    machine = memory_use.limit(torch.device("cpu"))
    assert machine is not None and machine["of"] == "machine" and machine["bytes"] > 1e8
    for said, of in (("max", "machine"), ("9223372036854771712", "machine"), ("50000000", "container")):
        group.write_text(said)
        limit = memory_use.limit(torch.device("cpu"))
        assert limit is not None and limit["of"] == of
    assert memory_use.limit(torch.device("meta")) is None


def test_tied_weights_count_once_and_frozen_ones_get_no_gradients() -> None:
    model = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    model[1].weight = model[0].weight
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    assert memory_use.parts_of(model, optimizer) == {"weights": 64, "gradients": 64, "optimizer state": 0}
    model.requires_grad_(False)
    assert memory_use.parts_of(model, optimizer)["gradients"] == 0
