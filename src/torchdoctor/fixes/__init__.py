"""One file per named change that removes a cause."""

ENGINE = ("fix",)
