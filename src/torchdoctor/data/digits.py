"""1,797 handwritten digits, 8 x 8 pixels: embedded in scikit-learn, so nothing is downloaded."""

from __future__ import annotations

import torch
from sklearn.datasets import load_digits

from torchdoctor.data.splits import Splits


def digits() -> Splits:
    """x: (1797, 1, 8, 8) uint8, 0..255 as scanners give them (the set itself counts ink from 0 to 16); y: int64, 0..9.

    Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI 1998 (the test part).
    """
    ink, y = load_digits(return_X_y=True)
    x = torch.from_numpy(ink).mul(255 / 16).round().to(torch.uint8)
    return Splits(x.reshape(-1, 1, 8, 8), torch.from_numpy(y).long())
