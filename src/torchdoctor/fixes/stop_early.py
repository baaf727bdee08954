"""End the run where validation was best."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from torchdoctor.experiment import Fit, Log
from torchdoctor.fixes.fix import fix
from torchdoctor.parts import Parts


class _Enough(Exception):
    """Ends the user's loop from within its call of log."""


class _Patience:
    """A log that keeps the weights of the best epoch and ends the run when `patience` epochs brought nothing better."""

    def __init__(self, parts: Parts, log: Log, patience: int) -> None:
        self.epochs = log.epochs
        self._parts, self._log, self._patience = parts, log, patience
        self._best, self._waited = float("-inf"), 0
        self.weights: Any = None

    def __call__(self, **numbers: float) -> None:
        self._log(**numbers)
        if "val_score" in numbers or "val_loss" in numbers:
            self._judge(numbers["val_score"] if "val_score" in numbers else -numbers["val_loss"])

    def _judge(self, score: float) -> None:
        if score > self._best:
            self._best, self._waited = score, 0
            self.weights = copy.deepcopy(self._parts.model.state_dict())
            return
        self._waited += 1
        if self._waited >= self._patience:
            raise _Enough


def code(patience: int = 5) -> str:
    return (
        "if val_score > best:\n"
        "    best, waited = val_score, 0\n"
        "    best_weights = copy.deepcopy(model.state_dict())\n"
        "else:\n"
        "    waited += 1\n"
        f"if waited >= {patience}:\n"
        "    break\n"
        "...\n"
        "model.load_state_dict(best_weights)   # after the loop"
    )


def patch(recipe: Mapping[str, Any], patience: int = 5) -> dict[str, Any]:
    return {"train.patience": patience}


def stopping(fit: Fit | None, patience: int = 5) -> Fit:
    """The loop, ended early: it must log val_score or val_loss once an epoch."""
    if fit is None:
        from torchdoctor.train.loop import LoopOptions
        from torchdoctor.train.loop import fit as own

        return partial(own, options=LoopOptions(patience=patience))

    def fit_until_best(parts: Parts, log: Log) -> None:
        watched = _Patience(parts, log, patience)
        with suppress(_Enough):
            fit(parts, watched)
        if watched.weights is not None:
            parts.model.load_state_dict(watched.weights)

    return fit_until_best


@fix(code=code, patch=patch, loop=stopping, full_length=True)
def stop_early(parts: Parts, *, patience: int = 5) -> Parts:
    """Stop when validation has not improved for `patience` epochs, and go back to the weights of the best one.

    The loop must log val_score or val_loss once an epoch; torchdoctor's own does.
    """
    return parts
