"""Augmentations by name. A name is short for an import path; any torchvision.transforms.v2 class is named by its own.

May not: import torch (recipes are validated without it).
"""

from __future__ import annotations

AUGMENTATIONS = {
    "flip": "torchdoctor.data.augment.geometry:Flip",
    "rotate": "torchdoctor.data.augment.geometry:Rotate",
    "shift": "torchdoctor.data.augment.geometry:Shift",
    "shear": "torchdoctor.data.augment.geometry:Shear",
    "scale": "torchdoctor.data.augment.geometry:Scale",
    "crop": "torchdoctor.data.augment.geometry:Crop",
    "hue": "torchdoctor.data.augment.pixels:Hue",
    "saturation": "torchdoctor.data.augment.pixels:Saturation",
    "brightness": "torchdoctor.data.augment.pixels:Brightness",
    "noise": "torchdoctor.data.augment.pixels:Noise",
    "erasing": "torchdoctor.data.augment.pixels:Erasing",
    "mixup": "torchdoctor.data.augment.mix:Mixup",
    "cutmix": "torchdoctor.data.augment.mix:Cutmix",
}
