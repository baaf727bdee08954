"""Losses, optimizers and schedules by name. A name is short for an import path; any other path will do as well.

May not: import torch (recipes are validated without it).
"""

from __future__ import annotations

LOSSES = {
    "cross-entropy": "torch.nn:CrossEntropyLoss",
    "nll": "torch.nn:NLLLoss",
    "bce": "torch.nn:BCELoss",
    "bce-logits": "torch.nn:BCEWithLogitsLoss",
    "focal": "torchdoctor.losses.focal:FocalLoss",
    "generalized-cross-entropy": "torchdoctor.losses.robust:GeneralizedCrossEntropy",
    "hinge": "torchdoctor.losses.margin:HingeLoss",
    "multi-margin": "torch.nn:MultiMarginLoss",
    "mse": "torch.nn:MSELoss",
    "mae": "torch.nn:L1Loss",
    "huber": "torch.nn:HuberLoss",
    "kl": "torchdoctor.losses.likeness:KLDivergence",
    "cosine": "torchdoctor.losses.likeness:CosineDistance",
    "triplet": "torchdoctor.losses.margin:TripletLoss",
    "dice": "torchdoctor.losses.overlap:DiceLoss",
    "iou": "torchdoctor.losses.overlap:IoULoss",
}
OPTIMIZERS = {
    "sgd": "torch.optim:SGD",
    "adam": "torch.optim:Adam",
    "adamw": "torch.optim:AdamW",
    "rmsprop": "torch.optim:RMSprop",
    "adagrad": "torch.optim:Adagrad",
    "lbfgs": "torch.optim:LBFGS",
}
DEFAULT_RATES = {"sgd": 1e-2, "adam": 1e-3, "adamw": 1e-3, "rmsprop": 1e-3, "adagrad": 1e-2, "lbfgs": 1.0}  # else 1e-3
SCHEDULES = {
    "step": "torch.optim.lr_scheduler:StepLR",
    "exponential": "torch.optim.lr_scheduler:ExponentialLR",
    "cosine": "torch.optim.lr_scheduler:CosineAnnealingLR",
    "one-cycle": "torch.optim.lr_scheduler:OneCycleLR",
    "plateau": "torch.optim.lr_scheduler:ReduceLROnPlateau",
}
MONITORS = ("val_score", "val_loss", "train_score", "train_loss")
