# `make` lists what can be done. Everything happens inside the project: the packages go to .venv.
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run demo example-notes example-realm example-script test test-long programs check lint types imports fmt rules lock audit sbom docs pictures bench clean

SHELL := /bin/sh
BIN := .venv/bin
# An empty value lets Python keep its compiled modules, which halves the time that pytest takes to start.
export PYTHONDONTWRITEBYTECODE :=
PROCESSES ?= 3
ARGS ?=

help: ## list what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what the service needs, into .venv
	@sh scripts/setup.sh runtime

setup-dev: ## install the tools of development too
	@sh scripts/setup.sh dev

run: setup ## start the service on this machine with sample data and a sign-in provider of its own
	@exec $(BIN)/sentinel dev $(ARGS)

demo: setup ## walk through signing in and deciding, against a service started for the purpose
	@exec $(BIN)/python examples/demo.py $(ARGS)

example-notes: setup ## start the notes application beside 'make run' (ARGS="--mode authz" for authz mode)
	@exec $(BIN)/python examples/launch.py notes $(ARGS)

example-realm: setup ## start two services that call each other, beside 'make run'
	@exec $(BIN)/python examples/launch.py realm $(ARGS)

example-script: setup ## run a script with a service key, beside 'make run'
	@exec $(BIN)/python examples/launch.py script $(ARGS)

test: ## everything that CI checks: lint, types, imports, tests (ARGS="tests/unit -k RF_5" for a part)
	@sh scripts/setup.sh venv # first, because Debian installs one thing at a time
	@$(MAKE) --no-print-directory -j 2 setup-dev programs ARGS=
	@exec sh scripts/test.sh -n $(PROCESSES) $(ARGS)

test-long: setup-dev ## ten minutes of load while servers are killed at random
	@SENTINEL_SOAK_SECONDS=$${SENTINEL_SOAK_SECONDS:-600} exec $(BIN)/pytest -s tests/faults -k "long or load" $(ARGS)

programs: ## install Chromium, nginx and Caddy for the tests, where that is allowed (Debian, as root)
	@sh scripts/programs.sh

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

audit: setup-dev ## look up the locked packages among known vulnerabilities (ARGS=--required for a release)
	@$(BIN)/python scripts/audit.py $(ARGS)

sbom: setup-dev ## write the bill of materials of the wheel and the image to artifacts/sbom.json
	@$(BIN)/python scripts/sbom.py

docs: setup-dev ## renew the pages that are written from the program, and build the site into artifacts/site
	@exec $(BIN)/python scripts/docs.py $(ARGS)

pictures: setup-dev ## take the pictures of the panel that docs/ shows
	@exec $(BIN)/python scripts/pictures.py

bench: setup-dev ## measure the service against what the machine can do, and judge every target (ARGS=--quick)
	@exec $(BIN)/python -m bench run $(ARGS)

clean: ## remove what make and the tools have made; data/ and keys/ stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .cache build dist artifacts
	@find . -name node_modules -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
