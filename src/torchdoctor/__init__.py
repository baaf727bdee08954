"""Find out why a PyTorch network does not learn, prove the cause by experiment, apply the fix, show the result.

Names are loaded when they are first used: `import torchdoctor` costs nothing, and judging a run never imports torch.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torchdoctor.cures.cure import cure
    from torchdoctor.cures.result import Cure
    from torchdoctor.evaluate.evaluate import evaluate
    from torchdoctor.evaluate.evaluation import Evaluation
    from torchdoctor.experiment import Experiment
    from torchdoctor.explain.explain import explain
    from torchdoctor.explain.explanation import Explanation
    from torchdoctor.judge.finding import Finding, Severity
    from torchdoctor.judge.report import Report
    from torchdoctor.judge.trace import Trace
    from torchdoctor.parts import Parts
    from torchdoctor.probes.check import check
    from torchdoctor.recipe.schema import Recipe
    from torchdoctor.record.diagnose import diagnose
    from torchdoctor.record.run import Run
    from torchdoctor.record.tags import tag
    from torchdoctor.record.watch import Watch, watch
    from torchdoctor.train.run import Trained, train

_HOME = {
    "Cure": "cures.result",
    "cure": "cures.cure",
    "Evaluation": "evaluate.evaluation",
    "evaluate": "evaluate.evaluate",
    "Experiment": "experiment",
    "Explanation": "explain.explanation",
    "explain": "explain.explain",
    "diagnose": "record.diagnose",
    "Finding": "judge.finding",
    "Severity": "judge.finding",
    "Report": "judge.report",
    "Trace": "judge.trace",
    "Parts": "parts",
    "check": "probes.check",
    "Recipe": "recipe.schema",
    "Run": "record.run",
    "tag": "record.tags",
    "Watch": "record.watch",
    "watch": "record.watch",
    "Trained": "train.run",
    "train": "train.run",
}

__version__ = "0.1.0"
__all__ = [
    "Cure",
    "Evaluation",
    "Experiment",
    "Explanation",
    "Finding",
    "Parts",
    "Recipe",
    "Report",
    "Run",
    "Severity",
    "Trace",
    "Trained",
    "Watch",
    "check",
    "cure",
    "diagnose",
    "evaluate",
    "explain",
    "tag",
    "train",
    "watch",
]


class _Root(ModuleType):
    """A stage is a folder and a function of the same name. Here the name is always the function, whoever has imported
    something from the folder before."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _HOME or not isinstance(value, ModuleType):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Root


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'torchdoctor' has no attribute {name!r}")
    value = getattr(import_module(f"torchdoctor.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
