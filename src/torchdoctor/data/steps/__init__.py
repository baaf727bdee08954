"""Steps of a preparation, one file each: learnt from the training samples, applied to all."""
