"""What is measured on a GPU alone: on a CPU it says so, and its measurements work on any device."""

from __future__ import annotations

import torch
from judging import names
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.judge.judge import judge
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace
from torchdoctor.models.timing import TURNS, in_turns
from torchdoctor.parts import Parts
from torchdoctor.probes import precision_times, transfer_times
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.probe import Fact
from torchdoctor.record.facts import describe
from torchdoctor.rules.speed.blocking_transfer import blocking_transfer
from torchdoctor.rules.speed.unused_precision import unused_precision

RULES = (blocking_transfer, unused_precision)
CPU = torch.device("cpu")


def parts(half: bool = False) -> Parts:
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    model = model.to(torch.bfloat16) if half else model
    x = torch.randn(32, 1, 8, 8, dtype=torch.bfloat16 if half else torch.float32)
    data = DataLoader(TensorDataset(x, torch.randint(0, 3, (32,))), 16)
    return Parts(model, nn.CrossEntropyLoss(), torch.optim.SGD(model.parameters(), 0.1), data)


def test_on_a_cpu_the_probes_are_silent_and_the_rules_say_why() -> None:
    given = parts()
    assert list(precision_times.precision_times.run(Bench(given))) == []
    assert list(transfer_times.transfer_times.run(Bench(given))) == []
    report = judge(Trace({}, describe(given.model, given.optimizer, given.loss_fn)), RULES)
    assert set(report.not_run) == {"blocking-transfer", "unused-precision"}
    assert all(why.startswith("not on an accelerator") for why in report.not_run.values())


def test_every_precision_is_timed_and_compared_by_the_loss_of_the_same_batch() -> None:
    said = list(precision_times.timed(Bench(parts())))
    measured = {(m.signal, m.subject): m.value for m in said}
    assert {s for s, _ in measured} <= set(precision_times.precision_times.measures)
    arms = {"as it is", "tf32", "bf16", "channels last"}
    assert {subject for signal, subject in measured if signal == "precision_time"} == arms
    assert measured["precision_change", "channels last"] < 1e-4 and measured["precision_change", "tf32"] < 1e-4
    assert 0 < measured["precision_change", "bf16"] < 0.05
    assert measured["reduced_precision", ""] == 0


def test_a_model_of_16_bits_is_left_alone() -> None:
    (only,) = precision_times.timed(Bench(parts(half=True)))
    assert (only.signal, only.value) == ("reduced_precision", 1.0)


def test_the_way_to_the_device_is_timed_with_and_without_pinning_and_settings_are_put_back() -> None:
    given, pinned = parts(), []
    before = torch.backends.cudnn.allow_tf32, torch.get_rng_state()
    weights = [p.clone() for p in given.model.parameters()]
    said = list(transfer_times.timed(Bench(given), lambda t: pinned.append(t) or t.clone()))
    list(precision_times.timed(Bench(given)))
    facts = {s.name: s.value for s in said if isinstance(s, Fact)}
    assert facts == {"batches": {"on": "cpu", "pinned": False}} and [tuple(t.shape) for t in pinned] == [
        (16, 1, 8, 8),
        (16,),
    ]
    assert {(s.signal, s.subject) for s in said if not isinstance(s, Fact)} == {
        ("transfer_time", "as it comes"),
        ("transfer_time", "pinned"),
        ("step_time", ""),
    }
    assert torch.backends.cudnn.allow_tf32 == before[0]
    assert all(torch.equal(a, b) for a, b in zip(weights, given.model.parameters()))


def test_ways_are_timed_in_turns() -> None:
    called: list[str] = []
    seconds = in_turns({"a": lambda: called.append("a"), "b": lambda: called.append("b")}, CPU)
    assert called == ["a", "b"] * (1 + TURNS) and set(seconds) == {"a", "b"}


def test_a_run_of_a_gpu_is_judged_where_there_is_none() -> None:
    device = {"type": "cuda", "name": "a GPU", "capability": [9, 0]}
    times = {"as it is": Series.of(0.08), "bf16": Series.of(0.03)}
    slow = {"as it comes": Series.of(0.03), "pinned": Series.of(0.005)}
    data = {"precision_time": times, "transfer_time": slow, "step_time": {"": Series.of(0.02)}}
    trace = Trace(data, {"device": device, "batches": {"on": "cpu", "pinned": False}})
    assert names(judge(trace, RULES)) == ["blocking-transfer", "unused-precision"]
    old = Trace(data, {"device": {**device, "capability": [7, 0]}, "batches": {"on": "cuda", "pinned": False}})
    assert names(judge(old, RULES)) == []
