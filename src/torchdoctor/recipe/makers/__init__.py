"""From the sections of a recipe to live parts, one file each."""
