"""`python -m torchdoctor`: the command line, which is also how torchrun starts it in each of its processes."""

from __future__ import annotations

from torchdoctor.cli.main import main

if __name__ == "__main__":
    main()
