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
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler
from torch.optim import Optimizer

from torchdoctor.record.activations import Collector, Hook, first_tensor
from torchdoctor.record.cost import Ceiling
from torchdoctor.record.facts import is_compiled
from torchdoctor.record.moment import Moment, norms, thinned, total_norm
from torchdoctor.record.nonfinite import Call, find_source
from torchdoctor.record.signal import At, Columns, Signal
from torchdoctor.record.units import UnitWindow


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
        self.backwards = self.all_backwards = 0  # passes in this step, and since the last step of the optimizer
        self.turns = 0  # how often gradients were cleared before a step used them: another network trains in between
        self._stepping = False  # inside optimizer.step(), where a closure may call backward
        self.loss_from = ""
        self.loss_shapes: dict[str, list[int]] = {}
        self.at_rest: Callable[[], None] = lambda: None  # called between steps, when a flush is harmless
        self.off: dict[str, str] = {}  # signal -> why it is not measured
        self._signals, self._ceiling, self._keep = signals, ceiling, keep
        self._collector, self._window = Collector(model, self._guarded), UnitWindow()
        self._moment = Moment(model)
        self._handles: list[Any] = []
        self._busy = False  # the watch itself is calling the model
        self._failed = False
        self._compiled = is_compiled(model)
        self._cpu = all(p.device.type == "cpu" for p in model.parameters())
        self._call: Call | None = None
        self._source_known = {"loss": False, "gradient": False}
        self._scaler: GradScaler | None = None
        self._own = 0.0  # seconds of watching since the start
        self._now = 0.0  # the user's clock at the entry of the current hook: wall time less _own
        self._fetched = 0.0
        self._backward_loss: Tensor | None = None
        self._begin_step()

    def attach(self) -> None:
        if self._compiled:
            why = "the model is compiled, and hooks inside it would force new compilations"
            self.off.update(dict.fromkeys(("activation_mean", "activation_std", "zero_share", "saturated_share"), why))
            self.off["dead_share"] = why
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
        self._call = None
        self._keep_window()

    # -- one step, in its order ---------------------------------------------------------------------------------------

    def fetched(self, seconds: float) -> None:
        """The loop got a batch from a DataLoader."""
        self._fetched += seconds

    def _forward_begins(self, _model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        fetched, self._fetched = self._fetched, 0.0
        if not torch.is_grad_enabled():
            return  # evaluation; its time is the step's rest
        self._rest_between_steps()
        self._add("data", fetched)
        self._forward_began = self._now
        device = next((t.device.type for t in args if isinstance(t, Tensor)), "cpu")
        self._call = Call(args, kwargs, _autocast(device), device)
        self._moment.training = self.model.training
        if self.sampled:
            self._moment.inputs = _floats([*args, *kwargs.values()])
            if not self._compiled:
                self._collector.attach()

    def _forward_ends(self, _model: nn.Module, _args: Any, output: Any) -> None:
        self._collector.detach()
        if not torch.is_grad_enabled():
            return
        self._add("forward", self._now - self._forward_began)
        if self.sampled:
            self._moment.activations = self._collector.found
            self._moment.output = _floats([output])
            self._take("forward")
            self._window.add(self._moment.activations)

    def _loss_computed(self, _loss_fn: nn.Module, args: tuple[Any, ...], loss: Any) -> None:
        """The loss module's own hook; the mean over the micro-batches of a step."""
        if not (isinstance(loss, Tensor) and torch.is_grad_enabled()):
            return
        value = loss.detach() if loss.dim() == 0 else loss.detach().mean()
        self._losses += 1
        old = self._moment.loss
        self._moment.loss = value if old is None or self._losses == 1 else old + (value - old) / self._losses
        self.loss_from = "loss_fn"
        if self.sampled and len(args) > 1 and isinstance(args[0], Tensor) and isinstance(args[1], Tensor):
            self._moment.target = _floats(args[1:2])
            self.loss_shapes = {"output": list(args[0].shape), "target": list(args[1].shape)}

    def scaled(self, scaler: GradScaler) -> None:
        """A GradScaler is in use: gradients and the loss that backward sees are multiplied by this."""
        self._scaler = scaler
        scale = scaler._scale if scaler.is_enabled() else None
        self._moment.scale = None if scale is None else scale.clone()  # the scaler updates it in place

    def before_backward(self, tensors: Any) -> None:
        self._guarded(self._backward_begins)(tensors)

    def _backward_begins(self, tensors: Any) -> None:
        self._rest_between_steps()
        moment = self._moment
        cleared = all(p.grad is None for p in moment.parameters)
        if cleared and self.backwards:
            # Gradients were cleared since the last backward: another network's turn, or a closure's next try.
            self.backwards, self._backward_loss = 0, None
            self.turns += not self._stepping
        if self.sampled and (cleared or not self.backwards):
            moment.stale = 0.0 if cleared else self._stale_norm()
        elif self.sampled and isinstance(moment.stale, Tensor):
            # A later pass finds what the earlier ones made; only when they were zeroed on the way does it find less.
            moment.stale = torch.minimum(moment.stale, torch.as_tensor(self._stale_norm()))
        loss = first_tensor(tensors)
        if loss is not None and loss.numel() == 1:
            if self.loss_from in ("", "backward"):
                self._add_loss(loss.detach().reshape(()))
            if self._cpu and not self._source_known["loss"] and not math.isfinite(loss.item()):
                self._name_source("loss")
        self.backwards += 1
        self.all_backwards += 1
        self._backward_began = self._now

    def _add_loss(self, value: Tensor) -> None:
        """What is called backward on several times in a step adds up, as its gradients do."""
        value = value if self._moment.scale is None else value / self._moment.scale
        self._backward_loss = value if self._backward_loss is None else self._backward_loss + value

    def after_backward(self) -> None:
        self._guarded(self._backward_ends)()

    def _backward_ends(self) -> None:
        self._add("backward", self._now - self._backward_began)
        if self._backward_loss is not None:
            self._moment.loss, self.loss_from = self._backward_loss, "backward"
        self._read_gradients()

    def _optimizer_begins(self, *_: Any) -> None:
        self._rest_between_steps()
        if not self.backwards:
            self._read_gradients()  # they came without backward(), as from torch.autograd.grad
        self._before_optimizer = sum(self._phases.values())
        self._optimizer_began, self._stepping = self._now, True
        if self.sampled:
            received = total_norm(norms(self._moment.gradients))
            scale = getattr(self.optimizer, "grad_scale", None)  # a fused optimizer unscales by itself
            self._moment.received = received / scale if isinstance(scale, Tensor) else received
            self._moment.before = [thinned(p).clone() for p in self._moment.parameters]

    def _optimizer_ends(self, *_: Any) -> None:
        # A closure's forward and backward passes run inside step(), and their time is theirs.
        nested = sum(self._phases.values()) - self._before_optimizer
        self._add("optimizer", self._now - self._optimizer_began - nested)
        self.all_backwards, self._stepping = 0, False
        self._end_step()

    def scaler_updated(self) -> None:
        """No optimizer.step() since backward: the scaler met infinite gradients. The step has ended all the same."""
        if self.backwards and self._scaler is not None:
            self._moment.skipped = True
            self._guarded(self._end_step)()

    # -- details ------------------------------------------------------------------------------------------------------

    def _begin_step(self) -> None:
        self.backwards = self._losses = 0
        self._backward_loss = None
        self._phases: dict[str, float] = {}
        self._columns: dict[str, Columns] = {}
        self._before_optimizer = self._optimizer_began = self._forward_began = self._backward_began = self._now
        self._step_began, self._own_before = self._now, self._own
        m = self._moment
        self._moment = Moment(m.model, m.names, m.parameters, scale=m.scale, rates=m.rates)

    def _end_step(self) -> None:
        moment = self._moment
        users = self._now - self._step_began
        moment.phases = {**self._phases, "rest": max(0.0, users - sum(self._phases.values()))}
        rates = tuple(float(g["lr"]) for g in self.optimizer.param_groups if "lr" in g)
        moment.rates_changed, moment.rates = rates != moment.rates, rates
        if self.sampled:
            self._take("update")
        self._take("step")
        for name, columns in self._columns.items():
            self._keep(name, self.step, columns)
        if self._window.full:
            self._keep_window()
        if self.sampled:
            self._list_parameters()
        this_hook = perf_counter() - self._own - self._now
        own = self._own - self._own_before + this_hook
        self.sampled = self._ceiling.step(self.step, users, own, self.sampled)
        self.step += 1
        self._begin_step()
        self._own_before += this_hook  # it is added to _own when the hook returns, but belongs to the step that ended

    def _take(self, at: At) -> None:
        """Measure the signals of one moment; of micro-batches and closures the last measurement counts."""
        for s in self._signals.get(at, ()):
            columns = s.measure(self._moment) if s.measure else None
            if columns is not None and len(columns.subjects):
                self._columns[s.name] = columns

    @torch.no_grad()
    def _read_gradients(self) -> None:
        """Right after backward, so before any clipping."""
        moment = self._moment
        there = [(n, p.grad) for n, p in zip(moment.names, moment.parameters) if p.grad is not None]
        moment.gradient_names = tuple(n for n, _ in there)
        moment.gradient_norms = norms(moment.gradients)
        if moment.scale is not None:
            moment.gradient_norms = [n / moment.scale for n in moment.gradient_norms]
        moment.gradient_norm = total_norm(moment.gradient_norms)
        known = self._source_known["gradient"] or self._scaler is not None
        if self._cpu and not known and not math.isfinite(moment.gradient_norm):
            self._name_source("gradient")
        if self.sampled:
            self._take("backward")

    def _stale_norm(self) -> Tensor | float:
        norm = total_norm(norms(self._moment.gradients))
        return norm / self._moment.scale if self._moment.scale is not None else norm

    def _name_source(self, what: str) -> None:
        """The first non-finite loss or gradient of the run: say where it came from, once."""
        self._source_known[what] = True
        moment = self._moment
        if what == "gradient":
            if not self._source_known["loss"]:
                bad = [n for n, g in zip(moment.gradient_names, moment.gradient_norms) if not math.isfinite(g)]
                self._keep_flags("nonfinite_gradient", bad)
            return
        self._busy = True
        try:
            source = find_source(self.model, self._call)
        finally:
            self._busy = False
        self._keep_flags("nonfinite_module", source.modules)
        self._keep_flags("nonfinite_parameter", source.parameters)

    def _keep_flags(self, signal: str, subjects: Sequence[str]) -> None:
        if subjects:
            self._keep(signal, self.step, Columns(tuple(subjects), [1.0] * len(subjects)))

    def _keep_window(self) -> None:
        for name, all_columns in self._window.take().items():
            for columns in all_columns:
                self._keep(name, max(0, self.step - 1) if not self.backwards else self.step, columns)

    def _list_parameters(self) -> None:
        """Anew on sampled steps: a loop may unfreeze layers on its way."""
        trainable = [(n, p) for n, p in self.model.named_parameters() if p.requires_grad]
        self._moment.names = tuple(n for n, _ in trainable)
        self._moment.parameters = tuple(p for _, p in trainable)

    def _rest_between_steps(self) -> None:
        if not self.backwards and not self._phases:
            self.at_rest()

    def _add(self, phase: str, seconds: float) -> None:
        self._phases[phase] = self._phases.get(phase, 0.0) + seconds

    def _hook(self, call: Callable[..., None]) -> Hook:
        return Hook(self._guarded(call))

    def _guarded(self, call: Callable[..., None]) -> Callable[..., None]:
        """Keep the time of watching apart, and a fault of the watch out of the user's loop."""

        def guarded(*args: Any) -> None:
            if self._busy or self._failed:
                return
            entered = perf_counter()
            self._now = entered - self._own
            try:
                call(*args)
            except Exception as error:  # noqa: BLE001 - training goes on whatever breaks in here
                self._give_up(error)
            self._own += perf_counter() - entered

        return guarded

    def _give_up(self, error: Exception) -> None:
        self._failed = True
        self._collector.detach()
        self.off["everything"] = f"the watch itself failed at step {self.step}: {type(error).__name__}: {error}"
        warnings.warn(f"{self.off['everything']}; training goes on unwatched.", WatchWarning, stacklevel=4)


def _autocast(device: str) -> torch.dtype | None:
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None


def _floats(values: Sequence[Any]) -> Tensor | None:
    """The first floating-point tensor among them."""
    for value in values:
        tensor = first_tensor(value)
        if tensor is not None and tensor.is_floating_point() and tensor.numel():
            return tensor.detach()
    return None
