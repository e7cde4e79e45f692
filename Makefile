# make train   from nothing to a trained causal GAN (.venv, install, train)
# make test    the default tests, PROCESSES at a time; make test-slow: training for minutes, fuzzing, every documented command
# make lint    style and types; make coverage: lines that no default test runs; make docs: the site with the API reference
PYTHON ?= python3
BIN := .venv/bin
PROCESSES ?= 2
export CAUSALCF_CACHE ?= $(CURDIR)/.cache

.PHONY: train test test-slow coverage lint docs clean

train: .venv/installed
	$(BIN)/python -m causalcf.train --graph graphs/celeba.yaml

test: .venv/installed-test
	$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist worksteal

test-slow: .venv/installed-test
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist worksteal -m "slow or property"

coverage: .venv/installed-test
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest --numprocesses $(PROCESSES) --dist worksteal
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

lint: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: .venv/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --site-dir site

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/installed-test: .venv/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	touch $@ .venv/installed

.venv/installed-docs: .venv/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --editable ".[docs]"
	touch $@ .venv/installed

clean:
	rm -rf .venv build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
