"""What a loop hands its numbers to: kept as lists by name, and passed on to whoever else listens."""

from __future__ import annotations

from collections.abc import Callable


class History:
    """A Log: history(epoch=1, val_score=0.9) keeps the numbers in `numbers`, {name: one value per call}.

    also: is called with the same numbers, for example watch.log.
    """

    def __init__(self, epochs: int, also: Callable[..., object] | None = None) -> None:
        self.epochs = epochs
        self.numbers: dict[str, list[float]] = {}
        self._also = also

    def __call__(self, **numbers: float) -> None:
        for name, value in numbers.items():
            self.numbers.setdefault(name, []).append(float(value))
        if self._also is not None:
            self._also(**numbers)
