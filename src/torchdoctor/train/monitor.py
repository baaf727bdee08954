"""The number that training goes by: which epoch is the best, when patience ends, when a plateau is reached.

May not: train, compute a score.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torchdoctor.errors import BadParts, did_you_mean

HIGHER_IS_BETTER = {"val_score": True, "val_loss": False, "train_score": True, "train_loss": False}


def check_monitor(name: str | None, has_validation: bool, plateaus: Mapping[str, str] | None = None) -> None:
    """Raises BadParts for a number that the loop does not log. plateaus: {class: mode} of schedules that go by it."""
    if name is None:
        return
    if name not in HIGHER_IS_BETTER:
        raise BadParts(f"monitor = {name!r}: the loop logs no such number. {did_you_mean(name, HIGHER_IS_BETTER)}")
    if name.startswith("val_") and not has_validation:
        raise BadParts(f"monitor = {name!r}: there are no validation data. Give some, or monitor train_loss.")
    wanted = "max" if HIGHER_IS_BETTER[name] else "min"
    for kind, mode in (plateaus or {}).items():
        if mode != wanted:
            raise BadParts(f"{kind}(mode={mode!r}) goes by {name}, which needs mode={wanted!r}.")


def merit(numbers: Mapping[str, float], name: str | None) -> float:
    """How good an epoch was, higher is better. name None: val_score, without validation the training loss."""
    if name is None:
        return numbers.get("val_score", -numbers["train_loss"])
    return numbers[name] if HIGHER_IS_BETTER[name] else -numbers[name]


def plateau_number(numbers: Mapping[str, float], name: str | None) -> float:
    """What a ReduceLROnPlateau is told. name None: val_loss, without validation the training loss."""
    return numbers.get("val_loss", numbers["train_loss"]) if name is None else numbers[name]


def plateau_mode(name: Any) -> str:
    """The mode of a ReduceLROnPlateau that goes by this number."""
    return "max" if HIGHER_IS_BETTER.get(str(name), False) else "min"
