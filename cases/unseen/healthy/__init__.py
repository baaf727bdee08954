"""One file per healthy recipe, that nothing was fitted on."""
