"""Faults of inference and production. One file per rule."""
