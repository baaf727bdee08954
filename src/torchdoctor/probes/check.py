"""Examine a model before it trains: facts and probes on forks, the cheap ones first, then the rules over what they saw.

May not: decide what is a fault, name a probe or a rule, leave a mark on what it is handed.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.optim import Optimizer

from torchdoctor.discover import discover
from torchdoctor.errors import BadParts, one_line
from torchdoctor.judge.finding import Severity
from torchdoctor.judge.judge import all_rules, judge
from torchdoctor.judge.report import Report
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace
from torchdoctor.parts import Loader, Parts
from torchdoctor.probes.bench import Batch, Bench, first_tensor, moved, tensors_in
from torchdoctor.probes.fork import forked, preserved, seeded, uncompiled
from torchdoctor.probes.probe import Fact, Measurement, Probe
from torchdoctor.probes.stopwatch import Stopwatch
from torchdoctor.record.facts import describe

BUDGET = 10.0  # seconds; what people wait for before a training run without looking away
ALWAYS = 5  # passes: a probe this cheap runs whatever the budget, or a large model would go unexamined
READING = 0.3  # share of the budget that reading data may take
WORTH_THREADS = 2.0  # times faster that many threads must be; less, and the small steps lose more than passes gain
LEAST = 0.5  # seconds it may take whatever the budget


def check(
    model: nn.Module,
    loss_fn: Any,
    optimizer: Optimizer,
    train: Loader,
    val: Loader | None = None,
    *,
    budget: float | None = None,
    seed: int = 0,
) -> Report:
    """Examine the parts of a training run before it starts. Everything is afterwards as it was before, to the bit.

    train, val: loaders of (inputs, target). budget: seconds (default 10); dear experiments that do not fit into it are
    left out, and the rules that need them say so. Raises BadParts when nothing can be examined at all.
    """
    trace = examine(Parts(model, loss_fn, optimizer, train, val), budget=budget, seed=seed)
    report = judge(trace, title="check")
    failure = trace.facts.get("trial_error")
    if failure and not any(f.severity is Severity.ERROR for f in report):  # that explains it, as labels out of range do
        raise BadParts(failure)
    return with_reasons(report, trace)


def examine(parts: Parts, *, budget: float | None = None, seed: int = 0) -> Trace:
    """Facts and measurements of all probes that fit into `budget` seconds. A probe that fails is named in the fact
    `probe_errors`, one that was left out in `probes_left_out`; what it measured until then is kept."""
    _refuse(parts)
    if budget is not None and (isinstance(budget, bool) or not isinstance(budget, (int, float)) or not budget > 0):
        raise BadParts(f"budget = {budget!r}: give the seconds that the probes may take, above 0; default {BUDGET:g}.")
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise BadParts(f"seed = {seed!r}: give a whole number, 0 or above.")
    clock = _Clock(BUDGET if budget is None else budget)
    with preserved(parts), _quietly():
        seeded(seed)
        bench = Bench(parts, patience=max(LEAST, READING * clock.budget))
        notes = _Notes(describe(uncompiled(parts.model), parts.optimizer, parts.loss_fn))
        trial = _try_out(bench)
        if trial.error and trial.copies:
            notes.facts["trial_error"] = trial.error
        for probe in sorted(discover("probes", Probe).values(), key=lambda p: (p.passes, p.name)):
            if why := trial.forbids(probe) or clock.forbids(probe, trial.seconds):
                notes.left_out[probe.name] = why
                continue
            seeded(seed)  # again for each, so that what one says does not hang on which others ran
            notes.take(probe, bench)
    return notes.trace()


def with_reasons(report: Report, trace: Trace) -> Report:
    """The report, where each rule that lacks a probe's signals says why that probe has none."""
    failed = {p: f"probe {p} failed: {why}" for p, why in trace.facts.get("probe_errors", {}).items()}
    left_out = {p: f"probe {p} was left out: {why}" for p, why in trace.facts.get("probes_left_out", {}).items()}
    why = {**failed, **left_out}
    probes = discover("probes", Probe)
    by_signal = {s: reason for name, reason in why.items() if name in probes for s in probes[name].measures}
    not_run = dict(report.not_run)
    for rule in all_rules():
        lacking = [s for need in rule.missing(trace) for s in need.split("|")]
        if rule.name in not_run and (reason := next((by_signal[s] for s in lacking if s in by_signal), None)):
            not_run[rule.name] = f"{not_run[rule.name]} ({reason})"
    return replace(report, not_run=not_run)


@dataclass
class _Clock:
    budget: float  # seconds
    stopwatch: Stopwatch = field(default_factory=Stopwatch)

    def forbids(self, probe: Probe, pass_seconds: float) -> str:
        """Why the probe does not fit into what is left; "" when it does."""
        estimate = probe.passes * pass_seconds + probe.seconds
        left = self.budget - self.stopwatch.seconds
        if probe.passes <= ALWAYS or estimate <= left:
            return ""
        return (
            f"it takes about {estimate:.2g} s, and {max(0.0, left):.2g} s of the budget of {self.budget:g} s are left"
        )


@dataclass(frozen=True)
class _Trial:
    """How the first training batch fared. runs: the model gave an output for it. error: what a training loop would meet
    as well, unless the parts only cannot be copied. seconds: of one whole pass."""

    runs: bool
    error: str = ""
    copies: bool = True
    seconds: float = 0.0

    def forbids(self, probe: Probe) -> str:
        return "" if self.runs or probe.passes == 0 else self.error


@dataclass
class _Notes:
    """What was seen so far."""

    facts: dict[str, Any]
    errors: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    points: dict[str, dict[str, list[tuple[int, Any]]]] = field(default_factory=dict)

    def take(self, probe: Probe, bench: Bench) -> None:
        try:
            for item in probe.run(bench):
                self.note(item)
        except Exception as error:  # noqa: BLE001 - the user's model, loss and data run in here; one failing hides no other
            self.errors[probe.name] = one_line(error)

    def note(self, item: Measurement | Fact) -> None:
        if isinstance(item, Fact):
            self.facts[item.name] = item.value
        else:
            self.points.setdefault(item.signal, {}).setdefault(item.subject, []).append((item.step, item.value))

    def trace(self) -> Trace:
        told = {"probe_errors": self.errors, "probes_left_out": self.left_out}
        return Trace({signal: {s: _series(p) for s, p in group.items()} for signal, group in self.points.items()},
                     {**self.facts, **told})  # fmt: skip


def _series(points: list[tuple[int, Any]]) -> Series:
    ordered = sorted(points, key=lambda p: p[0])
    return Series.of([value for _, value in ordered], steps=[step for step, _ in ordered])


def _try_out(bench: Bench) -> _Trial:
    """A few passes on a fork of its own. Raises BadParts for an output without a tensor, a loss that is no number."""
    try:
        parts = forked(bench.parts)
    except BadParts as refusal:
        return _Trial(False, str(refusal), copies=False)
    batch = bench.batches[0]
    try:
        output = parts.model(*batch.inputs)
    except Exception as error:  # noqa: BLE001 - anything the user's model raises
        given = ", ".join(_shape(x) for x in tensors_in(batch.inputs))
        return _Trial(False, f"The model fails on the first training batch ({given}): {one_line(error)}.")
    first_tensor(output)
    try:
        _rehearse_on_cpu(bench)
        return _Trial(True, seconds=_fastest_pass(bench, parts, batch))
    except BadParts:
        raise
    except Exception as error:  # noqa: BLE001 - anything the user's loss raises
        shapes = f"output {_shape(output)}, target {_shape(batch.target)}"
        return _Trial(True, f"The loss fails on the first training batch ({shapes}): {one_line(error)}.")


def _fastest_pass(bench: Bench, parts: Parts, batch: Batch) -> float:
    """Seconds of a pass; sets the number of threads: small models and the tiny steps of probes are slower with many."""
    threads = torch.get_num_threads()
    together = min(_pass(bench, parts, batch), _pass(bench, parts, batch))
    if bench.device.type != "cpu" or threads == 1:
        return together
    torch.set_num_threads(1)
    alone = min(_pass(bench, parts, batch), _pass(bench, parts, batch))
    if together * WORTH_THREADS > alone:
        return alone
    torch.set_num_threads(threads)
    return together


def _pass(bench: Bench, parts: Parts, batch: Batch) -> float:
    """Seconds of one forward and backward pass. The first of all chooses and prepares kernels and is far slower."""
    stopwatch = Stopwatch()
    loss = bench.loss(parts, batch)
    if loss.requires_grad:
        loss.backward()  # type: ignore[no-untyped-call]
    loss.item()  # waits for the device
    return stopwatch.seconds


def _rehearse_on_cpu(bench: Bench) -> None:
    """A label out of range raises on a CPU; on a GPU it ends the whole process's use of the device."""
    if bench.device.type == "cpu":
        return
    parts, cpu = bench.parts, torch.device("cpu")
    if not isinstance(parts.loss_fn, nn.Module):
        return  # a function may hold weights on the device, out of reach; its labels are then tried as they come
    loss_fn = copy.deepcopy(parts.loss_fn).to(cpu)
    with torch.no_grad():
        for batch in bench.batches:
            loss_fn(moved(parts.model(*batch.inputs), cpu), moved(batch.target, cpu))


def _shape(value: Any) -> str:
    tensor = value if isinstance(value, Tensor) else first_tensor(value)
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def _refuse(parts: Parts) -> None:
    """What cannot be examined at all, told in one line each."""
    if not isinstance(parts.model, nn.Module):
        raise BadParts(f"model is a {type(parts.model).__name__}, not a torch.nn.Module. Give the built model.")
    if not hasattr(parts.train, "__iter__") and not hasattr(parts.train, "__getitem__"):
        raise BadParts(f"train is a {type(parts.train).__name__}, not a loader. Give one that can be iterated anew.")
    if isinstance(parts.loss_fn, type):
        raise BadParts(f"loss_fn is the class {parts.loss_fn.__name__}. Give a loss: {parts.loss_fn.__name__}().")
    if not callable(parts.loss_fn):
        raise BadParts(
            f"loss_fn is a {type(parts.loss_fn).__name__}, which cannot be called. Give loss_fn(output, target)."
        )
    if not hasattr(parts.optimizer, "param_groups"):
        name = getattr(parts.optimizer, "__name__", type(parts.optimizer).__name__)
        raise BadParts(
            f"optimizer is {name}, not a built optimizer. Give for example torch.optim.Adam(model.parameters())."
        )
    if lazy := [n for n, p in parts.model.named_parameters() if is_lazy(p)]:
        raise BadParts(
            f"{lazy[0]} has no size before the model has seen data. Call model(inputs) once, then make the optimizer."
        )
    if next(parts.model.parameters(), None) is None:
        raise BadParts(
            "The model has no parameters, so there is nothing to train. Layers kept in a plain list or dict are not "
            "seen: use nn.ModuleList or nn.ModuleDict."
        )


@contextmanager
def _quietly() -> Iterator[None]:
    """The user's code runs dozens of times in here: its warnings would come dozens of times. Gradients are on; the
    number of threads is afterwards what it was."""
    threads = torch.get_num_threads()
    with warnings.catch_warnings(), torch.inference_mode(False), torch.enable_grad():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            torch.set_num_threads(threads)
