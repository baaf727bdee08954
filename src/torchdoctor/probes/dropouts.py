"""What of a model drops units, and how many.

May not: judge, print, change anything.
"""

from __future__ import annotations

from torch import nn


def dropouts(model: nn.Module) -> list[tuple[nn.Module, str, float]]:
    """(module, attribute, share) of all that torch documents to drop, where the share is above 0; a user's own layers
    are not known."""
    found: list[tuple[nn.Module, str, float]] = []
    for module in model.modules():
        name = "p" if isinstance(module, nn.modules.dropout._DropoutNd) else "dropout"
        share = getattr(module, name, 0.0)
        if isinstance(module, (nn.modules.dropout._DropoutNd, nn.RNNBase, nn.MultiheadAttention)) and share > 0:
            found.append((module, name, float(share)))
    return found
