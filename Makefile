# Everything starts here: 'make demo' shows it at work, 'make test' proves it. CI runs 'make test' and nothing else.
# Needed: GNU make, bash, CPython 3.11 or newer. As root on Debian, what is missing beyond that is installed with apt-get.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

PYTHON ?= python3
ARGS ?=
BIN := .venv/bin
# What is imported is compiled then; the rest, which is most of it, never.
PIP_INSTALL := -m pip --disable-pip-version-check --no-input install --quiet --no-compile
ROOT_FLAG := $(if $(filter 0,$(shell id -u)),--allow-root)

# $(call quietly,what,command): say what; show what the command printed only when it fails.
define quietly
log=$$(mktemp); trap 'rm -f "$$log"' EXIT; echo "$(1) ..."; \
{ $(2); } >"$$log" 2>&1 || { code=$$?; cat "$$log" >&2; echo "FAILED ($$code): $(1)" >&2; exit 1; }
endef

# $(call apt_get,package ...): install Debian packages, one caller at a time, when we may; otherwise say what is missing.
define apt_get
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
  flock Makefile apt-get update -qq \
  && DEBIAN_FRONTEND=noninteractive flock Makefile apt-get install -y -qq --no-install-recommends $(1); \
else echo "Missing on this machine, and only root on Debian can install it: $(1)"; false; fi
endef

# $(call environment,folder): make a virtual environment; Debian's own Python has the module in a package of its own.
define environment
{ $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
  || { echo "$(PYTHON) is missing or older than 3.11: say 'make PYTHON=/path/to/python3.11'"; false; }; } \
&& rm -rf $(1) \
&& { $(PYTHON) -m venv $(1) || { rm -rf $(1); $(call apt_get,python3-venv) && $(PYTHON) -m venv $(1); }; }
endef

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: .venv/runtime.stamp ## Make .venv with the package, its locked dependencies and JupyterLab

.PHONY: demo
demo: setup ## Run the first notebook in a temporary folder and say what happened
	@$(BIN)/python notebooks/run_demo.py

.PHONY: lab
lab: setup sdk ## Open the notebooks in JupyterLab, with a kernel that has Microsoft's SDK too
	@$(call quietly,kernel with the SDK,.venv-sdk/bin/python -m ipykernel install --prefix .venv \
	  --name aml-magics-sdk --display-name "Python with Microsoft's SDK v1")
	@$(BIN)/python -m jupyterlab $(ROOT_FLAG) notebooks/01-first-schedule.ipynb

.PHONY: test
test: ## Set up everything, check, and run all tests (ARGS='-k word' narrows)
	@$(MAKE) -j3 --output-sync=target check test-rooms test-engine test-whole

# The same tests in three queues, side by side: those of the rooms; those of the engine and of kernels, which are killed
# and must find on a disk what they had committed; and those of the whole in processes of its own.
ENGINE := tests/engine tests/kernel
WHOLE := tests/browser tests/house tests/notebooks tests/sdk
PYTEST = $(BIN)/python -m pytest -q $(ARGS)
NOTHING_CHOSEN := $(if $(ARGS),|| test $$? = 5)
# Where the first queue makes its folders: in memory, if it has 2 GB to spare, since none of its tests cuts the power.
# When a test has failed they stay there.
IN_MEMORY := $(shell df -Pm /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 2000 { print "/dev/shm" }')

.PHONY: test-rooms
test-rooms: setup-test azurite ## Run the tests of the package's rooms
	@folder=$$(mktemp -d $(IN_MEMORY:%=-p %)); \
	$(PYTEST) --basetemp="$$folder/tests" $(ENGINE:%=--ignore=%) $(WHOLE:%=--ignore=%) $(NOTHING_CHOSEN); \
	rm -rf "$$folder"

.PHONY: test-engine
test-engine: setup-test azurite ## Run the tests of the engine and of kernels
	@$(PYTEST) $(ENGINE) $(NOTHING_CHOSEN)

.PHONY: test-whole
test-whole: setup-test sdk azurite browser ## Run the tests of notebooks, JupyterLab, the SDK and the repository
	@$(PYTEST) $(WHOLE) $(NOTHING_CHOSEN)

.PHONY: check
check: setup-test ## Lint, format, types, layers, locks: no network once set up
	@$(call quietly,ruff check,$(BIN)/ruff check --no-cache)
	@$(call quietly,ruff format --check,$(BIN)/ruff format --no-cache --check)
	@$(call quietly,mypy --strict,$(BIN)/mypy)
	@$(call quietly,import layers,$(BIN)/lint-imports --no-cache)
	@$(call quietly,lock files,$(BIN)/python -m tests.support.locks check)

.PHONY: bench
bench: setup-test ## Measure: run every script in tests/benchmarks
	@for script in $(filter-out %_server.py,$(wildcard tests/benchmarks/*.py)); do $(BIN)/python -m "tests.benchmarks.$$(basename "$$script" .py)"; done

.PHONY: setup-test
setup-test: .venv/test.stamp ## Add to .venv what the tests need

.PHONY: sdk
sdk: .venv-sdk/sdk.stamp ## Make .venv-sdk with the package and Microsoft's SDK v1, unmodified

.PHONY: azurite
azurite: .azurite/azurite.stamp ## Make .azurite with Azure's storage emulator

.PHONY: browser
browser: .axe/axe.stamp ## Make sure that a Chromium is installed, and .axe, which looks for what some people could not use
	@command -v chromium >/dev/null || { $(call quietly,Chromium,$(call apt_get,chromium fonts-dejavu-core)); }

.PHONY: lock
lock: setup-test ## Resolve pyproject.toml anew and write the lock files
	@$(call quietly,resolving,$(BIN)/python -m tests.support.locks write)

.PHONY: clean
clean: ## Remove what make has made: environments and caches
	@rm -rf .venv .venv-sdk .azurite .axe .screenshots .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	@find aml_magics tests notebooks -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: each is newer than what it was made from, or is made again.
.venv/created.stamp:
	@$(call quietly,.venv,$(call environment,.venv))
	@touch $@

.venv/runtime.stamp: .venv/created.stamp requirements.lock pyproject.toml
	@$(call quietly,requirements.lock,$(BIN)/python $(PIP_INSTALL) -r requirements.lock \
	  && $(BIN)/python $(PIP_INSTALL) --no-deps --no-build-isolation -e .)
	@touch $@

.venv/test.stamp: .venv/runtime.stamp requirements-test.lock
	@$(call quietly,requirements-test.lock,$(BIN)/python $(PIP_INSTALL) -r requirements-test.lock)
	@touch $@

.venv-sdk/sdk.stamp: requirements-sdk.lock pyproject.toml
	@$(call quietly,.venv-sdk,$(call environment,.venv-sdk))
	@$(call quietly,requirements-sdk.lock,.venv-sdk/bin/python $(PIP_INSTALL) -r requirements-sdk.lock \
	  && .venv-sdk/bin/python $(PIP_INSTALL) --no-deps --no-build-isolation -e .)
	@touch $@

.azurite/azurite.stamp: tests/azurite/package.json tests/azurite/package-lock.json
	@mkdir -p .azurite && cp $^ .azurite/
	@$(call quietly,.azurite,cd .azurite && npm ci --ignore-scripts --no-audit --no-fund)
	@touch $@

.axe/axe.stamp: tests/axe/package.json tests/axe/package-lock.json
	@mkdir -p .axe && cp $^ .axe/
	@$(call quietly,.axe,cd .axe && npm ci --ignore-scripts --no-audit --no-fund)
	@touch $@
