"""One file per active experiment on a forked copy of the parts."""

ENGINE = ("probe", "fork", "batch", "survey", "bench", "check", "tail", "descent", "expectation", "sample")
