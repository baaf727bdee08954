"""One file per faulty program and its mended twin, that nothing was fitted on."""
