"""Augmentation: changed copies of training samples that keep their labels, drawn anew for every sample and pass."""
