"""One file per quantity worth recording."""
