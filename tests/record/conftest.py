"""One thread, a fixed seed; for those who ask, a look at every step instead of the few that the ceiling allows, or a
clock that the test moves on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from steady import Hand

from torchdoctor.record import clock, guard, taps, watch
from torchdoctor.record.cost import Ceiling


@pytest.fixture(autouse=True)
def _one_thread_and_a_fixed_seed() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    """The clock by which watches measure."""
    made = Hand()
    for module in (clock, guard, taps, watch):
        monkeypatch.setattr(module, "perf_counter", made)
    return made


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step is sampled."""
    monkeypatch.setattr(Ceiling, "step", lambda *_: True)
