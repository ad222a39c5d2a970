# One command for each thing that a developer does. `make help` lists them.
# `install`, `test` and `demo` need nothing but Python 3.11 or newer, and network the first time. With Node 20 and npm there is the web console.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:
MAKEFLAGS += --no-print-directory

# The project's environment is always .venv, whatever the caller's shell has activated.
unexport VIRTUAL_ENV
export UV_PROJECT_ENVIRONMENT := .venv

BIN := .venv/bin
CODE := src tests benchmarks

.PHONY: help install ui test check demo format bench clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## Set everything up in .venv (bootstraps uv when missing)
	@bash scripts/uv.sh sync --frozen --quiet
	@test -x $(BIN)/runwell
	@$(BIN)/python scripts/console.py --if-possible

ui: ## Build the web console (needs Node 20 and npm)
	@python3 scripts/console.py

test: install ## Run every test: what CI runs
	@$(BIN)/pytest -n auto --dist loadfile

check: install ## The whole gate: format, lint, types, then every test (import contracts, file length, links, docs snippets among them)
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/mypy
	@$(BIN)/pytest -n auto --dist loadfile

demo: install ## Run a workflow with the built-in demo model
	@$(BIN)/runwell demo

format: install ## Format the code and fix what the linter can
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)
	@if test -d ui/node_modules; then cd ui && npm run --silent format; fi

bench: install ## Measure the engine beside a bare commit loop, LangGraph and DBOS
	@$(BIN)/python -m benchmarks.engine

clean: ## Remove all that the other targets made
	rm -rf ui/node_modules ui/.lock ui/.built-from src/runwell/console ui/e2e/screens
	rm -rf .venv .tools benchmarks/.envs dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
