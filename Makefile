# make demo and make test are each enough on a fresh machine with Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

PEERS := .venv-peers
READERS := .venv-readers

.PHONY: demo test torture fuzz lint sbom audit peers readers bench bench-year yasgui oxigraph clean

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

# TORTURE gives options, such as TORTURE='--night NIGHT --minutes 20'
torture: $(VENV)/installed  ## an hour: 200 kills, a log of 10 GB, collections of a million members, a night written live; writes tests/TORTURE.md
	@$(BIN)/python -m tests.torture $(TORTURE)

$(VENV)/fuzz: $(VENV)/installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'atheris>=3.0'
	@touch $@

# FUZZ gives options, such as FUZZ='prov_lines rdf --minutes 5 --folder /dev/shm'
fuzz: $(VENV)/fuzz  ## each reader, the questions and HTTP for an hour; keeps what it found in tests/fuzzing
	@$(BIN)/python -m tests.fuzzing $(FUZZ)

lint: $(VENV)/installed  ## style, types, layers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

$(VENV)/audit: $(VENV)/installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check 'cyclonedx-bom>=5' 'pip-audit>=2.7'
	@touch $@

sbom: $(VENV)/audit  ## sbom.json: what is installed, as CycloneDX
	@$(BIN)/cyclonedx-py environment $(VENV) --pyproject pyproject.toml --output-reproducible --output-file sbom.json
	@$(BIN)/python -c 'import json; print(len(json.load(open("sbom.json"))["components"]), "components in sbom.json")'

audit: $(VENV)/audit  ## advisories of PyPI about what is installed
	@$(BIN)/python -c 'import urllib.request as r; r.urlopen("https://pypi.org/pypi/pip/json", timeout=10)' 2>/dev/null || \
	{ echo "PyPI's advisories cannot be reached: nothing was audited"; exit 0; } && \
	$(BIN)/pip-audit --progress-spinner off --skip-editable

# The real lstosa, with the lstchain and ctapipe that it needs, and logprov: beside the project, because they need older packages.
$(PEERS)/installed:
	@echo "Installing lstosa, ctapipe and logprov into $(PEERS) (1.4 GB, some minutes)"
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check lstosa==0.11.10 logprov==0.0.2 'msgspec>=0.19'
	@touch $@

peers: $(PEERS)/installed  ## what some tests and a benchmark of capture run beside

# Programs that read what provkg exports, beside the project, because they need older packages than provkg does.
$(READERS)/installed:
	@echo "Installing rocrate-validator, runcrate and voprov into $(READERS)"
	@$(PYTHON) -m venv $(READERS)
	@$(READERS)/bin/python -m pip install --quiet --disable-pip-version-check 'roc-validator>=0.13' 'runcrate>=0.6' voprov==0.0.4 'prov==2.0.0' requests pyyaml lxml networkx
	@touch $@

readers: $(READERS)/installed  ## what some tests of exports give these to

# Engines to compare with; lstosa without what it needs, because its reader needs none of it.
$(VENV)/bench: $(VENV)/installed
	@echo "Installing what the benchmarks compare with"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps lstosa
	@touch $@

# BENCH gives options, such as BENCH='--folder NIGHT' or BENCH='--runs 4 --subruns 20'; YEAR those of the 20 nights, such as
# YEAR='--folders NIGHTS'
bench: $(VENV)/bench $(PEERS)/installed  ## a night: ingest, lineage, layout and validation beside other engines
	@$(BIN)/python benchmarks/night.py $(BENCH)
	@$(BIN)/python benchmarks/peers.py $(BENCH)
	@$(BIN)/python benchmarks/reader.py $(BENCH)
	@$(BIN)/python benchmarks/questions.py $(BENCH)
	@$(BIN)/python benchmarks/histories.py $(BENCH)
	@$(BIN)/python benchmarks/pictures.py $(BENCH)
	@$(BIN)/python benchmarks/layout.py $(BENCH)
	@$(BIN)/python benchmarks/serving.py $(BENCH)
	@$(BIN)/python benchmarks/exporting.py $(BENCH)
	@$(BIN)/python benchmarks/watching.py $(BENCH)
	@PYTHONPATH=. $(PEERS)/bin/python benchmarks/capture.py
	@$(BIN)/python benchmarks/validation.py --core $(BENCH)
	@$(BIN)/python benchmarks/results.py

bench-year: $(VENV)/bench  ## 20 nights in one store, and a year of lineage; takes an hour
	@$(BIN)/python benchmarks/year.py $(YEAR)
	@$(BIN)/python benchmarks/synthetic.py $(BENCH)
	@$(BIN)/python benchmarks/results.py

# Oxigraph as WebAssembly, as npm has it: published sites carry it.
OXIGRAPH := provkg/publishing/static/oxigraph

oxigraph:  ## fetch Oxigraph's WebAssembly again, and compare it with the digests
	@folder=$$(mktemp -d) && cd $$folder && npm pack --silent oxigraph@0.5.11 >/dev/null && tar xzf *.tgz && \
	cp package/web.js package/web_bg.wasm "$(abspath $(OXIGRAPH))" && rm -r $$folder
	@cd $(OXIGRAPH) && sha256sum --check --quiet SHA256SUMS && echo "Oxigraph is what SHA256SUMS says"

# The SPARQL editor, as npm has it; it lies in the repository, so that nothing needs npm.
YASGUI := provkg/server/static/yasgui

yasgui:  ## fetch the SPARQL editor again, and compare it with the digests
	@folder=$$(mktemp -d) && cd $$folder && npm pack --silent @zazuko/yasgui@4.6.2 >/dev/null && tar xzf *.tgz && \
	cp package/build/yasgui.min.js package/build/yasgui.min.css "$(abspath $(YASGUI))" && rm -r $$folder
	@cd $(YASGUI) && sha256sum --check --quiet SHA256SUMS && echo "YASGUI is what SHA256SUMS says"

clean:
	rm -rf $(VENV) $(PEERS) $(READERS) demo-out .pytest_cache .mypy_cache .ruff_cache .hypothesis
