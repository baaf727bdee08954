"""One folder per place where a fault can sit; one file per rule."""
