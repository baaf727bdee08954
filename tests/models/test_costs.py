"""What a layer costs is counted right: against formulas by hand, against torch's counter, against gradients."""

from __future__ import annotations

import pytest
import torch
from steady import Hand
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from torchdoctor.errors import BadParts
from torchdoctor.models import timing
from torchdoctor.models.costs import Costs, Layer, costs
from torchdoctor.models.gru import GRU
from torchdoctor.models.inception import Inception
from torchdoctor.models.lenet5 import LeNet5
from torchdoctor.models.mobilenet import MobileNet
from torchdoctor.models.resnet_cifar import resnet20
from torchdoctor.models.transformer import TextTransformer


def layer(found: Costs, name: str) -> Layer:
    return next(one for one in found.layers if one.name == name)


def test_parameters_flops_and_shapes_of_lenet5_are_those_of_the_formulas() -> None:
    found = costs(LeNet5((1, 28, 28), 10), (torch.randn(3, 1, 28, 28),), repeats=1)
    weights = {one.name: one.parameters for one in found.layers if one.parameters}
    assert weights == {"conv1": 156, "conv2": 2416, "fc1": 48_120, "fc2": 10_164, "fc3": 850}
    assert found.parameters == sum(weights.values()) == 61_706 and found.parameter_bytes == 4 * 61_706
    by_hand = {
        "conv1": 2 * 28 * 28 * 6 * 25,
        "conv2": 2 * 10 * 10 * 16 * 25 * 6,
        "fc1": 2 * 400 * 120,
        "fc2": 2 * 120 * 84,
        "fc3": 2 * 84 * 10,
    }
    assert {name: layer(found, name).flops for name in by_hand} == {name: 3 * n for name, n in by_hand.items()}
    assert found.flops == 3 * sum(by_hand.values()) and found.samples == 3
    assert layer(found, "pool2").output == (3, 16, 5, 5)


@pytest.mark.parametrize(
    ("model", "x"),
    [
        (resnet20((3, 16, 16), 10), torch.randn(2, 3, 16, 16)),
        (MobileNet((3, 16, 16), 10, width=0.25), torch.randn(2, 3, 16, 16)),
        (Inception((3, 16, 16), 10, width=8), torch.randn(2, 3, 16, 16)),
        (GRU((9,), 3, vocabulary=20), torch.randint(20, (2, 9))),
    ],
    ids=["resnet20", "mobilenet", "inception", "gru"],
)
def test_layers_add_up_to_what_torch_counts_of_the_whole(model: nn.Module, x: Tensor) -> None:
    found = costs(model, (x,), repeats=1)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.eval()(x)
    assert found.flops == sum(one.flops for one in found.layers) == counter.get_total_flops() > 0
    assert found.parameters == sum(one.parameters for one in found.layers) == sum(p.numel() for p in model.parameters())


def test_fused_kernels_do_not_hide_their_arithmetic() -> None:
    """Attention (N, L, E) by hand: 4 projections and two products over L."""
    n, length, width = 2, 9, 16
    model = TextTransformer((length,), 3, vocabulary=20, width=width, layers=1, heads=2).eval()
    found = costs(model, (torch.randint(20, (n, length)),), repeats=1)
    by_hand = 2 * n * length * width * width * 4 + 2 * 2 * n * length * length * width
    assert layer(found, "encoder.layers.0.self_attn").flops == by_hand
    lstm = costs(nn.LSTM(8, 16, batch_first=True), (torch.randn(2, 5, 8),), repeats=1)
    assert lstm.flops == 2 * 2 * 5 * 4 * 16 * (8 + 16)


def test_parameters_that_no_inner_module_holds_are_the_models_own() -> None:
    found = costs(TextTransformer((12,), 3, vocabulary=20, width=16), (torch.randint(20, (2, 12)),), repeats=1)
    assert layer(found, "").parameters == 12 * 16
    attention = [one for one in found.layers if one.kind == "MultiheadAttention"]
    assert len(attention) == 4 and all(one.parameters == 4 * (16 * 16 + 16) for one in attention)


def test_memory_is_what_autograd_keeps_and_weights_do_not_count() -> None:
    """A linear layer keeps its input, a sigmoid its output, a plain sum nothing."""
    model = nn.Sequential(nn.Linear(8, 4), nn.Sigmoid(), nn.Linear(4, 2))
    found = costs(model, (torch.randn(5, 8),), repeats=1)
    assert [one.kept_bytes for one in found.layers] == [5 * 8 * 4, 5 * 4 * 4, 0]  # the last reads what is kept already
    assert found.kept_bytes == 5 * 12 * 4


def test_a_layer_that_is_used_twice_counts_its_weights_once_and_its_work_twice() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(6, 6)

        def forward(self, x: Tensor) -> Tensor:
            return self.fc(self.fc(x))

    found = costs(Twice(), (torch.randn(1, 6),), repeats=1)
    assert (found.parameters, found.flops) == (42, 2 * 2 * 36)


class Auxiliary(nn.Module):
    """A second head that only training uses, as GoogLeNet's."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.head, self.second = nn.Linear(4, 4), nn.Linear(4, 2), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        y = self.body(x)
        return (self.head(y), self.second(y)) if self.training else self.head(y)


def test_numbers_that_only_training_uses_are_told_apart() -> None:
    model = Auxiliary()
    model.body.requires_grad_(False)
    found = costs(model, (torch.randn(2, 4),), repeats=1)
    assert (found.parameters, found.trainable) == (20 + 10 + 15, 25)
    assert (found.train_reached, found.eval_reached) == (45, 30)
    assert layer(found, "body").trainable == 0


def test_measuring_leaves_no_mark() -> None:
    model = resnet20((3, 8, 8), 4).train()
    model.conv.weight.requires_grad_(False)
    state = {k: v.clone() for k, v in model.state_dict().items()}
    numbers = torch.get_rng_state()
    costs(model, (torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0)),), repeats=1)
    assert torch.equal(torch.get_rng_state(), numbers) and model.training and all(m.training for m in model.modules())
    assert all(torch.equal(v, state[k]) for k, v in model.state_dict().items())
    assert not model.conv.weight.requires_grad and all(p.grad is None for p in model.parameters())


def test_times_are_those_of_each_layer_and_add_up_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    hand = Hand()
    monkeypatch.setattr(timing, "now", lambda _: hand())

    class Takes(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            hand.passes(self.out_features / 1000)
            return super().forward(x)

    found = costs(nn.Sequential(Takes(4, 3), Takes(3, 7), Takes(7, 2)), (torch.randn(2, 4),))
    assert [layer(found, name).seconds for name in "012"] == pytest.approx([0.003, 0.007, 0.002], rel=0.01)
    assert found.seconds == pytest.approx(0.012, rel=0.01)


def test_inputs_that_do_not_fit_are_told_in_one_line() -> None:
    with pytest.raises(BadParts, match=r"inputs of \(2, 5\): RuntimeError") as refused:
        costs(nn.Linear(4, 2), (torch.randn(2, 5),))
    assert "\n" not in str(refused.value)
