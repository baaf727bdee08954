"""The last activation is found by what it does, wherever it is written."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torchdoctor.errors import BadParts
from torchdoctor.fixes.fix import Fix, resolve
from torchdoctor.fixes.output import Bypassed
from torchdoctor.judge.finding import Remedy
from torchdoctor.parts import Parts


class Net(nn.Module):
    """Two layers, and an end of the test's choice."""

    def __init__(self, end: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.hidden, self.head = nn.Linear(6, 8), nn.Linear(8, 3)
        self.end = end

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.head(F.relu(self.hidden(x))))


class Shared(nn.Module):
    """One activation object, used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.head, self.act = nn.Linear(6, 8), nn.Linear(8, 3), nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.head(self.act(self.hidden(x))))


def fix(name: str) -> Fix:
    return resolve(Remedy(name))


def parts(model: nn.Module) -> Parts:
    torch.manual_seed(1)
    batches = [(torch.randn(8, 6), torch.randint(0, 3, (8,))) for _ in range(2)]
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), lr=0.1), batches)


ENDS: dict[str, Callable[[Tensor], Tensor]] = {
    "a module": nn.Softmax(1),
    "a function": lambda z: F.softmax(z, dim=1),
    "a function of torch": lambda z: torch.softmax(z, 1),
    "a method": lambda z: z.softmax(dim=1),
    "an in-place function": lambda z: F.relu(z, inplace=True),
    "an in-place method": lambda z: z.relu_(),
    "with a dropout that is off": lambda z: F.dropout(F.softmax(z, dim=1), training=False),
    "then rearranged": lambda z: torch.sigmoid(z).unsqueeze(0).squeeze(0).view(-1, 3),
    "of a sequence": nn.Sequential(nn.Identity(), nn.Tanh(), nn.Flatten()),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_without_its_last_activation_a_model_gives_what_the_last_layer_gave(end: Callable[[Tensor], Tensor]) -> None:
    torch.manual_seed(0)
    model = Net(end)
    x = torch.randn(5, 6)
    scores = model.head(F.relu(model.hidden(x)))
    before = parts(model)

    after = fix("remove-output-activation").apply(before)

    assert torch.allclose(after.model(x), scores)
    assert not torch.allclose(before.model(x), scores)


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS.keys())
def test_gradients_pass_as_if_the_activation_had_never_been_there(end: Callable[[Tensor], Tensor]) -> None:
    torch.manual_seed(0)
    cured = fix("remove-output-activation").apply(parts(Net(end)))
    torch.manual_seed(0)
    plain = parts(Net(nn.Identity()))
    for p in (cured, plain):
        for x, y in p.train:
            p.optimizer.zero_grad()
            p.loss_fn(p.model(x), y).backward()
            p.optimizer.step()

    assert torch.equal(cured.model.head.weight, plain.model.head.weight)
    assert torch.equal(cured.model.hidden.weight, plain.model.hidden.weight)


def test_an_activation_that_is_also_used_inside_stays_there() -> None:
    torch.manual_seed(0)
    model = Shared()
    x = torch.randn(5, 6)

    after = fix("use-linear-output").apply(parts(model))

    assert torch.allclose(after.model(x), model.head(torch.sigmoid(model.hidden(x))))


def test_a_softmax_over_one_unit_becomes_a_sigmoid() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 1), nn.Softmax(1))
    x = torch.randn(5, 6)

    after = fix("use-sigmoid-output").apply(parts(model))

    assert torch.allclose(after.model(x), torch.sigmoid(model[:3](x)))


@pytest.mark.parametrize(
    "end", [lambda z: z, lambda z: z.exp() / z.exp().sum(1, keepdim=True)], ids=["none", "by hand"]
)
def test_where_there_is_nothing_to_take_away_the_error_says_what_to_do(end: Callable[[Tensor], Tensor]) -> None:
    with pytest.raises(BadParts, match=r"forward\(\) by hand"):
        fix("remove-output-activation").apply(parts(Net(end)))


def test_a_model_that_is_passed_by_can_be_copied_and_keeps_its_own_attributes() -> None:
    after = fix("remove-output-activation").apply(parts(Net(ENDS["a function"]))).model
    x = torch.randn(5, 6)

    assert isinstance(after, Bypassed)
    assert torch.equal(copy.deepcopy(after)(x), after(x))
    assert after.head.out_features == 3


def test_a_class_loss_of_raw_scores_takes_integers_and_columns_alike() -> None:
    torch.manual_seed(0)
    before = parts(Net(nn.Softmax(1)))
    after = fix("use-logits-loss").apply(Parts(before.model, nn.MSELoss(), before.optimizer, before.train))
    x, y = next(iter(before.train))
    scores = before.model.head(F.relu(before.model.hidden(x)))

    assert torch.allclose(after.model(x), scores)
    for target in (y, y[:, None], y.float(), F.one_hot(y, 3)):
        assert torch.allclose(after.loss_fn(scores, target), F.cross_entropy(scores, y))


def test_a_binary_loss_of_raw_scores_takes_targets_of_any_shape_and_type() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 1), nn.Sigmoid())
    batches = [(torch.randn(8, 6), torch.tensor([0, 1] * 4))]
    before = Parts(model, nn.BCELoss(), torch.optim.SGD(model.parameters(), lr=0.1), batches)
    after = fix("use-logits-loss").apply(before)
    scores, y = after.model(batches[0][0]), batches[0][1]
    right = F.binary_cross_entropy_with_logits(scores[:, 0], y.float())

    for target in (y, y.float()[:, None], y == 1, 2 * y - 1):
        assert torch.allclose(after.loss_fn(scores, target), right)


def test_what_the_old_loss_was_told_the_new_one_knows() -> None:
    model = Net(nn.Identity())
    weight = torch.tensor([1.0, 2.0, 3.0])
    before = parts(model)
    after = fix("use-logits-loss").apply(Parts(model, nn.NLLLoss(weight=weight), before.optimizer, before.train))
    x, y = next(iter(before.train))

    assert torch.allclose(after.loss_fn(model(x), y), F.cross_entropy(model(x), y, weight=weight))
