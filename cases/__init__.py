"""The public benchmark: faulty programs as PyTorch users write them, their healthy twins, and healthy recipes."""
