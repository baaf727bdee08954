"""One file per faulty program and its mended twin."""
