"""What is read of a step at each of its moments, and what is handed over when it has ended.

On every step the free signals are taken, on sampled ones all of them. A signal that fails is off from then on.

May not: hook into anything, know in which order a loop does things (the follower says when), write anywhere, judge.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from torch import Tensor, nn
from torch.optim import Optimizer

from torchdoctor.record.gradients import read_made, read_received, unscaled
from torchdoctor.record.moment import Moment
from torchdoctor.record.nonfinite import Search
from torchdoctor.record.off import Off
from torchdoctor.record.passes import Passes, Value
from torchdoctor.record.signal import At, Columns, Signal
from torchdoctor.record.units import UnitWindow

Keep = Callable[[str, int, Columns], None]  # keep(signal, step, columns)


class Reading:
    """Of one step after the other. moment: what the signals look at, filled hook by hook. sampled: are all of them
    taken in this step? cpu: is it cheap to look at a value?"""

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        signals: Mapping[At, Sequence[Signal]],
        search: Search,
        keep: Keep,
    ) -> None:
        self.step, self.sampled = 0, True
        self.signals, self.off, self.passes = signals, Off(), Passes()
        self.loss_from = ""
        self.moment, self.window = Moment(model), UnitWindow()
        self._optimizer, self._search, self._keep = optimizer, search, keep
        self.list_parameters()
        self.begin()

    def begin(self) -> None:
        """A step begins."""
        self.passes.clear()
        self._columns: dict[str, Columns] = {}
        m = self.moment
        self.moment = Moment(m.model, m.names, m.parameters, rates=m.rates)

    def end(self) -> None:
        """The step has ended: what was measured in it is handed over."""
        moment = self.moment
        rates = tuple(float(g["lr"]) for g in self._optimizer.param_groups if "lr" in g)
        moment.rates_changed, moment.rates = rates != moment.rates, rates
        if self.sampled:
            self.take("update")
        self.take("step")
        for name, columns in self._columns.items():
            self._keep(name, self.step, columns)
        self._keep_flags()
        if self.sampled:
            if self.window.full:
                self._keep_window(self.step)
            self.list_parameters()

    def finish(self, between: bool) -> None:
        """The loop has ended, perhaps in the middle of a step, because its loss is NaN: that much is kept of it."""
        loss = self.moment.loss if self.passes.count else self.passes.unfinished
        if loss is not None and self.cpu and not math.isfinite(loss):
            self._look_for_source()
            self._keep("loss", self.step, Columns(("",), [loss]))
        self._keep_flags()
        self._keep_window(max(0, self.step - 1) if between else self.step)

    def take(self, at: At) -> None:
        """Measure the signals of one moment; of micro-batches and closures the last measurement counts."""
        for s in self.signals.get(at, ()):
            try:
                columns = s.measure(self.moment) if s.measure else None
                if columns is not None and len(columns.subjects):
                    self._columns[s.name] = _checked(columns)
            except Exception as error:  # noqa: BLE001 - one signal breaks, the others go on, and so does training
                self.switch_off([s.name], error)

    def switch_off(self, names: Sequence[str], error: Exception) -> None:
        """They failed, and are not taken any more."""
        self.signals = {at: [s for s in signals if s.name not in names] for at, signals in self.signals.items()}
        self.off.broke(names, self.step, error)

    # -- the loss -----------------------------------------------------------------------------------------------------

    def read_loss(self) -> None:
        """When backward has ended."""
        passes = self.passes
        if passes.computed is not None:
            self.moment.loss, self.loss_from = passes.computed, "loss_fn"
        elif self.loss_from in ("", "backward") and passes.called_on is not None:
            self.moment.loss, self.loss_from = passes.called_on, "backward"
        if self.cpu and passes.latest is not None and not math.isfinite(passes.latest):
            self._look_for_source()

    def loss_logged(self, between: bool) -> bool:
        """The loop says itself what its loss is: True when that counts, and from then on no other but loss_fn's.
        between: a step has ended, and the next one has not begun."""
        if self.loss_from == "loss_fn" or self.passes.awaited(self.moment.training):
            return False
        self.loss_from = "log"
        if not between:
            self.moment.loss = None
        return True

    def value(self, loss: Tensor) -> Value:
        """Of one element, a GradScaler's scale divided out."""
        return unscaled(self.moment, loss.item() if self.cpu else loss.detach().reshape(()))

    def _look_for_source(self) -> None:
        try:
            self._search.for_loss()
        except Exception as error:  # noqa: BLE001 - a model that cannot be called twice
            self.switch_off(["nonfinite_module"], error)

    # -- gradients ----------------------------------------------------------------------------------------------------

    def read_gradients(self) -> None:
        """Right after backward, so before any clipping."""
        read_made(self.moment)
        if self.cpu and not math.isfinite(self.moment.gradient_norm):
            self._search.for_gradients(self.moment.names, self.moment.parameters)
        if self.sampled:
            self.take("backward")

    def gradients_by_hand(self) -> None:
        """They came without backward(), as from torch.autograd.grad, or did not come at all."""
        if not self.passes.count:
            self.moment.scale = None
            self.passes.adopt(self.moment.training)
            self.read_loss()
            self.read_gradients()

    def read_received(self) -> None:
        """When the optimizer steps."""
        # Under a GradScaler a fused optimizer looks for infinities by itself.
        if isinstance(found := getattr(self._optimizer, "found_inf", None), Tensor):
            self.moment.skipped = found.clone()
        if self.sampled:
            read_received(self.moment, self._optimizer)

    def list_parameters(self) -> None:
        """Anew on sampled steps: a loop may unfreeze layers on its way, or move them."""
        trainable = [(n, p) for n, p in self.moment.model.named_parameters() if p.requires_grad]
        self.moment.names = tuple(n for n, _ in trainable)
        self.moment.parameters = tuple(p for _, p in trainable)
        self.cpu = all(p.device.type == "cpu" for p in self.moment.parameters)
        mine = {id(p) for group in self._optimizer.param_groups for p in group["params"]}
        # Of a module that holds two players, each with its own optimizer, this one's: whose passes and left-over
        # gradients are told apart by these. All of them where the optimizer holds none, which is a fault of its own.
        self.held = tuple(p for p in self.moment.parameters if id(p) in mine) or self.moment.parameters

    # -- what is found on the way -------------------------------------------------------------------------------------

    def _keep_flags(self) -> None:
        if self._search.found:
            for signal, columns in self._search.take(left_out=bool(self.moment.skipped)):
                self._keep(signal, self.step, columns)

    def _keep_window(self, step: int) -> None:
        for name, all_columns in self.window.take().items():
            for columns in all_columns:
                self._keep(name, step, columns)


def _checked(columns: Columns) -> Columns:
    n, values = len(columns.subjects), columns.values
    if len(values) != n and not (n == 1 and isinstance(values, Tensor)):
        raise ValueError(f"{len(values)} values for {n} subjects")
    return columns
