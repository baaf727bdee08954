"""Follow a training loop through its steps: fill the Moment hook by hook, let the signals measure at the right times.

One step is what lies between two calls of optimizer.step(): it may hold several forward and backward passes. On every
step the free signals are taken, on sampled ones all of them. All phase times are taken on a clock that stands still
while the watch itself is working.

May not: write anywhere (it hands over columns), judge, know what a signal measures, draw random numbers, write to a
tensor of the model.
"""

from __future__ import annotations

import math
import warnings
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from threading import get_ident
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler, OptState
from torch.optim import Optimizer

from torchdoctor.record.activations import Collector, Hook, first_tensor, measurable
from torchdoctor.record.cost import Ceiling
from torchdoctor.record.facts import is_compiled
from torchdoctor.record.moment import Moment, dense, norms, thinned, total_norm
from torchdoctor.record.nonfinite import Call, find_source
from torchdoctor.record.passes import Passes, Value
from torchdoctor.record.signal import At, Columns, Signal
from torchdoctor.record.units import KEPT, UnitWindow

LAYERS = ("activation_mean", "activation_std", "zero_share", "saturated_share", "dead_share", "window_samples", *KEPT)
TARGETS = ("target_mean", "target_std", "target_absmax")
CALLS = 8  # forward passes of one step that can be repeated when the loss is NaN
TRIES = 3  # how often the source of a NaN is looked for when a GradScaler steps over it


class WatchWarning(UserWarning):
    """Watching had to give something up; training goes on."""


Keep = Callable[[str, int, Columns], None]  # keep(signal, step, columns)


class Follower:
    """The hooks, in the order in which one step meets them."""

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        loss_fn: Any,
        signals: Mapping[At, Sequence[Signal]],
        ceiling: Ceiling,
        keep: Keep,
    ) -> None:
        self.model, self.optimizer, self.loss_fn = model, optimizer, loss_fn
        self.step, self.sampled = 0, True
        self.passes = Passes()
        self.forwards = 0  # forward passes seen, those without gradients left out
        self.loss_from = ""
        self._loss_called = False
        self.loss_shapes: dict[str, list[int]] = {}
        self.at_rest: Callable[[], None] = lambda: None  # called between steps, when a flush is harmless
        self.off: dict[str, str] = {}  # signal -> why it is not measured
        self._signals, self._ceiling, self._keep = signals, ceiling, keep
        self._collector, self._window = Collector(model, self._lenient), UnitWindow()
        self._moment = Moment(model)
        self._handles: list[Any] = []
        self._busy = False  # the watch itself is calling the model
        self._failed = False
        self._compiled = is_compiled(model)
        self._cpu = all(p.device.type == "cpu" for p in model.parameters())
        self._thread = get_ident()  # the loop's: other threads may train other networks
        self._depth = self._nested = 0  # of forward passes in one another, and of backward passes
        self._looking = True  # the forward pass that is going on is an ordinary one
        self._in_backward = self._stepping = self._stepped_since_update = False
        self._closure: Any = None
        self._inner = self._seen_before = 0  # steps in one another; backward passes before this one
        self._calls: deque[Call] = deque(maxlen=CALLS)
        self._source_known = {"loss": False, "gradient": False}
        self._tries = 0
        self._scaler: GradScaler | None = None
        self._own = 0.0  # seconds of watching since the start
        self._now = 0.0  # the user's clock at the entry of the current hook: wall time less _own
        self._fetched = 0.0
        self._before_backward = self._guarded(self._backward_begins)
        self._after_backward = self._guarded(self._backward_ends)
        self._begin_step()

    def attach(self) -> None:
        if self._compiled:
            self.off.update(
                dict.fromkeys(LAYERS, "the model is compiled, and hooks inside it would force new compilations")
            )
        if isinstance(self.loss_fn, nn.Module):
            self._handles.append(self.loss_fn.register_forward_hook(self._hook(self._loss_computed)))
        self._handles += [
            self.model.register_forward_pre_hook(self._hook(self._forward_begins), with_kwargs=True),
            self.model.register_forward_hook(self._hook(self._forward_ends)),
            self.optimizer.register_step_pre_hook(self._hook(self._optimizer_begins)),
            self.optimizer.register_step_post_hook(self._hook(self._optimizer_ends)),
        ]
        self._list_parameters()
        self._step_began = perf_counter() - self._own

    def detach(self) -> None:
        self._collector.detach()
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._guarded(self._finish)()
        self._calls.clear()

    @property
    def between(self) -> bool:
        """A step has ended, and the next one has not begun."""
        return self.step > 0 and not self._phases

    # -- one step, in its order ---------------------------------------------------------------------------------------

    def fetched(self, seconds: float) -> None:
        """The loop got a batch from a DataLoader."""
        if get_ident() == self._thread:
            self._fetched += seconds

    def _forward_begins(self, _model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not torch.is_grad_enabled():
            self._fetched = 0.0  # evaluation; its time is the step's rest
            return
        self._depth += 1
        if self._depth > 1 or self._in_backward:
            return
        self._looking = _plain()
        if not self._looking:
            return
        self._rest_between_steps()
        self._thread = get_ident()
        self.forwards += 1
        self._add("data", self._fetched)
        self._fetched = 0.0
        self._forward_began = self._now
        device = next((t.device.type for t in args if isinstance(t, Tensor)), "cpu")
        self._calls.append(Call(args, kwargs, _autocast(device), device))
        self._moment.training = self.model.training
        if self.sampled:
            self._moment.inputs = _floats([*args, *kwargs.values()])
            if not self._compiled:
                self._collector.attach()

    def _forward_ends(self, _model: nn.Module, _args: Any, output: Any) -> None:
        if not torch.is_grad_enabled():
            return
        self._depth = max(0, self._depth - 1)
        if self._depth or self._in_backward or not self._looking:
            return
        self._collector.detach()
        self._add("forward", self._now - self._forward_began)
        if self.sampled:
            self._moment.activations = self._collector.found
            self._moment.output = _floats([output])
            self._take("forward")
            self._window.add(self._moment.activations)

    def _loss_computed(self, _loss_fn: nn.Module, args: tuple[Any, ...], loss: Any) -> None:
        """The loss module's own hook."""
        if not (isinstance(loss, Tensor) and torch.is_grad_enabled() and _plain()):
            return
        self._loss_called = True
        value = loss.detach() if loss.dim() == 0 else loss.detach().mean()
        self.passes.loss_computed(loss, value.item() if self._cpu else value, self.model.training)
        if self.sampled and len(args) > 1 and isinstance(args[0], Tensor) and isinstance(args[1], Tensor):
            self._moment.target = _floats(args[1:2])
            self.loss_shapes = {"output": list(args[0].shape), "target": list(args[1].shape)}

    def scaled(self, scaler: GradScaler) -> None:
        """A GradScaler is in use: gradients and the loss that backward sees are multiplied by this."""
        if get_ident() == self._thread and scaler.is_enabled() and scaler._scale is not None:
            self._scaler = scaler
            self._moment.scale = scaler._scale.item() if self._cpu else scaler._scale.clone()  # it changes in place

    def before_backward(self, tensors: Any) -> None:
        if get_ident() != self._thread:
            return
        if self._in_backward:  # of activation checkpoints: it is part of the pass that is going on
            self._nested += 1
            return
        self._in_backward = True
        self._before_backward(tensors)

    def _backward_begins(self, tensors: Any) -> None:
        self._rest_between_steps()
        self._forward_is_over()
        loss, moment = first_tensor(tensors), self._moment
        single = loss is not None and loss.numel() == 1
        value = self._value(loss) if loss is not None and single else None
        anew = self.passes.begin(moment.parameters, loss, value, moment.training, self._stepping)
        if self.sampled and anew:
            moment.stale = self._per_scale(total_norm(norms(self._left_over())))
        self._backward_began = self._now

    def _left_over(self) -> list[Tensor]:
        """Gradients that are there already, of what this optimizer steps; those of others do no harm."""
        held = {id(p) for group in self.optimizer.param_groups for p in group["params"]}
        return [dense(p.grad) for p in self._moment.parameters if p.grad is not None and id(p) in held]

    def after_backward(self, finished: bool) -> None:
        if get_ident() != self._thread:
            return
        if self._nested:
            self._nested -= 1
            return
        self._in_backward = False
        self._after_backward(finished)

    def _backward_ends(self, finished: bool) -> None:
        self._add("backward", self._now - self._backward_began)
        if not finished:
            self.passes.failed()
        elif self.passes.end(self._moment.parameters):
            self._read_loss()
            self._read_gradients()
            self._calls.clear()

    def _optimizer_begins(self, _optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._stepping and self.passes.seen == self._seen_before:
            self._inner += 1  # a subclass's step() calls that of its parent
            return
        self._rest_between_steps()
        self._forward_is_over()
        self._closure = args[1] if len(args) > 1 else kwargs.get("closure")
        if self._closure is None:
            self._gradients_by_hand()
            self._read_received()
        if self.sampled:
            self._moment.before = [thinned(p).clone() for p in self._moment.parameters]
        self._stepping, self._inner, self._seen_before = True, 0, self.passes.seen
        self._phases_before = sum(self._phases.values())
        self._optimizer_began = self._now

    def _optimizer_ends(self, *_: Any) -> None:
        if self._inner:
            self._inner -= 1
            return
        # A closure's forward and backward passes run inside step(), and their time is theirs.
        nested = sum(self._phases.values()) - self._phases_before
        self._add("optimizer", self._now - self._optimizer_began - nested)
        if self._closure is not None:
            self._gradients_by_hand()
            self._read_received()  # of its last try, clipped by then
        self._stepping, self._closure, self._stepped_since_update = False, None, True
        self.passes.stepped()
        self._end_step()

    def scaler_updated(self, scaler: GradScaler) -> None:
        if get_ident() == self._thread:
            self._guarded(self._scaler_updates)(scaler)

    def _scaler_updates(self, scaler: GradScaler) -> None:
        """Was this optimizer's step left out, because of infinite gradients? The step has ended all the same."""
        if not scaler.is_enabled():  # GradScaler(enabled=False) passes all through and keeps no states
            return
        asked = scaler._per_optimizer_states.get(id(self.optimizer), {}).get("stage") is OptState.STEPPED
        if asked and self.passes.count and not self._stepped_since_update:
            self._moment.skipped = True
            self._end_step()
        self._stepped_since_update = False

    # -- details ------------------------------------------------------------------------------------------------------

    def _begin_step(self) -> None:
        self.passes.clear()
        self._phases: dict[str, float] = {}
        self._columns: dict[str, Columns] = {}
        self._flags: list[tuple[str, Columns]] = []
        self._phases_before = 0.0
        self._optimizer_began = self._forward_began = self._backward_began = self._now
        self._step_began, self._own_before = self._now, self._own
        m = self._moment
        self._moment = Moment(m.model, m.names, m.parameters, rates=m.rates)

    def _end_step(self) -> None:
        moment = self._moment
        if self._fetched:
            self._add("data", self._fetched)  # for the next step, ahead of time
            self._fetched = 0.0
        users = self._now - self._step_began
        moment.phases = {**self._phases, "rest": max(0.0, users - sum(self._phases.values()))}
        rates = tuple(float(g["lr"]) for g in self.optimizer.param_groups if "lr" in g)
        moment.rates_changed, moment.rates = rates != moment.rates, rates
        if self.sampled:
            self._take("update")
        self._take("step")
        for name, columns in self._columns.items():
            self._keep(name, self.step, columns)
        self._keep_flags()
        if self.sampled:
            if self._window.full:
                self._keep_window()
            self._list_parameters()
        this_hook = perf_counter() - self._own - self._now
        own = self._own - self._own_before + this_hook
        self.sampled = self._ceiling.step(self.step, users, own, self.sampled)
        self.step += 1
        self._begin_step()
        self._own_before += this_hook  # it is added to _own when the hook returns, but belongs to the step that ended

    def _finish(self) -> None:
        """The loop has ended, perhaps in the middle of a step, because its loss is NaN: that much is kept of it."""
        loss = self._moment.loss if self.passes.count else self.passes.unfinished
        if loss is not None and self._cpu and not math.isfinite(loss):
            self._name_source()
            self._keep("loss", self.step, Columns(("",), [loss]))
        self._keep_flags()
        self._keep_window()

    def _take(self, at: At) -> None:
        """Measure the signals of one moment; of micro-batches and closures the last measurement counts."""
        for s in self._signals.get(at, ()):
            try:
                columns = s.measure(self._moment) if s.measure else None
                if columns is not None and len(columns.subjects):
                    self._columns[s.name] = _checked(columns)
            except Exception as error:  # noqa: BLE001 - one signal breaks, the others go on, and so does training
                self._switch_off([s.name], error)

    def _read_loss(self) -> None:
        passes = self.passes
        if passes.computed is not None:
            self._moment.loss, self.loss_from = passes.computed, "loss_fn"
        elif self.loss_from in ("", "backward") and passes.called_on is not None:
            self._moment.loss, self.loss_from = passes.called_on, "backward"
        if self._cpu and passes.latest is not None and not math.isfinite(passes.latest):
            self._name_source()

    def loss_logged(self) -> bool:
        """The loop says itself what its loss is: True when that counts, and from then on no other but loss_fn's."""
        if self.loss_from == "loss_fn" or self.passes.awaited(self._moment.training):
            return False
        self.loss_from = "log"
        if not self.between:
            self._moment.loss = None
        return True

    def unseen(self) -> dict[str, str]:
        """Signal -> why it is off: what broke, and what could not be listened to."""
        off = dict(self.off)
        if not isinstance(self.loss_fn, nn.Module):
            off.update(dict.fromkeys(TARGETS, "no loss_fn was given that is a torch.nn.Module"))
        elif self.step and not self._loss_called:
            off.update(dict.fromkeys(TARGETS, "loss_fn was not seen being called as loss_fn(output, target)"))
        if self.step and not self.forwards:
            names = [*LAYERS, *(s.name for s in self._signals.get("forward", ()))]
            why = "no call model(x) was seen: model.forward(x), or a step under torch.compile, calls no hooks"
            off.update(dict.fromkeys(names, why))
        if self.step and not self.loss_from:
            off["loss"] = "no backward() on a single number was seen; give loss_fn or watch.log(loss=...)"
        if self.passes.lost:
            names = [s.name for s in self._signals.get("update", ())]
            why = (
                f"the watched optimizer took no step in the last {self.passes.unstepped} backward passes; another one?"
            )
            off.update(dict.fromkeys(names, why))
        return off

    @torch.no_grad()
    def _read_gradients(self) -> None:
        """Right after backward, so before any clipping."""
        moment = self._moment
        moment.gradient_norms = norms(moment.gradients)
        if moment.scale is not None:
            moment.gradient_norms = [n / moment.scale for n in moment.gradient_norms]
        total = total_norm(moment.gradient_norms)
        moment.gradient_norm = float(total) if self._cpu else total
        if self._cpu and not math.isfinite(moment.gradient_norm):
            self._name_gradients()
        if self.sampled:
            self._take("backward")

    def _gradients_by_hand(self) -> None:
        """They came without backward(), as from torch.autograd.grad, or did not come at all."""
        if not self.passes.count:
            self._moment.scale = None
            self.passes.adopt(self._moment.training)
            self._read_loss()
            self._read_gradients()

    @torch.no_grad()
    def _read_received(self) -> None:
        found_inf = getattr(self.optimizer, "found_inf", None)  # a fused optimizer looks, and unscales, by itself
        if isinstance(found_inf, Tensor):
            self._moment.skipped = found_inf.clone()
        if self.sampled:
            received, scale = total_norm(norms(self._moment.gradients)), getattr(self.optimizer, "grad_scale", None)
            self._moment.received = received / scale if isinstance(scale, Tensor) else received

    def _value(self, loss: Tensor) -> Value:
        """Of one element, a GradScaler's scale divided out."""
        value = loss.item() if self._cpu else loss.detach().reshape(())
        return self._per_scale(value)

    def _per_scale(self, value: Value) -> Value:
        return value if self._moment.scale is None else value / self._moment.scale

    def _name_source(self) -> None:
        """The first non-finite loss of the run: say where it came from, once."""
        if self._source_known["loss"]:
            return
        self._source_known["loss"] = True
        self._tries += 1
        self._busy = True
        try:
            source = find_source(self.model, list(self._calls))
        except Exception as error:  # noqa: BLE001 - a model that cannot be called twice
            self._switch_off(["nonfinite_module"], error)
            return
        finally:
            self._busy = False
        self._flag("nonfinite_module", source.modules)
        self._flag("nonfinite_parameter", source.parameters)

    def _name_gradients(self) -> None:
        """The first non-finite gradient under a finite loss. A GradScaler makes them now and then, and looks itself."""
        if not (any(self._source_known.values()) or self._scaler is not None):
            self._source_known["gradient"] = True
            moment = self._moment
            bad = [n for n, g in zip(moment.gradient_names, moment.gradient_norms) if not math.isfinite(g)]
            self._flag("nonfinite_gradient", bad)

    def _flag(self, signal: str, subjects: Sequence[str]) -> None:
        if subjects:
            self._flags.append((signal, Columns(tuple(subjects), [1.0] * len(subjects))))

    def _keep_flags(self) -> None:
        """Unless a GradScaler left the step out: then nothing came of it, and the next one is looked at instead."""
        if self._flags and self._moment.skipped is not False and bool(self._moment.skipped):
            self._source_known["loss"] = self._tries >= TRIES
            return
        for signal, columns in self._flags:
            self._keep(signal, self.step, columns)

    def _keep_window(self) -> None:
        step = max(0, self.step - 1) if self.between else self.step
        for name, all_columns in self._window.take().items():
            for columns in all_columns:
                self._keep(name, step, columns)

    def _list_parameters(self) -> None:
        """Anew on sampled steps: a loop may unfreeze layers on its way."""
        trainable = [(n, p) for n, p in self.model.named_parameters() if p.requires_grad]
        self._moment.names = tuple(n for n, _ in trainable)
        self._moment.parameters = tuple(p for _, p in trainable)

    def _rest_between_steps(self) -> None:
        if not self._phases:
            self.at_rest()

    def _forward_is_over(self) -> None:
        """Also where it ended in an exception, which no hook is told of."""
        if self._depth:
            self._depth = 0
            self._collector.detach()

    def _add(self, phase: str, seconds: float) -> None:
        self._phases[phase] = self._phases.get(phase, 0.0) + seconds

    def _hook(self, call: Callable[..., None]) -> Hook:
        return Hook(self._guarded(call))

    def _guarded(
        self, call: Callable[..., None], failed: Callable[[Exception], None] | None = None
    ) -> Callable[..., None]:
        """Keep the time of watching apart, and a fault of the watch out of the user's loop."""

        def guarded(*args: Any) -> None:
            if self._busy or self._failed:
                return
            entered = perf_counter()
            self._now = entered - self._own
            try:
                call(*args)
            except Exception as error:  # noqa: BLE001 - training goes on whatever breaks in here
                (failed or self._give_up)(error)
            self._own += perf_counter() - entered

        return guarded

    def _lenient(self, call: Callable[..., None]) -> Callable[..., None]:
        """A layer with an output that cannot be measured costs the layers, not the rest."""
        return self._guarded(call, self._no_layers)

    def _no_layers(self, error: Exception) -> None:
        self._collector.close()
        self._switch_off(LAYERS, error)

    def _switch_off(self, names: Sequence[str], error: Exception) -> None:
        self._signals = {at: [s for s in signals if s.name not in names] for at, signals in self._signals.items()}
        why = f"it failed at step {self.step}: {_line(error)}"
        self.off.update(dict.fromkeys(names, why))
        many = f" and {len(names) - 1} more" if len(names) > 1 else ""
        warnings.warn(f"Signal {names[0]}{many} is off: {why}. Training goes on.", WatchWarning, stacklevel=4)

    def _give_up(self, error: Exception) -> None:
        self._failed = True
        self._collector.detach()
        self.off["everything"] = f"the watch itself failed at step {self.step}: {_line(error)}"
        warnings.warn(f"{self.off['everything']}; training goes on unwatched.", WatchWarning, stacklevel=4)


def _line(error: Exception) -> str:
    """The first line of it, and not too much of that."""
    text = (str(error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {text[:160]}"


def _checked(columns: Columns) -> Columns:
    n, values = len(columns.subjects), columns.values
    if len(values) != n and not (n == 1 and isinstance(values, Tensor)):
        raise ValueError(f"{len(values)} values for {n} subjects")
    return columns


def _plain() -> bool:
    """Not inside of torch.jit.trace, nor of a transform of torch.func, where tensors stand for others."""
    return not torch._C._is_tracing() and torch._C._functorch.peek_interpreter_stack() is None


def _autocast(device: str) -> torch.dtype | None:
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None


def _floats(values: Sequence[Any]) -> Tensor | None:
    """The first floating-point tensor among them that can be measured."""
    for value in values:
        tensor = first_tensor(value)
        if tensor is not None and measurable(tensor):
            return tensor.detach()
    return None
