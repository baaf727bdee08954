"""The board: run folders as local web pages, each with a JSON twin. `torchdoctor board runs/` opens it."""
