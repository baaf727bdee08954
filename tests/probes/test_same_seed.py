"""What the same seed does not bring back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from judging import judged, names
from programs import HEALTHY, Program
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from torchdoctor.parts import Parts
from torchdoctor.probes.same_seed import same_seed
from torchdoctor.rules.step.non_deterministic_run import non_deterministic_run


class Entropy(nn.Module):
    """Noise from a generator that the system seeds anew in each pass."""

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.tensor(np.random.default_rng().normal(size=x.shape)).float()


class Shaken(Dataset[tuple[Tensor, int]]):
    def __len__(self) -> int:
        return 16

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return torch.tensor(np.random.default_rng().normal(size=3)).float(), index % 2


def parts(data: Dataset[tuple[Tensor, int]], *layers: nn.Module) -> Parts:
    model = nn.Sequential(*layers, nn.Linear(3, 2))
    loader = DataLoader(data, 4, shuffle=True)
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.1), loader)


def said(given: Parts) -> list[str]:
    report = judged(given, [same_seed], non_deterministic_run)
    return [str(f.evidence) for f in report if f.alarm]


def test_noise_that_no_seed_reaches_is_found_in_model_and_data() -> None:
    still = TensorDataset(torch.randn(16, 3), torch.arange(16) % 2)
    assert said(parts(still, nn.Dropout(0.5))) == []
    assert len(said(parts(still, Entropy()))) == 1 and "gradient" in said(parts(still, Entropy()))[0]
    assert len(said(parts(Shaken()))) == 1 and "batch" in said(parts(Shaken()))[0]


@pytest.mark.parametrize("program", HEALTHY.values(), ids=HEALTHY)
def test_healthy_programs_repeat_themselves(program: Program) -> None:
    torch.manual_seed(0)
    assert names(judged(program(), [same_seed], non_deterministic_run)) == []
