# make train   from nothing to a trained causal GAN (.venv, install, train)
# make test    the tests; make test-slow, the ones that train for minutes
PYTHON ?= python3
BIN := .venv/bin
export CAUSALCF_CACHE ?= $(CURDIR)/.cache

.PHONY: train test test-slow lint clean

train: .venv/installed
	$(BIN)/python -m causalcf.train --graph graphs/celeba.yaml

test: .venv/installed-test
	$(BIN)/python -m pytest

test-slow: .venv/installed-test
	$(BIN)/python -m pytest -m slow

lint: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/installed: .venv/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

.venv/installed-test: .venv/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	touch $@ .venv/installed

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
