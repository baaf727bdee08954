"""What a loop hands its numbers to: kept as lists by name, and passed on to whoever else listens."""

from __future__ import annotations

from collections.abc import Callable, Iterable


class History:
    """A Log: history(epoch=1, val_score=0.9) keeps the numbers in `numbers`, {name: one value per call}.

    also: are called with the same numbers, for example (watch.log,).
    """

    def __init__(self, epochs: int, also: Iterable[Callable[..., object]] = ()) -> None:
        self.epochs = epochs
        self.numbers: dict[str, list[float]] = {}
        self._also = tuple(also)

    def __call__(self, **numbers: float) -> None:
        for name, value in numbers.items():
            self.numbers.setdefault(name, []).append(float(value))
        for listener in self._also:
            listener(**numbers)
