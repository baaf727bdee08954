"""What is seen while optimising, and faults of the numerics. One file per rule."""
