"""What an evaluation does besides the scores.

May not: import torch.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class EvaluateOptions:
    """baselines, robustness, bottlenecks, suspects: whether to do them; each is said to be left out when not. bins: of
    the calibration error. worst: how many samples of each list are kept. attacked: samples that are disturbed and
    attacked. seed: of the bootstrap, the choice of samples and the attacks."""

    baselines: bool = True
    robustness: bool = True
    bottlenecks: bool = True
    suspects: bool = True
    bins: int = 15
    worst: int = 24
    attacked: int = 256
    seed: int = 0


DEFAULTS = EvaluateOptions()
QUICK = EvaluateOptions(baselines=False, robustness=False, bottlenecks=False)
