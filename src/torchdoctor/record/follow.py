"""Follow a training loop through its steps: fill the Moment hook by hook, and say when which signals are to measure.

One step is what lies between two calls of optimizer.step(): it may hold several forward and backward passes.

May not: measure or keep anything (reading.py does), judge, draw random numbers, write to a tensor of the model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from threading import get_ident
from typing import Any

import torch
from torch import Tensor, nn
from torch.amp.grad_scaler import GradScaler, OptState
from torch.optim import Optimizer

from torchdoctor.record.activations import Collector, first_tensor, measurable
from torchdoctor.record.clock import Clock
from torchdoctor.record.cost import Ceiling
from torchdoctor.record.facts import is_compiled, is_mode_layer
from torchdoctor.record.gradients import read_left_over
from torchdoctor.record.guard import Guard
from torchdoctor.record.moment import thinned
from torchdoctor.record.nonfinite import Call, Search
from torchdoctor.record.reading import Keep, Reading
from torchdoctor.record.signal import At, Signal
from torchdoctor.record.singles import Singles
from torchdoctor.record.unseen import FLAGS, LAYERS


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
        self.clock = Clock()
        self.forwards = 0  # forward passes seen, those without gradients left out
        self.graded_evaluations = 0  # forward passes in eval mode with gradients on, less backward passes in eval mode
        self.singles = Singles(model)
        self.loss_shapes: dict[str, list[int]] = {}
        self.at_rest: Callable[[], None] = lambda: None  # called between steps, when a flush is harmless
        self._ceiling, self._search = ceiling, Search(model)
        self._reading = Reading(model, optimizer, signals, self._search, keep)
        self.passes, self.off = self._reading.passes, self._reading.off
        self._collector = Collector(model, self._lenient)
        self._handles: list[Any] = []
        self.loss_called = False
        self.evaluation_mode: bool | None = None  # the model's own flag in the last pass without gradients
        self._compiled = is_compiled(model)
        self._thread = get_ident()  # the loop's: other threads may train other networks
        self._depth = self._nested = self._inner = 0  # forward, backward passes and steps inside of one another
        self._ordinary = True  # the forward pass that is going on
        self._in_backward = self._stepping = self._stepped_since_update = False
        self._seen_before = 0  # backward passes, when the optimizer's step began
        self._phases_before = 0.0
        self._closure: Any = None
        self._guard = Guard(self.clock, self._search, self._give_up)
        self._before_backward = self._guard.around(self._backward_begins)
        self._after_backward = self._guard.around(self._backward_ends)
        self._begin_step()

    def attach(self) -> None:
        if self._compiled:
            self.off.put(LAYERS, "the model is compiled, and hooks inside it would force new compilations")
        if not self._reading.cpu:
            self.off.put(FLAGS, "on a GPU the host would have to wait in every step to know that a loss is finite")
        if isinstance(self.loss_fn, nn.Module):
            self._handles.append(self.loss_fn.register_forward_hook(self._guard.hook(self._loss_computed)))
        self._handles += [
            self.model.register_forward_pre_hook(self._guard.hook(self._forward_begins), with_kwargs=True),
            self.model.register_forward_hook(self._guard.hook(self._forward_ends)),
            self.optimizer.register_step_pre_hook(self._guard.hook(self._optimizer_begins)),
            self.optimizer.register_step_post_hook(self._guard.hook(self._optimizer_ends)),
        ]
        self.clock.start()

    def detach(self) -> None:
        self._collector.detach()
        for handle in self._handles:
            handle.remove()
        self._handles.clear()
        self._guard.around(lambda: self._reading.finish(self.between))()
        self._search.calls.clear()

    @property
    def step(self) -> int:
        """The number of the one that is going on, or comes next."""
        return self._reading.step

    @property
    def signals(self) -> Mapping[At, Sequence[Signal]]:
        """Those that are taken, by the moment when they are."""
        return self._reading.signals

    @property
    def loss_from(self) -> str:
        """Where the loss comes from: loss_fn, log, backward; "" while none has come."""
        return self._reading.loss_from

    def loss_logged(self) -> bool:
        """The loop says itself what its loss is: does that count?"""
        return self._reading.loss_logged(self.between)

    @property
    def between(self) -> bool:
        """A step has ended, and the next one has not begun."""
        return self.step > 0 and not self.clock.phases

    # -- one step, in its order ---------------------------------------------------------------------------------------

    def fetched(self, seconds: float) -> None:
        """The loop got a batch from a DataLoader."""
        if get_ident() == self._thread:
            self.clock.fetched(seconds)
            self.singles.fetched()

    def _forward_begins(self, _model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not torch.is_grad_enabled():
            self.clock.forget_fetched()
            self._evaluation_begins()
            self.singles.asked([*args, *kwargs.values()])
            return
        self._depth += 1
        if self._depth > 1 or self._in_backward:
            return
        self._ordinary = _is_ordinary()
        if not self._ordinary:
            return
        self._rest_between_steps()
        self._thread = get_ident()
        self.forwards += 1
        self.singles.trained_on([*args, *kwargs.values()])
        self.graded_evaluations += not self.model.training
        self.clock.charge_fetched()
        self._forward_began = self.clock.now
        self._search.calls.append(Call.of(args, kwargs))
        self._reading.moment.training = self.model.training
        if self._reading.sampled:
            self._reading.moment.inputs = _floats([*args, *kwargs.values()])
            if not self._compiled:
                self._collector.attach()

    def _evaluation_begins(self) -> None:
        """A forward pass without gradients. Of the first one between two steps the mode of its layers is kept, until it
        is known whether it was for validation: a GAN's generator runs so in training, and so does a teacher."""
        if self.evaluation_mode is None and not self._in_backward:
            self.evaluation_mode = any(m.training for m in self.model.modules() if is_mode_layer(m))

    def _forward_ends(self, _model: nn.Module, _args: Any, output: Any) -> None:
        if not torch.is_grad_enabled():
            return
        self._depth = max(0, self._depth - 1)
        if self._depth or self._in_backward or not self._ordinary:
            return
        self._collector.detach()
        self.clock.add("forward", self._forward_began)
        reading = self._reading
        if reading.sampled:
            reading.moment.activations = self._collector.found
            reading.moment.output = _floats([output])
            reading.take("forward")
            reading.window.add(reading.moment.activations)

    def _loss_computed(self, _loss_fn: nn.Module, args: tuple[Any, ...], loss: Any) -> None:
        """The loss module's own hook."""
        if not (isinstance(loss, Tensor) and torch.is_grad_enabled() and _is_ordinary()):
            return
        self.loss_called = True
        value = loss.detach() if loss.dim() == 0 else loss.detach().mean()
        self.passes.loss_computed(loss, value.item() if self._reading.cpu else value, self.model.training)
        if self._reading.sampled and len(args) > 1 and isinstance(args[0], Tensor) and isinstance(args[1], Tensor):
            self._reading.moment.target = _floats(args[1:2])
            self.loss_shapes = {"output": list(args[0].shape), "target": list(args[1].shape)}

    def scaled(self, scaler: GradScaler) -> None:
        """A GradScaler is in use: gradients and the loss that backward sees are multiplied by this."""
        if get_ident() == self._thread and scaler.is_enabled() and scaler._scale is not None:
            # Halved again and again it becomes 0, and what was multiplied by that cannot be told. It changes in place.
            reading, scale = self._reading, scaler._scale
            reading.moment.scale = (scale.item() or math.nan) if reading.cpu else scale.clone()

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
        loss, reading, moment = first_tensor(tensors), self._reading, self._reading.moment
        value = reading.value(loss) if loss is not None and loss.numel() == 1 else None
        self.graded_evaluations -= not moment.training
        anew = self.passes.begin(reading.held, loss, value, moment.training, self._stepping)
        if reading.sampled and anew:
            read_left_over(moment, self.optimizer)
        self._backward_began = self.clock.now

    def after_backward(self, finished: bool) -> None:
        if get_ident() != self._thread:
            return
        if self._nested:
            self._nested -= 1
            return
        self._in_backward = False
        self._after_backward(finished)

    def _backward_ends(self, finished: bool) -> None:
        self.clock.add("backward", self._backward_began)
        if not finished:
            self.passes.failed()
        elif self.passes.end(self._reading.held):
            self._reading.read_loss()
            self._reading.read_gradients()
            self._search.calls.clear()

    def _optimizer_begins(self, _optimizer: Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if self._stepping and self.passes.seen == self._seen_before:
            self._inner += 1  # a subclass's step() calls that of its parent
            return
        self._rest_between_steps()
        self._forward_is_over()
        self._closure, reading = args[1] if len(args) > 1 else kwargs.get("closure"), self._reading
        if self._closure is None:
            reading.gradients_by_hand()
            reading.read_received()
        if reading.sampled:
            reading.moment.before = [thinned(p).clone() for p in reading.moment.parameters]
        self._stepping, self._inner, self._seen_before = True, 0, self.passes.seen
        self._phases_before, self._optimizer_began = self.clock.in_phases, self.clock.now

    def _optimizer_ends(self, *_: Any) -> None:
        if self._inner:
            self._inner -= 1
            return
        # A closure's forward and backward passes run inside step(), and their time is theirs.
        self.clock.add("optimizer", self._optimizer_began + self.clock.in_phases - self._phases_before)
        if self._closure is not None:
            self._reading.gradients_by_hand()
            self._reading.read_received()  # of its last try, clipped by then
        self._stepping, self._closure, self._stepped_since_update = False, None, True
        self.passes.stepped()
        self._end_step()

    def scaler_updated(self, scaler: GradScaler) -> None:
        if get_ident() == self._thread and scaler.is_enabled():  # a disabled one keeps no states
            self._guard.around(self._scaler_updates)(scaler)

    def _scaler_updates(self, scaler: GradScaler) -> None:
        """Was this optimizer's step left out, because of infinite gradients? The step has ended all the same."""
        asked = scaler._per_optimizer_states.get(id(self.optimizer), {}).get("stage") is OptState.STEPPED
        if asked and self.passes.count and not self._stepped_since_update:
            self._reading.moment.skipped = True
            self._end_step()
        self._stepped_since_update = False

    def _end_step(self) -> None:
        reading = self._reading
        reading.moment.phases, users = self.clock.end_step()
        reading.end()
        reading.sampled = self._ceiling.step(reading.step, users, self.clock.next_step(), reading.sampled)
        reading.step += 1
        self._begin_step()

    def _begin_step(self) -> None:
        self.evaluation_mode = None
        self._reading.begin()
        self._optimizer_began = self._forward_began = self._backward_began = self.clock.now

    # -- what can go wrong ---------------------------------------------------------------------------------------------

    def _rest_between_steps(self) -> None:
        if not self.clock.phases:
            self.at_rest()

    def _forward_is_over(self) -> None:
        """Also where it ended in an exception, which no hook is told of."""
        if self._depth:
            self._depth = 0
            self._collector.detach()

    def _lenient(self, call: Callable[..., None]) -> Callable[..., None]:
        """A layer with an output that cannot be measured costs the layers, not the rest."""
        return self._guard.around(call, self._no_layers)

    def _no_layers(self, error: Exception) -> None:
        self._collector.close()
        self._reading.switch_off(LAYERS, error)

    def _give_up(self, error: Exception) -> None:
        self._guard.closed = True
        self._collector.detach()
        self.off.everything(self.step, error)


def _is_ordinary() -> bool:
    """Not inside of torch.jit.trace, nor of a transform of torch.func, where tensors stand for others."""
    return not torch._C._is_tracing() and torch._C._functorch.peek_interpreter_stack() is None


def _floats(values: Sequence[Any]) -> Tensor | None:
    """The first floating-point tensor among them that can be measured."""
    for value in values:
        tensor = first_tensor(value)
        if tensor is not None and measurable(tensor):
            return tensor.detach()
    return None
