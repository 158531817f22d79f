# Everything a developer does, one word each. `make` alone lists them.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# The first interpreter on PATH that is new enough and can make environments.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10; do \
	$$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null \
	&& echo $$python && break; done)
# T: what to test (`make test T=tests/unit`), K: a name to match (`make test K=journal`).
T ?= tests
K ?=
# Twice the cores: the tests wait for processes of their own most of the time.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))')

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-12s %s\n", $$1, $$2}'

.PHONY: dev
dev: $(READY) ## Set up .venv with everything that developing needs

# What `requirements-$(1).txt` pins, and nothing else: no release of anybody changes what is installed here.
# pip wants a hash for each line, which the line of this project cannot have.
define install_locked
	grep -v '^-e ' requirements-$(1).txt > $(VENV)/$(1).txt
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes --requirement $(VENV)/$(1).txt
endef

$(READY): pyproject.toml requirements-dev.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.10 or newer with venv and ensurepip was found; set PYTHON=..." >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(call install_locked,dev)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(READY)

.PHONY: upgrade
upgrade: $(READY) ## Move the pins of requirements-dev.txt and requirements-docs.txt
	$(BIN)/venvman freeze --all-groups --upgrade

.PHONY: demo
demo: $(READY) ## Sync examples/web from the real package index, then show status and doctor
	cd examples/web && ../../$(BIN)/venvman sync --no-locked
	cd examples/web && ../../$(BIN)/venvman status
	cd examples/web && ../../$(BIN)/venvman doctor

.PHONY: format
format: $(READY) ## Format the code
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

.PHONY: lint
lint: $(READY) ## Check style, spelling and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	git ls-files -z | xargs -0 $(BIN)/codespell
	$(BIN)/validate-pyproject --disable=schemastore pyproject.toml

.PHONY: types
types: $(READY) ## Check types, strictly, tests included
	$(BIN)/mypy

.PHONY: test
test: $(READY) ## Run the tests (offline)
	$(BIN)/python -m pytest -n $(WORKERS) $(if $(K),-k '$(K)') $(T)

# The lower bounds of pyproject.toml, or the newest releases that it allows; the tools are the newest either way.
.PHONY: test-lowest test-newest
test-lowest: $(READY) ## Run the tests with the lowest versions of what venvman needs (needs the package index)
test-newest: $(READY) ## Run the tests with the newest versions (needs the package index)
test-lowest test-newest:
	$(PYTHON) -m venv --without-pip --clear .cache/$@
	$(BIN)/uv pip compile --quiet --python .cache/$@ --resolution $(if $(findstring lowest,$@),lowest-direct,highest) \
		--output-file .cache/$@.txt pyproject.toml
	grep -v '^-e ' requirements-dev.in | $(BIN)/uv pip install --quiet --python .cache/$@ -c .cache/$@.txt -r - .
	.cache/$@/bin/python -m pytest -n $(WORKERS) $(if $(K),-k '$(K)') $(T)

.PHONY: torture
torture: $(READY) ## Kill syncs hundreds of times, in about fifteen minutes
	$(BIN)/python -m pytest -m torture -n 0 tests/transactions

.PHONY: museum
museum: $(READY) ## Walk every layout of the museum, and every order of hook managers
	$(BIN)/python -m pytest -m 'museum or not museum' -n $(WORKERS) tests/museum tests/functional/test_hook_managers.py

.PHONY: slow
slow: $(READY) ## Run the tests that are left out for their time, and each property on 1,000 examples
	$(BIN)/python -m pytest -m slow -n $(WORKERS)
	$(BIN)/python -m pytest --hypothesis-profile=thorough -n $(WORKERS) tests/property

.PHONY: cov
cov: $(READY) ## Run the tests with statement and branch coverage
	$(BIN)/python -m pytest -n $(WORKERS) --cov --cov-report= $(T)
	$(BIN)/coverage report --fail-under=90

.PHONY: check
check: lint types test ## What CI runs

.PHONY: bench
bench: $(READY) ## Measure against the peers (needs the package index); ONLY=sync,freeze a part
	$(BIN)/python -m benchmarks $(if $(ONLY),--only "$(ONLY)") $(if $(RUNS),--runs $(RUNS)) \
		--folder .cache/bench-work --results .cache/bench || failed=1; \
	$(BIN)/uv run --quiet --no-project --python $(BIN)/python --with matplotlib python -m benchmarks.plots .cache/bench; \
	test -z "$$failed"

.PHONY: screens
screens: $(READY) ## Draw the pictures of the README from real runs, and those of the pages from their text
	$(BIN)/python -m tools.screens
	$(BIN)/python -m tools.drawings

.PHONY: pages
pages: $(READY) ## Write below each command of the pages what it says today
	$(BIN)/python -m tools.pages

.PHONY: docs
docs: $(READY) ## Build the documentation into site/
	$(call install_locked,docs)
	$(BIN)/zensical build --strict --clean
	$(BIN)/python -m tools.site

.PHONY: build
build: $(READY) ## Build the sdist and the wheel of what is committed into dist/
	rm -rf build && mkdir build
	git archive HEAD | tar -x -C build
	$(BIN)/python -m build --no-isolation --outdir dist build
	$(BIN)/python -m tools.sbom dist

.PHONY: zipapp
zipapp: build ## Pack venvman and what it needs into dist/venvman.pyz, for this Python (needs the package index)
	$(BIN)/shiv --compressed --reproducible --extend-pythonpath --console-script venvman \
		--output-file dist/venvman.pyz dist/venvman-*.whl
	$(BIN)/python -m tools.sbom dist

.PHONY: clean
clean: ## Remove what the other targets made
	rm -rf $(VENV) build dist site .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	rm -rf examples/web/venv examples/web/requirements.txt examples/web/requirements-dev.txt .coverage .coverage.*
