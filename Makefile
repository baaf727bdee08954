# torchdoctor: `make demo` sees it work, `make test` tests it. Both set up .venv first (about a minute: torch is large).

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
WORKERS ?= 2
BIN := .venv/bin
READY := .venv/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs bench cases clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Redone only when what is to be installed has changed. Built without isolation, so that setuptools is the pinned one.
$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer was found. Install one, or: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; echo "$(PYTHON) cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo ".venv holds an older Python than 3.11. Remove it and try again: rm -r .venv" >&2; exit 1; }
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt setuptools
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $@

demo: $(READY)  ## a LeNet-5 that does not learn, diagnosed and cured on real digits (under 90 s)
	$(BIN)/torchdoctor demo

# One thread a worker: with more, two workers on two cores wait for each other in every matrix product.
test: export OMP_NUM_THREADS = 1
test: export MKL_NUM_THREADS = 1
test: $(READY)  ## all tests, WORKERS=2 at a time
	@command -v chromium >/dev/null || { command -v apt-get >/dev/null && apt-get install -y -qq chromium >/dev/null 2>&1; } || echo "No chromium: the board is not tested in a browser." >&2
	$(BIN)/python -m pytest -n $(WORKERS)

lint: $(READY)  ## ruff, mypy --strict, and whether the generated pages are up to date
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/python -m torchdoctor.show.docs --check

docs: $(READY)  ## the generated pages in docs/, and the site in build/site
	$(BIN)/python -m torchdoctor.show.docs
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt mkdocs
	$(BIN)/mkdocs build --strict --quiet

bench: $(READY)  ## speed, side by side; with DATA=folder of the real data sets also the real runs, suspects and claims
	for name in watching training judging board; do $(BIN)/python -m benchmarks.$$name || exit 1; done
	test -z "$(DATA)" || $(BIN)/python -m benchmarks.real_runs --data $(DATA)
	test -z "$(DATA)" || $(BIN)/python -m benchmarks.data_examination $(DATA)/mnist
	test -z "$(DATA)" || $(BIN)/python -m benchmarks.claims --data $(DATA)/fashion_mnist

cases: $(READY)  ## every public faulty program and its healthy twin examined; table in build/cases
	OMP_NUM_THREADS=1 $(BIN)/python -m cases.run --jobs $(WORKERS)

clean:  ## removes .venv, build/ and caches; never runs/
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis
