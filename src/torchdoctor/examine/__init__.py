"""What the data are, before anything learns from them: one examination a file, each a few measurements and facts."""

ENGINE = (
    "examination",
    "examine",
    "features",
    "local_places",
    "material",
    "neighbours",
    "reading",
    "samples_shown",
    "small_models",
)
