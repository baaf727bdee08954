"""The training loop, from top to bottom, on plain torch.

`fit` trains parts for log.epochs epochs and logs epoch, train_loss, train_score, val_loss and val_score after each.
May not: judge, print, build parts, decide on devices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_
from torch.optim.lr_scheduler import ReduceLROnPlateau

from torchdoctor.data.batch import Batch, batches_of, scalar
from torchdoctor.experiment import Log, Score
from torchdoctor.parts import Parts
from torchdoctor.train.device import device_of, threads
from torchdoctor.train.resume import Checkpoints, Standing
from torchdoctor.train.score import Tally, evaluating

Precision = Literal["fp32", "bf16", "fp16"]


@dataclass(frozen=True)
class LoopOptions:
    """clip_norm: the longest gradient (L2 over all weights) the optimizer gets. accumulate: batches per optimizer step.

    precision: of the forward pass. patience: epochs without a better validation score (without validation: a lower
    training loss) after which training stops; the best weights come back. threads: of torch, while training.
    score(model, loader): what val_score is; None: accuracy, area under the curve or R2, by the targets.
    """

    clip_norm: float | None = None
    accumulate: int = 1
    precision: Precision = "fp32"
    patience: int | None = None
    threads: int | None = None
    score: Score | None = None


DEFAULTS = LoopOptions()


def fit(
    parts: Parts,
    log: Log,
    options: LoopOptions = DEFAULTS,
    *,
    checkpoints: Checkpoints | None = None,
    on_step: Callable[[int], object] | None = None,
) -> None:
    """Train in place, where the model lies. checkpoints: saved to after every epoch, and continued from if they say so.

    on_step(n): called after the n-th optimizer step. Raises BadParts for a loader or a loss that cannot be trained on.
    """
    model, loss_fn, optimizer = parts.model, parts.loss_fn, parts.optimizer
    device = device_of(model)
    scaler = torch.amp.GradScaler(device.type, enabled=options.precision == "fp16")
    at = Standing(parts, scaler)
    if checkpoints is not None:
        checkpoints.restore(at)

    with threads(options.threads):
        while at.epoch < log.epochs and not at.finished:
            model.train()
            begun = at.seen.samples > 0  # resumed in the middle of an epoch, or after its last batch
            for group in grouped(batches_of(parts.train, "train", may_be_empty=begun), options.accumulate):
                optimizer.zero_grad()
                for batch in group:
                    inputs, target = batch.to(device)
                    with autocast(device, options.precision):
                        output = model(*inputs)
                        loss = scalar(loss_fn(output, target))
                    share: Tensor = scaler.scale(loss if len(group) == 1 else loss / len(group))
                    share.backward()  # type: ignore[no-untyped-call]
                    at.seen.add(output, target, loss)
                if options.clip_norm is not None:
                    scaler.unscale_(optimizer)
                    clip_grad_norm_(model.parameters(), options.clip_norm)
                scaler.step(optimizer)
                scaler.update()
                at.step += 1
                if checkpoints is not None:
                    checkpoints.after_step(at)
                if on_step is not None:
                    on_step(at.step)

            numbers = {"train_loss": at.seen.loss(), "train_score": at.seen.score(), **validated(parts, options)}
            log(epoch=at.epoch, **numbers)
            if isinstance(parts.scheduler, ReduceLROnPlateau):
                parts.scheduler.step(numbers.get("val_loss", numbers["train_loss"]))
            elif parts.scheduler is not None:
                parts.scheduler.step()
            at.end_epoch(numbers.get("val_score", -numbers["train_loss"]), options.patience)
            if not math.isfinite(numbers["train_loss"]) and not finite(model):
                at.finished = True  # weights that are not finite never become finite again
            if checkpoints is not None:
                checkpoints.after_epoch(at)
    if options.patience is not None:
        at.bring_back_best()


def validated(parts: Parts, options: LoopOptions) -> dict[str, float]:
    """val_loss and val_score, in one pass; nothing when there is no validation loader."""
    if parts.val is None:
        return {}
    tally, device = Tally(), device_of(parts.model)
    with evaluating(parts.model), autocast(device, options.precision):
        for batch in batches_of(parts.val, "val"):
            inputs, target = batch.to(device)
            output = parts.model(*inputs)
            tally.add(output, target, scalar(parts.loss_fn(output, target)))
    score = tally.score() if options.score is None else options.score(parts.model, parts.val)
    return {"val_loss": tally.loss(), "val_score": score}


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
