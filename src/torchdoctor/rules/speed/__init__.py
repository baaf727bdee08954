"""Faults of training speed and memory. One file per rule."""
