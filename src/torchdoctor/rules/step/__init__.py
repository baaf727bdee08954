"""Faults of the training step. One file per rule."""
