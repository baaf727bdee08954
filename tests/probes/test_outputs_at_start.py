from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from judging import judged, names, traced
from torch import Tensor, nn

from torchdoctor.parts import Parts
from torchdoctor.probes.outputs_at_start import outputs_at_start
from torchdoctor.rules.loss.broadcast_loss import broadcast_loss

N = 64
X = torch.randn(N, 8, generator=torch.Generator().manual_seed(0))
REAL = X[:, 0] * 2 + 1
CLASSES = torch.arange(N) % 4


def program(width: int, loss_fn: Callable[[Tensor, Tensor], Tensor], target: Tensor, *end: nn.Module) -> Parts:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, width), *end)
    return Parts(model, loss_fn, torch.optim.SGD(model.parameters(), 0.1), [(X, target)])


@settings(max_examples=5, deadline=None)
@given(counts=st.lists(st.integers(1, 20), min_size=2, max_size=6))
def test_the_best_constant_for_classes_scores_their_entropy(counts: list[int]) -> None:
    y = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    x, shares = torch.randn(len(y), 8), torch.tensor(counts) / len(y)
    model = nn.Linear(8, len(counts))
    parts = Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.1), [(x, y)])
    entropy = float(-(shares * shares.log()).sum())
    assert traced(parts, outputs_at_start).value("prior_loss") == pytest.approx(entropy, rel=1e-3)


@settings(max_examples=5, deadline=None)
@given(shift=st.floats(-1e5, 1e5), scale=st.floats(1e-3, 1e3))
def test_the_best_constant_for_squared_error_scores_the_variance(shift: float, scale: float) -> None:
    target = (shift + scale * REAL)[:, None]
    found = traced(program(1, nn.MSELoss(), target), outputs_at_start).value("prior_loss")
    # A constant can only be as near to a far mean as float32 and the walk allow.
    assert found == pytest.approx(float(target.var(correction=0)), rel=0.05, abs=(1e-3 * shift) ** 2)


def test_a_sum_doubles_with_the_batch_and_a_mean_does_not() -> None:
    mean = traced(program(4, nn.CrossEntropyLoss(), CLASSES), outputs_at_start)
    total = traced(program(4, nn.CrossEntropyLoss(reduction="sum"), CLASSES), outputs_at_start)
    assert mean.value("doubled_loss_ratio") == pytest.approx(1)
    assert total.value("doubled_loss_ratio") == pytest.approx(2)


def test_a_loss_that_refuses_the_outputs_starts_at_nan() -> None:
    trace = traced(program(1, nn.BCELoss(), (REAL > 1).float()[:, None]), outputs_at_start)
    assert math.isnan(trace.value("start_loss"))
    assert trace.value("prior_loss") == pytest.approx(math.log(2), abs=0.05)


def test_rows_of_probabilities_sum_to_one() -> None:
    assert traced(program(4, nn.MSELoss(), torch.eye(4)[CLASSES], nn.Softmax(1)), outputs_at_start).value(
        "row_sum_error"
    ) == pytest.approx(0, abs=1e-5)


def test_outputs_that_are_all_alike_have_no_spread() -> None:
    parts = program(4, nn.CrossEntropyLoss(), CLASSES)
    assert traced(parts, outputs_at_start).value("output_sample_spread") > 0.5
    with torch.no_grad():
        parts.model[0].weight.zero_()
    assert traced(parts, outputs_at_start).value("output_sample_spread") == 0


class Squeezed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(x).squeeze(1)


def partial_likelihood(output: Tensor, target: Tensor) -> Tensor:
    """Of a survival model: every sample with an event against all that live longer."""
    time, event = target.unbind(1)
    still = (time[None] >= time[:, None]).float()
    at_risk = (output.exp().T * still).sum(1).log()
    return -((output[:, 0] - at_risk) * event).sum() / event.sum().clamp_min(1)


BROADCASTING: dict[str, Callable[[], Parts]] = {
    "squared error": lambda: program(1, nn.MSELoss(), REAL),
    "absolute error": lambda: program(1, nn.L1Loss(), REAL),
    "Huber": lambda: program(1, nn.HuberLoss(), REAL),
    "whole numbers as targets": lambda: program(1, lambda o, t: ((o - t) ** 2).mean(), CLASSES),
    "the target is the column": lambda: Parts(
        (model := Squeezed()), nn.MSELoss(), torch.optim.SGD(model.parameters(), 0.1), [(X, REAL[:, None])]
    ),
}
PAIRED: dict[str, Callable[[], Parts]] = {
    "equal shapes": lambda: program(1, nn.MSELoss(), REAL[:, None]),
    "classes": lambda: program(4, nn.CrossEntropyLoss(), CLASSES),
    "as many classes as samples": lambda: program(N, nn.CrossEntropyLoss(), torch.arange(N)),
    "a loss that squeezes": lambda: program(1, lambda o, t: F.mse_loss(o.squeeze(1), t), REAL),
    "a loss that squeezes whole numbers": lambda: program(
        1, lambda o, t: F.binary_cross_entropy_with_logits(o.squeeze(1), t.float()), (REAL > 1).long()
    ),
    "risks of those who were still there, by time and event": lambda: program(
        1, partial_likelihood, torch.stack([REAL, (REAL > 0).float()], 1)
    ),
    "several quantiles of one target": lambda: program(3, lambda o, t: (o - t).abs().mean(), REAL[:, None]),
}


@pytest.mark.parametrize("build", BROADCASTING.values(), ids=BROADCASTING.keys())
def test_a_column_against_a_row_is_found(build: Callable[[], Parts]) -> None:
    report = judged(build(), [outputs_at_start], broadcast_loss)
    assert names(report) == ["broadcast-loss"]
    assert f"{N}" in report.findings[0].message


@pytest.mark.parametrize("build", PAIRED.values(), ids=PAIRED.keys())
def test_shapes_that_pair_outputs_with_their_own_targets_are_left_alone(build: Callable[[], Parts]) -> None:
    assert judged(build(), [outputs_at_start], broadcast_loss).findings == ()


def test_of_several_outputs_only_the_first_is_described() -> None:
    class Pair(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(8, 3), nn.Linear(8, 1)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
            return self.a(x), self.b(x)

    model = Pair()
    parts = Parts(
        model, lambda o, t: o[0].square().mean() + F.mse_loss(o[1].squeeze(1), t),
        torch.optim.SGD(model.parameters(), 0.1), [(X, REAL)],
    )  # fmt: skip
    trace = traced(parts, outputs_at_start)
    assert trace.facts["output"]["shape"] == [N, 3] and not trace.has("broadcast")
    assert math.isfinite(trace.value("start_loss"))
