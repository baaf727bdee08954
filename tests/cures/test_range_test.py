"""The range test finds the rates between which a network learns, and leaves it as it was."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from sklearn.datasets import load_iris
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.cures.budget import Budget
from torchdoctor.cures.candidates import Candidate
from torchdoctor.cures.meeting import Meeting
from torchdoctor.cures.range_test import interval, swept
from torchdoctor.cures.screening import Screening
from torchdoctor.cures.track import Track
from torchdoctor.experiment import Experiment
from torchdoctor.judge.finding import Remedy
from torchdoctor.judge.report import Report
from torchdoctor.parts import Parts

STEEP = 40.0  # the curvature of a parabola, on which plain descent diverges from a rate of 2 / STEEP on


class Bowl(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.at = nn.Parameter(torch.ones(3))

    def forward(self, x: Tensor) -> Tensor:
        return self.at.expand(len(x), 3)


def bowl(lr: float) -> Parts:
    model = Bowl()
    batches = [(torch.zeros(4, 1), torch.zeros(4, 3))] * 5
    return Parts(
        model, lambda out, y: STEEP / 2 * (out - y)[0].square().sum(), torch.optim.SGD(model.parameters(), lr), batches
    )


def iris(seed: int, lr: float = 1e-6) -> Parts:
    table = load_iris()
    x, y = torch.tensor(table.data, dtype=torch.float32), torch.tensor(table.target)
    order = torch.randperm(150, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 3))
    train = DataLoader(TensorDataset(x[order[:100]], y[order[:100]]), 10, shuffle=True)
    val = DataLoader(TensorDataset(x[order[100:]], y[order[100:]]), 50)
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=lr), train, val)


@pytest.mark.parametrize("planned", [1e-4, 0.025, 1.0])
def test_the_rate_at_which_a_parabola_diverges_is_the_upper_end_whatever_was_planned(planned: float) -> None:
    found = interval(swept(bowl(planned), 100))

    assert found is not None and found.low < found.high
    assert 0.2 < planned * found.high / (2 / STEEP) < 4
    assert planned * found.raced < 2 / STEEP


def test_what_is_swept_stays_as_it_was() -> None:
    parts = iris(0)
    weights, numbers = [p.clone() for p in parts.model.parameters()], torch.get_rng_state()
    swept(parts, 60)

    assert all(torch.equal(a, b) for a, b in zip(weights, parts.model.parameters()))
    assert parts.optimizer.param_groups[0]["lr"] == 1e-6 and not parts.optimizer.state
    assert parts.model.training and torch.equal(torch.get_rng_state(), numbers)


def test_the_same_sweep_comes_out_the_same() -> None:
    one, two = (swept(iris(0), 40) for _ in range(2))

    assert one["range_loss"].values.tolist() == two["range_loss"].values.tolist()
    assert one.facts["samples"] == 10 * len(one["range_loss"])


def test_of_a_network_that_cannot_learn_or_cannot_be_stepped_it_says_nothing() -> None:
    still = iris(0)
    for p in still.model.parameters():
        p.requires_grad_(False)
    still.model[3].bias.requires_grad_(True)  # type: ignore[index, union-attr]
    blind = replace(still, loss_fn=lambda out, y: 0 * out.sum() + 1)
    closure = replace(iris(0), optimizer=torch.optim.LBFGS(iris(0).model.parameters()))

    assert interval(swept(blind, 60)) is None
    assert interval(swept(closure, 60)) is None


def test_a_rate_far_from_what_the_finding_names_is_found_and_borne_out_by_a_short_run() -> None:
    """Ten times a millionth shows nothing, and nor does a hundred times; the sweep sees where the loss falls."""
    track = Track(Experiment(iris, epochs=200), Budget(3), 3, None)
    track.meet()
    track.first_run()
    rate = Candidate(Remedy("set-learning-rate", {"factor": 10.0}), ("low-learning-rate",), tuning=True)
    chosen, share = Screening(Meeting(track), lambda given, share: Report(())).screened((rate,), 0.15)

    assert 1e3 <= chosen[0].remedy.options["factor"] <= 1e6
    assert share == 0.15 and track.purse.runs < 1


def test_it_is_left_out_where_it_would_cost_more_than_a_twentieth_of_a_run() -> None:
    track = Track(Experiment(iris, epochs=8), Budget(3), 3, None)
    track.meet()
    track.first_run()

    assert track.rates(()) is None
    assert track.purse.runs == 0
