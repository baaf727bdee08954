"""What measuring the cases has taught the probes: tiny batches, busy machines, counts, constant answers of many."""

from __future__ import annotations

import pytest
import torch
from steady import TICK
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.parts import Parts
from torchdoctor.probes import stopwatch
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.check import examine
from torchdoctor.probes.descent import lowest
from torchdoctor.probes.stopwatch import AT_LEAST, Stopwatch


def parts(x: Tensor, y: Tensor, loss_fn: nn.Module, batch_size: int, outputs: int = 1) -> Parts:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(x.shape[1], 8), nn.ReLU(), nn.Linear(8, outputs))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    return Parts(model, loss_fn, optimizer, DataLoader(TensorDataset(x, y), batch_size))


@pytest.mark.parametrize(
    ("on_processors", "counted"), [(0.001, AT_LEAST * 2.0), (0.5, 0.5), (8.0, 2.0)], ids=["waits", "alone", "threads"]
)
def test_a_stopwatch_hardly_runs_while_the_process_waits(
    on_processors: float, counted: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, own = iter([10.0, 12.0, 12.0]), iter([3.0, 3.0 + on_processors])
    monkeypatch.setattr(stopwatch, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(stopwatch, "process_time", lambda: next(own))
    made = Stopwatch()
    assert made.on_the_clock == 2.0
    assert made.seconds == pytest.approx(counted)


def test_a_search_that_was_cut_short_says_nothing() -> None:
    assert lowest(lambda n: (n[0] - 5).square().sum(), [torch.zeros(2)], patience=10 * TICK) is None
    found = lowest(lambda n: (n[0] - 5).square().sum(), [torch.zeros(2)])
    assert found is not None and found.loss < 1e-3


def test_of_batches_of_one_a_handful_is_kept() -> None:
    x, y = torch.randn(100, 3), torch.randn(100, 1)
    assert len(Bench(parts(x, y, nn.MSELoss(), batch_size=1)).batches) == 32
    assert len(Bench(parts(x, y, nn.MSELoss(), batch_size=50)).batches) == 2


def test_unscaled_inputs_matter_in_batches_of_one_too() -> None:
    torch.manual_seed(1)
    x = 70 + 2 * torch.randn(64, 3)
    gain = examine(parts(x, (x[:, :1] > 70).float(), nn.BCEWithLogitsLoss(), batch_size=1)).value("input_gain")
    assert gain is not None and gain > 3


def test_three_classes_under_a_loss_for_two_are_refused_and_counts_are_not() -> None:
    torch.manual_seed(0)
    x = torch.randn(200, 3)
    classes, counts = torch.randint(0, 3, (200, 1)).float(), torch.poisson(torch.exp(x[:, :1]))
    wrong = examine(parts(x, classes, nn.BCEWithLogitsLoss(), batch_size=50))
    assert wrong.facts["refused_labels"]["labels"] == [2.0]
    for loss_fn in (nn.PoissonNLLLoss(), nn.MSELoss()):
        assert examine(parts(x, counts, loss_fn, batch_size=50)).value("refused_label_share") == 0


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_the_best_constant_is_that_of_all_targets_in_the_size_of_a_batch(reduction: str) -> None:
    torch.manual_seed(0)
    x, y = torch.randn(1000, 3), torch.randn(1000, 1)
    y[:40] *= 0.1  # the first batch alone would promise a loss near zero
    prior = examine(parts(x, y, nn.MSELoss(reduction=reduction), batch_size=40)).value("prior_loss")
    expected = float(y.var(correction=0)) * (1 if reduction == "mean" else 40)
    assert prior == pytest.approx(expected, rel=0.02)
