"""Prove a cause by races and keep the fix that won."""
