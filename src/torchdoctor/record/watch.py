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
from torchdoctor.record.memory_use import held, limit, out_of_memory, parts_of
from torchdoctor.record.others import Others
from torchdoctor.record.replicas import SIGNAL, Replicas
from torchdoctor.record.run import Writer
from torchdoctor.record.signal import At, Columns, Signal
from torchdoctor.record.unseen import unseen

FLUSH_STEPS = 50  # a flush comes after this many steps and this many seconds, whichever is later ...
FLUSH_SECONDS = 1.0
FLUSH_AT_LATEST = 5_000  # ... but no more steps than this wait on the device ...
FLUSH_SLOW = 10.0  # ... nor longer than this many seconds: of a loop of slow steps a crash loses as little


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
        _check(model, optimizer, loss_fn, run, cost)
        self.path = Path(run) if run is not None else None
        self.model, self.optimizer, self.loss_fn = model, optimizer, loss_fn
        self._tell, self._entered, self._listening = tell, False, False
        signals = _by_moment()
        self._measured = {s.name for some in signals.values() for s in some if s.measure is not None}
        self._facts = {
            **describe(model, optimizer, loss_fn),
            "memory_limit": limit(next(model.parameters()).device),
        }
        self._buffer = Buffer(Writer(self.path, recipe))
        self._ceiling = Ceiling(cost)
        self._follower = Follower(model, optimizer, loss_fn, signals, self._ceiling, self._keep)
        self._follower.at_rest = self._between_steps
        self._others = Others(model, optimizer)
        self._replicas = Replicas(model, self._buffer.add)
        self._flushed_step, self._flushed_at = 0, perf_counter()

    def __enter__(self) -> Watch:
        if self._entered:
            raise BadParts("A watch is used once; open another one with td.watch(...) for another `with` block.")
        for name, value in self._facts.items():
            self._buffer.fact(name, value)
        self._buffer.flush()
        self._follower.attach()
        self._others.attach()
        taps.listen(self._follower)
        self._entered = self._listening = True
        return self

    def __exit__(self, error: object, value: object = None, *_: object) -> None:
        if failed := out_of_memory(value, self.model):
            self._note_failure(failed)
        self.close()
        if not self._tell:
            return
        report = self.report()
        if any(f.alarm for f in report):
            report.show(sys.stderr)
        elif not self._follower.step and error is None:  # silence would look like health
            why = unseen(self._follower)["grad_norm"]
            print(
                f"torchdoctor watched no step: {why}. Put the loop inside of the `with` block, and watch the optimizer "
                "that it steps.",
                file=sys.stderr,
            )

    def close(self) -> None:
        """Stop watching and write what is left; harmless when it is closed already."""
        if self._listening:
            self._listening = False
            taps.unlisten(self._follower)
            self._others.detach()
            self._follower.detach()
            self._replicas.look(self._follower.step, last=True)
            self._write_facts()
            self._buffer.close()

    def log(self, **numbers: Any) -> None:
        """Keep anything else: watch.log(val_score=0.9, epoch=3). It belongs to the step that is going on, or has just
        ended.

        `loss` is the step's loss, unless the watch takes it from loss_fn; log it in every step or in none. A name that
        the watch measures itself, as grad_norm, is kept as logged_grad_norm. Raises BadParts, and keeps nothing, for a
        value that is not one number.
        """
        if self._buffer.closed:
            raise BadRun(
                f"{self.path} is finished, and a run is never changed afterwards; log inside the `with` block."
            )
        follower = self._follower
        step = follower.step - 1 if follower.between else follower.step
        checked = {name: _one_number(name, value) for name, value in numbers.items()}
        if follower.evaluation_mode is not None and any(name.startswith("val_") for name in checked):
            self._buffer.add("evaluation_mode", step, Columns(("",), [float(follower.evaluation_mode)]))
            follower.evaluation_mode = None
        for name, number in checked.items():
            if name != "loss":
                self._buffer.add(self._free(name), step, Columns(("",), [number]))
            elif follower.loss_logged():
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

    def _note_failure(self, failed: dict[str, Any]) -> None:
        """While what took the memory is still there, held by the error."""
        step, device = self._follower.step, next(self.model.parameters()).device
        self._buffer.fact(
            "out_of_memory", {**failed, "step": step, "held": held(device), "batch": self._follower.singles.samples}
        )

    def _between_steps(self) -> None:
        self._replicas.look(self._follower.step)
        self._flush_when_due()

    def _flush_when_due(self) -> None:
        waiting = self._follower.step - self._flushed_step
        seconds = perf_counter() - self._flushed_at
        due = (waiting >= FLUSH_STEPS and seconds > FLUSH_SECONDS) or waiting >= FLUSH_AT_LATEST
        if due or (waiting and seconds > FLUSH_SLOW):
            self._buffer.flush()
            self._flushed_step, self._flushed_at = self._follower.step, perf_counter()

    def _keep(self, signal: str, step: int, columns: Columns) -> None:
        if signal == "loss":  # the loop may have logged one for this step before loss_fn was called for the first time
            self._buffer.replace_last(signal, step, columns.values[0])
        else:
            self._buffer.add(signal, step, columns)

    def _free(self, name: str) -> str:
        return f"logged_{name}" if name in self._measured else name

    def _write_facts(self) -> None:
        follower, passes = self._follower, self._follower.passes
        self._buffer.fact("loss_from", follower.loss_from)
        self._buffer.fact("signals_off", {**unseen(follower), **({SIGNAL: off} if (off := self._replicas.off) else {})})
        self._buffer.fact("steps", follower.step)
        self._buffer.fact("memory_parts", parts_of(self.model, self.optimizer))
        self._buffer.fact("cost", self.cost)
        self._buffer.fact("unstepped_backwards", passes.unstepped)
        self._buffer.fact("idle_backwards", passes.idle if passes.lost else 0)
        self._buffer.fact("turns", passes.turns)
        singles = follower.singles
        self._buffer.fact("answers", {"passes": singles.passes, "singles": singles.singles, "waiting": singles.waiting})
        self._buffer.fact("graded_evaluations", follower.graded_evaluations)
        self._buffer.fact("other_optimizers", {"made": self._others.made, "steps": self._others.steps})
        if follower.loss_shapes:
            self._buffer.fact("loss_shapes", follower.loss_shapes)


def _by_moment() -> dict[At, list[Signal]]:
    signals: dict[At, list[Signal]] = {}
    for s in discover("signals", Signal).values():
        signals.setdefault(s.at, []).append(s)
    return signals


def _check(model: Any, optimizer: Any, loss_fn: Any, run: Any, cost: Any) -> None:
    if not isinstance(model, nn.Module):
        raise BadParts(
            f"watch needs the model as a torch.nn.Module, not {type(model).__name__}: td.watch(model, optimizer)"
        )
    if not isinstance(optimizer, Optimizer):
        raise BadParts(
            f"watch needs a torch.optim.Optimizer, not {type(optimizer).__name__}. Networks that take turns (a GAN) "
            "are watched each with its own: with td.watch(g, g_opt), td.watch(d, d_opt): ..."
        )
    if not hasattr(optimizer, "_optimizer_step_pre_hooks"):
        raise BadParts(
            f"{type(optimizer).__name__} does not call Optimizer.__init__, so it has no step hooks. Give the optimizer "
            "it wraps."
        )
    if next(model.parameters(), None) is None:
        raise BadParts(
            f"{type(model).__name__} has no parameters, so there is nothing to train. Layers kept in a plain list or "
            "dict are not seen: use torch.nn.ModuleList or torch.nn.ModuleDict."
        )
    if lazy := [name for name, p in model.named_parameters() if nn.parameter.is_lazy(p)]:
        raise BadParts(f"Parameter {lazy[0]!r} has no shape yet. Call the model once on a batch before watching it.")
    if isinstance(loss_fn, type) or (loss_fn is not None and not callable(loss_fn)):
        raise BadParts(f"watch(loss_fn={loss_fn!r}): give the loss module itself, for example nn.CrossEntropyLoss()")
    if run is not None and (not isinstance(run, (str, Path)) or not str(run)):
        raise BadParts(f"watch(run={run!r}): give the path of a new folder, for example run='runs/lenet'")
    if isinstance(cost, bool) or not isinstance(cost, (int, float)) or not 0 < cost <= 1:
        raise BadParts(f"watch(cost={cost!r}): give a share of the loop's time above 0 and up to 1, for example 0.02")


def _one_number(name: str, value: Any) -> Tensor | float:
    """A tensor on another device is copied there, since the loop may go on adding to its own."""
    if isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex():
        return value.item() if value.device.type == "cpu" else value.detach().reshape(()).clone()
    if isinstance(value, (int, float, np.bool_, np.integer, np.floating)):
        return float(value)
    shape = f" of shape {tuple(value.shape)}" if hasattr(value, "shape") else ""
    raise BadParts(f"watch.log({name}=...) takes one number, not {type(value).__name__}{shape}.")
