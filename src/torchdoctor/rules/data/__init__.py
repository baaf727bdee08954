"""Faults of the data. One file per rule."""
