# make run   set up and start Monitor
# make test  set up and run every test
# make test-web DATASETTE=1.0a41  the tests of the pages on another version of Datasette, in an environment of its own

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

DATASETTE ?= 1.0a41
OTHER := $(VENV)-datasette-$(DATASETTE)
WEB_TESTS := $(wildcard tests/test_web_*.py tests/test_*browser.py) tests/test_metadata.py

.PHONY: run test test-web docs clean

run: $(VENV)/.installed
	$(BIN)/monitor run

test: $(VENV)/.test-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest

test-web:
	$(PYTHON) -m venv $(OTHER)
	grep -vE '^(datasette|httpx|httpcore)==' constraints.txt > $(OTHER)/constraints.txt
	$(OTHER)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(OTHER)/constraints.txt \
	  datasette==$(DATASETTE) --editable . --requirement requirements-test.txt
	$(OTHER)/bin/python -m pytest $(WEB_TESTS)

docs: $(VENV)/.test-installed
	$(BIN)/python -m docs.make

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.test-installed: $(VENV)/.installed requirements-test.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --requirement requirements-test.txt
	@touch $@

clean:
	rm -rf $(VENV) $(VENV)-datasette-* .mypy_cache .pytest_cache .ruff_cache
