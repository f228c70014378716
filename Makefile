# `make` lists what can be done. Everything happens inside the project: the packages go to .venv.
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run demo test test-long check lint types imports fmt rules lock pictures clean

SHELL := /bin/sh
BIN := .venv/bin
# An empty value lets Python keep its compiled modules, which halves the time that pytest takes to start.
export PYTHONDONTWRITEBYTECODE :=
PROCESSES ?= 3
ARGS ?=

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what the service needs, into .venv
	@sh scripts/setup.sh runtime

setup-dev: ## install the tools of development too
	@sh scripts/setup.sh dev

run: setup ## start the service on this machine with sample data and a sign-in provider of its own
	@exec $(BIN)/sentinel dev $(ARGS)

demo: setup ## walk through signing in and deciding, against a service started for the purpose
	@exec $(BIN)/python examples/demo.py $(ARGS)

test: setup-dev ## everything that CI checks: lint, types, imports, tests (ARGS="tests/unit -k RF_5" for a part)
	@sh scripts/chromium.sh
	@sh scripts/proxies.sh
	@$(MAKE) --no-print-directory check
	@exec $(BIN)/pytest -n $(PROCESSES) $(ARGS)

test-long: setup-dev ## ten minutes of load while servers are killed at random
	@SENTINEL_SOAK_SECONDS=$${SENTINEL_SOAK_SECONDS:-600} exec $(BIN)/pytest -s tests/faults -k "long or load" $(ARGS)

check: lint types imports ## the three checks that are no tests

lint: setup-dev ## check style
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "Some files are not formatted; 'make fmt' does it."; exit 1; }

types: setup-dev ## check types
	@$(BIN)/mypy --no-error-summary

imports: setup-dev ## check that imports run down the floors of the house
	@report=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$report"; exit 1; }

fmt: setup-dev ## format the code and mend what can be mended
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .

rules: setup-dev ## renew the table of rules and tests in tests/README.md
	@$(BIN)/python -m tests.rules --write

lock: setup-dev ## resolve the dependencies again (ARGS=--upgrade for the newest)
	@sh scripts/lock.sh $(ARGS)

pictures: setup-dev ## take the pictures of the panel that docs/ shows
	@exec $(BIN)/python scripts/pictures.py

clean: ## remove what make and the tools have made; data/ and keys/ stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist artifacts
	@find . -name node_modules -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
