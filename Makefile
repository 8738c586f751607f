# 関所 Sekisho: `make demo` shows it, `make test` proves it. Everything is installed into this folder.
.DEFAULT_GOAL := help
.PHONY: help setup demo dev test check infra security format bench trust lock clean

PYTHON ?= $(shell sh local/find_python.sh)
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
NODE_STAMP := node_modules/.installed
CHECKOV := build/checkov
export PATH := $(abspath $(BIN)):$(PATH)

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(STAMP) $(NODE_STAMP) ## .venv with the sekisho command, and Azurite

$(STAMP): requirements.txt requirements-dev.txt requirements-relay.txt requirements-ocr.txt pyproject.toml
	@test -n "$(PYTHON)" || { sh local/find_python.sh --explain; exit 1; }
	@echo "Python: $(PYTHON)"
	"$(PYTHON)" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt -r requirements-dev.txt -r requirements-relay.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-ocr.txt \
		|| echo "the OCR extra has no wheel for this machine: its tests will be skipped"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(NODE_STAMP): package.json package-lock.json $(STAMP)
	$(BIN)/python -m local.npm ci --silent
	@touch $@

demo: setup ## a city hall's day through the whole system, offline (KEEP=1 leaves it running)
	$(BIN)/python -m local.demo $(if $(KEEP),--keep)

dev: setup ## Azurite, the stand-in and the host, until Ctrl-C (HOST=func uses the Core Tools)
	$(BIN)/python -m local.dev $(if $(HOST),--host $(HOST))

test: setup ## unit, integration, end to end, docs
	$(BIN)/python -m pytest -n $(or $(JOBS),2) --dist loadscope --no-loadscope-reorder

check: setup ## format, lint, types, import contracts, the infrastructure
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) infra

$(CHECKOV)/.installed: infra/checks/requirements-checkov.txt $(STAMP)
	"$(PYTHON)" -m venv $(CHECKOV)
	$(CHECKOV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r infra/checks/requirements-checkov.txt
	@touch $@

infra: setup $(CHECKOV)/.installed ## the Bicep: names, Azure's own models, checkov
	$(BIN)/python -m local.bicep
	$(CHECKOV)/bin/checkov --config-file infra/checks/checkov.yaml

security: setup ## bandit on the product, known vulnerabilities of what it stands on
	$(BIN)/bandit --quiet --recursive --severity-level medium shared functions relay function_app.py
	$(BIN)/python -m local.vulnerabilities requirements.txt
	$(BIN)/python -m local.vulnerabilities requirements-relay.txt

format: setup ## let ruff write the format and the fixes it is sure of
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup ## every bench, as tables
	for each in bench/[a-z]*.py; do $(BIN)/python $$each || exit 1; done

lock: setup ## requirements.in → requirements.txt (needs uv in .venv: pip install uv)
	uv pip compile -q --python-version 3.13 --generate-hashes --no-header -o requirements.txt requirements.in
	uv pip compile -q --python-version 3.13 --generate-hashes --no-header -o requirements-dev.txt requirements-dev.in
	uv pip compile -q --python-version 3.13 --generate-hashes --no-header -o requirements-relay.txt requirements-relay.in
	uv pip compile -q --python-version 3.13 --generate-hashes --no-header -c requirements.txt -o requirements-ocr.txt requirements-ocr.in
	uv pip compile -q --python-version 3.13 --generate-hashes --no-header --override infra/checks/newer-pycep.txt -o infra/checks/requirements-checkov.txt infra/checks/requirements-checkov.in

trust: setup ## the claims of safety as figures, into docs/trust.md (SIZE=ci|nightly|full ONLY=fuzz)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-trust.txt
	$(BIN)/python -m trust --size $(or $(SIZE),ci) $(if $(ONLY),--only $(ONLY))

clean: ## everything that was made here
	rm -rf $(VENV) node_modules .demo .dev build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
