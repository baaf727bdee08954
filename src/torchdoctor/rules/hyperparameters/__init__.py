"""Faults of the hyper-parameters. One file per rule."""
