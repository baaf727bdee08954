"""Which module made the first NaN or infinity, and at which step; and that looking for it changes nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from torchdoctor.judge.judge import judge
from torchdoctor.judge.trace import Trace
from torchdoctor.record.nonfinite import Call, find_source
from torchdoctor.record.watch import watch

NAN = float("nan")


class Log(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.log(x)


class Net(nn.Module):
    """`make` is called between two layers, without a module of its own."""

    def __init__(self, make: Callable[[Tensor], Tensor] = torch.relu, middle: nn.Module | None = None) -> None:
        super().__init__()
        self.make = make
        self.first = nn.Linear(4, 8)
        self.block = nn.Sequential(nn.Linear(8, 8), middle or nn.Tanh())
        self.last = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.make(self.block(self.first(x))))


def trained(
    model: nn.Module,
    *,
    rate: float = 0.01,
    spoil: Callable[[int, Tensor], Tensor] = lambda _step, x: x,
    loss: Callable[[int, Tensor, Tensor], Tensor] = lambda _step, out, y: F.cross_entropy(out, y),
    loss_fn: Any = None,
    steps: int = 6,
) -> Trace:
    optimizer = torch.optim.SGD(model.parameters(), rate)
    with watch(model, optimizer, loss_fn, tell=False) as w:
        for i in range(steps):
            x, y = torch.randn(5, 4), torch.randint(3, (5,))
            optimizer.zero_grad()
            loss(i, model(spoil(i, x)), y).backward()
            optimizer.step()
    return w.trace()


def flags(trace: Trace, signal: str) -> dict[str, list[int]]:
    return {name: list(s.steps) for name, s in trace.each(signal)}


def test_a_layer_in_the_middle_that_makes_nan_is_named_with_its_step() -> None:
    trace = trained(Net(middle=Log()))
    assert flags(trace, "nonfinite_module") == {"block.1": [0]}
    assert not trace.has("nonfinite_parameter")


def test_nan_in_one_batch_is_named_as_the_input_at_that_step() -> None:
    def spoil(step: int, x: Tensor) -> Tensor:
        return x * NAN if step == 3 else x

    trace = trained(Net(), spoil=spoil)
    assert flags(trace, "nonfinite_module") == {"input": [3]}
    (finding,) = [f for f in judge(trace) if f.name == "non-finite-loss"]
    assert finding.steps is not None and finding.steps[0] == 3


def test_a_loss_that_makes_infinity_of_finite_outputs_is_named() -> None:
    trace = trained(Net(), loss=lambda step, out, _y: -torch.log(out.sum() * 0) if step == 2 else out.sum())
    assert flags(trace, "nonfinite_module") == {"loss_fn": [2]}


def test_an_update_that_explodes_is_named_by_the_parameters_it_spoilt() -> None:
    trace = trained(Net(), rate=1e38, loss=lambda _step, out, _y: (100 * out).square().sum())
    spoilt = flags(trace, "nonfinite_parameter")
    assert {"first.weight", "block.0.weight", "last.weight"} <= set(spoilt)
    assert set(map(tuple, spoilt.values())) == {(1,)}
    assert flags(trace, "nonfinite_module") == {"first": [1]}


def test_weights_that_an_update_made_huge_are_named_by_the_layer_that_overflows() -> None:
    trace = trained(Net(), rate=1e38, loss=lambda _step, out, _y: out.square().sum())
    assert flags(trace, "nonfinite_module") == {"block.0": [1]}
    assert not trace.has("nonfinite_parameter")


def test_parameters_that_were_made_nan_between_steps_are_named() -> None:
    model = Net()

    def spoil(step: int, x: Tensor) -> Tensor:
        if step == 4:
            with torch.no_grad():
                model.block[0].weight[0, 0] = NAN
        return x

    trace = trained(model, spoil=spoil)
    assert flags(trace, "nonfinite_parameter") == {"block.0.weight": [4]}
    assert flags(trace, "nonfinite_module") == {"block.0": [4]}


def test_nan_made_between_two_layers_is_named_after_the_one_before() -> None:
    trace = trained(Net(make=lambda x: torch.log(x * 0 - 1)))
    assert flags(trace, "nonfinite_module") == {"block.1:activated": [0]}
    (finding,) = [f for f in judge(trace) if f.name == "non-finite-loss"]
    assert finding.where == ("block.1",)


def test_nan_made_by_the_model_after_its_last_layer_is_not_blamed_on_the_loss() -> None:
    class Ends(Net):
        def forward(self, x: Tensor) -> Tensor:
            return torch.log(super().forward(x) * 0 - 1)

    assert flags(trained(Ends()), "nonfinite_module") == {"last:activated": [0]}


def test_masks_of_minus_infinity_are_no_fault_of_the_input() -> None:
    class Attends(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attend, self.scale, self.last = nn.MultiheadAttention(4, 1), Log(), nn.Linear(4, 3)

        def forward(self, x: Tensor, mask: Tensor) -> Tensor:
            return self.last(self.scale(self.attend(x, x, x, attn_mask=mask)[0]))

    model = Attends()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    with watch(model, optimizer, tell=False) as w:
        model(torch.randn(5, 4), mask=mask).sum().backward()
        optimizer.step()
    assert flags(w.trace(), "nonfinite_module") == {"scale": [0]}


def test_of_several_forward_passes_in_a_step_the_bad_one_is_found() -> None:
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, optimizer, tell=False) as w:
        (model(torch.randn(5, 4) * NAN) - model(torch.randn(5, 4))).sum().backward()
        optimizer.step()
    assert flags(w.trace(), "nonfinite_module") == {"input": [0]}


def test_nan_in_inputs_that_come_in_a_dict_is_found() -> None:
    class Takes(Net):
        def forward(self, x: dict[str, Tensor]) -> Tensor:
            return super().forward(x["x"])

    trace = trained(Takes(), spoil=lambda _step, x: {"x": x * NAN})  # type: ignore[arg-type, return-value]
    assert flags(trace, "nonfinite_module") == {"input": [0]}


def test_gradients_that_are_nan_under_a_finite_loss_are_named() -> None:
    model = Net()

    def loss(_step: int, out: Tensor, _y: Tensor) -> Tensor:
        return out.square().sum() + torch.sqrt(model.last.bias[0] * 0)  # the slope of the root at 0 is infinite

    trace = trained(model, loss=loss, steps=1)
    assert flags(trace, "nonfinite_gradient") == {"last.bias": [0]}
    assert not trace.has("nonfinite_module")


def test_a_loop_that_stops_at_nan_before_backward_has_its_source_recorded() -> None:
    model, loss_fn = Net(middle=Log()), nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, optimizer, loss_fn, tell=False) as w:
        for _ in range(3):
            loss = loss_fn(model(torch.randn(5, 4)), torch.randint(3, (5,)))
            if not torch.isfinite(loss):
                break
            loss.backward()
            optimizer.step()
    assert flags(w.trace(), "nonfinite_module") == {"block.1": [0]}
    assert "non-finite-loss" in [f.name for f in w.report()]


@pytest.mark.filterwarnings("ignore:Anomaly Detection")
def test_a_backward_that_raises_because_of_nan_has_its_source_recorded() -> None:
    model = Net(middle=Log())
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    w = watch(model, optimizer, tell=False)
    with torch.autograd.set_detect_anomaly(True), pytest.raises(RuntimeError, match="nan values"), w:
        F.cross_entropy(model(torch.randn(5, 4)), torch.randint(3, (5,))).backward()
    assert flags(w.trace(), "nonfinite_module") == {"block.1": [0]}


def test_infinities_that_a_grad_scaler_steps_over_are_nobodys_fault_and_a_later_one_is_found() -> None:
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    with watch(model, optimizer, tell=False) as w:
        for i in range(5):
            optimizer.zero_grad()
            loss = model(torch.randn(5, 4)).square().sum() * (float("inf") if i == 1 else 1)
            scaler.scale(loss).backward()
            scaler.step(optimizer)
            scaler.update()
        optimizer.zero_grad()
        model(torch.randn(5, 4) * NAN).sum().backward()
        optimizer.step()
    assert flags(w.trace(), "nonfinite_module") == {"input": [5]}


def test_infinite_gradients_that_a_grad_scaler_steps_over_are_no_finding() -> None:
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**126)  # gradients overflow, until it has come down
    with watch(model, optimizer, tell=False) as w:
        for _ in range(5):
            optimizer.zero_grad()
            out = model(torch.randn(5, 4)).sum()
            scaler.scale(out - out.detach()).backward()
            scaler.step(optimizer)
            scaler.update()
    trace = w.trace()
    assert trace["skipped_step"].values.sum() >= 1
    assert not trace.has("nonfinite_gradient") and not trace.has("nonfinite_module")


def test_gradients_whose_norm_is_too_large_for_its_type_are_finite_all_the_same() -> None:
    trace = trained(Net(), loss=lambda _step, out, _y: 1e25 * out.sum(), rate=0.0)
    assert not trace.has("nonfinite_gradient")
    assert trace["grad_norm"].last > 1e19


class Stateful(nn.Module):
    """Draws numbers, writes to a buffer, counts its calls; and backward needs the other buffer as it was."""

    def __init__(self) -> None:
        super().__init__()
        self.linear, self.norm, self.drop = nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5)
        self.register_buffer("gain", torch.ones(4))
        self.register_buffer("calls", torch.zeros(()))
        self.times = 0
        self.state: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        self.times += 1
        self.calls += 1
        h = self.drop(self.norm(self.linear(x))) * self.gain
        self.state = h
        return h * random.random() + torch.log(-h.square())


def test_looking_for_the_source_puts_back_everything_and_backward_still_works() -> None:
    model = Stateful()
    x = torch.randn(6, 4)
    out = model(x)
    held = {n: b.clone() for n, b in model.named_buffers()}
    seeds, numbers, state, grads = torch.get_rng_state(), random.getstate(), model.state, [None] * 4
    versions = [b._version for b in model.buffers()]
    source = find_source(model, [Call((x,), {}, None, "cpu")])
    assert source.modules == ("drop:activated",)
    assert torch.equal(seeds, torch.get_rng_state()) and random.getstate() == numbers
    assert all(torch.equal(b, held[n]) for n, b in model.named_buffers())
    assert model.times == 1 and model.state is state
    assert [p.grad for p in model.parameters()] == grads
    assert [b._version for b in model.buffers()] == versions
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())
    out.sum().backward()


def test_a_compiled_model_is_looked_at_without_being_compiled_again() -> None:
    torch._dynamo.reset()
    graphs = []

    def backend(graph: torch.fx.GraphModule, _inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    inner = Net(middle=Log())
    model = torch.compile(inner, backend=backend)
    trace = trained(model, steps=3)  # type: ignore[arg-type]
    assert list(flags(trace, "nonfinite_module").values()) == [[0]]
    assert next(iter(flags(trace, "nonfinite_module"))).endswith("block.1")
    assert len(graphs) == 1


def test_a_model_that_cannot_be_called_twice_costs_the_name_of_the_source_and_nothing_else() -> None:
    class Once(Net):
        def forward(self, x: Tensor) -> Tensor:
            assert not getattr(self, "called", False), "only once"
            self.called = True
            return super().forward(x)

    model = Once(middle=Log())
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with (
        pytest.warns(UserWarning, match="nonfinite_module is off.*only once"),
        watch(model, optimizer, tell=False) as w,
    ):
        model(torch.randn(5, 4)).sum().backward()
        optimizer.step()
    assert len(w.trace()["loss"]) == len(w.trace()["grad_norm"]) == 1
