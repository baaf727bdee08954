"""Do two runs of the same experiment agree? The first batch, gradient or weight that differs, and in which step.

Each run gets a process of its own, so that what differs from process to process (the order of sets, seeds that nobody
set) differs here too. Tensors are compared by fingerprints of their bytes.
May not: record a run, print.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any, NamedTuple

import torch
from torch import Tensor

from torchdoctor.data.around import Around
from torchdoctor.data.batch import tensors_in
from torchdoctor.errors import BadParts
from torchdoctor.experiment import Experiment
from torchdoctor.parts import Loader, Parts
from torchdoctor.train.log import History
from torchdoctor.train.loop import fit
from torchdoctor.train.run import Describes
from torchdoctor.train.seed import seed_all

ADVICE = {
    "weight at the start": "Something draws the weights from random numbers that the seed does not set.",
    "batch": "The order or the content of the data is not set by the seed: give the loader a generator, and let what "
    "augments draw from torch's random numbers.",
    "gradient": "The batch and the weights were the same, so an operation is not deterministic: "
    "torch.use_deterministic_algorithms(True) names it. Or the model draws random numbers of its own.",
    "weight": "Batch and gradient were the same, so the optimizer's step is not deterministic.",
    "buffer": "Batch and gradient were the same, so a layer's statistics are not computed in a fixed order.",
}


class Mark(NamedTuple):
    """One tensor in one step (0: before training). size: its L2 norm, to say something of what differs."""

    step: int
    kind: str
    name: str
    fingerprint: str
    size: float


@dataclass(frozen=True)
class Agreement:
    """steps: compared, with `tensors` fingerprints. difference: the first, as in (one run, the other); None if they
    agree."""

    steps: int
    tensors: int
    difference: tuple[Mark, Mark] | None

    @property
    def message(self) -> str:
        """What was found, in sentences."""
        if self.difference is None:
            return f"The two runs agree bit for bit: {self.tensors:,} tensors in {self.steps:,} steps."
        one, other = self.difference
        if one[:3] != other[:3]:
            return (
                f"The two runs go different ways from step {one.step}: one has {one.kind} {one.name} where the other "
                f"has {other.kind} {other.name}. {ADVICE['batch']}"
            )
        what = f"{one.kind} {one.name}".strip()
        return (
            f"The two runs differ first in step {one.step}: {what}, of norm {one.size:.9g} in one run and "
            f"{other.size:.9g} in the other. {ADVICE[one.kind]}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        found = self.difference[0] if self.difference else None
        where = {} if found is None else {"step": found.step, "kind": found.kind, "name": found.name}
        return {"agree": found is None, "steps": self.steps, "tensors": self.tensors, **where, "message": self.message}


def repeated(what: Experiment | Describes, *, steps: int = 100, seed: int = 0, apart: bool = True) -> Agreement:
    """Train twice for at most so many optimizer steps, and compare.

    apart: each run in a new process; `what` must then be something that can be pickled, as a recipe can. Raises
    BadParts when it cannot, and what building and training raise.
    """
    if not apart:
        return _compared(fingerprints(what, steps, seed), fingerprints(what, steps, seed))
    try:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as processes:
            one, other = (processes.submit(fingerprints, what, steps, seed) for _ in range(2))
            return _compared(one.result(), other.result())
    except (AttributeError, TypeError) as error:
        if "pickle" not in str(error):
            raise
        raise BadParts(f"The experiment cannot be sent to another process ({error}). Use apart=False.") from None


def fingerprints(what: Experiment | Describes, steps: int, seed: int) -> list[Mark]:
    """Of one run, in the order in which things are made: weights, and of each step batches, gradients, weights."""
    experiment = what if isinstance(what, Experiment) else what.experiment()
    seed_all(seed)
    parts = experiment.parts(seed)
    marks = [_mark(0, "weight at the start", name, t) for name, t in parts.model.state_dict().items()]
    done = 0

    def after_step(*_: Any) -> None:
        nonlocal done
        done += 1
        marks.extend(_of_step(parts, done))
        if done == steps:
            raise _Enough

    handle = parts.optimizer.register_step_post_hook(after_step)
    noted = replace(parts, train=_Noted(parts.train, lambda t, n: marks.append(_mark(done + 1, "batch", n, t))))
    try:
        (experiment.fit or fit)(noted, History(experiment.epochs))
    except _Enough:
        pass
    finally:
        handle.remove()
    return marks


class _Enough(Exception):
    """Ends the loop after the last step that is to be compared."""


class _Noted(Around):
    """A loader that tells of the tensors of each batch it gives."""

    def __init__(self, loader: Loader, tell: Any) -> None:
        self.loader, self.tell = loader, tell

    def __iter__(self) -> Iterator[Any]:
        for batch in self.loader:
            for number, tensor in enumerate(tensors_in(batch)):
                self.tell(tensor, f"tensor {number}")
            yield batch


def _of_step(parts: Parts, step: int) -> Iterator[Mark]:
    for name, p in parts.model.named_parameters():
        if p.grad is not None:
            yield _mark(step, "gradient", name, p.grad)
    for name, p in parts.model.named_parameters():
        yield _mark(step, "weight", name, p)
    for name, b in parts.model.named_buffers():
        yield _mark(step, "buffer", name, b)


def _mark(step: int, kind: str, name: str, tensor: Tensor) -> Mark:
    there = tensor.detach().cpu().to_dense().contiguous()
    fingerprint = hashlib.blake2b(there.reshape(-1).view(torch.uint8).numpy().tobytes(), digest_size=8).hexdigest()
    return Mark(step, kind, name, fingerprint, float(there.double().norm()))


def _compared(one: list[Mark], other: list[Mark]) -> Agreement:
    end = Mark(0, "nothing", "any more", "", 0.0)
    longest = max(len(one), len(other))
    pairs = zip(one + [end] * (longest - len(one)), other + [end] * (longest - len(other)))
    difference = next(((a, b) for a, b in pairs if a[:4] != b[:4]), None)
    return Agreement(one[-1].step if one else 0, len(one), difference)
