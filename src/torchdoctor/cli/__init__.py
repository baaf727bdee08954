"""One file per verb of the command line."""

ENGINE = ("main", "options", "progress", "verb")  # every other file holds one verb
