"""Run one probe alone, outside of check()."""

from __future__ import annotations

import warnings
from typing import Any

import torch

from torchdoctor.parts import Parts
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.fork import preserved
from torchdoctor.probes.probe import Fact, Probe


def measured(probe: Probe, parts: Parts) -> tuple[dict[tuple[str, str], Any], dict[str, Any]]:
    """({(signal, subject): last value}, facts), with a fixed seed. Every signal must be one that the probe declares."""
    torch.set_num_threads(1)
    values: dict[tuple[str, str], Any] = {}
    facts: dict[str, Any] = {}
    with preserved(parts), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        for item in probe.run(Bench(parts)):
            if isinstance(item, Fact):
                facts[item.name] = item.value
            else:
                assert item.signal in probe.measures
                values[item.signal, item.subject] = item.value
    return values, facts
