"""watch.log: what is kept, where the loss comes from, to which step a number belongs, and that nothing is lost or kept
twice, wherever a flush falls."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from torchdoctor.errors import BadParts, BadRun
from torchdoctor.judge.trace import Trace
from torchdoctor.record.run import Run
from torchdoctor.record.watch import Watch, watch


class Loop:
    """A loop whose parts are called one by one. The loss of step i is i, and backward is called on its double."""

    def __init__(self, path: Path | None = None, loss_fn: bool = False) -> None:
        self.model = nn.Linear(1, 1, bias=False)
        self.optimizer = torch.optim.SGD(self.model.parameters(), 0.0)
        self.loss_fn = nn.L1Loss(reduction="sum") if loss_fn else None
        self.watch = watch(self.model, self.optimizer, self.loss_fn, run=path, tell=False)
        self.done = 0

    def forward(self) -> None:
        out = self.model(torch.ones(1, 1))
        self.loss = out.sum() * 0 + float(self.done)
        if self.loss_fn is not None:
            self.loss = self.loss_fn(self.loss, torch.zeros(()))

    def backward(self) -> None:
        self.optimizer.zero_grad()
        (2 * self.loss).backward()

    def step(self) -> None:
        self.optimizer.step()
        self.done += 1


def run(loop: Loop, steps: int, when: str, **also: Any) -> Trace:
    with loop.watch as w:
        for i in range(steps):
            loop.forward()
            if when == "before backward":
                w.log(loss=10 + i, **also)
            loop.backward()
            if when == "after backward":
                w.log(loss=10 + i, **also)
            loop.step()
            if when == "after step":
                w.log(loss=torch.tensor(10.0 + i), **also)
    return w.trace()


def pairs(trace: Trace, signal: str) -> list[tuple[int, float]]:
    series = trace[signal]
    return list(zip(series.steps.tolist(), series.values.tolist()))


@pytest.mark.parametrize("when", ["before backward", "after backward", "after step"])
def test_a_logged_loss_takes_the_place_of_what_backward_was_called_on(when: str) -> None:
    trace = run(Loop(), 5, when)
    assert pairs(trace, "loss") == [(i, 10.0 + i) for i in range(5)]
    assert trace.facts["loss_from"] == "log"


@pytest.mark.parametrize("when", ["before backward", "after backward", "after step"])
def test_the_loss_functions_own_value_comes_before_a_logged_one(when: str) -> None:
    trace = run(Loop(loss_fn=True), 5, when)
    assert pairs(trace, "loss") == [(i, float(i)) for i in range(5)]
    assert trace.facts["loss_from"] == "loss_fn"


def test_without_either_it_is_what_backward_was_called_on() -> None:
    trace = run(Loop(), 5, "never")
    assert pairs(trace, "loss") == [(i, 2.0 * i) for i in range(5)]
    assert trace.facts["loss_from"] == "backward"


def test_a_loss_function_that_is_never_called_leaves_the_place_to_the_logged_loss() -> None:
    loop = Loop()
    loop.watch = watch(loop.model, loop.optimizer, nn.MSELoss(), tell=False)
    assert pairs(run(loop, 3, "after step"), "loss") == [(0, 10.0), (1, 11.0), (2, 12.0)]


@pytest.mark.parametrize("when", ["before backward", "after backward", "after step"])
def test_other_numbers_belong_to_the_step_that_goes_on_or_has_just_ended(when: str) -> None:
    trace = run(Loop(), 4, when, score=7)
    assert pairs(trace, "score") == [(i, 7.0) for i in range(4)]


def test_numbers_logged_before_the_first_step_and_after_the_last_are_kept() -> None:
    loop = Loop()
    with loop.watch as w:
        w.log(before=1)
        loop.forward()
        loop.backward()
        loop.step()
        with torch.no_grad():
            loop.forward()  # evaluation is no new step
        w.log(between=2)
    w.log(after=3)
    trace = w.trace()
    assert [pairs(trace, n) for n in ("before", "between", "after")] == [[(0, 1.0)], [(0, 2.0)], [(0, 3.0)]]


def test_a_tensor_that_goes_on_growing_after_it_was_logged_keeps_the_value_it_had() -> None:
    loop, total = Loop(), torch.zeros(())
    with loop.watch as w:
        for _ in range(4):
            total += 1
            w.log(total=total)
    assert [v for _, v in pairs(w.trace(), "total")] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "value",
    [
        "0.5", None, [1.0], torch.ones(2), np.ones(3), 1 + 2j, torch.tensor(1j), np.complex64(1), np.str_("1"),
        object(), nn.Linear(1, 1), {"a": 1},
    ],
)  # fmt: skip
def test_what_is_not_one_number_is_refused_in_one_line_and_nothing_of_the_call_is_kept(value: Any) -> None:
    w = watch(nn.Linear(1, 1), torch.optim.SGD([torch.ones(1)], 0.1), tell=False)
    with w, pytest.raises(BadParts, match=r"^watch\.log\(bad=\.\.\.\) takes one number, not [^\n]*\.$"):
        w.log(good=1.0, bad=value)
    assert not w.trace().has("good")


@pytest.mark.parametrize(
    "value", [1, 1.0, True, np.float32(1), np.int64(1), np.True_, torch.ones(1, 1), torch.tensor(1)]
)
def test_every_kind_of_one_number_is_kept_as_that_number(value: Any) -> None:
    with watch(nn.Linear(1, 1), torch.optim.SGD([torch.ones(1)], 0.1), tell=False) as w:
        w.log(x=value)
    assert pairs(w.trace(), "x") == [(0, 1.0)]


def test_not_a_number_and_infinity_are_numbers_to_keep() -> None:
    with watch(nn.Linear(1, 1), torch.optim.SGD([torch.ones(1)], 0.1), tell=False) as w:
        w.log(a=float("nan"), b=torch.tensor(float("inf")), c=np.float64("-inf"))
    trace = w.trace()
    assert np.isnan(trace["a"].last) and trace["b"].last == np.inf and trace["c"].last == -np.inf


def test_a_name_that_the_watch_measures_itself_is_kept_apart() -> None:
    trace = run(Loop(), 3, "after backward", grad_norm=5, lr=0.1, val_loss=3)
    assert pairs(trace, "logged_grad_norm") == [(i, 5.0) for i in range(3)]
    assert "" not in trace.data["lr"] and trace["logged_lr"].last == 0.1
    assert trace["grad_norm"].last != 5
    assert trace["val_loss"].last == 3


def test_logging_to_a_finished_folder_is_refused(tmp_path: Path) -> None:
    loop = Loop(tmp_path / "run")
    run(loop, 1, "never")
    with pytest.raises(BadRun, match="is finished"):
        loop.watch.log(late=1)


class Model:
    """What should be there: a plain account of the same events."""

    def __init__(self, loss_fn: bool) -> None:
        self.loss_fn, self.logged_once = loss_fn, False
        self.losses: dict[int, float] = {}
        self.scores: list[tuple[int, float]] = []
        self.step = 0
        self.stage = "between"  # -> "forward" -> "backward" -> "between"

    @property
    def log_step(self) -> int:
        return max(0, self.step - 1) if self.stage == "between" else self.step

    def log_loss(self, value: float) -> None:
        if self.loss_fn and (self.step or self.stage != "between"):
            return  # loss_fn was called by then, and gives the loss
        self.logged_once = True
        self.losses[self.log_step] = value

    def step_ends(self) -> None:
        if self.loss_fn:
            self.losses[self.step] = float(self.step)
        elif not self.logged_once:
            self.losses[self.step] = 2.0 * self.step
        self.step, self.stage = self.step + 1, "between"


EVENTS = st.lists(
    st.sampled_from(["go", "go", "go", "log loss", "log score", "flush", "look", "evaluate"]), max_size=40
)


@settings(max_examples=60, deadline=None)
@given(events=EVENTS, on_disk=st.booleans(), loss_fn=st.booleans())
def test_any_order_of_steps_logs_flushes_and_looks_loses_and_doubles_nothing(
    events: list[str], on_disk: bool, loss_fn: bool
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run" if on_disk else None
        loop, model = Loop(path, loss_fn), Model(loss_fn)
        with loop.watch as w:
            for number, event in enumerate(events):
                happens(event, number + 1000.0, loop, model, w)
        traces = [w.trace(), *([Run(path).trace()] if path else [])]
    for trace in traces:
        assert dict(pairs(trace, "loss")) == model.losses
        assert len(trace["loss"]) == len(model.losses)
        assert pairs(trace, "score") == model.scores
        assert len(trace["grad_norm"]) == model.step == len(trace.data.get("phase_time", {}).get("rest", ()))


def happens(event: str, number: float, loop: Loop, model: Model, w: Watch) -> None:
    if event == "log loss":
        w.log(loss=number)
        model.log_loss(number)
    elif event == "log score":
        w.log(score=number)
        model.scores.append((model.log_step, number))
    elif event == "flush":
        if model.stage == "between" and model.step:  # as the watch itself does it: when the next step begins
            loop.forward()
            w._buffer.flush()
            model.stage = "forward"
    elif event == "look":
        assert dict(pairs(w.trace(), "loss")) == model.losses
    elif event == "evaluate":
        with torch.no_grad():
            loop.model(torch.ones(1, 1))
    else:
        {"between": loop.forward, "forward": loop.backward, "backward": loop.step}[model.stage]()
        if model.stage == "backward":
            model.step_ends()
        else:
            model.stage = {"between": "forward", "forward": "backward"}[model.stage]
