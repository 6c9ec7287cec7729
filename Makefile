# make run    one decade of the Korea hub, as a readable summary
# make test   formatting, types, and all tests but the long ones
# Each target sets up .venv first if that is not done yet.
.PHONY: help setup run ui test test-long bench lint lock clean
.DEFAULT_GOAL := help

# Set up again when the lock, the package's own description or the checkout's place changes.
READY := .venv/.ready-$(shell (cat requirements.lock pyproject.toml .python-version .ci/setup; pwd) | cksum | cut -d' ' -f1)
BIN := .venv/bin

# Bytecode saves seconds at every start; some environments switch its writing off.
export PYTHONDONTWRITEBYTECODE =
ARGS ?=

help:
	@echo "make ui          open the browser app on this machine (ARGS='--port 8765')"
	@echo "make run         simulate 2025-2035 and print what becomes of the plan (ARGS='--seed 3 --package grid-first')"
	@echo "make test        lint, types and tests"
	@echo "make test-long   the tests that take longer"
	@echo "make bench       ratios: solver, whole run, supply graph, startups, batches, browser (about ten minutes)"
	@echo "make lint        ruff and mypy only"
	@echo "make lock        write requirements.lock anew (needs uv)"

$(READY):
	@.ci/setup $@

setup: $(READY)
	@:

run: $(READY)
	@$(BIN)/madang run $(ARGS)

ui: $(READY)
	@$(BIN)/madang ui $(ARGS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -n 2 -m "not long" $(ARGS)

test-long: $(READY)
	@$(BIN)/python -m pytest -n 2 -m long $(ARGS); code=$$?; [ $$code -eq 5 ] || exit $$code   # 5: there is none

bench: $(READY)
	$(BIN)/python -m tests.benchmarks.decade --highs
	$(BIN)/python -m tests.benchmarks.power --quick
	$(BIN)/python -m tests.benchmarks.supply
	$(BIN)/python -m tests.benchmarks.population
	$(BIN)/python -m tests.benchmarks.batch
	$(BIN)/python -m tests.benchmarks.ui

lock:
	uv pip compile --quiet --universal --python-version 3.12 --extra test --no-header --no-annotate pyproject.toml -o requirements.lock

clean:
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
