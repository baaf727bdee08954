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

from torchdoctor.judge.judge import judge
from torchdoctor.parts import Parts
from torchdoctor.probes.attainable_loss import attainable_loss
from torchdoctor.probes.expectation import expectation
from torchdoctor.probes.outputs_at_start import outputs_at_start
from torchdoctor.probes.tail import Tail
from torchdoctor.rules.model.missing_output_activation import missing_output_activation
from torchdoctor.rules.model.redundant_output_activation import redundant_output_activation
from torchdoctor.rules.model.wrong_output_activation import wrong_output_activation

N, K = 64, 10
G = torch.Generator().manual_seed(0)
X = torch.randn(N, 8, generator=G)
CLASSES = torch.arange(N) % K
HOT = F.one_hot(CLASSES, K).float()
YES = (X[:, :1] > 0).float()
MANY = (torch.rand(N, K, generator=G) < 0.3).float()
REAL = 2 * X[:, :1] + 0.3 * torch.randn(N, 1, generator=G)
COUNTS = torch.poisson(4 * torch.rand(N, 1, generator=G), generator=G)
SHARES = torch.softmax(torch.randn(N, K, generator=G), 1)
FRAMES = torch.randint(0, 4, (N, 5), generator=G)

Loss = Callable[[Tensor, Tensor], Tensor]
OUTPUT_RULES = (redundant_output_activation, missing_output_activation, wrong_output_activation)


def program(width: int, loss_fn: Loss, target: Tensor, *end: nn.Module) -> Parts:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, width), *end)
    return Parts(model, loss_fn, torch.optim.Adam(model.parameters()), [(X, target)])


def quantile(output: Tensor, target: Tensor) -> Tensor:
    shares = torch.tensor([0.1, 0.5, 0.9])
    return torch.maximum(shares * (target - output), (shares - 1) * (target - output)).mean()


def cross_entropy_by_hand(output: Tensor, target: Tensor) -> Tensor:
    return -(target * torch.log(output + 1e-7)).sum(1).mean()


def binary_by_hand(output: Tensor, target: Tensor) -> Tensor:
    return -(target * torch.log(output) + (1 - target) * torch.log(1 - output)).mean()


HEALTHY: dict[str, Callable[[], Parts]] = {
    "scores, cross-entropy": lambda: program(K, nn.CrossEntropyLoss(), CLASSES),
    "scores, smoothed labels": lambda: program(K, nn.CrossEntropyLoss(label_smoothing=0.1), CLASSES),
    "scores, class weights": lambda: program(K, nn.CrossEntropyLoss(weight=torch.linspace(0.1, 2, K)), CLASSES),
    "scores, soft labels": lambda: program(K, nn.CrossEntropyLoss(), SHARES),
    "scores, multi-class hinge": lambda: program(K, nn.MultiMarginLoss(), CLASSES),
    "scores, binary cross-entropy of logits": lambda: program(1, nn.BCEWithLogitsLoss(), YES),
    "scores, several labels": lambda: program(K, nn.BCEWithLogitsLoss(pos_weight=torch.tensor(3.0)), MANY),
    "scores, hinge": lambda: program(1, lambda o, t: F.relu(1 - o * t).mean(), 2 * YES - 1),
    "tanh, hinge": lambda: program(1, lambda o, t: F.relu(1 - o * t).mean(), 2 * YES - 1, nn.Tanh()),
    "scores of a sequence (N, T, C), flattened": lambda: program(
        20, lambda o, t: F.cross_entropy(o.reshape(-1, 4), t.reshape(-1)), FRAMES, nn.Unflatten(1, (5, 4))
    ),
    "scores of a sequence (N, C, T)": lambda: program(20, nn.CrossEntropyLoss(), FRAMES, nn.Unflatten(1, (4, 5))),
    "scores of a picture (N, C, H, W), some ignored": lambda: program(
        20, nn.CrossEntropyLoss(ignore_index=0), FRAMES[:, None], nn.Unflatten(1, (4, 1, 5))
    ),
    "sigmoid, binary cross-entropy": lambda: program(1, nn.BCELoss(), YES, nn.Sigmoid()),
    "sigmoid, binary cross-entropy by hand": lambda: program(1, binary_by_hand, YES, nn.Sigmoid()),
    "sigmoid, several labels": lambda: program(K, nn.BCELoss(), MANY, nn.Sigmoid()),
    "log-softmax, log-likelihood": lambda: program(K, nn.NLLLoss(), CLASSES, nn.LogSoftmax(1)),
    "log-softmax, divergence": lambda: program(K, nn.KLDivLoss(reduction="batchmean"), SHARES, nn.LogSoftmax(1)),
    "log-softmax, cross-entropy: twice the same": lambda: program(K, nn.CrossEntropyLoss(), CLASSES, nn.LogSoftmax(1)),
    "softmax, cross-entropy by hand": lambda: program(K, cross_entropy_by_hand, HOT, nn.Softmax(1)),
    "softmax, squared error against one-hot rows": lambda: program(K, nn.MSELoss(), HOT, nn.Softmax(1)),
    "linear, squared error": lambda: program(1, nn.MSELoss(), REAL),
    "linear, squared error, targets in thousands": lambda: program(1, nn.MSELoss(), 1e3 * REAL + 1e5),
    "linear, absolute error": lambda: program(1, nn.L1Loss(), REAL),
    "linear, Huber": lambda: program(1, nn.HuberLoss(), YES),
    "linear, quantiles": lambda: program(3, quantile, REAL),
    "linear, mean and log-variance": lambda: program(
        2, lambda o, t: F.gaussian_nll_loss(o[:, :1], t, o[:, 1:].exp()), REAL
    ),
    "linear, Poisson of the logarithm": lambda: program(1, nn.PoissonNLLLoss(), COUNTS),
    "softplus, Poisson": lambda: program(1, nn.PoissonNLLLoss(log_input=False), COUNTS, nn.Softplus()),
    "linear, cosine": lambda: program(K, lambda o, t: (1 - F.cosine_similarity(o, t)).mean(), SHARES),
    "linear, a critic's score": lambda: program(1, lambda o, t: -(o * t).mean(), 2 * YES - 1),
    "sigmoid, targets in 0..1": lambda: program(1, nn.MSELoss(), torch.sigmoid(REAL), nn.Sigmoid()),
    "sigmoid, squared error against 0 and 1": lambda: program(1, nn.MSELoss(), YES, nn.Sigmoid()),
    "relu, targets above zero": lambda: program(1, nn.MSELoss(), REAL.abs(), nn.ReLU()),
    "tanh, targets in -1..1": lambda: program(1, nn.MSELoss(), torch.sin(REAL), nn.Tanh()),
    "scores held within +-30": lambda: program(K, nn.CrossEntropyLoss(), CLASSES, nn.Hardtanh(-30, 30)),
    "sigmoid, overlap": lambda: program(
        K, lambda o, t: 1 - (2 * (o * t).sum() + 1) / (o.sum() + t.sum() + 1), MANY, nn.Sigmoid()
    ),
}
FAULTY: dict[str, tuple[str, Callable[[], Parts]]] = {
    "softmax, cross-entropy": (
        "redundant-output-activation", lambda: program(K, nn.CrossEntropyLoss(), CLASSES, nn.Softmax(1)),
    ),
    "sigmoid, binary cross-entropy of logits": (
        "redundant-output-activation", lambda: program(1, nn.BCEWithLogitsLoss(), YES, nn.Sigmoid()),
    ),
    "softmax, binary cross-entropy of logits": (
        "redundant-output-activation", lambda: program(K, nn.BCEWithLogitsLoss(), HOT, nn.Softmax(1)),
    ),
    "scores, log-likelihood": ("missing-output-activation", lambda: program(K, nn.NLLLoss(), CLASSES)),
    "softmax, log-likelihood": (
        "missing-output-activation", lambda: program(K, nn.NLLLoss(), CLASSES, nn.Softmax(1)),
    ),
    "scores, binary cross-entropy": ("missing-output-activation", lambda: program(1, nn.BCELoss(), YES)),
    "scores, binary cross-entropy by hand": ("missing-output-activation", lambda: program(1, binary_by_hand, YES)),
    "scores, cross-entropy by hand": (
        "missing-output-activation", lambda: program(K, cross_entropy_by_hand, HOT),
    ),
    "softmax over one unit, binary cross-entropy": (
        "wrong-output-activation", lambda: program(1, nn.BCELoss(), YES, nn.Softmax(1)),
    ),
    "softmax over one unit, squared error": (
        "wrong-output-activation", lambda: program(1, nn.MSELoss(), REAL, nn.Softmax(1)),
    ),
    "softmax over the batch": (
        "wrong-output-activation", lambda: program(K, nn.CrossEntropyLoss(), CLASSES, nn.Softmax(0)),
    ),
    "sigmoid, cross-entropy": (
        "wrong-output-activation", lambda: program(K, nn.CrossEntropyLoss(), CLASSES, nn.Sigmoid()),
    ),
    "tanh, cross-entropy": ("wrong-output-activation", lambda: program(K, nn.CrossEntropyLoss(), CLASSES, nn.Tanh())),
    "relu, cross-entropy": ("wrong-output-activation", lambda: program(K, nn.CrossEntropyLoss(), CLASSES, nn.ReLU())),
    "relu, binary cross-entropy": ("wrong-output-activation", lambda: program(1, nn.BCELoss(), YES, nn.ReLU())),
    "relu, binary cross-entropy of logits": (
        "wrong-output-activation", lambda: program(1, nn.BCEWithLogitsLoss(), YES, nn.ReLU()),
    ),
    "relu, targets of both signs": ("wrong-output-activation", lambda: program(1, nn.MSELoss(), REAL, nn.ReLU())),
    "sigmoid, targets of both signs": ("wrong-output-activation", lambda: program(1, nn.L1Loss(), REAL, nn.Sigmoid())),
    "tanh, standardised targets": (
        "wrong-output-activation", lambda: program(1, nn.MSELoss(), (REAL - REAL.mean()) / REAL.std(), nn.Tanh()),
    ),
}  # fmt: skip


@pytest.mark.parametrize("build", HEALTHY.values(), ids=HEALTHY.keys())
def test_a_loss_and_an_output_that_fit_are_left_alone(build: Callable[[], Parts]) -> None:
    report = judged(build(), (attainable_loss, outputs_at_start), *OUTPUT_RULES)
    assert [f.message for f in report] == []


@pytest.mark.parametrize(("name", "build"), FAULTY.values(), ids=FAULTY.keys())
def test_a_loss_and_an_output_that_do_not_fit_are_named(name: str, build: Callable[[], Parts]) -> None:
    assert names(judged(build(), (attainable_loss, outputs_at_start), *OUTPUT_RULES)) == [name]


@settings(max_examples=5, deadline=None)
@given(classes=st.integers(2, 40))
def test_a_second_softmax_has_the_floor_that_arithmetic_gives_it(classes: int) -> None:
    parts = program(classes, nn.CrossEntropyLoss(), torch.arange(N) % classes, nn.Softmax(1))
    found = traced(parts, attainable_loss).value("attainable_loss")
    assert found == pytest.approx(math.log(1 + (classes - 1) / math.e), rel=0.01)


class Called(nn.Module):
    """The activation is a function call in forward()."""

    def __init__(self, end: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.body, self.head, self.end = nn.Linear(8, 16), nn.Linear(16, K), end

    def forward(self, x: Tensor) -> Tensor:
        return self.end(self.head(F.relu_(self.body(x))))


def test_an_activation_in_a_function_call_is_seen_like_a_module() -> None:
    model = Called(lambda z: torch.softmax(z, 1))
    parts = Parts(model, nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters()), [(X, CLASSES)])
    assert names(judged(parts, (attainable_loss, outputs_at_start), *OUTPUT_RULES)) == ["redundant-output-activation"]


def test_a_linear_output_has_no_bound_and_a_relu_one() -> None:
    linear = traced(program(K, nn.CrossEntropyLoss(), CLASSES), attainable_loss)
    assert (linear.value("reachable_min"), linear.value("reachable_max")) == (-math.inf, math.inf)
    relu = traced(program(K, nn.CrossEntropyLoss(), CLASSES, nn.ReLU()), attainable_loss)
    assert (relu.value("reachable_min"), relu.value("reachable_max")) == (0, math.inf)
    assert relu.value("reachable_clipped_share") == pytest.approx(0.5, abs=0.1)


def test_a_model_that_starts_saturated_is_not_mistaken_for_one_that_cannot() -> None:
    parts = program(1, nn.BCELoss(), YES, nn.Sigmoid())
    with torch.no_grad():
        parts.model[2].weight.mul_(1e4)
    assert traced(parts, attainable_loss).value("attainable_loss") < 0.01


def test_nothing_is_said_of_an_output_that_depends_on_no_weights() -> None:
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Linear(8, K)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(x).detach()

    model = Cut()
    parts = Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.1), [(X, CLASSES)])
    trace = traced(parts, attainable_loss)
    assert not trace.has("attainable_loss") and trace.value("loss_takes_logits") == 1


EXPECTED: dict[str, tuple[str, Loss, tuple[int, ...], Tensor]] = {
    "cross-entropy": ("scores", nn.CrossEntropyLoss(), (N, K), CLASSES),
    "focal": ("scores", lambda o, t: focal(o, t), (N, K), CLASSES),
    "binary cross-entropy of logits": ("scores", nn.BCEWithLogitsLoss(), (N, 1), YES),
    "binary cross-entropy of logits, soft": ("scores", nn.BCEWithLogitsLoss(), (N, K), SHARES),
    "soft margin": ("scores", nn.SoftMarginLoss(), (N, 1), 2 * YES - 1),
    "log-likelihood": ("log_probabilities", nn.NLLLoss(weight=torch.linspace(0.1, 2, K)), (N, K), CLASSES),
    "divergence": ("log_probabilities", nn.KLDivLoss(reduction="batchmean"), (N, K), SHARES),
    "divergence of logarithms": ("log_probabilities", nn.KLDivLoss(log_target=True), (N, K), SHARES.log()),
    "binary cross-entropy": ("probabilities", nn.BCELoss(), (N, 1), YES),
    "binary cross-entropy, clamped": (
        "probabilities", lambda o, t: F.binary_cross_entropy(o.clamp(1e-6, 1 - 1e-6), t), (N, 1), YES,
    ),
    "cross-entropy by hand": ("probabilities", cross_entropy_by_hand, (N, K), HOT),
    "Poisson": ("positive", nn.PoissonNLLLoss(log_input=False), (N, 1), COUNTS),
    "squared error": ("", nn.MSELoss(), (N, 1), REAL),
    "squared error against 0 and 1": ("", nn.MSELoss(), (N, 1), YES),
    "absolute error, all targets one": ("", nn.L1Loss(), (N, 1), torch.ones(N, 1)),
    "quantiles against 0 and 1": ("", quantile, (N, 3), YES),
    "a critic's score": ("", lambda o, t: -(o * t).mean(), (N, 1), YES),
    "something constant": ("", lambda o, t: (0 * o).sum(), (N, K), CLASSES),
    "something that always fails": ("", lambda o, t: o @ o @ t, (N, K), CLASSES),
}  # fmt: skip


def focal(output: Tensor, target: Tensor) -> Tensor:
    surprise = F.cross_entropy(output, target, reduction="none")
    return ((1 - torch.exp(-surprise)) ** 2 * surprise).mean()


@pytest.mark.parametrize(("expected", "loss_fn", "shape", "target"), EXPECTED.values(), ids=EXPECTED.keys())
def test_what_a_loss_expects_is_told_by_feeding_it(
    expected: str, loss_fn: Loss, shape: tuple[int, ...], target: Tensor
) -> None:
    found = expectation(loss_fn, torch.zeros(shape), target)
    kinds = ("scores", "log_probabilities", "probabilities", "positive")
    assert [kind for kind in kinds if getattr(found, kind)] == [kind for kind in (expected,) if kind]


class TwoHeads(nn.Module):
    """A shared layer called twice, two heads, one behind an LSTM, one with dropout and an activation in place."""

    def __init__(self) -> None:
        super().__init__()
        self.shared, self.lstm = nn.Linear(8, 8), nn.LSTM(8, 6, batch_first=True)
        self.norm, self.drop = nn.BatchNorm1d(8), nn.Dropout(0.5)
        self.one, self.two = nn.utils.parametrizations.weight_norm(nn.Linear(8, 3)), nn.Linear(6, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.shared(F.relu_(self.shared(x)))
        _, (state, _) = self.lstm(h[:, None])
        return torch.tanh(self.drop(self.one(self.norm(h)))), F.relu_(self.two(state[-1]))


def test_the_tail_gives_what_the_model_gave_again_and_again() -> None:
    torch.manual_seed(0)
    tail = Tail(TwoHeads(), (X,))
    assert [tuple(t.shape) for t in tail.values] == [(N, 3), (N, 2)]
    for _ in range(2):
        for played, original in zip(tail(tail.values), tail.output):
            assert torch.equal(played, original)


def test_gradients_reach_the_values_put_into_the_tail() -> None:
    tail = Tail(nn.Sequential(nn.Linear(8, 4), nn.Sigmoid()), (X,))
    values = torch.zeros(N, 4, requires_grad=True)
    tail([values]).sum().backward()
    assert values.grad is not None and torch.allclose(values.grad, torch.tensor(0.25))


def test_one_unit_under_a_softmax_is_told_apart_from_a_network_that_is_hard_to_train() -> None:
    report = judge(traced(program(1, nn.BCELoss(), YES, nn.Softmax(1)), attainable_loss), [wrong_output_activation])
    assert "always 1" in report.findings[0].message
    assert [r.fix for r in report.findings[0].fixes] == ["use-sigmoid-output"]


class SumOfParts(nn.Module):
    """Amounts of parts, times the parts: a matrix that stands in no layer."""

    def __init__(self) -> None:
        super().__init__()
        self.amounts, self.parts = nn.Sequential(nn.Linear(6, 3), nn.Softplus()), nn.Parameter(torch.rand(3, 6))

    def forward(self, x: Tensor) -> Tensor:
        return self.amounts(x) @ self.parts


def test_a_matrix_behind_the_last_layer_leaves_nothing_to_say_of_the_outputs() -> None:
    assert Tail(SumOfParts(), (torch.rand(8, 6),)).values == []
