"""The backward passes of one step: which of them reached the watched network, and the losses they were called on.

Between two steps of an optimizer there may be several: micro-batches, whose gradients and losses add up; another
network's turn (a GAN), whose gradients are cleared before they are used; and passes that never reach this network.

May not: write to a gradient, know what a signal is.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from torchdoctor.record.moment import dense, norms, total_norm

LOST = 20  # passes, see Passes.lost
Value = Tensor | float


class _Computed(NamedTuple):
    """What the loss function returned once. The tensor is not kept alive: its graph may be large."""

    tensor: weakref.ref[Tensor]
    value: Value
    training: bool


class Passes:
    """Told of every backward pass; `clear` when a step has ended."""

    def __init__(self) -> None:
        self.seen = 0  # all passes since the watch began
        self.unstepped = 0  # passes that reached the network since the last step of its optimizer
        self.idle = 0  # of these, those in training mode
        self.turns = 0  # steps before which another network had its turn
        self._most = 0  # passes before one step
        self._before: list[Tensor | None] = []
        self._versions: list[int] = []
        self.clear()

    def clear(self) -> None:
        """A step has ended, or was left out."""
        self.count = 0  # passes of this step that reached the network, since its gradients were last cleared
        self._called_on: list[Value] = []
        self._computed: list[Value] = []
        self._elsewhere: list[Value] = []  # what passes were called on that reached none of its parameters
        self._waiting: list[_Computed] = []  # computed, no backward yet
        self._turned = False  # gradients were cleared before a step used them
        self._value: Value | None = None  # what the latest pass was called on
        self._mine: Value | None = None  # what the loss function returned for it
        self._going = self._training = False
        self._first: tuple[Tensor, int] | None = None  # a gradient and its version when the last pass had ended

    @property
    def called_on(self) -> Value | None:
        """What backward was called on, added up as its gradients are."""
        return _total(self._called_on) if self._called_on else None

    @property
    def computed(self) -> Value | None:
        """What the loss function returned, the mean over the passes of the step."""
        return _mean(self._computed) if self._computed else None

    @property
    def latest(self) -> Value | None:
        """The loss of the latest pass alone."""
        return self._value if self._mine is None else self._mine

    def loss_computed(self, loss: Tensor, value: Value, training: bool) -> None:
        self._waiting.append(_Computed(weakref.ref(loss), value, training))

    def begin(
        self,
        parameters: Sequence[nn.Parameter],
        called_on: Tensor | None,
        value: Value | None,
        training: bool,
        trying: bool,
    ) -> bool:
        """A pass begins. True when the gradients start anew with it: the first one, or they have been cleared.

        value: of `called_on`. training: the mode of the forward pass before. trying: inside of optimizer.step(), where
        a closure clears them as often as it likes.
        """
        self._before = [p.grad for p in parameters]
        there = [g for g in self._before if g is not None]
        anew = not self.count or not there or self._zeroed(there)
        if anew and self.count:
            self._turned = self._turned or not trying
            self.count, self._called_on, self._computed = 0, [], []
        self._versions = [0 if g is None else g._version for g in self._before] if there else []
        self._value, self._going, self._training = value, True, training
        self._mine = _blend([c.value for c in self._chosen(called_on, training)], value) if self._waiting else None
        return anew

    def end(self, parameters: Sequence[nn.Parameter]) -> bool:
        """The pass has ended. True when it reached the network."""
        self.seen += 1
        self._going = False
        first = next((g for p in parameters if (g := p.grad) is not None), None)
        reached = first is not None and (not self._versions or self._written(parameters))
        self._before = []
        if first is None or not reached:
            self._elsewhere += [] if self._value is None else [self._value]
            return False
        self._first = (first, first._version)
        self._waiting = []
        self.count += 1
        self.unstepped += 1
        self.idle += self._training
        if self._value is not None:
            self._called_on.append(self._value)
        if self._mine is not None:
            self._computed.append(self._mine)
        return True

    def adopt(self, training: bool) -> None:
        """The optimizer steps and no pass reached the network: gradients made by hand, or none at all. What was
        computed and called on in this step is all there is to know of its loss."""
        if not self.count:
            self._mine = _blend([c.value for c in self._chosen(None, training)], None)
            self._called_on, self._computed = self._elsewhere, [] if self._mine is None else [self._mine]

    def stepped(self) -> None:
        """The optimizer has stepped."""
        self.turns += self._turned or bool(self.count and self._elsewhere)
        self._most, self.unstepped, self.idle = max(self._most, self.unstepped), 0, 0

    @property
    def lost(self) -> bool:
        """More passes without a step than micro-batches or turns explain: another optimizer takes the steps."""
        return self.unstepped > LOST + 4 * self._most

    def failed(self) -> None:
        """The pass ended in an exception."""
        self._before = []

    @property
    def unfinished(self) -> Value | None:
        """A loss whose backward ended in an exception, or never came, as when a loop stops at NaN."""
        if self._going:
            return self._value
        return self._waiting[-1].value if self._waiting else None

    def awaited(self, training: bool) -> bool:
        """Has the loss function been called for the pass that is to come?"""
        return bool(self._chosen(None, training))

    def _chosen(self, called_on: Tensor | None, training: bool) -> list[_Computed]:
        """Which of the computed losses this pass is about: the very tensor, else those computed in the same mode, since
        an evaluation that forgot no_grad() computes losses too."""
        exact = [c for c in self._waiting if called_on is not None and c.tensor() is called_on]
        return exact or [c for c in self._waiting if c.training == training]

    def _zeroed(self, there: list[Tensor]) -> bool:
        """Were they set to zero in place since the last pass? Looked at only when one of them was written to."""
        if self._first is None or (self._first[0] is there[0] and self._first[1] == there[0]._version):
            return False
        return not bool(torch.as_tensor(total_norm(norms([dense(g) for g in there]))))

    def _written(self, parameters: Sequence[nn.Parameter]) -> bool:
        """Is there a gradient that is new, or was written to, since the pass began?"""
        return any(
            p.grad is not g or (g is not None and g._version != v)
            for p, g, v in zip(parameters, self._before, self._versions)
        )


def _total(values: list[Value]) -> Value:
    return values[0] if len(values) == 1 else sum(values[1:], values[0])


def _mean(values: list[Value]) -> Value:
    return _total(values) / len(values) if len(values) > 1 else values[0]


def _blend(values: list[Value], called_on: Value | None) -> Value | None:
    """The mean; of several, what backward was called on where that lies among them, since it is then their weighted
    mean (mixup)."""
    if not values:
        return None
    mean = _mean(values)
    if called_on is None or len(values) < 2:
        return mean
    if all(isinstance(v, float) for v in (*values, called_on)):
        return called_on if min(values) <= called_on <= max(values) else mean
    each, total = torch.stack([torch.as_tensor(v) for v in values]), torch.as_tensor(called_on)
    return torch.where((each.amin() <= total) & (total <= each.amax()), total, mean)
