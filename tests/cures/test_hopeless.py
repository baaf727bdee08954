"""Where nothing can be learnt a cure is refused, with the evidence; where something can, it is not."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from sklearn.datasets import load_diabetes, load_digits
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.cures.arm import Length, Outcome, trained
from torchdoctor.cures.cure import cure
from torchdoctor.cures.effect import Ruler
from torchdoctor.cures.exchanged import Exchanged
from torchdoctor.cures.hopeless import Doubts, as_well, beyond_help, looked_at, with_doubts
from torchdoctor.cures.verdict import without_search
from torchdoctor.experiment import Experiment
from torchdoctor.judge.finding import Finding, Remedy, Severity
from torchdoctor.judge.report import Report
from torchdoctor.parts import Parts

LABELS = Finding("They say nothing.", name="corrupted-labels", severity=Severity.WARNING)
STALLED = Finding(
    "It stands still.", name="stalled-loss", kind="symptom", severity=Severity.WARNING, fixes=(Remedy("use-adam"),)
)


def digits(permuted: bool = False, noise: bool = False, samples: int = 1797) -> tuple[Tensor, Tensor]:
    pixels, classes = load_digits(return_X_y=True)
    x, y = torch.tensor(pixels[:samples], dtype=torch.float32) / 16, torch.tensor(classes[:samples])
    random = torch.Generator().manual_seed(3)
    y = y[torch.randperm(len(y), generator=random)] if permuted else y
    return (torch.rand(x.shape, generator=random) if noise else x), y


def diabetes(permuted: bool) -> tuple[Tensor, Tensor]:
    x, y = load_diabetes(return_X_y=True)
    y = torch.tensor(y, dtype=torch.float32)[:, None] / 100
    y = y[torch.randperm(len(y), generator=torch.Generator().manual_seed(3))] if permuted else y
    return torch.tensor(x, dtype=torch.float32).repeat(3, 1), y.repeat(3, 1)


def parts(data: tuple[Tensor, Tensor], seed: int = 0, lr: float = 0.05) -> Parts:
    x, y = data
    cut = int(0.8 * len(x))
    torch.manual_seed(seed)
    outputs, loss = (1, nn.MSELoss()) if y.is_floating_point() else (10, nn.CrossEntropyLoss())
    model = nn.Sequential(nn.Linear(x.shape[1], 32), nn.ReLU(), nn.Linear(32, outputs))
    train = DataLoader(TensorDataset(x[:cut], y[:cut]), 50, shuffle=True)
    val = DataLoader(TensorDataset(x[cut:], y[cut:]), 500)
    return Parts(model, loss, torch.optim.SGD(model.parameters(), lr=lr), train, val)


@pytest.mark.parametrize(
    ("data", "causes"),
    [
        (digits(), []),
        (digits(permuted=True), ["corrupted-labels"]),
        (digits(noise=True), ["corrupted-labels"]),
        (digits(samples=28), ["too-few-samples"]),
    ],
    ids=["digits", "labels of other samples", "inputs that say nothing", "a handful"],
)
def test_the_data_say_by_themselves_whether_there_is_anything_to_learn(data: Any, causes: list[str]) -> None:
    assert [f.name for f in beyond_help(looked_at(parts(data), 0, with_models=True))] == causes


def test_amounts_in_the_wrong_order_are_beyond_help_and_in_the_right_one_are_not() -> None:
    wrong, right = (looked_at(parts(diabetes(permuted)), 0, with_models=True) for permuted in (True, False))

    assert right.value("baseline_score") > right.value("permuted_score")
    assert beyond_help(right) == ()
    assert wrong.value("prior_score") == 0.0


def test_looking_at_the_data_leaves_random_numbers_where_they_were() -> None:
    made, before = parts(digits()), torch.get_rng_state()
    looked_at(made, 0, with_models=False)

    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    "batch", [([torch.zeros(4, 2)] * 2, torch.zeros(4)), ((torch.zeros(4, 2),), torch.tensor(1.0))]
)
def test_what_is_no_table_of_samples_is_not_judged(batch: Any) -> None:
    inputs, target = batch
    made = parts(digits())
    odd = Parts(made.model, made.loss_fn, made.optimizer, [(*inputs, target)])

    assert not looked_at(odd, 0, with_models=True).data


def test_exchanged_labels_keep_their_number_and_lose_their_samples() -> None:
    x, y = digits()
    torch.manual_seed(0)
    loader = DataLoader(TensorDataset(x, y), 100)
    got = list(Exchanged(loader))

    assert len(Exchanged(loader)) == len(loader) == len(got)
    assert all(torch.equal(a.sort().values, b.sort().values) for (_, a), (_, b) in zip(got, loader))
    assert torch.equal(torch.cat([a for a, _ in got]), x)
    assert 0.05 < (torch.cat([b for _, b in got]) == y).float().mean() < 0.2


def test_a_sound_network_learns_nothing_from_exchanged_labels_and_the_same_otherwise() -> None:
    sound = Experiment(lambda seed: parts(digits(), seed), epochs=6)
    true, exchanged = (trained(sound, 0, Length(6), exchanged=e) for e in (False, True))

    assert true.score > 0.8 and exchanged.score < 0.3
    assert true.drawn == exchanged.drawn
    ruler = Ruler(360, chance=0.1)
    assert as_well(ruler, true.score, exchanged.score) == ""
    assert "between samples, the network scores 0.090; on the true ones 0.110" in as_well(ruler, 0.11, 0.09)


def test_a_doubt_of_the_data_refuses_where_nothing_can_be_tried_and_waits_where_something_can() -> None:
    ruler, first = Ruler(360, chance=0.1), Outcome(0.1, 10, 100, 1, 1.0)
    alone = with_doubts(Report(()), (LABELS,))
    beside = with_doubts(Report((STALLED,)), (LABELS,))
    doubts = Doubts((LABELS,), "Exchanged labels do as well.")

    assert without_search(alone, first, ruler, doubts) == (
        "refused",
        "No change of settings helps against corrupted-labels: They say nothing. Exchanged labels do as well.",
    )
    assert [f.name for f in beside] == ["corrupted-labels", "stalled-loss"]
    assert without_search(beside, first, ruler, doubts) is None


@pytest.mark.slow
@pytest.mark.parametrize("data", [digits(permuted=True), digits(noise=True)], ids=["labels", "inputs"])
def test_a_cure_of_what_cannot_be_learnt_is_refused_with_both_witnesses(data: Any) -> None:
    found = cure(Experiment(lambda seed: parts(data, seed), epochs=6), budget="1x")

    assert (found.verdict, found.fix) == ("refused", ())
    assert "corrupted-labels" in {f.name for f in found.report.causes}
    assert "reached by permuted labels" in found.reason
    assert "exchanged between samples" in found.reason
    assert found.experiment is found.original
