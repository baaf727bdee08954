"""What a model could answer faster is measured on a copy that answers the same; the model stays as it is."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from torchdoctor.evaluate.answer_times import BATCH, ONE, READY, answer_times
from torchdoctor.judge.finding import Severity
from torchdoctor.judge.judge import judge
from torchdoctor.judge.trace import Trace
from torchdoctor.rules.inference.slow_inference import slow_inference


def with_norms() -> nn.Module:
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2), nn.Flatten(), nn.Linear(144, 3)
    )
    model(torch.randn(20, 1, 8, 8))  # running statistics that are not those of the start
    return model


class Branches(nn.Module):
    """Cannot be followed without values."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.head = nn.BatchNorm1d(5), nn.Linear(5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.norm(x)) if x.sum() > 0 else self.head(x)


def test_one_a_batch_and_a_ready_copy_are_timed_and_nothing_is_changed() -> None:
    model, x = with_norms(), torch.randn(16, 1, 8, 8)
    state = {name: t.clone() for name, t in model.state_dict().items()}
    random = torch.get_rng_state()
    seconds = answer_times(model, (x,))
    assert set(seconds) == {ONE, BATCH, READY} and all(s > 0 for s in seconds.values())
    assert model.training and all(torch.equal(state[n], t) for n, t in model.state_dict().items())
    assert torch.equal(random, torch.get_rng_state()) and any(isinstance(m, nn.Dropout) for m in model.modules())


@pytest.mark.parametrize(
    ("model", "x"),
    [
        (nn.Sequential(nn.Linear(5, 4), nn.ReLU(), nn.Linear(4, 2)), torch.randn(6, 5)),
        (Branches(), torch.randn(6, 5)),
    ],
)
def test_without_anything_to_fold_there_is_no_copy(model: nn.Module, x: Tensor) -> None:
    assert set(answer_times(model, (x,))) == {ONE, BATCH}


def test_a_target_can_be_stated_to_the_rule() -> None:
    trace = Trace.of(answer_time={"one": 0.03}, layer_time={"conv": 0.02, "fc": 0.001})
    assert [f.name for f in judge(trace, [slow_inference])] == []
    (found,) = judge(trace, [slow_inference], options={"slow-inference": {"target": 0.01}})
    assert found.where == ("conv",) and found.severity is Severity.WARNING
