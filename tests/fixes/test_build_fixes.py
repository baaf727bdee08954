"""Fixes of how a network is built: its width, its gaps and its penalty."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from torchdoctor.data.batch import batches_of
from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import resolve
from torchdoctor.fixes.wrapping import Fill
from torchdoctor.judge.finding import Remedy
from torchdoctor.parts import Parts


def parts(model: nn.Module, loss_fn: nn.Module, x: Tensor, y: Tensor) -> Parts:
    batches = [(x[i : i + 20], y[i : i + 20]) for i in range(0, len(x), 20)]
    return Parts(model, loss_fn, torch.optim.SGD(model.parameters(), lr=0.1), batches)


def points(columns: int = 4) -> Tensor:
    return torch.randn(80, columns, generator=torch.Generator().manual_seed(0))


def fixed(name: str, before: Parts) -> Parts:
    return resolve(Remedy(name)).apply(before)


def loss(p: Parts) -> Tensor:
    batch = next(iter(batches_of(p.train, "train")))
    return p.loss_fn(p.model(*batch.inputs), batch.target)


@pytest.mark.parametrize(("outputs", "targets"), [(1, 2), (3, 1)])
def test_a_model_gets_as_many_outputs_as_there_are_targets(outputs: int, targets: int) -> None:
    x = points()
    before = parts(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, outputs)), nn.MSELoss(), x, x[:, :targets])

    after = fixed("match-output-width", before)

    assert after.model(x).shape == (80, targets)
    assert torch.equal(after.model[0].weight, before.model[0].weight)
    assert {id(p) for p in after.model.parameters()} == {id(p) for p in after.optimizer.param_groups[0]["params"]}


def test_a_width_that_fits_already_is_left_alone() -> None:
    x = points()
    with pytest.raises(BadParts, match="one width already"):
        fixed("match-output-width", parts(nn.Linear(4, 2), nn.MSELoss(), x, x[:, :2]))


def test_three_classes_behind_one_unit_get_a_score_each() -> None:
    x = points()
    y = torch.arange(80).remainder(3).float()[:, None]
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1), nn.Sigmoid())

    after = fixed("score-each-class", parts(model, nn.BCELoss(), x, y))

    assert after.model(x).shape == (80, 3)
    assert loss(after).item() == pytest.approx(1.1, abs=0.3)  # ln 3, of scores that begin near zero


def test_labels_that_count_from_one_get_a_column_more() -> None:
    x, y = points(), 1 + torch.arange(80).remainder(3)

    after = fixed("score-each-class", parts(nn.Linear(4, 3), nn.CrossEntropyLoss(), x, y))

    assert after.model(x).shape == (80, 4)
    assert torch.isfinite(loss(after))


@pytest.mark.parametrize("y", [torch.rand(80, 1), -torch.ones(80, 1), torch.randint(0, 2, (80, 3))])
def test_what_is_no_class_number_gets_no_score(y: Tensor) -> None:
    with pytest.raises(BadParts, match="not one class number"):
        fixed("score-each-class", parts(nn.Linear(4, 3), nn.MSELoss(), points(), y))


def with_gaps() -> Tensor:
    x = 7 + points()
    x[::5, 1], x[::7, 2] = torch.nan, torch.inf
    return x


def test_gaps_are_filled_with_the_mean_of_what_is_there() -> None:
    x = with_gaps()
    after = fixed("fill-missing", parts(nn.Linear(4, 1), nn.MSELoss(), x, torch.zeros(80, 1)))

    assert torch.isfinite(after.model(x)).all()
    (fill,) = [m for m in after.model.modules() if isinstance(m, Fill)]
    assert fill.value[1].item() == pytest.approx(x[:, 1].nanmean().item(), abs=1e-4)


@pytest.mark.parametrize("order", [("fill-missing", "standardize-inputs"), ("standardize-inputs", "fill-missing")])
def test_gaps_and_scales_can_be_mended_in_either_order(order: tuple[str, str]) -> None:
    x = with_gaps()
    both = parts(nn.Linear(4, 4), nn.MSELoss(), x, x)
    for name in order:
        both = fixed(name, both)

    seen: list[Tensor] = []
    next(m for m in both.model.modules() if isinstance(m, nn.Linear)).register_forward_hook(
        lambda module, inputs, output: seen.append(inputs[0])
    )
    both.model(x)
    assert seen[0].abs().max().item() < 5  # a raw mean of 7 among standard numbers would be 7
    assert seen[0][::5, 1].abs().max().item() < 0.2


def test_without_gaps_there_is_nothing_to_fill() -> None:
    with pytest.raises(BadParts, match="nothing to fill"):
        fixed("fill-missing", parts(nn.Linear(4, 1), nn.MSELoss(), points(), torch.zeros(80, 1)))


def test_a_penalty_loses_its_gradient_and_the_data_keep_theirs() -> None:
    model, x, y = nn.Linear(4, 1), points(), points(1)

    class Ridge(nn.Module):
        def forward(self, output: Tensor, target: Tensor) -> Tensor:
            return nn.functional.mse_loss(output, target) + 50 * model.weight.square().sum()

    after = fixed("drop-penalty", parts(model, Ridge(), x, y))

    value = loss(after)
    value.backward()
    assert model.weight.grad is not None
    alone = torch.autograd.grad(nn.functional.mse_loss(model(x[:20]), y[:20]), model.weight)[0]
    assert torch.allclose(model.weight.grad, alone, atol=1e-6)
    assert value.item() == pytest.approx(loss(parts(model, Ridge(), x, y)).item(), rel=1e-5)
    with torch.no_grad():
        assert loss(after).item() == pytest.approx(value.item(), rel=1e-5)
