"""When a watch is closed torch and model are as before; watches overlap in any order; copies carry no recorder."""

from __future__ import annotations

import copy
import io
import itertools
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader
from torch.utils.data.dataloader import _BaseDataLoaderIter
from waiting import until

from torchdoctor.errors import BadParts
from torchdoctor.record import taps
from torchdoctor.record import watch as watch_module
from torchdoctor.record.watch import Watch, watch


def torchs_own() -> tuple[Any, ...]:
    """The functions of torch that a watch wraps."""
    return (
        torch.autograd.backward, torch.amp.GradScaler.scale, torch.amp.GradScaler.update, _BaseDataLoaderIter.__next__
    )  # fmt: skip


ORIGINAL = torchs_own()


@pytest.fixture(autouse=True)
def _torch_is_left_as_it_was() -> Iterator[None]:
    assert torchs_own() == ORIGINAL
    yield
    assert torchs_own() == ORIGINAL


class Loop:
    def __init__(self) -> None:
        self.model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
        self.optimizer = torch.optim.SGD(self.model.parameters(), 0.1)
        self.loss_fn = nn.CrossEntropyLoss()

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.loss_fn(self.model(torch.randn(8, 6)), torch.randint(3, (8,))).backward()
        self.optimizer.step()

    def watch(self) -> Watch:
        return watch(self.model, self.optimizer, self.loss_fn, tell=False)

    def hooks(self) -> int:
        modules = [*self.model.modules(), self.loss_fn]
        own = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in modules)
        return own + len(self.optimizer._optimizer_step_pre_hooks) + len(self.optimizer._optimizer_step_post_hooks)


def test_after_the_block_no_hook_is_left_and_torch_has_its_own_functions() -> None:
    loop = Loop()
    with loop.watch() as w:
        assert torchs_own() != ORIGINAL and loop.hooks() == 5
        for _ in range(3):
            loop.step()
            assert loop.hooks() == 5  # those on the layers last one forward pass
    assert loop.hooks() == 0 and torchs_own() == ORIGINAL
    loop.step()
    assert len(w.trace()["loss"]) == 3
    w.close()  # again is harmless


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_watches_that_overlap_may_be_closed_in_any_order(order: tuple[int, ...]) -> None:
    loops = [Loop() for _ in range(3)]
    watches = [loop.watch() for loop in loops]
    for w in watches:
        w.__enter__()
    steps = [0, 0, 0]
    for closing in order:
        for i, loop in enumerate(loops):
            if loop.hooks():
                loop.step()
                steps[i] += 1
        watches[closing].close()
    assert torchs_own() == ORIGINAL
    for i, w in enumerate(watches):
        assert len(w.trace()["loss"]) == steps[i] == order.index(i) + 1
        assert not loops[i].hooks()


def test_two_watches_of_the_same_loop_see_the_same() -> None:
    loop = Loop()
    with loop.watch() as outer:
        loop.step()
        with loop.watch() as inner:
            loop.step()
            loop.step()
        loop.step()
    assert len(outer.trace()["loss"]) == 4 and len(inner.trace()["loss"]) == 2
    assert outer.trace()["grad_norm"].values[1:3].tolist() == inner.trace()["grad_norm"].values.tolist()


def test_a_watch_is_used_once() -> None:
    loop = Loop()
    w = loop.watch()
    with w:
        loop.step()
    with pytest.raises(BadParts, match="used once"), w:
        pass
    with loop.watch() as again, pytest.raises(BadParts, match="used once"), again:
        pass
    assert loop.hooks() == 0


def test_a_wrapper_that_another_library_put_over_ours_is_not_torn_down(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, calls = Loop(), 0

    def install() -> None:
        below = torch.autograd.backward

        def theirs(*args: Any, **kwargs: Any) -> Any:
            nonlocal calls
            calls += 1
            return below(*args, **kwargs)

        monkeypatch.setattr(torch.autograd, "backward", theirs)

    with loop.watch() as first:
        install()
        loop.step()
    loop.step()
    assert calls == 2
    with loop.watch() as second:
        loop.step()
    assert calls == 3
    assert len(first.trace()["loss"]) == len(second.trace()["loss"]) == 1
    assert second._follower.passes.seen == 1
    monkeypatch.undo()
    with loop.watch():  # finds its wrapper on top again, and takes it off at the end
        loop.step()
    assert calls == 3


def test_a_watch_may_live_in_a_thread_and_two_threads_keep_apart() -> None:
    results: dict[int, Watch] = {}
    start = threading.Barrier(3)

    def work(number: int) -> None:
        loop = Loop()
        start.wait()
        with loop.watch() as w:
            for _ in range(30):
                loop.step()
        results[number] = w

    threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    start.wait()
    other = Loop()
    for _ in range(30):
        other.step()  # the main thread trains, unwatched
    for thread in threads:
        thread.join()
    for w in results.values():
        trace = w.trace()
        assert trace["loss"].steps.tolist() == trace["grad_norm"].steps.tolist() == list(range(30))
        assert trace["stale_grad_norm"].values.max() == 0
        assert w._follower.passes.seen == 30


def test_a_watch_that_is_opened_while_another_closes_hears_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    first, loop = Loop().watch(), Loop()
    second, opening = loop.watch(), list[threading.Thread]()

    class Places(dict[Any, Any]):
        def items(self) -> Any:
            """Asked for by the watch that closes; while it is at it, the other one comes."""
            if not opening:
                opening.append(threading.Thread(target=second.__enter__))
                opening[0].start()
                opening[0].join(0.5)
            return super().items()

    monkeypatch.setattr(taps, "_wrapped", Places())
    with first:
        pass
    opening[0].join()
    loop.step()
    second.close()
    assert second._follower.passes.seen == 1


def test_a_watch_opened_here_follows_a_loop_that_runs_in_a_thread() -> None:
    loop = Loop()
    with loop.watch() as w:
        thread = threading.Thread(target=lambda: [loop.step() for _ in range(5)])
        thread.start()
        thread.join()
    assert len(w.trace()["loss"]) == 5
    assert w.trace().data["phase_time"]["backward"].values.min() > 0


def test_another_thread_may_read_the_trace_while_the_loop_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "FLUSH_STEPS", 5)
    monkeypatch.setattr(watch_module, "FLUSH_SECONDS", 0.0)
    loop, lengths, wrong = Loop(), [0], []
    with watch(loop.model, loop.optimizer, run=tmp_path / "run", tell=False) as w:

        def look() -> None:
            while loop.model.training:
                steps = w.trace()["grad_norm"].steps.tolist()
                if steps != list(range(len(steps))) or len(steps) < lengths[-1]:
                    wrong.append(steps)
                lengths.append(len(steps))

        thread = threading.Thread(target=look)
        thread.start()
        for _ in range(150):
            loop.step()
        until(lambda: loop.step() or len(set(lengths)) > 5)  # it may take its time between two looks
        loop.model.eval()
        thread.join()
    assert not wrong
    assert lengths[-1] <= len(w.trace()["grad_norm"]) == w._follower.step


def test_a_copy_of_a_watched_model_is_not_watched() -> None:
    loop = Loop()
    with loop.watch() as w:
        loop.step()
        twin = copy.deepcopy(loop.model)
        optimizer = copy.deepcopy(loop.optimizer)
        assert optimizer.param_groups[0]["lr"] == 0.1
        for _ in range(3):
            F.cross_entropy(twin(torch.randn(8, 6)), torch.randint(3, (8,))).backward()
        loop.step()
    assert len(w.trace()["loss"]) == 2
    assert w._follower.forwards == 2


def test_a_model_saved_whole_while_it_was_watched_loads_where_torchdoctor_is_not_installed() -> None:
    loop = Loop()
    saved = io.BytesIO()
    with loop.watch() as w:
        loop.step()
        torch.save(loop.model, saved)
        pickled = pickle.dumps(loop.model)
        assert b"torchdoctor" not in saved.getvalue() + pickled
        for again in (pickle.loads(pickled), torch.load(io.BytesIO(saved.getvalue()), weights_only=False)):  # noqa: S301
            F.cross_entropy(again(torch.randn(8, 6)), torch.randint(3, (8,))).backward()
    assert w._follower.forwards == 1


def test_a_model_copied_in_the_middle_of_a_forward_pass_that_is_looked_at_is_not_watched() -> None:
    class Copies(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.twin = nn.Linear(6, 8), nn.Linear(8, 3), []

        def forward(self, x: Tensor) -> Tensor:
            if not self.twin:
                self.twin = [copy.deepcopy(self)]
            return self.b(self.a(x))

    model = Copies()
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    with watch(model, optimizer, tell=False) as w:
        model(torch.randn(3, 6)).sum().backward()
        optimizer.step()
        model.twin[0].twin = [None]
        model.twin[0](torch.randn(3, 6)).sum().backward()
    assert len(w.trace()["loss"]) == 1


def test_state_dicts_saved_while_watched_are_those_of_the_bare_model() -> None:
    loop = Loop()
    with loop.watch():
        loop.step()
        kept = io.BytesIO()
        torch.save({"model": loop.model.state_dict(), "optimizer": loop.optimizer.state_dict()}, kept)
    kept.seek(0)
    loaded = torch.load(kept, weights_only=True)
    assert all(torch.equal(v, loop.model.state_dict()[k]) for k, v in loaded["model"].items())


@pytest.mark.filterwarnings("ignore")  # of torch.jit.trace itself, on any model
def test_a_trace_of_a_watched_model_holds_nothing_of_the_watch() -> None:
    loop = Loop()
    x = torch.randn(8, 6)
    bare = str(torch.jit.trace(loop.model, x, check_trace=False).inlined_graph)
    with loop.watch() as w:
        watched = torch.jit.trace(loop.model, x, check_trace=False)
        assert str(watched.inlined_graph).count(" = ") == bare.count(" = ")
        loop.step()
    assert len(w.trace()["loss"]) == 1


def test_an_exported_watched_model_holds_nothing_of_the_watch() -> None:
    loop = Loop()
    loop.model.eval()
    x = torch.randn(8, 6)
    bare = torch.export.export(loop.model, (x,)).graph
    with loop.watch():
        watched = torch.export.export(loop.model, (x,)).graph
    assert len(watched.nodes) == len(bare.nodes)


def test_transforms_of_functions_may_call_a_watched_model() -> None:
    loop = Loop()
    loop.model[1] = nn.LayerNorm(8)
    loop.optimizer = torch.optim.SGD(loop.model.parameters(), 0.1)
    x, y = torch.randn(8, 6), torch.randint(3, (8,))

    def loss(parameters: dict[str, Tensor], one: Tensor, target: Tensor) -> Tensor:
        out = torch.func.functional_call(loop.model, parameters, (one[None],))
        return F.cross_entropy(out, target[None])

    with loop.watch() as w:
        for _ in range(3):
            parameters = {n: p.detach() for n, p in loop.model.named_parameters()}
            each = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))(parameters, x, y)
            for name, p in loop.model.named_parameters():
                p.grad = each[name].mean(0)
            loop.optimizer.step()
    assert "everything" not in w.trace().facts["signals_off"]
    assert len(w.trace()["grad_norm"]) == 3


class Squares(torch.utils.data.Dataset[Tensor]):
    def __len__(self) -> int:
        return 12

    def __getitem__(self, i: int) -> Tensor:
        return torch.full((6,), float(i))


def test_loaders_with_workers_go_on_as_ever() -> None:
    loop = Loop()
    with loop.watch() as w:
        for x in DataLoader(Squares(), batch_size=4, num_workers=1):
            loop.optimizer.zero_grad()
            loop.loss_fn(loop.model(x), torch.randint(3, (4,))).backward()
            loop.optimizer.step()
    assert len(w.trace()["loss"]) == 3
    assert w.trace().data["phase_time"]["data"].values.sum() > 0
