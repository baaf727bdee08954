"""Losses that torch does not have; those it has are named in recipe/names.py."""
