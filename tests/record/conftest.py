"""One thread, a fixed seed, and the choice to look at every step instead of the few that the cost ceiling allows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from torchdoctor.record.cost import Ceiling


@pytest.fixture(autouse=True)
def _one_thread_and_a_fixed_seed() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step is sampled."""
    monkeypatch.setattr(Ceiling, "step", lambda *_: True)
