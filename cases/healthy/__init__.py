"""One file per healthy recipe that naive detectors alarm on."""
