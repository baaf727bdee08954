"""Disk full, Ctrl-C, crashes, broken signals, loops that raise: training goes on, one line says so, nothing is lost."""

from __future__ import annotations

import os
import resource
import shutil
import signal as signals
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data.dataloader import _BaseDataLoaderIter

from torchdoctor.errors import BadRun
from torchdoctor.record import watch as watch_module
from torchdoctor.record.off import WatchWarning
from torchdoctor.record.run import Run, Writer
from torchdoctor.record.signal import Columns, Signal, signal
from torchdoctor.record.watch import Watch, watch


def torchs_own() -> tuple[Any, ...]:
    """The functions of torch that a watch wraps."""
    return (
        torch.autograd.backward, torch.amp.GradScaler.scale, torch.amp.GradScaler.update, _BaseDataLoaderIter.__next__
    )  # fmt: skip


UNTOUCHED = torchs_own()


def untouched() -> bool:
    return torchs_own() == UNTOUCHED


def hookless(model: nn.Module) -> bool:
    return not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))


class Loop:
    def __init__(self) -> None:
        self.model = net()
        self.optimizer = torch.optim.SGD(self.model.parameters(), 0.1)
        self.done = 0

    def step(self) -> None:
        self.optimizer.zero_grad()
        F.cross_entropy(self.model(torch.randn(8, 6)), torch.randint(3, (8,))).backward()
        self.optimizer.step()
        self.done += 1

    def watch(self, **options: Any) -> Watch:
        return watch(self.model, self.optimizer, tell=False, **options)


def read_loss(path: Path) -> list[int]:
    run = Run(path)
    steps = run.trace()["loss"].steps.tolist()
    run.close()
    return list(steps)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flush every five steps."""
    monkeypatch.setattr(watch_module, "FLUSH_STEPS", 5)
    monkeypatch.setattr(watch_module, "FLUSH_SECONDS", 0.0)


# -- the disk ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("soon")
def test_when_the_disk_is_full_training_goes_on_and_the_report_knows_all_that_happened(tmp_path: Path) -> None:
    loop = Loop()
    said = pytest.warns(WatchWarning, match="Recording to .*run stopped.*full.*training goes on")
    with said as messages, loop.watch(run=tmp_path / "run") as w:
        for _ in range(20):
            loop.step()
        pages = w._buffer.writer._db.execute("PRAGMA page_count").fetchone()[0]
        w._buffer.writer._db.execute(f"PRAGMA max_page_count={pages}")
        for _ in range(40):
            loop.step()
    assert len(messages) == 1 and "\n" not in str(messages[0].message)
    trace = w.trace()
    assert trace["loss"].steps.tolist() == trace["grad_norm"].steps.tolist() == list(range(60))
    assert trace.facts["parameters"]["0.weight"]["shape"] == [8, 6] and trace.facts["steps"] == 60
    assert w.report().crashed == {}
    kept = read_loss(tmp_path / "run")
    assert kept == list(range(len(kept))) and 15 <= len(kept) < 60


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file of this process may grow beyond 200,000 bytes, as under a quota."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("soon", "small_files")
def test_a_file_that_may_not_grow_stops_the_recording_and_not_the_training(tmp_path: Path) -> None:
    loop = Loop()
    said = pytest.warns(WatchWarning, match="Recording to .*run stopped")
    with said as messages, loop.watch(run=tmp_path / "run") as w:
        for _ in range(200):
            loop.step()
    assert len(messages) == 1
    assert w.trace()["loss"].steps.tolist() == list(range(200))
    kept = read_loss(tmp_path / "run")
    assert kept == list(range(len(kept))) and 5 <= len(kept) < 200


@pytest.mark.usefixtures("soon")
def test_a_folder_that_vanishes_while_training_loses_nothing_of_the_report(tmp_path: Path) -> None:
    loop = Loop()
    with pytest.warns(WatchWarning, match="Recording to .*run stopped"), loop.watch(run=tmp_path / "run") as w:
        for i in range(30):
            loop.step()
            if i == 12:
                shutil.rmtree(tmp_path / "run")
    assert w.trace()["loss"].steps.tolist() == list(range(30))
    assert w.trace().facts["steps"] == 30


def test_a_full_disk_when_the_last_values_are_written_is_no_end_either(tmp_path: Path) -> None:
    loop = Loop()
    with pytest.warns(WatchWarning, match="Recording to .* stopped"), loop.watch(run=tmp_path / "run") as w:
        w._buffer.writer._db.execute("PRAGMA max_page_count=1")
        for _ in range(300):
            loop.step()
    assert len(w.trace()["loss"]) == 300
    w.log(after=1.0)
    assert w.trace()["after"].last == 1


def test_a_run_that_cannot_be_started_says_so_before_training_and_leaves_nothing_behind(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(BadRun, match=r"^Cannot write .*Free some space, or choose another folder\.$") as error:
            Loop().watch(run=tmp_path / "runs" / "new")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "\n" not in str(error.value)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(("steps", "seconds", "at_latest", "slow"), [(5, 0, 99, 99), (99, 99, 5, 99), (99, 99, 99, 0)])
def test_a_flush_comes_after_many_steps_and_after_a_while_whatever_the_loops_speed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int, seconds: float, at_latest: int, slow: float
) -> None:
    for name, value in {"STEPS": steps, "SECONDS": seconds, "AT_LATEST": at_latest, "SLOW": slow}.items():
        monkeypatch.setattr(watch_module, f"FLUSH_{name}", value)
    loop = Loop()
    with loop.watch(run=tmp_path / "run"):
        for _ in range(12):
            loop.step()
        assert len(read_loss(tmp_path / "run")) == (11 if slow == 0 else 10)


# -- interruptions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [KeyboardInterrupt, RuntimeError, SystemExit])
@pytest.mark.parametrize("where", ["between", "in forward", "in backward", "in step"])
def test_a_loop_that_is_left_by_an_exception_is_recorded_up_to_there(
    tmp_path: Path, kind: type[BaseException], where: str
) -> None:
    class Breaks(nn.Linear):
        armed = False

        def forward(self, x: Tensor) -> Tensor:
            if self.armed and where == "in forward":
                raise kind("now")
            out = super().forward(x)
            if self.armed and where == "in backward":
                out.register_hook(lambda _: throw())
            return out

    def throw(*_: Any) -> None:
        raise kind("now")

    loop = Loop()
    loop.model[0] = Breaks(6, 8)
    loop.optimizer = torch.optim.SGD(loop.model.parameters(), 0.1)
    with pytest.raises(kind), loop.watch(run=tmp_path / "run"):
        for i in range(20):
            if i == 13:
                loop.model[0].armed = True
                if where == "in step":
                    loop.optimizer.register_step_pre_hook(throw)
                if where == "between":
                    throw()
            loop.step()
    assert read_loss(tmp_path / "run") == list(range(13))
    assert hookless(loop.model) and untouched()
    assert not list((tmp_path / "run").glob("*-wal"))
    loop.model[0].armed = False


OURS = (__file__, str(Path(watch_module.__file__).parents[1]))


def pressing_ctrl_c(lines: int, call: Callable[[], object]) -> None:
    """Calls it, and presses Ctrl-C when so many lines of this file and of torchdoctor were run: at the same place on
    every machine. AssertionError when that is not heard."""
    left = lines

    def at_a_line(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        left -= event == "line"
        if not left:
            raise KeyboardInterrupt
        return at_a_line

    before = sys.gettrace()
    sys.settrace(at_a_line)
    try:
        call()
    finally:
        sys.settrace(before)
    assert left > 0


@pytest.mark.parametrize("before", [0, 5])
def test_ctrl_c_at_any_time_ends_in_a_readable_run(before: int, tmp_path: Path) -> None:
    """Step 0 is sampled, and steps 5 to 7 are not."""
    for lines in range(1, 100_000, 29):
        loop, run, ended = Loop(), tmp_path / f"after-{lines}", False
        with suppress(KeyboardInterrupt), loop.watch(run=run) as w:
            for _ in range(before):
                loop.step()
            pressing_ctrl_c(lines, lambda loop=loop: [loop.step() for _ in range(3)])
            ended = True
        if ended:
            break
        assert hookless(loop.model) and untouched()
        assert loop.done - len(read_loss(run)) in (-1, 0)
        assert w.trace().facts["steps"] in (loop.done, loop.done + 1)
    assert lines > 600


@pytest.mark.usefixtures("soon")
def test_ctrl_c_in_the_middle_of_a_flush_waits_for_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append, calls = Writer.append, 0

    def interrupted(*args: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 7:
            os.kill(os.getpid(), signals.SIGINT)
        append(*args)

    monkeypatch.setattr(Writer, "append", interrupted)
    loop = Loop()
    with pytest.raises(KeyboardInterrupt), loop.watch(run=tmp_path / "run"):
        for _ in range(30):
            loop.step()
    kept = Run(tmp_path / "run").trace()
    assert calls > 7 and loop.done < 30
    for name in ("loss", "grad_norm"):
        assert kept[name].steps.tolist() == list(range(loop.done))


KILLED = """
import os, sys, torch, torchdoctor as td
from torchdoctor.record import watch as w
def train(watch, steps):
    with watch:
        for i in range(steps):
            optimizer.zero_grad()
            model(torch.randn(8, 4)).square().mean().backward()
            optimizer.step()
        if steps == 57:
            os._exit(3)
        train(td.watch(model, optimizer, run=sys.argv[2]), 57)
model = torch.nn.Linear(4, 2)
optimizer = torch.optim.SGD(model.parameters(), 0.1)
w.FLUSH_STEPS, w.FLUSH_SECONDS = 10, 0.0
train(td.watch(model, optimizer, run=sys.argv[1]), 2)
"""


def test_a_process_that_dies_loses_at_most_its_last_flush(tmp_path: Path) -> None:
    early, late = tmp_path / "early", tmp_path / "late"
    done = subprocess.run([sys.executable, "-c", KILLED, str(early), str(late)], check=False)
    assert done.returncode == 3
    kept = read_loss(late)
    assert kept == list(range(len(kept))) and 45 <= len(kept) <= 57
    for path in (early, late):  # what was watched is known from the first moment on
        run = Run(path)
        assert run.trace().facts["parameters"]["weight"]["shape"] == [2, 4]
        run.close()


# -- a watch that breaks ----------------------------------------------------------------------------------------------


def broken(at: Any, how: str) -> Signal:
    def measure(moment: Any) -> Columns | None:
        if how == "raises":
            raise ValueError("first line\nsecond line " + "x" * 10_000)
        if how == "too few":
            return Columns(("a", "b"), [torch.ones(())])
        if how == "no numbers":
            return Columns(("a",), ["no number"])  # type: ignore[list-item]
        return Columns(("a",), torch.ones(2, 2))[:1]  # type: ignore[return-value]

    made = signal(unit="1", at=at)(measure)
    return Signal("broken", made.unit, at, "run", "a broken one", measure, __name__)


@pytest.mark.parametrize("how", ["raises", "too few", "no tuple"])
@pytest.mark.parametrize("at", ["step", "forward", "backward", "update"])
def test_a_broken_signal_is_switched_off_with_one_line_and_the_others_go_on(at: Any, how: str) -> None:
    loop = Loop()
    with pytest.warns(WatchWarning, match="^Signal broken is off: it failed at step 0: ") as said:
        w = loop.watch()
        w._follower.signals[at].append(broken(at, how))  # type: ignore[index, union-attr, attr-defined]
        with w:
            for _ in range(12):
                loop.step()
    assert len(said) == 1 and "\n" not in str(said[0].message) and len(str(said[0].message)) < 400
    trace = w.trace()
    assert len(trace["loss"]) == len(trace["grad_norm"]) == loop.done == 12
    assert trace.has("update_ratio") and trace.has("activation_mean") and not trace.has("broken")
    assert "broken" in trace.facts["signals_off"]


def test_values_that_are_no_numbers_cost_their_own_signal_when_they_are_written() -> None:
    loop = Loop()
    with pytest.warns(WatchWarning, match="values of broken are lost"):
        w = loop.watch()
        w._follower.signals["step"].append(broken("step", "no numbers"))  # type: ignore[attr-defined]
        with w:
            for _ in range(5):
                loop.step()
    assert len(w.trace()["loss"]) == 5 and not w.trace().has("broken")


def test_a_layer_whose_output_cannot_be_measured_costs_the_layers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise RuntimeError("cannot be measured")

    monkeypatch.setattr("torchdoctor.record.activations.statistics", refuse)
    loop = Loop()
    said = pytest.warns(WatchWarning, match=r"activation_mean and \d+ more is off.*cannot be measured")
    with said as messages, loop.watch() as w:
        for _ in range(20):
            loop.step()
    assert len(messages) == 1
    trace = w.trace()
    assert len(trace["loss"]) == 20 and trace.has("update_ratio") and trace.has("output_mean")
    assert "dead_share" in trace.facts["signals_off"]


def test_a_watch_that_breaks_itself_lets_training_go_on_unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Loop()
    said = pytest.warns(WatchWarning, match="the watch itself failed at step 4: ZeroDivisionError")
    with said as messages, loop.watch() as w:
        for i in range(10):
            if i == 4:
                monkeypatch.setattr(w._follower._reading, "read_loss", lambda: 1 / 0)
            loop.step()
    assert len(messages) == 1 and loop.done == 10
    trace = w.trace()
    assert len(trace["loss"]) == 4
    assert "the watch itself failed" in trace.facts["signals_off"]["everything"]
    assert hookless(loop.model) and untouched()


def test_where_warnings_are_errors_they_end_the_loop_but_leave_nothing_behind(tmp_path: Path) -> None:
    loop = Loop()
    w = loop.watch(run=tmp_path / "run")
    w._follower.signals["step"].append(broken("step", "raises"))  # type: ignore[attr-defined]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(WatchWarning), w:
            loop.step()
    assert hookless(loop.model) and untouched()
    assert read_loss(tmp_path / "run") == []


def test_a_forward_pass_that_raises_and_is_caught_leaves_no_hooks_on_the_layers() -> None:
    loop = Loop()
    with loop.watch() as w:
        for i in range(20):
            try:
                if i % 3 == 0:
                    loop.model(torch.randn(8, 5))
            except RuntimeError:
                pass
            loop.step()
            assert hookless(nn.ModuleList(loop.model.children()))
    assert len(w.trace()["loss"]) == 20
    assert w.trace().has("activation_mean")


def test_an_optimizer_step_that_raises_and_is_caught_is_followed_by_ordinary_ones() -> None:
    loop = Loop()
    with loop.watch() as w:
        for i in range(9):
            if i == 4:
                handle = loop.optimizer.register_step_post_hook(lambda *_: 1 / 0)
                with pytest.raises(ZeroDivisionError):
                    loop.step()
                handle.remove()
            loop.step()
    assert len(w.trace()["loss"]) >= 9
    assert np.all(np.diff(w.trace()["loss"].steps) == 1)


def test_an_optimizer_whose_step_calls_its_parents_step_takes_one_step() -> None:
    class Mine(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any:
            return super().step(closure)

    loop = Loop()
    torch.optim.SGD([torch.ones(1)], 0.1)  # the parent's step has its hooks, too
    loop.optimizer = Mine(loop.model.parameters(), 0.1)
    with loop.watch() as w:
        for _ in range(6):
            loop.step()
    assert w.trace()["loss"].steps.tolist() == w.trace()["grad_norm"].steps.tolist() == list(range(6))
