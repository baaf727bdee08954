"""One file per active experiment on a forked copy of the parts."""

ENGINE = (
    "probe", "dropouts", "fork", "batch", "survey", "listen", "random_matrix", "bench", "check",
    "tail", "terms", "wider", "descent", "expectation", "sample", "short_run", "skips", "stopwatch",
    "first_samples",
)  # fmt: skip
