# k8slab. Two commands set everything up: `make lab` opens the lab, `make test` runs every test.
.DEFAULT_GOAL := help
.PHONY: help lab test check bench notebooks docs fix size

PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

lab: .venv/lab ## Open the lab in JupyterLab. ARGS="--no-browser --port 9999" are passed on.
	JUPYTER_CONFIG_PATH="k8slab/lab/widgets/jupyter$${JUPYTER_CONFIG_PATH:+:$$JUPYTER_CONFIG_PATH}" \
		$(BIN)/jupyter lab $(ARGS) notebooks/00_index.ipynb

test: .venv/dev check ## Run every check and every test. What needs Docker or Chromium is skipped where there is none.
	$(BIN)/pytest -n 2 --dist loadfile $(ARGS)

check: .venv/dev ## Lint, types, import contracts, and that notebooks and exercises are as built.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m k8slab.lab.release --check

bench: .venv/dev ## Measure. Prints a table, writes bench/results.json. ARGS="http_get" measures only that.
	$(BIN)/python -m bench $(ARGS)

notebooks: .venv/dev ## Build the chapters and the exercises anew from their sources.
	$(BIN)/python -m k8slab.lab.notebooks $(ARGS)
	$(BIN)/python -m k8slab.lab.release

docs: .venv/dev ## Write docs/fidelity.md anew from the source.
	$(BIN)/python scripts/fidelity.py

fix: .venv/dev ## Mend what the linter and the formatter can mend by themselves.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

size: ## Count the lines of each part.
	@for part in k8slab/*/ tests bench notebooks solutions; do \
		printf '%6d  %s\n' $$(find $$part -name '*.py' -exec cat {} + 2>/dev/null | wc -l) $$part; done

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "k8slab needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Say which: make lab PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	@touch $@

.venv/lab: .venv/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/dev: .venv/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@ .venv/lab
