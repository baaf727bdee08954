"""The training loop, checkpoints, scores."""
