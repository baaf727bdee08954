"""Faults of the model. One file per rule."""
