# make train   from nothing to a trained causal GAN (.venv, install, train)
# make test    the tests, PROCESSES at a time; make test-slow, the ones that train for minutes; make coverage, lines that no test runs
PYTHON ?= python3
BIN := .venv/bin
PROCESSES ?= 2
export CAUSALCF_CACHE ?= $(CURDIR)/.cache

.PHONY: train test test-slow coverage lint clean

train: .venv/installed
	$(BIN)/python -m causalcf.train --graph graphs/celeba.yaml

test: .venv/installed-test
	$(BIN)/python -m pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder

test-slow: .venv/installed-test
	$(BIN)/python -m pytest -m slow

coverage: .venv/installed-test
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

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
