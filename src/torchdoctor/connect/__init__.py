"""Neighbours: other programs that a run is handed to. One file each; the library it needs is an extra."""
