"""Data sets by name. A name is short for an import path, so yours and ours are loaded the same way.

May not: import torch (recipes are validated without it).
"""

from __future__ import annotations

DATA = {
    "digits": "torchdoctor.data.digits:digits",
    "mnist": "torchdoctor.data.mnist:mnist",
    "fashion-mnist": "torchdoctor.data.fashion_mnist:fashion_mnist",
}
