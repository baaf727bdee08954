"""Faults of the loss. One file per rule."""
