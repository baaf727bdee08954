"""What a loss expects to be fed, found by feeding it: scores, probabilities, log-probabilities, or anything.

The name of a loss is never looked at, so a hand-written one is understood as well as torch's own. All tests run on
the CPU: a loss that is fed what it cannot take raises there, where on a GPU it would end the whole process.

May not: judge, print, call the model.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from torchdoctor.probes.batch import moved

FAR = 30.0  # where a sigmoid or softmax is 0 or 1 to float32
TIGHT = 1e-3  # relative error of two float32 gradients that are meant to be equal

Loss = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Expectation:
    """scores: it applies softmax or sigmoid itself. log_probabilities: it is linear in the target's entry.

    probabilities: defined, or not flat, only between 0 and 1, or a likelihood of them or of their shares. positive: not
    defined below 0. axis: the dimension that holds the classes, None where there is none or it could not be told.
    """

    scores: bool = False
    log_probabilities: bool = False
    probabilities: bool = False
    positive: bool = False
    axis: int | None = None

    def fitting(self, scores: Tensor) -> Tensor:
        """Any real numbers made into outputs that the loss can take."""
        if self.log_probabilities and self.axis is not None:
            return torch.log_softmax(scores, self.axis)
        if self.probabilities:
            return torch.sigmoid(scores) if self.axis is None else torch.softmax(scores, self.axis)
        return torch.nn.functional.softplus(scores) if self.positive else scores


def expectation(loss_fn: Callable[[Any, Any], Tensor], output: Any, target: Any) -> Expectation:
    """What `loss_fn` makes of outputs of this shape for this target. Nothing is known where the output is not one
    floating-point tensor."""
    if not isinstance(output, Tensor) or not output.is_floating_point() or not output.numel():
        return Expectation()
    loss_of = on_cpu(loss_fn, target)
    like = torch.randn(output.shape, generator=torch.Generator().manual_seed(0))
    axes = [a for a in dict.fromkeys((1, output.ndim - 1)) if 0 < a < output.ndim and output.shape[a] > 1]
    target = moved(target, torch.device("cpu"))
    logs = next((a for a in axes if _is_log_likelihood(loss_of, like, target, a)), None)
    if logs is not None:
        return Expectation(log_probabilities=True, axis=logs)
    soft = next((a for a in axes if _applies_softmax(loss_of, like, a)), None)
    if soft is not None:
        return Expectation(scores=True, axis=soft)
    if _applies_sigmoid(loss_of, like, target):
        return Expectation(scores=True)
    below, above = _refuses(loss_of, like, -0.5, -2.0), _refuses(loss_of, like, 1.5, 3.0)
    if _refuses(loss_of, like, 0.25, 0.75):
        return Expectation()
    of_logs = next((a for a in axes if _is_log_likelihood(lambda z: loss_of(z.exp()), like, target, a)), None)
    if of_logs is not None:
        return Expectation(probabilities=True, axis=of_logs)
    shares = next((a for a in axes if _of_shares(loss_of, like, a)), None)
    if shares is not None:
        return Expectation(probabilities=True, axis=shares)
    return Expectation(probabilities=below and above, positive=below and not above)


def on_cpu(loss_fn: Callable[[Any, Any], Tensor], target: Any) -> Loss:
    """output on the CPU -> loss."""
    fn = copy.deepcopy(loss_fn).cpu() if isinstance(loss_fn, nn.Module) else loss_fn
    there = moved(target, torch.device("cpu"))

    def loss_of(output: Tensor) -> Tensor:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a loss may warn of shapes; that is judged elsewhere
            return fn(output, there).reshape(())

    return loss_of


def gradient(loss_of: Loss, at: Tensor) -> Tensor | None:
    """Of the loss with respect to the output; None where the loss or its gradient is not defined."""
    x = at.detach().clone().requires_grad_(True)
    try:
        with torch.enable_grad():
            loss = loss_of(x)
        (g,) = torch.autograd.grad(loss, x)
    except Exception:  # noqa: BLE001 - a loss may refuse values in any way it likes; refusing is an answer
        return None
    return g if bool(torch.isfinite(loss) & torch.isfinite(g).all()) else None


def _is_log_likelihood(loss_of: Loss, like: Tensor, target: Any, axis: int) -> bool:
    """Linear, falling with the entry of the target's class (or by the target's own shares) and with nothing else."""
    # At points that are log-probabilities, so that a loss that checks or clamps its input takes part.
    g, far = (gradient(loss_of, torch.log_softmax(size * like, axis)) for size in (0.5, 1))
    if g is None or far is None or not _close(g, far) or bool((g > 0).any()) or not bool(g.any()):
        return False
    above = gradient(loss_of, 3 + 0.01 * torch.tanh(like))  # a hinge is linear below, and has another slope here
    if above is not None and bool(above.any()) and not _close(g, above):
        return False
    if isinstance(target, Tensor) and target.is_floating_point() and target.shape == g.shape:
        return any(_proportional(g, share) for share in (target, target.exp()))
    return bool(((g != 0).sum(axis) <= 1).all())


def _of_shares(loss_of: Loss, like: Tensor, axis: int) -> bool:
    """It divides a row of positive numbers by their sum and takes the likelihood of one: of their logarithms it is a
    cross-entropy, whose gradient is known."""
    for size in (0.5, 1.0, 2.0):
        g = gradient(lambda z: loss_of(z.exp()), size * like)
        if g is None or not bool(((g < 0).sum(axis) == 1).all()):
            return False
        if not _proportional(g, torch.softmax(size * like, axis) - (g < 0).to(g.dtype)):
            return False
    return True


def _applies_softmax(loss_of: Loss, like: Tensor, axis: int) -> bool:
    """Only differences within a row count, and far out the loss grows in proportion to them."""
    for size in (1.0, 10.0, 100.0):
        g = gradient(loss_of, size * like)
        if g is None or not bool(g.any()) or float(g.sum(axis).abs().max()) > TIGHT * float(g.abs().max()):
            return False
    near, far = _value(loss_of, 100 * like), _value(loss_of, 1000 * like)
    return 0 < 5 * near < far < 20 * near


def _applies_sigmoid(loss_of: Loss, like: Tensor, target: Any) -> bool:
    """Far out on the target's side the loss is flat, on the other side it grows, in step with the target's share."""
    if not isinstance(target, Tensor) or target.numel() != like.numel():
        return False
    share = target.reshape(like.shape).to(like.dtype)
    share = (share + 1) / 2 if float(share.min()) < 0 else share
    up, down = gradient(loss_of, torch.full_like(like, FAR)), gradient(loss_of, torch.full_like(like, -FAR))
    if up is None or down is None or float(share.min()) < 0 or float(share.max()) > 1:
        return False
    if bool(((share == 0) | (share == 1)).all()):
        size = float(torch.maximum(up.abs(), down.abs()).max())
        flat = torch.where(share == 1, up, down).abs().max() < TIGHT * size
        return size > 0 and bool(flat) and bool((torch.where(share == 1, -down, up) > 0).all())
    return _proportional(up, 1 - share) and _proportional(-down, share)


def _refuses(loss_of: Loss, like: Tensor, *values: float) -> bool:
    """At every one of these values the loss raises, is not finite, or is flat."""
    return all(_lost(gradient(loss_of, v + 0.01 * torch.tanh(like))) for v in values)


def _lost(g: Tensor | None) -> bool:
    return g is None or not bool(g.any())


def _value(loss_of: Loss, at: Tensor) -> float:
    try:
        return float(loss_of(at))
    except Exception:  # noqa: BLE001 - as above
        return math.nan


def _close(a: Tensor, b: Tensor) -> bool:
    return float((a - b).abs().max()) <= TIGHT * float(a.abs().max())


def _proportional(a: Tensor, b: Tensor) -> bool:
    """a = c·b for one positive c."""
    c = float((a * b).sum() / (b * b).sum().clamp_min(1e-30))
    return abs(c) > 0 and bool(a.any()) and _close(a, c * b)
