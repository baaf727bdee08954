"""Which layers could be one, and which only look as if they could."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from judging import judged, names
from measuring import measured
from programs import convolutions, mlp, recurrent, split, text
from torch import Tensor, nn

from torchdoctor.fixes.fix import resolve
from torchdoctor.judge.finding import Remedy
from torchdoctor.parts import Parts
from torchdoctor.probes.linear_links import linear_links
from torchdoctor.rules.model.missing_hidden_activation import missing_hidden_activation


def table(*layers: nn.Module) -> Parts:
    torch.manual_seed(0)
    model = nn.Sequential(*layers)
    x = torch.randn(64, 6)
    return split(model, nn.MSELoss(), torch.optim.SGD(model.parameters(), 0.1), x, x[:, :1])


def links(parts: Parts) -> Any:
    return measured(linear_links, parts)[1]["linear_links"]


def test_healthy_nets_have_none() -> None:
    for build in (mlp, convolutions, recurrent, text):
        assert links(build()) == [], build.__name__


def test_layers_with_nothing_or_only_a_norm_or_dropout_between_them_are_named() -> None:
    assert links(table(nn.Linear(6, 8), nn.Linear(8, 1))) == [["0", "1"]]
    between = (nn.BatchNorm1d(8), nn.Dropout(0.5))
    values, facts = measured(linear_links, table(nn.Linear(6, 8), *between, nn.Linear(8, 4), nn.Linear(4, 1)))
    assert facts["linear_links"] == [["0", "3"], ["3", "4"]] and facts["linear_throughout"]
    assert values["linear_links", ""] == values["dense_links", ""] == 2


def test_a_sigmoid_behind_the_last_layer_bends_no_border() -> None:
    for last in (nn.Sigmoid(), nn.LogSoftmax(1)):
        assert measured(linear_links, table(nn.Linear(6, 8), nn.Linear(8, 2), last))[1]["linear_throughout"]
    bent = table(nn.Linear(6, 8), nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2), nn.Sigmoid())
    assert not measured(linear_links, bent)[1]["linear_throughout"]


@pytest.mark.parametrize("bend", [nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.LayerNorm(8), nn.Hardtanh(), nn.Softsign()])
def test_what_bends_is_seen_whatever_it_is_called(bend: nn.Module) -> None:
    assert links(table(nn.Linear(6, 8), bend, nn.Linear(8, 1))) == []


def test_a_relu_that_is_always_on_is_a_relu_all_the_same() -> None:
    parts = table(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 1))
    nn.init.constant_(parts.model[0].bias, 100.0)
    assert links(parts) == []


def test_a_middle_that_is_narrower_than_both_ends_is_meant() -> None:
    assert links(table(nn.Linear(6, 2), nn.Linear(2, 6), nn.ReLU(), nn.Linear(6, 1))) == []


class Forked(nn.Module):
    """What the first layer gives goes on by two ways."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(6, 8), nn.Linear(8, 1)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.first(x)
        return self.second(hidden) + hidden.square().mean(1, keepdim=True)


def test_a_layer_that_something_else_reads_as_well_does_work_of_its_own() -> None:
    assert links(table(Forked())) == []


def test_numbers_that_are_not_finite_prove_nothing() -> None:
    parts = table(nn.Linear(6, 8), nn.Linear(8, 1))
    parts.train.dataset.tensors[0].fill_(float("nan"))
    assert links(parts) == []


def test_one_activation_of_several_is_a_hint_and_none_at_all_an_alarm() -> None:
    assert names(judged(table(nn.Linear(6, 8), nn.Linear(8, 1)), [linear_links], missing_hidden_activation)) != []
    partly = judged(
        table(nn.Linear(6, 8), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1)), [linear_links], missing_hidden_activation
    )
    assert names(partly) == [] and [f.where for f in partly] == [("0", "1")]


def test_the_fix_bends_every_such_place_and_no_other() -> None:
    parts = table(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 8), nn.Linear(8, 1))
    cured = resolve(Remedy("add-hidden-activation")).apply(parts)
    assert links(cured) == []
    assert sum(isinstance(m, nn.ReLU) for m in cured.model.modules()) == 2
    assert not any(isinstance(m, nn.ReLU) for m in parts.model.modules())
