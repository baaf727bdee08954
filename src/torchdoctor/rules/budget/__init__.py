"""Faults of the number of epochs. One file per rule."""
