"""A Trace is everything one run recorded, as arrays in memory. Rules see this and nothing else.

May not: read files, import torch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from torchdoctor.judge.series import Series

WHOLE = ""  # the subject of a signal that belongs to the whole run, not to a module or parameter


@dataclass(frozen=True)
class Trace:
    """data: signal name -> subject (module, parameter, phase ..., "" for the whole run) -> Series.

    facts: what is not a number over steps (module types, optimizer settings); plain JSON values.
    """

    data: Mapping[str, Mapping[str, Series]]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: Mapping[str, Any] | None = None, **signals: Any) -> Trace:
        """From plain numbers: Trace.of(loss=[2.3, 2.2], dead_share={"fc1": [0.9]}, attainable_loss=1.46)."""

        def series(value: Any) -> Series:
            return value if isinstance(value, Series) else Series.of(value)

        return cls(
            {
                k: {s: series(x) for s, x in (v if isinstance(v, dict) else {WHOLE: v}).items()}
                for k, v in signals.items()
            },
            facts or {},
        )

    def has(self, signal: str) -> bool:
        """True when at least one point of the signal was recorded."""
        return any(len(s) for s in self.data.get(signal, {}).values())

    def __contains__(self, signal: object) -> bool:
        """Was it recorded at all? Without this method Python would ask trace[0], trace[1] ... for ever."""
        return signal in self.data

    def __iter__(self) -> Iterator[str]:
        """The names of the signals."""
        return iter(self.data)

    def __getitem__(self, signal: str) -> Series:
        """The series of a signal of the whole run; an empty one when it was not recorded."""
        return self.data.get(signal, {}).get(WHOLE, Series.of([]))

    def taken(self, signal: str) -> Series:
        """A signal of the whole run without the steps that a GradScaler skipped, which changed nothing."""
        skipped = self["skipped_step"]
        return self[signal].without(skipped.steps[skipped.values > 0])

    def each(self, signal: str) -> Iterator[tuple[str, Series]]:
        """(subject, series) in the order of first recording, which for modules is the order of execution."""
        yield from self.data.get(signal, {}).items()

    def value(self, signal: str, subject: str = WHOLE) -> float | None:
        """The last value of a signal, as probes record them; None when it was not recorded."""
        series = self.data.get(signal, {}).get(subject)
        return series.last if series is not None and len(series) else None

    def module_type(self, name: str) -> str:
        """The class name of a module, "" when unknown. For messages, never for decisions."""
        return str(self.facts.get("modules", {}).get(name, ""))

    @property
    def stage(self) -> str:
        """What was recorded, as its recorder says: "data", "evaluation", "explanation" ...; "" of a user's own loop."""
        return str(self.facts.get("stage", ""))

    @property
    def takes_turns(self) -> bool:
        """True when gradients were cleared unused in half of the steps: another network (a GAN's) trains in between."""
        return bool(self.facts.get("turns", 0) > 0.5 * max(1, self.facts.get("steps", 0)))

    @property
    def is_one_object(self) -> bool:
        """True when training is a single batch and validation the same one, as for the nodes of one graph."""
        samples, size = self.value("samples", "train"), self.value("batch_size")
        return samples is not None and samples == size and self.value("split_overlap_share") == 1

    @property
    def last_step(self) -> int:
        """The last step anything was recorded at; 0 for an empty trace."""
        return max((int(s.steps[-1]) for group in self.data.values() for s in group.values() if len(s)), default=0)

    def merged(self, other: Trace) -> Trace:
        """Both together, for example probes and a watched run; where both hold the same series, `other`'s counts."""
        names = [*self.data, *(n for n in other.data if n not in self.data)]
        data = {n: {**self.data.get(n, {}), **other.data.get(n, {})} for n in names}
        return Trace(data, {**self.facts, **other.facts})
