"""A run that was stopped and resumed ends bit for bit where one ends that never stopped; a kill loses no checkpoint."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from torchdoctor.data.batches import TensorBatches
from torchdoctor.errors import BadCheckpoint
from torchdoctor.parts import Parts
from torchdoctor.train import checkpoint
from torchdoctor.train.log import History
from torchdoctor.train.loop import LoopOptions, fit, start
from torchdoctor.train.resume import Checkpoints, checkpoint_in, restore
from torchdoctor.train.seed import random_state, seed_all, set_random_state
from torchdoctor.train.standing import Standing

STATEFUL = ["tensor-batches", "data-loader", "global-generator"]


class Stop(BaseException):
    """As Ctrl-C would."""


def build(seed: int = 0, *, loader: str = "tensor-batches", optimizer: str = "adam", width: int = 12) -> Parts:
    seed_all(seed)
    x = torch.randn(70, 6)
    y = (x[:, :3].argmax(1)).long()
    model = nn.Sequential(nn.Linear(6, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Dropout(0.3), nn.Linear(width, 3))
    made = {
        "adam": lambda p: torch.optim.AdamW(p, lr=0.01),
        "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
        "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01, centered=True),
    }[optimizer](model.parameters())
    data = TensorDataset(x[:50], y[:50])
    train = {
        "tensor-batches": lambda: TensorBatches(x[:50], y[:50], 8, True, seed),
        "data-loader": lambda: DataLoader(data, 8, True, generator=torch.Generator().manual_seed(seed)),
        "global-generator": lambda: DataLoader(data, 8, True),
    }[loader]()
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(made, 6)
    return Parts(model, nn.CrossEntropyLoss(), made, train, TensorBatches(x[50:], y[50:]), scheduler)


def everything(parts: Parts) -> list[torch.Tensor]:
    state = [v for s in parts.optimizer.state_dict()["state"].values() for v in s.values()]
    return [*parts.model.state_dict().values(), *state, torch.get_rng_state()]


def assert_same(one: list[torch.Tensor], other: list[torch.Tensor]) -> None:
    assert len(one) == len(other) and all(torch.equal(a, b) for a, b in zip(one, other))


@pytest.mark.parametrize("loader", STATEFUL)
@pytest.mark.parametrize(
    ("optimizer", "precision"), [("adam", "fp32"), ("sgd", "bf16"), ("sgd", "fp16"), ("rmsprop", "fp32")]
)
def test_half_and_resume_and_half_is_bit_for_bit_the_whole(tmp_path, loader, optimizer, precision):
    options = LoopOptions(precision=precision, accumulate=2, clip_norm=1.0)
    whole, history = build(loader=loader, optimizer=optimizer), History(6)
    fit(whole, history, options)
    expected = everything(whole)

    fit(build(loader=loader, optimizer=optimizer), History(3), options, checkpoints=Checkpoints(tmp_path))
    resumed, rest = build(loader=loader, optimizer=optimizer), History(6)
    next(iter(resumed.train))  # nothing that happens before must matter
    torch.rand(13)
    random.random()
    fit(resumed, rest, options, checkpoints=Checkpoints(tmp_path / "new", resume=tmp_path / "last"))
    assert_same(everything(resumed), expected)
    assert {name: values[3:] for name, values in history.numbers.items()} == rest.numbers


@pytest.mark.parametrize("stop_at", [1, 5, 7, 8, 14])
def test_resuming_in_the_middle_of_an_epoch_is_exact_to_the_step(tmp_path, stop_at):
    whole, history = build(), History(4)
    fit(whole, history)
    expected = everything(whole)

    def stop(at: Standing) -> None:
        if at.step == stop_at:
            raise Stop

    with pytest.raises(Stop):
        fit(build(), History(4), checkpoints=Checkpoints(tmp_path, every_steps=1), on_step=stop)
    resumed, rest = build(), History(4)
    fit(resumed, rest, checkpoints=Checkpoints(tmp_path, resume=tmp_path / "last"))
    assert_same(everything(resumed), expected)
    done = (stop_at - 1) // 7  # epochs of 7 steps; the numbers of one come after its last step
    assert {name: values[done:] for name, values in history.numbers.items()} == rest.numbers


def test_patience_and_the_best_weights_survive_a_stop(tmp_path):
    def scores():
        told = iter([0.1, 0.9, 0.3, 0.2, 0.1, 0.1])
        return LoopOptions(patience=3, score=lambda *_: next(told))

    whole, history, options = build(), History(20), scores()
    fit(whole, history, options)
    options = scores()
    fit(build(), History(3), options, checkpoints=Checkpoints(tmp_path))
    resumed, rest = build(), History(20)
    fit(resumed, rest, options, checkpoints=Checkpoints(tmp_path, resume=tmp_path / "last"))
    assert len(history.numbers["epoch"]) == 5 and len(rest.numbers["epoch"]) == 2
    for a, b in zip(whole.model.state_dict().values(), resumed.model.state_dict().values()):
        assert torch.equal(a, b)
    again = History(20)
    fit(build(), again, options, checkpoints=Checkpoints(tmp_path, resume=tmp_path / "last"))
    assert again.numbers == {}  # it had ended; there is nothing left to do


def test_best_is_the_epoch_with_the_best_score_and_its_weights_stand_alone(tmp_path):
    told = iter([0.1, 0.9, 0.3])
    p = build()
    kept: list[dict[str, torch.Tensor]] = []

    def score(model: nn.Module, _: object) -> float:
        kept.append({name: t.clone() for name, t in model.state_dict().items()})
        return next(told)

    fit(p, History(3), LoopOptions(score=score), checkpoints=Checkpoints(tmp_path))
    twin = build(seed=9).model
    checkpoint.load_weights(tmp_path / "best", twin)
    assert all(torch.equal(t, kept[1][name]) for name, t in twin.state_dict().items())
    assert checkpoint.load(tmp_path / "best", twin)["epoch"] == 2
    assert checkpoint.load(tmp_path / "last", twin)["epoch"] == 3


def test_random_numbers_of_all_libraries_continue_where_they_were():
    seed_all(3)
    random.gauss(0, 1)
    np.random.normal()  # noqa: NPY002
    state = random_state()
    first = [random.random(), random.gauss(0, 1), np.random.normal(), torch.rand(1).item()]  # noqa: NPY002
    set_random_state(state)
    assert first == [random.random(), random.gauss(0, 1), np.random.normal(), torch.rand(1).item()]  # noqa: NPY002


def test_a_checkpoint_of_another_model_names_the_first_tensor_that_differs(tmp_path):
    p = build()
    checkpoint.save(tmp_path / "c", p.model, {})
    wide = build(width=13).model
    before = [t.clone() for t in wide.state_dict().values()]
    with pytest.raises(BadCheckpoint, match=r"0\.weight is \(12, 6\) there and \(13, 6\) here"):
        checkpoint.load(tmp_path / "c", wide)
    assert all(torch.equal(a, b) for a, b in zip(before, wide.state_dict().values()))
    with pytest.raises(BadCheckpoint, match=r"has no 5\.weight"):
        checkpoint.load(tmp_path / "c", nn.Sequential(*p.model, nn.Linear(3, 3)))
    with pytest.raises(BadCheckpoint, match=r"it has 4\.(weight|bias).*not here"):
        checkpoint.load(tmp_path / "c", p.model[:4])


def test_a_checkpoint_of_another_optimizer_is_refused_in_one_line(tmp_path):
    fit(build(), History(1), checkpoints=Checkpoints(tmp_path))
    other = build()
    frozen = torch.optim.SGD([next(other.model.parameters())], lr=0.1)
    with pytest.raises(BadCheckpoint, match="another optimizer") as refused:
        fit(
            Parts(other.model, other.loss_fn, frozen, other.train), History(2),
            checkpoints=Checkpoints(tmp_path / "new", resume=tmp_path / "last"),
        )  # fmt: skip
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("loader", STATEFUL)
def test_a_checkpoint_of_another_batch_size_is_refused(tmp_path, loader):
    fit(build(loader=loader), History(1), checkpoints=Checkpoints(tmp_path))
    other = build(loader=loader)
    data = other.train.dataset if hasattr(other.train, "dataset") else None
    batches = TensorBatches(other.train.x, other.train.y, 10) if data is None else DataLoader(data, 10, True)
    other = replace(other, train=batches)
    with pytest.raises(BadCheckpoint, match="batch_size is 8 there and 10 here"):
        restore(tmp_path / "last", start(other, LoopOptions(), 2))


def test_a_checkpoint_of_an_optimizer_with_other_settings_is_refused(tmp_path):
    def by(optimizer: type[torch.optim.Optimizer]) -> Parts:
        p = build()
        return Parts(p.model, p.loss_fn, optimizer(p.model.parameters(), lr=0.1), p.train)

    fit(by(torch.optim.SGD), History(1), checkpoints=Checkpoints(tmp_path))  # without momentum it keeps no state
    with pytest.raises(BadCheckpoint, match=r"another optimizer.*it has no betas"):
        restore(tmp_path / "last", start(by(torch.optim.Adam), LoopOptions(), 2))


@pytest.mark.parametrize("file", [checkpoint.WEIGHTS, checkpoint.STATE])
@pytest.mark.parametrize("damage", ["cut", "empty", "gone", "garbage"])
def test_a_damaged_checkpoint_is_named_in_one_line(tmp_path, file, damage):
    p = build()
    fit(p, History(1), checkpoints=Checkpoints(tmp_path))
    path = tmp_path / "last" / file
    raw = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes({"cut": raw[: len(raw) // 2], "empty": b"", "garbage": random.randbytes(len(raw))}[damage])
    with pytest.raises(BadCheckpoint, match=file) as refused:
        checkpoint.load(tmp_path / "last", p.model)
    assert "\n" not in str(refused.value)


def test_nothing_is_unpickled_from_a_checkpoint(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    p = build()
    checkpoint.save(tmp_path / "c", p.model, {})
    torch.save({"trap": Trap()}, tmp_path / "c" / checkpoint.STATE)
    with pytest.raises(BadCheckpoint):
        checkpoint.load(tmp_path / "c", p.model)
    assert not (tmp_path / "sprung").exists()


def test_weights_that_share_memory_are_saved_once_and_come_back_shared(tmp_path):
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encode, self.decode = nn.Linear(4, 4), nn.Linear(4, 4)
            self.decode.weight = self.encode.weight

    model, twin = Tied(), Tied()
    checkpoint.save(tmp_path / "c", model, {})
    checkpoint.load(tmp_path / "c", twin)
    assert torch.equal(twin.decode.weight, model.encode.weight) and twin.decode.weight is twin.encode.weight


def test_a_checkpoint_that_cannot_be_written_leaves_the_old_one_and_lets_training_go_on(tmp_path):
    p = build()
    checkpoint.save(tmp_path / "last", p.model, {"n": 1})
    (tmp_path / "last.new").write_text("in the way")  # no folder can be made here
    history = History(2)
    with pytest.warns(UserWarning, match="Training goes on"):
        fit(p, history, checkpoints=Checkpoints(tmp_path))
    assert len(history.numbers["epoch"]) == 2
    assert checkpoint.load(tmp_path / "last", p.model) == {"n": 1}


def test_no_checkpoint_says_what_to_give(tmp_path):
    with pytest.raises(BadCheckpoint, match="There is no checkpoint"):
        checkpoint.load(tmp_path / "last", build().model)


def test_a_checkpoint_may_be_the_current_folder_which_has_no_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadCheckpoint, match="holds no checkpoint to resume from"):
        checkpoint_in(Path())
    model = build().model
    checkpoint.save(tmp_path / "last", model, {"n": 1})
    monkeypatch.chdir(tmp_path / "last")
    assert checkpoint.load(checkpoint_in(Path()), model) == {"n": 1}


SAVING = """
import sys, torch
from pathlib import Path
from torchdoctor.train import checkpoint
torch.set_num_threads(1)
model = torch.nn.Linear(300, 300)
for n in range(10**6):
    torch.nn.init.constant_(model.weight, float(n))
    checkpoint.save(Path(sys.argv[1]) / "last", model, {"n": n})
    if n == 3: print("begun", flush=True)
"""


@pytest.mark.slow
def test_a_process_killed_while_saving_leaves_a_whole_checkpoint(tmp_path: Path):
    for delay in (0.0, 0.02):
        job = subprocess.Popen([sys.executable, "-c", SAVING, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert job.stdout is not None and job.stdout.readline() == "begun\n"
        time.sleep(delay)
        job.send_signal(signal.SIGKILL)
        job.wait()
        job.stdout.close()
        model = nn.Linear(300, 300)
        state = checkpoint.load(tmp_path / "last", model)
        assert state["n"] >= 3 and (model.weight == float(state["n"])).all()  # both files are of the same moment


def test_a_kill_between_the_two_moves_is_understood_and_repaired(tmp_path):
    p = build()
    checkpoint.save(tmp_path / "last", p.model, {"n": 1})
    checkpoint.save(tmp_path / "next", p.model, {"n": 2})
    (tmp_path / "last").rename(tmp_path / "last.old")  # what a kill after the first move leaves
    (tmp_path / "next").rename(tmp_path / "last.new")
    assert checkpoint.load(tmp_path / "last", p.model) == {"n": 2}
    checkpoint.save(tmp_path / "last", p.model, {"n": 3})
    assert checkpoint.load(tmp_path / "last", p.model) == {"n": 3}
    assert [f.name for f in tmp_path.iterdir()] == ["last"]
