"""Run some probes and judge what they saw by some rules, outside of check()."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import torch

from torchdoctor.judge.judge import judge
from torchdoctor.judge.report import Report
from torchdoctor.judge.rule import Rule
from torchdoctor.judge.series import Series
from torchdoctor.judge.trace import Trace
from torchdoctor.parts import Parts
from torchdoctor.probes.bench import Bench
from torchdoctor.probes.fork import preserved
from torchdoctor.probes.probe import Fact, Probe
from torchdoctor.record.facts import describe


def traced(parts: Parts, *probes: Probe) -> Trace:
    """What the probes yield, as check() would lay it out, with a fixed seed."""
    torch.set_num_threads(1)
    points: dict[str, dict[str, list[tuple[int, float]]]] = {}
    facts = describe(parts.model, parts.optimizer, parts.loss_fn)
    with preserved(parts), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        bench = Bench(parts)
        for probe in probes:
            torch.manual_seed(0)
            for item in probe.run(bench):
                if isinstance(item, Fact):
                    facts[item.name] = item.value
                else:
                    assert item.signal in probe.measures
                    points.setdefault(item.signal, {}).setdefault(item.subject, []).append((item.step, item.value))
    data = {
        signal: {s: Series.of([v for _, v in p], steps=[k for k, _ in p]) for s, p in group.items()}
        for signal, group in points.items()
    }
    return Trace(data, facts)


def judged(parts: Parts, probes: Iterable[Probe], *rules: Rule) -> Report:
    """The rules over what the probes saw; none may crash."""
    report = judge(traced(parts, *probes), rules)
    assert report.crashed == {}
    return report


def names(report: Report) -> list[str]:
    """Of what is above a hint."""
    return [f.name for f in report if f.alarm]
