"""The typed, validated description of an experiment."""
