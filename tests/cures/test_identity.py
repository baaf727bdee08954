"""Two experiments are told apart by what they build, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import nn

from torchdoctor.cures.identity import identity
from torchdoctor.parts import Parts


def parts(seed: int = 0, lr: float = 0.1) -> Parts:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3))
    return Parts(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), lr=lr), [])


def nudged(made: Parts) -> Parts:
    with torch.no_grad():
        made.model[0].bias[0] += 1e-7  # type: ignore[index]
    return made


def counted(made: Parts) -> Parts:
    made.model[1].num_batches_tracked += 1  # type: ignore[index, operator]
    return made


def test_the_same_is_the_same() -> None:
    assert identity(parts(), 3) == identity(parts(), 3)


@pytest.mark.parametrize(
    "other",
    [
        lambda: parts(seed=1),
        lambda: parts(lr=0.2),
        lambda: nudged(parts()),
        lambda: counted(parts()),
        lambda: replace(parts(), optimizer=torch.optim.Adam(parts().model.parameters(), lr=0.1)),
    ],
    ids=["weights", "a rate", "the last bit", "a buffer", "an optimizer"],
)
def test_what_differs_in_anything_that_a_run_begins_with_is_another(other: Callable[[], Parts]) -> None:
    assert identity(other(), 3) != identity(parts(), 3)


def test_another_length_is_another_experiment() -> None:
    assert identity(parts(), 3) != identity(parts(), 4)


def test_weights_of_every_kind_have_bits() -> None:
    odd = nn.Module()
    for name, value in (("flag", torch.tensor(True)), ("none", torch.empty(0)), ("small", torch.ones(2).bfloat16())):
        odd.register_buffer(name, value)
    odd.weight = nn.Parameter(torch.ones(2, dtype=torch.complex64))
    made = Parts(odd, nn.MSELoss(), torch.optim.SGD(odd.parameters(), lr=0.1), [])

    assert len(identity(made, 1)) == 16
