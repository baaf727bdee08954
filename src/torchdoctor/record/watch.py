"""watch: record what a training loop does, whatever the loop looks like, without changing what it computes.

    with td.watch(model, optimizer) as watch:
        ...                                     # the loop, unchanged
    watch.report().findings

May not: judge (it asks judge()), know any rule, or what a signal measures.
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from torch import Tensor, nn
from torch.optim import Optimizer

from torchdoctor.discover import discover
from torchdoctor.errors import BadParts, BadRun
from torchdoctor.judge.judge import judge
from torchdoctor.judge.report import Report
from torchdoctor.judge.trace import Trace
from torchdoctor.record import taps
from torchdoctor.record.buffer import Buffer
from torchdoctor.record.cost import Ceiling
from torchdoctor.record.facts import describe
from torchdoctor.record.follow import Follower
from torchdoctor.record.run import Writer
from torchdoctor.record.signal import At, Columns, Signal

FLUSH_STEPS = 50  # a flush comes after this many steps and this many seconds, whichever is later ...
FLUSH_SECONDS = 1.0
FLUSH_AT_LATEST = 5_000  # ... but no more steps than this wait on the device
LOST = 200  # backward passes without a step of the watched optimizer: it is surely another one that steps


def watch(
    model: nn.Module,
    optimizer: Optimizer,
    loss_fn: Any = None,
    *,
    run: str | Path | None = None,
    cost: float = 0.02,
    tell: bool = True,
) -> Watch:
    """Watch any training loop: `with td.watch(model, optimizer) as watch:` around it, and nothing else changed.

    loss_fn: the loss module, if there is one. The loss is taken from it, else from `watch.log(loss=...)`, else from
    what backward is called on (added up over the micro-batches of a step, as the gradients are).
    run: a new folder to record to, for keeping and for `torchdoctor diagnose`; default: in memory only.
    cost: the share of the loop's own time that watching may take; sampling thins itself to stay below.
    tell: when the block ends, print what was found to standard error if there is anything above info.

    Weights are bit-identical with and without. Raises BadParts when model or optimizer cannot be watched, BadRun when
    `run` cannot be written.
    """
    return Watch(model, optimizer, loss_fn, run=run, cost=cost, tell=tell)


class Watch:
    """An open watch, made by `watch(...)`; `log`, `trace` and `report` work inside the block and after it."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        loss_fn: Any = None,
        *,
        run: str | Path | None = None,
        cost: float = 0.02,
        tell: bool = False,
        recipe: str | None = None,
    ) -> None:
        _check(model, optimizer, cost)
        self.path = Path(run) if run is not None else None
        self.model, self.optimizer, self.loss_fn = model, optimizer, loss_fn
        self._tell, self._listening = tell, False
        self._buffer = Buffer(Writer(self.path, recipe))
        self._ceiling = Ceiling(cost)
        self._follower = Follower(model, optimizer, loss_fn, _by_moment(), self._ceiling, self._buffer.add)
        self._follower.at_rest = self._flush_when_due
        self._flushed_step, self._flushed_at = 0, perf_counter()

    def __enter__(self) -> Watch:
        for name, value in describe(self.model, self.optimizer, self.loss_fn).items():
            self._buffer.fact(name, value)
        self._follower.attach()
        taps.listen(self._follower)
        self._listening = True
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        if self._tell:
            report = self.report()
            if any(f.alarm for f in report):
                report.show(sys.stderr)

    def close(self) -> None:
        """Stop watching and write what is left; harmless when it is closed already."""
        if self._listening:
            self._listening = False
            taps.unlisten(self._follower)
            self._follower.detach()
            self._write_facts()
            self._buffer.close()

    def log(self, **numbers: Any) -> None:
        """Keep anything else: watch.log(val_score=0.9, epoch=3). `loss` is the step's loss, unless loss_fn is given.

        Raises BadParts for a value that is not one number.
        """
        if self._buffer.closed:
            raise BadRun(
                f"{self.path} is finished, and a run is never changed afterwards; log inside the `with` block."
            )
        follower = self._follower
        between = not follower.backwards and follower.step > 0
        step = follower.step - 1 if between else follower.step
        for name, value in numbers.items():
            number = _one_number(name, value)
            if name != "loss":
                self._buffer.add(name, step, Columns(("",), [number]))
            elif not isinstance(self.loss_fn, nn.Module):
                follower.loss_from = "log"
                self._buffer.replace_last("loss", step, number)

    def trace(self) -> Trace:
        """Everything recorded so far."""
        if not self._buffer.closed:
            self._write_facts()
        return self._buffer.trace()

    def report(self) -> Report:
        """The rules over everything recorded so far."""
        return judge(self.trace(), title=self.path.name if self.path else type(self.model).__name__)

    @property
    def cost(self) -> float:
        """Time spent watching over the time of the loop itself, so far."""
        return self._ceiling.measured

    def _flush_when_due(self) -> None:
        waiting = self._follower.step - self._flushed_step
        late = perf_counter() - self._flushed_at > FLUSH_SECONDS
        if (waiting >= FLUSH_STEPS and late) or waiting >= FLUSH_AT_LATEST:
            self._buffer.flush()
            self._flushed_step, self._flushed_at = self._follower.step, perf_counter()

    def _write_facts(self) -> None:
        follower = self._follower
        if follower.all_backwards >= LOST:
            why = f"the watched optimizer took no step in {follower.all_backwards} backward passes; does another?"
            follower.off["update_ratio"] = why
        self._buffer.fact("loss_from", follower.loss_from)
        self._buffer.fact("signals_off", follower.off)
        self._buffer.fact("steps", follower.step)
        self._buffer.fact("cost", self.cost)
        self._buffer.fact("unstepped_backwards", follower.all_backwards)
        self._buffer.fact("turns", follower.turns)
        if follower.loss_shapes:
            self._buffer.fact("loss_shapes", follower.loss_shapes)


def _by_moment() -> dict[At, list[Signal]]:
    signals: dict[At, list[Signal]] = {}
    for s in discover("signals", Signal).values():
        signals.setdefault(s.at, []).append(s)
    return signals


def _check(model: Any, optimizer: Any, cost: float) -> None:
    if not isinstance(model, nn.Module):
        raise BadParts(
            f"watch needs the model as a torch.nn.Module, not {type(model).__name__}: td.watch(model, optimizer)"
        )
    if not isinstance(optimizer, Optimizer):
        raise BadParts(
            f"watch needs a torch.optim.Optimizer, not {type(optimizer).__name__}. Networks that take turns (a GAN) "
            "are watched each with its own: with td.watch(g, g_opt), td.watch(d, d_opt): ..."
        )
    if next(model.parameters(), None) is None:
        raise BadParts(
            f"{type(model).__name__} has no parameters, so there is nothing to train. Layers kept in a plain list or "
            "dict are not seen: use torch.nn.ModuleList or torch.nn.ModuleDict."
        )
    if not 0 < cost <= 1:
        raise BadParts(f"watch(cost={cost!r}): give a share of the loop's time above 0 and up to 1, for example 0.02")


def _one_number(name: str, value: Any) -> Tensor | float:
    if isinstance(value, Tensor) and value.numel() == 1:
        return value.detach().reshape(())
    if isinstance(value, (int, float, np.generic)):
        return float(value)
    shape = f" of shape {tuple(value.shape)}" if hasattr(value, "shape") else ""
    raise BadParts(f"watch.log({name}=...) takes one number, not {type(value).__name__}{shape}.")
