"""Is an explanation about this model at all? Three tests with numbers.

May not: change the model, draw from the global random numbers.
"""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from torchdoctor.evaluate.interval import Interval, bootstrap
from torchdoctor.explain.attribution import attributed, integrated_gradients
from torchdoctor.explain.subject import Subject

COMPLETE = 0.05  # largest error of the integral, as a share of the difference it must add up to
ALIKE = 0.5  # rank correlation above which a map does not depend on what was learnt
DELETED = 0.2  # share of the inputs
DRAWS = 5


@dataclass(frozen=True)
class Check:
    """name, method: what was tested of which method. passed: None where it could not be. said: the numbers."""

    name: str
    method: str
    passed: bool | None
    said: str


def completeness(subject: Subject, x: Tensor, target: Tensor) -> Check:
    """Do integrated gradients add up to the score of the input minus that of the baseline?"""
    total = integrated_gradients(subject, x, target).detach().flatten(1).sum(1)
    with torch.no_grad():
        here, there = subject.scores(x), subject.scores(subject.baseline)
    difference = here.gather(1, target[:, None])[:, 0] - there[0, target]
    error = float((total - difference).abs().sum() / difference.abs().sum().clamp_min(1e-12))
    said = f"{error:.1%} of the difference of {float(difference.abs().mean()):.3g} is missing, mean of {len(x)} samples"
    return Check("completeness", "integrated-gradients", error <= COMPLETE, said)


def randomisation(subject: Subject, x: Tensor, target: Tensor, method: str, seed: int = 0) -> Check:
    """Does the map change when the weights are drawn anew? One that does not shows edges of the picture, not what the
    network has learnt.

    Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018.
    """
    name, fresh = "randomised weights", drawn_anew(subject.model, seed)
    if fresh is None:
        return Check(name, method, None, "no layer of the model says how it is drawn (reset_parameters)")
    maps = attributed(subject, x, target, method).flatten(1)
    others = attributed(subject.with_model(fresh), x, target, method).flatten(1)
    there = [mask.nonzero()[:, 0] for mask in _differs(subject, x).flatten(1)]  # black on black is alike in any network
    pairs = [(a[rows].numpy(), b[rows].numpy()) for a, b, rows in zip(maps, others, there)]
    alike = [abs(float(spearmanr(a, b).statistic)) for a, b in pairs if a.size > 2 and np.ptp(a) > 0 and np.ptp(b) > 0]
    if not alike:
        return Check(name, method, None, "the maps are the same everywhere")
    mean = float(np.mean(alike))
    said = f"rank correlation {mean:.2f} with the maps of a network drawn anew, mean of {len(alike)} samples"
    return Check(name, method, mean < ALIKE, said)


def deletion(subject: Subject, x: Tensor, target: Tensor, method: str, seed: int = 0) -> Check:
    """Does removing the inputs that count most hurt the answer more than removing as many others?

    A fifth of the inputs that differ from the baseline is set to it: those with the largest attribution, or those that
    the same map picks when it is moved elsewhere.

    Samek et al., "Evaluating the Visualization of What a Deep Neural Network Has Learned", 2017.
    """
    drops = deletion_drops(subject, x, target, attributed(subject, x, target, method), seed)
    lead: Interval = bootstrap(lambda top, other: float((top - other).mean()), drops, seed, times=400)
    top, other = (float(d.mean()) for d in drops)
    ends = f"95 % interval of the lead {lead.low:.3g} to {lead.high:.3g}"
    said = f"the score falls by {top:.3g}, by {other:.3g} for the same map moved elsewhere ({ends})"
    return Check("deletion", method, bool(lead.low > 0) if math.isfinite(lead.low) else top > other, said)


def deletion_drops(
    subject: Subject, x: Tensor, target: Tensor, maps: Tensor, seed: int = 0
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """By how much the score of each sample falls: without its top inputs, and without random ones, each (N,)."""
    differs = _differs(subject, x)
    order = torch.where(differs, maps, -torch.inf).flatten(1)
    count = (DELETED * differs.flatten(1).sum(1)).ceil().long()
    random = torch.Generator().manual_seed(seed)
    moved = (_elsewhere(maps, random) for _ in range(DRAWS))
    noise = [torch.where(differs, one, -torch.inf).flatten(1) for one in moved]
    top = _drop(subject, x, target, order, count)
    others = torch.stack([_drop(subject, x, target, one, count) for one in noise]).mean(0)
    return top.double().numpy(), others.double().numpy()


def drawn_anew(model: nn.Module, seed: int = 0) -> nn.Module | None:
    """A copy whose weights are drawn again; None when no layer of it knows how."""
    twin = copy.deepcopy(model)
    resets = [m.reset_parameters for m in twin.modules() if callable(getattr(m, "reset_parameters", None))]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for reset in resets:
            reset()  # type: ignore[operator]
    return twin if resets else None


def _elsewhere(maps: Tensor, random: torch.Generator) -> Tensor:
    """The same map at another place: of pictures shifted in a circle, so that it stays as smooth or as scattered
    (single missing pixels hurt more than a missing patch); of rows of features in another order."""
    if maps.ndim == 2:
        return maps[:, torch.randperm(maps.shape[1], generator=random)]
    shifts = [int(torch.randint(1, max(2, side), (1,), generator=random)) for side in maps.shape[1:]]
    return maps.roll(shifts, (1, 2))


def _differs(subject: Subject, x: Tensor) -> Tensor:
    """Where inputs are not what the baseline is: (N, H, W) of pictures, else (N, features)."""
    return (x != subject.baseline).any(1) if subject.pictures else x != subject.baseline


def _drop(subject: Subject, x: Tensor, target: Tensor, order: Tensor, count: Tensor) -> Tensor:
    """The score before minus the score without the `count` (N,) inputs that come first in `order` (N, inputs)."""
    rank = order.argsort(1, descending=True).argsort(1)
    shape = (len(x), 1, *x.shape[2:]) if subject.pictures else x.shape
    gone = (rank < count[:, None]).reshape(shape)
    with torch.no_grad():
        before, after = subject.scores(x), subject.scores(torch.where(gone, subject.baseline, x))
    return (before - after).gather(1, target[:, None])[:, 0]
