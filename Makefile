# make demo and make test are each enough on a fresh machine with Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench clean

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: provkg needs Python 3.11 or newer; say make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@echo "Installing provkg into $(VENV) (once; about a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[all,test,lint]'
	@touch $@

demo: $(VENV)/installed  ## the main job on the bundled sample records
	@$(BIN)/provkg demo
	@echo; echo 'The command is $(BIN)/provkg; to say just provkg: export PATH="$(abspath $(BIN)):$$PATH"'

test: $(VENV)/installed  ## every test
	@$(BIN)/python -m pytest

lint: $(VENV)/installed  ## style, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(VENV)/installed  ## a night: ingest beside plain pyoxigraph, SHACL Core beside pySHACL
	@$(BIN)/python benchmarks/night.py
	@$(BIN)/python benchmarks/validation.py --core

clean:
	rm -rf $(VENV) demo-out .pytest_cache .mypy_cache .ruff_cache .hypothesis
