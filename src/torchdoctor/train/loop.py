"""The training loop, from top to bottom, on plain torch.

`fit` trains parts for log.epochs epochs and logs epoch, train_loss, train_score, val_loss and val_score after each.
What it needs beside itself is one small object a concern: Standing (where it stands), Closure (LBFGS), Average (EMA and
SWA), Schedules, Checkpoints.
May not: judge, print, build parts, decide on devices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_, clip_grad_value_

from torchdoctor.data.batch import Batch, batches_of, scalar
from torchdoctor.errors import BadParts
from torchdoctor.experiment import Log, Score
from torchdoctor.losses.weighted import shares_of
from torchdoctor.parts import Parts
from torchdoctor.train.average import Average
from torchdoctor.train.closure import Closure, Shown, check_closure, mean_loss, step
from torchdoctor.train.device import device_of, threads
from torchdoctor.train.monitor import check_monitor, merit, plateau_number
from torchdoctor.train.ranks import ALONE, Ranks, Together
from torchdoctor.train.resume import Checkpoints
from torchdoctor.train.schedule import plateaus, schedules_of
from torchdoctor.train.score import Tally, evaluating
from torchdoctor.train.standing import Standing, untouched

Precision = Literal["fp32", "bf16", "fp16"]
OnEnd = Callable[[Standing], object]


@dataclass(frozen=True)
class LoopOptions:
    """clip_norm, clip_value: the longest gradient (L2 over all weights) and the largest single value of one that the
    optimizer gets. accumulate: batches per optimizer step. precision: of the forward pass.

    l1, l2: times the sum of all weights' absolute and squared values (not of biases and norms), added to what is
    minimised and left out of what is logged. ema: decay of an average of the weights; swa: the share of the run after
    which weights are averaged equally. monitor: the number that the best epoch, patience and plateaus go by; None:
    val_score, for plateaus val_loss. patience: epochs without a better one after which training stops; the best weights
    come back. threads: of torch, while training. score(model, loader): what val_score is; None: accuracy, area under
    the curve or R2, by the targets. distributed: "auto" trains together with the other processes of torchrun;
    shard: each of them then holds a part of the weights (td.train sees to that).
    """

    clip_norm: float | None = None
    accumulate: int = 1
    precision: Precision = "fp32"
    patience: int | None = None
    threads: int | None = None
    score: Score | None = None
    clip_value: float | None = None
    l1: float = 0.0
    l2: float = 0.0
    ema: float | None = None
    swa: float | None = None
    monitor: str | None = None
    distributed: Together = "auto"
    shard: bool = False


DEFAULTS = LoopOptions()


def fit(
    parts: Parts,
    log: Log,
    options: LoopOptions = DEFAULTS,
    *,
    checkpoints: Checkpoints | None = None,
    on_step: OnEnd | None = None,
    on_epoch: OnEnd | None = None,
    ranks: Ranks = ALONE,
) -> None:
    """Train in place, where the model lies. checkpoints: saved to after every epoch, and continued from if they say so.

    on_step, on_epoch: called with a Standing after each optimizer step and each epoch; at.stop() ends the training.
    ranks: this process among those that train together. Raises BadParts for a loader, a loss or options that cannot be
    trained with.
    """
    model, optimizer, device = parts.model, parts.optimizer, device_of(parts.model)
    at = start(parts, options, log.epochs, ranks)
    if checkpoints is not None:
        checkpoints.restore(at)
    network = ranks.network(model)
    at.finished = (at.finished and not finite(model)) or at.out_of_patience(options.patience)

    def backward(group: list[Batch]) -> list[Shown]:
        """Leave the gradients of one step, clipped."""
        optimizer.zero_grad()
        shown = []
        for batch in group:
            inputs, target = batch.to(device)
            with ranks.syncing(network, batch is group[-1]):
                with autocast(device, options.precision):
                    output = network(*inputs)
                    loss = scalar(parts.loss_fn(output, target))
                    aim = with_penalty(loss, model, options)
                share: Tensor = at.scaler.scale(aim if len(group) == 1 else aim / len(group))
                share.backward()  # type: ignore[no-untyped-call]
            shown.append(Shown(output, target, loss.detach()))
        if options.clip_norm is not None or options.clip_value is not None:
            at.scaler.unscale_(optimizer)
            clip(model, options)
        return shown

    with threads(options.threads):
        while at.epoch < log.epochs and not at.finished:
            model.train()
            begun = at.seen.samples > 0  # resumed in the middle of an epoch, or after its last batch
            batches = timed(batches_of(parts.train, "train", may_be_empty=begun), at)
            for group in grouped(ranks.shared(parts.train, batches, at.epoch), options.accumulate):
                closure = Closure(partial(backward, group))
                step(optimizer, closure, at.scaler)
                for shown in closure.first:
                    at.seen.add(*shown)
                at.loss = mean_loss(closure.first)
                at.step += 1
                at.schedules.after_step()
                if at.average is not None:
                    at.average.after_step()
                if checkpoints is not None:
                    checkpoints.after_step(at)
                if on_step is not None:
                    on_step(at)

            if at.average is not None:
                with untouched(parts.train) as again:
                    at.average.after_epoch(at.epoch + 1, (b.to(device) for b in batches_of(again, "train")))
            numbers = {"train_loss": at.seen.loss(), "train_score": at.seen.score(), **shares_of(parts.loss_fn)}
            numbers = ranks.agreed(numbers | validated(at.model, parts, options), at.seen.samples)
            log(epoch=at.epoch, **numbers)
            at.schedules.after_epoch(plateau_number(numbers, options.monitor))
            at.end_epoch(numbers, merit(numbers, options.monitor), options.patience)
            if not math.isfinite(numbers["train_loss"]) and not finite(model):
                at.finished = True  # weights that are not finite never become finite again
            at.finished = ranks.any(at.finished)
            if checkpoints is not None:
                checkpoints.after_epoch(at)
            if on_epoch is not None:
                on_epoch(at)
    at.put_in_place()


def start(parts: Parts, options: LoopOptions, epochs: int, ranks: Ranks = ALONE) -> Standing:
    """Where a training run of so many epochs begins. Raises BadParts for options that these parts cannot be trained
    with."""
    scaler = torch.amp.GradScaler(device_of(parts.model).type, enabled=options.precision == "fp16")
    schedules = schedules_of(parts.scheduler, parts.optimizer)
    check_monitor(options.monitor, parts.val is not None, plateaus(schedules))
    check_closure(parts.optimizer, scaled=scaler.is_enabled(), processes=ranks.world)
    if options.ema is not None and options.swa is not None:
        raise BadParts("ema and swa are two ways to average weights; choose one.")
    average = None
    if options.ema is not None or options.swa is not None:
        average = Average(parts.model, options.ema, None if options.swa is None else int(options.swa * epochs))
    return Standing(parts, scaler, schedules, average, ranks)


def validated(model: nn.Module, parts: Parts, options: LoopOptions) -> dict[str, float]:
    """val_loss and val_score of the model, in one pass; nothing when there is no validation loader."""
    if parts.val is None:
        return {}
    tally, device = Tally(), device_of(model)
    with evaluating(model), autocast(device, options.precision):
        for batch in batches_of(parts.val, "val"):
            inputs, target = batch.to(device)
            output = model(*inputs)
            tally.add(output, target, scalar(parts.loss_fn(output, target)))
    score = tally.score() if options.score is None else options.score(model, parts.val)
    return {"val_loss": tally.loss(), "val_score": score}


def with_penalty(loss: Tensor, model: nn.Module, options: LoopOptions) -> Tensor:
    """The loss and the L1 and L2 penalties: of weights, which have two dimensions or more."""
    if not options.l1 and not options.l2:
        return loss
    weights = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    for factor, power in ((options.l1, 1), (options.l2, 2)):
        if factor:
            loss = loss + factor * sum(w.abs().pow(power).sum() for w in weights)
    return loss


def clip(model: nn.Module, options: LoopOptions) -> None:
    """Shorten the gradients in place: first each value, then all together."""
    if options.clip_value is not None:
        clip_grad_value_(model.parameters(), options.clip_value)
    if options.clip_norm is not None:
        clip_grad_norm_(model.parameters(), options.clip_norm)


def timed(batches: Iterator[Batch], at: Standing) -> Iterator[Batch]:
    """The batches; how long each was waited for is added up."""
    while True:
        began = perf_counter()
        batch = next(batches, None)
        at.waited += perf_counter() - began
        if batch is None:
            return
        yield batch


def grouped(batches: Iterable[Batch], size: int) -> Iterator[list[Batch]]:
    """Lists of `size` batches; the last may be shorter."""
    group: list[Batch] = []
    for batch in batches:
        group.append(batch)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[Any]:
    """The context in which the forward pass runs in that number format."""
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16 if precision == "bf16" else torch.float16)


def finite(model: nn.Module) -> bool:
    """True when every weight is a finite number."""
    return all(bool(p.detach().isfinite().all()) for p in model.parameters())
