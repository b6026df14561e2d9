# make run   scenarios against the reference modality      make test   everything
PYTHON ?= python3
BIN := .venv/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: run test check quick-test peers bench docs lock clean

run: .venv/installed
	$(BIN)/ihe-harness run

test: .venv/installed-dev peers check
	IHE_PEERS=$${IHE_PEERS:-auto} tools/test-all

# style, types, feature files: seconds
check: .venv/installed-dev
	$(BIN)/ruff check harness tests tools
	$(BIN)/ruff format --check harness tests tools
	$(BIN)/mypy
	$(BIN)/ihe-harness lint

quick-test: .venv/installed-dev
	$(BIN)/pytest -q tests/unit tests/plugin tests/lint

peers:
	tools/install-peers

bench: .venv/installed-dev
	$(BIN)/python -m tests.bench

docs: .venv/installed-dev
	$(BIN)/python -m tools.docs

# the versions that were tested together
lock: .venv/installed-dev
	$(BIN)/pip freeze --exclude-editable > requirements.lock

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python pyproject.toml requirements.lock
	@[ -e .venv/installed-dev ] || $(BIN)/pip install --quiet -c requirements.lock -e '.[codecs,media,privacy]'
	@touch $@

.venv/installed-dev: .venv/bin/python pyproject.toml requirements.lock
	$(BIN)/pip install --quiet -c requirements.lock -e '.[dev]'
	@touch $@ .venv/installed

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache
